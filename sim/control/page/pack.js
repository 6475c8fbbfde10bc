// A battery pack: a bar for each cell, which can be dragged, and what else the pack tells.

import { fixed, h, say } from "./dom.js";
import { Plot } from "./plot.js";
import { fillTiles } from "./tiles.js";

const FIELD = "cell_voltages_v";
/** The voltages from the foot to the top of a bar: those of a cell at work, and a closer look. */
const WHOLE = [2.5, 4.3];
const CLOSE = 0.03;

export class Pack {
  constructor(set, release) {
    Object.assign(this, { set, release, cells: [], volts: [], pinned: new Set(), range: WHOLE, held: null, chosen: null });
    this.bars = h("div", { class: "cells", role: "group", "aria-label": "Cells" });
    this.stat = h("p", { class: "stat" });
    this.close = h("input", { type: "checkbox", onchange: () => this.drawn() });
    this.top = h("small", {});
    this.foot = h("small", {});
    this.level = h("div", { class: "tiles" });
    this.soc = new Plot({ label: "State of charge", show: (value) => `${fixed(value * 100, 1)} %`, colour: "--line-2" });
    this.current = new Plot({ label: "Current", show: (value) => `${fixed(value, 2)} A`, colour: "--line-1" });
    this.element = h("div", { class: "card pack" },
      h("div", { class: "title" }, h("h3", {}, "Pack"), this.stat,
        h("label", { class: "check" }, this.close, "Closer look")),
      h("div", { class: "stack" }, h("div", { class: "scale" }, this.top, this.foot), this.bars),
      this.chosenLine(),
      h("p", { class: "hint" }, "Drag a bar to pin its cell. Keys: arrows, Page Up and Down; Delete releases. A striped foot: the cell is balancing."),
      this.level,
      h("div", { class: "plots" }, this.soc.element, this.current.element));
    this.bars.addEventListener("pointerdown", (event) => this.grab(event));
    this.bars.addEventListener("keydown", (event) => this.key(event));
    this.bars.addEventListener("focusin", (event) => this.choose(this.indexOf(event.target)));
  }

  /** The chosen cell as a number that can be written. */
  chosenLine() {
    this.name = h("b", {});
    this.number = h("input", { type: "number", step: "0.001", min: "0", max: "20", "aria-label": "Volts" });
    this.free = h("button", { type: "button", onclick: () => this.let(this.chosen) }, "Release");
    this.line = h("form", { class: "line", hidden: true, onsubmit: (event) => {
      event.preventDefault();
      this.pin(this.chosen, Number(this.number.value));
    } }, this.name, this.number, h("span", {}, "V"), h("button", {}, "Pin"), this.free);
    return this.line;
  }

  clear() {
    this.held = null;
    this.chosen = null;
    this.line.hidden = true;
    this.volts = [];
    this.soc.clear();
    this.current.clear();
  }

  take(bms, pinned, at) {
    this.element.hidden = !bms;
    if (!bms) return;
    const mine = pinned.filter((one) => one.field === FIELD);
    const all = mine.some((one) => one.item === null || one.item === undefined);
    const volts = bms[FIELD] ?? [];
    this.pinned = new Set(all ? volts.keys() : mine.map((one) => one.item));
    // What is being dragged shows where the hand is, not where the device still was.
    if (this.held) volts[this.held.index] = this.held.to;
    this.volts = volts;
    this.balancing = bms.balancing ?? [];
    this.drawn();
    this.tiles(bms);
    this.soc.add(at, bms.state_of_charge);
    this.current.add(at, bms.current_a);
    this.soc.draw();
    this.current.draw();
  }

  tiles(bms) {
    const hot = Math.max(...(bms.temperatures_c ?? []), bms.highest_cell_temperature_c ?? -Infinity);
    const tiles = [
      ["Voltage", bms.total_voltage_v, "V", 2], ["Current", bms.current_a, "A", 2],
      ["Charge", bms.state_of_charge * 100, "%", 1], ["Hottest cell", hot, "°C", 1],
      ["Chip", bms.chip_temperature_c, "°C", 1], ["Humidity", bms.humidity_percent, "%", 0],
    ];
    const temperatures = (bms.temperatures_c ?? []).map((one) => `${one.toFixed(1)}°`).join("  ");
    fillTiles(this.level, tiles, bms.status, temperatures && `Sensors ${temperatures}`);
  }

  drawn() {
    const { volts } = this;
    if (!volts.length) return;
    const [low, high] = [Math.min(...volts), Math.max(...volts)];
    if (!this.held) {
      this.range = this.close.checked
        ? [low - CLOSE, high + CLOSE]
        : [Math.min(WHOLE[0], low - 0.1), Math.max(WHOLE[1], high + 0.1)];
    }
    say(this.top, `${this.range[1].toFixed(2)} V`);
    say(this.foot, `${this.range[0].toFixed(2)} V`);
    say(this.stat, `${volts.length} cells, ${low.toFixed(3)} to ${high.toFixed(3)} V, spread ${((high - low) * 1000).toFixed(0)} mV`);
    while (this.cells.length < volts.length) this.more();
    while (this.cells.length > volts.length) this.cells.pop().remove();
    this.bars.classList.toggle("many", volts.length > 24);
    volts.forEach((_, index) => this.bar(index, low, high));
    if (this.chosen !== null && document.activeElement !== this.number) this.number.value = volts[this.chosen]?.toFixed(3) ?? "";
    this.free.hidden = !this.pinned.has(this.chosen);
  }

  more() {
    const bar = h("div", { class: "cell", role: "slider", tabIndex: this.cells.length ? -1 : 0, "aria-orientation": "vertical" },
      h("span", { class: "well" }, h("i", {})), h("b", {}), h("small", {}));
    this.cells.push(bar);
    this.bars.append(bar);
  }

  bar(index, low, high) {
    const [volts, bar, [foot, top]] = [this.volts[index], this.cells[index], this.range];
    const [well, text, name] = bar.children;
    const part = Math.max(0.01, Math.min(1, (volts - foot) / (top - foot)));
    well.firstChild.style.transform = `scaleY(${part.toFixed(4)})`;
    say(text, volts.toFixed(3));
    say(name, String(index + 1));
    const is = { pinned: this.pinned.has(index) || this.held?.index === index, balancing: Boolean(this.balancing[index]), low: volts === low && low < high, high: volts === high && low < high, chosen: index === this.chosen };
    for (const [key, value] of Object.entries(is)) bar.classList.toggle(key, value);
    const words = `Cell ${index + 1}${is.pinned ? ", pinned" : ""}${is.balancing ? ", balancing" : ""}`;
    if (bar.title !== words) {
      bar.title = words;
      bar.setAttribute("aria-label", words);
    }
    bar.setAttribute("aria-valuenow", volts.toFixed(3));
    bar.setAttribute("aria-valuemin", foot.toFixed(2));
    bar.setAttribute("aria-valuemax", top.toFixed(2));
  }

  indexOf(target) {
    return this.cells.indexOf(target.closest?.(".cell"));
  }

  choose(index) {
    if (index < 0) return;
    this.chosen = index;
    this.line.hidden = false;
    say(this.name, `Cell ${index + 1}`);
    this.cells.forEach((bar, at) => {
      bar.tabIndex = at === index ? 0 : -1;
    });
    this.drawn();
  }

  grab(event) {
    const index = this.indexOf(event.target);
    if (index < 0 || event.button) return;
    event.preventDefault();
    const bar = this.cells[index];
    const well = bar.firstChild.getBoundingClientRect();
    bar.focus({ preventScroll: true });
    bar.setPointerCapture(event.pointerId);
    const start = event.clientY;
    const move = (now) => {
      // A click alone pins nothing.
      if (!this.held && Math.abs(now.clientY - start) < 3) return;
      const [foot, top] = this.range;
      const step = top - foot > 0.5 ? 0.01 : 0.001;
      const volts = foot + ((well.bottom - now.clientY) / well.height) * (top - foot);
      const to = Math.max(0, Math.min(top, Math.max(foot, Math.round(volts / step) * step)));
      this.held = { index, to: Number(to.toFixed(3)) };
      this.volts[index] = this.held.to;
      this.drawn();
      this.send();
    };
    const end = async () => {
      for (const [what, listener] of Object.entries(listeners)) bar.removeEventListener(what, listener);
      await this.send();
      this.held = null;
    };
    const listeners = { pointermove: move, pointerup: end, pointercancel: end };
    for (const [what, listener] of Object.entries(listeners)) bar.addEventListener(what, listener);
  }

  /** Sends where the bar is: one request at a time, and in the end the last place. */
  async send() {
    if (!this.held) return;
    if (this.sending) {
      await this.sending;
      if (!this.held || this.sent === this.held.to) return;
      if (this.sending) return this.send();
    }
    const { index, to } = this.held;
    this.sent = to;
    this.sending = this.set({ field: FIELD, item: index, to });
    await this.sending;
    this.sending = null;
  }

  async pin(index, to) {
    this.volts[index] = to;
    this.pinned.add(index);
    this.drawn();
    await this.set({ field: FIELD, item: index, to: Number(to.toFixed(3)) });
  }

  let(index) {
    if (this.pinned.has(index)) this.release({ field: FIELD, item: index });
  }

  key(event) {
    const index = this.indexOf(event.target);
    if (index < 0) return;
    const near = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: this.cells.length - 1 }[event.key];
    const step = { ArrowUp: 0.01, ArrowDown: -0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
    if (near !== undefined) this.cells[Math.max(0, Math.min(this.cells.length - 1, near))].focus();
    else if (step) this.pin(index, Math.max(0, this.volts[index] + (event.shiftKey ? step / 10 : step)));
    else if (event.key === "Delete" || event.key === "Backspace") this.let(index);
    else return;
    event.preventDefault();
  }
}
