// Elements without a framework. Text goes in as text, never as markup: ids and names come from strangers.

/** Makes an element: properties, `on…` listeners, `data` and `aria-…` attributes, then its children. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "class") element.className = value;
    else if (key in element && !key.includes("-") && key !== "list" && key !== "role") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets a text only if it is another one, so that nothing is laid out in vain. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A number with so many digits behind the point, and never a zero with a minus. */
export const fixed = (value, digits) => value.toFixed(digits).replace(/^-(0(\.0*)?)$/, "$1");

/** A text in which what stands between backticks is code. */
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

export const byId = (id) => document.getElementById(id);

/** Shows a note for a while. A mistake stays longer and goes at a click; other notes leave a click to what they cover. */
export function note(text, kind = "good") {
  const box = byId("notes");
  const one = h("button", { class: `note ${kind}`, type: "button", title: "Close", onclick: () => one.remove() }, text);
  box.append(one);
  while (box.children.length > 4) box.firstChild.remove();
  setTimeout(() => one.remove(), kind === "bad" ? 12000 : 5000);
}

/** A button that asks once more before it acts. */
export function careful(label, act) {
  const button = h("button", { type: "button", class: "bad", onclick: () => {
    if (button.dataset.sure) {
      act();
      calm();
      return;
    }
    button.dataset.sure = "1";
    say(button, "Sure?");
    setTimeout(calm, 3000);
  } }, label);
  const calm = () => {
    delete button.dataset.sure;
    say(button, label);
  };
  return button;
}

/** A list of which only what is visible is in the page: all rows have one height. */
export class VirtualList {
  constructor({ height, make, fill, label, role = "list" }) {
    Object.assign(this, { height, make, fill });
    this.rows = [];
    this.count = 0;
    this.space = h("div", { class: "space" });
    this.element = h("div", { class: "vlist", tabIndex: 0, role, "aria-label": label }, this.space);
    this.element.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** There are so many rows now. */
  resize(count) {
    this.count = count;
    this.space.style.height = `${count * this.height}px`;
    this.draw();
  }

  draw() {
    const visible = Math.ceil(this.element.clientHeight / this.height) + 2;
    const first = Math.max(0, Math.min(Math.floor(this.element.scrollTop / this.height), this.count - visible + 1));
    const wanted = Math.max(0, Math.min(visible, this.count - first));
    while (this.rows.length < wanted) {
      const row = this.make();
      row.classList.add("row");
      this.rows.push(row);
      this.space.append(row);
    }
    while (this.rows.length > wanted) this.rows.pop().remove();
    this.rows.forEach((row, index) => {
      row.style.transform = `translateY(${(first + index) * this.height}px)`;
      this.fill(row, first + index);
    });
  }

  /** Scrolls as little as needed to show a row. */
  show(index) {
    const [top, view] = [index * this.height, this.element];
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + this.height > view.scrollTop + view.clientHeight) view.scrollTop = top + this.height - view.clientHeight;
    this.draw();
  }

  toEnd() {
    this.element.scrollTop = this.count * this.height;
  }

  isAtEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    return scrollTop + clientHeight >= scrollHeight - this.height;
  }
}
