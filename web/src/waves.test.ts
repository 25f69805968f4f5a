import { describe, expect, it } from "vitest";
import type { Wave } from "./types";
import { aboutBooks, largestWaves, waveBands, WAVES_NAMED } from "./waves";

const wave = (number: number, total: number, short = 0): Wave => ({ number, start_ms: number * 3_600_000, end_ms: number * 3_600_000 + 600_000, total_usd: total, long_usd: total - short, short_usd: short }) as Wave;

describe("many waves", () => {
  const waves = Array.from({ length: 36 }, (_, k) => wave(k + 1, (k * 7) % 36));
  it("names the ten largest and draws the others faint", () => {
    const large = largestWaves(waves);
    expect(large.size).toBe(WAVES_NAMED);
    const least = Math.min(...waves.filter((w) => large.has(w.number)).map((w) => w.total_usd));
    expect(waves.filter((w) => w.total_usd > least).every((w) => large.has(w.number))).toBe(true);
    expect(waveBands(waves, 3).filter((b) => b.isLarge)).toHaveLength(10);
    expect(waveBands(waves, 3).map((b) => b.name)).toEqual(waves.map((w) => `${w.number}`));
  });
  it("names all of a few", () => {
    expect(waveBands(waves.slice(0, 4), null).every((b) => b.isLarge && !b.chosen)).toBe(true);
  });
});

describe("the books of a wave", () => {
  it("are asked for until half an hour after it, no further than the moment on screen", () => {
    const one = wave(2, 10, 8);
    expect(aboutBooks(one, 86_400_000)).toMatchObject({ at: "1970-01-01T02:40:00.000Z", window: "45m", wave_side: "short", wave_start: "1970-01-01T02:00:00.000Z", wave_end: "1970-01-01T02:10:00.000Z" });
    expect(aboutBooks(one, one.end_ms + 60_000)).toMatchObject({ at: "1970-01-01T02:11:00.000Z", window: "16m" });
    expect(aboutBooks(undefined, 0)).toEqual({});
  });
});
