// Speaking into the search box, where the browser can listen. It asks for the microphone when the button is pressed, never before.
import { onWithin } from "./events.js";
import { toast } from "./toast.js";

const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;
let listening = null;

function listen(button) {
  const input = button.form.querySelector("input[type=search]");
  const heard = new Recognition();
  heard.lang = document.documentElement.lang.startsWith("en") ? "en-US" : "zh-CN";
  heard.interimResults = true;
  heard.onresult = (event) => {
    const last = event.results[event.results.length - 1];
    // A dictated sentence ends in a full stop that nobody would have typed.
    input.value = [...event.results].map((result) => result[0].transcript).join("").trim().replace(/[。.！!？?]$/, "");
    if (last.isFinal && input.value) input.form.requestSubmit();
  };
  heard.onerror = (event) => {
    if (event.error === "aborted") return;
    toast(event.error === "not-allowed" || event.error === "service-not-allowed" ? button.dataset.denied : button.dataset.unheard, "red");
  };
  heard.onend = () => {
    listening = null;
    button.setAttribute("aria-pressed", "false");
  };
  listening = heard;
  button.setAttribute("aria-pressed", "true");
  heard.start();
}

export function start() {
  if (!Recognition) return;
  document.documentElement.classList.add("speech");
  onWithin("click", "[data-speech]", (button) => (listening ? listening.stop() : listen(button)));
}
