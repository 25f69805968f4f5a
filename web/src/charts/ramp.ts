/** The one ramp of all heatmaps: inferno, even in lightness, read on a logarithmic scale that its legend prints. */

const STOPS: [number, number, number][] = [
  [22, 11, 57], [66, 10, 104], [106, 23, 110], [147, 38, 103], [188, 55, 84], [221, 81, 58], [243, 120, 25], [252, 165, 10], [246, 215, 70], [252, 255, 164],
];

/** Colour at 0–1. */
export function ramp(position: number): string {
  const x = Math.min(1, Math.max(0, position)) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(x));
  const a = STOPS[i]!;
  const b = STOPS[i + 1]!;
  const mix = a.map((v, k) => Math.round(v + (b[k]! - v) * (x - i)));
  return `rgb(${mix.join(",")})`;
}

export interface LogScale {
  low: number;
  high: number;
}

/** Whole decades up to the largest value: at least two, at most five. */
export function logScale(max: number | null): LogScale {
  const high = 10 ** Math.ceil(Math.log10(Math.max(max ?? 0, 1000)));
  const low = Math.max(100, high / 1e5);
  return { low, high };
}

/** Position of a value on the scale, 0–1; at or below the low end is 0. */
export function onScale(scale: LogScale, usd: number): number {
  if (usd <= scale.low) return 0;
  return Math.min(1, Math.log(usd / scale.low) / Math.log(scale.high / scale.low));
}

/** The decades to print. */
export function ticks(scale: LogScale): number[] {
  const count = Math.round(Math.log10(scale.high / scale.low));
  return Array.from({ length: count + 1 }, (_, i) => scale.low * 10 ** i);
}
