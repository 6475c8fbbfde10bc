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
    /**
     * @param {Api} api
     * @param {string} [device] only this device
     */
    constructor(api: Api, device?: string);
    /** All routes, for what has no method here. @readonly @type {Api} */
    readonly api: Api;
    /**
     * Switches a fault on: `fault({ delay: { by: "250ms" } })`. It acts at once, until it is removed.
     *
     * @param {FaultWords} fault
     */
    fault(fault: FaultWords): Promise<Fault>;
    /**
     * Waits for an entry of the journal, and returns it: `waitFor("attached")`. Entries that are there already count;
     * `after` leaves out those up to a number, the `seq` of an entry. Waits for 5 s unless `within` says otherwise.
     *
     * @param {string} kind as in docs/journal.md
     * @param {Omit<Wanted, "kind">} [wanted]
     * @returns {Promise<Entry>} the last one, if `count` wants several
     * @throws {import("./api.js").ControlError} with the entries that are the most like it, if it does not come in time
     */
    waitFor(kind: string, wanted?: Omit<Wanted, "kind">): Promise<Entry>;
    /**
     * Waits for a request that reaches a device.
     *
     * @param {string} command
     * @param {Omit<Wanted, "kind" | "command" | "direction">} [wanted]
     * @returns {Promise<Entry>}
     */
    waitForRequest(command: string, wanted?: Omit<Wanted, "kind" | "command" | "direction">): Promise<Entry>;
    /**
     * Waits for a reply. `fields` are the values that it has, `truth` what the device held.
     *
     * @param {string} command
     * @param {Omit<Wanted, "kind" | "command" | "direction">} [wanted]
     * @returns {Promise<Entry>}
     */
    waitForReply(command: string, wanted?: Omit<Wanted, "kind" | "command" | "direction">): Promise<Entry>;
    /**
     * Entries of the journal, in their order.
     *
     * @param {NonNullable<paths["/v1/journal"]["get"]["parameters"]["query"]>} [wanted]
     * @returns {Promise<Entry[]>}
     */
    journal(wanted?: NonNullable<paths["/v1/journal"]["get"]["parameters"]["query"]>): Promise<Entry[]>;
    #private;
}
/** A fault that is on. `await using fault = await device.fault(...)` removes it at the end of the block. */
export class Fault {
    /** @param {Api} api @param {number} id */
    constructor(api: Api, id: number);
    /** Its number. */
    id: number;
    /** Switches it off; what it holds back comes out. */
    remove(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    #private;
}
/** A device at the hub. */
export class Device extends Watched {
    /** @param {Api} api @param {string} id @param {string} [password] */
    constructor(api: Api, id: string, password?: string);
    /** What a tool logs in with: `VESCTOOL:ID:PASSWORD`. */
    id: string;
    /** Empty if every password is taken, or if nobody has told it. */
    password: string;
    /** Pins a value, whatever the device does: `pin("cell_voltages_v", 3.1, { item: 3 })`. Without `item`, all of a list. @param {string} field @param {number} to @param {Of} [of] */
    pin(field: string, to: number, of?: Of): Promise<void>;
    /**
     * Lets a value go from one to another: `ramp("current_a", { from: 0, to: 40, over: "20s" })`.
     *
     * @param {string} field
     * @param {{ from: number, to: number, over: string } & Of} ramp
     */
    ramp(field: string, ramp: {
        from: number;
        to: number;
        over: string;
    } & Of): Promise<void>;
    /**
     * Releases what was pinned or ramped here: a field, or all.
     *
     * @param {string} [field]
     * @param {Of} [of]
     */
    release(field?: string, of?: Of): Promise<void>;
    /**
     * What the device would tell now, before any fault: `{ bms: {...}, motor: {...} }`, as far as it has them.
     *
     * @param {{ can_id?: number }} [of]
     * @returns {Promise<{ bms?: Record<string, any>, motor?: Record<string, any> }>}
     */
    values(of?: {
        can_id?: number;
    }): Promise<{
        bms?: Record<string, any>;
        motor?: Record<string, any>;
    }>;
    /** Unplugs it: the hub closes its tool, and refuses logins as to an unknown device. */
    unplug(): Promise<void>;
    /** Plugs it in again. */
    plug(): Promise<void>;
    /** Restarts it: it is away for a moment, and begins anew. */
    reboot(): Promise<void>;
    /** Switches a quirk on: `quirk("session-reset", { after: "2.6s" })`. @param {string} name @param {Record<string, unknown>} [parameters] */
    quirk(name: string, parameters?: Record<string, unknown>): Promise<{
        remove: () => Promise<undefined>;
    }>;
    /** Removes it from the hub, with its faults. */
    remove(): Promise<void>;
    #private;
}
/**
 * values by their names in readings
 */
export type Decoded = {
    fields?: Record<string, any>;
    truth?: Record<string, any>;
};
/**
 * an entry of the journal
 */
export type Entry = Omit<components["schemas"]["JournalLine"], keyof Decoded> & Decoded;
/**
 * which entries, and how long to wait
 */
export type Wanted = NonNullable<paths["/v1/journal/wait"]["get"]["parameters"]["query"]>;
/**
 * which element of a list, and of which node on the CAN bus
 */
export type Of = {
    item?: number;
    can_id?: number;
};
/**
 * an entry of a scenario's faults: `{ delay: { by: "250ms" } }`
 */
export type FaultWords = components["schemas"]["Fault"];
import type { Api } from "./api.js";
import type { paths } from "./schema.d.ts";
import type { components } from "./schema.d.ts";
