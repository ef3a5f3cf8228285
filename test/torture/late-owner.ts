/** The older owner of a session: says when it is in the middle of a step, goes on when it is told to, and says how it ended. */
import { createRunner, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { lateGraph, type LateKind } from "./late.ts";

export type LateAnswer = { readonly waits: true } | { readonly ended: readonly string[] };

const [, , database = "", sessionId = "", kind = "save"] = process.argv;
const tell = (answer: LateAnswer): void => void process.send?.(answer);
const told = new Promise<void>((resolve) => process.once("message", () => resolve()));
const hold = (): Promise<void> => {
  tell({ waits: true });
  return told;
};
const store = sqliteCheckpointer(database, { busyTimeout: "60s" });
// Whoever starts it names one of the kinds.
const runner = createRunner(lateGraph("older", kind as LateKind, hold), { checkpointer: store });
try {
  const { status } = await runner.invoke({}, { sessionId });
  tell({ ended: [status] });
} catch (error) {
  tell({
    ended: [error, error instanceof Error ? error.cause : undefined].flatMap((each) => (SpanloomError.is(each) ? [each.code] : [])),
  });
}
await store.close();
process.disconnect();
