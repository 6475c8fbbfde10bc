"""A stranger for the conformance battery: framing and motor messages by pyvesc 1.0.5, which knows no BMS.

pyvesc imports PyCRC, which is gone; a few lines give it one. It leaves links, logins and timing to its user. Its frames
are judged (`frame`, `unframe`), what it sets (`SetCurrent` and so on), and what it reads of a motor (`GetValues`): the
layout of firmware up to 3.00.
"""

import binascii
import json
import os
import select
import signal
import socket
import struct
import sys
import time
import types
import warnings

FW_VERSION, FORWARD_CAN, PING_CAN, BMS_GET_VALUES, GET_VALUES_SETUP = 0, 34, 62, 96, 47


class CRCCCITT:
    def calculate(self, data):
        return binascii.crc_hqx(data, 0)


sys.modules["PyCRC"] = types.ModuleType("PyCRC")
sys.modules["PyCRC.CRCCCITT"] = types.ModuleType("PyCRC.CRCCCITT")
sys.modules["PyCRC.CRCCCITT"].CRCCCITT = CRCCCITT
warnings.simplefilter("ignore", SyntaxWarning)
from pyvesc.messages.base import VESCMessage  # noqa: E402
from pyvesc.messages.getters import GetValues  # noqa: E402
from pyvesc.messages.setters import SetCurrent, SetDutyCycle, SetRPM  # noqa: E402
from pyvesc.packet.codec import frame, unframe  # noqa: E402

env = os.environ


class Session:
    def __init__(self):
        self.timeout = int(env["VESC_TIMEOUT_MS"]) / 1e3
        self.buffer = b""
        if env["VESC_LINK"] == "pty":
            self.link = os.open(env["VESC_PTY"], os.O_RDWR | os.O_NOCTTY)
            return
        self.link = socket.create_connection((env["VESC_HOST"], int(env["VESC_PORT"])), 5).detach()
        os.set_blocking(self.link, True)
        if env["VESC_LINK"] == "hub":
            self.write("VESCTOOL:{VESC_ID}:{VESC_PASSWORD}\n".format(**env).encode())
            time.sleep(0.12)

    def write(self, data):
        try:
            os.write(self.link, data)
        except OSError:
            sys.exit("the connection was closed")

    def send(self, payload):
        """Sends a payload to the node that is to be asked, or to the device itself."""
        if "VESC_CAN_ID" in env:
            payload = bytes([FORWARD_CAN, int(env["VESC_CAN_ID"])]) + payload
        self.write(frame(payload))

    def listen(self, until):
        """Waits for bytes, at most until then; says whether some came."""
        if not select.select([self.link], [], [], max(until - time.monotonic(), 0))[0]:
            return False
        try:
            chunk = os.read(self.link, 4096)
        except OSError:
            chunk = b""
        if not chunk:
            sys.exit("the connection was closed")
        self.buffer += chunk
        return True

    def take(self):
        """The next payload that has come, if there is one."""
        while True:
            payload, consumed = unframe(self.buffer)
            self.buffer = self.buffer[consumed:]
            if payload or not consumed:
                return payload

    def ask(self, payload, patience):
        # What is left over is no reply to what is asked next.
        while self.listen(0):
            pass
        while self.take():
            pass
        self.send(payload)
        until = time.monotonic() + patience
        while True:
            reply = self.take()
            if reply and reply[0] == payload[0]:
                return reply
            if not reply and not self.listen(until) and time.monotonic() >= until:
                return None


def tell(command, fields):
    print(json.dumps({"command": command, "fields": fields}), flush=True)


def tell_values(payload):
    values = VESCMessage.unpack(payload)
    tell(
        "GET_VALUES",
        {
            "motor_current_a": values.current_motor,
            "input_current_a": values.current_in,
            "duty": values.duty_now,
            "erpm": values.rpm,
            "input_voltage_v": values.v_in,
            "drawn_ah": values.amp_hours,
            "charged_ah": values.amp_hours_charged,
            "drawn_wh": values.watt_hours,
            "charged_wh": values.watt_hours_charged,
            "tachometer": values.tachometer,
            "tachometer_absolute": values.tachometer_abs,
            "fault": values.mc_fault_code[0],
        },
    )


def ticks():
    start, period = time.monotonic(), int(env.get("VESC_PERIOD_MS", 0)) / 1e3
    for tick in range(int(env.get("VESC_COUNT", 1))):
        yield start + tick * period, start + (tick + 1) * period


def poll(session, payload, tell_reply):
    """Asks again and again; says whether every reply came."""
    done = True
    for due, end in ticks():
        if end < time.monotonic() and end > due:
            continue
        time.sleep(max(due - time.monotonic(), 0))
        reply = session.ask(payload, min(session.timeout, 1))
        if reply is not None:
            tell_reply(reply)
        done = done and reply is not None
    return done


def poll_bms(session):
    session.ask(bytes([FW_VERSION]), session.timeout)
    volts = lambda reply: struct.unpack_from(">i", reply, 1)[0] / 1e6  # noqa: E731
    poll(session, bytes([BMS_GET_VALUES]), lambda reply: tell("BMS_GET_VALUES", {"total_voltage_v": volts(reply)}))
    return True


def scan_can(session):
    found = session.ask(bytes([PING_CAN]), session.timeout)
    if found is not None:
        tell("PING_CAN", {"can_ids": list(found[1:])})
    return found is not None


def read_motor(session):
    done = session.ask(bytes([FW_VERSION]), session.timeout) is not None
    request = VESCMessage.pack(GetValues, header_only=True)
    return poll(session, request, tell_values) and done


def drive(session):
    value = float(env["VESC_VALUE"])
    setting = {
        "current": lambda value: SetCurrent(round(value * 1e3)),
        "duty": lambda value: SetDutyCycle(round(value * 1e5)),
        "erpm": lambda value: SetRPM(round(value)),
    }[env["VESC_SET"]]
    told, heard = [], 0
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    reads = env["VESC_TASK"] == "drive"
    try:
        for _, end in ticks():
            if told:
                break
            # pyvesc knows no ALIVE; what sets again keeps the motor running as well.
            session.send(VESCMessage.pack(setting(value)))
            if reads:
                session.send(VESCMessage.pack(GetValues, header_only=True))
            while time.monotonic() < end and not told:
                session.listen(min(end, time.monotonic() + 0.05))
                while payload := session.take():
                    if payload[0] == GetValues.id:
                        tell_values(payload)
                        heard += 1
    finally:
        session.send(VESCMessage.pack(SetCurrent(0)))
    return heard > 0 or not reads or bool(told)


def main():
    tasks = {"poll-bms": poll_bms, "scan-can": scan_can, "read-motor": read_motor, "drive": drive, "keep-alive": drive}
    task = tasks.get(env["VESC_TASK"]) or sys.exit(77)
    if not task(Session()):
        sys.exit("no reply")


main()
