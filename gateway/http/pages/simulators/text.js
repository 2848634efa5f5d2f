// Slack's two dialects of text as elements: mrkdwn, and the markdown of newer blocks.

import { el, link } from "/simulators/dom.js";

const MRKDWN = new RegExp(
  [
    "```\\n?([\\s\\S]*?)```",
    "`([^`\\n]+)`",
    "<([^>|\\n]+)(?:\\|([^>\\n]*))?>",
    "(?<![\\w*])\\*([^*\\n]+)\\*(?![\\w*])",
    "(?<![\\w_])_([^_\\n]+)_(?![\\w_])",
  ].join("|"),
  "g",
);
const MARKDOWN = new RegExp(
  [
    "`([^`\\n]+)`",
    "\\[([^\\]\\n]+)\\]\\(([^)\\s]+)\\)",
    "\\*\\*([^*\\n]+)\\*\\*",
    "(https?://[^\\s<>)]+)",
  ].join("|"),
  "g",
);
const PEOPLE = { U0ANN0001: "ann", U0BOB0001: "bob", U0OPSBOT1: "ops" };

export function plain(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

export function mrkdwn(text) {
  return marked(text, MRKDWN, ([, fence, code, target, label, bold, italic]) => {
    if (fence !== undefined) return el("pre", {}, plain(fence));
    if (code !== undefined) return el("code", {}, plain(code));
    if (target !== undefined) return named(target, label);
    if (bold !== undefined) return el("strong", {}, mrkdwn(bold));
    return el("em", {}, mrkdwn(italic));
  });
}

// <@U1> is a person, <!channel> a ping, anything else a link.
function named(target, label) {
  if ("@!#".includes(target[0])) {
    const name = PEOPLE[target.slice(1)] ?? label ?? target.slice(1);
    return el("span", { class: "mention" }, `@${name}`);
  }
  return link(plain(target), plain(label ?? target));
}

export function markdown(text) {
  const shown = el("div", { class: "markdown" });
  const lines = text.split("\n");
  let list = null;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const bullet = /^\s*(?:[-*+]|\d+\.)\s+(.*)/.exec(line);
    if (/^\s*(```|~~~)/.test(line)) {
      const end = lines.findIndex((each, n) => n > at && /^\s*(```|~~~)/.test(each));
      const stop = end < 0 ? lines.length : end;
      shown.append(el("pre", {}, plain(lines.slice(at + 1, stop).join("\n"))));
      at = stop;
    } else if (bullet) {
      list ??= shown.appendChild(el("ul"));
      list.append(el("li", {}, inline(bullet[1])));
      continue;
    } else if (line.trim()) {
      shown.append(paragraph(line));
    }
    list = null;
  }
  return shown;
}

function paragraph(line) {
  const heading = /^#{1,6}\s+(.*)/.exec(line);
  const quote = /^(?:>|&gt;)\s?(.*)/.exec(line);
  if (heading) return el("p", {}, el("strong", {}, inline(heading[1])));
  if (quote) return el("blockquote", {}, inline(quote[1]));
  return el("p", {}, inline(line));
}

function inline(text) {
  return marked(text, MARKDOWN, ([, code, label, url, bold, bare]) => {
    if (code !== undefined) return el("code", {}, plain(code));
    if (label !== undefined) return link(plain(url), plain(label));
    if (bold !== undefined) return el("strong", {}, inline(bold));
    return link(plain(bare), plain(bare));
  });
}

function marked(text, pattern, show) {
  const shown = el("span");
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    shown.append(plain(text.slice(end, match.index)), show(match));
    end = match.index + match[0].length;
  }
  shown.append(plain(text.slice(end)));
  return shown;
}
