/** The API's answers about the outside world, and how its numbers are written. Flows are USD, outflows negative; null means unknown. */

import type { Params } from "./api";
import { getLeverage } from "./leverage";
import { money } from "./format";
import type { Envelope } from "./types";

export type Status = "measured" | "estimated" | "modelled" | "stale" | "missing";

export interface Figure {
  name: string;
  value: number | null;
  unit: string;
  at: string;
  as_of: string;
  status: Status;
  interval: [number, number] | null;
  level: number | null;
  coverage: number | null;
  sources: string[];
  missing: string[];
  note: string;
  inputs_hash: string;
}

/** Why there is nothing, and how to bring it in. */
export interface Nothing {
  reason: string;
  how: string;
}

interface Head {
  at_ms: number;
  as_of_ms: number;
  headline: string;
  empty: Nothing | null;
  figures: Figure[];
}

export interface PublishedIndex {
  index_name: string;
  title: string;
  source: string;
  source_title: string;
  value: number;
  band: string;
  source_band: string;
  source_band_by: string;
  words_differ: boolean;
  ts_ms: number;
  known_at_ms: number;
  age_hours: number;
  status: Status;
  evidence: string;
  change: number | null;
  month_before: number | null;
  month_before_band: string | null;
  month_before_at_ms: number | null;
  month_change: number | null;
  days_in_band: number;
  as_low_on_ms: number | null;
  as_high_on_ms: number | null;
  year_rank: number | null;
  since_ms: number;
  readings: number;
  attribution: string;
  terms: string;
  schedule: string;
}

export interface Part {
  component: string;
  title: string;
  unit: string;
  weight: number;
  share: number;
  percentile: number | null;
  contribution: number;
  value: number | null;
  history: number;
  source: string;
  ts_ms: number | null;
  why_missing: string;
}

export interface Sentiment extends Head {
  index: PublishedIndex | null;
  bands: { band: string; from: number; to: number }[];
  history: { ts_ms: number[]; value: number[]; band: string[]; source_band: string[]; every: number };
  own: { value: number | null; band: string | null; present: number; needed: number; missing: string[]; parts: Part[]; status: Status; reason: string; attribution: string };
  own_history: { ts_ms: number[]; value: number[] };
}

export interface Source {
  source: string;
  title: string;
  attribution: string;
  terms: string;
  schedule: string;
  other_sources?: string[];
}

export interface Streak {
  direction: "inflow" | "outflow";
  first: string;
  last: string;
  days: number;
  net_flow_usd: number;
}

export interface FundFlow {
  fund: string;
  trading_day: string;
  net_flow_usd: number;
  is_provisional: boolean;
  month_to_date_usd: number | null;
  cumulative_usd: number;
}

export interface FlowSummary {
  since: string;
  trading_day: string;
  known_at_ms: number;
  is_provisional: boolean;
  net_flow_usd: number;
  funds: number;
  outflow_rank: number | null;
  days: number;
  z: number | null;
  robust_z: number | null;
  prior_days: number;
  month: string;
  /** Null where trading days of the month are not told. */
  month_to_date_usd: number | null;
  month_untold_days: number;
  month_days: number;
  last_complete_month: string | null;
  last_complete_month_usd: number | null;
  cumulative_usd: number;
  missing_days: string[];
  difference_usd: number | null;
}

export interface FlowMonth {
  month: string;
  net_flow_usd: number;
  days: number;
  missing_days: number;
  is_complete: boolean;
  is_provisional: boolean;
  is_month_to_date: boolean;
}

export interface Flows extends Head {
  base: string;
  source: Source | null;
  status?: Status;
  evidence?: string;
  summary: FlowSummary | null;
  daily: { trading_day: string[]; net_flow_usd: number[]; is_provisional: boolean[]; cumulative_usd: number[]; month_to_date_usd: number[]; funds: number[] } | null;
  by_fund: FundFlow[];
  recent: { trading_days: string[]; funds: { fund: string; net_flow_usd: (number | null)[] }[] } | null;
  months: FlowMonth[];
  streaks: { current: Streak | null; longest_outflow: Streak | null; longest_inflow: Streak | null } | null;
  records: { period: string; direction: string; words: string; is_whole: boolean }[];
  words: string[];
}

export interface Level {
  series: string;
  title: string;
  publication: string;
  observation_date: string;
  value: number;
  unit: string;
  age_days: number;
  change: number | null;
  month_before: number | null;
  month_before_date: string | null;
  month_change: number | null;
  year_rank: number | null;
  known_at_ms: number;
  held_ms: number;
  status: Status;
  evidence: string;
  is_ours: boolean;
}

export interface Beta {
  series: string;
  title: string;
  step: string;
  kind: "log" | "difference";
  n: number;
  end_ms: number | null;
  beta: number | null;
  beta_low: number | null;
  beta_high: number | null;
  correlation: number | null;
  correlation_low: number | null;
  correlation_high: number | null;
  ewma_beta: number | null;
  level: number;
  verdict: string;
  words: string;
}

export interface Macro extends Head {
  base: string;
  levels: Level[];
  lines: { series: string; ts_ms: number[]; observation_date: string[]; value: number[]; every: number }[];
  betas: Beta[];
  betas_reason: string;
  betas_note: string;
  price: { venue: string; symbol: string; price_kind: string } | null;
  source: Source | null;
  absent: { series: string; title: string; why: string }[];
  status: Status;
}

const moment = (params: Params): Params => ({ at: params.at, as_of: params.as_of });

export const getSentiment = (params: Params): Promise<Envelope<Sentiment>> => getLeverage<Sentiment>("sentiment", moment(params));
export const getFlows = (params: Params): Promise<Envelope<Flows>> => getLeverage<Flows>("etf-flows", { ...moment(params), base: params.base, days: params.days });
export const getMacro = (params: Params): Promise<Envelope<Macro>> => getLeverage<Macro>("macro", { ...moment(params), base: params.base });

const NONE = "—";

/** A flow with its sign, a true minus: −903_200_000 → "−903.2 M". */
export function flow(usd: number | null | undefined): string {
  if (usd === null || usd === undefined || !Number.isFinite(usd)) return NONE;
  return usd === 0 ? "0" : `${usd < 0 ? "−" : "+"}${money(Math.abs(usd))}`;
}

/** A change with its sign and so many digits: −0.02 → "−0.02". */
export function signed(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "2025-11-20" → "20 Nov 2025"; "2025-11" → "Nov 2025". Days of an exchange have no time zone to convert. */
export function day(text: string): string {
  const [year, month, date] = text.split("-");
  return [date ? String(Number(date)) : "", MONTHS[Number(month) - 1], year].filter(Boolean).join(" ");
}

/** "2025-11-20" → "20 Nov" */
export const shortDay = (text: string) => day(text).slice(0, -5);

/** The value of a part of our index in its own unit. */
export function partValue(value: number | null, unit: string): string {
  if (value === null) return NONE;
  if (unit === "usd") return `${flow(value)} USD`;
  if (unit === "share per 8 h") return `${signed(value * 100, 4)} % per 8 h`;
  if (unit === "share") return `${signed(value * 100, 1)} %`;
  if (unit === "log") return signed(value, 3);
  if (unit === "times") return `${value.toFixed(1)} ×`;
  return value.toFixed(1);
}

/** A beta in percent of the coin per step of the series: per percentage point of a yield, per percent of an index. */
export const betaPercent = (value: number | null, kind: Beta["kind"]): number | null => (value === null ? null : value * (kind === "difference" ? 100 : 1));

export const figureOf = (doc: { figures: Figure[] } | null, name: string): Figure | undefined => doc?.figures.find((f) => f.name === name);

/** Positions in percent of a scale from −most to most. */
export const onScale = (value: number, most: number): number => 50 + (50 * Math.max(-most, Math.min(most, value))) / (most || 1);
