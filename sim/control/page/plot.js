// A line over time on a canvas, in the colours of the page.

import { h, say } from "./dom.js";

/** A plot of the last so many seconds. `show` makes a value readable. */
export class Plot {
  constructor({ label, seconds = 60, show, colour = "--line-1", floor }) {
    Object.assign(this, { seconds, show, colour, floor });
    this.points = [];
    this.now = 0;
    this.value = h("b", {}, "–");
    this.range = h("small", {});
    this.canvas = h("canvas", { role: "img", "aria-label": label });
    this.element = h("figure", { class: "plot" },
      h("figcaption", {}, h("span", {}, label), this.value, this.range), this.canvas);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  clear() {
    this.points = [];
    say(this.value, "–");
    this.draw();
  }

  /** Adds a value at a time in seconds; time that goes back begins anew. */
  add(at, value) {
    if (!Number.isFinite(value)) return;
    if (this.points.length && at < this.points[this.points.length - 1][0]) this.points = [];
    this.points.push([at, value]);
    this.now = Math.max(at, this.points[0][0]);
    const old = at - this.seconds;
    let gone = 0;
    while (gone < this.points.length - 1 && this.points[gone + 1][0] < old) gone += 1;
    if (gone) this.points.splice(0, gone);
    if (this.points.length > 2000) this.points = this.points.filter((_, index) => index % 2);
    say(this.value, this.show(value));
  }

  draw() {
    const { canvas, points } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height) return;
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    pen.strokeStyle = style.getPropertyValue("--rule");
    pen.lineWidth = 1;
    for (const part of [0.25, 0.5, 0.75]) {
      pen.beginPath();
      pen.moveTo(0, Math.round(height * part) + 0.5);
      pen.lineTo(width, Math.round(height * part) + 0.5);
      pen.stroke();
    }
    if (points.length < 2) return;
    let [low, high] = [Infinity, -Infinity];
    for (const [, value] of points) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    say(this.range, `${this.show(low)} to ${this.show(high)}`);
    if (this.floor !== undefined) low = Math.min(low, this.floor);
    const margin = Math.max((high - low) * 0.12, Math.abs(high) * 1e-3, 1e-6);
    [low, high] = [this.floor !== undefined && low >= this.floor ? low : low - margin, high + margin];
    const x = (at) => width - ((this.now - at) / this.seconds) * width;
    const y = (value) => height - ((value - low) / (high - low)) * height;
    const colour = style.getPropertyValue(this.colour);
    pen.beginPath();
    points.forEach(([at, value], index) => (index ? pen.lineTo(x(at), y(value)) : pen.moveTo(x(at), y(value))));
    pen.strokeStyle = colour;
    pen.lineWidth = 1.75;
    pen.lineJoin = "round";
    pen.stroke();
    pen.lineTo(x(points[points.length - 1][0]), height);
    pen.lineTo(x(points[0][0]), height);
    pen.globalAlpha = 0.12;
    pen.fillStyle = colour;
    pen.fill();
    pen.globalAlpha = 1;
  }
}
