/** Notes a file that could not be looked into, so that one bad file does not cost the report. */
import type { NodeOf } from "spanloom";
import type { base } from "../base.ts";

function pathOf(item: unknown): string {
  return typeof item === "object" && item !== null && "path" in item ? String(item.path) : "a file";
}

export const noteUnmeasured: NodeOf<typeof base, "unmeasured"> = (_state, { failure }) => {
  const reason = failure?.error instanceof Error ? failure.error.message : String(failure?.error);
  return { unmeasured: [{ path: pathOf(failure?.input), reason }] };
};
