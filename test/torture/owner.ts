/** One of two processes that want the same sessions at the same moments; what it is to do comes by messages. */
import { channel, createRunner, END, graph, type RunResult, SpanloomError, START } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";

export type Race = "start" | "resume" | "next";

export type Command =
  | { readonly race: Race; readonly sessionId: string }
  | { readonly proceed: true }
  | { readonly make: Race; readonly sessionId: string }
  | { readonly end: true };

/** `inside`: a node runs, and waits. `ended`: the codes of the error and its cause, or the state's `log`. */
export type Answer = { readonly inside: true } | { readonly ended: readonly string[]; readonly won: boolean } | { readonly made: true };

const [, , database = "", name = ""] = process.argv;
const tell = (answer: Answer): void => void process.send?.(answer);
let proceed: (() => void) | undefined;
let isWaiting = false;

/** Until the other one is inside too, or has been refused. */
const gate = (): Promise<void> =>
  new Promise((resolve) => {
    proceed = resolve;
    tell({ inside: true });
  });

const compiled = graph({ name: "race", channels: { log: channel.list<string>(), extra: channel.value(0) } })
  .node("first", () => ({}))
  .node("work", async (_state, { once }) => {
    if (isWaiting) await gate();
    const who = await once("who", () => name);
    return { log: [who] };
  })
  .node("beside", () => ({ extra: 1 }))
  .edge(START, "first")
  .edge("first", ["work", "beside"])
  .edge("work", END)
  .edge("beside", END)
  .compile();

const store = sqliteCheckpointer(database, { busyTimeout: "60s" });
const runner = createRunner(compiled, { checkpointer: store });
const pausing = createRunner(compiled, { checkpointer: store, pauseBefore: ["work"] });

async function make(race: Race, sessionId: string): Promise<void> {
  if (race === "next") await runner.invoke({}, { sessionId });
  else if (race !== "start") await pausing.invoke({}, { sessionId });
  tell({ made: true });
}

function begin(race: Race, sessionId: string): Promise<RunResult<typeof compiled>> {
  const session = runner.session(sessionId);
  if (race === "start") return session.start({}).result;
  return race === "next" ? session.next({}).result : session.resume().result;
}

async function take(race: Race, sessionId: string): Promise<void> {
  isWaiting = true;
  try {
    const { state } = await begin(race, sessionId);
    tell({ ended: state.log, won: true });
  } catch (error) {
    const codes = [error, error instanceof Error ? error.cause : undefined].flatMap((each) => (SpanloomError.is(each) ? [each.code] : []));
    tell({ ended: codes, won: false });
  } finally {
    isWaiting = false;
  }
}

process.on("message", (command: Command) => {
  if ("make" in command) void make(command.make, command.sessionId);
  else if ("race" in command) void take(command.race, command.sessionId);
  else if ("proceed" in command) proceed?.();
  else
    void runner
      .close()
      .then(() => store.close())
      .then(() => process.disconnect());
});
