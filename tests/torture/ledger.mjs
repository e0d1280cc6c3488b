// Ledger: what must be so at the end. Everybody writes down what they asked for, what they were told and what they
// heard; the ledger compares. It counts three crimes: lost (something that was promised never came, and no gap was
// announced for it), doubled (something came or ran twice, or out of its order) and hung (a call without an end).

const EXAMPLES_KEPT = 20;

// What one listener heard of one numbered stream. Numbers must rise; which ones should have come is asked at the end.
export class Stream {
  heard = 0;
  doubled = 0;
  last = 0;
  missing = []; // numbers that were skipped

  constructor(name, ledger) {
    this.name = name;
    this.ledger = ledger;
  }

  hear(n) {
    if (n <= this.last) {
      this.doubled += 1;
      this.ledger.example(`${this.name}: ${n} came after ${this.last}`);
      return;
    }
    for (let skipped = this.last + 1; skipped < n; ++skipped) this.missing.push(skipped);
    this.last = n;
    this.heard += 1;
  }

  // Numbers up to `sent` that did not come, but those in `excused`.
  lostOf(sent, excused = new Set()) {
    return [...this.missing, ...this.#after(sent)].filter((n) => !excused.has(n));
  }

  // Whether something up to `sent` may still come.
  isBehind(sent, excused = new Set()) {
    return this.#after(sent).some((n) => !excused.has(n));
  }

  #after(sent) {
    return Array.from({ length: Math.max(0, sent - this.last) }, (_, n) => this.last + 1 + n);
  }
}

export class Ledger {
  examples = [];
  counts = {
    calls: 0, // counter.add and counter.later
    deferred: 0, // of these, counter.later
    notifications: 0,
    sends: 0, // session.send
    queued: 0, // of these, taken into the mailbox of a detached session
    mailbox_full: 0, // of these, refused
    published: 0,
    topic_messages: 0,
    direct_messages: 0,
    gaps: 0, // announced
    missing: 0, // messages that these gaps spoke of
    outcome_unknown: 0,
    resumes: 0,
    sessions_lost: 0,
    errors: 0, // replies and states that had no business to come
  };

  example(text) {
    if (this.examples.length < EXAMPLES_KEPT) this.examples.push(text);
  }

  error(text) {
    this.counts.errors += 1;
    this.example(text);
  }
}
