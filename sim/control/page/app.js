// Puts the page together: the header, the tabs and the keys.

import { get, listen, on, seldom } from "./api.js";
import { byId, say } from "./dom.js";
import * as devices from "./devices.js";
import * as wire from "./wire.js";
import * as breakit from "./breakit.js";

const views = { devices, wire, break: breakit };
let shown = "";
let clock = { at: 0, scale: 1, paused: true, when: 0 };

/** The hash is `#view` or `#view/what`. */
function route() {
  const [name, ...rest] = decodeURIComponent(location.hash.slice(1)).split("/");
  const view = name in views ? name : "devices";
  for (const one of Object.keys(views)) {
    byId(`view-${one}`).hidden = one !== view;
    const link = document.querySelector(`nav a[data-view=${one}]`);
    if (one === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown && shown !== view) views[shown].hide();
  shown = view;
  views[view].show(rest.join("/"));
}

function keys(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || byId("token").open) return;
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "Escape") {
    typing?.blur();
    views[shown].escape?.();
    return;
  }
  if (typing) return;
  const name = Object.keys(views)[Number(event.key) - 1];
  if (name) {
    location.hash = name;
    event.preventDefault();
  } else if (event.key === "/") {
    byId(`view-${shown}`).querySelector("input[type=search]")?.focus();
    event.preventDefault();
  }
}

/** The time of the hub now; it is not known while the server is away, and stays as it was. */
function time() {
  const passed = clock.paused || clock.away ? 0 : (performance.now() - clock.when) / 1000;
  return clock.at + passed * clock.scale;
}

function tick() {
  const speed = clock.paused ? " paused" : clock.scale === 1 ? "" : ` ×${clock.scale}`;
  if (clock.when) say(byId("time"), `${time().toFixed(1)} s${speed}`);
}

const look = seldom(400, async () => {
  const [hub, faults] = await Promise.all([get("/v1/hub"), get("/v1/faults")]);
  clock = { at: hub.at, scale: hub.scale, paused: hub.paused, when: performance.now() };
  say(byId("listening"), hub.accepts ? hub.listening : `${hub.listening} (stopped)`);
  byId("listening").classList.toggle("bad", !hub.accepts);
  say(byId("count-devices"), hub.devices.toLocaleString("en"));
  say(byId("count-sessions"), String(hub.sessions));
  say(byId("count-faults"), String(faults.length));
  byId("count-faults").classList.toggle("bad", faults.length > 0);
  breakit.hubIs(hub, faults);
});

on("state", look);
on("link", (is) => {
  const link = byId("link");
  say(link, is ? "connected" : "server is away, trying again");
  link.classList.toggle("off", !is);
  document.body.classList.toggle("away", !is);
  if (!is) clock = { ...clock, at: time(), away: true };
});

Object.entries(views).forEach(([name, view]) => view.build(byId(`view-${name}`)));
addEventListener("hashchange", route);
addEventListener("keydown", keys);
setInterval(tick, 100);
setInterval(() => !document.hidden && !document.body.matches(".away") && look(), 5000);
route();
listen();
