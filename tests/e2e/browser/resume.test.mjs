// What the page promises about sessions that survive: the real client and the real server, with connections cut by the
// page's own buttons, by the browser's offline emulation and by reloading.
//
// Every promise is about numbers: each numbered message arrives once and in order, each call is answered.

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

async function openTab() {
  const tab = await Tab.open(browser, hub.url);
  tabs.push(tab);
  return tab;
}

function assertFaultless() {
  for (const tab of tabs) assert.deepEqual(tab.faults, []);
}

// Rows of the log that show a message of that topic, oldest first, as numbers.
async function numbersIn(tab, topic) {
  const rows = tab.page.locator('#log li[data-kind="topic"]', { hasText: `${topic} #` }).locator(".text");
  return (await rows.allTextContents()).reverse().map(Number);
}

function numbersTo(last) {
  return Array.from({ length: last }, (_, index) => index + 1);
}

async function publish(tab, topic, from, to) {
  for (let n = from; n <= to; n += 1) {
    await tab.submit({ "publish-topic": topic, "publish-data": String(n) });
    await tab.shows("#publish-outcome", `published, offset ${n} `);
  }
}

async function fact(tab, name) {
  return Number.parseInt(await tab.page.textContent(`[data-fact="${name}"] dd`), 10);
}

async function startTicker(tab) {
  await tab.page.selectOption("#ticker-rate", "10");
  await tab.page.click("#ticker");
  await tab.shows("#ticker-account", /arrived [1-9]/);
}

// Stops the ticker and waits until its account is settled: sent = answered = arrived, nothing lost or doubled.
async function settleTicker(tab) {
  await tab.page.click("#ticker");
  await tab.shows("#ticker", "Start the ticker");
  const sent = /sent (\d+)/.exec(await tab.page.textContent("#ticker-account"))[1];
  await tab.shows("#ticker-account", `sent ${sent} · answered ${sent} · arrived ${sent} · lost 0 · doubled 0`);
  return Number(sent);
}

test("the cut button detaches the session, which is resumed with the same code", async () => {
  const tab = await openTab();
  const code = await tab.code();
  await tab.page.click("#cut");
  await tab.shows('#log li[data-kind="state"]', "detached 1006");
  await tab.shows('#log li[data-kind="state"]', /resumed after [\d.]+ s: nothing lost/);
  assert.equal(await tab.opened(), code);
  await tab.shows("#state", /^open · resumed after [\d.]+ s$/);
  await tab.shows('[data-fact="resumes"] dd', "1 ×");
  await tab.shows('[data-fact="recovered"] dd', "all");
  await tab.submit({ "send-to": code, "send-data": "to myself" });
  await tab.shows('#log li[data-kind="session"]', "to myself");
  assertFaultless();
});

test("messages published while a page is in the dark arrive once and in order", async () => {
  const [one, two] = [await openTab(), await openTab()];
  const code = await one.code();
  await one.submit({ "subscribe-topic": "dark.news" });
  await one.shows("#chips .chip", "dark.news");
  await publish(two, "dark.news", 1, 3);
  await one.page.click("#dark");
  await one.shows("#state", "detached");
  await one.shows("#retry", /again in|attempt/);
  await publish(two, "dark.news", 4, 12);
  await two.submit({ "send-to": code, "send-data": "into the dark" });
  await two.shows("#send-outcome", "queued");
  assert.equal(await one.page.getAttribute("body", "data-state"), "detached", "the dark was over too soon");
  await one.opened();
  await publish(two, "dark.news", 13, 15);
  await one.shows('#log li[data-kind="topic"]', "dark.news #15");
  assert.deepEqual(await numbersIn(one, "dark.news"), numbersTo(15));
  assert.equal(await one.page.locator('#log li[data-kind="session"]', { hasText: "into the dark" }).count(), 1);
  assert.equal(await one.code(), code);
  assert.ok((await fact(one, "replayed")) >= 10);
  assert.equal(await fact(one, "missing"), 0);
  assertFaultless();
});

test("a call made in the dark is answered afterwards", async () => {
  const tab = await openTab();
  await tab.page.click("#dark");
  await tab.shows("#state", "detached");
  await tab.submit({ "call-method": "echo", "call-params": '{"asked": "in the dark"}' });
  assert.equal(await tab.page.textContent("#call-outcome"), "");
  await tab.shows("#call-outcome pre", "in the dark");
  assertFaultless();
});

test("the ticker loses nothing over many cuts", async () => {
  const tab = await openTab();
  const code = await tab.code();
  await startTicker(tab);
  for (let cut = 1; cut <= 5; cut += 1) {
    await tab.page.click("#cut");
    await tab.shows('[data-fact="resumes"] dd', `${cut} ×`);
  }
  await settleTicker(tab);
  assert.equal(await tab.opened(), code);
  await tab.shows('[data-fact="unconfirmed"] dd', /^0$/);
  assertFaultless();
});

// Chromium's emulation stalls the open WebSocket in both directions: nothing is closed, bytes just stop. So the client
// has to notice the silence by itself; the online event then ends its wait.
test("the network goes offline in the midst of traffic and comes back: everything arrives once, every call settles", async () => {
  const [one, two] = [await openTab(), await openTab()];
  const code = await one.code();
  const devtools = await one.context.newCDPSession(one.page);
  const offline = (offline) =>
    devtools.send("Network.emulateNetworkConditions", {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
  await devtools.send("Network.enable");
  await startTicker(one);
  await one.submit({ "subscribe-topic": "offline.news" });
  await one.shows("#chips .chip", "offline.news");
  await publish(two, "offline.news", 1, 3);
  await offline(true);
  await one.submit({ "call-method": "echo", "call-params": '{"sent": "offline"}' });
  await publish(two, "offline.news", 4, 9);
  await one.shows("#state", "detached 1006 nothing heard");
  await one.shows("#retry", "waits for the network");
  const before = /sent (\d+) · answered (\d+)/.exec(await one.page.textContent("#ticker-account"));
  assert.ok(Number(before[1]) > Number(before[2]), "nothing was under way");
  await offline(false);
  await one.opened();
  await publish(two, "offline.news", 10, 12);
  await one.shows('#log li[data-kind="topic"]', "offline.news #12");
  await one.shows("#call-outcome pre", "offline");
  assert.ok((await settleTicker(one)) > Number(before[1]));
  assert.deepEqual(await numbersIn(one, "offline.news"), numbersTo(12));
  assert.equal(await one.code(), code);
  assertFaultless();
});

test("a reload resumes the session, with its topics and what came in between", async () => {
  const [one, two] = [await openTab(), await openTab()];
  const code = await one.code();
  await one.submit({ "subscribe-topic": "reload.news" });
  await one.shows("#chips .chip", "reload.news");
  await publish(two, "reload.news", 1, 1);
  await one.shows('#log li[data-kind="topic"]', "reload.news #1");
  await one.page.goto("about:blank");
  await publish(two, "reload.news", 2, 4);
  await one.page.goBack();
  assert.equal(await one.opened(), code);
  await one.shows('#log li[data-kind="topic"]', "reload.news #4");
  await publish(two, "reload.news", 5, 5);
  await one.shows('#log li[data-kind="topic"]', "reload.news #5");
  const shown = await numbersIn(one, "reload.news");
  assert.deepEqual(shown.filter((n) => n > 1), [2, 3, 4, 5]);
  await one.shows("#chips .chip", "reload.news");
  for (let reload = 0; reload < 3; reload += 1) {
    await one.page.reload();
    assert.equal(await one.opened(), code);
  }
  assertFaultless();
});

test("a duplicated tab gets a session of its own", async () => {
  const tab = await openTab();
  const code = await tab.code();
  const [copy] = await Promise.all([tab.context.waitForEvent("page"), tab.page.evaluate(() => void open(location.href))]);
  await copy.waitForSelector('body[data-state="open"]');
  assert.notEqual((await copy.textContent("#code")).trim(), code);
  assert.equal(await tab.opened(), code);
  assertFaultless();
});

test("a topic's chip tells how many are there", async () => {
  const [one, two] = [await openTab(), await openTab()];
  for (const tab of [one, two]) {
    await tab.submit({ "subscribe-topic": "meeting" });
    await tab.shows("#chips .chip", "meeting");
  }
  for (const tab of [one, two]) await tab.shows("#chips .chip", "2 here");
  await one.shows('#log li[data-kind="state"]', `+${await two.code()}`);
  await two.page.click("#toggle");
  await one.shows("#chips .chip", "1 here");
  assertFaultless();
});
