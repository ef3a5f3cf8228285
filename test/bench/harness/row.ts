/** What a row of the table is: a subject, what bounds it from below, the peer, and the budgets that they are held to. */
import type { Peer } from "./peer.ts";

export type Unit = "µs" | "ms" | "B" | "×";

/** Budgets are ratios within one run, or plain numbers where the machine's speed plays no part (bytes, ratios). */
export type Budget =
  | { readonly of: "measured"; readonly atMost: number }
  | { readonly of: "floor"; readonly atMost: number }
  | { readonly of: "peer"; readonly timesFaster: number };

/** One measurement each, in the row's unit. A round calls all of them. */
export interface Subjects {
  measured(): Promise<number>;
  /** The least that the same work costs without the runtime. */
  floor?(): Promise<number>;
  /** The same work done by the peer. */
  peer?(): Promise<number>;
  close?(): Promise<void>;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /** On a quiet machine: printed, never judged, since machines differ by a factor of two. In the row's unit. */
  readonly aim?: number;
  readonly budgets: readonly Budget[];
  readonly rounds: number;
  /** Rounds that are not counted. */
  readonly warmUps: number;
  /** Each measurement follows one that is not counted: a full collection leaves the young generation small, which the next thousand allocations pay for. */
  readonly settles?: boolean;
  readonly note?: string;
  open(peer: Peer | undefined): Promise<Subjects>;
}
