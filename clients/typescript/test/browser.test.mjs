// In a real browser, against the real server: the network goes away in the middle of traffic (devtools protocol,
// offline), comes back, and nothing is missing. Skipped without HUBBUB_BIN or Chromium (HUBBUB_CHROMIUM).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { after, before, test } from "node:test";

const binary = process.env.HUBBUB_BIN;
const chromium = process.env.HUBBUB_CHROMIUM ?? "/usr/bin/chromium";
const bundle = new URL("../dist/hubbub.js", import.meta.url);
const skip = reasonToSkip();

let hub, files, browser, hubUrl, pageUrl;

function reasonToSkip() {
  if (!binary) return "set HUBBUB_BIN to the server's program";
  if (!existsSync(chromium)) return "no Chromium";
  return existsSync(bundle) ? false : "npm run build first";
}

async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

before(async () => {
  if (skip) return;
  const probe = createTcpServer();
  const port = await listening(probe);
  probe.close();
  await once(probe, "close");
  files = createServer((request, response) => {
    const script = request.url === "/hubbub.js";
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ? readFileSync(bundle) : "<!doctype html><title>test</title>");
  });
  pageUrl = `http://127.0.0.1:${await listening(files)}/`;
  hubUrl = `ws://127.0.0.1:${port}/ws`;
  const settings = ["limits.rate_per_s=0", `access.origins=${new URL(pageUrl).origin}`];
  const flags = settings.flatMap((setting) => ["--set", setting]);
  hub = spawn(binary, ["serve", "--listen", `127.0.0.1:${port}`, ...flags], { stdio: "ignore" });
  const { chromium: launcher } = await import("playwright-core");
  browser = await launcher.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] });
});

after(async () => {
  if (skip) return;
  await browser?.close();
  files?.close();
  if (!hub) return;
  hub.kill("SIGTERM");
  if (hub.exitCode === null) await once(hub, "exit");
  assert.equal(hub.exitCode, 0, "the hub ended well");
});

// Runs in the page: counts by calls and hears its own numbers on a topic, until told to stop.
async function traffic({ hubUrl }) {
  const { connect } = await import("/hubbub.js");
  const session = await connect(hubUrl, { silence: 2000, keepalive: 2000, backoff: { base: 100, cap: 1000 } });
  const seen = [];
  const states = [];
  const failures = [];
  session.onState((state) => states.push(state));
  session.on("gap", (gap) => failures.push(`gap ${JSON.stringify(gap)}`));
  await session.subscribe("numbers", (n) => seen.push(n));
  const answers = [];
  const first = session.code;
  let issued = 0;
  const timer = setInterval(() => {
    const n = ++issued;
    session.call("topic.publish", { topic: "numbers", data: n }, { timeout: 0 }).then(
      () => answers.push(n),
      (error) => failures.push(String(error)),
    );
  }, 10);
  window.progress = () => ({ state: session.state, states, seen: seen.length, same: session.code === first });
  window.finish = async () => {
    clearInterval(timer);
    for (let i = 0; i < 1000 && (answers.length < issued || seen.length < issued); i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await session.close();
    return { issued, answers, seen, failures };
  };
}

test("offline in the middle of traffic: it resumes, every call is answered once, every message came once", {
  skip,
  timeout: 120_000,
}, async () => {
  const page = await browser.newPage();
  await page.goto(pageUrl);
  await page.evaluate(traffic, { hubUrl });
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  const offline = (offline) =>
    network.send("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  for (let round = 0; round < 3; round++) {
    const { seen } = await page.evaluate(() => window.progress());
    await page.waitForFunction((seen) => window.progress().seen > seen + 20, seen);
    await offline(true);
    await page.waitForFunction(() => window.progress().state === "detached");
    await offline(false);
    await page.waitForFunction(() => window.progress().state === "open");
  }
  const { states, same } = await page.evaluate(() => window.progress());
  const { issued, answers, seen, failures } = await page.evaluate(() => window.finish());
  const all = Array.from({ length: issued }, (_, i) => i + 1);
  assert.deepEqual(failures, []);
  assert.deepEqual(answers, all);
  assert.deepEqual(seen, all);
  assert.ok(same, "the session kept its code");
  assert.deepEqual(states, Array(3).fill(["detached", "resumed", "open"]).flat());
});
