import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { ControlError, Hub } from "veschub";
import { FW_VERSION, Tool } from "./tool.js";

/** @type {Hub} */
let hub;
/** @type {import("veschub").Device} */
let device;
/** @type {Tool[]} */
let tools = [];

// One hub for all tests, and a device for each.
before(async () => (hub = await Hub.start()));
after(() => hub.stop());
beforeEach(async () => {
  device = await hub.create({ express: { bms: { cells: 4, cell_voltage_v: 3.9 } } });
});
afterEach(() => {
  for (const tool of tools.splice(0)) tool.close();
});

async function connect() {
  const tool = await Tool.connect(hub, device);
  tools.push(tool);
  return tool;
}

/** A tool that may ask: a hub throws away what comes together with the login. */
async function attached(count = 1) {
  const tool = await connect();
  await device.waitFor("attached", { count });
  return tool;
}

test("a pinned cell is in the next reply", async () => {
  const tool = await attached();
  const cells = await tool.poll();
  assert.equal(cells.length, 4);
  assert.notEqual(cells[3], 3.1);

  await device.pin("cell_voltages_v", 3.1, { item: 3 });
  assert.equal((await tool.poll())[3], 3.1);
  assert.equal((await device.values()).bms?.cell_voltages_v[3], 3.1);
  const reply = await device.waitForReply("BMS_GET_VALUES", { count: 2 });
  assert.equal(reply.fields?.cell_voltages_v[3], 3.1);

  await device.release("cell_voltages_v", { item: 3 });
  assert.notEqual((await tool.poll())[3], 3.1);
});

test("a fault is seen by the client until it is removed", async () => {
  const tool = await attached();
  const fault = await device.fault({ duplicate: { times: 1 } });
  assert.deepEqual(await tool.poll(), await tool.cells());
  await device.waitFor("fault", { name: "duplicate" });

  await fault.remove();
  await tool.poll();
  // The next frame answers the next request: no copy stands before it.
  tool.ask(FW_VERSION);
  assert.equal((await tool.frame())?.[0], FW_VERSION);
});

test("a device vanishes and returns", async () => {
  const tool = await attached();
  await device.unplug();
  assert.equal(await tool.frame(), undefined, "the hub closes the connection");
  assert.equal(await (await connect()).frame(), undefined, "the hub refuses the login");

  await device.plug();
  assert.equal((await (await attached(2)).poll()).length, 4);
});

test("the hub vanishes and returns on the same port", async () => {
  const tool = await attached();
  await hub.drop();
  assert.equal(await tool.frame(), undefined, "the hub closes the connection");
  const [error] = await once(net.connect(hub.port, hub.host), "error");
  assert.equal(error.code, "ECONNREFUSED");

  await hub.restart();
  assert.equal((await (await attached(2)).poll()).length, 4);
});

test("values, quirks and devices change while the hub runs", async () => {
  await device.ramp("current_a", { from: 0, to: 0, over: "1ms" });
  await device.pin("cell_voltages_v", 4.1);
  assert.deepEqual((await device.values()).bms?.cell_voltages_v, [4.1, 4.1, 4.1, 4.1]);
  await device.release();
  assert.notEqual((await device.values()).bms?.cell_voltages_v[0], 4.1);

  const quirk = await device.quirk("session-reset", { max_gap: "250ms" });
  await quirk.remove();
  await device.reboot();
  const steered = await device.journal({ kind: "steered" });
  assert(steered.length > 5, JSON.stringify(steered));

  const same = await Hub.connect(hub.control);
  assert.deepEqual([same.host, same.port, same.id], [hub.host, hub.port, hub.id]);
});

test("a mistake gets the message of the hub", async () => {
  const wrong = device.pin("cell_voltage_v", 3.1);
  await assert.rejects(wrong, (error) => {
    assert(error instanceof ControlError);
    assert.equal(error.code, "no-such-field");
    assert.match(error.message, /cell_voltages_v/);
    return true;
  });

  await device.remove();
  await assert.rejects(device.remove(), { status: 404, code: "no-such-device" });
});

test("what does not come is told with what came instead", async () => {
  await (await attached()).poll();
  const wrong = device.waitForRequest("FW_VERSION", { within: "1ms" });
  await assert.rejects(wrong, /nearly: > BMS_GET_VALUES/);
});

test("a hub that cannot start says why", async () => {
  await assert.rejects(Hub.start({ scenario: "there-is-none.yaml" }), /there-is-none\.yaml/);
  await assert.rejects(Hub.start({ program: "/nowhere/veschub-sim" }), /VESCHUB_BIN/);
});
