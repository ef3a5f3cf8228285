/** What the workflow learns of a repository: plain data, small whatever the length of the history, so that it fits into a checkpoint. Times are in milliseconds since the epoch. */

/** The commit that is measured. Every node reads this one, so that new commits during a run change nothing. */
export interface Origin {
  /** Absolute: the top folder of the work tree, or the git folder of a bare repository. */
  readonly root: string;
  readonly name: string;
  /** `null` when there is no commit yet. */
  readonly commit: string | null;
  /** `null` when HEAD is detached. */
  readonly branch: string | null;
  /** Only the newest commits are there: everything that is counted is a part. */
  readonly shallow: boolean;
  readonly commits: number;
  /** What "today" means in this run. */
  readonly measuredAt: number;
}

/** A file that is looked into: what the history says of it, before any work of its own. */
export interface HotFile {
  readonly path: string;
  /** Names that it had before, newest first. */
  readonly formerPaths: readonly string[];
  readonly object: string;
  readonly bytes: number;
  /** Commits that changed it, ever and in the period. */
  readonly changes: number;
  readonly recentChanges: number;
  /** Lines, in the period. */
  readonly added: number;
  readonly deleted: number;
  readonly lastChange: number;
}

/** A person's part of something; `share` is from 0 to 1. */
export interface Share {
  readonly name: string;
  readonly lines: number;
  readonly share: number;
}

export interface Ownership {
  /** Most lines first, five at most. */
  readonly owners: readonly Share[];
  readonly people: number;
  /** The fewest people who wrote more than half of the lines; `null` when nobody is known to have written any. */
  readonly busFactor: number | null;
  /** The part of the lines, from 0 to 1, whose authors have committed nothing for long. */
  readonly lost: number;
}

/** How deep and how long a text is, by its indentation: a language-independent stand-in for complexity. */
export interface Shape {
  readonly lines: number;
  readonly meanDepth: number;
  readonly maxDepth: number;
}

/** A file that changed in the same commits as another. */
export interface Companion {
  readonly path: string;
  readonly times: number;
  /** Of the commits of the file that it accompanies. */
  readonly share: number;
}

/** A hot file after it was looked into. */
export interface MeasuredFile extends HotFile, Ownership, Shape {
  /** Commits in each of the last twelve months, oldest first. */
  readonly months: readonly number[];
  readonly companions: readonly Companion[];
}

export interface HotSpot extends MeasuredFile {
  /** Churn × size, 100 at most. */
  readonly heat: number;
}

export interface UnmeasuredFile {
  readonly path: string;
  readonly reason: string;
}

export interface Month {
  /** "2026-03", in UTC. */
  readonly month: string;
  readonly commits: number;
  readonly people: number;
  readonly added: number;
  readonly deleted: number;
}

export interface Contributor {
  readonly name: string;
  readonly commits: number;
  /** Files of which this person wrote the most. */
  readonly files: number;
  readonly lastCommit: number;
}

/** A file whose main author has gone. */
export interface OrphanedFile {
  readonly path: string;
  readonly owner: string;
  /** The owner's part, from 0 to 1, of the lines that were ever added; of the changes where there are no lines. */
  readonly share: number;
  readonly ownerLastSeen: number;
  readonly recentChanges: number;
}

export interface Amount {
  readonly commits: number;
  readonly lines: number;
}

export interface History {
  readonly firstCommit: number;
  readonly lastCommit: number;
  readonly merges: number;
  readonly people: number;
  /** Names of those who committed lately. */
  readonly active: readonly string[];
  /** Most files first, ten at most. */
  readonly contributors: readonly Contributor[];
  /** The fewest people who are the main authors of more than half of the files; `null` when no file has a known author. */
  readonly busFactor: number | null;
  /** Files of the commit: those whose author is known, those left out as noise, and those whose main author has gone. */
  readonly files: { readonly known: number; readonly ignored: number; readonly orphaned: number };
  /** What counts as recent: from when, or `null` for the whole history as nothing happened lately. */
  readonly since: number | null;
  /** Changes of files in the period, and those of the files that are looked into. */
  readonly changes: { readonly all: number; readonly hot: number };
  /** The last twelve, oldest first. */
  readonly months: readonly Month[];
  /** The last 90 days and the 90 before. */
  readonly pace: { readonly now: Amount; readonly before: Amount };
  /** Most recent changes first, twenty at most. */
  readonly orphans: readonly OrphanedFile[];
}

export interface StaleBranch {
  readonly name: string;
  readonly author: string;
  readonly lastCommit: number;
  /** Everything of it is in the measured commit. */
  readonly merged: boolean;
  /** Commits that the measured one lacks, and those that the branch lacks; `null` when they could not be counted. */
  readonly ahead: number | null;
  readonly behind: number | null;
}

export interface Branches {
  readonly total: number;
  readonly stale: number;
  readonly staleMerged: number;
  /** Oldest first, twenty at most. */
  readonly oldest: readonly StaleBranch[];
}

/** One reason for the score. */
export interface Signal {
  readonly name: string;
  readonly finding: string;
  /** Points that it costs, of at most `of`. */
  readonly lost: number;
  readonly of: number;
}

export interface Health {
  /** From 0 to 100; `null` when too little of the history is there. */
  readonly score: number | null;
  readonly verdict: "healthy" | "needs attention" | "at risk" | "not measurable";
  readonly signals: readonly Signal[];
}

/** Who could take over a file: people who lately worked on it, or else in its folder. */
export interface Successors {
  readonly path: string;
  readonly where: "file" | "folder";
  readonly people: readonly { readonly name: string; readonly commits: number }[];
}

export interface Recommendation {
  readonly what: string;
  readonly why: string;
  /** For ranking: 100 at most. */
  readonly urgency: number;
}
