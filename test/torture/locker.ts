/** A process that has a file locked: from its first message on, until it gets one, or is killed. */
import { DatabaseSync } from "node:sqlite";

const [, , database = ""] = process.argv;
const file = new DatabaseSync(database);
file.exec("BEGIN IMMEDIATE");
process.send?.("locked");
process.once("message", () => {
  file.exec("ROLLBACK");
  file.close();
  process.disconnect();
});
