"""Reads the journal of a hub while the hub runs."""

import json
import os
import selectors
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Self

#: The version of the journal that this package can read.
VERSION = 1

#: The kinds of entries, as `docs/journal.md` lists them.
KINDS = (
    *("opened", "login", "login-refused", "swallowed", "attached", "not-served", "registered"),
    *("entry-deleted", "frame", "noise", "half-frame-left", "not-answered", "nobody-there"),
    *("unheard", "quirk", "fault", "left-out", "link-down", "link-up", "held", "steered", "closed"),
)

#: How the line begins that says where the hub can be steered.
_CONTROL = b"control on "

#: How much is read at once, in bytes.
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Entry:
    """An event at the hub.

    `kind` is one of `opened`, `login`, `attached`, `login-refused`, `swallowed`, `frame`, `noise`, `not-answered`,
    `quirk`, `fault`, `nobody-there`, `closed` and some rarer ones; `docs/journal.md` lists them.
    """

    #: When, in seconds since the hub's start.
    at: float
    kind: str
    #: The number of the connection, counted from 1.
    connection: int | None = None
    #: The id of the device.
    device: str | None = None
    #: `to-device` or `to-tool`, for frames and noise.
    direction: str | None = None
    #: The command's name as in the firmware, `BMS_GET_VALUES`, or a number such as `0xf0`.
    command: str | None = None
    #: The payload of a frame, which starts with its command, or the bytes of noise.
    payload: bytes | None = None
    #: The fields of a frame: numbers, texts and lists by their name, which ends in the unit; secrets are masked.
    fields: Mapping[str, Any] = field(default_factory=dict)
    #: What the device held when it answered, under the same names.
    truth: Mapping[str, Any] = field(default_factory=dict)
    #: The name of a quirk or a fault.
    name: str | None = None
    #: Why it happened, in words.
    why: str | None = None
    #: The whole entry in words.
    text: str = ""

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Self:
        """Makes an entry of a line of the journal, without keys that are unknown here."""
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
        """Whether it is a request of this command, itself or inside FORWARD_CAN."""
        inner = self.fields.get("command") if self.command == "FORWARD_CAN" else None
        return self.is_request and command in (self.command, inner)

    def __str__(self) -> str:
        connection = "" if self.connection is None else f"#{self.connection}"
        return f"{self.at:10.3f}  {connection:<4} {self.text.rstrip()}"


class Journal:
    """Reads the journal that `veschub-sim serve --journal -` writes, in a thread of its own, and keeps it.

    The hub writes the entry of a reply before it sends the reply, and every method here first reads all that is in the
    pipe. So a client that has received a reply finds it in the journal.
    """

    def __init__(self, pipe: int) -> None:
        """Reads from this file descriptor, which it makes non-blocking, until it ends."""
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._changed = threading.Condition()
        self._rest = b""
        self._ended = False
        self._start: Mapping[str, Any] | None = None
        #: Where the hub can be steered, once the journal has started; None if it cannot.
        self.control: str | None = None
        self._entries: list[Entry] = []
        self._lines: list[bytes] = []
        self._failure: ValueError | None = None
        self._thread = threading.Thread(target=self._read_on, name="veschub journal", daemon=True)
        self._thread.start()

    def entries(self) -> list[Entry]:
        """All entries so far."""
        with self._changed:
            self._drain()
            return list(self._entries)

    def lines(self) -> list[bytes]:
        """All lines so far as the hub wrote them: JSON objects, each with its line feed."""
        with self._changed:
            self._drain()
            return list(self._lines)

    def start(self, timeout: float) -> Mapping[str, Any] | None:
        """Waits for the first line, which says where the hub listens; None if it does not come in time."""
        self._wait(lambda: self._start is not None, timeout)
        if self._failure:
            raise self._failure
        return self._start

    def wait(self, fits: Callable[[Entry], bool], count: int, timeout: float) -> Entry | None:
        """Waits for the `count`th entry that fits; None after `timeout` seconds, or if the hub ends."""
        found: list[Entry] = []
        looked_at = 0

        def enough() -> bool:
            nonlocal looked_at
            found.extend(filter(fits, self._entries[looked_at:]))
            looked_at = len(self._entries)
            return len(found) >= count

        return found[count - 1] if self._wait(enough, timeout) else None

    def join(self) -> None:
        """Waits until the whole journal is read; call it only after the hub has ended."""
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
        """Reads all that is in the pipe, without waiting; the caller must hold the lock."""
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
        # Before the journal, the hub prints lines for people, which say where it listens and where it can be steered.
        if not line.startswith(b"{"):
            if line.startswith(_CONTROL):
                self.control = line.removeprefix(_CONTROL).decode().strip()
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
