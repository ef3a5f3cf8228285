/** The real git: a process per command, its arguments a list and never a shell's text, its output a stream. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { errorOf, startError } from "./git-error.ts";

export interface GitOptions {
  /** Ends the process when it aborts. */
  readonly signal: AbortSignal;
}

/** What the nodes get as `services.git`, so that a test can give them another. */
export interface Git {
  /** The output between separators, in batches as it comes: what nobody asks for yet, git does not write. Throws `GitError`. */
  pieces(
    folder: string,
    args: readonly string[],
    options: GitOptions & { readonly separator?: "\0" | "\n" },
  ): AsyncGenerator<readonly string[]>;
  /** The whole output, for commands that say little. Rejects with `GitError`. */
  text(folder: string, args: readonly string[], options: GitOptions): Promise<string>;
}

/** Git sets these for its hooks. They would win over the folder that was asked for. */
const hookVariables = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
];

function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !hookVariables.includes(name));
  return { ...Object.fromEntries(inherited), LC_ALL: "C", GIT_TERMINAL_PROMPT: "0" };
}

/** Paths are taken as they are, stars and colons included; nothing is locked, asked or paged; settings of the user change no number. */
const always = ["--literal-pathspecs", "--no-optional-locks", "--no-pager", "-c", "log.showSignature=false", "-c", "diff.relative=false"];

interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Settles once the process is gone and its output is closed. Never rejects. */
  readonly ended: Promise<{ readonly code: number | null; readonly error: Error | undefined; readonly stderr: string }>;
}

function start(program: string, folder: string, args: readonly string[], signal: AbortSignal): Started {
  const child = spawn(program, ["-C", folder, ...always, ...args], { signal, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  let failure: Error | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-4_096);
  });
  const ended = new Promise<Awaited<Started["ended"]>>((resolve) => {
    child.on("error", (error) => {
      failure ??= error;
    });
    child.on("close", (code) => resolve({ code, error: failure, stderr }));
  });
  return { child, ended };
}

async function* output(program: string, folder: string, args: readonly string[], signal: AbortSignal): AsyncGenerator<string> {
  signal.throwIfAborted();
  const { child, ended } = start(program, folder, args, signal);
  try {
    // A character that lies across two chunks comes whole.
    for await (const chunk of child.stdout.setEncoding("utf8")) yield String(chunk);
  } finally {
    // For a reader who leaves early; a process that has ended does not mind.
    child.kill();
    await ended;
  }
  const { code, error, stderr } = await ended;
  signal.throwIfAborted();
  if (error !== undefined) throw startError(program, error);
  if (code !== 0) throw errorOf({ folder, command: args[0] ?? "", code, stderr });
}

async function* split(chunks: AsyncIterable<string>, separator: string): AsyncGenerator<readonly string[]> {
  let rest = "";
  for await (const chunk of chunks) {
    const pieces = (rest + chunk).split(separator);
    rest = pieces.pop() ?? "";
    yield pieces;
  }
  if (rest !== "") yield [rest];
}

/** Git as found on the PATH, or another program that behaves as it does. */
export function openGit(program = "git"): Git {
  return {
    pieces: (folder, args, { signal, separator = "\0" }) => split(output(program, folder, args, signal), separator),
    async text(folder, args, { signal }) {
      const chunks: string[] = [];
      for await (const chunk of output(program, folder, args, signal)) chunks.push(chunk);
      return chunks.join("");
    },
  };
}
