// Log: what happened, newest first. Bounded in rows and in text per row; renders in bursts, so that a flood of messages
// costs one layout per burst. Text from peers reaches the document through textContent only.

const ROWS_MAX = 500;
const TEXT_MAX = 4_000; // characters of one row
const RENDER_MS = 50;
const ANNOUNCE_MS = 2_000; // screen readers hear one sentence per burst, not every row

const ARROWS = { in: ["←", "received"], out: ["→", "sent"], none: ["·", ""] };

export class Log {
  #entries = []; // shown, newest first: {row, words}
  #waiting = []; // not shown yet, oldest first: {at, kind, direction, peer, text}
  #total = 0;
  #unheard = 0; // arrivals since the last announcement
  #sentence = "";
  #announcedAt = -ANNOUNCE_MS;
  #paused = false;
  #filter = "";
  #renderTimer = 0;
  #announceTimer = 0;
  #find;
  #onPeer;

  // `find` gives an element by id; `onPeer(code)` is called when a person picks a sender's code.
  constructor(find, onPeer) {
    this.#find = find;
    this.#onPeer = onPeer;
    find("log-pause").onclick = () => this.#pause(!this.#paused);
    find("log-clear").onclick = () => this.#clear();
    find("log-filter").oninput = (event) => this.#setFilter(event.target.value);
    this.#showCount();
  }

  // kind: session, topic, hub, call, error or state. direction: in, out or none. peer: a session's code or a topic.
  // arrival: a message from somebody else, announced to screen readers.
  add({ kind, direction = "none", peer = "", text, arrival = false }) {
    this.#total += 1;
    this.#waiting.push({ at: new Date(), kind, direction, peer, text });
    if (this.#waiting.length > ROWS_MAX) this.#waiting.shift();
    if (arrival) this.#announceSoon(`${kind} message from ${peer || "the hub"}: ${text.slice(0, 120)}`);
    this.#renderTimer ||= setTimeout(() => this.#render(), RENDER_MS);
  }

  #render() {
    this.#renderTimer = 0;
    if (!this.#paused && this.#waiting.length > 0) {
      const fresh = this.#waiting.splice(0).map((entry) => this.#makeEntry(entry)).reverse();
      this.#find("log").prepend(...fresh.map((entry) => entry.row));
      this.#entries.unshift(...fresh);
      for (const old of this.#entries.splice(ROWS_MAX)) old.row.remove();
    }
    this.#showCount();
  }

  #makeEntry({ at, kind, direction, peer, text }) {
    const row = document.createElement("li");
    row.dataset.kind = kind;
    const [arrow, spoken] = ARROWS[direction];
    const time = element("time", clock(at));
    time.dateTime = at.toISOString();
    const mark = element("span", arrow, "arrow");
    mark.title = spoken;
    const body = element("span", "", "body");
    if (peer) body.append(kind === "session" ? this.#peerButton(peer, direction) : element("b", peer), " ");
    const cut = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}… (${text.length} characters)` : text;
    body.append(element("span", cut, "text"));
    row.append(time, mark, element("span", kind, "kind"), body);
    const words = `${kind} ${spoken} ${peer} ${cut}`.toLowerCase();
    row.hidden = !words.includes(this.#filter);
    return { row, words };
  }

  #peerButton(peer, direction) {
    if (direction !== "in") return element("b", peer);
    const button = element("button", peer, "peer");
    button.type = "button";
    button.title = "Answer this session";
    button.onclick = () => this.#onPeer(peer);
    return button;
  }

  #pause(paused) {
    this.#paused = paused;
    this.#find("log-pause").setAttribute("aria-pressed", String(paused));
    this.#render();
  }

  #clear() {
    this.#entries = [];
    this.#waiting = [];
    this.#total = 0;
    this.#find("log").replaceChildren();
    this.#showCount();
  }

  #setFilter(text) {
    this.#filter = text.trim().toLowerCase();
    for (const { row, words } of this.#entries) row.hidden = !words.includes(this.#filter);
    this.#showCount();
  }

  #showCount() {
    const shown = this.#entries.filter(({ row }) => !row.hidden).length;
    const held = this.#paused ? this.#waiting.length : 0;
    this.#find("log-count").textContent = shown === this.#total ? `${shown}` : `${shown} of ${this.#total}`;
    this.#find("log-pause").textContent = this.#paused ? `Resume (${held})` : "Pause";
    this.#find("log-empty").hidden = shown > 0;
  }

  // One arrival is read out, a burst is only counted.
  #announceSoon(sentence) {
    this.#unheard += 1;
    this.#sentence = sentence;
    if (this.#announceTimer) return;
    const wait = Math.max(200, this.#announcedAt + ANNOUNCE_MS - performance.now());
    this.#announceTimer = setTimeout(() => {
      const said = this.#unheard === 1 ? this.#sentence : `${this.#unheard} messages arrived`;
      this.#find("announce").textContent = said;
      this.#announcedAt = performance.now();
      this.#announceTimer = this.#unheard = 0;
    }, wait);
  }
}

export function element(tag, text, className = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function clock(at) {
  const two = (number) => String(number).padStart(2, "0");
  const millis = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
}
