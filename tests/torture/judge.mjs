// The judgement at the end of a run: promises, each kept or broken, and the three counts that the last line tells.

const sum = (values) => values.reduce((total, value) => total + value, 0);

// Takes the server down. {promises: [{name, broken}], lost, doubled, hung, passed}; `broken` tells how often.
export async function judge(run) {
  const { ledger, players, proxy, options } = run;
  const counters = await compareCounters(run);
  const streams = players.map((player) => streamsOf(player, run.publisher.sent));
  const metrics = await run.server.metrics().catch(() => new Map());
  const hung = sum(players.map((player) => player.outstanding));
  ledger.counts.outcome_unknown = sum(players.map((player) => player.unknown));
  await run.close();
  const ending = await run.server.stop();
  if (ending) ledger.example(ending);

  const unannounced = sum(streams.map(({ lost, announced }) => Math.max(0, lost - announced)));
  const overannounced = players.filter((player, n) => streams[n].announced > streams[n].absent + player.unknown).length;
  const doubled = counters.above + sum(streams.map((stream) => stream.doubled));
  const lost = counters.below + unannounced;
  const promises = [
    { name: `${options.cuts} connections were cut`, broken: proxy.cuts < options.cuts ? 1 : 0 },
    { name: "every counter equals the calls that were made", broken: counters.wrong },
    { name: "every call has an end", broken: hung },
    { name: "every call has an end that says what happened", broken: options.gaps ? 0 : ledger.counts.outcome_unknown },
    { name: "every answer is the one its place demands", broken: ledger.counts.errors },
    { name: "every stream is complete, or a gap was announced", broken: unannounced },
    { name: "no gap was announced for what arrived", broken: overannounced },
    { name: "there were no gaps", broken: options.gaps ? 0 : ledger.counts.gaps },
    { name: "no stream has anything twice or out of order", broken: sum(streams.map((stream) => stream.doubled)) },
    { name: "no session was lost", broken: ledger.counts.sessions_lost },
    { name: "the server lives, and leaves in order", broken: ending ? 1 : 0 },
  ];
  const passed = promises.every(({ broken }) => broken === 0);
  return { promises, lost, doubled, hung, passed, metrics };
}

// By a client of its own, which nobody cuts.
async function compareCounters({ players, direct, ledger, options }) {
  const result = { wrong: 0, above: 0, below: 0 };
  for (const player of players) {
    let value = NaN;
    try {
      value = await direct.call("counter.get", { counter: player.counter }, { timeout: 10_000 });
    } catch (error) {
      ledger.example(`${player.counter} cannot be read: ${error.message}`);
    }
    if (value === player.calls) continue;
    // A call whose outcome nobody knows may have run or not.
    if (options.gaps && value < player.calls && value >= player.calls - player.unknown) continue;
    result.wrong += 1;
    if (value > player.calls) result.above += value - player.calls;
    else result.below += player.calls - value || 1;
    ledger.example(`${player.counter} is ${value}, but ${player.calls} calls were made`);
  }
  return result;
}

// What one player missed: for sure (`lost`), and at most (`absent`: with what need not have come).
function streamsOf(player, published) {
  const total = { lost: 0, absent: 0, doubled: 0, announced: player.announced };
  for (const [topic, stream] of player.topics) tally(total, stream, published.get(topic));
  for (const [from, stream] of player.letters) tally(total, stream, ...from.lettersTo(player));
  return total;
}

function tally(total, stream, sent, excused) {
  const lost = stream.lostOf(sent, excused);
  total.lost += lost.length;
  total.absent += stream.lostOf(sent).length;
  total.doubled += stream.doubled;
  if (lost.length > 0 && total.announced === 0) {
    stream.ledger.example(`${stream.name}: ${lost.length} never came, the first is number ${lost[0]}`);
  }
}
