// Menus close on Escape and on a click elsewhere; dialogs open by data-dialog and close on their backdrop.
import { on, onWithin } from "./events.js";

const openMenus = () => document.querySelectorAll("details.menu[open], details.capacity[open]");

export function start() {
  on("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
  on("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
    const drawer = document.getElementById("nav-toggle");
    if (drawer?.checked) {
      drawer.checked = false;
      drawer.focus();
    }
  });
  onWithin("click", "[data-close-menu]", (button) => {
    const menu = button.closest("details");
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  onWithin("click", "[data-dialog]", (button, event) => {
    const dialog = document.getElementById(button.dataset.dialog);
    if (!(dialog instanceof HTMLDialogElement)) return;
    event.preventDefault();
    dialog.showModal();
  });
  onWithin("click", "dialog", (dialog, event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}
