"use strict";
// The page can be read without this: it filters, opens, copies and joins fields with their bytes.
(() => {
  const form = document.querySelector("form.filters");
  const cases = [...document.querySelectorAll("details.case")];
  const words = new Map();
  const wordsOf = (one) => {
    if (!words.has(one)) {
      const parts = one.querySelectorAll(":scope > summary, .about, .differences");
      words.set(one, [...parts].map((part) => part.textContent).join(" ").toLowerCase());
    }
    return words.get(one);
  };
  const boxes = (name) => [...form.querySelectorAll(`[name=${name}]`)];
  const chosen = (name) => new Set(boxes(name).filter((box) => box.checked).map((box) => box.value));

  const filter = () => {
    const outcomes = chosen("outcome");
    const levels = chosen("level");
    const text = form.elements.text.value.trim().toLowerCase();
    let shown = 0;
    for (const one of cases) {
      const fits = outcomes.has(one.dataset.outcome) && levels.has(one.dataset.level) && (!text || wordsOf(one).includes(text));
      one.hidden = !fits;
      shown += fits;
    }
    for (const section of document.querySelectorAll("section.section")) {
      section.hidden = !section.querySelector("details.case:not([hidden])");
    }
    document.querySelector(".nothing").hidden = shown > 0;
    form.querySelector("output").textContent = `${shown} of ${cases.length}`;
  };

  // report.html#outcome=failed&text=crc&open=2/12 shows what it says; #case-2-12 opens that case.
  const follow = () => {
    const hash = decodeURIComponent(location.hash.slice(1));
    const target = document.getElementById(hash);
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.hidden = false;
      target.scrollIntoView();
    } else if (hash.includes("=")) {
      const wish = new URLSearchParams(hash);
      for (const name of ["outcome", "level"]) {
        const values = wish.get(name)?.split(",");
        if (values) boxes(name).forEach((box) => { box.checked = values.includes(box.value); });
      }
      if (wish.has("text")) form.elements.text.value = wish.get("text");
      filter();
      document.getElementById(`case-${wish.get("open")?.replace("/", "-")}`)?.setAttribute("open", "");
    }
  };

  const copy = async (button) => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "selected";
    }
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  };

  const mark = (element, on) => {
    const key = element?.dataset?.k;
    const scope = element?.closest?.(".dissected");
    if (key === undefined || !scope) return;
    for (const one of scope.querySelectorAll(`[data-k="${key}"]`)) {
      one.classList.toggle("on", on);
      if (on && one.matches("tr") && !element.matches("tr")) one.scrollIntoView({ block: "nearest" });
    }
  };
  const marked = (event) => event.target.closest?.("[data-k]");
  for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(name, (event) => mark(marked(event), on));
  }

  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.("tr[data-k]");
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const next = row && step && row[step];
    if (!next) return;
    event.preventDefault();
    row.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (!button) return;
    if (button.dataset.do === "copy") copy(button);
    else for (const one of cases) one.open = button.dataset.do === "open" && !one.hidden;
  });

  // On paper there is nothing to click.
  addEventListener("beforeprint", () => {
    for (const one of cases) if (one.dataset.outcome === "failed" && !one.hidden) one.open = true;
  });

  form.hidden = false;
  for (const button of document.querySelectorAll("button[data-do=copy]")) button.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", follow);
  filter();
  follow();
})();
