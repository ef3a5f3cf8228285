/** One session as its users hold it. It keeps nothing of it: all is in the store, or in the run that is under way. */
import type { StepReport } from "../engine/outcome.ts";
import { completeByHand, createByHand, stepByHand } from "./by-hand.ts";
import { type CallOptions, type Core, sessionIdOf } from "./core.ts";
import { taken } from "./input.ts";
import type { InvocationResult } from "./invocation.ts";
import { observedSnapshot, snapshotAfterWrite } from "./current.ts";
import { type NextCall, nextInput } from "./next.ts";
import { checkGraph, readSession } from "./open-session.ts";
import { type ResumeCall, resumeSession } from "./resume.ts";
import { readOptions } from "./options.ts";
import { asking, listing } from "./reading.ts";
import { type LooseRun, runOrRefusal } from "./run.ts";
import { deleteSession, finishSession, forkOrigin, forkSession } from "./session-care.ts";
import { checkLimit } from "./settings.ts";
import { type LooseSnapshot, snapshotOf } from "./snapshot.ts";
import { startSession } from "./start.ts";
import { updateSession } from "./update.ts";

const callOptions = ["signal", "services"] as const;
const nextOptions = [...callOptions, "entry", "discardPending"] as const;
const resumeOptions = [...callOptions, "answer", "answers", "rerun"] as const;

/** A session whose types are unknown here; `Session` gives them. */
export class LooseSession {
  readonly id: string;
  readonly #core: Core;

  constructor(core: Core, id: string) {
    this.#core = core;
    this.id = id;
  }

  /** The same as `start`, for a caller who wants the result alone. */
  invoke(input: unknown, options: CallOptions, idGiven: boolean): Promise<InvocationResult> {
    const core = this.#core;
    const ticket = core.ticket(this.id, options);
    const copy = taken(input);
    return core.occupy(ticket, "session_exists", () => startSession(core, ticket, { input: copy, idGiven }));
  }

  start(input: unknown, call?: CallOptions | null, idGiven = true): LooseRun {
    const core = this.#core;
    return runOrRefusal(this.id, () => {
      const options = readOptions(call, callOptions);
      const copy = taken(input);
      return core.launch(this.id, options, "session_exists", (ticket) => startSession(core, ticket, { input: copy, idGiven }));
    });
  }

  resume(call?: ResumeCall | null): LooseRun {
    return runOrRefusal(this.id, () => {
      const options = readOptions(call, resumeOptions);
      const given = {
        ...options,
        ...("answer" in options ? { answer: taken(options.answer) } : {}),
        ...(options.answers === undefined ? {} : { answers: taken(options.answers) }),
      };
      return this.#core.launch(this.id, options, "session_busy", (ticket) => resumeSession(this.#core, ticket, given));
    });
  }

  /** Goes on with the session if there is one, else begins it. */
  resumeOrStart(input: unknown, options: CallOptions): LooseRun {
    const copy = taken(input);
    return this.#core.launch(this.id, options, "session_busy", async (ticket) => {
      const stored = await asking(this.#core.ports.store, (from) => from.load(this.id));
      return stored !== undefined
        ? resumeSession(this.#core, ticket, {})
        : startSession(this.#core, ticket, { input: copy, idGiven: true });
    });
  }

  next(input: unknown, call?: NextCall | null): LooseRun {
    return runOrRefusal(this.id, () => {
      const options = readOptions(call, nextOptions);
      const copy = taken(input);
      return this.#core.launch(this.id, options, "session_busy", (ticket) => nextInput(this.#core, ticket, copy, options));
    });
  }

  async create(input: unknown): Promise<LooseSnapshot> {
    const copy = taken(input);
    const ticket = this.#core.ticket(this.id, {});
    return this.#core.occupy(ticket, "session_exists", async () => {
      await createByHand(this.#core, ticket, { input: copy, idGiven: true });
      return snapshotAfterWrite(this.#core, this.id);
    });
  }

  async runStep(call?: CallOptions | null): Promise<StepReport> {
    const ticket = this.#core.ticket(this.id, readOptions(call, callOptions));
    return this.#core.occupy(ticket, "session_busy", () => stepByHand(this.#core, ticket));
  }

  async runUntilComplete(call?: CallOptions | null): Promise<InvocationResult> {
    const ticket = this.#core.ticket(this.id, readOptions(call, callOptions));
    return this.#core.occupy(ticket, "session_busy", () => completeByHand(this.#core, ticket));
  }

  async state(): Promise<LooseSnapshot> {
    return observedSnapshot(this.#core, this.id);
  }

  async at(checkpointId: string): Promise<LooseSnapshot> {
    return snapshotOf(await readSession(this.#core, this.id, checkpointId));
  }

  async *history(call?: { readonly limit?: number; readonly before?: string } | null): AsyncGenerator<LooseSnapshot> {
    const { store, plan } = this.#core.ports;
    const options = readOptions(call, ["limit", "before"]);
    checkLimit(options.limit);
    let isEmpty = true;
    for await (const stored of listing(store, (from) => from.history(this.id, options))) {
      isEmpty = false;
      checkGraph(stored.record, plan.name);
      yield snapshotOf(stored);
    }
    // The newest may be damaged, and need not be read for those before it.
    if (isEmpty) await readSession(this.#core, this.id);
  }

  async update(values: unknown, call?: { readonly asNode?: unknown } | null): Promise<LooseSnapshot> {
    const { asNode } = readOptions(call, ["asNode"]);
    const copy = taken(values);
    const ticket = this.#core.ticket(this.id, {});
    return this.#core.occupy(ticket, "session_busy", async () => {
      await updateSession(this.#core, ticket, copy, asNode);
      return snapshotAfterWrite(this.#core, this.id);
    });
  }

  async fork(call?: { readonly checkpointId?: string; readonly sessionId?: string } | null): Promise<LooseSession> {
    const core = this.#core;
    const { checkpointId, sessionId = core.ports.settings.createId() } = readOptions(call, ["checkpointId", "sessionId"]);
    sessionIdOf(sessionId);
    core.checkOpen();
    const { origin, isNewest } = await forkOrigin((from) => readSession(core, this.id, from), checkpointId);
    // An older checkpoint does not change any more.
    if (isNewest) core.checkIdle(this.id);
    await forkSession(core.ports, origin, sessionId);
    return new LooseSession(core, sessionId);
  }

  async finish(): Promise<LooseSnapshot> {
    const ticket = this.#core.ticket(this.id, {});
    return this.#core.occupy(ticket, "session_busy", async () => snapshotOf(await finishSession(this.#core, ticket)));
  }

  async delete(): Promise<void> {
    await this.#core.occupy(this.#core.ticket(this.id, {}), "session_busy", () => deleteSession(this.#core, this.id));
  }
}
