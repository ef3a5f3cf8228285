/** How old a stored trace is, and what leaves the line of a session's traces as it is. */
import { describe, expect, test } from "vitest";
import { all } from "../sessions/support.ts";
import { forged, minutes, scene } from "./continuity-support.ts";
import { noop } from "./run-pair.ts";
import { UserError } from "./run-support.ts";

describe("how old a trace is", () => {
  test("counts from its last save, whether of a superstep", async () => {
    const { runner, clock, lines } = scene();
    const made = runner("auto", {}, () => clock.advance(minutes(20)));
    await made.invoke({}, { sessionId: "s" });
    await clock.advance(minutes(15));
    await made.session("s").resume().result;
    expect(lines()).toEqual(["A", "A < 0: resumed_from 0, origin 0"]);
  });

  test("or of a failure", async () => {
    const { runner, clock, lines } = scene();
    let calls = 0;
    const made = runner("auto", {}, async () => {
      await clock.advance(minutes(20));
      calls += 1;
      if (calls === 1) throw new UserError("once");
    });
    await made.invoke({}, { sessionId: "s" }).catch(noop);
    await clock.advance(minutes(15));
    await made.session("s").resume().result;
    expect(lines()).toEqual(["A", "A < 0: resumed_from 0, origin 0"]);
  });

  test("and not from what leaves no span: a write from outside, a fork, an invocation that nobody traces", async () => {
    const { runner, clock, lines, stored } = scene();
    const made = runner("auto", { pauseEachStep: true });
    const session = made.session("s");
    await session.start({}).result;
    const before = await stored();
    await clock.advance(minutes(10));
    await session.update({ who: "Ada" });
    const fork = await session.fork({ sessionId: "f" });
    expect([await stored(), await stored("f")]).toEqual([before, before]);
    await runner("auto", { telemetry: false }).session("s").resume().result;
    await clock.advance(minutes(6));
    await session.next({}).result;
    await fork.resume().result;
    expect(lines()).toEqual(["A", "B: resumed_from 0, origin 0", "C: forked_from 0"]);
  });

  test("another machine's clock that is a little ahead makes no difference", async () => {
    const { runner, store, clock, lines } = scene();
    await runner("auto").invoke({}, { sessionId: "s" });
    const checkpointer = forged(store, (real) => ({ ...real, time: clock.now() + minutes(2) }));
    await runner("auto", { checkpointer }).session("s").resume().result;
    expect(lines()).toEqual(["A", "A < 0: resumed_from 0, origin 0"]);
  });
});

describe("what is no invocation leaves the line as it is", () => {
  test("reading, writing, forking and finishing", async () => {
    const { runner, store, clock, lines, stored, spans } = scene();
    const session = runner("auto", { pauseEachStep: true }).session("s");
    await session.start({}).result;
    const before = await stored();
    const made = spans.length;
    await clock.advance(5);
    const seen = await all(session.history());
    await session.at(seen[0]?.checkpointId ?? "");
    await session.state();
    await session.update({ who: "Ada" });
    await session.fork({ sessionId: "f" });
    expect([await stored(), spans.length]).toEqual([before, made]);
    await session.resume().result;
    expect(lines()).toEqual(["A", "A < 0: resumed_from 0, origin 0"]);
    const last = await stored();
    await session.finish();
    expect((await store.load("s"))?.record).toMatchObject({ finished: true, trace: last });
  });

  test("a fork of an older checkpoint goes on from what was then, and from there on by itself", async () => {
    const { runner, clock, lines } = scene();
    const session = runner("auto", { pauseEachStep: true }).session("s");
    await session.start({}).result;
    await clock.advance(minutes(10));
    await session.resume().result;
    const [newest, , oldest] = await all(session.history());
    await clock.advance(minutes(10));
    const young = await session.fork({ checkpointId: newest?.checkpointId ?? "" });
    const old = await session.fork({ checkpointId: oldest?.checkpointId ?? "" });
    await young.next({}).result;
    await old.resume().result;
    await old.resume().result;
    expect(lines()).toEqual([
      "A",
      "A < 0: resumed_from 0, origin 0",
      "A < 1: forked_from 1",
      "B: forked_from 0",
      "B < 3: resumed_from 3, origin 3",
    ]);
  });
});
