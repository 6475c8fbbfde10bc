// A form made of a JSON Schema: the parameters of a fault or a quirk.

import { h, prose } from "./dom.js";

const COMMANDS = "commands";

/** What a field begins with: what the example of the catalogue says, else the schema. */
function start(name, schema, required, example) {
  const found = new RegExp(`\\b${name}: *("[^"]*"|[^,}\\n]+)`).exec((example ?? "").replace(/when: \{.*/, ""));
  if (found) return found[1].trim().replaceAll("\"", "");
  if (schema.default !== undefined && schema.default !== null) return String(schema.default);
  return required ? schema.examples?.[0] ?? "" : "";
}

/** The values that a schema allows, if they are few words. */
function choices(schema) {
  if (schema.enum) return schema.enum;
  const consts = (schema.oneOf ?? []).map((one) => one.const);
  return consts.length && consts.every((one) => one !== undefined) ? consts : null;
}

const commandsOf = (schema) => (schema.anyOf ?? []).find((one) => one.enum?.includes("FW_VERSION"))?.enum;
const typeOf = (schema) => (Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type);

/** A field with its label; `read` gives its value, or undefined if it is left empty. */
function field(name, schema, required, example) {
  const begin = start(name, schema, required, example);
  const words = choices(schema);
  const type = typeOf(schema);
  let input;
  if (words) {
    input = h("select", {}, required ? null : h("option", { value: "" }, "as usual"), words.map((one) => h("option", { value: one }, String(one))));
    if (begin) input.value = begin;
  } else if (type === "boolean") {
    input = h("select", {}, h("option", { value: "" }, "as usual"), h("option", { value: "true" }, "yes"), h("option", { value: "false" }, "no"));
    input.value = begin;
  } else {
    const number = type === "integer" || type === "number";
    input = h("input", { type: number ? "number" : "text", required, placeholder: schema.examples?.[0] ?? (type === "array" ? "e.g. 1, 5" : ""), value: begin });
    if (number) input.step = type === "integer" ? "1" : "any";
    if (commandsOf(schema)) input.setAttribute("list", COMMANDS);
  }
  const about = schema.description ?? "";
  input.title = about;
  const read = () => {
    const text = input.value.trim();
    if (!text || (!required && text === String(schema.default))) return undefined;
    if (type === "boolean") return text === "true";
    if (type === "integer" || type === "number") return Number(text);
    if (type === "array") return text.split(/[\s,]+/).filter(Boolean).map((one) => (Number.isFinite(Number(one)) ? Number(one) : one));
    return text;
  };
  return { element: h("label", { class: "field" }, h("span", {}, name), input, h("small", {}, prose(about))), read };
}

/** Parameters of a kind: their fields, and `read`, which gives what was filled in. */
export function parameters(schema, example) {
  const properties = schema?.properties ?? {};
  const required = new Set(schema?.required ?? []);
  const own = [];
  const conditions = [];
  for (const [name, one] of Object.entries(properties)) {
    if (name !== "when") own.push([name, field(name, one, required.has(name), example)]);
    else {
      for (const [inner, condition] of Object.entries(one.properties ?? {})) {
        // What a client did is a scenario's matter: it has too many words for a row of fields.
        if (inner !== "client") conditions.push([inner, field(inner, condition, false)]);
      }
    }
  }
  const gather = (fields) => Object.fromEntries(fields.map(([name, one]) => [name, one.read()]).filter(([, value]) => value !== undefined));
  const element = h("div", { class: "fields-of" }, own.map(([, one]) => one.element),
    conditions.length ? h("details", {}, h("summary", {}, "Only when…"), conditions.map(([, one]) => one.element)) : null);
  return {
    element,
    isEmpty: own.length === 0 && conditions.length === 0,
    read() {
      const [said, when] = [gather(own), gather(conditions)];
      return Object.keys(when).length ? { ...said, when } : said;
    },
  };
}

/** The commands that the schemas know, for the lists behind the fields. */
export function commandList(catalogue) {
  const find = (schema) => {
    if (!schema || typeof schema !== "object") return null;
    return commandsOf(schema) ?? Object.values(schema).reduce((found, one) => found ?? find(one), null);
  };
  const names = find(catalogue.faults.map((one) => one.schema)) ?? [];
  return h("datalist", { id: COMMANDS }, names.map((name) => h("option", { value: name })));
}
