// Tally: the numbers of a session that survives cuts, read off its messages by the rules of the protocol (resume): what
// each side has sent and confirmed, and what resuming brought back. It watches; the client does its own counting.

const NOT_COUNTED = new Set(["session.ack", "session.opened", "session.draining", "session.closing", "session.gap"]);

export class Tally {
  sent = 0; // messages of ours written at least once
  confirmed = 0; // of those, the server has so many
  received = 0;
  resumes = 0;
  replayed = 0; // messages that came again by resuming
  fromHistory = 0; // of those, so many from the history of their topics
  missing = 0; // messages that are gone for good
  recovered = undefined; // whether the last resume brought everything back
  #number = 0; // of the message written last on this connection
  #opening = undefined; // the opening request that waits for its answer

  get unconfirmed() {
    return this.sent - this.confirmed;
  }

  onSend(message) {
    if (message.method === "session.open" || message.method === "session.resume") {
      this.#opening = message;
    } else if (!isNotCounted(message)) {
      this.#number += 1;
      this.sent = Math.max(this.sent, this.#number);
    }
  }

  onReceive(message) {
    if (this.#opening && message.id === this.#opening.id) this.#onOpened(this.#opening, message.result);
    else if (!isNotCounted(message)) this.received += 1;
    else if (message.method === "session.ack") this.confirmed = message.params.received;
    else if (message.method === "session.gap") this.#onMissing(message.params.missing);
  }

  #onOpened({ params }, result) {
    this.#opening = undefined;
    if (!result) return; // refused; another request follows
    this.#number = this.confirmed = result.received;
    this.sent = result.resumed ? Math.max(this.sent, result.received) : 0;
    this.received = result.resumed ? params.received : 0;
    if (!result.resumed) return;
    this.resumes += 1;
    this.recovered = result.recovered ?? result.missing === undefined;
    this.fromHistory += result.replayed?.history ?? 0;
    this.replayed += (result.replayed?.ring ?? 0) + (result.replayed?.history ?? 0);
    this.#onMissing(result.missing);
  }

  #onMissing(missing) {
    if (!missing) return;
    this.missing += missing.to - missing.from + 1;
    this.received = missing.to;
  }
}

function isNotCounted({ id, method }) {
  return id === undefined && NOT_COUNTED.has(method);
}
