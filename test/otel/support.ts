/** A collector to send to, an application to run in a process of its own, and readers of what they left. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { trace } from "@opentelemetry/api";
import { onTestFinished, vi } from "vitest";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Answer = (response: ServerResponse, request: Received, index: number) => void;

export interface Collector {
  /** Without a path. */
  readonly endpoint: string;
  readonly requests: readonly Received[];
  /** The most requests that were ever open at once. */
  readonly mostAtOnce: number;
  /** How many connections are open. */
  readonly connections: number;
  /** Resolves once it holds. */
  when(holds: () => boolean): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const accept: Answer = (response) => void response.end("{}");

/** Ends with the test. */
export async function startCollector(answer: Answer = accept): Promise<Collector> {
  const requests: Received[] = [];
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  let open = 0;
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    open += 1;
    mostAtOnce = Math.max(mostAtOnce, open);
    response.on("close", () => {
      open -= 1;
      changed();
    });
    void readBody(request).then(
      (body) => {
        const received = { path: request.url ?? "", headers: request.headers, body };
        requests.push(received);
        answer(response, received, requests.length - 1);
        changed();
      },
      () => {},
    );
  });
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    socket.on("close", () => {
      connections -= 1;
      changed();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    get mostAtOnce() {
      return mostAtOnce;
    },
    get connections() {
      return connections;
    },
    when: (holds) =>
      new Promise((resolve) => {
        const listener = (): void => {
          if (!holds()) return;
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
        listener();
      }),
  };
}

/** A port where nobody listens. */
export async function deadEndpoint(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
export interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
}
interface OtlpDocument {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

export const jsonOf = (request: Received): OtlpDocument => {
  const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(request.body) : request.body;
  return JSON.parse(body.toString("utf8")) as OtlpDocument;
};

export const linesOf = (file: string): readonly OtlpDocument[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as OtlpDocument);

export const spansOf = (documents: readonly OtlpDocument[]): readonly OtlpSpan[] =>
  documents.flatMap(({ resourceSpans = [] }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));

export const namesOf = (documents: readonly OtlpDocument[]): readonly string[] => spansOf(documents).map(({ name }) => name);

export const resourceOf = (documents: readonly OtlpDocument[]): Readonly<Record<string, string | number | undefined>> =>
  Object.fromEntries(
    documents.flatMap(({ resourceSpans = [] }) =>
      resourceSpans.flatMap(({ resource }) =>
        resource.attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue] as const),
      ),
    ),
  );

export const tracesTo = ({ requests }: Collector): readonly OtlpDocument[] =>
  requests.filter(({ path }) => path === "/v1/traces").map(jsonOf);

export function makeSpans(count: number, prefix = "span"): void {
  const tracer = trace.getTracer("test");
  for (let index = 0; index < count; index += 1) tracer.startSpan(`${prefix} ${index}`).end();
}

/** Removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-otel-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What telemetry says on standard error. */
export function listenToComplaints(): readonly string[] {
  const lines: string[] = [];
  const spy = vi.spyOn(console, "error").mockImplementation((line: unknown) => void lines.push(String(line)));
  onTestFinished(() => spy.mockRestore());
  return lines;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface App {
  /** Resolves once it has printed the text. */
  printed(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Runs `fixtures/app.ts` in a process of its own. */
export function startApp(plan: object, environment: Readonly<Record<string, string>> = {}): App {
  const path = fileURLToPath(new URL("fixtures/app.ts", import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", path, JSON.stringify(plan)], {
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }));
  return {
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => (stdout.includes(text) ? resolve() : undefined);
        child.stdout.on("data", look);
        void ended.then(() => reject(new Error(`It ended without printing ${text}: ${stderr}`)));
        look();
      }),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
