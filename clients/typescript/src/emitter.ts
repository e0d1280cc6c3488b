// Named handlers. A handler that throws, or whose promise rejects, disturbs neither the others nor the session.

export type Handler = (...values: never[]) => unknown;

export class Emitter {
  private readonly handlers = new Map<string, Set<Handler>>();

  constructor(private readonly report: (error: unknown) => void) {}

  on(name: string, handler: Handler): () => void {
    let set = this.handlers.get(name);
    if (!set) this.handlers.set(name, (set = new Set()));
    // The same function twice is two registrations, each with its own off().
    const own: Handler = (...values) => handler(...values);
    set.add(own);
    return () => {
      const present = this.handlers.get(name);
      if (present?.delete(own) && present.size === 0) this.handlers.delete(name);
    };
  }

  emit(name: string, ...values: unknown[]): void {
    const set = this.handlers.get(name);
    if (set) for (const handler of [...set]) this.run(handler, ...values);
  }

  /** Calls one handler under the same protection. */
  run(handler: Handler | undefined, ...values: unknown[]): void {
    if (!handler) return;
    try {
      const result = handler(...(values as never[]));
      if (result instanceof Promise) result.catch(this.report);
    } catch (error) {
      this.report(error);
    }
  }
}
