import { describe, expect, it } from "vitest";
import { clockOffset, drawn, headline, joined, outages, rate, size, timeTicks, unheardChannels } from "./feeds";
import type { FeedChannel, FeedRow, FeedStretch } from "./types";

const channel = (name: string, state: string): FeedChannel => ({ channel: name, state, since_ms: 0, evidence: "", rate_per_minute: 0, expected_per_minute: 0, last_recv_ms: null, lag_seconds: null, frames: 0, events: 0, errors: 0 });
const row = (title: string, state: string, channels: FeedChannel[] = []): FeedRow =>
  ({ venue: title.toLowerCase(), title, state, channels, stretches: [], connections: [], polls: [], gaps: [], history: [] }) as unknown as FeedRow;
const part = (state: string, start_ms: number, end_ms: number | null): FeedStretch => ({ channel: "trades", state, evidence: "e", start_ms, end_ms });

describe("words", () => {
  it("says rates in readable units", () => {
    expect([583.9, 59.4, 2.7, 0.24, 0.001, 0].map(rate)).toEqual(["10 /s", "59 /min", "3 /min", "14 /h", "< 1 /h", "0"]);
  });
  it("says sizes", () => expect([0, 45_774, 999_600, 4_200_000_000].map(size)).toEqual(["0 kB", "46 kB", "1.0 MB", "4.20 GB"]));
  it("never says minus zero, nor an error of nothing", () => {
    expect(clockOffset(-0.3, 0.2)).toBe("0 ± 1 ms");
    expect(clockOffset(-412.4, 31)).toBe("−412 ± 31 ms");
    expect(clockOffset(20_000.4, 1)).toBe("+20.0 s");
  });
  it("names who is not heard, and who lacks channels", () => {
    expect(headline([row("A", "live"), row("B", "thin")], "live")).toBe("Liquidations of all 2 venues are heard.");
    const rows = [row("A", "down"), row("B", "blind"), row("C", "live", [channel("depth", "silent")])];
    expect(headline(rows, "live")).toBe("A is down and B is blind; liquidations of 1 of 3 venues are heard; other channels of C are not.");
    expect(headline(rows, "stored")).toContain("Nothing is being collected");
  });
  it("groups unheard channels by state", () => {
    expect(unheardChannels(row("A", "live", [channel("a", "blind"), channel("b", "live"), channel("c", "blind"), channel("d", "skewed")]))).toBe("a, c blind; d skewed");
    expect(unheardChannels(row("A", "down", [channel("a", "down"), channel("b", "down")]))).toBe("all channels down");
  });
});

describe("stretches", () => {
  it("draws nothing as heard while the venue was not received", () => {
    expect(drawn([part("live", 0, null)], [[0, 40], [70, 100]], 10, 100).map((p) => [p.start_ms, p.end_ms])).toEqual([[10, 40], [70, 100]]);
  });
  it("draws a blind stretch whether or not anything else came", () => {
    expect(drawn([part("down", 20, null)], [], 10, 100).map((p) => [p.start_ms, p.end_ms])).toEqual([[20, 100]]);
  });
  it("leaves out what lies before the window", () => expect(drawn([part("live", 0, 5)], [[0, 5]], 10, 100)).toEqual([]));
});

describe("outages", () => {
  const gap = (name: string, start_ms: number, end_ms: number | null) => ({ channel: name, start_ms, end_ms, reason: "nothing came" });
  it("draws overlapping gaps of a channel as one, with every reason", () => {
    const other = { ...gap("depth", 15_000, null), reason: "the venue closed it" };
    expect(joined([other, gap("depth", 10_000, 20_000), gap("depth", 11_000, 19_000), gap("depth", 1000, 2000)])).toEqual([gap("depth", 1000, 2000), { ...gap("depth", 10_000, null), reason: "nothing came; the venue closed it" }]);
  });
  it("joins channels of one cause and puts the newest first", () => {
    const found = outages([gap("depth", 10_000, 20_000), gap("trades", 10_100, 20_100), gap("*", 50_000, null)], [part("live", 0, 10_000), part("silent", 30_000, 40_000)]);
    expect(found.map((o) => [o.what, o.channels.join(), o.endMs])).toEqual([
      ["not received", "all channels", null],
      ["silent", "trades", 40_000],
      ["not received", "depth,trades", 20_000],
    ]);
  });
});

describe("time ticks", () => {
  it("are round, within the window, and few", () => {
    const hour = 3_600_000;
    const from = 1_795_522_888_294;
    for (const width of [hour, 4 * hour, 12 * hour, 24 * hour, 168 * hour]) {
      const ticks = timeTicks(from, from + width);
      expect(ticks.length).toBeGreaterThan(2);
      expect(ticks.length).toBeLessThanOrEqual(8);
      expect(ticks.every((t) => t % 60_000 === 0 && t >= from && t <= from + width)).toBe(true);
    }
  });
});
