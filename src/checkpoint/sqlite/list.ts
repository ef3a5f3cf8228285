/** What lists tell of sessions: from their rows, without reading a state. */
import type { SessionFilter, SessionInfo } from "../checkpointer.ts";
import { newestId } from "./schema.ts";
import type { Store } from "./store.ts";

/* A session that runs does not say in its row when it was written last: its newest record does. */
const summary = (where: string): string => `
  SELECT s.key, s.id, s.graph, s.fingerprint, s.status, s.step, s.created_at, s.updated_at FROM sessions s WHERE s.status <> 'running' ${where}
  UNION ALL
  SELECT s.key, s.id, s.graph, s.fingerprint, s.status, c.step, s.created_at, coalesce(c.updated_at, c.created_at)
  FROM sessions s JOIN checkpoints c ON c.id = ${newestId}
  WHERE s.status = 'running' ${where}
  ORDER BY 8 DESC, 1 DESC LIMIT ?`;

interface SummaryRow {
  readonly id: string;
  readonly graph: string;
  readonly fingerprint: string;
  readonly status: SessionInfo["status"];
  readonly step: number;
  readonly created_at: number;
  readonly updated_at: number;
}

export async function* list({ connection }: Store, { graph, status, limit }: SessionFilter = {}): AsyncGenerator<SessionInfo> {
  const filters = [...(graph === undefined ? [] : ["AND s.graph = ?"]), ...(status === undefined ? [] : ["AND s.status = ?"])];
  const values = [...(graph === undefined ? [] : [graph]), ...(status === undefined ? [] : [status])];
  const most = limit === undefined || !Number.isFinite(limit) ? -1 : limit;
  const sql = summary(filters.join(" "));
  for (const row of await connection.attempt(() => connection.all<SummaryRow>(sql, ...values, ...values, most))) {
    const { id: sessionId, graph: name, fingerprint, step, created_at: createdAt, updated_at: updatedAt } = row;
    yield { sessionId, graph: name, fingerprint, status: row.status, step, createdAt, updatedAt };
  }
}
