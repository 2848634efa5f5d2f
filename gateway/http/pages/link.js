"use strict";

// The token stands behind the #, which browsers do not send: opening the page, as mail
// scanners do, uses nothing up. Only the button does.
const find = (id) => document.getElementById(id);
const link = location.href;
const token = location.hash.slice(1);

function say(text) {
  find("status").textContent = text;
}

function welcome(session) {
  find("offer").hidden = true;
  find("result").hidden = false;
  find("example").textContent =
    `curl -H 'Authorization: Bearer ${session.access_token}' ${location.origin}/v1/me`;
  say(`You are signed in for ${Math.round(session.expires_in / 60)} minutes.`);
}

async function signIn(event) {
  event.preventDefault();
  history.replaceState(null, "", location.pathname);
  say("Signing in…");
  try {
    const response = await fetch("/auth/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    const answer = await response.json();
    if (response.ok) {
      welcome(answer);
    } else {
      say(`${answer.title}: ${answer.detail}`);
    }
  } catch {
    say("The gateway did not answer. Try again.");
  }
}

if (token) {
  find("command").textContent = `ops login '${link}'`;
  find("form").addEventListener("submit", signIn);
  find("offer").hidden = false;
  say("Your link is here.");
} else {
  say("This address lacks its token. Open the whole link, or ask for a new one.");
}
