/** What goes wrong with telemetry, told in one line each and never twice. */

export type Signal = "traces" | "metrics" | "logs";

/** Says it; calls after the first are silent. */
export type Complain = (problem: string) => void;

/** `write` is `console.error` unless a test listens. */
export function complainOnce(write: (line: string) => void = (line) => console.error(line)): Complain {
  let said = false;
  return (problem) => {
    if (said) return;
    said = true;
    write(`spanloom telemetry: ${problem.replaceAll(/\s+/g, " ")}`);
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
