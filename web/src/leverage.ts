/** The API's answers about leverage, and how its numbers are written. Rates are shares; null means unknown, never zero. */

import { apiUrl, ApiError, type Params } from "./api";
import type { Envelope } from "./types";

export interface Figure {
  name: string;
  value: number | null;
  unit: string;
  status: "measured" | "estimated" | "modelled" | "stale" | "missing";
  interval: [number, number] | null;
  coverage: number | null;
  sources: string[];
  missing: string[];
  note: string;
  inputs_hash: string;
  at_ms: number;
}

interface Head {
  base: string;
  start_ms: number;
  at_ms: number;
  figures: Figure[];
}

export interface Rate {
  ts_event_ms: number;
  funding_time_ms: number | null;
  funding_rate: number;
  funding_interval_hours: number | null;
  is_interval_inferred: boolean;
  rate_8h: number | null;
  apr: number | null;
  apy: number | null;
  hit: string;
  pays: string;
  age_hours: number;
  why_not: string;
  is_stale: boolean;
}

export interface FundingContract {
  venue: string;
  symbol: string;
  margin_type: string | null;
  predicted: Rate | null;
  settled: Rate | null;
  open_interest_usd: number | null;
  volume_24h_usd: number | null;
}

export interface Weighted {
  rate_8h: number | null;
  apr: number | null;
  apy: number | null;
  low_8h: number | null;
  high_8h: number | null;
  share_negative: number | null;
  contracts: number;
  weight_usd: number;
  coverage: number | null;
  pays: string;
  stale: string[];
  unweighted: string[];
  without_rate: string[];
  hit: string[];
  reason?: string;
}

export interface Spread {
  long_venue: string;
  long_symbol: string;
  short_venue: string;
  short_symbol: string;
  long_8h: number;
  short_8h: number;
  spread_8h: number;
  apr: number;
  is_censored: boolean;
}

export interface Settled {
  venue: string;
  symbol: string;
  ts_end_ms: number[];
  rate_8h: (number | null)[];
  paid: number[];
  hours: (number | null)[];
  hit: string[];
}

export interface Predicted {
  venue: string;
  symbol: string;
  ts_ms: number[];
  rate_8h: number[];
  hit: string[];
}

export interface Paid {
  venue: string;
  symbol: string;
  paid: number;
  coverage: number | null;
  settlements: number;
  negatives: number;
}

export type Kind = "predicted" | "settled";

export interface Regime {
  word: string | null;
  why: string;
  rate_8h: number;
  percentile: number | null;
  robust_z: number | null;
  share_negative: number | null;
  ts_end_ms: number;
}

export interface Funding extends Head {
  sign_rule: string;
  resting_8h: number;
  kind: Kind;
  venues: FundingContract[];
  aggregates: Record<Kind, Record<"open_interest" | "volume", Weighted>>;
  regime: Regime | null;
  regime_reason: string;
  thresholds: Record<string, number>;
  regimes: { ts_end_ms: number; word: string | null; rate_8h: number }[];
  spreads: Spread[];
  cumulative: Paid[];
  history: { bucket_hours: number | null; settled: Settled[]; predicted: Predicted[]; predicted_bucket_ms: number };
  reason: string;
}

export interface InterestChange {
  window: string;
  coins_share: number | null;
  usd_share: number | null;
  reason: string;
}

export interface OpenInterest extends Head {
  says: string;
  totals: { coins: number | null; usd: number | null; contracts: number; missing: string[]; stale: string[]; reason: string };
  venues: { venue: string; coins: number | null; usd: number | null; contracts: number; share: number | null }[];
  margin_types: { margin_type: string | null; coins: number | null; usd: number | null; contracts: number; share: number | null }[];
  contracts: { venue: string; symbol: string; margin_type: string | null; open_interest_base: number | null; open_interest_usd: number | null; is_converted: boolean; age_seconds: number; is_stale: boolean }[];
  changes: InterestChange[];
  drawdown: { months: number; coins: number | null; usd: number | null; coins_peak_at_ms: number | null; usd_peak_at_ms: number | null; history_days: number; coverage: number; reason: string; left_out: string[] };
  series: { step_ms: number; ts_ms: number[]; coins: (number | null)[]; usd: (number | null)[]; coins_fall: (number | null)[]; usd_fall: (number | null)[]; is_complete: boolean[] };
  by_venue: { venue: string; coins: (number | null)[]; usd: (number | null)[] }[];
  regimes: { step_ms: number; dead_price: number; dead_oi: number; ts_ms: number[]; price_change: (number | null)[]; oi_change: (number | null)[]; quadrant: (string | null)[] };
  reason: string;
}

export interface Basis extends Head {
  says: string;
  term: { venue: string; symbol: string; expiry_ms: number; days: number; mark_price: number; index_price: number | null; basis: number | null; simple_apr: number | null; log_apr: number | null }[];
  term_reason: string;
  constant_maturity: { venue: string; pair: string; days: number; simple_apr: number | null; log_apr: number | null; near_days: number | null; far_days: number | null }[];
  constant_maturity_reason: string;
  premiums: { venue: string; symbol: string; mark_price: number; index_price: number | null; premium: number | null }[];
  premium_reason: string;
  premium_series: { bucket_ms: number; contracts: { venue: string; symbol: string; ts_ms: number[]; premium: number[] }[] };
}

export interface Positioning extends Head {
  measures: { ratio_kind: string; name: string; says: string; cannot_say: string }[];
  rows: { venue: string; symbol: string; ratio_kind: string; period_seconds: number | null; long_share: number; short_share: number; ratio: number | null; age_seconds: number; is_stale: boolean; change_24h: number | null; ts_event_ms: number }[];
  series: { venue: string; symbol: string; ratio_kind: string; ts_ms: number[]; long_share: number[] }[];
  step_ms: number;
  taker_flow: { venue: string; buy_usd: number; sell_usd: number; long_share: number | null; coverage: number | null; ts_ms: number[]; share: (number | null)[] }[];
  reason: string;
}

export interface BetaRow {
  series: string;
  unit: string;
  kind: "log" | "difference";
  n: number;
  beta: number | null;
  beta_low: number | null;
  beta_high: number | null;
  correlation: number | null;
  correlation_low: number | null;
  correlation_high: number | null;
  ewma_beta: number | null;
  verdict: string;
}

export interface Beta extends Head {
  step_ms: number;
  price: { venue: string; symbol: string; price_kind: string } | null;
  within: BetaRow[];
  within_reason: string;
  daily: BetaRow[];
  daily_reason: string;
}

export interface BookVenue {
  venue: string;
  symbol: string;
  status: string;
  mid: number | null;
  spread_bps: number | null;
  reach_percent: { bid: number | null; ask: number | null };
  depth: { distance_percent: number; bid_usd: number | null; ask_usd: number | null; bid_at_least_usd: number | null; ask_at_least_usd: number | null }[];
  cost: { size_usd: number; buy_bps: number | null; sell_bps: number | null }[];
  withdrawal: { side: string; distance_percent: number; now_usd: number; median_usd: number; change: number }[];
  known_share: number;
}

export interface BookMap {
  venue: string;
  symbol: string;
  ts_ms: number[];
  price_edges: number[];
  mid: (number | null)[];
  usd: (number | null)[][];
}

/** What a wave took of one book: its depth before, at its least, and how long until it was back; null where the book was not seen. */
export interface BookTaken {
  venue: string;
  symbol: string;
  side: "bid" | "ask";
  distance_percent: number;
  before_usd: number | null;
  least_usd: number | null;
  consumed_usd: number | null;
  refill_seconds: number | null;
  half_depth_seconds: number | null;
}

export interface Liquidity {
  waves: { number: number; start_ms: number; end_ms: number; side: "bid" | "ask"; contracts: BookTaken[] }[];
  base: string;
  start_ms: number;
  at_ms: number;
  bucket_ms: number;
  is_cut: boolean;
  distances_percent: number[];
  sizes_usd: number[];
  venues: BookVenue[];
  heatmap: BookMap | null;
  walls: { side: string; price: number; usd: number; kind: string; first_ms: number; last_ms: number }[];
}

export async function getLeverage<T>(path: string, params: Params): Promise<Envelope<T>> {
  const response = await fetch(apiUrl(path, params), { headers: { accept: "application/json" } });
  const body = (await response.json().catch(() => ({}))) as Envelope<T> & { error?: { message?: string } };
  if (!response.ok) throw new ApiError(body.error?.message ?? `the server answered ${response.status}`);
  return body;
}

const NONE = "—";

/** 0.0000428 → "+0.0043 %", signed with a true minus; zero has no sign. */
export function rate(share: number | null | undefined, digits = 4): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  const text = (Math.abs(share) * 100).toFixed(digits);
  if (Number(text) === 0) return `${text} %`;
  return `${share < 0 ? "−" : "+"}${text} %`;
}

/** Who pays, in words. */
export const pays = (share: number | null) => (share === null ? "not known" : share > 0 ? "longs pay shorts" : share < 0 ? "shorts pay longs" : "nobody pays");

/** "BTC/USDT:USDT" → "USDT"; "BTC/USD:BTC-251226" → "coin 251226". What tells a venue's contracts of one coin apart. */
export function margin(symbol: string): string {
  const match = /^([^/]+)\/([^:]+):([^-]+)(?:-(.+))?$/.exec(symbol);
  if (!match) return symbol;
  const [, coin, quote, settled, rest] = match;
  return [settled === coin ? "coin" : settled === quote ? quote : `${quote}, ${settled}`, rest].filter(Boolean).join(" ");
}

/** Where a rate stands on the strip's scale, −1 to 1, 0 at the resting rate; steep near rest, flat far out. */
export function onRates(rate8h: number, resting: number): number {
  const away = rate8h - resting;
  if (Math.abs(away) <= 0.2 * resting) return 0;
  return Math.sign(away) * Math.sqrt(Math.min(1, Math.abs(away) / (6 * resting)));
}

export const figure = (doc: { figures: Figure[] } | null, name: string): Figure | undefined => doc?.figures.find((f) => f.name === name);

export const coins = (value: number | null) => (value === null ? NONE : value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 2 : 0 }));
