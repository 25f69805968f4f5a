import { describe, expect, test } from "vitest";
import { betaPercent, day, flow, onScale, partValue, shortDay, signed } from "./outside";

describe("flows", () => {
  test("say their direction with a true minus", () => {
    expect(flow(-903_200_000)).toBe("−903.2 M");
    expect(flow(3_424_900_000)).toBe("+3.42 bn");
    expect(flow(0)).toBe("0");
    expect(flow(null)).toBe("—");
  });
});

test("a change that rounds to nothing has no sign", () => {
  expect(signed(-0.001, 2)).toBe("0.00");
  expect(signed(0.1, 2)).toBe("+0.10");
  expect(signed(-1.07, 2)).toBe("−1.07");
});

test("days of an exchange are written as they are, whatever the reader's zone", () => {
  expect(day("2025-11-03")).toBe("3 Nov 2025");
  expect(day("2025-11")).toBe("Nov 2025");
  expect(shortDay("2025-11-20")).toBe("20 Nov");
});

test("parts of our index keep their own unit", () => {
  expect(partValue(-1.947e9, "usd")).toBe("−1.95 bn USD");
  expect(partValue(0.00007757, "share per 8 h")).toBe("+0.0078 % per 8 h");
  expect(partValue(-0.3238, "share")).toBe("−32.4 %");
  expect(partValue(null, "points")).toBe("—");
});

test("a beta to a yield is told per percentage point, one to an index per percent", () => {
  expect(betaPercent(0.165, "difference")).toBeCloseTo(16.5);
  expect(betaPercent(-2.2, "log")).toBe(-2.2);
  expect(betaPercent(null, "log")).toBeNull();
});

test("whiskers stand on a scale with zero in the middle", () => {
  expect(onScale(0, 2)).toBe(50);
  expect(onScale(-2, 2)).toBe(0);
  expect(onScale(5, 2)).toBe(100);
});
