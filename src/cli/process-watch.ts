/** What may end a run from outside of it: signals, errors that nothing caught, an exit, and a process with nothing left to wait for. */
import { CommandError, type ExitCode, exitCodes } from "./exit-codes.ts";
import { messageOf } from "./format.ts";

export type StopSignal = "SIGINT" | "SIGTERM";

export interface ProcessWatch {
  /** Settles as the work does; rejects with `CommandError` `stalled` or `crashed` if the process cannot bring it to an end. */
  guard<Value>(what: string, work: Promise<Value>): Promise<Value>;
  /** What the first signal does from now on. Without it, every signal ends the process at once. */
  onFirstSignal(stop: (signal: StopSignal) => void): void;
  /** What was watched has ended, and the process ends with this code from now on. The next signal ends the waiting; one after that, all. */
  settled(code: ExitCode, endWaiting?: () => void): void;
  /** The first signal that came. */
  readonly signal: StopSignal | undefined;
}

interface Guarded {
  readonly what: string;
  readonly reject: (error: unknown) => void;
}

/**
 * Listens for the rest of the process. `tell` is called, and must be done when it returns, as the process ends: with an error in the middle of
 * what is guarded, without one by a signal, or when all has settled. By then telemetry has written what it holds.
 */
export function watchProcess(tell: (error: CommandError | undefined) => void): ProcessWatch {
  const guarded = new Set<Guarded>();
  let gracefully: ((signal: StopSignal) => void) | undefined;
  let settledCode: ExitCode | undefined;
  let first: StopSignal | undefined;
  let stopping: { readonly error: CommandError | undefined } | undefined;
  // Told when the process exits: that is when telemetry writes what it holds.
  const endAtOnce = (code: number, error: CommandError | undefined): never => {
    stopping = { error };
    return process.exit(code);
  };
  const stop = (signal: StopSignal): void => {
    const act = gracefully;
    gracefully = undefined;
    first ??= signal;
    if (act !== undefined) return act(signal);
    endAtOnce(settledCode ?? exitCodes[signal], undefined);
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
  // Else user code may have ended the process: what was under way is not completed, and what has settled is, whatever code it gave.
  process.on("exit", (code) => {
    if (stopping !== undefined) return tell(stopping.error);
    const [interrupted] = guarded;
    if (interrupted !== undefined) {
      tell(new CommandError("exited", { what: interrupted.what, code }));
      process.exitCode = exitCodes.failed;
    } else if (settledCode !== undefined) {
      tell(undefined);
      process.exitCode = settledCode;
    }
  });
  return {
    get signal() {
      return first;
    },
    onFirstSignal: (next) => {
      gracefully = next;
    },
    settled: (code, endWaiting) => {
      settledCode = code;
      gracefully = endWaiting;
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
