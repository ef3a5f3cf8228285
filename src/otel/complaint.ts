/** What goes wrong with telemetry, told in one line each and never twice. */

export type Signal = "traces" | "metrics" | "logs";

/** Says it, unless it was said before. */
export type Complain = (problem: string) => void;

const say: Complain = (problem) => console.error(`spanloom telemetry: ${problem.replaceAll(/\s+/g, " ")}`);

export function complainOnce(): Complain {
  let said = false;
  return (problem) => {
    if (said) return;
    said = true;
    say(problem);
  };
}

/** Says each sentence once, however many find the same: what a variable is wrong in is wrong for every signal. */
export function complainOnceOfEach(): Complain {
  const said = new Set<string>();
  return (problem) => {
    if (said.has(problem)) return;
    said.add(problem);
    say(problem);
  };
}

/** A sentence's worth of an error. Errors of several addresses tried at once have a code but no message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return error.message || (typeof code === "string" ? code : error.name);
}

/** An address that may be shown: without credentials and query. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
