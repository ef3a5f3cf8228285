/** The lines that each event is worth, and the picture of what runs. */
import { describe, expect, test } from "vitest";
import { advance, createLiveView, frame, type LiveView } from "../../src/cli/live-view.ts";
import { plain } from "../../src/cli/terminal.ts";
import type { AnyEvent, RuntimeEventData } from "../../src/events/event.ts";

const envelope = { epoch: 1, seq: 1, time: 1_000, graph: "research", sessionId: "demo", invocationId: "i1" };
type More = {
  readonly node?: string;
  readonly step?: number;
  readonly attempt?: number;
  readonly time?: number;
  readonly traceId?: string;
};

/** An event of the runtime. */
function on<Type extends keyof RuntimeEventData>(type: Type, data: RuntimeEventData[Type], more: More = {}): AnyEvent {
  return { ...envelope, ...more, type, data };
}
const own = (type: string, data: unknown, node = "plan"): AnyEvent => ({ ...envelope, node, type, data });

function linesOf(events: readonly AnyEvent[], view: LiveView = createLiveView()): readonly string[] {
  return events.flatMap((event) => advance(view, event, plain));
}

const boom = { name: "TypeError", message: "boom\u001b[2J\nbang" };

describe("lines", () => {
  test.each<[string, AnyEvent, readonly string[]]>([
    ["start", on("invocation.started", { kind: "start" }), ["research session demo"]],
    ["superstep", on("superstep.started", { frontier: ["web", "fetch", "fetch"] }, { step: 2 }), ["step 2 web, fetch × 2"]],
    ["completed", on("node.completed", { duration: 12.34, channels: [] }, { node: "web" }), ["  ✓ web 12.3 ms"]],
    ["second attempt", on("node.completed", { duration: 1, channels: [] }, { node: "web", attempt: 2 }), ["  ✓ web (attempt 2) 1.00 ms"]],
    ["failed for good", on("node.failed", { error: boom, final: true }, { node: "web" }), ["  ✗ web TypeError: boom bang"]],
    ["failed", on("node.failed", { error: { name: "E", message: "" }, final: false }, { node: "web" }), ["  ! web E"]],
    ["retry", on("node.retrying", { delay: 500, error: boom }, { node: "web" }), ["  ↻ web again in 500 ms"]],
    ["cancelled", on("node.cancelled", {}, { node: "web" }), ["  ■ web cancelled"]],
    ["skipped", on("node.skipped", {}, { node: "web" }), ["  - web skipped: nothing that it could see has changed"]],
    ["custom", own("token", { text: "Why" }), ['  plan · token {"text":"Why"}']],
    ["custom without data", own("tick", undefined), ["  plan · tick"]],
    ["log", on("node.log", { level: "warn", message: "slow\n", fields: { ms: 3 } }, { node: "web" }), ['  web warn slow  {"ms":3}']],
    ["debug log", on("node.log", { level: "debug", message: "x", fields: {} }, { node: "web" }), []],
    ["checkpoint", on("checkpoint.failed", { error: { name: "E", message: "disk" } }), ["  ! the checkpoint was not saved E: disk"]],
    ["saved", on("checkpoint.saved", { checkpointId: "c", size: 1, duration: 1 }), []],
    ["join", on("join.starved", { to: "c", arrived: ["a"], missing: ["b"] }), ["  ! c never ran: it still waited for b"]],
    [
      "interrupt",
      on("interrupt.requested", { id: "q", node: "ask", step: 1, payload: { ok: 1 }, kind: "interrupt" }),
      ['  ? ask asks: {"ok":1} (q)'],
    ],
    ["pause", on("interrupt.requested", { id: "p", node: "ask", step: 1, payload: null, kind: "before" }), ["  ? paused before ask (p)"]],
    ["each step", on("interrupt.requested", { id: "s", step: 1, payload: undefined, kind: "step" }), ["  ? paused after the step (s)"]],
    ["lost", on("stream.dropped", { count: 3 }), ["  … 3 events went by too fast to be shown"]],
  ])("%s", (_name, event, expected) => {
    const lines = linesOf([event]);
    expect(lines).toEqual(expected);
  });

  test("a superstep of several nodes says how long it took, and what changed", () => {
    const data = { ranNodes: ["a", "b"], skippedNodes: [], updatedChannels: ["x", "y"], nextFrontier: [], duration: 20 };
    const view = createLiveView();
    expect(linesOf([on("superstep.completed", data)], view)).toEqual(["  2 nodes in 20.0 ms → x, y"]);
    expect(linesOf([on("superstep.completed", { ...data, ranNodes: ["a"] })], view)).toEqual(["  → x, y"]);
    expect(linesOf([on("superstep.completed", { ...data, ranNodes: ["a"], updatedChannels: [] })], view)).toEqual([]);
    expect(view.steps).toBe(3);
  });

  test("a wide superstep and a talkative node do not flood; the next superstep is told again", () => {
    const done = Array.from({ length: 100 }, () => on("node.completed", { duration: 1, channels: [] }, { node: "fetch" }));
    const tokens = Array.from({ length: 100 }, (_item, index) => own("token", index));
    const next = on("superstep.started", { frontier: ["x"] }, { step: 2 });
    const lines = linesOf([...done, ...tokens, next, ...done.slice(0, 1), ...tokens.slice(0, 1)]);
    expect(lines).toHaveLength(20 + 1 + 50 + 1 + 3);
    expect(lines[20]).toBe("  … and more nodes");
    expect(lines[71]).toBe("  … and more; every event is in the event log");
    expect(lines.slice(72)).toEqual(["step 2 x", "  ✓ fetch 1.00 ms", "  plan · token 0"]);
  });
});

describe("the picture of what runs", () => {
  const size = { width: 60, rows: 12 };
  const started = (node: string, time: number, attempt = 1): AnyEvent => on("node.started", {}, { node, time, attempt });
  const begun = [
    on("invocation.started", { kind: "start" }, { time: 0, traceId: "t1" }),
    on("superstep.started", { frontier: [] }, { step: 3 }),
  ];
  const picture = (events: readonly AnyEvent[], now: number, rows = size.rows): readonly string[] => {
    const view = createLiveView();
    linesOf([...begun, ...events], view);
    return frame(view, now, plain, { ...size, rows });
  };

  test("is nothing before the run", () => {
    expect(frame(createLiveView(), 5, plain, size)).toEqual([]);
  });

  test("has each running node with its time, its attempt and what it told last", () => {
    const lines = picture([started("web", 1_000), started("papers", 2_000, 2), own("token", "hi", "web")], 4_000);
    expect(lines).toEqual(['● web 3.00 s  token "hi"', "● papers (attempt 2) 2.00 s", "research · step 3 · 4.00 s"]);
  });

  test("has one line for a node that runs for several items, with the time of the oldest", () => {
    const ended = on("node.completed", { duration: 500, channels: [] }, { node: "fetch", time: 1_500 });
    const lines = picture([started("fetch", 1_000), started("fetch", 1_200), started("fetch", 1_300), ended], 2_200);
    expect(lines).toEqual(["● fetch × 2 1.00 s", "research · step 3 · 2.20 s"]);
  });

  test.each<[string, AnyEvent]>([
    ["completed", on("node.completed", { duration: 1, channels: [] }, { node: "web" })],
    ["failed", on("node.failed", { error: boom, final: true }, { node: "web" })],
    ["cancelled", on("node.cancelled", {}, { node: "web" })],
    ["asked", on("interrupt.requested", { id: "q", node: "web", step: 3, payload: 1, kind: "interrupt" }, { node: "web" })],
  ])("lacks a node that has %s", (_name, event) => {
    expect(picture([started("web", 0), event], 0)).toEqual(["research · step 3 · 0.00 ms"]);
  });

  test("fits the terminal", () => {
    const many = Array.from({ length: 50 }, (_item, index) =>
      started(`node-with-a-very-long-name-that-goes-on-${"and-on-".repeat(5)}${index}`, 0),
    );
    const lines = picture(many, 10, 8);
    expect(lines).toHaveLength(7);
    expect(lines[5]).toBe("… 45 more");
    for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(60);
  });

  test("knows the trace", () => {
    const view = createLiveView();
    linesOf(begun, view);
    expect(view.traceId).toBe("t1");
  });
});
