// Who is signed in, kept in this tab alone, and the calls made in their name.

const KEY = "opswire-simulators";

export class Refused extends Error {
  constructor(problem) {
    super(`${problem.title}: ${problem.detail}`);
    this.problem = problem;
  }
}

export class Session {
  constructor() {
    this.kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  }

  get isOpen() {
    return this.kept !== null;
  }

  get token() {
    return this.kept.access;
  }

  // A link carries its token behind the #; anything else is a key or a token.
  async signIn(text) {
    const token = text.includes("#") ? text.slice(text.indexOf("#") + 1) : "";
    if (token) {
      this.keep(await post("/auth/login", { token }));
    } else {
      this.save({ access: text, refresh: "" });
    }
    try {
      await this.call("GET", "/simulators/api/state");
    } catch (fault) {
      this.signOut();
      throw fault;
    }
  }

  signOut() {
    this.kept = null;
    sessionStorage.removeItem(KEY);
  }

  async call(method, path, body) {
    let response = await this.send(method, path, body);
    if (response.status === 401 && this.kept.refresh) {
      await this.renew();
      response = await this.send(method, path, body);
    }
    const answer = await response.json();
    if (!response.ok && !("status" in answer && "summary" in answer)) {
      throw new Refused(answer);
    }
    return answer;
  }

  run(line) {
    return this.call("POST", "/v1/commands", { line });
  }

  send(method, path, body) {
    return fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${this.kept.access}`,
        "content-type": "application/json",
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  // Several calls may find the token expired; a refresh token works once.
  async renew() {
    this.renewing ??= post("/auth/refresh", { refresh_token: this.kept.refresh });
    try {
      this.keep(await this.renewing);
    } finally {
      this.renewing = undefined;
    }
  }

  keep(tokens) {
    this.save({ access: tokens.access_token, refresh: tokens.refresh_token });
  }

  save(kept) {
    this.kept = kept;
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  }
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Refused(answer);
  }
  return answer;
}
