"""The same fixtures in async code, without a plugin for it."""

import asyncio
import http.client
import threading
import time
from collections.abc import Callable

import pytest

from pytest_veschub import Hub
from tool import BMS_GET_VALUES, TIMEOUT, bms, frame


async def read_pack(hub: Hub) -> dict[str, object]:
    """What a small asyncio client reads."""
    reader, writer = await asyncio.open_connection(hub.host, hub.port)
    writer.write(f"VESCTOOL:{hub.id}:{hub.password}\n".encode())
    await hub.async_wait_for("attached", timeout=TIMEOUT)
    writer.write(frame(BMS_GET_VALUES))
    _, length = await reader.readexactly(2)
    payload = await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
    return bms(payload)


def test_an_asyncio_client_is_watched_while_it_works(veschub: Hub) -> None:
    async def test() -> None:
        reading = asyncio.create_task(read_pack(veschub))
        # The client only goes on while this does not block the loop.
        request = await veschub.async_wait_for_request("BMS_GET_VALUES", timeout=TIMEOUT)
        assert request.device == veschub.id
        veschub.check_reading(await reading)

    asyncio.run(test())


def test_waiting_in_vain_fails(veschub: Hub) -> None:
    with pytest.raises(AssertionError, match="requests so far: none"):
        asyncio.run(veschub.async_wait_for_request("BMS_GET_VALUES", timeout=0))


def test_the_thread_of_the_event_loop_may_be_forbidden_to_wait(
    veschub_factory: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = threading.get_ident()

    def forbid(owner: object, name: str) -> None:
        allowed = getattr(owner, name)

        def guarded(*arguments: object, **named: object) -> object:
            assert threading.get_ident() != here, f"{name} in the thread of the event loop"
            return allowed(*arguments, **named)

        monkeypatch.setattr(owner, name, guarded)

    async def test() -> None:
        # What Home Assistant forbids there.
        forbid(time, "sleep")
        forbid(http.client.HTTPConnection, "putrequest")
        hub = veschub_factory()
        reading = await read_pack(hub)
        hub.check_reading(reading)
        with hub.fault({"delay": {"by": "1ms"}}):
            hub.pin("current_a", 4)
        hub.drop()
        hub.restart()
        assert hub.truth()
        hub.stop()

    asyncio.run(test())
