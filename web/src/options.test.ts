import { expect, test } from "vitest";
import { extent, nearest, roundStep } from "./charts/plot";
import { broken, daysWords, expiryWords, points, priceTick, rangeWords, signedPoints, skewWords, tick } from "./options";

test("volatilities are told in points with the sign of the difference", () => {
  expect([points(0.5122), points(null), signedPoints(-0.1567), signedPoints(0.02), signedPoints(undefined)]).toEqual(["51.2", "—", "−15.7", "+2.0", "—"]);
  expect(skewWords(-0.0504)).toBe("puts cost 5.0 points more than calls");
  expect(skewWords(0.02)).toBe("calls cost 2.0 points more than puts");
});

test("dates and ranges are short", () => {
  expect(expiryWords(Date.UTC(2025, 11, 26, 8))).toBe("26 Dec 25");
  expect([daysWords(0.8125), daysWords(6.8), daysWords(30)]).toEqual(["20 h", "6.8 d", "30 d"]);
  expect([rangeWords(0.457, 0.572), rangeWords(0.04, 0.04), rangeWords(0.021, 0.034)]).toEqual(["46–57 %", "4.0 %", "2.1–3.4 %"]);
});

test("axes have round steps and ticks that differ", () => {
  expect([roundStep(87, 5), roundStep(1.9, 5), roundStep(0.03, 5)]).toEqual([20, 0.5, 0.01]);
  expect([tick(41.5, 0.5), tick(60, 20), tick(0.02, 0.01)]).toEqual(["41.5", "60", "0.02"]);
  expect([priceTick(81717), priceTick(1650), priceTick(0.85)]).toEqual(["81,717", "1,650", "0.85000"]);
  expect(extent([null, 5, 10, undefined], true, 0)).toEqual([0, 10]);
  expect(nearest([1, 5, 9], 6.9)).toBe(1);
});

test("a line is broken where chains are missing", () => {
  expect(broken([0, 10, 40], [1, 2, 3], 10)).toEqual([[0, 1], [10, 2], [39, null], [40, 3]]);
});
