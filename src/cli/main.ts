#!/usr/bin/env node
/** The program `spanloom`. It asks for a Node that can read the rest before it imports anything. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `spanloom needs Node 22.18 or later; this is Node ${process.versions.node}. Install a later one from https://nodejs.org.\n`,
  );
  process.exit(2);
}

const { runProgram } = await import("./program.ts");
// Said outright: a timer or a socket that a node left open would hold the process for ever.
process.exit(await runProgram(process.argv.slice(2)));
