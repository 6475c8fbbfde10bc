/** @import { Answer, Asked, Method, Route } from "./routes.d.ts" */
/** @import { components } from "./schema.d.ts" */
/** The hub refuses a request; the message says what is wrong, and what to do about it. */
export class ControlError extends Error {
    /**
     * @param {number} status the HTTP status
     * @param {components["schemas"]["ErrorBody"] & Partial<components["schemas"]["NotSeen"]>} body the answer
     */
    constructor(status: number, body: components["schemas"]["ErrorBody"] & Partial<components["schemas"]["NotSeen"]>);
    /** The HTTP status: 400 for a mistake, 404 for what is not there, 408 for what was not seen in time. */
    status: number;
    /** What kind of mistake it is, such as `no-such-field`. */
    code: string | undefined;
    /** What to do about it. */
    help: string | undefined;
    /** Where in the body the mistake is. */
    where: {
        column: number;
        line: number;
        text: string;
    } | undefined;
    /** After 408: the entries of the journal that are the most like what was waited for. */
    nearMisses: {
        differs: components["schemas"]["Differs"][];
        entry: components["schemas"]["JournalLine"];
    }[];
}
/** All routes of the control API, typed by its OpenAPI document. */
export class Api {
    /**
     * @param {string} url as in the line `control on http://127.0.0.1:PORT/`
     * @param {string} [token] what `--control-token-file` holds
     */
    constructor(url: string, token?: string);
    /** Where it is. */
    url: string;
    /**
     * Calls a route: `api.call("get", "/v1/devices/{id}", { path: { id: "demo-0001" } })`.
     *
     * @template {Method} M
     * @template {Route<M>} P
     * @param {M} method
     * @param {P} route
     * @param {Asked<M, P>} asked its parameters and its body
     * @returns {Promise<Answer<M, P>>}
     * @throws {ControlError} if the hub refuses it
     */
    call<M extends Method, P extends Route<M>>(method: M, route: P, ...asked: Asked<M, P>): Promise<Answer<M, P>>;
    #private;
}
import type { components } from "./schema.d.ts";
import type { Method } from "./routes.d.ts";
import type { Route } from "./routes.d.ts";
import type { Asked } from "./routes.d.ts";
import type { Answer } from "./routes.d.ts";
