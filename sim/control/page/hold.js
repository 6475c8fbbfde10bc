// Breakpoints, and the requests that they hold.

import { act, get, on, seldom } from "./api.js";
import { byId, h, say } from "./dom.js";

let points, held, device, command, once, total;

export function build(scope) {
  device = scope;
  command = h("input", { type: "text", list: "commands", placeholder: "any command", "aria-label": "Command" });
  once = h("input", { type: "checkbox" });
  points = h("ul", { class: "active" });
  held = h("div", { class: "held" });
  total = h("span", { class: "badge steered", hidden: true });
  on("state", (changed) => {
    if (!changed || changed.includes("breakpoints") || changed.includes("held")) refresh();
  });
  return h("div", { class: "card hold" },
    h("div", { class: "title" }, h("h3", {}, "Breakpoint"), total),
    h("p", { class: "quiet" }, "A request that fits waits here before the device sees it. Others go on."),
    h("form", { class: "line", onsubmit: add }, command, h("label", { class: "check" }, once, "only the next"), h("button", { class: "main" }, "Hold")),
    points, held);
}

async function add(event) {
  event.preventDefault();
  const body = { once: once.checked };
  if (device()) body.device = device();
  if (command.value.trim()) body.command = command.value.trim();
  await act("POST", "/v1/breakpoints", body);
  refresh();
}

const refresh = seldom(200, async () => {
  const [all, waiting] = await Promise.all([get("/v1/breakpoints"), get("/v1/held")]);
  points.replaceChildren(...all.map((one) => h("li", {},
    h("b", {}, one.command ?? "any command"), h("small", {}, one.device ?? "all devices"),
    h("small", {}, `${one.once ? "only the next, " : ""}held ${one.hits}`),
    h("button", { type: "button", onclick: async () => {
      await act("DELETE", `/v1/breakpoints/${one.id}`);
      refresh();
    } }, "Remove"))));
  for (const badge of [total, byId("held-count")]) {
    badge.hidden = !waiting.length;
    say(badge, `${waiting.length} held`);
  }
  // A form that somebody fills in stays.
  const known = new Map([...held.children].map((row) => [row.dataset.id, row]));
  held.replaceChildren(...waiting.map((one) => known.get(String(one.id)) ?? request(one)));
});

/** A held request, with what can be done to it. */
function request(one) {
  const go = (body) => async () => {
    await act("POST", `/v1/held/${one.id}`, body());
    refresh();
  };
  const payload = h("input", { type: "text", class: "mono", value: one.payload, "aria-label": "Another payload in hex" });
  const reply = h("input", { type: "text", class: "mono", placeholder: "reply in hex, e.g. 00 06 06", "aria-label": "The reply in hex" });
  const button = (label, body, main) => h("button", { type: "button", class: main ? "main" : "", onclick: go(body) }, label);
  return h("div", { class: "request", data: { id: one.id } },
    h("div", {}, h("b", {}, one.command), h("small", {}, ` ${one.device} #${one.connection ?? "–"} at ${one.at.toFixed(3)} s`)),
    h("div", { class: "line" }, button("Pass", () => ({ do: "pass" }), true), button("Drop", () => ({ do: "drop" }))),
    h("div", { class: "line" }, payload, button("Send this instead", () => ({ do: "change", payload: payload.value }))),
    h("div", { class: "line" }, reply, button("Answer with this", () => ({ do: "answer", replies: [reply.value] }))));
}
