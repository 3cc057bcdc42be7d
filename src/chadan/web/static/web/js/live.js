// Keeps an open list or order up to date. What to listen to stands in the page's [data-live] element; nothing happens without one.
import { AFTER_SWAP, on } from "./events.js";

const FAILED_TWICE = 2; // streams that could not be opened before the page asks instead
const ASK_EVERY = 10_000;
const TRY_STREAM_AGAIN = 60_000;
const LONGEST_PAUSE = 30_000;
const SILENT = 40_000; // the heartbeat comes every 15 s: a stream silent for so long is dead
const MOST = 100;

let stream = null;
let position = "";
let failures = 0;
let asking = null;
let retry = null;
let watchdog = null;
let fresh = new Set();

const place = () => document.querySelector("[data-live]");
const rowOf = (number) => document.querySelector(`tr[data-no="${CSS.escape(number)}"]`);
const parse = (text) => new DOMParser().parseFromString(text, "text/html");

async function get(url) {
  const answer = await fetch(url, { headers: { "X-Requested-With": "live" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error(`answered ${answer.status}`);
  return answer;
}

function say(text) {
  const region = document.getElementById("live-said");
  if (region && text) region.textContent = text;
}

/** Puts `made`'s cells into `row` where they differ; the tick box and whatever has the focus stay. */
function redraw(row, made) {
  const cells = [...row.cells];
  let changed = false;
  [...made.cells].forEach((cell, place) => {
    const old = cells[place];
    if (!old || old.classList.contains("c-check") || old.isEqualNode(cell) || old.contains(document.activeElement)) return;
    old.replaceWith(document.importNode(cell, true));
    changed = true;
  });
  if (!changed) return;
  row.classList.add("changed");
  setTimeout(() => row.classList.remove("changed"), 2000);
}

function notice(text) {
  const bar = document.querySelector("[data-live-notice]");
  if (!bar || !text) return;
  bar.hidden = false;
  bar.textContent = text;
}

async function updateList(here, numbers, everything) {
  const shown = numbers.filter(rowOf).slice(0, MOST);
  for (const number of numbers) if (!rowOf(number) && number >= here.dataset.madeAt) fresh.add(number);
  const asked = [...fresh].slice(-MOST);
  if (!shown.length && !asked.length && !everything) return;
  const page = parse(await (await get(`${here.dataset.rows}&row=${shown.join(",")}&fresh=${asked.join(",")}`)).text());
  const table = page.querySelector("table");
  for (const made of table.querySelectorAll("tr[data-no]")) {
    const row = rowOf(made.dataset.no);
    if (row) redraw(row, made);
  }
  notice(table.dataset.notice || (everything ? table.dataset.stale : ""));
  say(table.dataset.said);
}

const typed = (part) => [...part.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);

/** Swaps the parts of an order's page that changed; one that has the focus waits until it is left. */
async function updateOrder(here) {
  const page = parse(await (await get(here.dataset.page)).text());
  for (const made of page.querySelectorAll("[data-part]")) {
    const old = document.querySelector(`[data-part="${CSS.escape(made.dataset.part)}"]`);
    // Cards somebody is looking at are not in the page as it opens, nor is what somebody has begun to write.
    if (!old || old.querySelector(".secret.shown") || typed(old) || old.isEqualNode(made)) continue;
    if (made.dataset.part === "state") say(made.dataset.said);
    if (!old.contains(document.activeElement)) old.replaceWith(document.importNode(made, true));
    else old.addEventListener("focusout", () => setTimeout(() => changed([here.dataset.order])), { once: true });
  }
}

async function changed(numbers, everything = false) {
  const here = place();
  if (!here) return;
  try {
    if (here.dataset.order) {
      if (everything || numbers.includes(here.dataset.order)) await updateOrder(here);
    } else {
      const visible = everything ? [...document.querySelectorAll("tr[data-no]")].map((row) => row.dataset.no) : numbers;
      await updateList(here, visible, everything);
    }
  } catch {
    // The page stays as it is; the next change or a reload brings it up to date.
  }
}

async function ask() {
  const here = place();
  if (!here || document.hidden) return;
  try {
    const found = await (await get(`${here.dataset.poll}&since=${position || here.dataset.since}`)).json();
    position = String(found.position);
    if (found.resync) await changed([], true);
    else if (found.orders.length) await changed(found.orders);
  } catch {
    // Asked again soon.
  }
}

function askInstead() {
  if (asking) return;
  asking = setInterval(ask, ASK_EVERY);
  ask();
}

function alive() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => {
    close();
    open();
  }, SILENT);
}

function close() {
  clearTimeout(retry);
  clearTimeout(watchdog);
  stream?.close();
  stream = null;
}

function failed() {
  close();
  failures += 1;
  if (failures >= FAILED_TWICE) askInstead();
  const pause = failures >= FAILED_TWICE ? TRY_STREAM_AGAIN : Math.min(1000 * 2 ** failures, LONGEST_PAUSE);
  retry = setTimeout(open, pause * (0.75 + Math.random() / 2));
}

function open() {
  const here = place();
  if (!here || stream || document.hidden) return;
  stream = new EventSource(`${here.dataset.live}&since=${position || here.dataset.since}`, { withCredentials: true });
  const heard = (name, act) =>
    stream.addEventListener(name, (event) => {
      position = event.lastEventId;
      alive();
      act(event);
    });
  stream.addEventListener("open", () => {
    failures = 0;
    clearInterval(asking);
    asking = null;
    alive();
  });
  // Opened anew by this module, with the position reached: a browser gives up for good at an error status.
  stream.addEventListener("error", failed);
  heard("orders", (event) => changed(JSON.parse(event.data).orders));
  heard("resync", () => changed([], true));
  heard("position", () => {});
}

export function start() {
  // A page in the background holds no connection (browsers allow six a host); seen again, it is told what it missed.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  // Another list in the same page counts its own new orders.
  on(AFTER_SWAP, () => {
    fresh = new Set();
    open();
  });
  open();
}
