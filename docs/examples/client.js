// A client of VESC devices for veschub-harness, in Node.js without a package. ../clients.md says what it is told.
"use strict";
const fs = require("node:fs"), net = require("node:net"), tty = require("node:tty");

const FW_VERSION = 0, FORWARD_CAN = 34, PING_CAN = 62, GET_CUSTOM_CONFIG = 93, BMS_GET_VALUES = 96;
const GET_VALUES = 4, SET_DUTY = 5, SET_CURRENT = 6, SET_RPM = 8, ALIVE = 30, GET_VALUES_SETUP = 47;
const GET_MCCONF = 14, GET_APPCONF = 17, CUSTOM_APP_DATA = 36;
// The fields of a reply in their order, each with its type and what it is divided by. Older firmware sends fewer.
const FIELDS = {
  [GET_VALUES]: `fet_temperature_c:h10 motor_temperature_c:h10 motor_current_a:i100 input_current_a:i100 id_current_a:i100
    iq_current_a:i100 duty:h1000 erpm:i1 input_voltage_v:h10 drawn_ah:i10000 charged_ah:i10000 drawn_wh:i10000
    charged_wh:i10000 tachometer:i1 tachometer_absolute:i1 fault:B1 pid_position_deg:i1000000 can_id:B1
    fet_temperatures_c:3h10 vd_v:i1000 vq_v:i1000 status:B1`,
  [GET_VALUES_SETUP]: `fet_temperature_c:h10 motor_temperature_c:h10 total_motor_current_a:i100 total_input_current_a:i100
    duty:h1000 erpm:i1 speed_m_s:i1000 input_voltage_v:h10 battery_level:h1000 total_ah:i10000 total_charged_ah:i10000
    total_wh:i10000 total_charged_wh:i10000 distance_m:i1000 distance_absolute_m:i1000 pid_position_deg:i1000000 fault:B1
    can_id:B1 vesc_count:B1 battery_left_wh:i1000 odometer_m:I1 uptime_ms:I1`,
};
const LARGEST = 512; // No device sends a longer payload, so a greater length is not the start of a frame.
const env = process.env, timeout = Number(env.VESC_TIMEOUT_MS), now = () => performance.now();
const inbox = [];
let data = Buffer.alloc(0), wake = () => {}, write;

const end = (code, why) => { if (why) console.error(why); process.exit(code); };
const tail = (payload) => {
  let crc = 0;
  for (const byte of payload) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return Buffer.from([crc >> 8, crc & 0xff, 3]);
};
const send = (...payload) => write(Buffer.concat([Buffer.from([2, payload.length, ...payload]), tail(payload)]));

function received(chunk) {
  data = Buffer.concat([data, chunk]);
  while (data.length > 0) {
    const head = data[0] === 2 || data[0] === 3 ? data[0] : 0; // The start byte is the length of the header.
    if (head && data.length < head) break;
    const size = head ? data.readUIntBE(1, head - 1) : 0;
    let good = head && size >= (head === 2 ? 1 : 255) && size <= LARGEST;
    if (good && data.length < head + size + 3) break;
    const payload = data.subarray(head, head + size);
    good = good && tail(payload).equals(data.subarray(head + size, head + size + 3));
    // After anything that is no frame, look again one byte on: a good frame may begin there.
    data = data.subarray(good ? head + size + 3 : 1);
    if (good) inbox.push(payload);
  }
  wake();
}

// Waits until something comes, at most until then.
const listen = (until) => new Promise((resolve) => {
  const timer = setTimeout(resolve, Math.max(until - now(), 0));
  wake = () => { clearTimeout(timer); resolve(); };
});

// Tells the replies to these commands as they come; the last of them, or null if one does not come in time.
async function wait(commands, patience) {
  const until = now() + patience;
  for (let reply = null; ;) {
    while (inbox.length > 0) {
      const payload = inbox.shift(), index = commands.indexOf(payload[0]);
      if (index < 0) continue;
      commands.splice(index, 1);
      tell(reply = payload);
    }
    if (commands.length === 0) return reply;
    if (now() >= until) return null;
    await listen(until);
  }
}

async function ask(payload, patience = timeout) {
  await new Promise(setImmediate);
  inbox.length = 0; // What came before the request does not answer it.
  send(...payload);
  return wait([payload[0] === FORWARD_CAN ? payload[2] : payload[0]], patience);
}

function tell(reply) {
  const say = (command, fields) => fs.writeSync(1, JSON.stringify({ command, fields }) + "\n");
  if (reply[0] === PING_CAN) say("PING_CAN", { can_ids: [...reply.subarray(1)] });
  if (reply[0] === GET_VALUES) say("GET_VALUES", motorFields(reply));
  if (reply[0] === GET_VALUES_SETUP) say("GET_VALUES_SETUP", motorFields(reply));
  // The layout of the rest depends on the signature.
  if (reply[0] === GET_MCCONF) say("GET_MCCONF", { signature: reply.readUInt32BE(1) });
  if (reply[0] === GET_APPCONF) say("GET_APPCONF", { signature: reply.readUInt32BE(1) });
  if (reply[0] === CUSTOM_APP_DATA) say("CUSTOM_APP_DATA", { data: reply.subarray(1).toString("hex") });
  if (reply[0] !== BMS_GET_VALUES) return;
  // Counts are signed bytes, and one below zero stands for none.
  const cells = Math.max(reply.readInt8(25), 0), sensors = Math.max(reply.readInt8(26 + 3 * cells), 0);
  const numbers = (count, at, scale) => Array.from({ length: count }, (_, i) => reply.readInt16BE(at + 2 * i) / scale);
  say("BMS_GET_VALUES", {
    total_voltage_v: reply.readInt32BE(1) / 1e6, charge_voltage_v: reply.readInt32BE(5) / 1e6,
    current_a: reply.readInt32BE(9) / 1e6, cell_voltages_v: numbers(cells, 26, 1e3),
    balancing: [...reply.subarray(26 + 2 * cells, 26 + 3 * cells)].map((flag) => flag !== 0),
    temperatures_c: numbers(sensors, 27 + 3 * cells, 100),
  });
}

function motorFields(reply) {
  const fields = {}, read = { h: "readInt16BE", i: "readInt32BE", I: "readUInt32BE", B: "readUInt8" };
  const size = { h: 2, i: 4, I: 4, B: 1 };
  let at = 1;
  for (const item of FIELDS[reply[0]].split(/\s+/)) {
    const [, name, count, kind, divisor] = item.match(/^(.*):(3?)([hiIB])(\d+)$/);
    const times = Number(count || 1);
    if (at + times * size[kind] > reply.length) break;
    const values = Array.from({ length: times }, (_, i) => reply[read[kind]](at + i * size[kind]) / Number(divisor));
    at += times * size[kind];
    fields[name] = count ? values : values[0];
  }
  if ("status" in fields) {
    fields.timeout_active = (fields.status & 1) !== 0;
    fields.kill_switch_active = (fields.status & 2) !== 0;
    delete fields.status;
  }
  return fields;
}

// A request to the node that is to be asked, or to the device itself.
const node = (...payload) => (env.VESC_CAN_ID ? [FORWARD_CAN, Number(env.VESC_CAN_ID), ...payload] : payload);

// Asks as often as it is told.
async function again(...payload) {
  const done = [], start = now(), period = Number(env.VESC_PERIOD_MS ?? 0);
  for (let tick = 0; tick < Number(env.VESC_COUNT ?? 1); tick++) {
    const due = start + tick * period;
    if (tick > 0 && due + period < now()) continue; // The reply before came so late that this poll is left out.
    while (now() < due) await listen(due);
    done.push(await ask(node(...payload), period === 0 ? timeout : Math.min(timeout, 1000)));
  }
  return done;
}

// Sets what it is told to set, and stops the motor on every way out but a lost link.
async function drive() {
  const [command, scale] = { current: [SET_CURRENT, 1e3], duty: [SET_DUTY, 1e5], erpm: [SET_RPM, 1] }[env.VESC_SET];
  const number = Buffer.alloc(4);
  number.writeInt32BE(Math.round(Number(env.VESC_VALUE) * scale));
  const reads = env.VESC_TASK === "drive", stop = () => send(...node(SET_CURRENT, 0, 0, 0, 0));
  let told = false;
  process.on("SIGTERM", () => { told = true; wake(); });
  const start = now(), period = Number(env.VESC_PERIOD_MS);
  let heard = 0;
  for (let tick = 0; tick < Number(env.VESC_COUNT) && !told; tick++) {
    send(...(tick === 0 || env.VESC_KEEP !== "alive" ? node(command, ...number) : node(ALIVE)));
    if (reads) send(...node(GET_VALUES));
    for (const due = start + (tick + 1) * period; now() < due && !told;) {
      await listen(due);
      for (const payload of inbox.splice(0).filter((one) => one[0] === GET_VALUES)) tell(payload), heard++;
    }
  }
  stop();
  await listen(now() + 20); // What was written must leave before the process ends.
  return [reads && heard === 0 && !told ? null : true];
}

const tasks = {
  drive,
  "keep-alive": drive,
  "read-config": () => again(...Buffer.from(env.VESC_REQUEST, "hex")),
  "read-app": () => again(...Buffer.from(env.VESC_REQUEST, "hex")),
  async "read-motor"() {
    return [await ask(node(FW_VERSION)), ...(await again(GET_VALUES)), await ask(node(GET_VALUES_SETUP))];
  },
  async "poll-bms"() {
    const done = [await ask([FW_VERSION])], start = now(), period = Number(env.VESC_PERIOD_MS);
    for (let tick = 0; tick < Number(env.VESC_COUNT); tick++) {
      const due = start + tick * period;
      if (tick > 0 && due + period < now()) continue; // The reply before came so late that this poll is left out.
      while (now() < due) await listen(due);
      done.push(await ask([BMS_GET_VALUES], Math.min(timeout, 1000)));
    }
    return done;
  },
  async "read-bms"() {
    const requests = [[FW_VERSION], [GET_CUSTOM_CONFIG, 0], [PING_CAN], [BMS_GET_VALUES]], done = [];
    if (env.VESC_ASK === "one-at-a-time") {
      for (const request of requests) done.push(await ask(request));
      return done;
    }
    for (const request of requests) send(...request);
    return [await wait(requests.map((request) => request[0]), timeout)];
  },
  async "scan-can"() {
    const done = [await ask([PING_CAN])];
    for (const id of (done[0] ?? []).subarray?.(1) ?? []) done.push(await ask([FORWARD_CAN, id, FW_VERSION]));
    return done;
  },
};

async function main() {
  if (!tasks[env.VESC_TASK]) end(77);
  let link;
  if (env.VESC_LINK === "pty") {
    const terminal = fs.openSync(env.VESC_PTY, fs.constants.O_RDWR | fs.constants.O_NOCTTY);
    link = new tty.ReadStream(terminal);
    write = (bytes) => fs.writeSync(terminal, bytes);
  } else {
    link = net.connect({ host: env.VESC_HOST, port: Number(env.VESC_PORT), noDelay: true });
    write = (bytes) => link.write(bytes);
  }
  link.on("data", received).on("error", () => {}).on("close", () => end(1, "the connection was closed"));
  if (env.VESC_LINK === "hub") {
    write(`VESCTOOL:${env.VESC_ID}:${env.VESC_PASSWORD}\n`);
    const pause = now() + 150; // The hub throws away what arrives together with the login line.
    while (now() < pause) await listen(pause);
  }
  const done = await tasks[env.VESC_TASK]();
  if (done.includes(null)) end(1, "a reply did not come");
  end(0);
}
main();
