// A table narrower than its wrap is no scroll box: then its head can stick to the page (see .fits in data.css).
import { AFTER_SWAP, on } from "./events.js";

const measure = (wrap) => {
  wrap.classList.remove("fits");
  wrap.classList.toggle("fits", wrap.scrollWidth <= wrap.clientWidth);
};
const watcher = new ResizeObserver((entries) => {
  for (const entry of entries) measure(entry.target);
});

const watchAll = () => {
  watcher.disconnect();
  for (const wrap of document.querySelectorAll(".table-wrap")) watcher.observe(wrap);
};

export function start() {
  on(AFTER_SWAP, watchAll);
  watchAll();
}
