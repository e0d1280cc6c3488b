// Browser: Debian's Chromium, and tabs that hold every console error, page error and policy violation against the test.

import { chromium } from "playwright-core";

const ARGS = [
  "--no-sandbox", // tests run as root in containers
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const WAIT_MS = 15_000; // a bound, not a delay: waits end when the page shows what they wait for

export function launch() {
  return chromium.launch({ executablePath: process.env.HUBBUB_CHROMIUM ?? "/usr/bin/chromium", args: ARGS });
}

export class Tab {
  faults = [];

  // Opens the page and waits until it shows a session. `options` are playwright's context options (viewport, …);
  // `answer(socket)`, when given, plays the hub in place of the server (see playwright's routeWebSocket).
  static async open(browser, url, options = {}, answer = undefined) {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(WAIT_MS);
    const tab = new Tab(context, await context.newPage());
    await tab.#watch();
    if (answer) await tab.page.routeWebSocket(/\/ws(\?|$)/, answer);
    await tab.page.goto(url);
    await tab.opened();
    return tab;
  }

  constructor(context, page) {
    this.context = context;
    this.page = page;
  }

  async #watch() {
    this.page.on("pageerror", (error) => this.faults.push(`page error: ${error.message}`));
    this.page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.faults.push(`console: ${message.text()}`);
    });
    await this.page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
  }

  async opened() {
    await this.page.waitForSelector('body[data-state="open"]');
    return this.code();
  }

  async code() {
    return (await this.page.textContent("#code")).trim();
  }

  // Fills the named fields and presses Enter in the last one.
  async submit(fields) {
    const names = Object.keys(fields);
    for (const name of names) await this.page.fill(`#${name}`, fields[name]);
    await this.page.press(`#${names.at(-1)}`, "Enter");
  }

  // Waits until the element shows the text.
  async shows(selector, text) {
    await this.page.locator(selector, { hasText: text }).first().waitFor();
  }

  async close() {
    await this.context.close();
  }
}
