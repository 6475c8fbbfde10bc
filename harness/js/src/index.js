import { Api, ControlError } from "./api.js";
import { Device, Fault, Watched } from "./device.js";
import { Program } from "./program.js";

export { Api, ControlError, Device, Fault };

/** @typedef {import("./device.js").Entry} Entry */
/** @typedef {import("./routes.d.ts").DeviceWords} DeviceWords */
/** @typedef {import("./routes.d.ts").Harm} Harm */

/**
 * A hub that is watched and steered over its control API.
 *
 * Its methods are about all devices: `hub.waitFor("attached")` waits for a login to any of them. Those of `hub.device`,
 * or of what `create` gives, are about that device.
 */
export class Hub extends Watched {
  /** @type {Program | undefined} */
  #program;

  /**
   * @private Use `start` or `connect`.
   * @param {Api} api
   * @param {string} listening
   * @param {Device} device
   * @param {Program} [program]
   */
  constructor(api, listening, device, program) {
    super(api);
    const colon = listening.lastIndexOf(":");
    /** Where tools connect. */
    this.host = listening.slice(0, colon);
    /** Where tools connect. */
    this.port = Number(listening.slice(colon + 1));
    /** The address of the control API, and of its page. */
    this.control = api.url;
    /** The first device. */
    this.device = device;
    this.#program = program;
  }

  /** The id of the first device. */
  get id() {
    return this.device.id;
  }

  /** The password of the first device. */
  get password() {
    return this.device.password;
  }

  /**
   * Starts a hub on free ports of 127.0.0.1: with the scenario of a file, or with one pack of 20 cells.
   *
   * @param {import("./program.js").Start} [options]
   */
  static async start(options) {
    const program = new Program(options);
    const { listening, control, devices } = await program.ready();
    const api = new Api(control);
    const first = new Device(api, devices[0]?.id ?? "", devices[0]?.password);
    return new Hub(api, listening, first, program);
  }

  /**
   * Takes a hub that runs: `Hub.connect("http://127.0.0.1:8080/")`. It does not tell the passwords of its devices.
   *
   * @param {string} url as in the line `control on http://127.0.0.1:PORT/`
   * @param {string} [token] what `--control-token-file` holds
   */
  static async connect(url, token) {
    const api = new Api(url, token);
    const { listening } = await api.call("get", "/v1/hub");
    const [first] = await api.call("get", "/v1/devices");
    return new Hub(api, listening, new Device(api, first?.id ?? ""));
  }

  /**
   * Creates a device with its faults and quirks, in the words of a scenario: `create({ express: { bms: { cells: 4 } } })`.
   * Without an id it gets a free one, so tests that share a hub do not see each other.
   *
   * @param {DeviceWords} device
   * @param {Harm} [harm]
   */
  async create(device, harm) {
    /** @type {any} The OpenAPI document wants an id, as a scenario does. */
    const body = { device, ...harm };
    const { id, password } = await this.api.call("post", "/v1/devices", { body });
    return new Device(this.api, id, password);
  }

  /** The hub is gone: it closes all connections, and whoever connects is refused, until `restart`. */
  async drop() {
    await this.api.call("post", "/v1/hub/stop", { body: { drop: true } });
  }

  /** The hub is back, on the same port. */
  async restart() {
    await this.api.call("post", "/v1/hub/start");
  }

  /** Ends the hub, if it was started here. Throws if it has already ended by itself. */
  async stop() {
    await this.#program?.stop();
  }

  [Symbol.asyncDispose]() {
    return this.stop();
  }
}
