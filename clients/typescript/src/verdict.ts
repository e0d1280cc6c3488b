// Whether the end of a connection is the end of its session (docs/protocol.md, "Close codes"). Knows no session.

import type { End } from "./connection.js";
import type { LostReason } from "./errors.js";

/** Close codes that say that what we sent is wrong; the same message sent again would end the same way. */
const BLAMING = new Set([1002, 1003, 1007, 1009]);
const BLAMED_MAX = 3;

/** Why the session ended with this connection; undefined if it did not. `blame` counts one more end of that kind. */
export function verdict({ code, notice }: End, blame: () => number): LostReason | undefined {
  if (code === 4512) return "superseded";
  if ((code >= 4500 && code < 5000) || (code === 1000 && notice)) return "ended";
  return BLAMING.has(code) && blame() >= BLAMED_MAX ? "protocol" : undefined;
}
