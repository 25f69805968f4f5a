/** What the feeds page says in words, and where its stretches of time stand. Nothing here decides what is believed. */

import { duration } from "./format";
import type { FeedGap, FeedRow, FeedStretch, Span } from "./types";

/** States in which a total does not hold what the venue prints. */
export const UNHEARD: ReadonlySet<string> = new Set(["down", "blind", "silent", "skewed"]);

/** 980_000 → "980 kB", 4_200_000_000 → "4.20 GB" */
export const size = (bytes: number) => (bytes < 999_500 ? `${(bytes / 1e3).toFixed(0)} kB` : bytes < 999_950_000 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`);

/** Frames a minute in the unit that keeps the number readable: "9 /s", "58 /min", "14 /h". */
export function rate(perMinute: number): string {
  if (perMinute >= 120) return `${(perMinute / 60).toFixed(0)} /s`;
  if (perMinute >= 1) return `${perMinute.toFixed(0)} /min`;
  const hourly = perMinute * 60;
  return hourly >= 0.95 ? `${hourly.toFixed(0)} /h` : perMinute > 0 ? "< 1 /h" : "0";
}

/** −0.3 ms reads "0 ± 1 ms", never "−0"; from ten seconds on "+20.0 s". */
export function clockOffset(offsetMs: number, errorMs: number | null): string {
  if (Math.abs(offsetMs) >= 10_000) return `${offsetMs > 0 ? "+" : "−"}${(Math.abs(offsetMs) / 1000).toFixed(1)} s`;
  const rounded = Math.round(offsetMs);
  const sign = rounded > 0 ? "+" : rounded < 0 ? "−" : "";
  return `${sign}${Math.abs(rounded)}${errorMs === null ? "" : ` ± ${Math.max(Math.round(errorMs), 1)}`} ms`;
}

/** Channels of a venue that are not heard, by state: "trades, depth blind; mark-price skewed". */
export function unheardChannels(row: FeedRow): string {
  const byState = new Map<string, string[]>();
  for (const { channel, state } of row.channels) if (UNHEARD.has(state)) byState.set(state, [...(byState.get(state) ?? []), channel]);
  return [...byState].map(([state, channels]) => `${channels.length === row.channels.length ? "all channels" : channels.join(", ")} ${state}`).join("; ");
}

const listed = (words: string[]) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

/** What must be known first: whose liquidations are not to be believed, then who lacks other channels. */
export function headline(rows: FeedRow[], mode: string): string {
  if (mode !== "live") {
    const seen = rows.filter((r) => r.stretches.length > 0).length;
    return `Nothing is being collected; the data shown hold ${seen} of ${rows.length} venues.`;
  }
  const lost = rows.filter((r) => UNHEARD.has(r.state));
  const heard = rows.filter((r) => r.state === "live" || r.state === "thin");
  const partly = heard.filter((r) => r.channels.some((c) => UNHEARD.has(c.state)));
  const share = `liquidations of ${heard.length === rows.length ? "all " : ""}${heard.length}${heard.length === rows.length ? "" : ` of ${rows.length}`} venues are heard`;
  const first = lost.length ? `${listed(lost.map((r) => `${r.title} is ${r.state}`))}; ${share}` : share[0]!.toUpperCase() + share.slice(1);
  return `${first}${partly.length ? `; other channels of ${listed(partly.map((r) => r.title))} are not` : ""}.`;
}

/** Stretches of one channel to draw in [from, to]. A channel is only heard while its venue is received, whatever was believed last. */
export function drawn(parts: FeedStretch[], received: Span[], from: number, to: number): FeedStretch[] {
  return parts.flatMap((part) => {
    const end = Math.min(part.end_ms ?? to, to);
    const within: Span[] = UNHEARD.has(part.state) ? [[part.start_ms, end]] : received.map(([a, b]): Span => [Math.max(a, part.start_ms), Math.min(b, end)]);
    return within.map(([a, b]): Span => [Math.max(a, from), b]).filter(([a, b]) => b > a).map(([a, b]) => ({ ...part, start_ms: a, end_ms: b }));
  });
}

/** Gaps of one channel with those that overlap joined, as several sockets may carry it; each reason is said once. */
export function joined(gaps: FeedGap[]): FeedGap[] {
  const found: FeedGap[] = [];
  for (const gap of [...gaps].sort((a, b) => a.start_ms - b.start_ms)) {
    const last = found.at(-1);
    if (!last || (last.end_ms !== null && gap.start_ms > last.end_ms)) found.push({ ...gap });
    else {
      last.end_ms = last.end_ms === null || gap.end_ms === null ? null : Math.max(last.end_ms, gap.end_ms);
      if (!last.reason.split("; ").includes(gap.reason)) last.reason += `; ${gap.reason}`;
    }
  }
  return found;
}

export interface Outage {
  startMs: number;
  endMs: number | null;
  channels: string[];
  what: string;
  reason: string;
}

/** Gaps and states in which a channel was not heard, those of one cause together, newest first. */
export function outages(gaps: FeedGap[], history: FeedStretch[]): Outage[] {
  const found = new Map<string, Outage>();
  const add = (channel: string, startMs: number, endMs: number | null, what: string, reason: string) => {
    const key = [what, Math.round(startMs / 2000), endMs === null ? "" : Math.round(endMs / 2000), reason].join("|");
    const one = found.get(key) ?? { startMs, endMs, channels: [], what, reason };
    const name = channel === "*" ? "all channels" : channel;
    if (!one.channels.includes(name)) one.channels.push(name);
    found.set(key, one);
  };
  for (const g of gaps) add(g.channel, g.start_ms, g.end_ms, "not received", g.reason);
  for (const h of history) if (UNHEARD.has(h.state)) add(h.channel, h.start_ms, h.end_ms, h.state, h.evidence);
  return [...found.values()].sort((a, b) => b.startMs - a.startMs);
}

const STEPS_MIN = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10080];

/** Round instants within [from, to], few enough to be labelled. */
export function timeTicks(from: number, to: number, most = 7, shiftMs = 0): number[] {
  const step = (STEPS_MIN.find((m) => (to - from) / (m * 60_000) <= most) ?? STEPS_MIN.at(-1)!) * 60_000;
  const ticks: number[] = [];
  for (let at = Math.ceil((from + shiftMs) / step) * step - shiftMs; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** "3 min" since an instant, for ages that are told by the server's clock. */
export const ago = (ms: number | null, nowMs: number) => (ms === null ? "never" : `${duration(Math.max(nowMs - ms, 0))} ago`);
