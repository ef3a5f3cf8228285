/** The examples of docs/graphs.md compile, and run as they are. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile, execute } from "../types/compiler.ts";

const text = readFileSync(new URL("../../docs/graphs.md", import.meta.url), "utf8");
const examples = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""], index) => {
  // Each is a module of its own, and what it makes for its reader is used by nobody.
  const source = `${code.replaceAll('"spanloom"', '"./spanloom.ts"')}\nexport {};\n`;
  return [`example${index + 1}.ts`, source] as const;
});

/** Runs them one after another, each announced by its file's name. */
const all = examples.map(([file]) => `console.log("${file}");\nawait import("./${file}");\n`).join("");

describe("docs/graphs.md", () => {
  it("has examples that the compiler has nothing to say of", () => {
    expect(examples.length).toBeGreaterThan(7);
    expect(compile(Object.fromEntries(examples))).toBe("");
  });

  it("has examples that run, and print what they say that they print", () => {
    const printed = execute({ ...Object.fromEntries(examples), "all.ts": all }, "all.ts")
      .split(/^example\d+\.ts\n/m)
      .slice(1);
    expect(printed).toHaveLength(examples.length);
    for (const [index, [, source]] of examples.entries()) {
      const lines = printed[index]?.trimEnd().split("\n") ?? [];
      const promised = [...source.matchAll(/^ +\/\/ ([a-z]+_[a-z]+ .*)$/gm)].map(([, line = ""]) => line.replace(/ …$/, ""));
      for (const [place, line] of promised.entries()) expect(lines[place]).toContain(line);
      if (promised.length > 0) expect(lines).toHaveLength(promised.length);
    }
    expect(printed.join("")).toContain("invalid_option Option");
  });
});
