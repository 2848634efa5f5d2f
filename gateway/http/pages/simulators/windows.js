// What lies over Slack: the dialog that asks "are you sure?", and the windows of the app.

import { blocks, text } from "/simulators/blocks.js";
import { el, find } from "/simulators/dom.js";
import { valuesOf } from "/simulators/fields.js";
import { plain } from "/simulators/text.js";

export class Windows {
  constructor(slack) {
    this.slack = slack;
    this.shown = "";
    this.isAsking = false;
  }

  // Slack asks on its own before it tells the app of such a button.
  confirm(button, proceed) {
    const dialog = button.confirm;
    if (!dialog) {
      proceed();
      return;
    }
    this.isAsking = true;
    const leave = (isSure) => () => {
      this.isAsking = false;
      this.close();
      if (isSure) proceed();
    };
    const style = dialog.style === "danger" ? "danger" : "primary";
    this.lay(
      el(
        "div",
        { class: "window", role: "alertdialog", "aria-label": plain(dialog.title.text) },
        el("h3", {}, plain(dialog.title.text)),
        el("div", { class: "prose" }, text(dialog.text)),
        el(
          "div",
          { class: "actions end" },
          el(
            "button",
            { type: "button", class: "press", onclick: leave(false) },
            plain(dialog.deny.text),
          ),
          el(
            "button",
            { type: "button", class: `press ${style}`, onclick: leave(true) },
            plain(dialog.confirm.text),
          ),
        ),
      ),
    );
  }

  // A window stays as it is while somebody fills it in, until the app changes it.
  show(view) {
    if (this.isAsking) return;
    const key = view ? `${view.id}-${view.hash}` : "";
    if (key === this.shown) return;
    this.shown = key;
    if (!view) {
      this.close();
      return;
    }
    const act = (what) => this.slack.do({ ...what, view: view.id });
    const form = el(
      "form",
      { class: "window", role: "dialog", "aria-label": plain(view.title.text) },
      el("h3", {}, plain(view.title.text)),
      el(
        "div",
        { class: "window-body" },
        blocks(view.blocks, {
          press: () => undefined,
          suggest: (what) => this.slack.act({ ...what, do: "suggest", view: view.id }),
          choose: (what) => act({ ...what, do: "choose" }),
        }),
      ),
      el(
        "div",
        { class: "actions end" },
        el(
          "button",
          { type: "button", class: "press", onclick: () => act({ do: "close" }) },
          plain(view.close?.text ?? "Cancel"),
        ),
        view.submit
          ? el("button", { type: "submit", class: "press primary" }, plain(view.submit.text))
          : null,
      ),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const told = await act({ do: "send", values: valuesOf(form) });
      for (const place of form.querySelectorAll("[data-error]")) {
        place.textContent = plain(told?.errors?.[place.dataset.error] ?? "");
      }
    });
    this.lay(form);
  }

  close() {
    const overlay = find("slack-overlay");
    overlay.hidden = true;
    overlay.replaceChildren();
    this.shown = "";
  }

  lay(content) {
    const overlay = find("slack-overlay");
    overlay.replaceChildren(content);
    overlay.hidden = false;
    content.querySelector("input, textarea, button")?.focus();
  }
}
