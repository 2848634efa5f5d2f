// Slack: channels, threads, private messages, buttons, dialogs, windows, the home tab.

import { blocks } from "/simulators/blocks.js";
import { clock, el, find, refill } from "/simulators/dom.js";
import { mrkdwn } from "/simulators/text.js";
import { Windows } from "/simulators/windows.js";

const HOME = "home";
const DM = "dm";
const TASK_FROM_MESSAGE = "task_from_message";
const LAUNCH = "launch";

export class Slack {
  constructor(page) {
    this.page = page;
    this.place = null;
    this.thread = "";
    this.seen = new Map();
    this.windows = new Windows(this);
    find("slack-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const field = find("slack-text");
      page.attempt(async () => {
        await this.type(field.value);
        field.value = "";
      });
    });
    find("slack-text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        find("slack-form").requestSubmit();
      }
    });
    find("slack-launch").addEventListener("click", () =>
      this.do({ do: "shortcut", callback: LAUNCH }),
    );
  }

  // ── what is done ──────────────────────────────────────────────────────────
  async act(act) {
    const body = { who: this.page.who, ...act };
    const told = await this.page.session.call("POST", "/simulators/api/slack", body);
    if (told.error) {
      throw new Error(`Slack says: ${told.error}`);
    }
    return told;
  }

  do(act) {
    return this.page.attempt(() => this.act(act));
  }

  type(line) {
    const channel = [HOME, DM, null].includes(this.place) ? "" : this.place;
    return this.act({ do: "type", channel, thread: this.thread, text: line });
  }

  press(message, button, index) {
    const act = { do: "press", channel: message.channel, ts: message.ts, index };
    this.windows.confirm(button, () => this.do(act));
  }

  // Somebody else sits down: the channel stays, what was private does not.
  leave() {
    this.thread = "";
    this.seen.clear();
    this.windows.close();
  }

  go(place) {
    this.place = place;
    this.thread = "";
    delete find("slack-messages").dataset.seen;
    if (place === HOME) {
      this.do({ do: HOME });
    }
    this.draw();
  }

  answer(ts) {
    this.thread = ts;
    this.draw();
    find("slack-text").focus();
  }

  // ── what is seen ──────────────────────────────────────────────────────────
  show({ slack, is_real: isReal }) {
    this.state = slack;
    find("slack-form").hidden = slack === null;
    if (slack === null) {
      const why = isReal.slack ? "A real workspace is set up." : "Starting…";
      refill(find("slack-messages"), [el("p", { class: "empty" }, why)]);
      return;
    }
    find("slack-team").textContent = slack.is_connected
      ? slack.team
      : `${slack.team}: the app is not connected`;
    this.place ??= slack.channels[0].id;
    this.windows.show(slack.view);
    this.draw();
  }

  draw() {
    const tabs = [
      ...this.state.channels.map(({ id, name }) => (name ? [id, `#${name}`] : [DM, "DM"])),
      [HOME, "Home"],
    ];
    find("slack-channels").replaceChildren(
      ...tabs.map(([id, label]) =>
        el(
          "button",
          {
            type: "button",
            class: "tab",
            "aria-pressed": String(id === this.place),
            onclick: () => this.go(id),
          },
          this.hasNews(id) ? `${label} •` : label,
        ),
      ),
    );
    const note = find("slack-thread");
    note.hidden = !this.thread;
    note.replaceChildren(
      "In the thread ",
      el(
        "button",
        { type: "button", class: "tab", onclick: () => this.answer("") },
        "leave it",
      ),
    );
    refill(
      find("slack-messages"),
      this.place === HOME ? this.home() : this.messages(),
    );
  }

  at(place) {
    const [dm] = this.state.channels.filter(({ name }) => !name);
    const channel = place === DM ? dm.id : place;
    return this.state.messages.filter((each) => each.channel === channel);
  }

  // What came where nobody was looking, such as the answer to a shortcut.
  hasNews(place) {
    const newest = this.at(place).at(-1)?.ts ?? "";
    if (place === this.place || !this.seen.has(place)) {
      this.seen.set(place, newest);
    }
    return newest > this.seen.get(place);
  }

  messages() {
    const here = this.at(this.place);
    const known = new Set(here.map((each) => each.ts));
    const roots = here.filter((each) => !known.has(each.thread) || each.thread === each.ts);
    if (!roots.length) {
      return [el("p", { class: "empty" }, "Nothing here yet. Try /ops help")];
    }
    return roots.map((root) => {
      const replies = here.filter((each) => each.thread === root.ts && each !== root);
      return el(
        "section",
        { class: "thread" },
        this.message(root),
        replies.length
          ? el("div", { class: "replies" }, replies.map((each) => this.message(each)))
          : null,
      );
    });
  }

  message(message) {
    const marks = [
      message.is_private ? "Only visible to you" : "",
      message.is_edited ? "(edited)" : "",
    ].join(" ");
    const body = message.blocks.length
      ? blocks(message.blocks, {
          press: (button, index) => this.press(message, button, index),
        })
      : [el("div", { class: "prose" }, mrkdwn(message.text))];
    return el(
      "article",
      { class: `message${message.is_private ? " private" : ""}` },
      el(
        "p",
        { class: "head" },
        el("strong", {}, message.who),
        message.is_bot ? el("small", { class: "app" }, "APP") : null,
        ` ${clock(message.at)} `,
        el("small", {}, marks.trim()),
        message.is_private ? null : this.menu(message),
      ),
      body,
    );
  }

  menu(message) {
    const thread = message.thread || message.ts;
    const item = (label, title, onclick) =>
      el("button", { type: "button", class: "menu", title, onclick }, label);
    return el(
      "span",
      { class: "menus" },
      item("Reply", "Reply in thread", () => this.answer(thread)),
      item("Task", "Create task from message", () =>
        this.do({
          do: "shortcut",
          callback: TASK_FROM_MESSAGE,
          channel: message.channel,
          ts: message.ts,
        }),
      ),
    );
  }

  home() {
    const view = this.state.home;
    if (!view) {
      return [el("p", { class: "empty" }, "Opening…")];
    }
    return blocks(view.blocks, {
      press: (button, index) =>
        this.windows.confirm(button, () => this.do({ do: HOME, index })),
    });
  }
}
