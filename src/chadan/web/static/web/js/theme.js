// Theme and row height change at once; the form remembers them in a cookie. Without scripts the form itself does both.
import { onWithin } from "./events.js";

const ROOT = document.documentElement;

export function start() {
  onWithin("click", "form[data-preferences] button[name=theme], form[data-preferences] button[name=density]", (button, event) => {
    event.preventDefault();
    ROOT.dataset[button.name] = button.value;
    for (const twin of document.querySelectorAll(`button[name="${button.name}"]`)) {
      twin.setAttribute("aria-pressed", String(twin.value === button.value));
    }
    const body = new FormData(button.form);
    body.set(button.name, button.value);
    fetch(button.form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  });
}
