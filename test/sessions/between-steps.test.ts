/** A session that is stepped by hand, between two steps: who may go on with it, and what ends it. */
import { describe, expect, it } from "vitest";
import { createRunner, memoryCheckpointer } from "spanloom";
import { chain, expectCode, ofType, settle, terminals, typesOf, watched } from "./support.ts";

describe("a session that is held between steps", () => {
  it("may be gone on with by a run: the invocation by hand ends, and the run is another", async () => {
    const { session, events } = watched(chain("a", "b", "c").compile());
    await session.create({});
    await session.runStep();
    expect(await session.resume().result).toMatchObject({ status: "completed", step: 3, steps: 2 });
    await settle();
    expect(terminals(events)).toEqual(["invocation.cancelled", "invocation.completed"]);
    expect(events.filter(({ epoch }) => epoch === 1).at(-1)?.type).toBe("invocation.cancelled");
  });

  it("is not ended by a call that is refused", async () => {
    const { session, events } = watched(chain("a", "b").compile());
    await session.create({});
    await expectCode(() => session.next({}).result, "session_pending");
    await expectCode(() => session.resume({ answer: 1 }).result, "interrupt_not_found");
    await expectCode(() => session.resume({ rerun: ["nope"] }).result, "invalid_option");
    await settle();
    expect(typesOf(events)).toEqual(["session.created", "invocation.started", "checkpoint.saved"]);
    await session.runStep();
    await session.runStep();
    await settle();
    expect(new Set(events.map(({ epoch }) => epoch)).size).toBe(1);
  });

  it("sees what `update` wrote between two steps", async () => {
    const { session } = watched(chain("a", "b").compile());
    await session.create({});
    await session.runStep();
    expect(await session.update({ log: ["by hand"] })).toMatchObject({ status: "idle", step: 1, next: ["b"], versions: { log: 3 } });
    expect(await session.runUntilComplete()).toMatchObject({ state: { log: ["a@1", "by hand", "b@2"] } });
  });

  it("is completed by an `update` that leaves nothing due: no step is left to run, and the invocation has its end", async () => {
    const { session, events } = watched(chain("a", "b").compile());
    await session.create({});
    await session.runStep();
    expect(await session.update({}, { asNode: "b" })).toMatchObject({ status: "completed", next: [] });
    await expectCode(() => session.runStep(), "session_finished");
    await settle();
    expect(terminals(events)).toEqual(["invocation.completed"]);
  });

  it("ends as drained when the runner is closed, and goes on in another", async () => {
    const checkpointer = memoryCheckpointer();
    const graph = chain("a", "b").compile();
    const { session, events, runner } = watched(graph, { checkpointer });
    await session.create({});
    await session.runStep();
    await runner.close();
    await settle();
    expect(ofType(events, "invocation.cancelled").map(({ data }) => data.reason)).toEqual(["drain"]);
    expect(await createRunner(graph, { checkpointer }).session("s").runStep()).toMatchObject({ step: 2, completed: true });
  });
});
