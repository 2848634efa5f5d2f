// REST: a line goes out, the Reply comes back as JSON.

import { append, el, find } from "/simulators/dom.js";
import { json } from "/simulators/json.js";

export class Rest {
  constructor(page) {
    this.page = page;
    find("rest-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const line = find("rest-line");
      page.attempt(() => this.run(line.value));
      line.value = "";
    });
  }

  async run(line) {
    const response = await this.page.session.send("POST", "/v1/commands", { line });
    const answer = await response.json();
    const isGood = response.status < 300;
    append(
      find("rest-list"),
      el(
        "article",
        { class: "exchange" },
        el(
          "p",
          {},
          el("code", {}, line),
          " ",
          el("span", { class: isGood ? "good" : "bad" }, String(response.status)),
        ),
        el("p", { class: "summary" }, answer.summary ?? answer.detail ?? ""),
        json(answer.error ?? answer.data ?? answer),
      ),
    );
  }
}
