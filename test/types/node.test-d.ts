/** The types of what a node is given, and of what it may return. */
import { describe, expectTypeOf, test } from "vitest";
import { graph } from "../../src/graph/builder.ts";
import { channel } from "../../src/graph/channel.ts";
import { event } from "../../src/graph/event-type.ts";
import { input } from "../../src/graph/input.ts";
import { END } from "../../src/graph/names.ts";
import type { Command, Send } from "../../src/graph/node.ts";
import { services } from "../../src/graph/services.ts";

const channels = {
  topic: channel.value<string>(),
  hits: channel.list<number>(),
  total: channel.reduce(0, (total, more: number) => total + more),
  mode: channel.value<"fast" | "slow">("fast"),
  limits: channel.merge<{ perDay?: number }>({}),
};
const base = graph({
  name: "types",
  channels,
  events: { token: event<{ text: string }>(), tick: event(), maybe: event<number | undefined>() },
  inputs: { fetch: input<{ url: string }>() },
  services: services<{ find(id: string): string }>(),
});

describe("an update", () => {
  test("names channels, in any way of returning it", () => {
    base.node("x", () => {});
    base.node("x", async () => {});
    base.node("x", () => ({}));
    base.node("x", () => ({ hits: [1], topic: undefined, limits: { perDay: null } }));
    base.node("x", async ({ total }) => (total > 3 ? { mode: "slow" } : undefined));
    base.node("x", ({ total }) => {
      if (total > 3) return { hits: [total] };
      return { mode: "fast" as const, total: 1 };
    });
    // What is known to nobody is judged when it runs.
    base.node("x", () => JSON.parse("{}"));
  });

  test("with an unknown channel is refused, in any way of returning it", () => {
    // @ts-expect-error alone
    base.node("x", () => ({ hist: 2 }));
    // @ts-expect-error beside a known one
    base.node("x", () => ({ hits: [1], hist: 2 }));
    // @ts-expect-error async
    base.node("x", async () => ({ hist: 2 }));
    // @ts-expect-error in one of two returns
    base.node("x", ({ total }) => (total > 1 ? { hits: [1] } : { hist: 2 }));
    // @ts-expect-error in a command
    base.node("x", (_state, { goto }) => goto(END, { hist: 1 }), { jumps: [END] });
    // @ts-expect-error written by the runtime alone
    base.node("x", () => ({ errors: [] }));
  });

  test("of another type is refused, in any way of returning it", () => {
    // @ts-expect-error alone
    base.node("x", () => ({ hits: ["1"] }));
    // @ts-expect-error beside a right one
    base.node("x", () => ({ hits: ["1"], total: 1 }));
    // @ts-expect-error async
    base.node("x", async () => ({ hits: ["1"] }));
    // @ts-expect-error async, in one of two returns
    base.node("x", async ({ total }) => (total > 1 ? { hits: [1] } : { hits: ["2"] }));
    // @ts-expect-error async, optional
    base.node("x", async (): Promise<{ hits?: string[] }> => ({}));
    // @ts-expect-error beside a command
    base.node("x", async ({ total }, { goto }) => (total > 1 ? goto([]) : { mode: "medium" }));
    // @ts-expect-error in a command
    base.node("x", (_state, { also }) => also(END, { hits: ["1"] }), { jumps: [END] });
    // @ts-expect-error a list for one of its items
    base.node("x", () => [{ hits: [1] }]);
    // @ts-expect-error another key of a merge channel
    base.node("x", async () => ({ limits: { perMonth: 1 } }));
    // @ts-expect-error no record for a merge channel
    base.node("x", async () => ({ limits: "many" }));
    // @ts-expect-error a function that was meant to be called
    base.node("x", async () => () => ({ hits: [1] }));
    // @ts-expect-error no update at all
    base.node("x", () => 5);
    // @ts-expect-error `null` is no update
    base.node("x", () => null);
  });
});

describe("a command", () => {
  test("leads to what `jumps` lists", () => {
    base.node(
      "x",
      (_state, { goto, also, send }) => {
        expectTypeOf(send("fetch", { url: "" })).toEqualTypeOf<Send<"fetch">>();
        expectTypeOf(goto([])).toEqualTypeOf<Command<typeof channels>>();
        if (goto("y") === also([END, "y"])) return goto(["y", send("fetch", { url: "" })], { hits: [1] });
        return also([send("fetch", { url: "1" }), send("fetch", { url: "2" })]);
      },
      { jumps: ["y", END, "fetch"] },
    );
    // @ts-expect-error not listed
    base.node("x", (_state, { goto }) => goto("z"), { jumps: ["y", END] });
    // @ts-expect-error nothing is listed
    base.node("x", (_state, { goto }) => goto(END));
    // @ts-expect-error reached by send alone
    base.node("x", (_state, { goto }) => goto("fetch"), { jumps: ["fetch"] });
    // @ts-expect-error takes no input
    base.node("x", (_state, { goto, send }) => goto(send("y", {})), { jumps: ["y"] });
    // @ts-expect-error another item
    base.node("x", (_state, { goto, send }) => goto(send("fetch", { url: 1 })), { jumps: ["fetch"] });
    // @ts-expect-error sends are listed too
    base.node("x", (_state, { goto, send }) => goto(send("fetch", { url: "" })), { jumps: [END] });
  });
});

describe("the context", () => {
  test("has an input in a node of `inputs` alone", () => {
    base.node("fetch", (_state, context) => void expectTypeOf(context.input).toEqualTypeOf<{ url: string }>());
    base.node("x", (_state, context) => void expectTypeOf(context.input).toEqualTypeOf<undefined>());
  });

  test("emits the graph's own events, each with its data", () => {
    base.node("x", (_state, { emit }) => {
      emit("token", { text: "" });
      emit("tick");
      emit("maybe");
      emit("maybe", 1);
      // @ts-expect-error no such event
      emit("tokn", { text: "" });
      // @ts-expect-error one of the runtime's
      emit("node.started");
      // @ts-expect-error other data
      emit("token", { txt: "" });
      // @ts-expect-error no data
      emit("token");
      // @ts-expect-error none expected
      emit("tick", 1);
    });
  });

  test("has the services that were declared, and names what runs", () => {
    base.node("x", (_state, context) => {
      expectTypeOf(context.services).toEqualTypeOf<{ find(id: string): string }>();
      expectTypeOf(context.node).toEqualTypeOf<"x">();
      // @ts-expect-error no such service
      void context.services.remove;
    });
    graph({ name: "plain", channels }).node("x", (_state, context) => void expectTypeOf(context.services).toEqualTypeOf<undefined>());
  });

  test("types answers by their schema, and sub-steps by their result", () => {
    base.node("x", async (_state, { interrupt, once }) => {
      expectTypeOf(await interrupt("?")).toEqualTypeOf<unknown>();
      expectTypeOf(await interrupt<boolean>("?")).toEqualTypeOf<boolean>();
      expectTypeOf(await once("k", () => 1)).toEqualTypeOf<number>();
      expectTypeOf(await once("k", async () => "1")).toEqualTypeOf<string>();
    });
  });
});

describe("the state", () => {
  test("is read only, and knows its channels", () => {
    base.node("x", (state) => {
      // @ts-expect-error read only
      state.topic = "";
      // @ts-expect-error read only, also within
      state.hits.push(1);
      // @ts-expect-error no such channel
      void state.topc;
    });
  });
});

describe("options", () => {
  test("are checked", () => {
    base.node("x", () => {}, {
      retry: {
        attempts: 3,
        initialDelay: "250ms",
        maxDelay: 1000,
        factor: 3,
        jitter: false,
        retryOn: (_error, attempt) => attempt < 2 || "1m",
      },
      timeout: "10s",
      idleTimeout: 500,
      concurrency: 2,
      gate: "on-change",
      defer: true,
      onError: "y",
    });
    // @ts-expect-error misspelt
    base.node("x", () => {}, { timout: "1s" });
    // @ts-expect-error no unit
    base.node("x", () => {}, { timeout: "1 second" });
    // @ts-expect-error no attempts
    base.node("x", () => {}, { retry: {} });
    // @ts-expect-error another gate
    base.node("x", () => {}, { gate: "never" });
  });

  test("of a channel are checked", () => {
    channel.value(1).with({ concurrent: "last" });
    // @ts-expect-error another way
    channel.value(1).with({ concurrent: "first" });
    // @ts-expect-error a reducer of another type
    channel.reduce(0, (total: number, more: number) => String(total + more));
    expectTypeOf(channel.value<string>().with({ concurrent: "last" })).toEqualTypeOf(channel.value<string>());
  });
});
