// The page: signs in, asks for the state once a second, and hands it to the columns.

import { find, say } from "/simulators/dom.js";
import { Mail } from "/simulators/mail.js";
import { Rest } from "/simulators/rest.js";
import { Session } from "/simulators/session.js";
import { Slack } from "/simulators/slack.js";
import { Terminal } from "/simulators/terminal.js";
import { Webhook } from "/simulators/webhook.js";

const PAUSE_MS = 1000;

const session = new Session();
const page = {
  session,
  get who() {
    return document.querySelector("input[name=who]:checked").value;
  },
  // Does something, shows what became of it at once, and tells of a refusal.
  async attempt(work) {
    try {
      say("");
      const told = await work();
      await look();
      return told;
    } catch (fault) {
      say(fault.message);
      return null;
    }
  },
};
const slack = new Slack(page);
const mail = new Mail(page);
const webhook = new Webhook(page);
const terminal = new Terminal(page);
const rest = new Rest(page);

let seen = "";

async function look() {
  const state = await session.call("GET", `/simulators/api/state?who=${page.who}`);
  const text = JSON.stringify(state);
  if (text !== seen) {
    seen = text;
    slack.show(state);
    mail.show(state);
  }
}

async function watch() {
  while (session.isOpen) {
    try {
      await look();
    } catch (fault) {
      say(fault.message);
      if (fault.problem?.status === 401) {
        leave();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function enter() {
  find("sign-in").hidden = true;
  find("columns").hidden = false;
  find("sign-out").hidden = false;
  say("");
  terminal.connect();
  webhook.refresh();
  watch();
}

function leave() {
  session.signOut();
  terminal.close();
  seen = "";
  find("columns").hidden = true;
  find("sign-out").hidden = true;
  find("sign-in").hidden = false;
}

async function signIn(credential) {
  try {
    await session.signIn(credential.trim());
    enter();
  } catch (fault) {
    leave();
    say(fault.message);
  }
}

find("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = find("credential");
  signIn(field.value);
  field.value = "";
});
find("sign-out").addEventListener("click", leave);
for (const button of document.querySelectorAll(".widen")) {
  button.addEventListener("click", () =>
    button.closest(".column").classList.toggle("wide"),
  );
}
find("who").addEventListener("change", () => page.attempt(async () => slack.leave()));
find("everywhere").addEventListener("submit", (event) => {
  event.preventDefault();
  const line = find("everywhere-line").value.trim();
  page.attempt(() =>
    Promise.all([
      slack.type(`/ops ${line}`),
      mail.write({ subject: line.slice(0, 80), text: `!${line}` }),
      webhook.deliver(line),
      terminal.run(line),
      rest.run(line),
    ]),
  );
});

if (location.hash.length > 1) {
  const link = location.hash;
  history.replaceState(null, "", location.pathname);
  signIn(link);
} else if (session.isOpen) {
  enter();
} else {
  leave();
}
