// Turns the colours of a terminal into spans; every other control sequence is dropped.

import { el, link } from "/simulators/dom.js";

// Colours, then links (OSC 8), then whatever else a terminal would not print.
const CONTROL =
  /\x1b\[([\d;]*)m|\x1b\]8;[^;]*;([^\x07\x1b]*)(?:\x07|\x1b\\)|\x1b\[[\d;?]*[A-Za-z]|\x1b./g;
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse" };
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export function ansi(text) {
  const pre = el("pre", {});
  let styles = new Set();
  let url = "";
  let end = 0;
  const flush = (until) => {
    const piece = text.slice(end, until);
    if (piece) {
      const shown = url ? link(url, piece) : piece;
      pre.append(el("span", { class: [...styles].join(" ") || null }, shown));
    }
  };
  for (const match of text.matchAll(CONTROL)) {
    flush(match.index);
    end = match.index + match[0].length;
    if (match[1] !== undefined) {
      styles = changed(styles, match[1]);
    } else if (match[2] !== undefined) {
      url = match[2];
    }
  }
  flush(text.length);
  return pre;
}

function changed(styles, codes) {
  const next = new Set(styles);
  for (const code of codes.split(";").map(Number)) {
    const colour = COLOURS[(code >= 90 ? code - 60 : code) - 30];
    if (code === 0) {
      next.clear();
    } else if (code === 22) {
      next.delete("bold");
      next.delete("dim");
    } else if (code in STYLES) {
      next.add(STYLES[code]);
    } else if (colour || code === 39) {
      COLOURS.forEach((each) => next.delete(`ansi-${each}`));
      if (colour) next.add(`ansi-${colour}`);
    }
  }
  return next;
}
