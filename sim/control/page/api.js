// What the server is asked, and what it tells: requests, events, and whether it is there.

import { byId, note, say } from "./dom.js";

/** Listeners: `state` is given what changed, `journal` an entry, `link` whether the server is there, `reset` nothing. */
const listeners = { state: [], journal: [], lost: [], link: [], reset: [] };
export const on = (what, listener) => listeners[what].push(listener);
const tell = (what, ...values) => listeners[what].forEach((listener) => listener(...values));

/** How many entries from before the page was opened are shown. */
const EARLIER = 2000;
let source = null;
let run = null;
let last = 0;
let asking = null;
let later = 0;

/** A mistake that the server names, with its help. */
export class Refused extends Error {
  constructor(status, body) {
    const place = body.where ? ` (at ${body.where.text})` : "";
    super(body.help ? `${body.error}${place}: ${body.help}` : `${body.error}${place}`);
    this.status = status;
  }
}

/** Asks the server; the answer as JSON, or nothing if it has no body. */
export async function ask(method, path, body) {
  const init = { method, headers: {} };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["content-type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Refused(0, { error: "the server does not answer" });
  }
  if (answer.status === 401) {
    await askToken();
    return ask(method, path, body);
  }
  if (!answer.ok) {
    const text = await answer.text();
    let told = { error: `${answer.status} ${answer.statusText}` };
    try {
      told = JSON.parse(text);
    } catch {
      // Not a mistake in the words of this server.
    }
    throw new Refused(answer.status, told);
  }
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
}

export const get = (path) => ask("GET", path);

/** Asks, and shows a mistake as a note; whether it was done. */
export async function act(method, path, body, done) {
  try {
    const answer = await ask(method, path, body);
    if (done) note(typeof done === "function" ? done(answer) : done);
    return answer ?? true;
  } catch (error) {
    note(error.message, "bad");
    return false;
  }
}

/** The path of a device. */
export const ofDevice = (id, rest = "") => `/v1/devices/${encodeURIComponent(id)}${rest}`;

/** Asks for the token once, however many requests need it. The server turns it into a cookie that scripts cannot read. */
function askToken() {
  asking ??= new Promise((resolve) => {
    const dialog = byId("token");
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      const token = byId("token-text").value.trim();
      await fetch(`/?token=${encodeURIComponent(token)}`).catch(() => {});
      const answer = await fetch("/v1/hub").catch(() => ({ status: 0 }));
      if (answer.status === 401) {
        say(byId("token-why"), "This is not the token. Try again.");
        return;
      }
      byId("token-text").value = "";
      dialog.close();
      asking = null;
      resolve();
    };
    if (!dialog.open) dialog.showModal();
  });
  return asking;
}

/** Listens to what happens, for ever: the browser tries again by itself where it can, and this does elsewhere. */
export async function listen() {
  clearTimeout(later);
  source?.close();
  let hub;
  try {
    hub = await get("/v1/hub");
  } catch {
    tell("link", false);
    later = setTimeout(listen, 1000);
    return;
  }
  if (hub.run !== run) {
    run = hub.run;
    last = Math.max(0, hub.journal.last - EARLIER);
    tell("reset");
  }
  source = new EventSource(`/v1/events?after=${last}`);
  source.addEventListener("hello", (event) => {
    // The browser may have come back to another server than the one it left.
    if (JSON.parse(event.data).run !== run) {
      listen();
      return;
    }
    tell("link", true);
    tell("state", null);
  });
  source.addEventListener("journal", (event) => {
    last = Number(event.lastEventId);
    tell("journal", event.data);
  });
  source.addEventListener("lost", (event) => tell("lost", JSON.parse(event.data).entries));
  source.addEventListener("state", (event) => tell("state", JSON.parse(event.data).changed));
  source.addEventListener("error", () => {
    tell("link", false);
    if (source.readyState === EventSource.CLOSED) later = setTimeout(listen, 1000);
  });
}

/** Runs at once, and then at most once in so many milliseconds, however often it is called; one run at a time. */
export function seldom(ms, what) {
  let [busy, again, before] = [false, false, -Infinity];
  const go = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    const wait = before + ms - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    before = performance.now();
    again = false;
    try {
      await what();
    } catch {
      // The server is away; the link tells.
    }
    busy = false;
    if (again) go();
  };
  return go;
}
