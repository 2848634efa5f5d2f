// A mail program: threads, and every part of an answer as its reader would see it.

import { clock, el, find, refill } from "/simulators/dom.js";
import { json } from "/simulators/json.js";

// Mails come without fonts of their own; every mail program has one for them.
const FONT =
  "<style>:root{font:13px/1.4 sans-serif;overflow-wrap:break-word}</style>";
const PARTS = ["html", "text", "json"];

export class Mail {
  constructor(page) {
    this.page = page;
    this.answers = null;
    this.tabs = new Map();
    find("mail-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const [subject, text] = [find("mail-subject"), find("mail-text")];
      page.attempt(async () => {
        await this.write({
          subject: subject.value,
          text: text.value,
          answers: this.answers?.uid ?? 0,
        });
        subject.value = text.value = "";
        this.reply(null);
      });
    });
  }

  write(letter) {
    return this.page.session.call("POST", "/simulators/api/mail", {
      who: this.page.who,
      ...letter,
    });
  }

  show({ mail, is_real: isReal }) {
    this.state = mail;
    find("mail-form").hidden = mail === null;
    if (mail === null) {
      const why = isReal.mail ? "A real mailbox is set up." : "Starting…";
      refill(find("mail-list"), [el("p", { class: "empty" }, why)]);
      return;
    }
    find("mail-address").textContent = `${mail.address} to ${mail.mailbox}`;
    refill(find("mail-list"), this.threads());
  }

  threads() {
    const threads = new Map();
    for (const mail of this.state.mails) {
      threads.set(mail.thread, [...(threads.get(mail.thread) ?? []), mail]);
    }
    if (!threads.size) {
      return [el("p", { class: "empty" }, "No mail yet. Write one below.")];
    }
    return [...threads.values()].map((mails) =>
      el("section", { class: "thread" }, mails.map((mail) => this.mail(mail))),
    );
  }

  mail(mail) {
    const key = `${mail.is_sent}-${mail.uid}`;
    return el(
      "article",
      { class: mail.is_sent ? "letter sent" : "letter" },
      el(
        "p",
        { class: "head" },
        el("strong", {}, mail.is_sent ? "You" : nameOf(mail.from)),
        ` ${clock(mail.at)} `,
        el("span", { class: "subject" }, mail.subject || "(no subject)"),
      ),
      mail.is_sent ? el("pre", {}, mail.text) : this.parts(mail, key),
    );
  }

  parts(mail, key) {
    const present = PARTS.filter((name) => mail[name]);
    const chosen = this.tabs.get(key) ?? present[0] ?? "text";
    const choose = (name) => {
      this.tabs.set(key, name);
      refill(find("mail-list"), this.threads());
    };
    const tabs = present.map((name) =>
      el(
        "button",
        {
          type: "button",
          class: "tab",
          "aria-pressed": String(name === chosen),
          onclick: () => choose(name),
        },
        name,
      ),
    );
    const answer = el(
      "button",
      { type: "button", class: "tab", onclick: () => this.reply(mail) },
      "Reply",
    );
    return el(
      "div",
      {},
      el("div", { class: "tabs" }, tabs, answer),
      part(chosen, mail),
      mail.attachments.map((each) => el("p", { class: "file" }, `Attached: ${each.name}`)),
    );
  }

  reply(mail) {
    this.answers = mail;
    const note = find("mail-reply");
    note.hidden = mail === null;
    if (mail) {
      const stop = el(
        "button",
        { type: "button", class: "tab", onclick: () => this.reply(null) },
        "New mail",
      );
      note.replaceChildren(`Reply to ${nameOf(mail.from)} `, stop);
      find("mail-subject").value = mail.subject.replace(/^(?!re:)/i, "Re: ");
      find("mail-text").focus();
    }
  }
}

function nameOf(from) {
  return from.replace(/<.*>/, "").replaceAll('"', "").trim() || from;
}

function part(name, mail) {
  if (name === "json") {
    try {
      return json(JSON.parse(mail.json));
    } catch {
      return el("pre", {}, mail.json);
    }
  }
  if (name === "html") {
    // Nothing may run in there, nor reach this page.
    const frame = el("iframe", {
      sandbox: "",
      title: "HTML part",
      srcdoc: `${FONT}${mail.html}`,
    });
    frame.style.height = `${Math.min(460, 90 + mail.text.split("\n").length * 19)}px`;
    return frame;
  }
  return el("pre", {}, mail[name]);
}
