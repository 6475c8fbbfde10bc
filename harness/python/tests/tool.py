"""A small client: logs in, asks, decodes the start of a BMS reply."""

import binascii
import socket
import struct
from typing import Any, Self

from pytest_veschub import Hub

FW_VERSION, ALIVE, BMS_GET_VALUES = 0, 30, 96
TIMEOUT = 30.0


def frame(*payload: int) -> bytes:
    """A short payload as a frame."""
    data = bytes(payload)
    return bytes([2, len(data)]) + data + struct.pack(">HB", binascii.crc_hqx(data, 0), 3)


def bms(payload: bytes) -> dict[str, Any]:
    """The fields of a BMS reply up to the balancing flags, in volts and amperes."""
    volts, charge, amps, chip, _, _, cells = struct.unpack_from(">6iB", payload, 1)
    return {
        "total_voltage_v": volts / 1e6,
        "charge_voltage_v": charge / 1e6,
        "current_a": amps / 1e6,
        "chip_current_a": chip / 1e6,
        "cell_voltages_v": [raw / 1e3 for raw in struct.unpack_from(f">{cells}h", payload, 26)],
    }


class Tool:
    """A connection that is logged in."""

    def __init__(self, hub: Hub, password: str | None = None) -> None:
        self._socket = socket.create_connection((hub.host, hub.port), timeout=TIMEOUT)
        login = f"VESCTOOL:{hub.id}:{hub.password if password is None else password}\n"
        self._socket.sendall(login.encode())
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def send(self, *payload: int) -> None:
        self._socket.sendall(frame(*payload))

    def receive(self) -> bytes:
        """The payload of the next frame; nothing if the hub closed the connection."""
        start = self._stream.read(1)
        if not start:
            return b""
        length = int.from_bytes(self._stream.read(start[0] - 1))
        payload = self._stream.read(length)
        self._stream.read(3)
        return payload

    def ask(self, *payload: int) -> bytes:
        self.send(*payload)
        return self.receive()


def attached(hub: Hub) -> Tool:
    """A tool that may ask: a hub throws away what comes together with the login."""
    seen = sum(entry.kind == "attached" for entry in hub.entries())
    tool = Tool(hub)
    hub.wait_for("attached", count=seen + 1, timeout=TIMEOUT)
    return tool


class Battery:
    """What an integration is made of: it polls, is unavailable when that fails, and tries again."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._tool: Tool | None = None
        self.available = False
        self.voltage = 0.0
        self.alarm = False

    def update(self) -> None:
        """Asks once, after a login if there is none."""
        try:
            if self._tool is None:
                self._tool = attached(self._hub)
            reply = self._tool.ask(BMS_GET_VALUES)
            if not reply:
                raise ConnectionError("the hub closed the connection")
        except OSError:
            self.close()
            self.available = False
            return
        self.available = True
        reading = bms(reply)
        self.voltage = reading["total_voltage_v"]
        self.alarm = min(reading["cell_voltages_v"]) < 3.0

    def close(self) -> None:
        if self._tool is not None:
            self._tool.__exit__()
        self._tool = None
