/** The stock channel of chat messages: append, replace by id, remove by id. */
import { channel, replace, type Message } from "spanloom";
import { describe, expect, it } from "vitest";
import { causeOf, finalState, oneStep, parallel, refusal, runnerOf, sequence } from "./support.ts";

const user = (content: unknown, id?: string): Message => ({ role: "user", content, ...(id === undefined ? {} : { id }) });
const after = async (...updates: readonly unknown[]): Promise<unknown> =>
  (
    await finalState(
      { chat: channel.messages() },
      updates.map((update) => () => ({ chat: update })),
    )
  )["chat"];

describe("a messages channel", () => {
  it("starts empty and appends messages of every role, with their own fields", async () => {
    const messages = ["user", "assistant", "system", "tool", "critic"].map((role) => ({ role, content: [{ text: role }], extra: role }));
    expect(await after()).toStrictEqual([]);
    expect(await after(messages)).toStrictEqual(messages);
  });

  it("puts a message in the place of the one with its id, and appends it when there is none", async () => {
    expect(await after([user("a", "1"), user("b", "2")], [user("A", "1"), user("c", "3")])).toStrictEqual([
      user("A", "1"),
      user("b", "2"),
      user("c", "3"),
    ]);
  });

  it("replaces as a whole: fields that the new message lacks are gone", async () => {
    expect(await after([{ role: "tool", content: 1, id: "1", note: "old" }], [user("new", "1")])).toStrictEqual([user("new", "1")]);
  });

  it("refuses what is no message, and a removal among those that replace all", async () => {
    const wrong = [
      null,
      "text",
      [],
      new Date(0),
      new Map(),
      {},
      { content: 1 },
      { role: 5, content: 1 },
      { remove: 1 },
      { role: "user", content: 1, id: 5 },
    ];
    for (const message of wrong) {
      const compiled = sequence({ chat: channel.messages() }, [() => ({ chat: [user("ok"), message] })]);
      causeOf(await refusal("scheduler", () => runnerOf(compiled).invoke({})), "invalid_update");
    }
    const removing = sequence({ chat: channel.messages() }, [() => ({ chat: replace([user("ok"), { remove: "1" }]) })]);
    causeOf(await refusal("scheduler", () => runnerOf(removing).invoke({})), "invalid_update");
    expect(await after([{ role: "user", content: "kept", remove: "x" }])).toStrictEqual([{ role: "user", content: "kept", remove: "x" }]);
  });

  it("never merges messages without an id", async () => {
    expect(await after([user("same")], [user("same"), user("same")])).toStrictEqual([user("same"), user("same"), user("same")]);
  });

  it("removes by id, and forgets about ids that are not there", async () => {
    expect(await after([user("a", "1"), user("b", "2"), user("c")], [{ remove: "1" }, { remove: "none" }])).toStrictEqual([
      user("b", "2"),
      user("c"),
    ]);
  });

  it("applies one update in its order: remove then append moves to the end, append then remove leaves nothing", async () => {
    expect(await after([user("a", "1"), user("b", "2")], [{ remove: "1" }, user("a", "1")])).toStrictEqual([
      user("b", "2"),
      user("a", "1"),
    ]);
    expect(await after([user("x", "9"), { remove: "9" }])).toStrictEqual([]);
  });

  it("with one id twice in one update keeps the later, in the place of the earlier", async () => {
    expect(await after([user("first", "1"), user("other"), user("second", "1")])).toStrictEqual([user("second", "1"), user("other")]);
  });

  it("takes a message that has a field `remove` for a message", async () => {
    const odd = { role: "user", content: "", remove: "1" };
    expect(await after([user("a", "1")], [odd])).toStrictEqual([user("a", "1"), odd]);
  });

  it("folds what nodes of one superstep wrote, in frontier order", async () => {
    const compiled = parallel(
      { chat: channel.messages() },
      { a: () => ({ chat: [user("from a", "1"), user("a")] }), b: () => ({ chat: [user("from b", "1"), { remove: "0" }] }) },
    );
    const { state } = await runnerOf(compiled).invoke({ chat: [user("input", "0")] });
    expect(state["chat"]).toStrictEqual([user("from b", "1"), user("a")]);
  });

  it("is set by replace", async () => {
    expect(await after([user("a", "1")], replace([user("z", "9")]))).toStrictEqual([user("z", "9")]);
  });

  it("is unchanged by a removal that found nothing and by an empty list", async () => {
    for (const update of [[], [{ remove: "none" }]]) {
      const { created, report } = await oneStep(parallel({ chat: channel.messages() }, { n: () => ({ chat: update }) }));
      expect(report.updatedChannels).toEqual([]);
      expect(report.versions).toEqual(created.versions);
    }
  });

  it("refuses what is no list of messages, with the node's name", async () => {
    for (const wrong of ["hello", { role: "user", content: "x" }, ["hello"], [null], [[user("x")]]]) {
      const error = await refusal("scheduler", () => after(wrong));
      expect(causeOf(error, "invalid_update").facts).toMatchObject({ channel: "chat", node: "n1" });
    }
  });
});
