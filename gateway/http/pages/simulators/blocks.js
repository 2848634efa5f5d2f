// Block Kit as Slack shows it. `desk` says what a press or a choice does.

import { el } from "/simulators/dom.js";
import { field } from "/simulators/fields.js";
import { markdown, mrkdwn, plain } from "/simulators/text.js";

export function blocks(list, desk) {
  // Buttons are numbered over the whole message, in the order in which they stand.
  const state = { ...desk, button: 0 };
  return list.map((block) => shown(block, state));
}

function shown(block, state) {
  switch (block.type) {
    case "header":
      return el("h3", {}, plain(block.text.text));
    case "section":
      return section(block, state);
    case "markdown":
      return markdown(block.text);
    case "context":
      return el("p", { class: "context" }, block.elements.map(text));
    case "divider":
      return el("hr");
    case "table":
      return table(block);
    case "actions":
      return el(
        "div",
        { class: "actions" },
        block.elements.map((element) => control(element, block, state)),
      );
    case "input":
      return input(block, state);
    default:
      return el("p", { class: "context" }, `(a block of type ${block.type})`);
  }
}

export function text(object) {
  return object.type === "plain_text"
    ? el("span", {}, plain(object.text))
    : mrkdwn(object.text ?? "");
}

function section(block, state) {
  const accessory = block.accessory ? control(block.accessory, block, state) : null;
  const pairs = (block.fields ?? []).map((each) => el("div", {}, text(each)));
  return el(
    "div",
    { class: "section" },
    el(
      "div",
      {},
      block.text ? el("div", { class: "prose" }, text(block.text)) : null,
      pairs.length ? el("div", { class: "fields" }, pairs) : null,
    ),
    accessory,
  );
}

function table(block) {
  const [head, ...rows] = block.rows;
  const cells = (row, tag) =>
    el("tr", {}, row.map((cell) => el(tag, { class: wrap(cell.text) }, cell.text ?? "")));
  return el(
    "div",
    { class: "table", tabindex: "0" },
    el(
      "table",
      {},
      el("thead", {}, cells(head, "th")),
      el("tbody", {}, rows.map((row) => cells(row, "td"))),
    ),
  );
}

// Ids and the like stay in one piece.
function wrap(text) {
  return (text ?? "").length <= 24 ? "short" : null;
}

function control(element, block, state) {
  if (element.type !== "button") {
    return field(element, block, state);
  }
  const index = state.button;
  state.button += 1;
  const style = element.style ? ` ${element.style}` : "";
  return el(
    "button",
    { type: "button", class: `press${style}`, onclick: () => state.press(element, index) },
    plain(element.text.text),
  );
}

function input(block, state) {
  const hint = block.hint ? el("small", {}, plain(block.hint.text)) : null;
  return el(
    "label",
    { class: "input", "data-block": block.block_id },
    plain(block.label.text),
    block.optional ? el("small", {}, " (optional)") : null,
    field(block.element, block, state),
    hint,
    el("span", { class: "bad", "data-error": block.block_id }),
  );
}
