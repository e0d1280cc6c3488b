// What the page promises its user, in a real browser against the real server.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, Tab } from "./browser.mjs";
import { Hub } from "./hub.mjs";

const hub = new Hub();
let browser;
let tabs = [];

before(async () => {
  await hub.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await hub.stop();
});
beforeEach(() => {
  tabs = [];
});
afterEach(async () => {
  for (const tab of tabs) await tab.close();
});

async function openTab(options, answer) {
  const tab = await Tab.open(browser, hub.url, options, answer);
  tabs.push(tab);
  return tab;
}

function assertFaultless() {
  for (const tab of tabs) assert.deepEqual(tab.faults, []);
}

const CODE = /^[a-z]+-[a-z]+-\d+$/;

test("the page is served with a strict policy", async () => {
  const answer = await fetch(hub.url);
  assert.equal(answer.status, 200);
  const policy = answer.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
});

test("each tab shows the code of its own session", async () => {
  const [one, two] = [await openTab(), await openTab()];
  assert.match(await one.code(), CODE);
  assert.match(await two.code(), CODE);
  assert.notEqual(await one.code(), await two.code());
  assert.ok((await one.page.title()).startsWith(await one.code()));
  assertFaultless();
});

test("a message sent to a code arrives in that tab, and only there", async () => {
  const [one, two] = [await openTab(), await openTab()];
  await one.submit({ "send-to": await two.code(), "send-data": "hello <b>you</b>" });
  await one.shows("#send-outcome", "delivered");
  await two.shows('#log li[data-kind="session"]', "hello <b>you</b>");
  await two.shows('#log li[data-kind="session"] .peer', await one.code());
  assert.equal(await two.page.locator("#log li b:text-is('you')").count(), 0, "text from a peer became markup");
  assert.equal(await one.page.locator('#log li[data-kind="session"]').count(), 0);
  assertFaultless();
});

test("picking a sender in the log answers it", async () => {
  const [one, two] = [await openTab(), await openTab()];
  await one.submit({ "send-to": await two.code(), "send-data": "ping?" });
  await two.page.click('#log li[data-kind="session"] .peer');
  assert.equal(await two.page.inputValue("#send-to"), await one.code());
  await two.submit({ "send-data": '{"pong": true}' });
  await one.shows('#log li[data-kind="session"]', '{"pong":true}');
  assertFaultless();
});

test("a call shows its result, its time, and numbers digit by digit", async () => {
  const tab = await openTab();
  await tab.submit({ "call-method": "echo", "call-params": '{"a": 1.0, "b": 18446744073709551616}' });
  await tab.shows("#call-outcome pre", '"a": 1.0');
  await tab.shows("#call-outcome pre", "18446744073709551616");
  assert.match(await tab.page.textContent("#call-outcome small"), /^[\d.]+ ms$/);
  assertFaultless();
});

test("an error is shown with its code", async () => {
  const tab = await openTab();
  await tab.submit({ "call-method": "no.such.method", "call-params": "" });
  await tab.shows("#call-outcome .bad", "-32601");
  await tab.submit({ "send-to": "nobody-nowhere-0", "send-data": "hello" });
  await tab.shows("#send-outcome .bad", "-32026");
  await tab.shows('[data-counter="errors"] dd', "2");
  assertFaultless();
});

test("params that are not JSON are marked and not sent", async () => {
  const tab = await openTab();
  await tab.submit({ "call-method": "echo", "call-params": '{"a": ' });
  assert.equal(await tab.page.getAttribute("#call-params", "aria-invalid"), "true");
  assert.notEqual((await tab.page.textContent("#call-note")).trim(), "");
  assert.equal((await tab.page.textContent("#call-outcome")).trim(), "");
  await tab.submit({ "call-params": '{"a": 1}' });
  await tab.shows("#call-outcome pre", '"a": 1');
  assert.equal(await tab.page.getAttribute("#call-params", "aria-invalid"), null);
  assertFaultless();
});

test("a publish arrives in every subscribed tab, and no longer after unsubscribing", async () => {
  const [one, two] = [await openTab(), await openTab()];
  for (const tab of [one, two]) {
    await tab.submit({ "subscribe-topic": "page.news" });
    await tab.shows("#chips .chip", "page.news");
  }
  await one.submit({ "publish-topic": "page.news", "publish-data": "first" });
  for (const tab of [one, two]) await tab.shows('#log li[data-kind="topic"]', "first");
  await two.page.click('[aria-label="Unsubscribe from page.news"]');
  await two.page.locator("#chips .chip").waitFor({ state: "detached" });
  await one.submit({ "publish-topic": "page.news", "publish-data": "second" });
  await one.shows('#log li[data-kind="topic"]', "second");
  // One connection delivers in order: had "second" been sent to this tab, it would be here before this echo.
  await two.submit({ "call-method": "echo", "call-params": '["afterwards"]' });
  await two.shows("#log li", "afterwards");
  assert.equal(await two.page.locator("#log li", { hasText: "second" }).count(), 0);
  assertFaultless();
});

test("a broadcast arrives everywhere", async () => {
  const [one, two] = [await openTab(), await openTab()];
  await one.submit({ "broadcast-data": "to all" });
  await one.shows("#broadcast-outcome", "sent to");
  for (const tab of [one, two]) await tab.shows('#log li[data-kind="hub"]', "to all");
  assertFaultless();
});

test("the counters count, and the round trip is measured", async () => {
  const tab = await openTab();
  await tab.submit({ "call-method": "echo", "call-params": "{}" });
  await tab.shows('[data-counter="calls"] dd', "1");
  await tab.shows('[data-counter="roundTrip"] dd', "ms");
  await tab.page.locator('[data-counter="sessions"] dd').waitFor();
  assertFaultless();
});

test("the log filters, pauses and clears", async () => {
  const tab = await openTab();
  const rows = (text) => tab.page.locator("#log li:visible", { hasText: text });
  await tab.submit({ "broadcast-data": "apple" });
  await tab.submit({ "broadcast-data": "pear" });
  await tab.shows('#log li[data-kind="hub"]', "pear");
  await tab.page.fill("#log-filter", "hub received app");
  assert.equal(await rows("pear").count(), 0);
  await tab.page.fill("#log-filter", "apple");
  assert.notEqual(await rows("apple").count(), 0);
  await tab.page.fill("#log-filter", "");
  await tab.page.click("#log-pause");
  await tab.submit({ "broadcast-data": "plum" });
  await tab.shows("#broadcast-outcome", "sent to");
  await tab.shows("#log-pause", "Resume (3)"); // the call, its arrival, its reply
  assert.equal(await rows("plum").count(), 0);
  await tab.page.click("#log-pause");
  await tab.shows('#log li[data-kind="hub"]', "plum");
  await tab.page.click("#log-clear");
  assert.equal(await tab.page.locator("#log li").count(), 0);
  assertFaultless();
});

test("the token is shown nowhere", async () => {
  const tab = await openTab();
  let token = "";
  tab.page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => {
      token ||= /"token"\s*:\s*"([^"]+)"/.exec(String(payload))?.[1] ?? "";
    });
  });
  await tab.page.reload();
  await tab.opened();
  await tab.submit({ "call-method": "session.info", "call-params": "" });
  await tab.shows("#call-outcome pre", "code");
  assert.notEqual(token, "");
  assert.ok(!(await tab.page.content()).includes(token));
  assertFaultless();
});

for (const [width, height] of [[360, 740], [320, 640]]) {
  test(`a phone of ${width} px has no horizontal scroll`, async () => {
    const tab = await openTab({ viewport: { width, height }, hasTouch: true, isMobile: true });
    await tab.submit({ "subscribe-topic": "a.topic.with.a.name.that.is.longer.than.any.phone.is.wide/and.then.some" });
    await tab.submit({ "call-method": "echo", "call-params": `{"long": "${"x".repeat(300)}"}` });
    await tab.shows("#call-outcome pre", "xxx");
    await tab.shows("#log li", "xxx");
    const { wide, window } = await tab.page.evaluate(() => ({
      wide: document.documentElement.scrollWidth,
      window: innerWidth,
    }));
    assert.ok(wide <= width && window <= width, `the page is ${wide} px wide in a window of ${window}`);
    assertFaultless();
  });
}

test("a keyboard is enough to call a method", async () => {
  const tab = await openTab();
  const focused = () => tab.page.evaluate(() => document.activeElement.id);
  for (let presses = 0; presses < 20 && (await focused()) !== "call-method"; presses += 1) {
    await tab.page.keyboard.press("Tab");
  }
  assert.equal(await focused(), "call-method");
  await tab.page.keyboard.press("Control+A");
  await tab.page.keyboard.type("echo");
  await tab.page.keyboard.press("Tab");
  assert.equal(await focused(), "call-params");
  await tab.page.keyboard.press("Control+A");
  await tab.page.keyboard.type('{"typed": true}');
  await tab.page.keyboard.press("Enter");
  await tab.shows("#call-outcome pre", '"typed": true');
  assertFaultless();
});

test("every field and button has a name", async () => {
  const tab = await openTab();
  const nameless = await tab.page.evaluate(() =>
    [...document.querySelectorAll("input, textarea, select, button")]
      .filter((field) => !field.labels?.length && !field.getAttribute("aria-label") && !field.textContent.trim())
      .map((field) => field.outerHTML),
  );
  assert.deepEqual(nameless, []);
});

test("an ended session stays ended until asked for another", async () => {
  const tab = await openTab();
  const first = await tab.code();
  await tab.page.click("#toggle");
  await tab.shows("#state", "lost: closed");
  assert.equal(await tab.page.textContent("#retry"), "");
  await tab.submit({ "call-method": "ping", "call-params": "" });
  await tab.shows("#call-outcome .bad", "no session");
  await tab.page.click("#toggle");
  assert.notEqual(await tab.opened(), first);
  assertFaultless();
});

// A hub played by the test: opens or resumes a session on each connection and answers calls with `reply(method)`.
function scriptedHub(reply) {
  const sockets = [];
  const answer = (socket) => {
    sockets.push(socket);
    const session = { code: "scripted-hub-1", epoch: "e", token: "t", ttl_ms: 60_000 };
    let received = 0; // of this connection; nothing is resumed with more
    socket.onMessage((text) => {
      const { id, method, params } = JSON.parse(text);
      if (method === "session.ack") return;
      const opened = { session, resumed: method === "session.resume", sent: params?.received ?? 0, received, limits: {} };
      const opens = method === "session.open" || method === "session.resume";
      if (!opens) received += 1;
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, ...(opens ? { result: opened } : reply(method)) }));
    });
  };
  return { sockets, answer };
}

function notification(method, params) {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}

const FORBIDDEN = { error: { code: -32024, message: "forbidden", data: { retryable: false } } };

test("the hub's own numbers stay hidden, and are not asked for again, where they are forbidden", async () => {
  const asked = [];
  const { answer } = scriptedHub((method) => {
    asked.push(method);
    return method === "hub.stats" ? FORBIDDEN : { result: {} };
  });
  const tab = await openTab({}, answer);
  await tab.page.clock.install();
  await tab.page.reload();
  await tab.opened();
  await tab.shows('[data-counter="roundTrip"] dd', "ms");
  asked.length = 0;
  await tab.page.clock.runFor(11_000);
  await tab.submit({ "call-method": "echo", "call-params": "" });
  await tab.shows("#call-outcome", "result");
  assert.deepEqual(asked, ["ping", "ping", "echo"]);
  assert.equal(await tab.page.locator('[data-counter="sessions"]').isVisible(), false);
  assert.equal(await tab.page.textContent('[data-counter="errors"] dd'), "0");
  assertFaultless();
});

test("the log keeps the newest 500 rows of a flood", async () => {
  const { answer, sockets } = scriptedHub(() => ({ result: {} }));
  const tab = await openTab({}, answer);
  for (let row = 0; row < 900; row += 1) sockets[0].send(notification("hub.message", { data: `row ${row}` }));
  await tab.shows("#log li", "row 899");
  const texts = await tab.page.locator("#log li .text").allTextContents();
  assert.deepEqual([texts.length, texts[0], texts.at(-1)], [500, '"row 899"', '"row 400"']);
  assertFaultless();
});

test("a close that means stop is not retried, and shows the reason that came in-band", async () => {
  const { answer, sockets } = scriptedHub(() => ({ result: {} }));
  const tab = await openTab({}, answer);
  sockets[0].send(notification("session.closing", { code: 4503, reason: "kicked by the operator" }));
  await sockets[0].close({ code: 4503 });
  await tab.shows("#state", "lost: ended 4503 kicked by the operator");
  assert.equal(await tab.page.textContent("#retry"), "");
  assert.equal(sockets.length, 1);
  assertFaultless();
});

test("a close that means come back is retried, not before the time the hub asked for", async () => {
  const { answer, sockets } = scriptedHub(() => ({ result: {} }));
  const tab = await openTab({}, answer);
  await tab.page.clock.install();
  await tab.page.reload();
  await tab.opened();
  const before = sockets.length;
  sockets.at(-1).send(notification("session.closing", { code: 1012, reason: "restart", retry_after_ms: 60_000 }));
  await sockets.at(-1).close({ code: 1012 });
  await tab.shows("#state", "detached 1012 restart");
  await tab.shows("#retry", "again in");
  await tab.page.clock.runFor(55_000);
  assert.equal(sockets.length, before);
  await tab.page.clock.runFor(40_000);
  await tab.opened();
  assert.equal(sockets.length, before + 1);
  assertFaultless();
});

test("a server that dies shows as detached, and the page comes back with its topics", { skip: !hub.owned }, async () => {
  const [one, two] = [await openTab(), await openTab()];
  const first = await one.code();
  await one.submit({ "subscribe-topic": "after.restart" });
  await one.shows("#chips .chip", "after.restart");
  await hub.kill();
  await one.shows("#state", "detached 1006");
  await hub.start();
  await one.shows('#log li[data-kind="state"]', "lost: refused");
  assert.notEqual(await one.opened(), first);
  await two.shows('#log li[data-kind="state"]', "lost: refused");
  await two.opened();
  await two.submit({ "publish-topic": "after.restart", "publish-data": "still here" });
  await one.shows('#log li[data-kind="topic"]', "still here");
});

test("a server that restarts says so: the page shows 1012", { skip: !hub.owned }, async () => {
  const tab = await openTab();
  await hub.stop();
  await tab.shows('#log li[data-kind="state"]', "detached 1012");
  await hub.start();
  await tab.opened();
});
