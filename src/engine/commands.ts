/** What a node hands back to choose its way: commands and sends, and how they are recognised. */
import type { PlannedCommand, PlannedSend } from "../graph/plan.ts";

type Target = string | PlannedSend;
type Update = Readonly<Record<string, unknown>> | undefined;

const command =
  (kind: "goto" | "also") =>
  (to: Target | readonly Target[], update?: Update): PlannedCommand =>
    Object.freeze({ "~command": kind, targets: Object.freeze(Array.isArray(to) ? [...to] : [to]), update });

export const goto = command("goto");
export const also = command("also");

export const send = (to: string, item: unknown): PlannedSend => Object.freeze({ "~send": to, item });

const hasOwn = (value: unknown, key: string): boolean => typeof value === "object" && value !== null && Object.hasOwn(value, key);

/** Also one made by another copy of this package. */
export const isCommand = (value: unknown): value is PlannedCommand => hasOwn(value, "~command");
export const isSend = (value: unknown): value is PlannedSend => hasOwn(value, "~send");
