/** What the workflow's nodes share: its state, its events, the items that are sent, and what comes from outside. */
import { channel, event, graph, input, services } from "spanloom";
import { optionalDate, text, texts, wholeNumber } from "./checks.ts";
import type { Git } from "./git/git.ts";
import type {
  Branches,
  Health,
  History,
  HotFile,
  HotSpot,
  MeasuredFile,
  Origin,
  Recommendation,
  Successors,
  UnmeasuredFile,
} from "./model.ts";

export const base = graph({
  name: "repo-health",
  channels: {
    // What the user may say. All of it has a default.
    /** Any folder in the repository, from the working folder. */
    repository: channel.value(".").with({ schema: text }),
    /** A branch, a tag or a commit. */
    revision: channel.value("HEAD").with({ schema: text }),
    /** Where the report is written, from the working folder. */
    reportPath: channel.value(".spanloom/repo-health.md").with({ schema: text }),
    /** How many of the most changed files are looked into. */
    files: channel.value(10).with({ schema: wholeNumber(1, 200) }),
    /** What counts as recent. */
    months: channel.value(12).with({ schema: wholeNumber(1, 1_200) }),
    /** Files to leave out besides the usual noise: a name, "*.ending" or "folder/". */
    ignore: channel.list<string>().with({ schema: texts }),
    /** "Today", for a report of another day. */
    asOf: channel.optional<string>().with({ schema: optionalDate }),

    // What the nodes find out.
    origin: channel.optional<Origin>(),
    history: channel.optional<History>(),
    branches: channel.optional<Branches>(),
    /** One for each file that was looked into; `rank` takes them out again. */
    measured: channel.list<MeasuredFile>(),
    unmeasured: channel.list<UnmeasuredFile>(),
    hotSpots: channel.value<readonly HotSpot[]>([]),
    health: channel.optional<Health>(),
    successors: channel.value<readonly Successors[]>([]),
    recommendations: channel.value<readonly Recommendation[]>([]),
    /** The report's absolute path, once it is written. */
    report: channel.optional<string>(),
  },
  events: {
    /** How far a node is that takes long. */
    progress: event<{ readonly stage: "history" | "branches"; readonly done: number; readonly total: number }>(),
    /** A file was looked into. */
    measured: event<{ readonly file: string; readonly rank: number; readonly of: number; readonly busFactor: number | null }>(),
  },
  inputs: { file: input<HotFile & { readonly rank: number; readonly of: number }>() },
  services: services<{ readonly git: Git }>(),
});

/** A channel that an earlier node is sure to have written. */
export function known<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`The channel "${name}" has not been written yet.`);
  return value;
}

export type Located = Origin & { readonly commit: string };

/** Where the commands of git run, and on what. */
export function located(origin: Origin | undefined): Located {
  const { commit, ...rest } = known(origin, "origin");
  if (commit === null) throw new Error("An empty repository has nothing to read.");
  return { ...rest, commit };
}
