/** The turns of the event loop. It is let turn now and then: what awaits nothing but promises would hold up timers, signals, sockets and every other session. */

/* Bound when this is loaded, so that the fake timers of a test cannot stop a run. It moves no date and no duration that anyone sees. */
const now = performance.now.bind(performance);
const immediate = setImmediate;

/** Milliseconds without a turn after which one is due: from so many steps on, and of steps that take long themselves. */
const patience = { steps: 32, many: 20, few: 100 };

/** Called once, when the turn of the loop that goes on has ended. */
export const atTurnsEnd = (then: () => void): void => void immediate(then);

/** When the turn of the loop began that is still going on, as far as anyone asked. */
let began: number | undefined;
let asked = 0;

const ended = (): void => {
  began = undefined;
};

/** Asked at every boundary between two steps; `undefined` while no turn is due. */
export function turnIfDue(): Promise<void> | undefined {
  if (began === undefined) {
    began = now();
    asked = 0;
    immediate(ended);
    return undefined;
  }
  asked += 1;
  const held = now() - began;
  if (held < (asked < patience.steps ? patience.few : patience.many)) return undefined;
  return new Promise((resolve) => immediate(resolve));
}
