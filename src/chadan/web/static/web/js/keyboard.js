// "/" search, j/k move, x select, o or Enter open, "?" help. Off while typing and while a dialog is open.
const typing = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select"));
const rows = () => [...document.querySelectorAll("tr[data-open]")];

function move(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.findIndex((row) => row.classList.contains("here"));
  const next = all[Math.min(Math.max(here + step, 0), all.length - 1)];
  all[here]?.classList.remove("here");
  next.classList.add("here");
  next.querySelector("a")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const current = () => document.querySelector("tr[data-open].here");
const open = () => {
  const link = current()?.querySelector("a");
  link?.click();
  return Boolean(link);
};
const actions = {
  "/": () => {
    const box = document.querySelector("input[type=search]");
    box?.focus();
    box?.select();
    return Boolean(box);
  },
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("input[type=checkbox]")?.click(),
  o: open,
  Enter: open,
  "?": () => document.getElementById("keyboard-help")?.showModal(),
};

export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && event.target instanceof HTMLInputElement && event.target.type === "search") event.target.blur();
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const act = Object.hasOwn(actions, event.key) ? actions[event.key] : null;
    // Enter belongs to the link or button that has the focus.
    if (!act || (event.key === "Enter" && event.target !== document.body)) return;
    if (act() !== false) event.preventDefault();
  });
}
