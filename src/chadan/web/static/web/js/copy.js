// Copy buttons: data-copy holds the text, or data-copy-from the id of the element whose text is copied.
import { onWithin } from "./events.js";
import { toast } from "./toast.js";

async function write(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  // A shop on plain http in its own network has no clipboard API.
  const box = document.createElement("textarea");
  box.value = text;
  box.className = "visually-hidden";
  (document.querySelector("dialog[open]") ?? document.body).append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  if (!done) throw new Error("copy refused");
}

export function start() {
  onWithin("click", "[data-copy], [data-copy-from]", async (button, event) => {
    event.preventDefault();
    const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom)?.textContent.trim() ?? "";
    try {
      await write(text);
      toast(button.dataset.copied);
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1500);
    } catch {
      toast(button.dataset.copyFailed, "red");
    }
    button.focus();
  });
}
