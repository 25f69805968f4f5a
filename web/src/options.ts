/** What the options routes answer, and how the page asks and says it. */

import { apiUrl, ApiError, type Params } from "./api";
import { duration, price } from "./format";
import type { Envelope } from "./types";

export interface Figure {
  name: string;
  value: number | null;
  unit: string;
  status: string;
  coverage: number | null;
  note: string;
  interval: [number, number] | null;
  inputs_hash: string;
}

/** What every answer begins with: whose chain, of when, how much of it could be used, or why there is none. */
export interface Head {
  base: string;
  venue: string | null;
  venues: { venue: string; contracts: number }[];
  chain_at_ms: number | null;
  age_seconds: number | null;
  is_stale: boolean | null;
  spot: { price: number; source: string; ts_ms: number } | null;
  listed: number;
  used: number;
  coverage: number | null;
  reason: string;
  last_known_ms: number | null;
  inputs_hash: string;
  figures: Figure[];
}

export interface Quote {
  symbol: string;
  strike: number;
  option_type: "call" | "put";
  k: number;
  bid_iv: number | null;
  ask_iv: number | null;
  mid_iv: number | null;
  mark_iv: number | null;
  open_interest: number | null;
  is_used: boolean;
  why_not: string;
}

export interface Slice {
  expiry_ms: number;
  days: number;
  forward: number;
  kind: string;
  rms_points: number;
  worst_points: number;
  min_g: number;
  quoted_k: [number, number];
  curve: { k: number[]; strike: number[]; iv: (number | null)[]; g: (number | null)[] };
  quotes: Quote[];
}

export interface Smile extends Head {
  expiries: { expiry_ms: number; days: number; forward: number; kind: string; quotes: number; rms_points: number; min_g: number; atm: number }[];
  slices: Slice[];
}

export interface Surface extends Head {
  tenor_days: number[];
  moneyness: number[];
  moneyness_iv: (number | null)[][];
  delta: string[];
  delta_iv: (number | null)[][];
  delta_strike: (number | null)[][];
}

export interface Tenor {
  tenor_days: number;
  forward: number | null;
  atm: number | null;
  rr25: number | null;
  bf25: number | null;
  rr10: number | null;
  bf10: number | null;
}

export interface Cone {
  horizon_days: number;
  now: number | null;
  rank: number | null;
  low: number | null;
  q25: number | null;
  median: number | null;
  q75: number | null;
  high: number | null;
  windows: number;
  independent: number;
}

type Series = (number | null)[];

export interface Term extends Head {
  sign: string;
  tenors: Tenor[];
  expiries: (Tenor & { expiry_ms: number })[];
  history: { tenor_days: number; bucket_ms: number; ts_ms: number[]; atm: Series; rr25: Series; bf25: Series; rr10: Series; bf10: Series };
  realised: Cone[];
  realised_source: string;
  realised_reason: string;
  variance_premium: { tenor_days: number; implied: number | null; realised_before: number | null; premium: number | null }[];
}

interface Leg {
  expiry_ms: number;
  days: number;
  strikes: number;
  low_strike: number | null;
  high_strike: number | null;
  variance: number;
  weight: number;
}

export interface VolatilityIndex extends Head {
  /** How far from the published one it was where that could be measured. */
  skill: string;
  ours: { points: number | null; near: Leg | null; next: Leg | null; reasons: string[] } | null;
  published: { points: number; ts_ms: number; venue: string; index_name: string; age_seconds: number } | null;
  difference_points: number | null;
  seconds_apart: number | null;
  variants: { name: string; points: number | null; what: string; reasons: string[] }[];
  history: { bucket_ms: number; ts_ms: number[]; points: Series; published_ts_ms: number[]; published: Series };
}

export interface Strike {
  strike: number;
  call_open_interest: number | null;
  put_open_interest: number | null;
  call_volume_24h: number | null;
  put_volume_24h: number | null;
}

export interface Notable {
  ts_ms: number;
  symbol: string;
  expiry_ms: number;
  strike: number;
  option_type: "call" | "put";
  taker_side: "buy" | "sell";
  quantity: number | null;
  premium_usd: number | null;
  vega_usd: number | null;
  is_block: boolean;
  legs: number;
  reason: string;
}

export interface Interest extends Head {
  strikes: Strike[];
  by_strike: (Strike & { expiry_ms: number })[];
  expiries: { expiry_ms: number; days: number; open_interest: number | null; call_open_interest: number | null; put_open_interest: number | null; max_pain: number | null; max_pain_usd: number | null; put_call_open_interest: number | null; put_call_volume: number | null; put_call_notional: number | null; put_call_premium: number | null }[];
  put_call: { open_interest: number | null; volume: number | null; notional: number | null; premium: number | null } | null;
  total: { open_interest: number | null; open_interest_usd: number | null; volume_24h: number | null } | null;
  trades_seen: number;
  notable: Notable[];
  thresholds: { premium_usd: number; vega_usd: number };
  reminder: string;
}

export interface Convention {
  name: string;
  title: string;
  about: string;
  gamma_usd: number;
  gamma_low: number | null;
  gamma_high: number | null;
  vanna: number;
  charm: number;
  curve: Series;
  curve_low: Series | null;
  curve_high: Series | null;
  flips: { price: number; to_long: boolean; low: number | null; high: number | null; share: number | null }[];
  short_zones: { low: number | null; high: number | null }[];
  by_strike: { strike: number; open_interest: number; position: number; gamma_usd: number; vanna: number; charm: number }[];
}

export interface Exposure extends Head {
  prices: number[];
  conventions: Convention[];
  regime: string | null;
  flow: { error_rate: number; coverage: number | null; trades: number; first_ms: number | null; blocks: number; note: string } | null;
  left_out: number;
  left_out_share: number | null;
  assumption: string;
}

export interface Density extends Head {
  by_ms: number | null;
  days: number | null;
  forward: number | null;
  strikes: number[];
  density: Series;
  below: Series;
  quantiles: { share: number; price: number | null }[];
  mass: number | null;
  is_extrapolated: boolean | null;
  reminder: string;
}

export interface Touch extends Head {
  level: number | null;
  by_ms: number | null;
  days: number | null;
  touch: { side: string; finish: number; finish_naive: number; flat_atm: number; flat_level: number; local_volatility: number; twice_digital: number; low: number; high: number; is_extrapolated: boolean } | null;
  profile: { levels: number[]; finish: Series; low: Series; high: Series } | null;
  reminder: string;
}

/** Asks one route below /v1/options. */
export async function getOptions<T>(route: string, params: Params): Promise<T> {
  const response = await fetch(apiUrl(`options/${route}`, params), { headers: { accept: "application/json" } });
  if (response.ok) return ((await response.json()) as Envelope<T>).data;
  const body = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  throw new ApiError(body.error?.message ?? `the server answered ${response.status}`);
}

const NONE = "—";

/** 0.5122 → "51.2": a volatility as points. */
export const points = (vol: number | null | undefined, digits = 1) => (vol === null || vol === undefined || !Number.isFinite(vol) ? NONE : (100 * vol).toFixed(digits));

/** −0.1567 → "−15.7", +0.02 → "+2.0". */
export function signedPoints(vol: number | null | undefined, digits = 1): string {
  if (vol === null || vol === undefined || !Number.isFinite(vol)) return NONE;
  return `${vol < 0 ? "−" : "+"}${Math.abs(100 * vol).toFixed(digits)}`;
}

/** A price on an axis: "80,000", "1,650", "0.85". */
export const priceTick = (value: number) => (Math.abs(value) >= 100 ? value.toLocaleString("en-GB", { maximumFractionDigits: 0 }) : price(value));

/** A number on an axis whose labels are `step` apart. */
export const tick = (value: number, step: number) => value.toFixed(Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));

/** The values of a series with its line broken where more than two buckets and a half have no chain. */
export function broken(ts: number[], values: (number | null)[], bucketMs: number): [number, number | null][] {
  return ts.flatMap((ms, i): [number, number | null][] => {
    const point: [number, number | null] = [ms, values[i] ?? null];
    return i > 0 && ms - ts[i - 1]! > 2.5 * bucketMs ? [[ms - 1, null], point] : [point];
  });
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "26 Dec 25" */
export function expiryWords(ms: number): string {
  const d = new Date(ms);
  return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${String(d.getUTCFullYear()).slice(2)}`;
}

/** "30 d", "20 h" */
export const daysWords = (days: number) => (days < 2 ? `${Math.round(days * 24)} h` : `${days < 10 ? days.toFixed(1).replace(/\.0$/, "") : days.toFixed(0)} d`);

/** What the range between the models of a touch probability says: "46–57 %". */
export function rangeWords(low: number, high: number): string {
  const [a, b] = [100 * low, 100 * high].map((v) => (v < 9.95 ? v.toFixed(1) : v.toFixed(0)));
  return a === b ? `${a} %` : `${a}–${b} %`;
}

/** "30 d skew of puts: the 25-delta put costs 15.7 points more than the call." */
export function skewWords(rr: number | null): string {
  if (rr === null) return "";
  const size = Math.abs(100 * rr).toFixed(1);
  return rr < 0 ? `puts cost ${size} points more than calls` : `calls cost ${size} points more than puts`;
}

export const ageWords = (seconds: number) => (seconds < 90 ? `${Math.round(seconds)} s old` : `${duration(seconds * 1000)} old`);
