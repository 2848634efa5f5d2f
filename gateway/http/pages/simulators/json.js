// Shows JSON with its names set apart, and never wider than its column.

import { el } from "/simulators/dom.js";

const LONGEST = 4000;
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)/g;

export function json(value) {
  const text = JSON.stringify(value, null, 1);
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}\n…` : text;
  const pre = el("pre", { class: "json" });
  let end = 0;
  for (const match of shown.matchAll(TOKEN)) {
    pre.append(shown.slice(end, match.index), ...pieces(match));
    end = match.index + match[0].length;
  }
  pre.append(shown.slice(end));
  return pre;
}

function pieces([whole, text, colon]) {
  if (colon) {
    return [el("span", { class: "json-name" }, text), colon];
  }
  return [el("span", { class: text ? "json-text" : "json-word" }, whole)];
}
