// The devices: the list with its filter, and the one that is shown.

import { act, get, ofDevice, on, seldom } from "./api.js";
import { VirtualList, h, note, say } from "./dom.js";
import { Shown } from "./device.js";

/** How often the shown device is looked at. */
const EVERY = 500;
let all = [];
let fitting = [];
let chosen = null;
let visible = false;
let away = true;
let list, shown, filter, count, root;

export function build(section) {
  root = section;
  list = new VirtualList({ height: 46, make, fill, label: "Devices", role: "listbox" });
  list.element.id = "device-list";
  filter = h("input", { type: "search", placeholder: "Filter  /", "aria-label": "Filter devices", oninput: apply });
  count = h("small", {});
  const add = (label, device) => h("button", { type: "button", onclick: () => create(device) }, label);
  shown = new Shown({ refresh: look, back: () => choose(null), kick });
  section.append(
    h("aside", { class: "side" },
      h("div", { class: "bar" }, filter, count),
      list.element,
      h("div", { class: "bar" },
        add("Add a pack", { express: { bms: { cells: 14, cell_voltage_v: 3.9 } } }),
        add("Add a motor", { express: { motor: {} } }))),
    shown.element);
  list.element.addEventListener("keydown", arrows);
  on("state", (changed) => {
    if (!changed || changed.includes("devices") || changed.includes("sessions")) refresh();
  });
  on("reset", () => shown.clear());
  on("link", (is) => { away = !is; });
  setInterval(() => visible && !document.hidden && look(), EVERY);
}

export function show(id) {
  visible = true;
  choose(id || chosen, false);
  list.draw();
  look();
}

export function hide() {
  visible = false;
}

export function escape() {
  if (filter.value) {
    filter.value = "";
    apply();
  } else if (innerWidth < 760) choose(null);
}

const refresh = seldom(500, async () => {
  all = await get("/v1/devices");
  if (!all.some((one) => one.id === chosen)) chosen = innerWidth < 760 ? null : all[0]?.id ?? null;
  apply();
  look();
});

function apply() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  fitting = all.filter((one) => {
    const text = [one.id, one.kind, one.hardware, one.firmware, one.plugged ? "" : "unplugged", one.tool ? "in use" : "",
      ...one.nodes.flatMap((node) => [node.kind, node.hardware])].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  say(count, fitting.length === all.length ? `${all.length}` : `${fitting.length} of ${all.length}`);
  list.resize(fitting.length);
}

function make() {
  return h("div", { role: "option", onclick: (event) => choose(event.currentTarget.dataset.id) },
    h("i", { class: "dot" }), h("b", {}), h("small", { class: "what" }), h("small", { class: "tool" }));
}

function fill(row, index) {
  const one = fitting[index];
  const [dot, id, what, tool] = row.children;
  row.dataset.id = one.id;
  row.setAttribute("aria-selected", String(one.id === chosen));
  dot.className = `dot ${!one.plugged ? "off" : one.reachable ? "on" : "wait"}`;
  dot.title = !one.plugged ? "unplugged" : one.reachable ? "can be reached" : "restarts";
  say(id, one.id);
  const nodes = one.nodes.map((node) => node.kind);
  say(what, [one.firmware ?? one.kind, ...nodes.map((kind) => `+ ${kind}`)].filter(Boolean).join("  "));
  say(tool, one.tool ? `in use by #${one.tool}` : "");
}

function arrows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 }[event.key];
  if (!step || !fitting.length) return;
  event.preventDefault();
  const now = fitting.findIndex((one) => one.id === chosen);
  const next = Math.max(0, Math.min(fitting.length - 1, now + step));
  choose(fitting[next].id);
  list.show(next);
}

/** Shows a device, or on a narrow page the list. */
function choose(id, remember = true) {
  if (id !== chosen) shown.clear();
  chosen = id;
  root.classList.toggle("one", Boolean(id));
  if (remember) history.replaceState(null, "", id ? `#devices/${encodeURIComponent(id)}` : "#devices");
  list.draw();
  look();
}

const looked = seldom(100, async () => {
  const id = chosen;
  if (!id) {
    shown.none(all.length);
    return;
  }
  const node = shown.node;
  try {
    const device = await get(ofDevice(id, node === null ? "" : `?can_id=${node}`));
    const hub = await get("/v1/clock");
    if (id === chosen && node === shown.node) shown.take(device, hub.at);
  } catch (error) {
    if (error.status === 404 && node !== null) shown.node = null;
  }
});

function look() {
  if (visible && !away) looked();
}

async function kick(connection) {
  await act("DELETE", `/v1/sessions/${connection}`, undefined, `Connection ${connection} was closed`);
}

async function create(device) {
  const made = await act("POST", "/v1/devices", { device });
  if (!made) return;
  note(`${made.id} was added. Its password is ${made.password}`);
  all = await get("/v1/devices");
  filter.value = "";
  apply();
  const index = all.findIndex((one) => one.id.toLowerCase() === made.id.toLowerCase());
  if (index < 0) return;
  choose(all[index].id);
  list.show(index);
}

/** The ids of all devices, for those who offer a choice. */
export const ids = () => all.map((one) => one.id);
/** The device that is shown. */
export const current = () => chosen;
