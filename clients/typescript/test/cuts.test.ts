// The promise of the package: whatever boundary a connection is cut at, in whatever direction, each message arrives
// once and in order, each call settles once, and what cannot be kept is announced exactly.

import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "./fake_clock.js";
import { randomRun, SIDES, Traffic, type Who } from "./traffic.js";

/** A fixed script whose deliveries are counted; before delivery `cutAt` the connection is cut. */
async function script(cutAt: number, who: Who): Promise<number> {
  const traffic = new Traffic(1);
  await traffic.open();
  const { world, journal } = traffic;
  world.deliveries = 0;
  for (let i = 0; i < 6; i++) {
    journal.call("work");
    traffic.push();
    journal.notify();
    journal.call("later");
  }
  for (let i = 0; i < 400; i++) {
    await settle();
    if (world.deliveries === cutAt) {
      world.cut(world.socket, who);
      world.deliveries++;
    }
    if (i % 7 === 3) world.server.sendAcks();
    if (i % 9 === 5) world.server.answerDeferred();
    if (world.deliverAny((n) => i % n)) continue;
    if (traffic.session.state === "open" && journal.settled) break;
    await world.clock.advance(250);
  }
  const count = world.deliveries;
  await traffic.heal();
  traffic.check(false);
  await traffic.close();
  return count;
}

for (const who of SIDES)
  test(`a cut at every message boundary loses nothing, doubles nothing (${who} learn of it)`, async () => {
    const deliveries = await script(-1, who);
    assert.ok(deliveries > 40, `${deliveries} boundaries`);
    for (let cutAt = 0; cutAt <= deliveries; cutAt++) await script(cutAt, who);
  });

test("400 random runs with an ample ring: nothing lost, nothing twice, no call hangs", async () => {
  let cuts = 0;
  for (let seed = 1; seed <= 400; seed++) {
    try {
      cuts += await randomRun(seed, 1024);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  assert.ok(cuts > 4000, `${cuts} cuts`);
});

test("300 random runs with a small ring: every loss is announced exactly", async () => {
  for (let seed = 1001; seed <= 1300; seed++) {
    try {
      await randomRun(seed, 1 + (seed % 6));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
