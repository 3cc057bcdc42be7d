// The one script of every page; each module adds itself to what the server has already made usable.
import { AFTER_REQUEST, BEFORE_REQUEST, on } from "./events.js";
import { start as copy } from "./copy.js";
import { start as keyboard } from "./keyboard.js";
import { start as live } from "./live.js";
import { start as long } from "./long.js";
import { start as menus } from "./menus.js";
import { start as palette } from "./palette.js";
import { start as print } from "./print.js";
import { start as select } from "./select.js";
import { start as speech } from "./speech.js";
import { start as table } from "./table.js";
import { start as theme } from "./theme.js";
import { start as toast } from "./toast.js";

document.documentElement.classList.add("js");
for (const start of [toast, long, copy, print, select, menus, keyboard, table, theme, live, palette, speech]) start();

on(BEFORE_REQUEST, () => document.documentElement.classList.add("loading"));
on(AFTER_REQUEST, () => document.documentElement.classList.remove("loading"));
