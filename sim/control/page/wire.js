// The wire: what happened, newest last, as it happens.

import { act, on } from "./api.js";
import { VirtualList, careful, h, say } from "./dom.js";
import { groups, groupOf, showEntry, summary } from "./entry.js";
import { Plot } from "./plot.js";

/** The most entries that are kept here; the server keeps more. */
const MOST = 10000;
/** So many may come over before the oldest are dropped, all at once. */
const SLACK = 1000;
/** A client that asks the same again after so many seconds has given the earlier request up. */
const GIVEN_UP = 1;
let entries = [];
let fitting = [];
let incoming = [];
let dropped = 0;
let chosen = null;
let follow = true;
let visible = false;
let scheduled = false;
const hidden = new Set();
const names = { device: new Set(), command: new Set() };
/** Requests that wait for their reply, by connection and command. */
const waiting = new Map();
let second = { at: null, requests: 0 };
let list, search, device, command, pause, count, detail, rate, latency, root;

export function build(section) {
  root = section;
  list = new VirtualList({ height: 26, make, fill, label: "What happened", role: "listbox" });
  list.element.id = "timeline";
  list.element.addEventListener("keydown", arrows);
  // Scrolling up pauses, and scrolling down to the end follows again.
  list.element.addEventListener("wheel", (event) => {
    if (event.deltaY < 0) setFollow(false);
    else if (!follow && list.isAtEnd()) setFollow(true);
  }, { passive: true });
  list.element.addEventListener("touchmove", () => setFollow(list.isAtEnd()), { passive: true });
  search = h("input", { type: "search", placeholder: "Filter  /", "aria-label": "Filter by any word", oninput: refilter });
  [device, command] = ["device", "command"].map((what) => h("input", { type: "text", list: `known-${what}`, placeholder: what, "aria-label": `Only this ${what}`, oninput: refilter }));
  const toggles = Object.entries(groups).map(([key, [label]]) => h("button", { type: "button", class: `toggle ${key}`, "aria-pressed": "true", onclick: (event) => {
    const off = hidden.delete(key) ? false : Boolean(hidden.add(key));
    event.currentTarget.setAttribute("aria-pressed", String(!off));
    refilter();
  } }, label));
  pause = h("button", { type: "button", class: "main", title: "Space", onclick: () => setFollow(!follow) });
  count = h("small", { class: "count" });
  detail = h("aside", { class: "detail", hidden: true });
  rate = new Plot({ label: "Requests per second", show: (value) => value.toFixed(0), colour: "--line-1", floor: 0 });
  latency = new Plot({ label: "Time to the reply", show: (value) => `${(value * 1000).toFixed(value < 0.01 ? 1 : 0)} ms`, colour: "--line-2", floor: 0 });
  section.append(
    h("div", { class: "bar" }, search, device, command, h("span", { class: "toggles" }, toggles), count, pause,
      careful("Forget", forget)),
    h("datalist", { id: "known-device" }), h("datalist", { id: "known-command" }),
    h("div", { class: "plots small" }, rate.element, latency.element),
    h("div", { class: "split" }, list.element, detail));
  setFollow(true);
  on("journal", (data) => {
    incoming.push(data);
    if (!scheduled) {
      scheduled = true;
      // A page that nobody sees draws no frames, and must not collect for ever.
      if (document.hidden) setTimeout(take, 250);
      else requestAnimationFrame(take);
    }
  });
  on("lost", (lost) => { dropped += lost; });
  on("reset", clear);
}

export function show() {
  visible = true;
  draw();
}

export function hide() {
  visible = false;
}

export function escape() {
  if (chosen) choose(null);
  else if (search.value || device.value || command.value) {
    for (const one of [search, device, command]) one.value = "";
    refilter();
  }
}

async function forget() {
  if (await act("DELETE", "/v1/journal", undefined, "The journal was forgotten")) clear();
}

function clear() {
  [entries, fitting, incoming, dropped] = [[], [], [], 0];
  waiting.clear();
  second = { at: null, requests: 0 };
  rate.clear();
  latency.clear();
  choose(null);
  draw();
}

/** Takes in all that came since the last frame. */
function take() {
  scheduled = false;
  const came = incoming;
  incoming = [];
  for (const raw of came) {
    const told = JSON.parse(raw);
    // The bytes and the fields stay text until somebody looks at them.
    const entry = { seq: told.seq, at: told.at, connection: told.connection, device: told.device, kind: told.kind, direction: told.direction, command: told.command, text: summary(told), group: groupOf(told), raw };
    entries.push(entry);
    measure(entry);
    know("device", told.device);
    know("command", told.command);
    if (fits(entry)) fitting.push(entry);
  }
  if (entries.length > MOST + SLACK) {
    const gone = entries.length - MOST;
    dropped += gone;
    const first = entries[gone].seq;
    entries = entries.slice(gone);
    const before = fitting.length;
    fitting = fitting.filter((entry) => entry.seq >= first);
    // What is read stays where it is.
    if (!follow) list.element.scrollTop -= (before - fitting.length) * list.height;
  }
  draw();
}

function know(what, name) {
  if (!name || names[what].has(name) || names[what].size > 2000) return;
  names[what].add(name);
  document.getElementById(`known-${what}`).append(h("option", { value: name }));
}

/** Counts requests by the second of the hub, and times each reply by the first request of its command that waits. */
function measure(entry) {
  if (entry.kind !== "frame") return;
  const now = Math.floor(entry.at);
  if (second.at === null || now < second.at) second = { at: now, requests: 0 };
  for (; second.at < now; second = { at: second.at + 1, requests: 0 }) {
    if (now - second.at > 120) second.at = now - 60;
    rate.add(second.at + 1, second.requests);
  }
  const key = `${entry.connection} ${entry.command}`;
  if (entry.direction === "to-device") {
    second.requests += 1;
    const line = waiting.get(key) ?? [];
    line.push(entry.at);
    if (line.length > 64) line.shift();
    waiting.set(key, line);
    if (waiting.size > 5000) waiting.delete(waiting.keys().next().value);
    return;
  }
  const line = waiting.get(key);
  if (!line?.length) return;
  // A request that the client has given up, and asked again long after, is not the one that this answers.
  while (line.length > 1 && line[line.length - 1] - line[0] > GIVEN_UP) line.shift();
  latency.add(entry.at, entry.at - line.shift());
  if (!line.length) waiting.delete(key);
}

function fits(entry) {
  if (hidden.has(entry.group)) return false;
  if (device.value && entry.device?.toLowerCase() !== device.value.trim().toLowerCase()) return false;
  if (command.value && !entry.command?.includes(command.value.trim().toUpperCase().replaceAll("-", "_"))) return false;
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const text = `${entry.kind} ${entry.device ?? ""} ${entry.command ?? ""} #${entry.connection ?? ""} ${entry.text}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function refilter() {
  fitting = entries.filter(fits);
  draw();
}

function draw() {
  if (!visible) return;
  list.resize(fitting.length);
  if (follow) list.toEnd();
  const older = dropped ? `, ${dropped.toLocaleString("en")} older dropped` : "";
  const some = fitting.length === entries.length ? "" : `${fitting.length.toLocaleString("en")} of `;
  say(count, `${some}${entries.length.toLocaleString("en")} entries${older}`);
  rate.draw();
  latency.draw();
}

function setFollow(is) {
  follow = is;
  say(pause, is ? "Pause" : "Follow");
  root.classList.toggle("paused", !is);
  if (is) draw();
}

function make() {
  const pick = (event) => choose(fitting[Number(event.currentTarget.dataset.index)]);
  // The rows move on between press and click; a finger may be about to scroll.
  return h("div", {
    role: "option",
    onpointerdown: (event) => event.pointerType === "mouse" && !event.button && pick(event),
    onclick: (event) => event.pointerType !== "mouse" && pick(event),
  },
    ...["at", "conn", "whose", "way", "what", "text"].map((name) => h("span", { class: name })));
}

const WAYS = { "to-device": "→", "to-tool": "←" };

function fill(row, index) {
  const entry = fitting[index];
  if (!entry) return;
  row.dataset.index = index;
  row.className = `row ${entry.group} ${entry.direction ?? ""}`;
  row.setAttribute("aria-selected", String(entry === chosen));
  const [at, conn, whose, way, what, text] = row.children;
  say(at, entry.at.toFixed(3));
  say(conn, entry.connection ? `#${entry.connection}` : "");
  say(whose, entry.device ?? "");
  say(way, WAYS[entry.direction] ?? "•");
  say(what, entry.kind === "frame" ? entry.command : entry.kind);
  say(text, entry.text);
}

function choose(entry) {
  chosen = entry ?? null;
  detail.hidden = !chosen;
  if (chosen) {
    setFollow(false);
    showEntry(detail, JSON.parse(chosen.raw), () => choose(null));
  }
  list.draw();
}

function arrows(event) {
  if (event.key === " ") {
    setFollow(!follow);
    event.preventDefault();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -1e9, End: 1e9 }[event.key];
  if (!step || !fitting.length) return;
  event.preventDefault();
  const now = chosen ? fitting.indexOf(chosen) : fitting.length;
  const next = Math.max(0, Math.min(fitting.length - 1, now + step));
  choose(fitting[next]);
  list.show(next);
}
