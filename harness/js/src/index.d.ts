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
    /**
     * Starts a hub on free ports of 127.0.0.1: with the scenario of a file, or with one pack of 20 cells.
     *
     * @param {import("./program.js").Start} [options]
     */
    static start(options?: import("./program.js").Start): Promise<Hub>;
    /**
     * Takes a hub that runs: `Hub.connect("http://127.0.0.1:8080/")`. It does not tell the passwords of its devices.
     *
     * @param {string} url as in the line `control on http://127.0.0.1:PORT/`
     * @param {string} [token] what `--control-token-file` holds
     */
    static connect(url: string, token?: string): Promise<Hub>;
    /**
     * @private Use `start` or `connect`.
     * @param {Api} api
     * @param {string} listening
     * @param {Device} device
     * @param {Program} [program]
     */
    private constructor();
    /** Where tools connect. */
    host: string;
    /** Where tools connect. */
    port: number;
    /** The address of the control API, and of its page. */
    control: string;
    /** The first device. */
    device: Device;
    /** The id of the first device. */
    get id(): string;
    /** The password of the first device. */
    get password(): string;
    /**
     * Creates a device with its faults and quirks, in the words of a scenario: `create({ express: { bms: { cells: 4 } } })`.
     * Without an id it gets a free one, so tests that share a hub do not see each other.
     *
     * @param {DeviceWords} device
     * @param {Harm} [harm]
     */
    create(device: DeviceWords, harm?: Harm): Promise<Device>;
    /** The hub is gone: it closes all connections, and whoever connects is refused, until `restart`. */
    drop(): Promise<void>;
    /** The hub is back, on the same port. */
    restart(): Promise<void>;
    /** Ends the hub, if it was started here. Throws if it has already ended by itself. */
    stop(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    #private;
}
export type Entry = import("./device.js").Entry;
export type DeviceWords = import("./routes.d.ts").DeviceWords;
export type Harm = import("./routes.d.ts").Harm;
import { Api } from "./api.js";
import { ControlError } from "./api.js";
import { Device } from "./device.js";
import { Fault } from "./device.js";
import { Watched } from "./device.js";
export { Api, ControlError, Device, Fault };
