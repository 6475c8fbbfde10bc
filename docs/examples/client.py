"""A client of VESC devices for veschub-harness, in Python without a package. ../clients.md says what it is told."""

import binascii, json, os, select, socket, struct, sys, time

FW_VERSION, FORWARD_CAN, PING_CAN, GET_CUSTOM_CONFIG, BMS_GET_VALUES = 0, 34, 62, 93, 96
LARGEST = 512  # No device sends a longer payload, so a greater length is not the start of a frame.
env, now, inbox = os.environ, time.monotonic, []
timeout = int(env["VESC_TIMEOUT_MS"]) / 1e3
data = b""

def send(*payload):
    payload = bytes(payload)
    os.write(link, bytes([2, len(payload)]) + payload + struct.pack(">HB", binascii.crc_hqx(payload, 0), 3))

def listen(until):
    """Waits for bytes, at most until then, and puts whole payloads into the inbox; says whether bytes came."""
    global data
    if not select.select([link], [], [], max(until - now(), 0))[0]:
        return False
    try:
        chunk = os.read(link, 4096)
    except OSError:
        chunk = b""
    if not chunk:
        sys.exit("the connection was closed")
    data += chunk
    while data:
        head = data[0] if data[0] in (2, 3) else 0  # The start byte is the length of the header.
        if head and len(data) < head:
            break
        size = int.from_bytes(data[1:head], "big")
        good = head and (1 if head == 2 else 255) <= size <= LARGEST
        if good and len(data) < head + size + 3:
            break
        payload, tail = data[head : head + size], data[head + size : head + size + 3]
        good = good and tail == struct.pack(">HB", binascii.crc_hqx(payload, 0), 3)
        # After anything that is no frame, look again one byte on: a good frame may begin there.
        data = data[head + size + 3 if good else 1 :]
        if good:
            inbox.append(payload)
    return True

def wait(commands, patience):
    """Tells the replies to these commands as they come; returns the last, or None if one does not come in time."""
    until, reply = now() + patience, None
    while commands:
        while inbox:
            payload = inbox.pop(0)
            if payload[0] in commands:
                commands.remove(payload[0])
                reply = payload
                try:
                    tell(reply)
                except struct.error:
                    sys.exit("a reply ends too early")
        if commands and now() >= until:
            return None
        if commands:
            listen(until)
    return reply

def ask(*payload, patience=timeout):
    while listen(0):
        pass
    inbox.clear()  # What came before the request does not answer it.
    send(*payload)
    return wait([payload[2] if payload[0] == FORWARD_CAN else payload[0]], patience)

def tell(reply):
    if reply[0] == PING_CAN:
        print(json.dumps({"command": "PING_CAN", "fields": {"can_ids": list(reply[1:])}}), flush=True)
    elif reply[0] == BMS_GET_VALUES:
        volts, charge, amps, chip, ah, wh, cells = struct.unpack_from(">6ib", reply, 1)
        cells = max(cells, 0)  # Counts are signed bytes, and one below zero stands for none.
        sensors = max(struct.unpack_from(">b", reply, 26 + 3 * cells)[0], 0)
        print(json.dumps({"command": "BMS_GET_VALUES", "fields": {
            "total_voltage_v": volts / 1e6, "charge_voltage_v": charge / 1e6, "current_a": amps / 1e6,
            "cell_voltages_v": [raw / 1e3 for raw in struct.unpack_from(f">{cells}h", reply, 26)],
            "balancing": [flag != 0 for flag in reply[26 + 2 * cells : 26 + 3 * cells]],
            "temperatures_c": [raw / 100 for raw in struct.unpack_from(f">{sensors}h", reply, 27 + 3 * cells)],
        }}), flush=True)

def poll():
    done, start, period = [ask(FW_VERSION)], now(), int(env["VESC_PERIOD_MS"]) / 1e3
    for tick in range(int(env["VESC_COUNT"])):
        due = start + tick * period
        if tick and due + period < now():
            continue  # The reply before came so late that this poll is left out.
        while now() < due:
            listen(due)
        done.append(ask(BMS_GET_VALUES, patience=min(timeout, 1)))
    return done

def read():
    requests = [[FW_VERSION], [GET_CUSTOM_CONFIG, 0], [PING_CAN], [BMS_GET_VALUES]]
    if env["VESC_ASK"] == "one-at-a-time":
        return [ask(*request) for request in requests]
    for request in requests:
        send(*request)
    return [wait([request[0] for request in requests], timeout)]

def scan():
    found = ask(PING_CAN)
    return [found] + [ask(FORWARD_CAN, can_id, FW_VERSION) for can_id in (found or b"")[1:]]

def session():
    """One session, from the connection to its end; says what went wrong, if something did."""
    global link, data
    data, link = b"", None
    inbox.clear()
    try:
        if env["VESC_LINK"] == "pty":
            link = os.open(env["VESC_PTY"], os.O_RDWR | os.O_NOCTTY)
        else:
            link = socket.create_connection((env["VESC_HOST"], env["VESC_PORT"]), 5).detach()
            os.set_blocking(link, True)
        if env["VESC_LINK"] == "hub":
            os.write(link, "VESCTOOL:{VESC_ID}:{VESC_PASSWORD}\n".format(**env).encode())
            pause = now() + 0.12  # The hub throws away what arrives together with the login line.
            while now() < pause:
                listen(pause)
        return "a reply did not come" if None in task() else None
    except (OSError, SystemExit) as error:
        return str(error)
    finally:
        if link is not None:
            os.close(link)

task = {"read-bms": read, "poll-bms": poll, "scan-can": scan}.get(env["VESC_TASK"]) or sys.exit(77)
problem = session()
while "VESC_AGAIN" in env:  # A fuzzer wants many sessions of one client.
    print('{"again": true}', flush=True)
    problem = session()
sys.exit(problem)
