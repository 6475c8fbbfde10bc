// Numbers with a name and a unit.

import { fixed, h, say } from "./dom.js";

/** Fills a box with `[name, value, unit, digits]`; those that there are not are left out. */
export function fillTiles(box, tiles, ...words) {
  const there = tiles.filter(([, value]) => Number.isFinite(value));
  const texts = words.filter(Boolean);
  const key = `${there.map(([name]) => name)} ${texts.length}`;
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    box.replaceChildren(...there.map(() => h("div", { class: "tile" }, h("small", {}), h("b", {}), h("span", {}))),
      ...texts.map(() => h("div", { class: "tile words" })));
  }
  there.forEach(([name, value, unit, digits], index) => {
    const [label, number, of] = box.children[index].children;
    say(label, name);
    say(number, fixed(value, digits));
    say(of, unit);
  });
  texts.forEach((text, index) => say(box.children[there.length + index], text));
}
