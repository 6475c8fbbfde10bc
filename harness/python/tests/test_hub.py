"""What a hub is told, and what it tells."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from pytest_veschub import SCENARIOS, Hub, HubError
from tool import ALIVE, BMS_GET_VALUES, FW_VERSION, TIMEOUT, Tool, attached, bms, frame

PACK = {
    "devices": [
        {
            "express": {
                "id": "my-pack",
                "password": "my-password",
                "bms": {"cells": 40, "current_a": -1.5, "state_of_charge": 0.5},
            }
        }
    ]
}


def test_without_a_marker_it_is_the_demo(veschub: Hub) -> None:
    assert veschub.host == "127.0.0.1"
    assert (veschub.id, veschub.password) == ("DEMO-0001", "not-a-secret")
    assert veschub.env["VESC_PORT"] == str(veschub.port)
    with attached(veschub) as tool:
        reading = bms(tool.ask(BMS_GET_VALUES))
    assert len(reading["cell_voltages_v"]) == 20
    assert veschub.truth()["cell_voltages_v"] == reading["cell_voltages_v"]
    veschub.check_reading(reading)
    (reply,) = veschub.replies()
    assert reply.truth["current_a"] == pytest.approx(reading["current_a"], abs=1e-6)
    assert "my-password" not in veschub.transcript()


@pytest.mark.veschub(PACK)
def test_a_dict_is_a_scenario(veschub: Hub) -> None:
    assert (veschub.id, veschub.password) == ("MY-PACK", "my-password")
    with attached(veschub) as tool:
        tool.ask(BMS_GET_VALUES)
    assert len(veschub.truth()["cell_voltages_v"]) == 40
    assert veschub.truth()["current_a"] == -1.5


@pytest.mark.veschub(
    """
    version: 1
    devices:
      - express: { id: from-yaml, password: not-a-secret, bms: { cells: 3 } }
    """,
    set={"devices.0.express.bms.cells": 5, "devices.0.express.firmware": "6.05"},
    seed=7,
)
def test_yaml_text_is_a_scenario_and_values_can_be_replaced(veschub: Hub) -> None:
    assert veschub.id == "FROM-YAML"
    with attached(veschub) as tool:
        assert tool.ask(FW_VERSION)[1:3] == bytes([6, 5])
        tool.ask(BMS_GET_VALUES)
    assert len(veschub.truth()["cell_voltages_v"]) == 5
    assert veschub.truth("FW_VERSION")["firmware"] == "6.05"


@pytest.mark.veschub("negative-and-hot-temperatures")
def test_a_scenario_that_comes_with_the_package_goes_by_its_name(veschub: Hub) -> None:
    with attached(veschub) as tool:
        tool.ask(BMS_GET_VALUES)
    assert min(veschub.truth()["temperatures_c"]) < 0


def test_all_scenarios_come_with_the_package(veschub_factory: Callable[..., Hub]) -> None:
    assert len(list(SCENARIOS.glob("*.yaml"))) > 80
    # One that includes a file, and one that replays a capture.
    for name in ("an-included-pack-is-read", "recorded-session-replayed-at-once"):
        assert veschub_factory(name).id
    assert veschub_factory(SCENARIOS / "pack-of-50-cells.yaml").id


@pytest.mark.veschub(quirks=["needs-setup"])
def test_quirks_are_switched_on_and_say_why_nothing_came(veschub: Hub) -> None:
    with attached(veschub) as tool:
        tool.send(BMS_GET_VALUES)
        quirk = veschub.wait_for("quirk", timeout=TIMEOUT)
    assert (quirk.name, quirk.command) == ("needs-setup", "BMS_GET_VALUES")
    with pytest.raises(AssertionError, match=r"no reply to BMS_GET_VALUES[^!]*needs-setup"):
        veschub.truth()


@pytest.mark.veschub(faults=[{"duplicate": {"when": {"command": "FW_VERSION"}}}])
def test_faults_are_switched_on(veschub: Hub) -> None:
    with attached(veschub) as tool:
        first = tool.ask(FW_VERSION)
        assert tool.receive() == first
    assert veschub.wait_for("fault", timeout=TIMEOUT).name == "duplicate"


def test_requests_are_found_inside_of_others(veschub: Hub) -> None:
    with attached(veschub) as tool:
        tool.ask(34, 84, FW_VERSION)
        tool.ask(FW_VERSION)
    assert [one.command for one in veschub.requests("FW_VERSION")] == ["FORWARD_CAN", "FW_VERSION"]
    assert veschub.requests("FORWARD_CAN")[0].fields == {"can_id": 84, "command": "FW_VERSION"}
    second = veschub.wait_for_request("FW_VERSION", count=2, timeout=TIMEOUT)
    assert second.payload == b"\0"


def test_what_never_comes_is_told_with_what_did(veschub: Hub) -> None:
    with attached(veschub) as tool:
        tool.ask(FW_VERSION)
        with pytest.raises(AssertionError) as failure:
            veschub.wait_for_request("BMS_GET_VALUES", timeout=0)
    assert "no request BMS_GET_VALUES within 0 s" in str(failure.value)
    assert "requests so far: FW_VERSION 1" in str(failure.value)


def test_a_wrong_login_is_told_without_the_password(veschub: Hub) -> None:
    with Tool(veschub, "wrong-secret") as tool:
        assert tool.receive() == b""
    refused = veschub.wait_for("login-refused", timeout=TIMEOUT)
    assert refused.why
    told = [veschub.transcript(), *map(repr, veschub.entries())]
    assert not any("wrong-secret" in one for one in told)


@pytest.mark.veschub(PACK)
@pytest.mark.parametrize(
    ("field", "misread", "mistake"),
    [
        ("total_voltage_v", lambda volts: volts * 10, "10 times too large"),
        ("current_a", lambda amps: (round(amps * 1e6) % 2**32) / 1e6, "without its sign"),
        ("cell_voltages_v", lambda cells: cells[:32], "ends too early, at 32"),
    ],
)
def test_a_mistake_has_a_name(
    veschub: Hub, field: str, misread: Callable[[object], object], mistake: str
) -> None:
    with attached(veschub) as tool:
        reading = bms(tool.ask(BMS_GET_VALUES))
    with pytest.raises(AssertionError, match=mistake) as failure:
        veschub.check_reading({field: misread(reading[field])}, command="BMS_GET_VALUES")
    assert f"BMS_GET_VALUES.{field}" in str(failure.value)


def test_a_reading_of_an_earlier_reply_is_stale(veschub: Hub) -> None:
    with attached(veschub) as tool:
        reading = bms(tool.ask(BMS_GET_VALUES))
        veschub.check_reading(reading)
        while bms(tool.ask(BMS_GET_VALUES)) == reading:
            pass
    with pytest.raises(AssertionError, match="stale"):
        veschub.check_reading(reading)


def test_a_reading_before_any_reply_and_an_unknown_field_are_wrong(veschub: Hub) -> None:
    with pytest.raises(AssertionError, match="had sent no such reply"):
        veschub.check_reading({"current_a": 1.0})
    with pytest.raises(AssertionError, match="did you mean") as failure:
        veschub.check_reading({"total_voltage": 1.0})
    assert "total_voltage_v" in str(failure.value)


@pytest.mark.veschub(PACK)
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "an empty reading"),
        ({"total_voltage_v": None}, "an empty reading"),
        ({"current_a": -1.5, "total_voltage_v": None}, "no value, although the device sent one"),
        ({"current_a": -1.5, "total_voltage": 1.0}, "did you mean `total_voltage_v`"),
        ({"current_a": float("nan")}, "the client printed NaN"),
    ],
)
def test_a_reading_that_says_nothing_is_no_all_clear(
    veschub: Hub, fields: dict[str, object], told: str
) -> None:
    with attached(veschub) as tool:
        tool.ask(BMS_GET_VALUES)
    with pytest.raises(AssertionError) as failure:
        veschub.check_reading(fields)
    # The table wraps long texts.
    assert told in " ".join(str(failure.value).split())


@pytest.mark.veschub(PACK)
def test_what_the_client_does_not_read_may_be_left_out(veschub: Hub) -> None:
    with attached(veschub) as tool:
        tool.ask(BMS_GET_VALUES)
    veschub.check_reading({"current_a": -1.5})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"scenario": {"devices": [{"expres": {}}]}}, "did you mean"),
        ({"quirks": ["no-such-quirk"]}, "no-such-quirk"),
        ({"set": {"devices.0.express.bms.cells": "many"}}, "cells"),
    ],
)
def test_a_mistake_in_a_scenario_is_told(options: dict[str, object], told: str) -> None:
    with pytest.raises(HubError, match=told):
        Hub(**options)  # type: ignore[arg-type]


def test_a_scenario_that_is_not_there_is_told_with_where_it_was_looked_for() -> None:
    with pytest.raises(FileNotFoundError, match="no scenario nowhere: looked for nowhere, "):
        Hub("nowhere")


def test_a_hub_that_ends_by_itself_is_an_error() -> None:
    hub = Hub()
    os.kill(hub._process.pid, signal.SIGKILL)
    with pytest.raises(AssertionError, match="no frame within"):
        hub.wait_for("frame", timeout=TIMEOUT)
    hub._process.wait()
    with pytest.raises(HubError, match="ended by itself with exit code -9"):
        hub.stop()


def test_more_entries_than_a_pipe_holds_do_not_hold_up_the_hub(veschub: Hub) -> None:
    count = 1000
    with attached(veschub) as tool:
        for _ in range(count):
            tool.send(ALIVE)
        assert tool.ask(FW_VERSION)[0] == FW_VERSION
    assert len(veschub.requests("ALIVE")) == count


def test_a_hub_ends_with_the_process_that_started_it() -> None:
    script = (
        "import sys; from pytest_veschub import Hub; hub = Hub(set={'hub': {'profile': 'ideal'}});"
        "print(hub.port, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        client = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        client.sendall(b"VESCTOOL:demo-0001:not-a-secret\n" + frame(FW_VERSION))
        assert client.recv(4096)
        parent.kill()
    with client:
        # A tool that is attached is let go of only when the hub ends.
        assert client.recv(1) == b""
