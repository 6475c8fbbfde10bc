// A motor controller: how it turns, its currents and temperatures.

import { fixed, h, say } from "./dom.js";
import { Plot } from "./plot.js";
import { fillTiles } from "./tiles.js";

export class Motor {
  constructor() {
    this.fault = h("p", { class: "fault", hidden: true });
    this.tiles = h("div", { class: "tiles" });
    this.duty = gauge("Duty");
    this.charge = gauge("Battery");
    this.speed = new Plot({ label: "Speed", show: (value) => `${fixed(value, 0)} erpm`, colour: "--line-2" });
    this.amps = new Plot({ label: "Motor current", show: (value) => `${fixed(value, 1)} A`, colour: "--line-1" });
    this.element = h("div", { class: "card" },
      h("div", { class: "title" }, h("h3", {}, "Motor"), this.fault),
      this.duty.element, this.charge.element, this.tiles,
      h("div", { class: "plots" }, this.speed.element, this.amps.element));
  }

  clear() {
    this.speed.clear();
    this.amps.clear();
  }

  take(motor, at) {
    this.element.hidden = !motor;
    if (!motor) return;
    const name = motor.fault_name ?? "NONE";
    this.fault.hidden = name === "NONE";
    say(this.fault, name);
    this.duty.set(motor.duty);
    this.charge.set(motor.battery_level);
    fillTiles(this.tiles, [
      ["Speed", motor.speed_m_s * 3.6, "km/h", 1], ["Turns", motor.erpm, "erpm", 0],
      ["Motor current", motor.motor_current_a ?? motor.total_motor_current_a, "A", 1],
      ["Input current", motor.input_current_a ?? motor.total_input_current_a, "A", 1],
      ["Input", motor.input_voltage_v, "V", 1],
      ["Transistors", motor.fet_temperature_c, "°C", 1], ["Motor", motor.motor_temperature_c, "°C", 1],
      ["Distance", motor.distance_m, "m", 0],
    ]);
    this.speed.add(at, motor.erpm);
    this.amps.add(at, motor.motor_current_a ?? motor.total_motor_current_a);
    this.speed.draw();
    this.amps.draw();
  }
}

/** A share from -1 to 1 as a bar. */
function gauge(name) {
  const [fill, text] = [h("i", {}), h("b", {})];
  const element = h("div", { class: "gauge" }, h("small", {}, name), h("span", { class: "track" }, fill), text);
  return {
    element,
    set(value) {
      element.hidden = !Number.isFinite(value);
      if (element.hidden) return;
      fill.style.transform = `scaleX(${Math.max(-1, Math.min(1, Math.abs(value))).toFixed(3)})`;
      fill.classList.toggle("back", value < 0);
      say(text, `${(value * 100).toFixed(1)} %`);
    },
  };
}
