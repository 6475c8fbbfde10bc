"""What happens at a hub, read along while it happens."""

import json
import os
import selectors
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Self

#: The version of the journal's schema that is understood here.
VERSION = 1

#: How much is read at a time, in bytes.
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    `kind` says what: `opened`, `login`, `attached`, `login-refused`, `swallowed`, `frame`, `noise`, `not-answered`,
    `quirk`, `fault`, `nobody-there`, `closed`, and rarer ones.
    """

    #: When, in seconds since the hub's start.
    at: float
    kind: str
    #: The number of the connection, counted from 1.
    connection: int | None = None
    #: The id of the device.
    device: str | None = None
    #: `to-device` or `to-tool`, of frames and noise.
    direction: str | None = None
    #: The command's name as in the firmware, `BMS_GET_VALUES`, or a number such as `0xf0`.
    command: str | None = None
    #: The bytes of a frame, from its command on, or of noise.
    payload: bytes | None = None
    #: What a frame says: names with their unit to numbers, texts and lists, secrets masked.
    fields: Mapping[str, Any] = field(default_factory=dict)
    #: What the device held when it answered, under the same names.
    truth: Mapping[str, Any] = field(default_factory=dict)
    #: Of a quirk or a fault: which.
    name: str | None = None
    #: Why it happened, in words.
    why: str | None = None
    #: All of it in words, for a person.
    text: str = ""

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Self:
        """An entry of a line of the journal; keys that are not known here are left out."""
        known = {key: value for key, value in line.items() if key in cls.__dataclass_fields__}
        payload = known.get("payload")
        known["payload"] = None if payload is None else bytes.fromhex(payload)
        return cls(**known)

    @property
    def is_request(self) -> bool:
        """Whether it is a request that reached a device."""
        return self.kind == "frame" and self.direction == "to-device"

    @property
    def is_reply(self) -> bool:
        """Whether it is a reply that a device sent to a tool."""
        return self.kind == "frame" and self.direction == "to-tool"

    def asks(self, command: str) -> bool:
        """Whether it is a request of this command, inside of FORWARD_CAN or not."""
        inner = self.fields.get("command") if self.command == "FORWARD_CAN" else None
        return self.is_request and command in (self.command, inner)

    def __str__(self) -> str:
        connection = "" if self.connection is None else f"#{self.connection}"
        return f"{self.at:10.3f}  {connection:<4} {self.text.rstrip()}"


class Journal:
    """Reads the journal that `veschub-sim serve --journal -` writes, in a thread of its own, and keeps it.

    The hub writes an entry before it sends what the entry tells of, and every method here reads first what lies in the
    pipe: whoever has got a reply finds it in the journal.
    """

    def __init__(self, pipe: int) -> None:
        """Reads from this file descriptor, which it makes non-blocking, until it ends."""
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._changed = threading.Condition()
        self._rest = b""
        self._ended = False
        self._start: Mapping[str, Any] | None = None
        self._entries: list[Entry] = []
        self._lines: list[bytes] = []
        self._failure: ValueError | None = None
        self._thread = threading.Thread(target=self._read_on, name="veschub journal", daemon=True)
        self._thread.start()

    def entries(self) -> list[Entry]:
        """All that has happened so far."""
        with self._changed:
            self._drain()
            return list(self._entries)

    def lines(self) -> list[bytes]:
        """The same as it was written, one JSON object each with its line feed."""
        with self._changed:
            self._drain()
            return list(self._lines)

    def start(self, timeout: float) -> Mapping[str, Any] | None:
        """The first line, which says where the hub listens, once it is there; None if it does not come in time."""
        self._wait(lambda: self._start is not None, timeout)
        if self._failure:
            raise self._failure
        return self._start

    def wait(self, fits: Callable[[Entry], bool], count: int, timeout: float) -> Entry | None:
        """The `count`th entry that fits, once there are as many; None after `timeout` seconds, or at the hub's end."""
        found: list[Entry] = []
        looked_at = 0

        def enough() -> bool:
            nonlocal looked_at
            found.extend(filter(fits, self._entries[looked_at:]))
            looked_at = len(self._entries)
            return len(found) >= count

        return found[count - 1] if self._wait(enough, timeout) else None

    def join(self) -> None:
        """Waits until all is read; only once the hub has ended."""
        self._thread.join()

    def _wait(self, done: Callable[[], bool], timeout: float) -> bool:
        deadline = monotonic() + timeout
        with self._changed:
            self._drain()
            while not done():
                if self._ended or not self._changed.wait(deadline - monotonic()):
                    return done()
            return True

    def _read_on(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            while not self._ended:
                selector.select()
                with self._changed:
                    self._drain()

    def _drain(self) -> None:
        """Takes in what lies in the pipe, without waiting; the lock must be held."""
        while not self._ended:
            try:
                chunk = os.read(self._pipe, _CHUNK)
            except BlockingIOError:
                return
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._ended = not chunk
            for line in lines:
                self._take(line)
            self._changed.notify_all()

    def _take(self, line: bytes) -> None:
        # Before the journal there is a line for people: where the hub listens.
        if not line.startswith(b"{"):
            return
        self._lines.append(line + b"\n")
        told = json.loads(line)
        if told["kind"] != "start":
            self._entries.append(Entry.from_json(told))
        elif told["journal"] == VERSION:
            self._start = told
        else:
            self._failure = ValueError(f"a journal of version {told['journal']}, not {VERSION}")
            self._ended = True
