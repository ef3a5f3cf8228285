/** What grew beyond what one write may hold: for stores that keep references. One that writes bytes refuses more than one text can hold. */
import { channel, memoryCheckpointer } from "spanloom";
import { describe, expect, it } from "vitest";
import { runnerOf, sequence } from "./support.ts";

/* Texts that are made by repeating take no memory until somebody reads them. */
const big = (): string => "x".repeat(2 ** 28);

describe("what is as large as may be written", () => {
  it("is read back, of several channels, and of a list or a record that grew beyond what one write may hold", async () => {
    const compiled = sequence(
      { a: channel.value(""), b: channel.value(""), c: channel.value(""), l: channel.list<unknown>(), m: channel.merge<object>({}) },
      [
        () => ({ a: big(), b: big(), c: big(), l: [big(), new Date(1)], m: { a: big() } }),
        () => ({ l: [big()], m: { b: big() } }),
        () => ({ l: [big()], m: { c: big(), at: new Date(2) } }),
        () => ({ l: ["last"] }),
      ],
    );
    const session = runnerOf(compiled, { checkpointer: memoryCheckpointer(), pauseEachStep: true }).session("s");
    await session.start({}).result;
    await session.resume().result;
    await session.resume().result;
    const { state } = await session.state();
    expect([state["l"].length, Object.keys(state["m"] as object), state["c"].length]).toEqual([4, ["a", "b", "c", "at"], 2 ** 28]);
    expect(Object.isFrozen(state["l"])).toBe(true);
    (state["l"][1] as Date).setTime(9);
    const result = await session.resume().result;
    expect([result.state["l"].length, result.state["l"][1], result.state["l"][4]]).toEqual([5, new Date(1), "last"]);
  });
});
