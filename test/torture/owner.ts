/** One of two processes that want the same sessions at the same moments; what it is to do comes by messages. */
import { channel, type Checkpointer, createRunner, END, graph, SpanloomError, START } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";

export type Race = "start" | "resume" | "next" | "update";
/** Where both wait for each other: having read the session but written nothing, or inside of a node. */
export type Meeting = "loaded" | "inside";

export type Command =
  | { readonly race: Race; readonly meeting: Meeting; readonly sessionId: string }
  | { readonly proceed: true }
  | { readonly make: Race; readonly sessionId: string }
  | { readonly end: true };

/** `waits`: it has come to where they meet. `ended`: the codes of the error and its cause, or the state's `log`. */
export type Answer = { readonly waits: true } | { readonly ended: readonly string[]; readonly won: boolean } | { readonly made: true };

const [, , database = "", name = ""] = process.argv;
const tell = (answer: Answer): void => void process.send?.(answer);
let proceed: (() => void) | undefined;
let waitsInside = false;
let loadsLeft = 0;

/** Until the other one is there too, or has been refused. */
const gate = (): Promise<void> =>
  new Promise((resolve) => {
    proceed = resolve;
    tell({ waits: true });
  });

const compiled = graph({ name: "race", channels: { log: channel.list<string>(), extra: channel.value(0) } })
  .node("first", () => ({}))
  .node("work", async (_state, { once }) => {
    if (waitsInside) await gate();
    const who = await once("who", () => name);
    return { log: [who] };
  })
  .node("beside", () => ({ extra: 1 }))
  .edge(START, "first")
  .edge("first", ["work", "beside"])
  .edge("work", END)
  .edge("beside", END)
  .compile();

const file = sqliteCheckpointer(database, { busyTimeout: "60s" });
const store: Checkpointer = {
  ...file,
  load: async (...given) => {
    const found = await file.load(...given);
    loadsLeft -= 1;
    if (loadsLeft === 0) await gate();
    return found;
  },
};
const runner = createRunner(compiled, { checkpointer: store });
const pausing = createRunner(compiled, { checkpointer: store, pauseBefore: ["work"] });

/** How often each reads the session before it writes. */
const loads: Readonly<Record<Race, number>> = { start: 1, resume: 1, next: 2, update: 1 };

async function make(race: Race, sessionId: string): Promise<void> {
  if (race === "next") await runner.invoke({}, { sessionId });
  else if (race !== "start") await pausing.invoke({}, { sessionId });
  tell({ made: true });
}

async function begin(race: Race, sessionId: string): Promise<readonly string[]> {
  const session = runner.session(sessionId);
  if (race === "update") return (await session.update({ log: [name] })).state.log;
  const run = race === "start" ? session.start({}) : race === "next" ? session.next({}) : session.resume();
  return (await run.result).state.log;
}

async function take(race: Race, meeting: Meeting, sessionId: string): Promise<void> {
  waitsInside = meeting === "inside";
  loadsLeft = meeting === "loaded" ? loads[race] : 0;
  try {
    tell({ ended: await begin(race, sessionId), won: true });
  } catch (error) {
    const codes = [error, error instanceof Error ? error.cause : undefined].flatMap((each) => (SpanloomError.is(each) ? [each.code] : []));
    tell({ ended: codes, won: false });
  } finally {
    waitsInside = false;
    loadsLeft = 0;
  }
}

process.on("message", (command: Command) => {
  if ("make" in command) void make(command.make, command.sessionId);
  else if ("race" in command) void take(command.race, command.meeting, command.sessionId);
  else if ("proceed" in command) proceed?.();
  else
    void runner
      .close()
      .then(() => file.close())
      .then(() => process.disconnect());
});
