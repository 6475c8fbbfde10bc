"""A stranger for the conformance battery: the serial link of pybldc 1.1.0, over a pseudo-terminal.

pybldc uploads firmware. It reads frames in a thread and puts their payloads into a queue; the values in them are this
driver's, so only its frames are judged.
"""

import json
import logging
import os
import queue
import struct
import sys
import time

from pybldc import PyBldcSerial

FW_VERSION, PING_CAN, BMS_GET_VALUES = 0, 62, 96


def tell(command, fields):
    print(json.dumps({"command": command, "fields": fields}), flush=True)


class Session:
    def __init__(self):
        self.timeout = int(os.environ["VESC_TIMEOUT_MS"]) / 1e3
        self.link = PyBldcSerial(logger=logging.getLogger("pybldc"), port=os.environ["VESC_PTY"])

    def ask(self, command, patience):
        replies = self.link._packet_queue
        # What is left over is no reply to what is asked next.
        while not replies.empty():
            replies.get_nowait()
        until = time.monotonic() + patience
        # It waits for the reply itself, but tells only whether one came; a time of 0 sends and does not wait.
        self.link._send_implementation([command], [], timeout=0)
        while True:
            try:
                payload = replies.get(timeout=max(until - time.monotonic(), 0.001))
            except queue.Empty:
                return None
            if payload[0] == command:
                return bytes(payload)


def run(session, task):
    if task == "scan-can":
        found = session.ask(PING_CAN, session.timeout)
        if found is None:
            return False
        tell("PING_CAN", {"can_ids": list(found[1:])})
        return True
    done = session.ask(FW_VERSION, session.timeout) is not None
    start = time.monotonic()
    period = int(os.environ["VESC_PERIOD_MS"]) / 1e3
    for tick in range(int(os.environ["VESC_COUNT"])):
        due = start + tick * period
        if tick and due + period < time.monotonic():
            continue
        time.sleep(max(due - time.monotonic(), 0))
        reply = session.ask(BMS_GET_VALUES, min(session.timeout, 1))
        done = done and reply is not None
        if reply is not None:
            tell("BMS_GET_VALUES", {"total_voltage_v": struct.unpack_from(">i", reply, 1)[0] / 1e6})
    return done


def main():
    task = os.environ["VESC_TASK"]
    if task not in ("poll-bms", "scan-can") or os.environ["VESC_LINK"] != "pty":
        sys.exit(77)
    logging.disable(logging.CRITICAL)
    session = Session()
    try:
        done = run(session, task)
    finally:
        session.link.shutdown()
    sys.exit(0 if done else "a reply did not come")


main()
