// An entry of the journal: to which group it belongs, and all that is known of it.

import { h } from "./dom.js";

/** Groups of kinds: what the button says, and which kinds. What is in none is about connections. */
export const groups = {
  frames: ["Frames", ["frame"]],
  trouble: ["Trouble", ["noise", "not-answered", "nobody-there", "unheard", "half-frame-left", "swallowed", "login-refused", "not-served", "entry-deleted"]],
  harm: ["Faults, quirks", ["fault", "quirk"]],
  steered: ["Steered", ["steered", "held"]],
  links: ["Connections", []],
};
const known = new Map(Object.entries(groups).flatMap(([key, [, kinds]]) => kinds.map((kind) => [kind, key])));
export const groupOf = (entry) => known.get(entry.kind) ?? "links";

/** The words of an entry without what stands in its other columns. */
export function summary(entry) {
  const text = entry.text.replace(/^[<>] /, "");
  if (entry.kind === "frame" && text.startsWith(entry.command)) return text.slice(entry.command.length).trim();
  return text.startsWith(`${entry.kind}: `) ? text.slice(entry.kind.length + 2) : text;
}

/** Shows all of an entry: its reason, its bytes, and its fields beside them. */
export function showEntry(box, entry, close) {
  const facts = [
    ["At", `${entry.at.toFixed(6)} s`], ["Connection", entry.connection && `#${entry.connection}`], ["Device", entry.device],
    ["Direction", entry.direction === "to-device" ? "to the device" : entry.direction === "to-tool" ? "to the client" : undefined],
    ["Number", String(entry.seq)],
  ].filter(([, value]) => value);
  box.replaceChildren(
    h("div", { class: "title" }, h("h3", {}, entry.command ?? entry.kind), h("span", { class: `badge ${groupOf(entry)}` }, entry.kind),
      h("button", { type: "button", "aria-label": "Close", title: "Esc", onclick: close }, "×")),
    h("dl", { class: "values" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
  if (entry.name || entry.why) {
    box.append(h("p", { class: `why ${groupOf(entry)}` }, entry.name && h("b", {}, `${entry.name} `), entry.why ?? ""));
  }
  if (entry.kind !== "frame") box.append(h("p", {}, entry.text));
  box.append(h("div", { class: "beside" }, entry.payload && bytes(entry), entry.fields && fields(entry)));
}

/** The bytes, 8 in a row, as hex and as text; the command stands out in a frame. */
function bytes(entry) {
  const hex = entry.payload.match(/../g) ?? [];
  const lines = [];
  for (let at = 0; at < hex.length; at += 8) {
    const part = hex.slice(at, at + 8);
    const text = part.map((one) => {
      const code = parseInt(one, 16);
      return code >= 32 && code < 127 ? String.fromCharCode(code) : "·";
    }).join("");
    const first = at === 0 && entry.kind === "frame";
    lines.push(h("i", {}, at.toString(16).padStart(4, "0")), "  ",
      first && h("mark", { title: "The command" }, part[0]), (first ? ` ${part.slice(1).join(" ")}` : part.join(" ")).padEnd(first ? 21 : 23), "  ",
      h("em", {}, text), "\n");
  }
  return h("div", {}, h("h4", {}, `${hex.length} bytes`), h("pre", { class: "hex" }, lines));
}

/** The fields; what the device held stands beside what was sent where they differ. */
function fields(entry) {
  const rows = Object.entries(entry.fields).flatMap(([name, value]) => row(name, value, entry.truth?.[name]));
  return h("div", {}, h("h4", {}, rows.length ? "Fields" : "No fields"), h("table", { class: "fields" }, h("tbody", {}, rows)));
}

function row(name, value, truth) {
  if (value && typeof value === "object" && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([inner, one]) => row(`${name}.${inner}`, one, truth?.[inner]));
  }
  const [said, held] = [words(value), truth === undefined ? undefined : words(truth)];
  const differs = held !== undefined && held !== said;
  return [h("tr", { class: differs ? "differs" : "" }, h("th", { scope: "row" }, name),
    h("td", {}, said, differs && h("small", {}, ` the device held ${held}`)))];
}

/** A value in words; a list of yes and no as marks. */
function words(value) {
  if (!Array.isArray(value)) return String(value);
  if (value.length && value.every((one) => typeof one === "boolean")) return value.map((one) => (one ? "✓" : "–")).join(" ");
  return value.map((one) => (one && typeof one === "object" ? JSON.stringify(one) : one)).join(", ") || "none";
}
