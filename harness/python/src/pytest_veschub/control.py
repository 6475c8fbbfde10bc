"""Changes a hub while it runs: values, links, faults, the clock. `docs/control.md` describes the HTTP API behind it."""

import json
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from .aside import aside
from .scenario import Switch

#: How long an answer may take, in seconds: far more than it needs. Waiting for an entry adds to it.
_PATIENCE = 30.0

#: The socket as it is when this module is loaded. Plugins such as pytest-socket replace the class for the code under test.
_SOCKET = socket.socket


class ControlError(Exception):
    """The hub refuses a change; the message says why, and what to do."""

    def __init__(self, status: int, message: str) -> None:
        """`status` is that of HTTP: 400 for what is wrong in itself, 404 for what is not there."""
        super().__init__(message)
        self.status = status


class _Connection(HTTPConnection):
    """Connects also where the test under way may not use sockets."""

    def connect(self) -> None:
        self.sock = _SOCKET(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        self.sock.settimeout(self.timeout)
        self.sock.connect((self.host, self.port))


class Control:
    """Changes a hub that was started with `--control`.

    Every method raises ControlError if the hub refuses. `device` is the id of a device; without it, the first one is
    meant. `can_id` is a device on its CAN bus.
    """

    def __init__(self, url: str | None, device: str = "", token: str | None = None) -> None:
        """`url` is what the hub prints behind `control on`; None for a hub that cannot be changed."""
        #: Where it is: `http://127.0.0.1:40123/`. Open it in a browser to watch the hub.
        self.url = url
        self._device = device
        self._token = token

    def ask(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Sends a request to the API, `ask("GET", "/v1/devices")`, and returns what the JSON of the answer says."""
        said = self._send(method, path, body, query)
        return json.loads(said) if said else None

    def _send(
        self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None
    ) -> bytes:
        if self.url is None:
            raise ControlError(0, "the hub was started with control=False, so it cannot be changed")
        at = urlsplit(self.url)
        given = {key: value for key, value in (query or {}).items() if value is not None}
        target = f"{path}?{urlencode(given)}" if given else path
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        text = None if body is None else json.dumps(body)

        def exchange() -> tuple[int, bytes]:
            connection = _Connection(at.hostname or "", at.port, timeout=_PATIENCE)
            try:
                connection.request(method, target, text, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()

        status, said = aside(exchange)
        if status >= 400:
            raise ControlError(status, _reason(said))
        return said

    def _at(self, device: str | None, rest: str = "") -> str:
        return f"/v1/devices/{quote(device or self._device, safe='')}{rest}"

    def devices(self) -> list[dict[str, Any]]:
        """All devices, each with its id, kind, firmware, whether it is plugged in, and the devices on its CAN bus."""
        return list(self.ask("GET", "/v1/devices"))

    def values(self, *, device: str | None = None, can_id: int | None = None) -> dict[str, Any]:
        """What a device would answer now: `{"bms": {...}, "motor": {...}}`, with the names of readings."""
        told = self.ask("GET", self._at(device), can_id=can_id)
        return dict(told["values"])

    def create(self, device: Mapping[str, Any], faults: list[Switch] | None = None) -> str:
        """Adds a device, in the words of a scenario: `{"express": {"bms": {"cells": 3}}}`. Returns its id."""
        body = {"device": device, "faults": [_written(fault) for fault in faults or ()]}
        return str(self.ask("POST", "/v1/devices", body)["id"])

    def remove(self, device: str) -> None:
        """Takes a device away; its tool is disconnected."""
        self.ask("DELETE", self._at(device))

    def unplug(self, device: str | None = None) -> None:
        """The device loses its link to the hub: its tool is disconnected, and nobody can log in until `plug`."""
        self.ask("POST", self._at(device, "/unplug"))

    def plug(self, device: str | None = None) -> None:
        """The device is back at the hub."""
        self.ask("POST", self._at(device, "/plug"))

    def reboot(self, device: str | None = None) -> None:
        """The device restarts, as after REBOOT."""
        self.ask("POST", self._at(device, "/reboot"))

    def pin(
        self,
        field: str,
        value: float,
        *,
        item: int | None = None,
        device: str | None = None,
        can_id: int | None = None,
    ) -> None:
        """Sets a value from now on, by its name in readings. `item` is the place in a list, counted from 0."""
        self._set(device, field=field, to=float(value), item=item, can_id=can_id)

    def ramp(
        self,
        field: str,
        start: float,
        end: float,
        over: str,
        *,
        item: int | None = None,
        device: str | None = None,
        can_id: int | None = None,
    ) -> None:
        """Moves a value from `start` to `end` within a time such as `"10s"`, from now on; then it stays."""
        course = {"from": float(start), "to": float(end), "over": over}
        self._set(device, field=field, item=item, can_id=can_id, **course)

    def _set(self, device: str | None, **said: object) -> None:
        body = {key: value for key, value in said.items() if value is not None}
        self.ask("POST", self._at(device, "/values"), body)

    def release(
        self,
        field: str | None = None,
        *,
        item: int | None = None,
        device: str | None = None,
        can_id: int | None = None,
    ) -> None:
        """Lets a value go again that was pinned or ramped here; without a field, all of them."""
        path = self._at(device, "/values")
        self.ask("DELETE", path, field=field, item=item, can_id=can_id)

    def kick(self, connection: int) -> None:
        """Closes a connection, by its number in the journal."""
        self.ask("DELETE", f"/v1/sessions/{connection}")

    def stop_listening(self, *, drop: bool = True) -> None:
        """Nobody can connect any more; with `drop`, those that are connected are closed."""
        self.ask("POST", "/v1/hub/stop", {"drop": drop})

    def start_listening(self) -> None:
        """Tools can connect again, at the same port."""
        self.ask("POST", "/v1/hub/start")

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are on, each with its id, its parameters, and how often it harmed the link."""
        return list(self.ask("GET", "/v1/faults"))

    @contextmanager
    def fault(self, fault: Switch, *, device: str | None = None) -> Generator[int]:
        """Harms the link for the length of a `with` block: its name, or a mapping to its parameters. Yields its id.

        Without `device` it harms the links of all devices.
        """
        body = {"fault": _written(fault)} | ({} if device is None else {"device": device})
        number = int(self.ask("POST", "/v1/faults", body)["id"])
        try:
            yield number
        finally:
            self.ask("DELETE", f"/v1/faults/{number}")

    @contextmanager
    def quirk(self, quirk: Switch, *, device: str | None = None) -> Generator[None]:
        """Gives the device an odd behaviour for the length of a `with` block."""
        ((name, parameters),) = _written(quirk).items()
        path = self._at(device, f"/quirks/{quote(name, safe='')}")
        self.ask("PUT", path, parameters)
        try:
            yield
        finally:
            self.ask("DELETE", path)

    def clock(self, *, paused: bool | None = None, scale: float | None = None) -> dict[str, Any]:
        """Stops, restarts or stretches the time of the hub; returns its time, `{"at": 12.5, ...}`."""
        change = {"paused": paused, "scale": scale}
        said = {key: value for key, value in change.items() if value is not None}
        return dict(self.ask("POST", "/v1/clock", said) if said else self.ask("GET", "/v1/clock"))

    def step(self, by: str) -> None:
        """Moves the time of the hub on by a time such as `"250ms"`."""
        self.ask("POST", "/v1/clock", {"step": by})

    def scenario(self) -> str:
        """The scenario, with what was changed so far, to be played again."""
        return self._send("GET", "/v1/scenario.yaml").decode()


def _written(switch: Switch) -> dict[str, Any]:
    return {switch: {}} if isinstance(switch, str) else dict(switch)


def _reason(said: bytes) -> str:
    try:
        told = json.loads(said)
    except ValueError:
        return said.decode(errors="replace")
    if not isinstance(told, dict):
        return str(told)
    lines = [str(told.get("error", told))]
    where = told.get("where")
    if isinstance(where, dict) and where.get("text"):
        lines.append(str(where["text"]))
    if told.get("help"):
        lines.append(f"help: {told['help']}")
    return "\n".join(lines)
