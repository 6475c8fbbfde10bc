"""A stranger for the conformance battery: framing by pyvesc 1.0.5, which knows no BMS.

pyvesc imports PyCRC, which is gone; a few lines give it one. It leaves sockets, logins and timing to its user, and
its class for messages knows only those of motor controllers, so only its frames are judged: `frame` and `unframe`.
"""

import binascii
import json
import os
import socket
import struct
import sys
import time
import types
import warnings

FW_VERSION, PING_CAN, BMS_GET_VALUES = 0, 62, 96


class CRCCCITT:
    def calculate(self, data):
        return binascii.crc_hqx(data, 0)


sys.modules["PyCRC"] = types.ModuleType("PyCRC")
sys.modules["PyCRC.CRCCCITT"] = types.ModuleType("PyCRC.CRCCCITT")
sys.modules["PyCRC.CRCCCITT"].CRCCCITT = CRCCCITT
warnings.simplefilter("ignore", SyntaxWarning)
from pyvesc.packet.codec import frame, unframe  # noqa: E402


class Session:
    def __init__(self):
        env = os.environ
        self.timeout = int(env["VESC_TIMEOUT_MS"]) / 1e3
        self.buffer = b""
        self.hub = socket.create_connection((env["VESC_HOST"], int(env["VESC_PORT"])), 5)
        self.hub.sendall("VESCTOOL:{VESC_ID}:{VESC_PASSWORD}\n".format(**env).encode())
        time.sleep(0.12)

    def drop_old(self):
        """What is left over is no reply to what is asked next."""
        self.hub.setblocking(False)
        try:
            while chunk := self.hub.recv(4096):
                self.buffer += chunk
        except BlockingIOError:
            pass
        self.hub.setblocking(True)
        while True:
            payload, consumed = unframe(self.buffer)
            self.buffer = self.buffer[consumed:]
            if not consumed:
                return

    def ask(self, command, patience):
        self.drop_old()
        self.hub.sendall(frame(bytes([command])))
        until = time.monotonic() + patience
        while True:
            payload, consumed = unframe(self.buffer)
            self.buffer = self.buffer[consumed:]
            if payload:
                if payload[0] == command:
                    return payload
                continue
            if consumed:
                continue
            self.hub.settimeout(max(until - time.monotonic(), 0.001))
            try:
                chunk = self.hub.recv(4096)
            except TimeoutError:
                return None
            if not chunk:
                sys.exit("the hub closed the connection")
            self.buffer += chunk


def tell(command, fields):
    print(json.dumps({"command": command, "fields": fields}), flush=True)


def main():
    task = os.environ["VESC_TASK"]
    if task not in ("poll-bms", "scan-can"):
        sys.exit(77)
    session = Session()
    if task == "scan-can":
        found = session.ask(PING_CAN, session.timeout)
        if found is None:
            sys.exit("no reply")
        tell("PING_CAN", {"can_ids": list(found[1:])})
        return
    session.ask(FW_VERSION, session.timeout)
    start = time.monotonic()
    period = int(os.environ["VESC_PERIOD_MS"]) / 1e3
    for tick in range(int(os.environ["VESC_COUNT"])):
        due = start + tick * period
        if tick and due + period < time.monotonic():
            continue
        time.sleep(max(due - time.monotonic(), 0))
        reply = session.ask(BMS_GET_VALUES, min(session.timeout, 1))
        if reply is not None:
            tell("BMS_GET_VALUES", {"total_voltage_v": struct.unpack_from(">i", reply, 1)[0] / 1e6})


main()
