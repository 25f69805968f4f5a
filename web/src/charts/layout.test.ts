import { describe, expect, it } from "vitest";
import { gridStep, priceGrid, toLogical } from "./pricegrid";
import { logScale, onScale, ramp, ticks } from "./ramp";
import { seekPieces, toMoment, toPosition } from "./seekmap";

describe("seek bar", () => {
  const pieces = seekPieces([[0, 100], [10_000, 10_300]], 0, 10_300);
  it("leaves the gap visibly empty and covers the bar", () => {
    expect(pieces.map((p) => p.recorded)).toEqual([true, false, true]);
    expect(pieces[1]!.to - pieces[1]!.from).toBeCloseTo(0.06);
    expect(pieces.at(-1)!.to).toBeCloseTo(1);
  });
  it("goes there and back", () => {
    for (const ms of [0, 50, 10_000, 10_150, 10_300]) expect(toMoment(pieces, toPosition(pieces, ms))).toBeCloseTo(ms, -1);
  });
  it("sends a click into a gap to the next stretch", () => expect(toMoment(pieces, pieces[1]!.from + 0.02)).toBe(10_000));
});

describe("price grid", () => {
  it("fits the chart", () => {
    expect(gridStep(0, 3_600_000)).toBe(5);
    expect(gridStep(0, 86_400_000)).toBe(60);
  });
  it("keeps extremes, leaves empty slots empty, and marks gaps", () => {
    const grid = priceGrid([[1000, 5], [1200, 9], [1900, 7], [9000, 6]], 0, 10_000, 5000);
    expect(grid.slots).toHaveLength(10);
    expect(grid.slots[1]).toEqual({ time: 1, close: 7, low: 5, high: 9, breaks: true });
    expect(grid.slots[2]).toEqual({ time: 2 });
    expect(grid.slots[9]!.breaks).toBe(true);
    expect(toLogical(grid, 1500)).toBe(1);
  });
});

describe("heat ramp", () => {
  it("prints whole decades", () => {
    const scale = logScale(629_000);
    expect(ticks(scale)).toEqual([100, 1000, 10_000, 100_000, 1_000_000]);
    expect(onScale(scale, 0)).toBe(0);
    expect(onScale(scale, 10_000)).toBeCloseTo(0.5);
  });
  it("runs dark to light", () => {
    expect(ramp(0)).toBe("rgb(22,11,57)");
    expect(ramp(1)).toBe("rgb(252,255,164)");
  });
});
