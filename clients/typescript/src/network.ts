// What the platform knows about the network. Events only: `navigator.onLine` says "offline" on machines that reach
// their server very well over loopback, so its value is not asked, only its changes are heard.

/** `visible`: the page came back to the front; a good moment to see whether the connection still lives. */
export type NetworkEvent = "online" | "offline" | "visible";

/** A source of network hints. */
export interface Network {
  /** Calls the listener at each event until the returned function is called. */
  watch(listener: (event: NetworkEvent) => void): () => void;
}

interface EventSource {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** The browser's online, offline and visibilitychange events; silent where there are none, as in Node. */
export const browserNetwork: Network = {
  watch(listener) {
    const world = globalThis as EventSource & { document?: EventSource & { visibilityState?: string } };
    const page = world.document;
    const online = (): void => listener("online");
    const offline = (): void => listener("offline");
    const visibility = (): void => {
      if (page?.visibilityState === "visible") listener("visible");
    };
    world.addEventListener?.("online", online);
    world.addEventListener?.("offline", offline);
    page?.addEventListener?.("visibilitychange", visibility);
    return () => {
      world.removeEventListener?.("online", online);
      world.removeEventListener?.("offline", offline);
      page?.removeEventListener?.("visibilitychange", visibility);
    };
  },
};
