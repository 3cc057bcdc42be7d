// Short messages that go by themselves; the region is aria-live, so they are read aloud.
import { on, RESPONSE_ERROR, SEND_ERROR, TOAST } from "./events.js";

const STAY = 4000;

/** Shows `text`; `tone` "red" is for failures, which stay twice as long. */
export function toast(text, tone = "") {
  const region = document.getElementById("toasts");
  if (!region || !text) return;
  const note = document.createElement("div");
  note.className = `toast ${tone === "red" ? "red" : ""}`;
  note.textContent = text;
  region.append(note);
  while (region.children.length > 3) region.firstElementChild.remove();
  setTimeout(() => note.remove(), tone === "red" ? STAY * 2 : STAY);
}

export function start() {
  on(TOAST, (event) => toast(event.detail.text ?? event.detail.value, event.detail.tone));
  const said = () => document.getElementById("toasts")?.dataset;
  on(RESPONSE_ERROR, () => toast(said()?.failed, "red"));
  on(SEND_ERROR, () => toast(said()?.offline, "red"));
}
