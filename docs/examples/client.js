// A client of VESC devices for veschub-harness, in Node.js without a package. ../clients.md says what it is told.
"use strict";
const fs = require("node:fs"), net = require("node:net"), tty = require("node:tty");

const FW_VERSION = 0, FORWARD_CAN = 34, PING_CAN = 62, GET_CUSTOM_CONFIG = 93, BMS_GET_VALUES = 96;
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

const tasks = {
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
