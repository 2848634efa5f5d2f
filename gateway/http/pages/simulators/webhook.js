// A webhook sender: has its delivery signed, sends it, and reads what became of it.

import { append, el, find, say } from "/simulators/dom.js";
import { json } from "/simulators/json.js";

const DEMO = "demo-alerts";
const TRIES = 20;
const PAUSE_MS = 250;

export class Webhook {
  constructor(page) {
    this.page = page;
    find("webhook-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const endpoint = find("webhook-endpoint").value;
      page.attempt(() => this.send(endpoint, find("webhook-body").value));
    });
    find("webhook-demo").addEventListener("click", () =>
      page.attempt(() => this.makeDemo()),
    );
  }

  async refresh() {
    const answer = await this.page.session.run("webhook list --limit 50");
    const names = (answer.data?.items ?? []).map((each) => each.name);
    find("webhook-endpoint").replaceChildren(
      ...names.map((name) => el("option", { value: name }, name)),
    );
    find("webhook-demo").hidden = names.includes(DEMO);
    return names;
  }

  // It asks for a confirmation, because what it makes runs commands by itself.
  async makeDemo() {
    const templates = '{"title":"{title}"}';
    const asked = await this.page.session.run(
      `webhook create ${DEMO} --command "task create" --templates ${templates}`,
    );
    if (asked.data?.token) {
      await this.page.session.run(`confirm ${asked.data.token}`);
    }
    await this.refresh();
    find("webhook-endpoint").value = DEMO;
  }

  // A webhook runs one fixed command, so a line only fills in its text.
  async deliver(line) {
    if (!(await this.refresh()).includes(DEMO)) {
      await this.makeDemo();
    }
    await this.send(DEMO, JSON.stringify({ title: line }));
  }

  async send(endpoint, body) {
    if (!endpoint) {
      say("Make a demo endpoint first.");
      return;
    }
    const signed = await this.page.session.call("POST", "/simulators/api/webhook", {
      endpoint,
      body,
    });
    const response = await fetch(signed.path, {
      method: "POST",
      headers: { "content-type": "application/json", ...this.proof(signed.headers) },
      body,
    });
    const receipt = await response.json();
    const place = el(
      "article",
      { class: "exchange" },
      el("p", {}, el("code", {}, `POST …/webhook/${endpoint}`)),
      el("pre", { class: "json" }, headersOf(signed.headers)),
      el("pre", { class: "json" }, body),
      el(
        "p",
        { class: response.ok ? "good" : "bad" },
        `${response.status} ${receipt.request_id ?? receipt.title ?? ""}`,
      ),
    );
    append(find("webhook-list"), place);
    if (receipt.request_id) {
      await this.follow(endpoint, receipt.request_id, place);
    }
  }

  // Who does not sign shows a key: here that of whoever is signed in.
  proof(headers) {
    const isSigned = Object.keys(headers).length > 0;
    return isSigned ? headers : { authorization: `Bearer ${this.page.session.token}` };
  }

  async follow(endpoint, requestId, place) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const response = await this.page.session.send("GET", `/v1/commands/${requestId}`);
      const answer = await response.json();
      if (response.status === 200 && answer.summary) {
        place.append(el("p", { class: "summary" }, answer.summary), json(answer.data));
        await this.tell(endpoint, requestId, place);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    place.append(el("p", {}, "It waits; look at webhook deliveries."));
  }

  // The delivery as the gateway lists it, and a way to ask for it again.
  async tell(endpoint, requestId, place) {
    const shown = await this.page.session.run(`webhook inspect ${endpoint} ${requestId}`);
    const { outcome, took_ms, size_bytes, proof } = shown.data ?? {};
    const facts = `${outcome} in ${took_ms} ms, ${size_bytes} bytes, let in by ${proof}`;
    const replay = async () => {
      const line = `webhook replay ${endpoint} ${requestId}`;
      const answer = await this.page.session.run(line);
      place.append(el("p", { class: "summary" }, answer.summary));
    };
    const pressed = () => this.page.attempt(replay);
    place.append(
      el("p", {}, facts, " "),
      el("button", { type: "button", onclick: pressed }, "Replay"),
    );
  }
}

function headersOf(headers) {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}
