/** The ramp of what lies on both sides of a rest: sky blue below, neutral at rest, purple above; told apart with any colour vision. */

type Rgb = [number, number, number];
const DARK: Record<string, Rgb> = { low: [86, 180, 233], rest: [44, 52, 62], high: [226, 130, 186] };
const LIGHT: Record<string, Rgb> = { low: [0, 104, 170], rest: [226, 222, 212], high: [158, 52, 112] };

/** Colour at −1 … 1. */
export function diverging(position: number): string {
  const end = document.documentElement.getAttribute("data-theme") === "light" ? LIGHT : DARK;
  const x = Math.min(1, Math.abs(position));
  const to = position < 0 ? end.low! : end.high!;
  return `rgb(${end.rest!.map((v, k) => Math.round(v + (to[k]! - v) * x)).join(",")})`;
}
