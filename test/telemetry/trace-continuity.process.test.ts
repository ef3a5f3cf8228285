/** Sessions that go on in other processes, through a store on disk: their traces as they arrive, one file per process. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { minutes, type Mode, modes } from "./continuity-support.ts";

const script = fileURLToPath(new URL("fixtures/session-process.ts", import.meta.url));
const execute = promisify(execFile);

interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}
interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: readonly OtlpAttribute[] }[];
}
interface OtlpLine {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
}

function spansIn(file: string): readonly OtlpSpan[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.flatMap((line) =>
    (JSON.parse(line) as OtlpLine).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  );
}

interface Call {
  readonly call: "start" | "answer" | "resume" | "next" | "fork";
  readonly traceMode?: Mode;
  readonly ahead?: number;
}

/** Nothing of the environment of the tests is handed on. */
const surroundings = (more: object = {}) => ({ PATH: process.env["PATH"], ...more });

function processes() {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-sessions-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const store = join(folder, "sessions.db");
  let count = 0;
  const files: string[] = [];
  const planOf = (call: object) => {
    files.push(join(folder, `process-${(count += 1)}.jsonl`));
    return ["--no-warnings", script, JSON.stringify({ store, file: files.at(-1), ...call })];
  };
  return {
    /** Waits until it has ended, and gives the status that it printed. */
    run: async (call: Call, environment?: object) =>
      (await execute(process.execPath, planOf(call), { env: surroundings(environment) })).stdout.trim(),
    runWithoutSdk: async (call: Call) =>
      (await execute(process.execPath, planOf({ ...call, file: undefined }), { env: surroundings() })).stdout.trim(),
    /** Kills it once it is inside its last node. */
    killInside: async (call: Call) => {
      const child = spawn(process.execPath, planOf({ ...call, hangs: true }), {
        env: surroundings(),
        stdio: ["ignore", "pipe", "inherit"],
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      await once(child.stdout, "data");
      child.kill("SIGKILL");
      await once(child, "close");
    },
    /** What the store keeps of the session's trace. */
    stored: async () => {
      const checkpointer = sqliteCheckpointer(store);
      const trace = (await checkpointer.load("s"))?.record.trace;
      await checkpointer.close();
      return trace;
    },
    /** The spans of each process. */
    spans: () => files.map(spansIn),
  };
}

const isInvocation = ({ name }: OtlpSpan): boolean => name === "invoke_workflow approval";

/** As `told` of what is recorded: one line per process. */
function told(spansOf: readonly (readonly OtlpSpan[])[]): readonly string[] {
  const roots = spansOf.map((spans) => spans.find(isInvocation));
  const traces = [...new Set(roots.flatMap((root) => root?.traceId ?? []))];
  const numberOf = (spanId: string): string => {
    const found = roots.findIndex((root) => root?.spanId === spanId);
    return found < 0 ? "nobody" : String(found);
  };
  return roots.map((root) => {
    if (root === undefined) return "-";
    const parent = root.parentSpanId === undefined || root.parentSpanId === "" ? "" : ` < ${numberOf(root.parentSpanId)}`;
    const links = (root.links ?? []).map(
      ({ spanId, attributes }) => `${attributes.find(({ key }) => key === "spanloom.link.type")?.value.stringValue} ${numberOf(spanId)}`,
    );
    return `${"ABCDEF"[traces.indexOf(root.traceId)]}${parent}${links.length === 0 ? "" : `: ${links.join(", ")}`}`;
  });
}

describe.each(modes)("%s", (traceMode) => {
  test("one process starts and pauses, the second resumes, the third has the next input", { timeout: 60_000 }, async () => {
    const { run, spans, stored } = processes();
    expect(await run({ call: "start", traceMode })).toBe("paused");
    expect(await run({ call: "answer", traceMode })).toBe("completed");
    expect(await run({ call: "next", traceMode, ahead: minutes(14) })).toBe("paused");
    expect(await run({ call: "answer", traceMode, ahead: minutes(30) })).toBe("completed");
    const of = { continued: ["A", "A < 0", "A < 1", "A < 2"], auto: ["A", "A < 0", "A < 1", "B"], linked: ["A", "B", "C", "D"] }[traceMode];
    expect(told(spans())).toEqual([
      of[0],
      `${of[1]}: resumed_from 0, origin 0`,
      `${of[2]}: resumed_from 1, origin 0`,
      `${of[3]}: resumed_from 2, origin 0`,
    ]);
    const last = spans().at(-1)?.find(isInvocation);
    const inLastTrace = spans()
      .flat()
      .filter(({ traceId }) => traceId === last?.traceId);
    const traceparent = `00-${last?.traceId}-${last?.spanId}-01`;
    expect(await stored()).toMatchObject({ traceparent, spans: inLastTrace.length, time: expect.any(Number) });
    for (const each of spans()) {
      // Whole: all of a process's spans are in the trace of its invocation, and below it.
      expect(new Set(each.map(({ traceId }) => traceId)).size).toBe(1);
      expect(
        each.filter(({ parentSpanId }) => !each.some(({ spanId }) => spanId === parentSpanId)).filter((span) => !isInvocation(span)),
      ).toEqual([]);
      expect(each.filter((span) => !isInvocation(span)).flatMap(({ links = [] }) => links)).toEqual([]);
      const ids = each.map(({ attributes }) => attributes.find(({ key }) => key === "spanloom.session.id")?.value.stringValue);
      expect(new Set(ids)).toEqual(new Set(["s"]));
    }
  });

  test(
    "the first process samples nothing, the others all: a trace keeps its decision, a new one is decided anew",
    { timeout: 60_000 },
    async () => {
      const { run, spans } = processes();
      await run({ call: "start", traceMode }, { OTEL_TRACES_SAMPLER: "parentbased_always_off" });
      await run({ call: "answer", traceMode });
      await run({ call: "next", traceMode, ahead: minutes(16) });
      const lines = {
        continued: ["-", "-", "-"],
        auto: ["-", "-", "A: resumed_from nobody, origin nobody"],
        linked: ["-", "A: resumed_from nobody, origin nobody", "B: resumed_from 1, origin nobody"],
      };
      expect(told(spans())).toEqual(lines[traceMode]);
    },
  );
});

test("a process without an SDK, and a fork in another", { timeout: 60_000 }, async () => {
  const { run, runWithoutSdk, spans } = processes();
  await run({ call: "start" });
  expect(await run({ call: "fork" })).toBe("completed");
  expect(await runWithoutSdk({ call: "answer" })).toBe("completed");
  await run({ call: "next" });
  expect(told(spans())).toEqual(["A", "A < 0: forked_from 0", "-", "A < 0: resumed_from 0, origin 0"]);
});

test("a process that was killed: whoever goes on is below a span that never arrived", { timeout: 60_000 }, async () => {
  const { run, killInside, spans } = processes();
  await run({ call: "start" });
  await killInside({ call: "answer" });
  expect(await run({ call: "resume" })).toBe("completed");
  const all = spans();
  expect(told(all)).toEqual(["A", "-", "A < nobody: resumed_from nobody, origin 0"]);
  const root = all[2]?.find(isInvocation);
  expect(root?.parentSpanId).toBe(root?.links?.[0]?.spanId);
});
