/** @import { Api } from "./api.js" */
/** @import { components, paths } from "./schema.d.ts" */

/** @typedef {{ fields?: Record<string, any>, truth?: Record<string, any> }} Decoded values by their names in readings */
/** @typedef {Omit<components["schemas"]["JournalLine"], keyof Decoded> & Decoded} Entry an entry of the journal */
/** @typedef {NonNullable<paths["/v1/journal/wait"]["get"]["parameters"]["query"]>} Wanted which entries, and how long to wait */
/** @typedef {{ item?: number, can_id?: number }} Of which element of a list, and of which node on the CAN bus */
/** @typedef {components["schemas"]["Fault"]} FaultWords an entry of a scenario's faults: `{ delay: { by: "250ms" } }` */

/**
 * What a whole hub and one of its devices have in common. Words and durations are those of scenarios: `250ms`, `2.6s`.
 */
export class Watched {
  /** All routes, for what has no method here. @readonly @type {Api} */
  api;
  /** @type {string | undefined} */
  #device;

  /**
   * @param {Api} api
   * @param {string} [device] only this device
   */
  constructor(api, device) {
    this.api = api;
    this.#device = device;
  }

  /**
   * Switches a fault on: `fault({ delay: { by: "250ms" } })`. It acts at once, until it is removed.
   *
   * @param {FaultWords} fault
   */
  async fault(fault) {
    const { id } = await this.api.call("post", "/v1/faults", { body: { device: this.#device, fault } });
    return new Fault(this.api, id);
  }

  /**
   * Waits for an entry of the journal, and returns it: `waitFor("attached")`. Entries that are there already count;
   * `after` leaves out those up to a number, the `seq` of an entry. Waits for 5 s unless `within` says otherwise.
   *
   * @param {string} kind as in docs/journal.md
   * @param {Omit<Wanted, "kind">} [wanted]
   * @returns {Promise<Entry>} the last one, if `count` wants several
   * @throws {import("./api.js").ControlError} with the entries that are the most like it, if it does not come in time
   */
  async waitFor(kind, wanted) {
    const query = { device: this.#device, kind, ...wanted };
    const { entries } = await this.api.call("get", "/v1/journal/wait", { query });
    return /** @type {Entry} */ (entries[entries.length - 1]);
  }

  /**
   * Waits for a request that reaches a device.
   *
   * @param {string} command
   * @param {Omit<Wanted, "kind" | "command" | "direction">} [wanted]
   * @returns {Promise<Entry>}
   */
  waitForRequest(command, wanted) {
    return this.waitFor("frame", { command, direction: "to-device", ...wanted });
  }

  /**
   * Waits for a reply. `fields` are the values that it has, `truth` what the device held.
   *
   * @param {string} command
   * @param {Omit<Wanted, "kind" | "command" | "direction">} [wanted]
   * @returns {Promise<Entry>}
   */
  waitForReply(command, wanted) {
    return this.waitFor("frame", { command, direction: "to-tool", ...wanted });
  }

  /**
   * Entries of the journal, in their order.
   *
   * @param {NonNullable<paths["/v1/journal"]["get"]["parameters"]["query"]>} [wanted]
   * @returns {Promise<Entry[]>}
   */
  async journal(wanted) {
    const query = { device: this.#device, ...wanted };
    const { entries } = await this.api.call("get", "/v1/journal", { query });
    return /** @type {Entry[]} */ (entries);
  }
}

/** A fault that is on. `await using fault = await device.fault(...)` removes it at the end of the block. */
export class Fault {
  #api;

  /** @param {Api} api @param {number} id */
  constructor(api, id) {
    this.#api = api;
    /** Its number. */
    this.id = id;
  }

  /** Switches it off; what it holds back comes out. */
  async remove() {
    await this.#api.call("delete", "/v1/faults/{id}", { path: { id: this.id } });
  }

  [Symbol.asyncDispose]() {
    return this.remove();
  }
}

/** A device at the hub. */
export class Device extends Watched {
  /** @param {Api} api @param {string} id @param {string} [password] */
  constructor(api, id, password = "") {
    super(api, id);
    /** What a tool logs in with: `VESCTOOL:ID:PASSWORD`. */
    this.id = id;
    /** Empty if every password is taken, or if nobody has told it. */
    this.password = password;
  }

  get #path() {
    return { path: { id: this.id } };
  }

  /** Pins a value, whatever the device does: `pin("cell_voltages_v", 3.1, { item: 3 })`. Without `item`, all of a list. @param {string} field @param {number} to @param {Of} [of] */
  async pin(field, to, of) {
    await this.api.call("post", "/v1/devices/{id}/values", { ...this.#path, body: { field, to, ...of } });
  }

  /**
   * Lets a value go from one to another: `ramp("current_a", { from: 0, to: 40, over: "20s" })`.
   *
   * @param {string} field
   * @param {{ from: number, to: number, over: string } & Of} ramp
   */
  async ramp(field, ramp) {
    await this.api.call("post", "/v1/devices/{id}/values", { ...this.#path, body: { field, ...ramp } });
  }

  /**
   * Releases what was pinned or ramped here: a field, or all.
   *
   * @param {string} [field]
   * @param {Of} [of]
   */
  async release(field, of) {
    const query = { field, ...of };
    await this.api.call("delete", "/v1/devices/{id}/values", { ...this.#path, query });
  }

  /**
   * What the device would tell now, before any fault: `{ bms: {...}, motor: {...} }`, as far as it has them.
   *
   * @param {{ can_id?: number }} [of]
   * @returns {Promise<{ bms?: Record<string, any>, motor?: Record<string, any> }>}
   */
  async values(of) {
    const query = { can_id: of?.can_id };
    return (await this.api.call("get", "/v1/devices/{id}", { ...this.#path, query })).values;
  }

  /** Unplugs it: the hub closes its tool, and refuses logins as to an unknown device. */
  async unplug() {
    await this.api.call("post", "/v1/devices/{id}/unplug", this.#path);
  }

  /** Plugs it in again. */
  async plug() {
    await this.api.call("post", "/v1/devices/{id}/plug", this.#path);
  }

  /** Restarts it: it is away for a moment, and begins anew. */
  async reboot() {
    await this.api.call("post", "/v1/devices/{id}/reboot", this.#path);
  }

  /** Switches a quirk on: `quirk("session-reset", { after: "2.6s" })`. @param {string} name @param {Record<string, unknown>} [parameters] */
  async quirk(name, parameters = {}) {
    const path = { id: this.id, name };
    const body = /** @type {Record<string, never>} */ (parameters);
    await this.api.call("put", "/v1/devices/{id}/quirks/{name}", { path, body });
    return { remove: () => this.api.call("delete", "/v1/devices/{id}/quirks/{name}", { path }) };
  }

  /** Removes it from the hub, with its faults. */
  async remove() {
    await this.api.call("delete", "/v1/devices/{id}", this.#path);
  }
}
