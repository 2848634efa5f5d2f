// The inputs of a window, and what Slack would send of them.

import { el } from "/simulators/dom.js";
import { plain } from "/simulators/text.js";

const PAUSE_MS = 200;

export function field(element, block, state) {
  const made = build(element, block, state);
  made.dataset.block ??= block.block_id;
  made.dataset.action = element.action_id;
  made.dataset.type = element.type;
  return made;
}

function build(element, block, state) {
  const hint = element.placeholder ? plain(element.placeholder.text) : null;
  const value = element.initial_value ?? "";
  switch (element.type) {
    case "plain_text_input":
      return element.multiline
        ? el("textarea", { rows: 2, placeholder: hint }, value)
        : el("input", { value, placeholder: hint });
    case "number_input":
      return el("input", { type: "number", step: "any", value, placeholder: hint });
    case "datetimepicker":
      return el("input", { type: "datetime-local" });
    case "static_select":
      return select(element, false);
    case "multi_static_select":
      return select(element, true);
    case "checkboxes":
      return el("span", {}, element.options.map(tick));
    case "external_select":
      return search(hint, element, block, state);
    default:
      return el("span", { class: "context" }, `(an input of type ${element.type})`);
  }
}

function select(element, multiple) {
  const initial = element.initial_option?.value;
  const none = multiple || initial ? [] : [el("option", { value: "" }, "–")];
  const options = element.options.map((each) =>
    el(
      "option",
      { value: each.value, selected: each.value === initial },
      plain(each.text.text),
    ),
  );
  return el("select", { multiple }, none, options);
}

function tick(option) {
  const box = el("input", { type: "checkbox", value: option.value });
  return el("span", {}, box, ` ${plain(option.text.text)}`);
}

// Asks the app while somebody types, and tells it at once what was chosen.
function search(hint, element, block, state) {
  const found = el("ul", { class: "options" });
  const typed = el("input", { placeholder: hint, "aria-label": hint });
  const at = { block: block.block_id, action: element.action_id };
  let timer;
  const look = async () => {
    const told = await state.suggest({ ...at, typed: typed.value });
    found.replaceChildren(
      ...(told?.options ?? []).slice(0, 12).map((option) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", onclick: () => state.choose({ ...at, value: option.value }) },
            el("strong", {}, plain(option.text.text)),
            option.description ? ` ${plain(option.description.text)}` : null,
          ),
        ),
      ),
    );
  };
  typed.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  look();
  return el("div", { class: "search" }, typed, found);
}

// What stands in the inputs, as Slack's `view.state.values`.
export function valuesOf(window) {
  const values = {};
  for (const made of window.querySelectorAll("[data-action]")) {
    const { block, action, type } = made.dataset;
    if (block && type !== "external_select") {
      values[block] = { [action]: { type, ...valueOf(made, type) } };
    }
  }
  return values;
}

function valueOf(made, type) {
  const option = (each) => ({
    text: { type: "plain_text", text: each.textContent || each.value },
    value: each.value,
  });
  switch (type) {
    case "static_select":
      return {
        selected_option: made.value ? option(made.selectedOptions[0]) : null,
      };
    case "multi_static_select":
      return { selected_options: [...made.selectedOptions].map(option) };
    case "checkboxes":
      return { selected_options: [...made.querySelectorAll(":checked")].map(option) };
    case "datetimepicker":
      return {
        selected_date_time: made.value ? Date.parse(made.value) / 1000 : null,
      };
    default:
      return { value: made.value || null };
  }
}
