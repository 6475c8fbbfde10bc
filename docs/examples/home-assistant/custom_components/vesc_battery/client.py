"""Asks a battery for its values, through a VESCHub."""

import asyncio
import binascii
import struct
from dataclasses import dataclass

BMS_GET_VALUES = 96
TIMEOUT = 2
# The hub throws away what comes together with the login, and says nothing when it lets a tool in.
AFTER_LOGIN = 0.05


@dataclass
class Reading:
    """What a battery says of itself, in volts."""

    total_voltage: float
    cell_voltages: list[float]


class Client:
    """A connection, which is opened when it is needed and closed after a mistake."""

    def __init__(self, host: str, port: int, device: str, password: str) -> None:
        self._address = (host, port)
        self._login = f"VESCTOOL:{device}:{password}\n".encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def read(self) -> Reading:
        """Asks once; an error of the connection closes it, so that the next call logs in again."""
        try:
            async with asyncio.timeout(TIMEOUT):
                return decode(await self._ask(BMS_GET_VALUES))
        except (OSError, EOFError, TimeoutError):
            self.close()
            raise

    async def _ask(self, command: int) -> bytes:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
            self._streams[1].write(self._login)
            await asyncio.sleep(AFTER_LOGIN)
        reader, writer = self._streams
        request = bytes([command])
        writer.write(b"\x02\x01" + request + checksum(request) + b"\x03")
        while True:
            payload = await next_payload(reader)
            if payload[0] == command:
                return payload

    def close(self) -> None:
        """Ends the connection; the next reading opens another."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


def checksum(payload: bytes) -> bytes:
    return struct.pack(">H", binascii.crc_hqx(payload, 0))


async def next_payload(reader: asyncio.StreamReader) -> bytes:
    """The next whole frame; what is none is passed over byte by byte."""
    data = b""
    while True:
        data += await reader.read(1)
        if reader.at_eof():
            raise EOFError("the hub closed the connection")
        while data:
            head = data[0]  # The start byte is the length of the header.
            if head in (2, 3) and len(data) < head:
                break
            size = int.from_bytes(data[1:head], "big") if head in (2, 3) else 0
            if 0 < size <= 512 and len(data) < head + size + 3:
                break
            payload, tail = data[head : head + size], data[head + size : head + size + 3]
            if 0 < size <= 512 and tail == checksum(payload) + b"\x03":
                return payload
            data = data[1:]


def decode(payload: bytes) -> Reading:
    (millionths,) = struct.unpack_from(">i", payload, 1)
    cells = max(0, struct.unpack_from(">b", payload, 25)[0])
    raw = struct.unpack_from(f">{cells}h", payload, 26)
    return Reading(millionths / 1e6, [one / 1e3 for one in raw])
