/** `spanloom run` on a terminal: what is drawn over, and where nothing is. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { liveOutput } from "../../src/cli/live-output.ts";
import { createLiveView } from "../../src/cli/live-view.ts";
import { canRedraw, plain } from "../../src/cli/terminal.ts";
import type { AnyEvent } from "../../src/events/event.ts";
import { document, endings, hasEscapes, main, makeFolder } from "./child.ts";

const envelope = { epoch: 1, seq: 1, time: 1, graph: "research", sessionId: "demo", invocationId: "i1" } as const;
const begun: AnyEvent = { ...envelope, type: "invocation.started", data: { kind: "start" } };
const running: AnyEvent = { ...envelope, type: "node.started", node: "plan", attempt: 1, data: {} };
const done: AnyEvent = { ...envelope, type: "node.completed", node: "plan", attempt: 1, data: { duration: 1, channels: [] } };

/** A stream that keeps what was written to it. */
function sheet(more: object): { readonly stream: NodeJS.WriteStream; readonly text: () => string } {
  let text = "";
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: unknown, _encoding, written) => {
      text += String(chunk);
      written();
    },
  });
  // A terminal, as far as it is asked for.
  return { stream: Object.assign(stream, more) as unknown as NodeJS.WriteStream, text: () => text };
}

describe("the live view", () => {
  const show = (more: object, environment: Readonly<Record<string, string>> = {}, quiet = false): string => {
    const { stream, text } = sheet(more);
    const output = liveOutput(createLiveView(), { stream, environment, quiet, paint: plain });
    for (const event of [begun, running]) output.event(event);
    output.pass("from a node\n");
    output.say("said");
    output.event(done);
    output.close();
    return text();
  };
  const lines = "research session demo\nfrom a node\nsaid\n  ✓ plan 1.00 ms\n";

  test("is drawn over on a terminal, and leaves the lines alone", () => {
    const text = show({ isTTY: true, columns: 80, rows: 24 });
    expect(hasEscapes(text)).toBe(true);
    expect(text).toContain("research · step 0");
    const left = stripVTControlCharacters(text)
      .split("\n")
      .filter((line) => !line.includes("· step") && !line.startsWith("●") && line.trim() !== "");
    expect(`${left.join("\n")}\n`).toBe(lines);
  });

  test.each<[string, object, Readonly<Record<string, string>>]>([
    ["without a terminal", {}, {}],
    ["with NO_COLOR", { isTTY: true, columns: 80 }, { NO_COLOR: "1" }],
    ["on a dumb terminal", { isTTY: true, columns: 80 }, { TERM: "dumb" }],
    ["on a terminal that does not say how wide it is", { isTTY: true, columns: 0 }, {}],
  ])("is plain lines %s", (_name, more, environment) => {
    expect(show(more, environment)).toBe(lines);
    expect(canRedraw(more, environment)).toBe(false);
  });

  test("is none when quiet, but for what is said and what nodes log", () => {
    expect(show({ isTTY: true, columns: 80 }, {}, true)).toBe("from a node\nsaid\n");
  });
});

/** A real terminal, where the program `script` of util-linux makes one. */
const { status: found, stdout: version } = spawnSync("script", ["--version"], { encoding: "utf8" });
const hasScript = found === 0 && version.includes("util-linux");

function onTerminal(
  size: string,
  env: Readonly<Record<string, string>>,
): { readonly screen: string; readonly result: string; readonly code: number | null } {
  const cwd = makeFolder();
  const command = `stty ${size} && exec "$NODE" "$MAIN" run "$GRAPH" --input '{"ending":"well"}' >result.json`;
  const { PATH = "" } = process.env;
  const { status } = spawnSync("script", ["--quiet", "--return", "--command", command, "screen"], {
    cwd,
    env: { PATH, TERM: "xterm", NODE: process.execPath, MAIN: main, GRAPH: endings, ...env },
    stdio: "ignore",
  });
  return { screen: readFileSync(join(cwd, "screen"), "utf8"), result: readFileSync(join(cwd, "result.json"), "utf8"), code: status };
}

if (hasScript) {
  describe("a real terminal", () => {
    test("shows colours and what runs, within its width; the result stays plain", () => {
      const { screen, result, code } = onTerminal("cols 60 rows 20", {});
      expect(code).toBe(0);
      expect(document(result)).toMatchObject({ rounds: 2 });
      // Green, and a line taken back.
      expect(screen).toContain("\u001b[32m✓");
      expect(screen).toContain("\u001b[2K");
      const waterfall = stripVTControlCharacters(screen)
        .split(/\r?\n/)
        .filter((line) => /^[▸ ] .*(superstep|execute_node|invoke_workflow)/.test(line));
      expect(waterfall).toHaveLength(5);
      for (const line of waterfall) expect(line.length).toBeLessThanOrEqual(60);
    });

    test("shows neither with NO_COLOR", () => {
      const { screen, code } = onTerminal("cols 80 rows 20", { NO_COLOR: "1" });
      expect(code).toBe(0);
      expect(hasEscapes(screen)).toBe(false);
      expect(screen).toContain("✓ completed");
    });
  });
}
