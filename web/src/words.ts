/** Sentences about source, coverage and time that stand on every panel and behind every number. */

import { apiUrl, type Params } from "./api";
import { UNHEARD } from "./feeds";
import { dateTime, percent, stateWords, zone } from "./format";
import { store, useApp } from "./state";
import type { NowDocument, VenueRow, WindowTotals } from "./types";

const WORDS: Record<string, string> = { m: "min", h: "h", d: "d" };

/** "24h" → "24 h" */
export const windowWords = (window: string) => window.replace(/([mhd])$/, (unit) => ` ${WORDS[unit]}`);

export const currentTotals = (doc: NowDocument): WindowTotals | undefined => doc.windows.find((w) => w.window === doc.window);

const TITLES: Record<string, string> = { binance: "Binance", bybit: "Bybit", okx: "OKX", htx: "HTX", hyperliquid: "Hyperliquid", deribit: "Deribit" };

/** What every page needs to know of the first page's document. */
export interface Outline {
  window: string;
  base: string;
  bases: string[];
  venues: VenueRow[];
}

/** The document, or before its first answer what the address alone tells; null until the server has said what it shows. */
export function useOutline(): Outline | null {
  const doc = useApp((s) => s.doc);
  const window = useApp((s) => s.view.window);
  const base = useApp((s) => s.view.base);
  const told = useApp((s) => s.subject !== null);
  return doc ?? (told ? { window, base: base || "BTC", bases: [base || "BTC"], venues: [] } : null);
}

export const venueTitle = (doc: Pick<NowDocument, "venues">, venue: string) => doc.venues.find((v) => v.venue === venue)?.title ?? TITLES[venue] ?? venue;

export const recordedTitles = (doc: NowDocument) => doc.venues.filter((v) => v.recorded).map((v) => v.title);

export const missingTitles = (doc: NowDocument) => doc.venues.filter((v) => !v.recorded).map((v) => v.title);

/** Venues that are being collected and whose liquidations are not to be counted on now, as "HTX (down)". */
export const unheardNow = (doc: NowDocument) => doc.venues.filter((v) => UNHEARD.has(v.state)).map((v) => `${v.title} (${v.state})`);

/** A venue that a total does not hold, with what is wrong where that is known: "HTX (down)", "Bybit". */
export function absentWords(doc: NowDocument, venue: string): string {
  const row = doc.venues.find((v) => v.venue === venue);
  return row && UNHEARD.has(row.state) ? `${row.title} (${stateWords(row.state)})` : (row?.title ?? venue);
}

/** Why venues are absent, a line each. */
export function absentReasons(doc: NowDocument, venues: string[]): string {
  return venues.map((name) => doc.venues.find((v) => v.venue === name)).map((v) => (v ? `${v.title}: ${UNHEARD.has(v.state) ? `${stateWords(v.state)}, ${v.evidence}` : v.recorded ? v.evidence : "not recorded in this time"}` : "")).join("\n");
}

const KIND = { playback: "replay", stored: "stored data", live: "live" };

/** What the data on screen are: "reconstruction", "replay", "stored data", "live". */
export const kindWords = (doc: Pick<NowDocument, "mode" | "recording" | "is_reconstruction">) => (doc.is_reconstruction || doc.recording?.is_reconstruction ? "reconstruction" : KIND[doc.mode]);

export function sourceWords(doc: NowDocument): string {
  const venues = recordedTitles(doc);
  return `${venues.length ? venues.join(", ") : "no venue"} (${kindWords(doc)}${doc.label && doc.mode !== "live" ? `: ${doc.label}` : ""})`;
}

/** "3.9 % of 24 h recorded, on 1 of 6 venues; not recorded: Bybit, OKX". */
export function coverageWords(doc: NowDocument): string {
  const share = currentTotals(doc)?.coverage;
  const missing = missingTitles(doc);
  const part = share === null || share === undefined ? "unknown" : `${percent(share)} of ${windowWords(doc.window)} recorded`;
  const unheard = unheardNow(doc);
  return `${part}, ${doc.venues.length - missing.length} of ${doc.venues.length} venues${missing.length ? `; not recorded: ${missing.join(", ")}` : ""}${unheard.length ? `; now without ${unheard.join(", ")}` : ""}`;
}

/** When the numbers on screen hold, and what was known. */
export function momentWords(): string {
  const { moment, utc } = store.get();
  if (!moment) return "";
  const at = `${dateTime(moment.atMs, utc)} ${zone(utc)}`;
  if (moment.asOf === moment.at || !moment.asOf) return at;
  const known = Date.parse(moment.asOf);
  return `${at}, as known ${Number.isNaN(known) ? moment.asOf : `${dateTime(known, utc)} ${zone(utc)}`}`;
}

/** The API call that gives a panel's numbers again, with their moment in it. */
export function callFor(path: string, params: Params): string {
  const { moment, view } = store.get();
  return apiUrl(path, { ...params, at: moment?.at ?? view.at ?? undefined, as_of: moment?.asOf ?? view.asOf ?? undefined });
}
