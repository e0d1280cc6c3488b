// A session that does not mind losing its connection: what is called and published while the network is away goes out
// when it is back, and the topic goes on where it stopped. `npx tsc` and `node`, or any bundler.
import { connect, OutcomeUnknown } from "@hubbub/client";

const session = await connect("ws://127.0.0.1:8080/ws", {
  data: { name: "Ada" },
  onState: (state, detail) => console.log(state, detail.reason ?? ""),
});
console.log("I am", session.code);

session.on("session.message", ({ from, data }) => console.log(from, "says", data));
const news = await session.subscribe("news", { last: 10 }, (data, { offset }) => console.log(offset, data));
await session.publish("news", { text: `hello from ${session.code}` });

try {
  console.log(await session.call("echo", { a: 1 }, { timeout: 5_000 }));
} catch (error) {
  if (error instanceof OutcomeUnknown) console.log("the session was lost before the answer came");
  else throw error;
}

await news.unsubscribe();
await session.close();
