// Ticker: publishes a numbered message again and again, to a topic of its own that this page subscribes to, and keeps
// the account: every number shall come back once and in order, and every call shall be answered, cut or not.

const WAITING_MAX = 500; // calls without an answer; beyond, the ticker waits

export class Ticker {
  #session;
  #topics;
  #find;
  #topic = "";
  #timer = 0;
  #sent = 0; // the last number given out
  #settled = 0;
  #failed = 0;
  #arrived = 0;
  #last = 0; // the last number that came
  #lost = 0;
  #doubled = 0;
  #excused = new Set(); // numbers whose call failed: nobody knows whether they will come

  constructor(session, topics, find) {
    this.#session = session;
    this.#topics = topics;
    this.#find = find;
    find("ticker").onclick = () => (this.#timer ? this.#stop() : this.#start());
    find("ticker-rate").onchange = () => this.#timer && this.#arm();
    session.addEventListener("notification", (event) => this.#onNotification(event.detail));
    session.addEventListener("state", () => session.state === "lost" && !session.lives && this.#stop());
    this.#show();
  }

  async #start() {
    if (!this.#session.lives) return;
    const topic = this.#topic || `ticker.${this.#session.code}`;
    this.#arm();
    const held = await this.#topics.hold(topic);
    if (held) this.#topic = topic;
    else this.#stop();
  }

  #arm() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(), 1_000 / Number(this.#find("ticker-rate").value));
    this.#show();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#show();
  }

  async #tick() {
    if (!this.#topic || this.#sent - this.#settled >= WAITING_MAX) return;
    const n = ++this.#sent;
    this.#show();
    const params = JSON.stringify({ topic: this.#topic, data: { n } });
    const { error } = await this.#session.call("topic.publish", params, { quiet: true, timeout: 0 });
    this.#settled += 1;
    if (error) {
      this.#failed += 1;
      if (n > this.#last) this.#excused.add(n);
    }
    this.#show();
  }

  #onNotification({ method, params }) {
    if (method !== "topic.message" || params?.topic !== this.#topic) return;
    const n = params.data?.n;
    if (!Number.isSafeInteger(n)) return;
    if (n <= this.#last) this.#doubled += 1;
    else this.#arrive(n);
    this.#show();
  }

  #arrive(n) {
    for (let skipped = this.#last + 1; skipped < n; skipped += 1) if (!this.#excused.delete(skipped)) this.#lost += 1;
    this.#excused.delete(n);
    this.#last = n;
    this.#arrived += 1;
  }

  #show() {
    const button = this.#find("ticker");
    button.textContent = this.#timer ? "Stop the ticker" : "Start the ticker";
    button.setAttribute("aria-pressed", String(this.#timer !== 0));
    const parts = [
      ["sent", this.#sent],
      ["answered", this.#settled - this.#failed],
      ["failed", this.#failed],
      ["arrived", this.#arrived],
      ["lost", this.#lost],
      ["doubled", this.#doubled],
    ];
    const shown = parts.filter(([name, value]) => value > 0 || (name !== "failed" && this.#sent > 0));
    this.#find("ticker-account").textContent = shown.map(([name, value]) => `${name} ${value}`).join(" · ");
  }
}
