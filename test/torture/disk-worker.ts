/** A process that runs one session on a disk that may refuse: prints how it ended, or with which codes. */
import { createRunner, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { growing } from "./growing.ts";

const [, , database = "", sessionId = "s"] = process.argv;
const store = sqliteCheckpointer(database, { busyTimeout: sessionId === "s" ? 500 : "60s" });
const session = createRunner(growing, { checkpointer: store }).session(sessionId);
let said: readonly unknown[];
try {
  const exists = await session.state().then(
    () => true,
    (error: unknown) => !SpanloomError.is(error, "session_not_found"),
  );
  const { status, state } = await (exists ? session.resume() : session.start({})).result;
  said = [status, state.n];
} catch (error) {
  said = [error, error instanceof Error ? error.cause : undefined].flatMap((each) => (SpanloomError.is(each) ? [each.code] : []));
}
console.log(JSON.stringify(said));
await store.close();
