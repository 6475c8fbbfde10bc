"""A simulated VESCHub on a free port of 127.0.0.1."""

import asyncio
import difflib
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import scenario as scenarios
from .aside import aside
from .control import Control
from .journal import KINDS, Entry, Journal
from .programs import program
from .scenario import Scenario, Switch

#: How long a hub may take to start or to end, in seconds: far more than it needs.
_PATIENCE = 30.0

#: How long `wait_for` and `wait_for_request` wait before they fail, in seconds.
TIMEOUT = 10.0


class HubError(Exception):
    """The hub does not start, or ended by itself; the message has what it printed."""


class Hub:
    """A hub in a process of its own. It runs until `stop` or the end of a `with` block.

    Without a scenario it has one device, with a pack of 20 cells that is being ridden. `set` replaces values of the
    scenario, by their path: `{"devices.0.express.bms.cells": 12}`. `quirks` and `faults` replace those of the
    scenario: `["needs-setup", {"session-reset": {"max_gap": "250ms"}}]`. `seed` decides everything that is random.
    Relative paths are looked for in `folders`, then in the current folder. `port` is the port to listen on; 0 takes a
    free one. While it runs, `control` changes it; with `control=False` it cannot be changed.

    Raises HubError, with the place of the mistake, if the scenario cannot be used.
    """

    #: The address where it listens: always 127.0.0.1.
    host: str
    #: The port where it listens, which was free.
    port: int
    #: The id of the first device.
    id: str
    #: Its password; empty if it accepts every password.
    password: str
    #: Changes the hub while it runs: values, links, faults, the clock.
    control: Control
    #: Environment variables for a client program: VESC_HOST, VESC_PORT, VESC_ID, VESC_PASSWORD and VESC_TIMEOUT_MS.
    env: dict[str, str]

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        quirks: Iterable[Switch] | None = None,
        faults: Iterable[Switch] | None = None,
        set: Mapping[str, Any] | None = None,
        seed: int = 0,
        port: int = 0,
        control: bool = True,
        folders: Iterable[Path] = (),
    ) -> None:
        __tracebackhide__ = True
        self.host, self.port = "127.0.0.1", 0
        with tempfile.TemporaryDirectory(prefix="veschub-") as scratch:
            what = "--demo"
            if scenario is not None:
                what = str(scenarios.find(scenario, Path(scratch), *folders))
            arguments = [
                *(str(program("veschub-sim")), "serve", what, "--listen", f"127.0.0.1:{port}"),
                *("--seed", str(seed), "--journal", "-", "--keep-credentials"),
                *("--until-stdin-ends", "--quiet"),
                *(("--control", "127.0.0.1:0") if control else ()),
                *scenarios.settings(set, quirks, faults),
            ]
            # The hub ends when its stdin is closed, which also happens if this process is killed.
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
            assert self._process.stdout is not None
            self._journal = Journal(self._process.stdout.fileno())
            try:
                start = self._journal.start(_PATIENCE)
            except ValueError as error:
                self._end()
                raise HubError(
                    f"the programs and this package are of different releases: {error}"
                ) from error
            if start is None:
                self._end()
                raise HubError(f"the hub did not start\n{self._said}")
        self._tell(start)

    def _tell(self, start: Mapping[str, Any]) -> None:
        self.host, port = start["listening"].rsplit(":", 1)
        self.port = int(port)
        device: Mapping[str, Any] = next(iter(start["devices"]), {})
        self.id = device.get("id") or ""
        self.password = device.get("password") or ""
        self.control = Control(self._journal.control, self.id)
        self.env = {
            "VESC_HOST": self.host,
            "VESC_PORT": port,
            "VESC_ID": self.id,
            "VESC_PASSWORD": self.password,
            "VESC_TIMEOUT_MS": "5000",
        }

    def __repr__(self) -> str:
        return f"<VESC hub {self.host}:{self.port}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the hub; its entries can still be read. Raises HubError if it has already ended by itself."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        ended = self._process.poll()
        self._end()
        if ended is not None:
            raise HubError(f"the hub ended by itself with exit code {ended}\n{self._said}")

    def _end(self) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.close()
        try:
            aside(partial(process.wait, _PATIENCE))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._journal.join()
        process.stdout.close()
        # A quiet hub prints so little that it never has to wait for a reader.
        with process.stderr:
            self._said = process.stderr.read().decode(errors="replace").strip()

    def entries(self) -> list[Entry]:
        """All entries of the journal so far, in order."""
        return self._journal.entries()

    def requests(self, command: str | None = None) -> list[Entry]:
        """The requests that have reached a device so far, or those of one command; `.fields` are their arguments.

        A request inside FORWARD_CAN is also found by its own command.
        """
        return [
            entry
            for entry in self.entries()
            if entry.is_request and (command is None or entry.asks(command))
        ]

    def replies(self, command: str | None = None) -> list[Entry]:
        """The replies that the device has sent so far, or those to one command; `.fields` are their values."""
        return [
            entry for entry in self.entries() if entry.is_reply and command in (None, entry.command)
        ]

    def truth(self, command: str = "BMS_GET_VALUES") -> dict[str, Any]:
        """The values in the latest reply to a command, as the device sent them: `{"total_voltage_v": 83.774, ...}`.

        Raises AssertionError if the device has sent no such reply.
        """
        __tracebackhide__ = True
        replies = self.replies(command)
        if not replies:
            raise AssertionError(f"the device has sent no reply to {command}; {self._so_far()}")
        return dict(replies[-1].fields)

    def wait_for_request(self, command: str, *, count: int = 1, timeout: float = TIMEOUT) -> Entry:
        """Waits for the `count`th request of a command since the hub's start, and returns it.

        Raises AssertionError after `timeout` seconds. This method blocks: in async code use `async_wait_for_request`.
        """
        __tracebackhide__ = True
        return self._wait(lambda entry: entry.asks(command), f"request {command}", count, timeout)

    def wait_for(self, kind: str, *, count: int = 1, timeout: float = TIMEOUT) -> Entry:
        """Waits for the `count`th entry of a kind and returns it: `attached`, `fault`, `closed` and so on.

        Raises AssertionError after `timeout` seconds, and ValueError for a kind that does not exist. This method blocks:
        in async code use `async_wait_for`.
        """
        __tracebackhide__ = True
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(KINDS)}"
            raise ValueError(f"no entry is of the kind {kind}: {hint}")
        return self._wait(lambda entry: entry.kind == kind, kind, count, timeout)

    async def async_wait_for_request(
        self, command: str, *, count: int = 1, timeout: float = TIMEOUT
    ) -> Entry:
        """Like `wait_for_request`, but does not block the event loop."""
        wait = partial(self.wait_for_request, command, count=count, timeout=timeout)
        return await asyncio.to_thread(wait)

    async def async_wait_for(self, kind: str, *, count: int = 1, timeout: float = TIMEOUT) -> Entry:
        """Like `wait_for`, but does not block the event loop."""
        return await asyncio.to_thread(partial(self.wait_for, kind, count=count, timeout=timeout))

    def _wait(self, fits: Callable[[Entry], bool], what: str, count: int, timeout: float) -> Entry:
        __tracebackhide__ = True
        entry = self._journal.wait(fits, count, timeout)
        if entry is None:
            times = "" if count == 1 else f" number {count}"
            raise AssertionError(f"no {what}{times} within {timeout:g} s; {self._so_far()}")
        return entry

    def _so_far(self) -> str:
        counts = Counter(entry.command for entry in self.requests())
        asked = ", ".join(f"{command} {count}" for command, count in counts.items())
        why = [entry.text for entry in self.entries() if entry.kind in _REASONS]
        return "\n".join([f"requests so far: {asked or 'none'}", *why[-5:]])

    def check_reading(
        self,
        fields: Mapping[str, Any],
        *,
        command: str | None = None,
        can_id: int | None = None,
        tolerance: Mapping[str, float] | None = None,
    ) -> None:
        """Compares what a client understood with what the device has sent to it until now.

        `fields` are values in the unit at the end of their name: `{"total_voltage_v": 83.77, "current_a": -1.5}`;
        `veschub-harness schema reading` prints all names. A value may be off by one count of its raw scale, or by what
        `tolerance` says for its field: `{"total_voltage_v": 0.05}`. A Decimal is a number. It is compared with the reply
        to `command`, or without that with the reply that fits best. `can_id` is the CAN id of a device that was asked
        through another one.

        Leave out the fields that your client does not read. A value of None for a field that the device sent, a name
        that no field has, and fields without any value are mistakes, so that `{"current_a": reading.get("amps")}` does
        not pass.

        Raises AssertionError with a table that has both values, and the mistake if it is a known one: read without its
        sign, 10 times too large, ends too early, stale.
        """
        __tracebackhide__ = True
        reading = {"fields": dict(fields), "command": command, "can_id": can_id}
        given = {key: value for key, value in reading.items() if value is not None}
        line = json.dumps(given, default=_plain)
        within = [f"--within={field}={amount}" for field, amount in (tolerance or {}).items()]
        lines = [*self._journal.lines(), line.encode(), b"\n"]
        judged = aside(
            lambda: subprocess.run(
                [program("veschub-harness"), "judge", "-", *within],
                input=b"".join(lines),
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
            )
        )
        if judged.returncode == 1:
            raise AssertionError(f"the reading is wrong\n{judged.stdout.decode()}")
        if judged.returncode:
            raise HubError(judged.stderr.decode(errors="replace"))

    def drop(self) -> None:
        """The hub vanishes: every connection is closed, and nobody can connect until `restart`."""
        self.control.stop_listening()

    def restart(self) -> None:
        """The hub is back after `drop`, on the same port, with its devices as they were."""
        self.control.start_listening()

    def pin(self, field: str, value: float, *, item: int | None = None, **where: Any) -> None:
        """A value of the device, from now on: `hub.pin("cell_voltages_v", 3.1, item=4)`. See `Control.pin`."""
        self.control.pin(field, value, item=item, **where)

    def fault(self, fault: Switch, **where: Any) -> AbstractContextManager[int]:
        """Harms the link for the length of a `with` block. See `Control.fault`.

        `with hub.fault({"delay": {"by": "2s"}}): ...`
        """
        return self.control.fault(fault, **where)

    def transcript(self, since: int = 0) -> str:
        """The journal as text, a line for each entry: seconds, connection, text; without the first `since` entries."""
        return "\n".join(map(str, self.entries()[since:]))


def _plain(value: object) -> Any:
    """What JSON has no word for: a Decimal is a number, and any sequence of values is a list."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{value!r} is no value of a reading: give a number, a text or a list of them")


#: Kinds of entries that say why something did not happen.
_REASONS = ("login-refused", "not-answered", "quirk", "fault", "swallowed", "not-served")
