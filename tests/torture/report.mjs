// What a run prints: figures, promises (as node:test does), what went wrong, and one line that says it all.

export function printReport(run, verdict, options) {
  const { ledger, proxy } = run;
  const { promises, lost, doubled, hung, passed } = verdict;
  for (const [name, value] of figures(run)) console.log(`${name.padEnd(34)}${value}`);
  console.log();
  promises.forEach(({ name, broken }, n) => {
    console.log(`${broken ? "not ok" : "ok"} ${n + 1} - ${name}${broken ? ` (broken: ${broken})` : ""}`);
  });
  if (!passed) {
    for (const example of ledger.examples) console.log(`  ${example}`);
    console.log(`the server's last lines:\n${run.server.lines.slice(-20).join("\n")}`);
  }
  if (options.json) console.log(JSON.stringify(asJson(run, verdict)));
  const says = passed ? "passed" : `FAILED (seed ${options.seed})`;
  console.log(`torture: ${proxy.cuts} cuts, ${lost} lost, ${doubled} doubled, ${hung} hung: ${says}`);
  console.log(`# pass ${promises.filter(({ broken }) => !broken).length}`);
  console.log(`# fail ${promises.filter(({ broken }) => broken).length}`);
}

function figures({ ledger, proxy, players, options, server, cutting, settling, memoryBefore, memoryAfter }) {
  const count = ledger.counts;
  const kinds = Object.entries(proxy.byKind).map(([kind, n]) => `${kind} ${n}`);
  const { head, frame, between } = proxy.byPlace;
  const warnings = [...server.warnings].map(([event, n]) => `${event}: ${n}`);
  return [
    ["seed, clients", `${options.seed}, ${players.length}`],
    ["time", `${cutting.toFixed(1)} s of cuts, ${settling.toFixed(1)} s until quiet`],
    ["cuts", `${proxy.cuts} of ${proxy.connections} connections`],
    ["  by kind", kinds.join(", ")],
    ["  where", `in the HTTP head ${head}, inside a frame ${frame}, between frames ${between}`],
    ["sessions resumed", `${count.resumes} times, lost ${count.sessions_lost}`],
    ["calls", `${count.calls}, of these answered later ${count.deferred}, unknown outcome ${count.outcome_unknown}`],
    ["notifications", count.notifications],
    ["messages sent to a session", `${count.sends}, of these queued ${count.queued}, refused ${count.mailbox_full}`],
    ["  heard", count.direct_messages],
    ["messages published", count.published],
    ["  heard", count.topic_messages],
    ["gaps announced", `${count.gaps}, of ${count.missing} messages`],
    ["server's memory", `${memoryBefore.toFixed(1)} MiB before, ${memoryAfter.toFixed(1)} MiB after`],
    ["server's warnings", warnings.join(", ") || "none"],
  ];
}

function asJson({ ledger, proxy, options, cutting, settling }, { promises, lost, doubled, hung, passed }) {
  const { cuts, connections, byKind, byPlace } = proxy;
  const seconds = { cutting, settling };
  const { seed, clients } = options;
  const crimes = { lost, doubled, hung };
  return { seed, clients, seconds, cuts, connections, byKind, byPlace, ...ledger.counts, ...crimes, promises, passed };
}
