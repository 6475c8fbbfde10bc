// The clock of the hub, whether it listens, who is connected, and what can be saved.

import { act, get, on, seldom } from "./api.js";
import { h, say } from "./dom.js";

/** The most connections that are listed. */
const MOST = 50;

let pause, scale, listening, sessions, more;
let hub = { paused: false, accepts: true, scale: 1 };
const SCALES = [0.01, 0.1, 0.25, 0.5, 1, 2, 5, 10, 100, 1000];

export function build() {
  const clock = (body) => act("POST", "/v1/clock", body);
  const by = h("input", { type: "text", value: "250ms", size: 7, "aria-label": "How far", pattern: "[0-9.]+(us|ms|s|m|h)" });
  pause = h("button", { type: "button", onclick: () => clock({ paused: !hub.paused }) }, "Pause");
  scale = h("select", { "aria-label": "Speed", onchange: () => clock({ scale: Number(scale.value) }) },
    SCALES.map((one) => h("option", { value: String(one) }, `×${one}`)));
  listening = h("button", { type: "button", onclick: () => act("POST", hub.accepts ? "/v1/hub/stop" : "/v1/hub/start", hub.accepts ? {} : undefined,
    hub.accepts ? "The hub takes no connections, and dropped those it had" : "The hub takes connections again") }, "Stop listening");
  scale.value = "1";
  sessions = h("ul", { class: "sessions" });
  more = h("p", { class: "quiet" });
  on("state", (changed) => {
    if (!changed || changed.includes("sessions")) refresh();
  });
  const save = (href, label, about) => h("a", { class: "button", href, download: "", title: about }, label);
  return [
    h("div", { class: "card" }, h("h3", {}, "Time"),
      h("form", { class: "line", onsubmit: (event) => {
        event.preventDefault();
        clock({ step: by.value });
      } }, pause, scale, by, h("button", {}, "Step"))),
    h("div", { class: "card" }, h("h3", {}, "Hub"),
      h("div", { class: "line" }, listening), sessions, more),
    h("div", { class: "card" }, h("h3", {}, "Save"),
      h("div", { class: "line" },
        save("/v1/session.pcapng", "Session (pcapng)", "What went over the wire, for Wireshark"),
        save("/v1/scenario.yaml", "Scenario (YAML)", "This run with all that was steered, to play it again"))),
  ];
}

const refresh = seldom(500, async () => {
  const all = await get("/v1/sessions");
  sessions.replaceChildren(...all.slice(0, MOST).map((one) => h("li", {},
    h("b", {}, `#${one.connection}`), h("span", {}, one.device ?? (one.role === "none" ? "not logged in" : one.role)),
    h("small", {}, `${one.requests} asked, ${one.replies} answered`),
    h("button", { type: "button", title: "Close this connection", onclick: () => act("DELETE", `/v1/sessions/${one.connection}`) }, "Kick"))));
  say(more, all.length > MOST ? `and ${all.length - MOST} more` : all.length ? "" : "Nobody is connected.");
});

export function hubIs(now) {
  hub = now;
  say(pause, hub.paused ? "Go on" : "Pause");
  say(listening, hub.accepts ? "Stop listening" : "Start listening");
  if (document.activeElement !== scale) {
    if (!SCALES.includes(hub.scale) && !scale.querySelector(`option[value="${hub.scale}"]`)) {
      scale.append(h("option", { value: String(hub.scale) }, `×${hub.scale}`));
    }
    scale.value = String(hub.scale);
  }
}
