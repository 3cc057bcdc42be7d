// An address the server cannot read is not sent: filters travel in it, and it answers a longer one with a bare 414 or 431.
import { RESPONSE_ERROR, on } from "./events.js";
import { toast } from "./toast.js";

const LONGEST = 60_000;
const TOO_LONG = [414, 431];
const complain = () => toast(document.getElementById("toasts")?.dataset.toolong, "red");

export function start() {
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const method = event.submitter?.formMethod || form.method;
      if (method !== "get" || new URLSearchParams(new FormData(form)).toString().length <= LONGEST) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      complain();
    },
    true,
  );
  on(RESPONSE_ERROR, (event) => TOO_LONG.includes(event.detail.xhr.status) && complain());
}
