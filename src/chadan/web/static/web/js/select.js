// Row selection: the page checkbox, the count, the batch bar, "all N" and shift-click ranges.
import { AFTER_SWAP, on, onWithin } from "./events.js";

const ROW = "input[data-row]";
const rowsOf = (id) => [...document.querySelectorAll(`${ROW}[form="${CSS.escape(id)}"]`)];
let last = null;

// The amount of the whole query is the server's to tell.
function amount(rows, whole) {
  const fens = rows.filter((row) => row.checked).map((row) => row.dataset.fen);
  if (whole || fens.some((fen) => fen === undefined)) return "—";
  const sum = fens.reduce((total, fen) => total + BigInt(fen), 0n);
  return `¥${(sum / 100n).toLocaleString("en")}.${String(sum % 100n).padStart(2, "0")}`;
}

/** Brings bar and page checkbox of the form `id` in step with its rows. */
export function refresh(id) {
  const bar = document.getElementById(id);
  if (!bar) return;
  const rows = rowsOf(id);
  const chosen = rows.filter((row) => row.checked).length;
  const everything = bar.querySelector("[data-everything]");
  const pageFull = rows.length > 0 && chosen === rows.length;
  if (everything && !pageFull) everything.checked = false;
  const count = everything?.checked ? Number(everything.value) : chosen;
  bar.dataset.count = String(count);
  // Of many orders the server knows about how many there are.
  const shown = (everything?.checked && everything.dataset.text) || count.toLocaleString();
  for (const place of bar.querySelectorAll("[data-count-text]")) place.textContent = shown;
  for (const place of document.querySelectorAll(`[data-count-of="${CSS.escape(id)}"]`)) place.textContent = shown;
  for (const place of document.querySelectorAll(`[data-amount-of="${CSS.escape(id)}"]`)) place.textContent = amount(rows, everything?.checked);
  const offer = bar.querySelector("[data-everything-offer]");
  if (offer) offer.hidden = !pageFull;
  for (const page of document.querySelectorAll(`input[data-page="${CSS.escape(id)}"]`)) {
    page.checked = pageFull;
    page.indeterminate = chosen > 0 && !pageFull;
  }
}

const refreshAll = () => {
  for (const bar of document.querySelectorAll("form.batch")) refresh(bar.id);
};

export function start() {
  onWithin("change", "input[data-page]", (box) => {
    for (const row of rowsOf(box.dataset.page)) row.checked = box.checked;
    refresh(box.dataset.page);
  });
  onWithin("click", ROW, (row, event) => {
    const rows = rowsOf(row.form?.id ?? "");
    if (event.shiftKey && last && rows.includes(last)) {
      const [from, to] = [rows.indexOf(last), rows.indexOf(row)].sort((a, b) => a - b);
      for (const between of rows.slice(from, to + 1)) between.checked = row.checked;
    }
    last = row;
  });
  onWithin("change", ROW, (row) => row.form && refresh(row.form.id));
  onWithin("change", "[data-everything]", (box) => refresh(box.form.id));
  onWithin("click", "[data-unselect]", (button) => {
    for (const row of rowsOf(button.form.id)) row.checked = false;
    refresh(button.form.id);
  });
  on(AFTER_SWAP, refreshAll);
  // Back restores checkboxes after this module has run.
  window.addEventListener("pageshow", refreshAll);
  refreshAll();
}
