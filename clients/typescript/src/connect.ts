// The way in.

import { Core } from "./core.js";
import { settings, type ConnectOptions } from "./options.js";
import { Session } from "./session.js";

/**
 * Opens a session at `url` (`ws://host/ws`, `wss://host/ws`), or resumes one (option `resume`), and keeps it alive.
 *
 * Resolves when the session is open; connections that fail are tried again until option `timeout`. Rejects with
 * TimeoutError, with RpcError if the server refuses to open a session, or with SessionLost if it ends the attempt.
 * Messages are handed out from the next task on, so handlers added right after `await connect()` miss nothing.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Session> {
  const core = new Core(url, settings(options));
  if (options.onState) core.emitter.on("state", options.onState);
  if (options.onCredentials) core.emitter.on("credentials", options.onCredentials);
  await core.start();
  return new Session(core);
}
