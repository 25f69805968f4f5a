import { describe, expect, it } from "vitest";
import { clip, dateRange, duration, exact, money, parseMoney, percent, price, unbroken, windowMs } from "./format";

describe("unbroken", () => {
  it("keeps a number beside its unit", () => {
    expect(unbroken("at least 2.00 bn USD in 24 h, 93 % long; 32 waves, 29 min ago")).toBe("at least 2.00\u00a0bn\u00a0USD in 24\u00a0h, 93\u00a0% long; 32 waves, 29\u00a0min ago");
  });
});

describe("money", () => {
  it("rounds to what is known", () => {
    expect(money(1_830_970_000)).toBe("1.83 bn");
    expect(money(629_114_233.12)).toBe("629.1 M");
    expect(money(12_345)).toBe("12.3 k");
    expect(money(945.2)).toBe("945");
    expect(money(4.567)).toBe("4.57");
  });
  it("never prints 1000 of a unit", () => {
    expect(money(999_999_999)).toBe("1.00 bn");
    expect(money(999_960)).toBe("1.0 M");
    expect(money(999.7)).toBe("1.0 k");
  });
  it("keeps unknown apart from zero", () => {
    expect(money(null)).toBe("—");
    expect(money(0)).toBe("0");
  });
  it("shows every digit when asked", () => expect(exact(1_234_567.891234)).toBe("1,234,567.891234"));
});

describe("percent", () => {
  it("prints 0 and 100 only where true", () => {
    expect(percent(0)).toBe("0 %");
    expect(percent(1)).toBe("100 %");
    expect(percent(0.9999)).toBe("> 99.9 %");
    expect(percent(0.00001)).toBe("< 0.1 %");
    expect(percent(0.931)).toBe("93 %");
    expect(percent(0.021)).toBe("2.1 %");
    expect(percent(null)).toBe("—");
  });
});

describe("times", () => {
  it("names the days of a recording", () => {
    expect(dateRange(Date.UTC(2025, 0, 26, 16), Date.UTC(2025, 0, 27, 17))).toBe("26–27 Jan 2025");
    expect(dateRange(Date.UTC(2024, 7, 17, 11), Date.UTC(2024, 7, 17, 12))).toBe("17 Aug 2024");
    expect(dateRange(Date.UTC(2024, 11, 30), Date.UTC(2025, 0, 2))).toBe("30 Dec 2024 – 2 Jan 2025");
  });
  it("measures durations and windows", () => {
    expect(duration(45_000)).toBe("45 s");
    expect(duration(5_400_000)).toBe("1 h 30 min");
    expect(duration(90_000_000)).toBe("1 d 1 h");
    expect(windowMs("24h")).toBe(86_400_000);
    expect(windowMs("soon")).toBeNull();
  });
  it("clips spans", () => expect(clip([[0, 5], [8, 20]], 4, 10)).toEqual([[4, 5], [8, 10]]));
});

it("reads sizes as people type them", () => {
  expect(parseMoney("10k")).toBe(10_000);
  expect(parseMoney("1.5M")).toBe(1_500_000);
  expect(parseMoney("")).toBe(0);
  expect(parseMoney("big")).toBeNull();
});

it("prints prices with enough digits", () => {
  expect(price(100_123.4)).toBe("100,123");
  expect(price(0.00012345)).toBe("0.00012345");
});
