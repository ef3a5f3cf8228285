/** Flushes when the process is about to end, without changing how it ends. */

const stopSignals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];

export interface ExitHooks {
  /** Of what was not waited for in vain before. Bounded; never rejects. */
  readonly flush: () => Promise<void>;
  /** What can be saved without waiting. */
  readonly flushNow: () => void;
  /** Grows with everything that is there to be flushed. */
  readonly created: () => number;
}

/* Once more only for what is new since: a collector that is down must not keep the process for ever. */
function onBeforeExit({ flush, created }: ExitHooks): () => void {
  let flushed = -1;
  return () => {
    if (created() === flushed) return;
    flushed = created();
    void flush();
  };
}

/* Where the application listens as well, what happens is its own affair. */
function onSignal({ flush }: ExitHooks): NodeJS.SignalsListener {
  let flushing = false;
  const act: NodeJS.SignalsListener = (signal) => {
    if (!process.listeners(signal).includes(listener)) return;
    process.removeListener(signal, listener);
    process.kill(process.pid, signal);
  };
  const listener: NodeJS.SignalsListener = (signal) => {
    const alone = process.listenerCount(signal) === 1;
    // Who sends it twice does not want to wait.
    if (alone && flushing) return act(signal);
    flushing = alone;
    void flush().then(() => (alone ? act(signal) : undefined));
  };
  return listener;
}

/** Listens until the function that it returns is called. */
export function watchExit(hooks: ExitHooks, signals: boolean): () => void {
  const beforeExit = onBeforeExit(hooks);
  const exit = (): void => hooks.flushNow();
  const signalled = onSignal(hooks);
  process.on("beforeExit", beforeExit);
  // Before the application's own listeners, so that they find the file complete.
  process.prependListener("exit", exit);
  // Before them too, because one that listens once is gone by the time the next is called.
  if (signals) for (const signal of stopSignals) process.prependListener(signal, signalled);
  return () => {
    process.removeListener("beforeExit", beforeExit);
    process.removeListener("exit", exit);
    for (const signal of stopSignals) process.removeListener(signal, signalled);
  };
}
