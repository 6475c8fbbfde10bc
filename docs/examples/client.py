"""A client of VESC devices for veschub-harness, in Python without a package. ../clients.md says what it is told."""

import binascii, json, os, select, signal, socket, struct, sys, time

FW_VERSION, FORWARD_CAN, PING_CAN, GET_CUSTOM_CONFIG, BMS_GET_VALUES = 0, 34, 62, 93, 96
GET_VALUES, SET_DUTY, SET_CURRENT, SET_RPM, ALIVE, GET_VALUES_SETUP = 4, 5, 6, 8, 30, 47
CUSTOM_APP_DATA, GET_MCCONF, GET_APPCONF = 36, 14, 17
# The fields of a reply in their order, each with its type and what it is divided by. Older firmware sends fewer.
FIELDS = {
    GET_VALUES: """fet_temperature_c:h10 motor_temperature_c:h10 motor_current_a:i100 input_current_a:i100
        id_current_a:i100 iq_current_a:i100 duty:h1000 erpm:i1 input_voltage_v:h10 drawn_ah:i10000 charged_ah:i10000
        drawn_wh:i10000 charged_wh:i10000 tachometer:i1 tachometer_absolute:i1 fault:B1 pid_position_deg:i1000000
        can_id:B1 fet_temperatures_c:3h10 vd_v:i1000 vq_v:i1000 status:B1""",
    GET_VALUES_SETUP: """fet_temperature_c:h10 motor_temperature_c:h10 total_motor_current_a:i100
        total_input_current_a:i100 duty:h1000 erpm:i1 speed_m_s:i1000 input_voltage_v:h10 battery_level:h1000
        total_ah:i10000 total_charged_ah:i10000 total_wh:i10000 total_charged_wh:i10000 distance_m:i1000
        distance_absolute_m:i1000 pid_position_deg:i1000000 fault:B1 can_id:B1 vesc_count:B1 battery_left_wh:i1000
        odometer_m:I1 uptime_ms:I1""",
}
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
    elif reply[0] in FIELDS:
        name = "GET_VALUES" if reply[0] == GET_VALUES else "GET_VALUES_SETUP"
        print(json.dumps({"command": name, "fields": motor_fields(reply)}), flush=True)
    elif reply[0] in (GET_MCCONF, GET_APPCONF):
        name = "GET_MCCONF" if reply[0] == GET_MCCONF else "GET_APPCONF"
        fields = {"signature": struct.unpack_from(">I", reply, 1)[0]}  # The layout of the rest depends on it.
        print(json.dumps({"command": name, "fields": fields}), flush=True)
    elif reply[0] == CUSTOM_APP_DATA:
        print(json.dumps({"command": "CUSTOM_APP_DATA", "fields": {"data": reply[1:].hex()}}), flush=True)

def motor_fields(reply):
    fields, at = {}, 1
    for item in FIELDS[reply[0]].split():
        name, form = item.split(":")
        kind, divisor = form.rstrip("0123456789"), int(form.lstrip("3hiIB"))
        if at + struct.calcsize(">" + kind) > len(reply):
            break
        # A whole number stays one.
        values = [raw if divisor == 1 else raw / divisor for raw in struct.unpack_from(">" + kind, reply, at)]
        at += struct.calcsize(">" + kind)
        fields[name] = values if len(values) > 1 else values[0]
    if (status := fields.pop("status", None)) is not None:
        fields |= {"timeout_active": bool(status & 1), "kill_switch_active": bool(status & 2)}
    return fields

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

def node(*payload):
    """A request to the node that is to be asked, or to the device itself."""
    return (FORWARD_CAN, int(env["VESC_CAN_ID"]), *payload) if "VESC_CAN_ID" in env else payload

def again(*payload):
    """Asks as often as it is told."""
    done, start, period = [], now(), int(env.get("VESC_PERIOD_MS", 0)) / 1e3
    for tick in range(int(env.get("VESC_COUNT", 1))):
        due = start + tick * period
        if tick and due + period < now():
            continue  # The reply before came so late that this poll is left out.
        while now() < due:
            listen(due)
        done.append(ask(*node(*payload), patience=timeout if period == 0 else min(timeout, 1)))
    return done

def read_motor():
    return [ask(*node(FW_VERSION)), *again(GET_VALUES), ask(*node(GET_VALUES_SETUP))]

def drive():
    """Sets what it is told to set, and stops the motor on every way out but a lost link."""
    command, scale = {"current": (SET_CURRENT, 1e3), "duty": (SET_DUTY, 1e5), "erpm": (SET_RPM, 1)}[env["VESC_SET"]]
    setting = bytes([command]) + struct.pack(">i", round(float(env["VESC_VALUE"]) * scale))
    reads, told, heard = env["VESC_TASK"] == "drive", [], 0
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    start, period = now(), int(env["VESC_PERIOD_MS"]) / 1e3
    try:
        for tick in range(int(env["VESC_COUNT"])):
            if told:
                break
            send(*node(*setting) if tick == 0 or env.get("VESC_KEEP") != "alive" else node(ALIVE))
            if reads:
                send(*node(GET_VALUES))
            due = start + (tick + 1) * period
            while now() < due and not told:
                listen(min(due, now() + 0.05))
                for payload in [payload for payload in inbox if payload[0] == GET_VALUES]:
                    tell(payload)
                    heard += 1
                inbox.clear()
    finally:
        # Where the link is lost this fails, and the controller stops the motor by itself.
        send(*node(SET_CURRENT, 0, 0, 0, 0))
    return [None if reads and not heard and not told else True]

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

def read_request():
    return again(*bytes.fromhex(env["VESC_REQUEST"]))

task = {
    "read-bms": read, "poll-bms": poll, "scan-can": scan, "read-motor": read_motor, "drive": drive,
    "keep-alive": drive, "read-config": read_request, "read-app": read_request,
}.get(env["VESC_TASK"]) or sys.exit(77)
problem = session()
while "VESC_AGAIN" in env:  # A fuzzer wants many sessions of one client.
    print('{"again": true}', flush=True)
    problem = session()
sys.exit(problem)
