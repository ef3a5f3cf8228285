/** Keeps what user code writes with `console` off standard output, which is the result's alone. */
import { Console } from "node:console";
import { Writable } from "node:stream";

/** Until the returned function is called, `console` writes here. */
export function divertConsole(pass: (text: string) => void): () => void {
  const before = globalThis.console;
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: unknown, _encoding, done) => {
      pass(String(chunk));
      done();
    },
  });
  globalThis.console = new Console({ stdout: stream, stderr: stream });
  return () => {
    globalThis.console = before;
  };
}
