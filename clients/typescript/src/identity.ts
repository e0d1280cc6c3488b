// Who this client is at the server: nobody yet, the session of an earlier page, or the present one; and the request
// that says so when a connection opens.

import type { Credentials, Settings } from "./options.js";
import type { Opened } from "./protocol.js";

export class Identity {
  private known: Omit<Credentials, "received"> | undefined;
  private foreign = false;

  constructor(private readonly settings: Pick<Settings, "resume" | "auth" | "data" | "client">) {
    if (!settings.resume) return;
    const { code, epoch, token } = settings.resume;
    this.known = { code, epoch, token };
    this.foreign = true;
  }

  /** True while the session is an earlier page's, whose own messages only the server has counted. */
  get inherited(): boolean {
    return this.foreign;
  }

  credentials(received: number): Credentials | undefined {
    return this.known && { ...this.known, received };
  }

  /** The server agreed. Each resume brings a new token. */
  confirm({ session: { code, epoch, token } }: Opened): void {
    this.known = { code, epoch, token };
    this.foreign = false;
  }

  forget(): void {
    this.known = undefined;
    this.foreign = false;
  }

  // The code in the address only helps to find the server that has the session; it is no secret.
  address(url: string): string {
    if (!this.known) return url;
    return `${url}${url.includes("?") ? "&" : "?"}session=${encodeURIComponent(this.known.code)}`;
  }

  async openingRequest(received: number): Promise<{ method: string; params: unknown }> {
    if (this.known) return { method: "session.resume", params: this.credentials(received) };
    const { auth, data, client } = this.settings;
    const proof: unknown = typeof auth === "function" ? await (auth as () => unknown)() : auth;
    return { method: "session.open", params: { auth: proof, data, client } };
  }
}
