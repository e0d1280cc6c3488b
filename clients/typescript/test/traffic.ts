// Random traffic of one client, and the oracle: what the client saw against what the server knows.

import assert from "node:assert/strict";
import { OutcomeUnknown, type Gap, type Session } from "../src/index.js";
import { settle } from "./fake_clock.js";
import { World } from "./world.js";

/** Who learns of a cut at once; the other side finds out later. */
export type Who = "both" | "client" | "server";
export const SIDES: Who[] = ["both", "client", "server"];

/** What one client saw and did. */
class Journal {
  readonly seen: number[] = [];
  readonly gaps: Gap[] = [];
  readonly outcomes = new Map<number, string[]>();
  readonly issued: number[] = [];
  private serial = 0;

  constructor(private readonly session: Session) {
    session.on("tick", ({ n }: { n: number }) => this.seen.push(n));
    session.on("gap", (gap) => this.gaps.push(gap));
  }

  call(method: string): void {
    const n = this.issue();
    const note = (what: string): void => void this.outcomes.get(n)!.push(what);
    this.session.call(method, { n }, { timeout: 0 }).then(
      (result: { n: number }) => note(result.n === n ? "result" : `result of ${result.n}`),
      (error: Error) => note(error.name),
    );
  }

  notify(): void {
    const n = this.issue();
    this.outcomes.get(n)!.push("notification");
    this.session.notify("work", { n });
  }

  get settled(): boolean {
    return [...this.outcomes.values()].every((outcomes) => outcomes.length > 0);
  }

  private issue(): number {
    const n = ++this.serial;
    this.issued.push(n);
    this.outcomes.set(n, []);
    return n;
  }
}

export class Traffic {
  readonly world: World;
  session!: Session;
  journal!: Journal;
  readonly pushed: { n: number; number: number }[] = [];

  constructor(seed: number) {
    this.world = new World(seed);
  }

  async open(): Promise<void> {
    this.session = await this.world.connect({ reopen: false, timeout: 0, silence: 2000, keepalive: 20_000, callTimeout: 0 });
    this.journal = new Journal(this.session);
  }

  get model() {
    return this.world.server.session(this.session.code);
  }

  push(): void {
    const { model } = this;
    this.world.server.push(model, "tick", { n: this.pushed.length + 1 });
    this.pushed.push({ n: this.pushed.length + 1, number: model.sent });
  }

  /** Heals everything and lets all come to rest. */
  async heal(): Promise<void> {
    const { world } = this;
    for (let round = 0; round < 60; round++) {
      while (world.server.deferred.length > 0) world.server.answerDeferred();
      await world.tick(1500);
      world.server.sendAcks();
      await world.run();
      const calm = world.server.deferred.length === 0 && this.session.state === "open";
      if (calm && this.journal.settled) break;
    }
    for (let i = 0; i < 60 && this.model.acked < this.model.sent; i++) await world.tick(1000);
  }

  async close(): Promise<void> {
    const closed = this.session.close();
    await this.world.run();
    await closed;
    assert.equal(this.world.clock.pending, 0, "no timer is left");
    assert.equal(this.world.server.sessions.size, 0);
  }

  check(gapsAllowed: boolean): void {
    const { world, journal, model } = this;
    assert.deepEqual(world.server.violations, []);
    assert.equal(this.session.state, "open");
    const log = model.log.map((text) => JSON.parse(text)).filter((m) => m.method === "work" || m.method === "later");
    assert.deepEqual(log.map((m) => m.params.n), journal.issued, "the server's sequence is what was issued");
    for (const [n, outcomes] of journal.outcomes) assert.equal(outcomes.length, 1, `call ${n}: ${outcomes}`);
    const lost = (number: number): boolean => journal.gaps.some((gap) => gap.from <= number && number <= gap.to);
    const expected = this.pushed.filter(({ number }) => !lost(number)).map(({ n }) => n);
    assert.deepEqual(journal.seen, expected, "the stream is exact but for what was announced");
    const doubts = [...journal.outcomes.values()].flat().filter((o) => o === OutcomeUnknown.name).length;
    if (!gapsAllowed) assert.deepEqual([journal.gaps.length, doubts], [0, 0]);
    if (doubts > 0) assert.ok(journal.gaps.some((gap) => gap.replies));
    const announced = journal.gaps.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0);
    assert.ok(doubts + expected.length >= this.pushed.length + doubts - announced);
    for (let i = 1; i < journal.gaps.length; i++) assert.ok(journal.gaps[i]!.from > journal.gaps[i - 1]!.to);
    assert.equal(this.session.credentials()!.received, model.sent);
    assert.equal(model.acked, model.sent, "everything is acknowledged in the end");
  }
}

/** One run by chance; returns the number of cuts. */
export async function randomRun(seed: number, ring: number): Promise<number> {
  const traffic = new Traffic(seed);
  const { world } = traffic;
  world.server.ringMessages = ring;
  world.server.ackEvery = 1 + Math.floor(world.random() * 10);
  await traffic.open();
  const { journal } = traffic;
  const chance = (p: number): boolean => world.random() < p;
  let cuts = 0;
  for (let step = 0; step < 250; step++) {
    if (chance(0.15)) journal.call(chance(0.3) ? "later" : "work");
    if (chance(0.1)) journal.notify();
    if (chance(0.2)) traffic.push();
    if (chance(0.08)) world.server.answerDeferred(Math.floor(world.random() * world.server.deferred.length));
    if (chance(0.05)) world.server.sendAcks();
    if (chance(0.06)) {
      world.cut(world.socket, SIDES[Math.floor(world.random() * 3)]!);
      cuts++;
    }
    if (chance(0.02)) world.up = !world.up;
    await settle();
    world.deliverAny((n) => Math.floor(world.random() * n));
    if (chance(0.1)) await world.clock.advance(world.random() * 800);
  }
  world.up = true;
  await traffic.heal();
  traffic.check(ring < 1024);
  await traffic.close();
  return cuts;
}
