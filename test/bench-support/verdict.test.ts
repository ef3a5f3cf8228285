/** When a row is within its budget, and when nobody can say. */
import { describe, expect, it } from "vitest";
import type { Row } from "../bench/harness/row.ts";
import { judge, report, worst } from "../bench/harness/verdict.ts";

const figures = { measured: 5, perFloor: 2.5, timesFaster: 40 };

const row = (budgets: Row["budgets"]): Row => ({
  name: "superstep",
  title: "a superstep",
  unit: "µs",
  aim: 8,
  budgets,
  rounds: 3,
  warmUps: 0,
  open: () => Promise.reject(new Error("not opened here")),
});

describe("judge", () => {
  it("holds at the limit, and not past it", () => {
    expect(judge({ of: "measured", atMost: 5 }, figures)).toBe("ok");
    expect(judge({ of: "measured", atMost: 4.99 }, figures)).toBe("over");
    expect(judge({ of: "floor", atMost: 2.5 }, figures)).toBe("ok");
    expect(judge({ of: "floor", atMost: 2.4 }, figures)).toBe("over");
    expect(judge({ of: "peer", timesFaster: 40 }, figures)).toBe("ok");
    expect(judge({ of: "peer", timesFaster: 41 }, figures)).toBe("over");
  });

  it("says when the side that it compares with was not run", () => {
    const alone = { measured: 5, perFloor: undefined, timesFaster: undefined };
    expect(judge({ of: "floor", atMost: 2 }, alone)).toBe("unmeasured");
    expect(judge({ of: "peer", timesFaster: 2 }, alone)).toBe("unmeasured");
  });

  it("never takes what is no number for good", () => {
    const broken = { measured: Number.NaN, perFloor: Number.NaN, timesFaster: Number.NaN };
    expect(judge({ of: "measured", atMost: 5 }, broken)).toBe("over");
    expect(judge({ of: "floor", atMost: 5 }, broken)).toBe("over");
    expect(judge({ of: "peer", timesFaster: 5 }, broken)).toBe("over");
  });
});

describe("worst", () => {
  it("is over before unmeasured before ok, and ok of none", () => {
    expect(worst(["ok", "unmeasured", "over"])).toBe("over");
    expect(worst(["ok", "unmeasured"])).toBe("unmeasured");
    expect(worst([])).toBe("ok");
  });
});

describe("report", () => {
  it("gives medians, and ratios within rounds", () => {
    const samples = { measured: [4, 6, 50], floor: [2, 3, 25], peer: [400, 600, 500] };
    const made = report(
      row([
        { of: "floor", atMost: 2 },
        { of: "peer", timesFaster: 100 },
      ]),
      samples,
    );
    expect(made).toMatchObject({ measured: 6, floor: 3, perFloor: 2, peer: 500, timesFaster: 100, verdict: "ok" });
  });

  it("judges by ratios alone: an aim that is missed is no verdict", () => {
    const made = report(row([]), { measured: [90], floor: [], peer: [] });
    expect(made).toMatchObject({ measured: 90, aim: 8, floor: undefined, perFloor: undefined, timesFaster: undefined, verdict: "ok" });
  });
});
