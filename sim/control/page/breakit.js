// Break it: faults and quirks to switch on and off, breakpoints, the clock.

import { act, get, ofDevice, on, seldom } from "./api.js";
import { h, note, prose, say } from "./dom.js";
import * as clock from "./clock.js";
import { commandList, parameters } from "./form.js";
import * as hold from "./hold.js";

const HARMS = { late: "Late", lost: "Lost", silence: "Silence", disorder: "Disorder" };
/** The quirks of so few devices are looked at when no device is chosen. */
const FEW = 8;
let root, catalogue, active, offs, device, known, search, empty, quirkKey = "";
let ids = [];
let faults = [];
let quirks = [];
let visible = false;

export function build(section) {
  root = section;
  search = h("input", { type: "search", placeholder: "Filter  /", "aria-label": "Filter faults and quirks", oninput: apply });
  known = h("datalist", { id: "break-devices" });
  device = h("input", { type: "text", list: "break-devices", placeholder: "all devices", "aria-label": "At which device", oninput: () => refreshQuirks() });
  active = h("ul", { class: "active", id: "active" });
  empty = h("p", { class: "quiet" }, "Nothing is broken. Switch something on.");
  offs = h("button", { type: "button", hidden: true, title: "What the scenario has stays", onclick: allOff }, "All off");
  catalogue = h("div", { class: "catalogue" });
  section.append(
    h("div", { class: "catalogue-side" },
      h("div", { class: "bar" }, search, h("label", { class: "check" }, "at ", device, known)), catalogue),
    h("div", { class: "now" },
      h("div", { class: "card" }, h("div", { class: "title" }, h("h3", {}, "On now"), offs), empty, active),
      hold.build(scope), ...clock.build()));
  on("state", (changed) => {
    if (!changed || ["devices", "quirks"].some((one) => changed.includes(one))) refreshQuirks();
  });
  on("reset", () => load());
}

export function show() {
  visible = true;
  refreshQuirks();
}

export function hide() {
  visible = false;
}

export function escape() {
  search.value = "";
  apply();
}

/** Switches off what was switched on by hand. */
async function allOff() {
  const own = quirks.filter((one) => one.by === "control");
  for (const one of own) await act("DELETE", ofDevice(one.device, `/quirks/${one.name}`));
  await act("DELETE", "/v1/faults", undefined, ({ removed }) => `${removed + own.length} switched off`);
  refreshQuirks();
}

/** The device that is written above, if any. */
const scope = () => device.value.trim() || null;

const load = seldom(1000, async () => {
  const all = await get("/v1/catalogue");
  const groups = Object.entries(HARMS).map(([harm, label]) => [label, all.faults.filter((one) => one.harm === harm).map(faultCard)]);
  groups.push(["Quirks: what real hubs and devices are seen to do", all.quirks.map(quirkCard)]);
  catalogue.replaceChildren(commandList(all), ...groups.filter(([, cards]) => cards.length).map(([label, cards]) =>
    h("section", { class: "group" }, h("h3", {}, label), h("div", { class: "cards" }, cards))));
  apply();
});

function apply() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const card of catalogue.querySelectorAll(".kind")) {
    card.hidden = !words.every((word) => card.dataset.words.includes(word));
  }
  for (const group of catalogue.querySelectorAll(".group")) group.hidden = !group.querySelector(".kind:not([hidden])");
}

/** A kind that can be switched on; its parameters open below it. */
function card(kind, about, extra, form, act) {
  const more = h("details", { hidden: form.isEmpty }, h("summary", {}, "Parameters"), form.element);
  const element = h("form", { class: "kind", data: { name: kind.name, words: `${kind.name} ${about}`.toLowerCase() }, noValidate: true, onsubmit: (event) => {
    event.preventDefault();
    if (!element.checkValidity()) {
      more.open = true;
      element.reportValidity();
      return;
    }
    act(form.read());
  } }, h("div", { class: "title" }, h("b", {}, kind.name), h("button", { class: "main" }, "Switch on")),
  h("p", {}, prose(about)), extra, more);
  return element;
}

function faultCard(kind) {
  const form = parameters(kind.schema, kind.example);
  return card(kind, kind.about, null, form, (read) => {
    const body = { fault: { [kind.name]: read } };
    if (scope()) body.device = scope();
    act("POST", "/v1/faults", body, `${kind.name} is on at ${scope() ?? "all devices"}`);
  });
}

function quirkCard(kind) {
  const form = parameters(kind.schema, kind.defaults);
  const seen = h("p", { class: "quiet" }, prose(`${kind.provenance}: ${kind.seen}`));
  return card(kind, kind.about, seen, form, async (read) => {
    const at = scope() ?? (ids.length === 1 ? ids[0] : null);
    if (!at) {
      note("A quirk is one device's: write above which.", "bad");
      device.focus();
      return;
    }
    await act("PUT", ofDevice(at, `/quirks/${kind.name}`), read, `${kind.name} is on at ${at}`);
    refreshQuirks();
  });
}

const refreshQuirks = seldom(500, async () => {
  if (!visible) return;
  const all = (await get("/v1/devices")).filter((one) => one.kind !== "outside");
  ids = all.map((one) => one.id);
  if (quirkKey !== ids.join()) {
    quirkKey = ids.join();
    known.replaceChildren(...ids.map((id) => h("option", { value: id })));
  }
  const at = scope() ? ids.filter((id) => id.toLowerCase() === scope().toLowerCase()) : ids.slice(0, FEW);
  const lists = await Promise.all(at.map(async (id) => {
    const own = await get(ofDevice(id, "/quirks")).catch(() => []);
    return own.filter((one) => one.on).map((one) => ({ ...one, device: id }));
  }));
  quirks = lists.flat();
  list();
});

/** Takes in what the header asked for anyway. */
export function hubIs(hub, on) {
  faults = on;
  clock.hubIs(hub);
  list();
}

function list() {
  const rows = [
    ...faults.map((one) => [`fault ${one.id}`, one, () => act("DELETE", `/v1/faults/${one.id}`)]),
    ...quirks.map((one) => [`quirk ${one.device} ${one.name}`, one, async () => {
      await act("DELETE", ofDevice(one.device, `/quirks/${one.name}`));
      refreshQuirks();
    }]),
  ];
  const there = new Map([...active.children].map((row) => [row.dataset.key, row]));
  const wanted = rows.map(([key, one, off]) => {
    const row = there.get(key) ?? h("li", { data: { key } }, h("b", {}, one.name), h("code", {}), h("small", {}),
      h("span", { class: "count" }), h("button", { type: "button", onclick: off }, "Off"));
    const [, code, by, count] = row.children;
    say(code, words(one));
    say(by, `${one.device ?? "all devices"}, by ${one.by === "control" ? "hand" : "the scenario"}`);
    say(count, `acted ${one.fired}×`);
    row.classList.toggle("acted", one.fired > 0);
    return row;
  });
  if (wanted.length !== active.children.length || wanted.some((row, index) => row !== active.children[index])) active.replaceChildren(...wanted);
  empty.hidden = wanted.length > 0;
  offs.hidden = ![...faults, ...quirks].some((one) => one.by === "control");
  for (const kind of catalogue.querySelectorAll(".kind")) {
    kind.classList.toggle("on", rows.some(([, one]) => one.name === kind.dataset.name));
  }
}

/** Parameters in a few words. */
function words({ parameters: said, direction }) {
  const { when, direction: way, ...rest } = said ?? {};
  const flat = (map) => Object.entries(map ?? {}).filter(([, value]) => value !== null).map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  const where = way ?? direction;
  return [...flat(rest), where === "to-device" ? "on requests" : where === "to-tool" ? "on replies" : "", ...(flat(when).length ? [`when ${flat(when).join(", ")}`] : [])].filter(Boolean).join(" · ");
}
