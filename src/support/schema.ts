/** Validation by a Standard Schema, synchronously, with what is wrong as one readable message. */
import type { StandardSchema } from "./types.ts";

export type Validated =
  | { readonly ok: true; readonly value: unknown }
  /** `path` is that of the first issue, such as `items[0].name`; empty for the whole value. */
  | { readonly ok: false; readonly path: string; readonly message: string };

const issuesShown = 3;

const isObject = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> => typeof value === "object" && value !== null;

const refused = (message: string): Validated => ({ ok: false, path: "", message });

/** A path of the Standard Schema: keys, or objects that hold a key. */
function formatPath(path: unknown): string {
  let formatted = "";
  for (const segment of Array.isArray(path) ? path : []) {
    const key: unknown = isObject(segment) ? segment["key"] : segment;
    if (typeof key === "number") formatted += `[${key}]`;
    else if (typeof key === "string" && !/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)) formatted += `[${JSON.stringify(key)}]`;
    else formatted += `${formatted === "" ? "" : "."}${String(key)}`;
  }
  return formatted;
}

function describeIssues(issues: readonly unknown[]): Validated {
  const described = issues.map((issue) => {
    const { path, message } = isObject(issue) ? issue : {};
    return { path: formatPath(path), message: typeof message === "string" && message !== "" ? message : "is invalid" };
  });
  const path = described[0]?.path ?? "";
  if (described.length === 0) return refused("is invalid");
  const shown = described.slice(0, issuesShown).map((issue) => (issue.path === path ? issue.message : `${issue.path}: ${issue.message}`));
  const more = described.length - shown.length;
  return { ok: false, path, message: `${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}` };
}

/** What the schema makes of a value. An asynchronous schema is refused, and so is the value when the schema throws. */
export function validateWith(schema: StandardSchema, value: unknown): Validated {
  let result: unknown;
  try {
    result = schema["~standard"].validate(value);
  } catch (error) {
    return refused(`the schema threw ${error instanceof Error ? `${error.name}: ${error.message}` : "a value that is no error"}`);
  }
  if (isObject(result) && typeof result["then"] === "function") {
    // It is refused, whatever it settles to.
    Promise.resolve(result).catch(() => {});
    return refused("its schema is asynchronous, and schemas must be synchronous");
  }
  if (!isObject(result)) return refused("its schema gave no result");
  return Array.isArray(result["issues"]) ? describeIssues(result["issues"]) : { ok: true, value: result["value"] };
}
