/** Reads what `graph()` was given: names, version, events and inputs. */
import { channelsIn } from "./read-channels.ts";
import { checkKeys, report, reportOption, shown, theGraph, type Findings } from "./findings.ts";
import type { PlannedChannel } from "./plan.ts";
import { isRecord } from "../support/plain.ts";

export interface ReadSpec {
  readonly name: string;
  readonly version: string | undefined;
  readonly channels: readonly PlannedChannel[];
  readonly events: ReadonlySet<string>;
  readonly inputs: ReadonlySet<string>;
}

const options = ["name", "version", "channels", "events", "inputs", "services"];

export function readSpec(given: unknown, findings: Findings): ReadSpec {
  const spec = isRecord(given) ? given : {};
  const { name, version, services } = spec;
  if (typeof name !== "string") report(findings, "invalid_name", { what: "graph", name: shown(name), reason: "is not a string" });
  else if (name === "") report(findings, "invalid_name", { what: "graph", name, reason: "is empty" });
  const meant = checkKeys(findings, theGraph, spec, options);
  const versioned = typeof version === "string" && version !== "";
  if (!versioned && version !== undefined) reportOption(findings, theGraph, "version", "must be a string that is not empty");
  if (services !== undefined && !isRecord(services)) reportOption(findings, theGraph, "services", "must be made by services()");
  const channels = channelsIn(spec["channels"] ?? (meant.has("channels") ? {} : undefined), findings);
  const events = new Set(declared(spec["events"], "events", "event()", findings));
  for (const event of events) checkEventName(event, findings);
  const inputs = new Set(declared(spec["inputs"], "inputs", "input()", findings));
  return { name: shown(name), version: versioned ? version : undefined, channels, events, inputs };
}

function declared(given: unknown, option: string, maker: string, findings: Findings): readonly string[] {
  if (given === undefined) return [];
  if (!isRecord(given)) {
    reportOption(findings, theGraph, option, `must be an object whose values are made by ${maker}`);
    return [];
  }
  const names = Object.keys(given);
  for (const name of names) {
    if (!isRecord(given[name])) reportOption(findings, theGraph, `${option}.${name}`, `must be made by ${maker}`);
  }
  return names;
}

function checkEventName(name: string, findings: Findings): void {
  if (name === "") report(findings, "invalid_name", { what: "event", name, reason: "is empty" });
  const reason = "holds a dot, which the runtime's own events have; write it without";
  if (name.includes(".")) report(findings, "invalid_name", { what: "event", name, reason });
}
