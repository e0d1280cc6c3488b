// Main: joins the session to the document. The head of the page (code, state, copy button) and what one page leaves to
// the next live here; everything else in forms.js, topics.js, resume.js, ticker.js, log.js and counters.js.

import { Counters } from "./counters.js";
import { Forms, write } from "./forms.js";
import { Log } from "./log.js";
import { ResumePanel, seconds } from "./resume.js";
import { Session } from "./session.js";
import { Ticker } from "./ticker.js";
import { Topics } from "./topics.js";
import { Wire } from "./wire.js";

const KEPT = "hubbub.page"; // in the session storage

const find = (id) => document.getElementById(id);

// Relative, so that the page also works behind a proxy that mounts the hub under a path.
function hubUrl() {
  const url = new URL("ws", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

// What the page before this one left in this tab, so that a reload goes on with the same session. It lies there between
// two pages only: a tab that is duplicated copies the storage, and two pages with one session would fight for it.
function takeKept() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    sessionStorage.removeItem(KEPT);
    return { resume: kept.resume, topics: Array.isArray(kept.topics) ? kept.topics : [] };
  } catch {
    return { resume: undefined, topics: [] }; // no storage, or somebody else's
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ resume: session.credentials(), topics: topics.names }));
  } catch {
    // then the next page opens a session of its own
  }
}

const kept = takeKept();
const wire = new Wire();
const session = new Session(hubUrl(), wire, kept.resume);
const log = new Log(find, (code) => forms.answer(code));
const topics = new Topics(session, find, kept.topics, (outcome) => forms.showSubscribed(outcome, "unsubscribed"));
const forms = new Forms(session, topics, find);
new Counters(session, wire, find);
new ResumePanel(session, wire, find);
new Ticker(session, topics, find);

let resumedAfter = ""; // for the state that follows "resumed" at once

function showState(detail) {
  const { name } = detail;
  resumedAfter = name === "resumed" ? ` · resumed after ${seconds(detail.detachedMs)}` : resumedAfter;
  document.body.dataset.state = name;
  find("state").textContent = headline(detail) + (name === "open" ? resumedAfter : "");
  if (name !== "resumed") resumedAfter = "";
  find("toggle").textContent = session.lives || name === "connecting" ? "End session" : "New session";
  find("toggle").disabled = name === "connecting";
  find("copy").disabled = session.code === "";
  if (name === "open") showCode();
  if (name !== "connecting") log.add({ kind: "state", text: account(detail) });
}

function headline({ name, code, reason, lost }) {
  if (name === "detached") return ["detached", code, reason].filter(Boolean).join(" ");
  return name === "lost" ? lostWords(lost) : name;
}

// The same for the log, with what happened before.
function account(detail) {
  if (detail.name === "open") return `open: ${session.code}${detail.resumed ? ", resumed" : ""}`;
  if (detail.name !== "resumed") return headline(detail);
  const { replayed, missing } = wire.tally;
  const result = detail.recovered ? "nothing lost" : `lost so far: ${missing}`;
  return `resumed after ${seconds(detail.detachedMs)}: ${result}, replayed so far: ${replayed}`;
}

function lostWords({ reason, code, message }) {
  return ["lost:", reason, code, message].filter(Boolean).join(" ");
}

function showCode() {
  find("code").textContent = session.code;
  document.title = `${session.code} · hubbub`;
}

function showNotification({ method, params }) {
  const arrival = { direction: "in", arrival: true, text: write(params?.data) };
  switch (method) {
    case "session.message":
      return log.add({ ...arrival, kind: "session", peer: String(params?.from ?? "") });
    case "topic.message":
      return log.add({ ...arrival, kind: "topic", peer: `${params?.topic} #${write(params?.offset)}` });
    case "topic.presence":
      return log.add({ kind: "state", direction: "in", peer: String(params?.topic), text: presence(params ?? {}) });
    case "hub.message":
      return log.add({ ...arrival, kind: "hub" });
    case "error":
      return log.add({ kind: "error", direction: "in", text: write(params) });
    default:
      return log.add({ kind: "state", direction: "in", text: `${method} ${write(params)}` });
  }
}

function presence({ count, joined = [], left = [], more }) {
  const changes = [...joined.map((code) => `+${code}`), ...left.map((code) => `−${code}`)];
  return `${count} here: ${changes.join(" ")}${more ? " …" : ""}`;
}

function showReply({ method, outcome: { result, error } }) {
  const shown = method === "topic.subscribe" && result?.topic ? { epoch: result.epoch, offset: result.offset } : result;
  const text = error ? `${error.code} ${error.message} ${write(error.data)}` : write(shown);
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
session.addEventListener("notification", (event) => showNotification(event.detail));
session.addEventListener("call", ({ detail: { method, params } }) =>
  log.add({ kind: "call", direction: "out", peer: method, text: params }),
);
session.addEventListener("reply", (event) => showReply(event.detail));
find("copy").onclick = copyCode;
find("toggle").onclick = () => (session.lives ? session.end() : session.connect());
addEventListener("pagehide", keep);
addEventListener("pageshow", (event) => event.persisted && takeKept());
session.connect();
