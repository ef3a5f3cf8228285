/** Services: what nodes get from outside; given to a runner or an invocation, never stored. */
import { channel, createRunner, END, graph, memoryCheckpointer, services, START, type RunOptions } from "spanloom";
import { describe, expect, it } from "vitest";
import { refusal } from "./support.ts";

interface Services {
  readonly greet: (name: string) => string;
  readonly user: { readonly id: string };
}
const greeter: Services = { greet: (name) => `Hello ${name}`, user: { id: "u1" } };

const greeting = graph({ name: "greeting", channels: { log: channel.list<string>() }, services: services<Services>() })
  .node("greet", (_state, { services: { greet, user } }) => ({ log: [greet(user.id)] }))
  .node("ask", async (_state, { services: { greet }, interrupt }) => ({ log: [greet(await interrupt<string>("who?"))] }))
  .edge(START, "greet")
  .edge("greet", "ask")
  .edge("ask", END)
  .compile();

describe("services", () => {
  it("are what the runner was given, the very object: neither copied nor frozen", async () => {
    const given = { ...greeter, calls: 0 };
    const seen: unknown[] = [];
    const compiled = graph({ name: "g", channels: {}, services: services<typeof given>() })
      .node("n", (_state, context) => {
        seen.push(context.services);
        context.services.calls += 1;
      })
      .edge(START, "n")
      .edge("n", END)
      .compile();
    await createRunner(compiled, { services: given }).invoke({});
    expect(seen[0]).toBe(given);
    expect(given.calls).toBe(1);
  });

  it("of an invocation go over the runner's own, key by key, for that invocation alone", async () => {
    const runner = createRunner(greeting, { services: greeter });
    const mine = { services: { user: { id: "mine" } } };
    expect((await runner.invoke({}, mine)).state.log).toEqual(["Hello mine"]);
    expect((await runner.invoke({})).state.log).toEqual(["Hello u1"]);
    expect(greeter.user.id).toBe("u1");
  });

  it("that are an instance of a class keep their methods and getters, below or above", async () => {
    class Base {
      readonly name: string = "base";
      readonly user: string = "nobody";
      hello(): string {
        return `${this.name} greets ${this.user}`;
      }
      get shout(): string {
        return this.hello().toUpperCase();
      }
    }
    class Other extends Base {
      override readonly name = "other";
      override hello(): string {
        return `${super.hello()}!`;
      }
    }
    const compiled = graph({ name: "g", channels: { log: channel.list<string>() }, services: services<Base>() })
      .node("n", (_state, context) => ({ log: [context.services.hello(), context.services.shout] }))
      .edge(START, "n")
      .edge("n", END)
      .compile();
    const given = new Base();
    const runner = createRunner(compiled, { services: given });
    expect((await runner.invoke({}, { services: { user: "me" } })).state.log).toEqual(["base greets me", "BASE GREETS ME"]);
    expect((await runner.invoke({}, { services: new Other() })).state.log).toEqual(["other greets nobody!", "OTHER GREETS NOBODY!"]);
    expect((await runner.invoke({})).state.log[0]).toBe("base greets nobody");
    const plain = createRunner(compiled, { services: { name: "plain", user: "", hello: () => "plain", shout: "PLAIN" } });
    expect((await plain.invoke({}, { services: new Other() })).state.log[0]).toBe("other greets nobody!");
    expect([Object.keys(given), given.user]).toEqual([["name", "user"], "nobody"]);
  });

  it("are taken by every way to run: start, resume, next, steps by hand", async () => {
    const checkpointer = memoryCheckpointer();
    const session = createRunner(greeting, { services: greeter, checkpointer }).session("s");
    const as = (id: string): RunOptions<typeof greeting> => ({ services: { user: { id }, greet: (name) => `${id}: ${name}` } });
    await session.start({}, as("start")).result;
    const { state } = await session.resume({ answer: "x", ...as("resume") }).result;
    expect(state.log).toEqual(["start: start", "resume: x"]);
    expect((await session.next({}, as("next")).result).state.log.at(-1)).toBe("next: next");
    const stepped = createRunner(greeting, { services: greeter }).session("t");
    await stepped.create({});
    await stepped.runStep(as("step"));
    expect((await stepped.state()).state.log).toEqual(["step: step"]);
  });

  it("are never stored: another runner's resume uses its own, and the store holds none", async () => {
    const checkpointer = memoryCheckpointer();
    const first = createRunner(greeting, { services: greeter, checkpointer });
    await first.invoke({}, { sessionId: "s" });
    const stored = await checkpointer.load("s");
    expect(JSON.stringify(stored, (_key, value: unknown) => (value instanceof Map ? [...value] : value))).not.toMatch(
      /greet"\s*:|"user"|services/,
    );
    const second = createRunner(greeting, { services: { ...greeter, greet: (name) => `Bye ${name}` }, checkpointer });
    expect((await second.session("s").resume({ answer: "you" }).result).state.log).toEqual(["Hello u1", "Bye you"]);
  });

  it("are undefined for a graph that declares none", async () => {
    const seen: unknown[] = [];
    const compiled = graph({ name: "g", channels: {} })
      .node("n", (_state, context) => void seen.push(context.services))
      .edge(START, "n")
      .edge("n", END)
      .compile();
    await createRunner(compiled).invoke({});
    expect(seen).toEqual([undefined]);
  });

  it("that are no object are refused, by the runner and by a call", async () => {
    for (const given of [5, null, ["greet"]]) {
      await refusal("invalid_option", () => createRunner(greeting, { services: given as never }));
      await refusal("invalid_option", () => createRunner(greeting, { services: greeter }).invoke({}, { services: given as never }));
    }
  });
});
