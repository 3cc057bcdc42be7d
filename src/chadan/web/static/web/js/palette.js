// The command palette: Ctrl+K or Cmd+K, or a click on its button. The list is fetched when it is first opened, then filtered here.
import { onWithin } from "./events.js";

const dialog = () => document.getElementById("palette");
const box = () => dialog().querySelector("[role=combobox]");
const options = () => [...dialog().querySelectorAll("[role=option]")];
const visible = () => options().filter((option) => !option.hidden);
const active = () => dialog().querySelector('[aria-selected="true"]');
let loading = null;

async function load() {
  const answer = await fetch(dialog().dataset.items, { headers: { "X-Requested-With": "fetch" } });
  // Signed out meanwhile: the page knows the way.
  if (!answer.ok || answer.redirected) return window.location.assign("/palette");
  const list = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("palette-list").replaceChildren(...list.body.children);
  return filter();
}

function choose(option) {
  active()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) box().setAttribute("aria-activedescendant", option.id);
  else box().removeAttribute("aria-activedescendant");
}

function filter() {
  const typed = box().value.trim();
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  for (const option of options()) {
    if ("ask" in option.dataset) {
      option.hidden = !typed;
      option.querySelector("[data-text]").textContent = typed;
    } else option.hidden = !words.every((word) => option.dataset.words.includes(word));
  }
  for (const group of dialog().querySelectorAll("[role=group]")) group.hidden = !group.querySelector("[role=option]:not([hidden])");
  const found = visible();
  box().setAttribute("aria-expanded", String(found.length > 0));
  dialog().querySelector("[data-said]").textContent = dialog().dataset.count.replace("{n}", found.length);
  choose(found[0]);
}

function step(by) {
  const found = visible();
  if (!found.length) return;
  const here = found.indexOf(active());
  choose(found[(here + by + found.length) % found.length]);
}

function open() {
  if (!dialog() || document.querySelector("dialog[open]")) return;
  dialog().showModal();
  box().value = "";
  box().focus();
  loading ??= load().catch(() => window.location.assign("/palette"));
  loading.then(() => dialog()?.querySelector("[role=option]") && filter());
}

function go(option) {
  if (!option || "ask" in option.dataset) box().form.requestSubmit();
  else window.location.assign(option.href);
}

const keys = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  Home: () => choose(visible()[0]),
  End: () => choose(visible().at(-1)),
  Enter: () => go(active()),
};

export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      if (!dialog()) return;
      event.preventDefault();
      if (dialog().open) dialog().close();
      else open();
    } else if (dialog()?.open && event.target === box() && Object.hasOwn(keys, event.key) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  onWithin("input", "#palette [role=combobox]", filter);
  onWithin("click", "[data-palette]", (_button, event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !dialog()) return;
    event.preventDefault();
    open();
  });
  onWithin("click", "#palette [data-ask]", (option, event) => {
    event.preventDefault();
    go(option);
  });
}
