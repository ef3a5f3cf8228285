/**
 * The connections of one exporter. The stock exporter tells too little of what was answered, waits between its attempts on a timer that
 * nobody can stop, and leaves requests open when it is shut down; all of that is mended here, at the one place it lets us in: its agent.
 */
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import type { TlsFiles } from "./environment.ts";

/** What is known of the last request. */
export interface Exchange {
  /** Whether there was a request at all. */
  sent: boolean;
  status: number | undefined;
  retryAfter: string | undefined;
  body: Buffer[];
}

/** Node calls this to hand a request to its agent; the types leave it out. */
interface RequestTaker {
  addRequest(request: ClientRequest, ...rest: readonly unknown[]): void;
}

/** More than any answer to an export has to say. */
const longestBody = 65_536;

/** Milliseconds. */
const connectTimeout = 10_000;

/** In seconds: more than any time-out, so that the exporter gives up at once and leaves trying again to us. */
const never = String(365 * 24 * 3600);

const nothing = (): Exchange => ({ sent: false, status: undefined, retryAfter: undefined, body: [] });

function follow(response: IncomingMessage, exchange: Exchange): void {
  exchange.status = response.statusCode;
  exchange.retryAfter = response.headers["retry-after"];
  response.headers["retry-after"] = never;
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= longestBody) exchange.body.push(chunk);
  });
}

function watch(request: ClientRequest, exchange: Exchange): void {
  exchange.sent = true;
  // Only a flush in progress holds the process, never a request.
  request.on("socket", (socket) => void socket.unref());
  request.prependListener("response", (response: IncomingMessage) => follow(response, exchange));
  // Without its code, the exporter takes the error for final.
  request.prependListener("error", (error: NodeJS.ErrnoException) => {
    if (error.message === "" && error.code !== undefined) error.message = error.code;
    delete error.code;
  });
}

/** For one request at a time. */
export class Connection {
  readonly #tls: TlsFiles;
  #exchange = nothing();
  #agent: Agent | undefined;
  #request: ClientRequest | undefined;
  #closed = false;

  constructor(tls: TlsFiles) {
    this.#tls = tls;
  }

  /** For the exporter's `httpAgentOptions`. Modules are loaded late, so that an instrumentation of them comes first. */
  readonly agent = async (protocol: string): Promise<Agent> => {
    // The exporter's own time-out begins only once it is connected.
    const options = { keepAlive: true, timeout: connectTimeout };
    const agent =
      protocol === "https:"
        ? new (await import("node:https")).Agent({ ...options, ...this.#tls })
        : new (await import("node:http")).Agent(options);
    // See `RequestTaker`.
    const taker = agent as unknown as RequestTaker;
    const take = taker.addRequest.bind(agent);
    taker.addRequest = (request, ...rest) => {
      this.#request = request;
      watch(request, this.#exchange);
      take(request, ...rest);
      if (this.#closed) this.close();
    };
    this.#agent = agent;
    return agent;
  };

  /** What the next request meets, from now on. */
  begin(): Exchange {
    this.#exchange = nothing();
    return this.#exchange;
  }

  /** Ends the request under way, and every one that may still come. */
  close(): void {
    this.#closed = true;
    this.#request?.destroy(new Error("telemetry was shut down"));
    this.#agent?.destroy();
  }
}
