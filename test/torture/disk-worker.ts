/** A process that runs one session on a disk that may refuse: prints how it ended, and with which codes. */
import { createRunner, SpanloomError } from "spanloom";
import { sqliteCheckpointer } from "spanloom/sqlite";
import { growing } from "./growing.ts";

const [, , database = ""] = process.argv;
const store = sqliteCheckpointer(database, { busyTimeout: 500 });
const session = createRunner(growing, { checkpointer: store }).session("s");
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
