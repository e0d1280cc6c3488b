// Random: a small seeded generator (mulberry32), so that a run's plans can be had again by its seed. Timing on a real
// machine is not seeded: the same seed gives the same plans, not the same run.

export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  // A generator of its own for the n-th thing of a run; what others draw does not change it.
  static of(seed, n) {
    return new Random(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35));
  }

  // In [0, 1).
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  // An integer from..to, both possible.
  between(from, to) {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  // Integer from..to, small ones more often: every order of magnitude is equally likely.
  skewed(from, to) {
    return Math.floor(from * (to / from) ** this.next());
  }

  // One of [[weight, value], …].
  weighted(choices) {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    return choices.at(-1)[1];
  }
}
