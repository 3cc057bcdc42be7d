// Every htmx event name we use, and how a server-made event reaches us. A later htmx renames them here only.
export const AFTER_SWAP = "htmx:afterSwap";
export const BEFORE_REQUEST = "htmx:beforeRequest";
export const AFTER_REQUEST = "htmx:afterRequest";
export const RESPONSE_ERROR = "htmx:responseError";
export const SEND_ERROR = "htmx:sendError";
// Sent by the server in HX-Trigger: {"toast": {"text": "…", "tone": "red"}}
export const TOAST = "toast";

/** Calls `handler` for `name` events anywhere on the page, now and after every swap. */
export const on = (name, handler) => document.addEventListener(name, handler);

/** Calls `handler(element, event)` when `name` happens on or inside an element that matches `selector`. */
export const onWithin = (name, selector, handler) =>
  document.addEventListener(name, (event) => {
    const element = event.target instanceof Element ? event.target.closest(selector) : null;
    if (element) handler(element, event);
  });
