// Main: joins the session to the document. The head of the page (code, state, copy button) lives here; everything else
// in forms.js, log.js and counters.js.

import { Session } from "./session.js";
import { Counters } from "./counters.js";
import { Forms, write } from "./forms.js";
import { Log } from "./log.js";

const find = (id) => document.getElementById(id);

// Relative, so that the page also works behind a proxy that mounts the hub under a path.
function hubUrl() {
  const url = new URL("ws", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

const session = new Session(hubUrl());
const log = new Log(find, (code) => forms.answer(code));
const forms = new Forms(session, find, (text) => log.add({ kind: "state", text }));
new Counters(session, find);

let retryAt;
const showRetry = () => {
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  find("retry").textContent = retryAt === undefined ? "" : `again in ${seconds} s`;
};
setInterval(showRetry, 500);

function showState({ name, code, reason, retryAt: at }) {
  document.body.dataset.state = name;
  retryAt = at;
  const why = [code, reason].filter(Boolean).join(" ");
  find("state").textContent = name === "closed" ? `closed ${why}` : name;
  find("toggle").textContent = name === "closed" ? "Connect now" : "Disconnect";
  find("copy").disabled = name !== "open";
  showRetry();
  if (name !== "connecting") log.add({ kind: "state", text: name === "open" ? `open: ${session.code}` : `closed ${why}` });
}

function showCode({ session: opened }) {
  find("code").textContent = opened.code;
  document.title = `${opened.code} · hubbub`;
}

function showNotification({ method, params }) {
  const arrival = { direction: "in", arrival: true, text: write(params?.data) };
  switch (method) {
    case "session.message":
      return log.add({ ...arrival, kind: "session", peer: String(params?.from ?? "") });
    case "topic.message":
      return log.add({ ...arrival, kind: "topic", peer: `${params?.topic} #${write(params?.offset)}` });
    case "hub.message":
      return log.add({ ...arrival, kind: "hub" });
    case "error":
      return log.add({ kind: "error", direction: "in", text: write(params) });
    default:
      return log.add({ kind: "state", direction: "in", text: `${method} ${write(params)}` });
  }
}

function showReply({ method, outcome: { result, error } }) {
  const text = error ? `${write(error.code)} ${error.message} ${write(error.data)}` : write(result);
  log.add({ kind: error ? "error" : "call", direction: "in", peer: method, text });
}

async function copyCode() {
  const button = find("copy");
  button.textContent = (await copied(session.code)) ? "Copied" : "Press Ctrl+C";
  setTimeout(() => (button.textContent = "Copy code"), 1_500);
}

// The clipboard API is there on https and localhost only; elsewhere the code is selected and copied the old way.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(find("code"));
    return document.execCommand("copy");
  }
}

session.addEventListener("state", (event) => showState(event.detail));
session.addEventListener("opened", (event) => showCode(event.detail));
session.addEventListener("notification", (event) => showNotification(event.detail));
session.addEventListener("call", ({ detail: { method, params } }) =>
  log.add({ kind: "call", direction: "out", peer: method, text: params }),
);
session.addEventListener("reply", (event) => showReply(event.detail));
find("copy").onclick = copyCode;
find("toggle").onclick = () => (session.state === "closed" ? session.connect() : session.disconnect());
addEventListener("online", () => session.state === "closed" && retryAt !== undefined && session.connect());
session.connect();
