import { describe, expect, it } from "vitest";
import { margin, onRates, pays, rate } from "./leverage";

describe("rates", () => {
  it("have a sign, unless they are zero", () => {
    expect(rate(0.0000688)).toBe("+0.0069 %");
    expect(rate(-0.00002)).toBe("−0.0020 %");
    expect(rate(0)).toBe("0.0000 %");
    expect(rate(-0.0000000001)).toBe("0.0000 %");
    expect(rate(null)).toBe("—");
  });
  it("say who pays", () => {
    expect(pays(0.0001)).toBe("longs pay shorts");
    expect(pays(-0.0001)).toBe("shorts pay longs");
    expect(pays(0)).toBe("nobody pays");
  });
  it("are neutral where they rest, not at zero", () => {
    expect(onRates(0.0001, 0.0001)).toBe(0);
    expect(onRates(0.00012, 0.0001)).toBe(0);
    expect(onRates(0, 0.0001)).toBeLessThan(-0.3);
    expect(onRates(-0.01, 0.0001)).toBe(-1);
    expect(onRates(0.0007, 0.0001)).toBeCloseTo(1, 9);
  });
});

describe("contracts", () => {
  it("are told apart by what they are margined in", () => {
    expect(margin("BTC/USDT:USDT")).toBe("USDT");
    expect(margin("BTC/USD:BTC")).toBe("coin");
    expect(margin("BTC/USD:BTC-251226")).toBe("coin 251226");
  });
});
