/** One session as its users hold it. It keeps nothing of it: all is in the store, or in the run that is under way. */
import type { StepReport } from "../engine/outcome.ts";
import { completeByHand, createByHand, stepByHand } from "./by-hand.ts";
import { type CallOptions, type Core, sessionIdOf } from "./core.ts";
import { taken } from "./input.ts";
import type { InvocationResult } from "./invocation.ts";
import { observedSnapshot, snapshotAfterWrite } from "./current.ts";
import { type NextCall, nextInput } from "./next.ts";
import { checkGraph, openSession, readSession } from "./open-session.ts";
import { type ResumeCall, resumeSession } from "./resume.ts";
import type { LooseRun } from "./run.ts";
import { deleteSession, finishSession, forkSession } from "./session-care.ts";
import { checkLimit } from "./settings.ts";
import { type LooseSnapshot, snapshotOf } from "./snapshot.ts";
import { startSession } from "./start.ts";
import { updateSession } from "./update.ts";

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

  start(input: unknown, options?: CallOptions | null, idGiven = true): LooseRun {
    const core = this.#core;
    const copy = taken(input);
    return core.launch(this.id, options ?? {}, "session_exists", (ticket) => startSession(core, ticket, { input: copy, idGiven }));
  }

  resume(call?: ResumeCall | null): LooseRun {
    const options = call ?? {};
    const { answer, answers, ...rest } = options;
    const given = {
      ...rest,
      ...("answer" in options ? { answer: taken(answer) } : {}),
      ...(answers === undefined ? {} : { answers: taken(answers) }),
    };
    return this.#core.launch(this.id, options, "session_busy", (ticket) => resumeSession(this.#core, ticket, given));
  }

  /** Goes on with the session if there is one, else begins it. */
  resumeOrStart(input: unknown, options: CallOptions): LooseRun {
    const copy = taken(input);
    return this.#core.launch(this.id, options, "session_busy", async (ticket) => {
      const exists = (await this.#core.ports.store.load(this.id)) !== undefined;
      return exists ? resumeSession(this.#core, ticket, {}) : startSession(this.#core, ticket, { input: copy, idGiven: true });
    });
  }

  next(input: unknown, call?: NextCall | null): LooseRun {
    const options = call ?? {};
    const copy = taken(input);
    return this.#core.launch(this.id, options, "session_busy", (ticket) => nextInput(this.#core, ticket, copy, options));
  }

  async create(input: unknown): Promise<LooseSnapshot> {
    const copy = taken(input);
    const ticket = this.#core.ticket(this.id, {});
    return this.#core.occupy(ticket, "session_exists", async () => {
      await createByHand(this.#core, ticket, { input: copy, idGiven: true });
      return snapshotAfterWrite(this.#core, this.id);
    });
  }

  async runStep(options: CallOptions = {}): Promise<StepReport> {
    const ticket = this.#core.ticket(this.id, options);
    return this.#core.occupy(ticket, "session_busy", () => stepByHand(this.#core, ticket));
  }

  async runUntilComplete(options: CallOptions = {}): Promise<InvocationResult> {
    const ticket = this.#core.ticket(this.id, options);
    return this.#core.occupy(ticket, "session_busy", () => completeByHand(this.#core, ticket));
  }

  async state(): Promise<LooseSnapshot> {
    return observedSnapshot(this.#core, this.id);
  }

  async at(checkpointId: string): Promise<LooseSnapshot> {
    return snapshotOf(await readSession(this.#core, this.id, checkpointId));
  }

  async *history(options: { readonly limit?: number; readonly before?: string } = {}): AsyncGenerator<LooseSnapshot> {
    const { store, plan } = this.#core.ports;
    checkLimit(options.limit);
    await readSession(this.#core, this.id);
    for await (const stored of store.history(this.id, options)) {
      checkGraph(stored.record, plan.name);
      yield snapshotOf(stored);
    }
  }

  async update(values: unknown, options: { readonly asNode?: unknown } = {}): Promise<LooseSnapshot> {
    const copy = taken(values);
    const ticket = this.#core.ticket(this.id, {});
    return this.#core.occupy(ticket, "session_busy", async () => {
      await updateSession(this.#core, ticket, copy, options.asNode);
      return snapshotAfterWrite(this.#core, this.id);
    });
  }

  async fork(options: { readonly checkpointId?: string; readonly sessionId?: string } = {}): Promise<LooseSession> {
    const core = this.#core;
    const { checkpointId, sessionId = core.ports.settings.createId() } = options;
    sessionIdOf(sessionId);
    core.checkOpen();
    const newest = await openSession(core, this.id);
    // An older checkpoint does not change any more.
    if (checkpointId === undefined || checkpointId === newest.stored.record.checkpointId) core.checkIdle(this.id);
    await forkSession(core, this.id, sessionId, checkpointId ?? newest.stored.record.checkpointId);
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
