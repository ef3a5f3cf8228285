/** What may end a run from outside of it: signals, errors that nothing caught, an exit, and a process with nothing left to wait for. */
import { CommandError, exitCodes } from "./exit-codes.ts";
import { messageOf } from "./format.ts";

export type StopSignal = "SIGINT" | "SIGTERM";

export interface ProcessWatch {
  /** Settles as the work does; rejects with `CommandError` `stalled` or `crashed` if the process cannot bring it to an end. */
  guard<Value>(what: string, work: Promise<Value>): Promise<Value>;
  /** What the first signal does from now on. Without it, every signal ends the process at once. */
  onFirstSignal(stop: ((signal: StopSignal) => void) | undefined): void;
  /** The first signal that came. */
  readonly signal: StopSignal | undefined;
}

interface Guarded {
  readonly what: string;
  readonly reject: (error: unknown) => void;
}

/**
 * Listens for the rest of the process. `tell` is called, and must be done when it returns, where the process ends at once: by a signal
 * (without an error), or in the middle of what is guarded. By then telemetry has written what it holds.
 */
export function watchProcess(tell: (error: CommandError | undefined) => void): ProcessWatch {
  const guarded = new Set<Guarded>();
  let gracefully: ((signal: StopSignal) => void) | undefined;
  let first: StopSignal | undefined;
  let stopping: { readonly error: CommandError | undefined } | undefined;
  // Told when the process exits: that is when telemetry writes what it holds.
  const endAtOnce = (code: number, error: CommandError | undefined): never => {
    stopping = { error };
    return process.exit(code);
  };
  const stop = (signal: StopSignal): void => {
    if (first === undefined && gracefully !== undefined) {
      first = signal;
      return gracefully(signal);
    }
    endAtOnce(exitCodes[signal], undefined);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.on("beforeExit", () => {
    for (const { what, reject } of guarded) reject(new CommandError("stalled", { what }));
  });
  process.on("uncaughtException", (cause) => {
    const error = new CommandError("crashed", { reason: messageOf(cause) }, { cause });
    for (const { reject } of guarded) reject(error);
    if (guarded.size === 0) endAtOnce(exitCodes.failed, error);
  });
  // Else user code ended the process: what was under way is not completed, whatever code it gave.
  process.on("exit", (code) => {
    if (stopping !== undefined) return tell(stopping.error);
    const [interrupted] = guarded;
    if (interrupted === undefined) return;
    tell(new CommandError("exited", { what: interrupted.what, code }));
    if (code === 0) process.exitCode = exitCodes.failed;
  });
  return {
    get signal() {
      return first;
    },
    onFirstSignal: (next) => {
      gracefully = next;
    },
    guard: async (what, work) => {
      const { promise, reject } = Promise.withResolvers<never>();
      const entry: Guarded = { what, reject };
      guarded.add(entry);
      try {
        return await Promise.race([work, promise]);
      } finally {
        guarded.delete(entry);
      }
    },
  };
}
