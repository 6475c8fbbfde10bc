// One device: what it is, its CAN bus, what it would tell now, and what can be done to it.

import { act, ofDevice } from "./api.js";
import { careful, h, say } from "./dom.js";
import { Pack } from "./pack.js";
import { Motor } from "./motor.js";

/** Values that have a place of their own, and are not in the table. */
const ELSEWHERE = new Set(["cell_voltages_v", "balancing"]);

export class Shown {
  constructor({ refresh, back, kick }) {
    Object.assign(this, { refresh, kick, node: null, device: null });
    this.pack = new Pack((words) => this.set(words), (which) => this.release(which));
    this.motor = new Motor();
    this.title = h("h2", {});
    this.what = h("p", { class: "quiet" });
    this.actions = h("div", { class: "actions" });
    this.tree = h("ul", { class: "tree", "aria-label": "CAN bus" });
    this.pins = h("div", { class: "chips" });
    this.table = h("dl", { class: "values" });
    this.empty = h("p", { class: "empty" });
    this.body = h("div", { class: "body" }, this.pack.element, this.motor.element, this.pinning(),
      h("details", { class: "card" }, h("summary", {}, "All values"), this.table));
    this.element = h("article", { class: "device" },
      h("div", { class: "head" },
        h("button", { type: "button", class: "back", onclick: back }, "‹ All devices"),
        h("div", {}, this.title, this.what), this.actions),
      this.tree, this.empty, this.body);
    this.buttons();
    this.clear();
  }

  buttons() {
    const post = (what) => () => this.act("POST", `/${what}`);
    this.plug = h("button", { type: "button", onclick: () => this.act("POST", this.device.plugged ? "/unplug" : "/plug") });
    this.reboot = h("button", { type: "button", onclick: post("reboot"), title: "It is away for a moment, and begins anew" }, "Reboot");
    this.kicker = h("button", { type: "button", onclick: () => this.kick(this.device.tool), title: "Close the connection of its client" });
    this.actions.append(this.plug, this.reboot, this.kicker,
      careful("Remove", () => this.act("DELETE", "")));
  }

  /** A form that pins or ramps any value. */
  pinning() {
    const field = h("select", { "aria-label": "Value" });
    const to = h("input", { type: "number", step: "any", required: true, placeholder: "to", "aria-label": "To" });
    const over = h("input", { type: "text", placeholder: "over, e.g. 20s", "aria-label": "Over which time", size: 12, pattern: "[0-9.]+(ms|s|m|h)" });
    this.field = field;
    const form = h("form", { class: "line", onsubmit: (event) => {
      event.preventDefault();
      const words = { field: field.value, to: Number(to.value) };
      const now = this.values()[field.value];
      if (over.value) Object.assign(words, { over: over.value, from: Array.isArray(now) ? now[0] : Number(now) });
      this.set(words);
    } }, h("span", {}, "Set"), field, to, over, h("button", {}, "Set"));
    return h("div", { class: "card" }, h("h3", {}, "Pinned values"), this.pins, form);
  }

  values() {
    return { ...this.device?.values.bms, ...this.device?.values.motor };
  }

  clear() {
    this.node = null;
    this.device = null;
    this.pack.clear();
    this.motor.clear();
    this.body.hidden = true;
    this.actions.hidden = true;
    this.tree.replaceChildren();
    say(this.title, "");
    say(this.what, "");
    say(this.empty, "");
  }

  none(count) {
    say(this.empty, count ? "Choose a device." : "There are no devices. Add one, or let one log in.");
  }

  async act(method, rest) {
    await act(method, ofDevice(this.device.id, rest));
    this.refresh();
  }

  /** Pins or ramps a value; whether it was done. */
  async set(words) {
    if (this.node !== null) words = { ...words, can_id: this.node };
    const done = await act("POST", ofDevice(this.device.id, "/values"), words);
    this.refresh();
    return done;
  }

  async release({ field, item } = {}) {
    const query = new URLSearchParams();
    if (field) query.set("field", field);
    if (item !== undefined && item !== null) query.set("item", item);
    if (this.node !== null) query.set("can_id", this.node);
    await act("DELETE", ofDevice(this.device.id, `/values?${query}`));
    this.refresh();
  }

  /** Shows what the device tells at a time. */
  take(device, at) {
    this.device = device;
    say(this.title, device.id);
    const state = !device.plugged ? "unplugged" : !device.reachable ? "restarts" : device.tool ? `in use by #${device.tool}` : "nobody is connected";
    say(this.what, [device.kind, device.hardware, device.firmware, state].filter(Boolean).join(" · "));
    say(this.empty, "");
    this.actions.hidden = false;
    say(this.plug, device.plugged ? "Unplug" : "Plug in");
    this.kicker.hidden = !device.tool;
    say(this.kicker, `Kick #${device.tool}`);
    this.bus(device);
    const { bms, motor } = device.values;
    this.body.hidden = !bms && !motor;
    if (!bms && !motor) say(this.empty, "It tells no values.");
    this.pack.take(bms, device.pinned, at);
    this.motor.take(motor, at);
    this.chips(device.pinned);
    this.fields();
  }

  bus(device) {
    const key = JSON.stringify([device.nodes, device.can_id, this.node]);
    if (this.tree.dataset.key === key && this.tree.children.length) return;
    this.tree.dataset.key = key;
    const leaf = (node, text) => h("li", {},
      h("button", { type: "button", "aria-pressed": String(this.node === node), onclick: () => {
        this.node = node;
        this.pack.clear();
        this.motor.clear();
        this.refresh();
      } }, text));
    const own = leaf(null, [device.hardware ?? device.kind, device.can_id ?? null].filter((one) => one !== null).join(" · CAN "));
    const nodes = device.nodes.map((node) => leaf(node.can_id, `${node.hardware} · ${node.firmware} · CAN ${node.can_id}`));
    this.tree.replaceChildren(own, ...nodes);
    this.tree.hidden = device.nodes.length === 0;
  }

  chips(pinned) {
    const key = JSON.stringify(pinned);
    if (this.pins.dataset.key === key) return;
    this.pins.dataset.key = key;
    const own = pinned.filter((one) => one.by === "control");
    this.pins.replaceChildren(...pinned.map((one) => {
      const name = one.item === null || one.item === undefined ? one.field : `${one.field}[${one.item}]`;
      const text = `${name} = ${Number(one.to.toFixed(4))}`;
      return one.by === "control"
        ? h("button", { type: "button", class: "chip", title: "Release", onclick: () => this.release(one) }, text, " ×")
        : h("span", { class: "chip", title: "The scenario sets it" }, `${text} (scenario)`);
    }));
    if (own.length > 1) this.pins.append(h("button", { type: "button", onclick: () => this.release() }, "Release all"));
    if (!pinned.length) this.pins.append(h("span", { class: "quiet" }, "None: the device goes its own way."));
  }

  fields() {
    const values = this.values();
    const names = Object.keys(values).filter((name) => !ELSEWHERE.has(name));
    if (this.table.children.length !== names.length || this.table.dataset.key !== names.join()) {
      this.table.dataset.key = names.join();
      this.table.replaceChildren(...names.map((name) => h("div", {}, h("dt", {}, name), h("dd", {}))));
      const numbers = Object.entries(values).filter(([, value]) => typeof value === "number" || typeof value?.[0] === "number");
      const before = this.field.value;
      this.field.replaceChildren(...numbers.map(([name]) => h("option", { value: name }, name)));
      this.field.value = numbers.some(([name]) => name === before) ? before : "current_a" in values ? "current_a" : numbers[0]?.[0] ?? "";
    }
    names.forEach((name, index) => {
      const value = values[name];
      say(this.table.children[index].lastChild, Array.isArray(value) ? value.join(", ") : String(value));
    });
  }
}
