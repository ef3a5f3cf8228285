/** What can go wrong with git, in sentences that say what to do. */

export type GitErrorCode =
  | "git_missing"
  | "no_such_folder"
  | "not_a_repository"
  | "unreadable"
  | "not_trusted"
  | "unknown_revision"
  | "command_failed";

/** A command of git that failed. All but `command_failed` stay as they are until somebody does something. */
export class GitError extends Error {
  override readonly name = "GitError";
  readonly code: GitErrorCode;

  constructor(code: GitErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What git said to standard error, and how it ended. */
export interface Ending {
  readonly folder: string;
  readonly command: string;
  readonly code: number | null;
  readonly stderr: string;
}

const example = `--input '{"repository":"/path/to/repository"}'`;

/** The error that an unsuccessful end of git stands for. It runs in the locale C: the words are always these. */
export function errorOf({ folder, command, code, stderr }: Ending): GitError {
  if (stderr.includes("not a git repository")) {
    return new GitError("not_a_repository", `${folder} is not in a git repository. Give the path of one: ${example}.`);
  }
  if (stderr.includes("dubious ownership")) {
    const remedy = `If you trust it: git config --global --add safe.directory '${folder}'.`;
    return new GitError("not_trusted", `${folder} belongs to another user, so git does not read it. ${remedy}`);
  }
  if (stderr.includes("cannot change to")) {
    return new GitError("no_such_folder", `${folder} is no folder that can be read. Give the path of a git repository: ${example}.`);
  }
  const said = stderr.trim().split("\n").at(-1) ?? "";
  const how = code === null ? "was killed" : `ended with exit code ${code}`;
  const remedy = /unable to read|corrupt|bad object/.test(said) ? ". See what git fsck says." : "";
  return new GitError("command_failed", `git ${command} ${how} in ${folder}${said === "" ? "." : `: ${said}`}${remedy}`);
}

/** For a program that could not be started. */
export function startError(program: string, cause: Error): GitError {
  if ("code" in cause && cause.code === "ENOENT") {
    return new GitError("git_missing", `${program} was not found. Install git (https://git-scm.com), or put its folder on the PATH.`);
  }
  return new GitError("command_failed", `${program} could not be started: ${cause.message}`);
}

/** Whether another try may help: for `retryOn`. What is no repository stays none, what hung would hang again, and a mistake of ours is no chance. */
export function mayPass(error: unknown): boolean {
  return error instanceof GitError && error.code === "command_failed";
}
