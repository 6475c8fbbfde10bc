/** @import { Answer, Asked, Method, Route } from "./routes.d.ts" */
/** @import { components } from "./schema.d.ts" */

/** The hub refuses a request; the message says what is wrong, and what to do about it. */
export class ControlError extends Error {
  /**
   * @param {number} status the HTTP status
   * @param {components["schemas"]["ErrorBody"] & Partial<components["schemas"]["NotSeen"]>} body the answer
   */
  constructor(status, body) {
    const near = (body.near_misses ?? []).map(({ entry, differs }) => {
      const why = differs.map(({ key, wanted, found }) => `${key} is ${found ?? "absent"}, not ${wanted}`);
      return `  nearly: ${entry.text.trim()} (${why.join("; ")})`;
    });
    super([body.help ? `${body.error}; ${body.help}` : body.error, ...near].join("\n"));
    this.name = "ControlError";
    /** The HTTP status: 400 for a mistake, 404 for what is not there, 408 for what was not seen in time. */
    this.status = status;
    /** What kind of mistake it is, such as `no-such-field`. */
    this.code = body.code ?? undefined;
    /** What to do about it. */
    this.help = body.help ?? undefined;
    /** Where in the body the mistake is. */
    this.where = body.where ?? undefined;
    /** After 408: the entries of the journal that are the most like what was waited for. */
    this.nearMisses = body.near_misses ?? [];
  }
}

/** All routes of the control API, typed by its OpenAPI document. */
export class Api {
  #token;

  /**
   * @param {string} url as in the line `control on http://127.0.0.1:PORT/`
   * @param {string} [token] what `--control-token-file` holds
   */
  constructor(url, token) {
    /** Where it is. */
    this.url = url;
    this.#token = token;
  }

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
  async call(method, route, ...asked) {
    const given = /** @type {{ path?: object, query?: object, body?: unknown }} */ (asked[0] ?? {});
    const path = Object.entries(given.path ?? {}).reduce(
      (path, [key, value]) => path.replace(`{${key}}`, encodeURIComponent(value)),
      /** @type {string} */ (route),
    );
    const url = new URL(path, this.url);
    for (const [key, value] of Object.entries(given.query ?? {})) {
      if (value !== undefined && value !== null) url.searchParams.set(key, String(value));
    }
    const response = await fetch(url, {
      method: method.toUpperCase(),
      headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
      body: given.body === undefined ? undefined : JSON.stringify(given.body),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    /** @type {any} */
    const answer = isJson ? JSON.parse(text) : response.status === 204 ? undefined : text;
    if (!response.ok) throw new ControlError(response.status, isJson ? answer : { error: text });
    return answer;
  }
}
