// The WebSocket terminal: frames as every client sends them, ANSI text as it comes back.

import { append, el, find } from "/simulators/dom.js";
import { ansi } from "/simulators/ansi.js";

const COLS = 46;

export class Terminal {
  constructor(page) {
    this.page = page;
    this.waiting = new Map();
    this.retry = undefined;
    find("socket-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const line = find("socket-line");
      page.attempt(() => this.run(line.value));
      line.value = "";
    });
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(`${scheme}//${location.host}/v1/ws`);
    this.socket.addEventListener("open", () =>
      this.send({ t: "hello", protocol: 1, token: this.page.session.token }),
    );
    this.socket.addEventListener("message", ({ data }) => this.take(JSON.parse(data)));
    this.socket.addEventListener("close", () => this.lost());
  }

  close() {
    clearTimeout(this.retry);
    this.socket?.close();
  }

  lost() {
    find("socket-state").textContent = "not connected";
    if (this.page.session.isOpen) {
      this.retry = setTimeout(() => this.connect(), 3000);
    }
  }

  async run(line) {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      throw new Error("The WebSocket is not connected.");
    }
    const id = crypto.randomUUID();
    const place = el("article", { class: "exchange" }, el("p", {}, `❯ ${line}`));
    this.waiting.set(id, place);
    append(find("socket-list"), place);
    this.send({ t: "exec", id, line, cols: COLS });
  }

  send(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  take(frame) {
    switch (frame.t) {
      case "welcome":
        find("socket-state").textContent = "/v1/ws";
        break;
      case "reply":
        this.show(frame.id, frame.ansi ?? frame.reply.summary);
        this.send({ t: "ack", seq: frame.seq });
        break;
      case "ping":
        this.send({ t: "pong" });
        break;
      case "error":
        this.show(frame.id, frame.detail ?? frame.error?.detail ?? "refused");
        break;
      default:
    }
  }

  show(id, text) {
    const place = this.waiting.get(id);
    this.waiting.delete(id);
    place?.append(ansi(text));
    const list = find("socket-list");
    list.scrollTop = list.scrollHeight;
  }
}
