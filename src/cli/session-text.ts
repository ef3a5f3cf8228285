/** Stored sessions as text: tables and pages for people, documents for programs. */
import type { SessionInfo, StoredCheckpoint } from "../checkpoint/checkpointer.ts";
import { type LooseSnapshot, snapshotOf } from "../runtime/snapshot.ts";
import { countedNames, oneLine, shellWord } from "./format.ts";
import type { Damaged } from "./stored-history.ts";
import { interruptLine } from "./live-view.ts";
import { plainInterrupt } from "./outcome.ts";
import { readableJson } from "./readable-json.ts";
import type { Paint } from "./terminal.ts";

/** "2026-07-01 12:00:00Z" */
function timeText(milliseconds: number): string {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? "?" : `${time.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** A line each below a heading; ids are as a shell takes them. Nothing for none. */
export function sessionsTable(sessions: readonly SessionInfo[], paint: Paint): readonly string[] {
  if (sessions.length === 0) return [];
  const rows = sessions.map(({ sessionId, graph, status, step, updatedAt }) => [
    shellWord(sessionId),
    oneLine(graph),
    status,
    String(step),
    timeText(updatedAt),
  ]);
  const [heading = "", ...lines] = table([["SESSION", "GRAPH", "STATUS", "STEP", "UPDATED"], ...rows]);
  return [paint("dim", heading), ...lines];
}

/** The members of `SessionInfo`, and no others that a store may give. */
export function infoDocument({ sessionId, graph, fingerprint, status, step, createdAt, updatedAt }: SessionInfo): object {
  return { sessionId, graph, fingerprint, status, step, createdAt, updatedAt };
}

/** The members of `SessionSnapshot`: where one is undefined, `null`. */
export function snapshotDocument(stored: StoredCheckpoint): object {
  const snapshot = snapshotOf(stored);
  const { checkpointId, parentId = null, state, next, versions, interrupts, ranNodes, updatedChannels } = snapshot;
  const members = { checkpointId, parentId, state, next, versions, interrupts: interrupts.map(plainInterrupt) };
  return { ...infoDocument(snapshot), ...members, ranNodes, updatedChannels };
}

const named = (name: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`${name}  ${countedNames(names)}`];

function factLines(snapshot: LooseSnapshot, paint: Paint): readonly string[] {
  const { sessionId, graph, status, step, createdAt, updatedAt, checkpointId, parentId, interrupts } = snapshot;
  return [
    paint("bold", `session ${shellWord(sessionId)}`),
    `graph  ${oneLine(graph)}`,
    `status  ${status}`,
    `step  ${step}`,
    `created  ${timeText(createdAt)}`,
    `updated  ${timeText(updatedAt)}`,
    `checkpoint  ${shellWord(checkpointId)}`,
    ...(parentId === undefined ? [] : [`after  ${shellWord(parentId)}`]),
    ...named("ran", snapshot.ranNodes),
    ...named("changed", snapshot.updatedChannels),
    ...named("next", snapshot.next),
    ...interrupts.map((interrupt) => paint("yellow", interruptLine(interrupt))),
  ];
}

/** One checkpoint for people: what is known of it, and its state. */
export function snapshotLines(stored: StoredCheckpoint, paint: Paint): readonly string[] {
  const snapshot = snapshotOf(stored);
  return [...factLines(snapshot, paint), "state", readableJson(snapshot.state)];
}

/** A line for each checkpoint below a heading. */
export function historyTable(history: readonly (StoredCheckpoint | Damaged)[], paint: Paint): readonly string[] {
  const rows = history.map((found) => {
    if ("damaged" in found) return [shellWord(found.damaged), "", "damaged", "", "", ""];
    const { record, updatedAt } = found;
    const { checkpointId, step, status, ranNodes, updatedChannels } = record;
    return [shellWord(checkpointId), String(step), status, timeText(updatedAt), countedNames(ranNodes), countedNames(updatedChannels)];
  });
  const [heading = "", ...lines] = table([["CHECKPOINT", "STEP", "STATUS", "UPDATED", "RAN", "CHANGED"], ...rows]);
  return [paint("dim", heading), ...lines];
}
