/** Many waves on one page: which are named, how they are drawn, and the question for the books each of them ate. */

import type { Params } from "./api";
import type { Band } from "./charts/layers";
import type { Wave } from "./types";

export const WAVES_NAMED = 10;
const MINUTE_MS = 60_000;
const BEFORE_MS = 5 * MINUTE_MS;
const AFTER_MS = 30 * MINUTE_MS;
const LONGEST_MINUTES = 240;

/** Numbers of the largest waves. */
export const largestWaves = (waves: Wave[]): Set<number> => new Set(waves.toSorted((a, b) => b.total_usd - a.total_usd).slice(0, WAVES_NAMED).map((w) => w.number));

/** Waves as bands of the price chart; one may be chosen, and the smaller of many are faint. */
export function waveBands(waves: Wave[], chosen: number | null): Band[] {
  const large = largestWaves(waves);
  return waves.map((w) => ({ span: [w.start_ms, w.end_ms], name: `${w.number}`, side: w.long_usd >= w.short_usd ? "long" : "short", chosen: w.number === chosen, isLarge: large.has(w.number) }));
}

/** The question for what a wave took of the books: from before it until half an hour after, as far as that has come. */
export function aboutBooks(wave: Wave | undefined, atMs: number): Params {
  if (!wave) return {};
  const end = Math.min(Math.max(atMs, wave.end_ms), wave.end_ms + AFTER_MS);
  const minutes = Math.min(Math.ceil((end - wave.start_ms + BEFORE_MS) / MINUTE_MS), LONGEST_MINUTES);
  const iso = (ms: number) => new Date(ms).toISOString();
  return { at: iso(Math.ceil(end / MINUTE_MS) * MINUTE_MS), window: `${minutes}m`, wave_start: iso(wave.start_ms), wave_end: iso(wave.end_ms), wave_side: wave.long_usd >= wave.short_usd ? "long" : "short" };
}

/** How long: 90 s, 12 min, 3.4 h. */
export const lasted = (seconds: number) => (seconds < 120 ? `${Math.round(seconds)} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);

/** A share as a change: −2.67 %. */
export const signed = (share: number) => `${share < 0 ? "−" : "+"}${(Math.abs(share) * 100).toFixed(2)} %`;
