/** Which repository, which commit: the first questions, and the answers that end a run at once. */
import { lstat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Origin } from "../model.ts";
import { GitError } from "./git-error.ts";
import type { Git, GitOptions } from "./git.ts";

const oneLine = (text: string): string => text.replace(/\n$/, "");

/** The output, or `undefined` when git says no: the question was whether there is such a thing. */
async function ask(git: Git, folder: string, args: readonly string[], options: GitOptions): Promise<string | undefined> {
  try {
    return oneLine(await git.text(folder, args, options));
  } catch (error) {
    if (error instanceof GitError && error.code === "command_failed") return undefined;
    throw error;
  }
}

function nameOf(root: string): string {
  const name = basename(root) === ".git" ? basename(dirname(root)) : basename(root);
  return name.replace(/\.git$/, "") || root;
}

async function commitOf(git: Git, root: string, revision: string, options: GitOptions): Promise<string | null> {
  const verify = (what: string) => ask(git, root, ["rev-parse", "--verify", "--quiet", "--end-of-options", what], options);
  const commit = await verify(`${revision}^{commit}`);
  if (commit !== undefined) return commit;
  const points = await verify(revision);
  // A branch that has no commit yet is no mistake of the reader's.
  if (points === undefined && revision === "HEAD") return null;
  if (points === undefined) throw new GitError("unknown_revision", unknown(root, revision));
  throw new GitError("command_failed", `The commit that "${revision}" names in ${root} cannot be read. See what git fsck says.`);
}

/** The `.git` of a folder or of the nearest one above it that has one. */
async function gitFolderOf(folder: string): Promise<string | undefined> {
  const path = join(folder, ".git");
  const exists = await lstat(path).then(
    () => true,
    () => false,
  );
  if (exists) return path;
  return dirname(folder) === folder ? undefined : gitFolderOf(dirname(folder));
}

/** What git says first. To git, a repository that it cannot read is none: that is told apart here. */
async function introduce(git: Git, folder: string, options: GitOptions): Promise<readonly string[]> {
  try {
    return oneLine(await git.text(folder, ["rev-parse", "--is-shallow-repository", "--absolute-git-dir"], options)).split("\n");
  } catch (error) {
    const found = error instanceof GitError && error.code === "not_a_repository" ? await gitFolderOf(folder) : undefined;
    if (found === undefined) throw error;
    const remedy = "You may not read all of it (see its owner and its permissions), or it is damaged.";
    throw new GitError("unreadable", `${found} is there, but git cannot read it. ${remedy}`);
  }
}

const unknown = (root: string, revision: string): string =>
  `${root} has no commit "${revision}". Give a branch, a tag or a commit that it has, or leave "revision" out.`;

/** Throws `GitError` for what is no repository, or has no such commit. */
export async function identify(
  git: Git,
  where: { readonly repository: string; readonly revision: string },
  measuredAt: number,
  options: GitOptions,
): Promise<Origin> {
  const folder = resolve(where.repository);
  const [shallow, ...gitFolder] = await introduce(git, folder, options);
  const root = (await ask(git, folder, ["rev-parse", "--show-toplevel"], options)) ?? gitFolder.join("\n");
  const commit = await commitOf(git, root, where.revision, options);
  const named = where.revision === "HEAD" ? ["symbolic-ref", "--quiet", "--short", "HEAD"] : ["rev-parse", "--abbrev-ref", where.revision];
  const branch = await ask(git, root, named, options);
  const commits = commit === null ? 0 : Number(await git.text(root, ["rev-list", "--count", commit], options));
  return {
    root,
    name: nameOf(root),
    commit,
    branch: branch === undefined || branch === "" ? null : branch,
    shallow: shallow === "true",
    commits,
    measuredAt,
  };
}
