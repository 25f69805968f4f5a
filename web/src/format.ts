/** Numbers and times as text, rounded to what is known. */

import type { Span } from "./types";

const NONE = "—";

const formats = new Map<string, Intl.NumberFormat>();

/** Grouped digits with so many decimals; making a format is slow, so each is made once. */
function grouped(value: number, least: number, most: number): string {
  const key = `${least} ${most}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat("en-GB", { minimumFractionDigits: least, maximumFractionDigits: most });
    formats.set(key, format);
  }
  return format.format(value);
}

/** "1,344" */
export const count = (value: number) => grouped(value, 0, 0);

/** 1_830_970_000 → "1.83 bn", 629_114_233 → "629.1 M", 12_345 → "12.3 k", 945.2 → "945". */
export function money(usd: number | null | undefined): string {
  if (usd === null || usd === undefined || !Number.isFinite(usd)) return NONE;
  const size = Math.abs(usd);
  if (size >= 999_950_000) return `${(usd / 1e9).toFixed(2)} bn`;
  if (size >= 999_950) return `${(usd / 1e6).toFixed(1)} M`;
  if (size >= 999.5) return `${(usd / 1e3).toFixed(1)} k`;
  if (size >= 10 || size === 0) return usd.toFixed(0);
  return usd.toFixed(2);
}

/** A round amount on an axis: "10 k", not "10.0 k". */
export const moneyTick = (usd: number) => money(usd).replace(/\.0+(?= )/, "");

interface Sum {
  total_usd: number | null;
  count: number | null;
}

/** Whether orders were seen and none of them has a USD value: then a sum of zero means nothing. */
export const isUnpriced = ({ total_usd, count }: Sum) => total_usd === 0 && (count ?? 0) > 0;

/** Every digit the API gave, grouped: "629,114,233.12". */
export function exact(value: number): string {
  return grouped(value, 0, 6);
}

/** A sentence whose numbers are not parted from their units at a line's end. */
export const unbroken = (text: string) => text.replace(/(\d) (?=(?:%|k|M|bn|h|min|s|d)(?![a-z]))/g, "$1\u00a0").replace(/([kM]|bn) (?=USD)/g, "$1\u00a0");

/** 0.931 → "93 %"; shares under ten per cent keep one decimal, and only true zero and one print as 0 and 100. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  const value = share * 100;
  if (value === 0 || value === 100) return `${value} %`;
  if (value < 0.1) return "< 0.1 %";
  if (value < 9.95) return `${value.toFixed(1)} %`;
  if (value > 99.5) return value > 99.9 ? "> 99.9 %" : `${value.toFixed(1)} %`;
  return `${value.toFixed(0)} %`;
}

/** A price with five or so significant digits, grouped. */
export function price(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  const digits = size >= 10_000 ? 0 : size >= 1000 ? 1 : size >= 100 ? 2 : size >= 1 ? 3 : size === 0 ? 0 : Math.min(10, 4 - Math.floor(Math.log10(size)));
  return grouped(value, digits, digits);
}

/** Decimals a price axis needs around a value. */
export function priceDecimals(value: number): number {
  const size = Math.abs(value);
  if (size >= 10_000) return 0;
  if (size >= 100) return 1;
  if (size >= 1) return 3;
  return size > 0 ? Math.min(10, 4 - Math.floor(Math.log10(size))) : 2;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number) => String(n).padStart(2, "0");

interface Parts {
  year: number;
  month: number;
  day: number;
  clock: string;
}

function parts(ms: number, utc: boolean): Parts {
  const d = new Date(ms);
  return utc
    ? { year: d.getUTCFullYear(), month: d.getUTCMonth(), day: d.getUTCDate(), clock: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}` }
    : { year: d.getFullYear(), month: d.getMonth(), day: d.getDate(), clock: `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}` };
}

/** "17:20:29" */
export const clockTime = (ms: number, utc: boolean) => parts(ms, utc).clock;
/** "17:20" */
export const clockMinute = (ms: number, utc: boolean) => parts(ms, utc).clock.slice(0, 5);
/** "27 Jan" */
export function dayMonth(ms: number, utc: boolean): string {
  const p = parts(ms, utc);
  return `${p.day} ${MONTHS[p.month]}`;
}
/** "27 Jan 2025 17:20:29" */
export function dateTime(ms: number, utc: boolean): string {
  const p = parts(ms, utc);
  return `${p.day} ${MONTHS[p.month]} ${p.year} ${p.clock}`;
}
export const zone = (utc: boolean) => (utc ? "UTC" : "local");

/** "26–27 Jan 2025", "27 Jan 2025", "30 Dec 2024 – 2 Jan 2025"; always in UTC, as recordings are named. */
export function dateRange(startMs: number, endMs: number): string {
  const a = parts(startMs, true);
  const b = parts(endMs, true);
  const end = `${b.day} ${MONTHS[b.month]} ${b.year}`;
  if (a.year !== b.year) return `${a.day} ${MONTHS[a.month]} ${a.year} – ${end}`;
  if (a.month !== b.month) return `${a.day} ${MONTHS[a.month]} – ${end}`;
  return a.day === b.day ? end : `${a.day}–${end}`;
}

/** 45_000 → "45 s", 5_400_000 → "1 h 30 min", 90_000_000 → "1 d 1 h". */
export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return m < 10 && s % 60 ? `${m} min ${s % 60} s` : `${m} min`;
  const h = Math.floor(m / 60);
  if (h < 24) return m % 60 ? `${h} h ${m % 60} min` : `${h} h`;
  return h % 24 ? `${Math.floor(h / 24)} d ${h % 24} h` : `${Math.floor(h / 24)} d`;
}

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "24h" → 86_400_000; null where the text is no window. */
export function windowMs(window: string): number | null {
  const match = /^(\d+)([mhd])$/.exec(window);
  return match ? Number(match[1]) * (UNIT_MS[match[2]!] ?? 0) : null;
}

/** "10k", "1.5M", "250000" → USD; null for anything else. Empty means no minimum. */
export function parseMoney(text: string): number | null {
  const trimmed = text.trim().replace(/[,_\s]/g, "");
  if (trimmed === "") return 0;
  const match = /^(\d+(?:\.\d+)?)(k|m|bn|b)?$/i.exec(trimmed);
  if (!match) return null;
  const factor = { k: 1e3, m: 1e6, b: 1e9, bn: 1e9 }[(match[2] ?? "").toLowerCase()] ?? 1;
  return Number(match[1]) * factor;
}

/** The part of each span that lies within [from, to]. */
export function clip(spans: Span[], from: number, to: number): Span[] {
  return spans.map(([a, b]): Span => [Math.max(a, from), Math.min(b, to)]).filter(([a, b]) => b > a);
}

const RULES: Record<string, string> = {
  full: "all orders",
  presumed_full: "all orders, presumed",
  largest_per_second: "largest per second",
  latest_per_second: "latest per second",
  undisclosed: "a part, undisclosed",
  watched_accounts: "watched accounts",
  none: "nothing",
};
/** A coverage rule in words: which of its liquidations a venue's feed shows. */
export const ruleWords = (rule: string) => RULES[rule] ?? rule.replaceAll("_", " ");

/** A feed state in words. */
export const stateWords = (state: string) => state.replaceAll("_", " ");
