"""Drives a motor with 5 A for three seconds, shows what it does, and stops it. Where: VESC_HOST and VESC_PORT.

Try it: veschub-sim serve --demo-motor --direct, and in another terminal python3 drive.py
"""
import binascii, json, os, signal, socket, struct, sys, time

GET_VALUES, SET_CURRENT = 4, 6
host, port = os.environ.get("VESC_HOST", "127.0.0.1"), int(os.environ.get("VESC_PORT", 65102))
amps, seconds = float(os.environ.get("VESC_VALUE", 5)), float(os.environ.get("VESC_SECONDS", 3))

def send(command, arguments=b""):
    payload = bytes([command]) + arguments
    crc = binascii.crc_hqx(payload, 0)
    motor.sendall(bytes([2, len(payload)]) + payload + struct.pack(">HB", crc, 3))

def set_current(amps):
    send(SET_CURRENT, struct.pack(">i", round(amps * 1000)))  # Milliamperes.

def receive():
    """The next payload. The controller's own TCP server sends nothing but whole frames."""
    head = stream.read(2)
    payload, tail = stream.read(head[1]), stream.read(3)
    if head[0] != 2 or tail != struct.pack(">HB", binascii.crc_hqx(payload, 0), 3):
        sys.exit("that is no frame")
    return payload

motor = socket.create_connection((host, port), 5)
stream = motor.makefile("rb")
signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
try:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        set_current(amps)  # Again and again: without it, the controller stops the motor after a second.
        send(GET_VALUES)
        reply = receive()
        current, duty, erpm, voltage = struct.unpack_from(">i12xhih", reply, 5)
        values = {"motor_current_a": current / 100, "duty": duty / 1000, "erpm": erpm, "input_voltage_v": voltage / 10}
        print(json.dumps({"command": "GET_VALUES", "fields": values}), flush=True)
        time.sleep(0.1)
finally:
    set_current(0)  # On every way out.
