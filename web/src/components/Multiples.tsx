import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Page, viewSearch } from "../address";
import type { Params } from "../api";
import { type Funding, getLeverage, type OpenInterest, pays, rate } from "../leverage";
import { getOptions, points, signedPoints, skewWords, type Term, type VolatilityIndex } from "../options";
import { flow, type Flows, getFlows, getSentiment, type Sentiment, shortDay } from "../outside";
import { showPage } from "../session";
import { store, useApp } from "../state";
import { venueTitle, windowWords } from "../words";
import { Spark } from "./leverage/InterestPanels";
import { useAnswer } from "./useAnswer";

/** What one small picture tells: its newest number, what that means, and its course through the window. */
interface Told {
  text: string;
  value: number | null;
  note: string;
  values: (number | null)[];
}

interface Multiple {
  id: string;
  title: string;
  /** What it is of, where that is not the coin on screen: "" of no coin. */
  of?: (base: string) => string;
  page: Page;
  /** How often it may be asked, where that is costly. */
  everyMs?: number;
  ask: (params: Params) => Promise<{ data: Told }>;
}

const titleOf = (venue: string) => {
  const { doc } = store.get();
  return doc ? venueTitle(doc, venue) : venue;
};

/** The predicted rate of all venues that is told most often stands for the course; the number is over all venues. */
function fundingTold(found: Funding): Told {
  const whole = found.aggregates[found.kind].open_interest;
  const longest = [...found.history.predicted].sort((a, b) => b.ts_ms.length - a.ts_ms.length)[0];
  const paid = [...found.history.settled].sort((a, b) => b.ts_end_ms.length - a.ts_end_ms.length)[0];
  const values = longest && longest.ts_ms.length > 2 ? longest.rate_8h : (paid?.rate_8h ?? []);
  const venue = longest && longest.ts_ms.length > 2 ? longest.venue : paid?.venue;
  if (whole.rate_8h === null) return { text: "—", value: null, note: found.reason || whole.reason || "not known", values };
  return { text: rate(whole.rate_8h), value: whole.rate_8h, note: `per 8 h, ${pays(whole.rate_8h)}${venue ? `; course: ${titleOf(venue)}` : ""}`, values };
}

function interestTold(found: OpenInterest, window: string): Told {
  const values = found.series.coins_fall;
  const value = values.filter((v) => v !== null).at(-1) ?? null;
  if (value === null) return { text: "—", value, note: found.reason || "a contract was not read", values };
  const peak = found.drawdown.coins;
  return { text: rate(value, 2), value, note: `in coins, from the high of ${window}; ${peak === null ? `peak of ${found.drawdown.months} months not told` : `${rate(peak, 1)} from the peak of ${found.drawdown.months} months`}`, values };
}

/** The published index with whose it is; the course is of its last 60 days. */
function moodTold(found: Sentiment): Told {
  const index = found.index;
  if (!index) return { text: "—", value: null, note: found.empty?.reason ?? "not known", values: [] };
  const before = index.month_before === null ? "" : `; a month before ${index.month_before.toFixed(0)}`;
  const whose = `${index.title} by ${index.source}`;
  return { text: index.value.toFixed(0), value: index.value, note: index.status === "stale" ? `stale: ${index.evidence}; ${whose}` : `${index.band}${before}; ${whose}`, values: found.history.value.slice(-60) };
}

/** Funds of bitcoin or ether, whichever is on screen; the course is added up over 60 trading days. */
const fundsOf = (base: string) => (base === "ETH" ? "ETH" : "BTC");

function flowTold(found: Flows): Told {
  const s = found.summary;
  if (!s) return { text: "—", value: null, note: found.empty?.reason ?? "not known", values: [] };
  const state = found.status === "stale" ? `stale: ${found.evidence}` : s.is_provisional ? "provisional" : "settled";
  return { text: `${flow(s.net_flow_usd)} USD`, value: s.net_flow_usd, note: `${shortDay(s.trading_day)}, ${state}; ${s.month_to_date_usd === null ? "month to date not known" : `${flow(s.month_to_date_usd)} in the month to date`}; course: added up`, values: (found.daily?.cumulative_usd ?? []).slice(-60) };
}

const reasonOf = (reason: string) => reason.replace(/;.*/, "") || "not known";

/** Ours, from the option quotes at hand, beside the published one; where no quotes are, the published one alone. */
function volatilityTold(found: VolatilityIndex): Told {
  const ours = found.ours?.points ?? null;
  const { published, history } = found;
  const values = ours !== null ? history.points : history.published;
  const age = found.is_stale ? "quotes are old; " : "";
  if (ours === null && !published) return { text: "—", value: null, note: reasonOf(found.ours?.reasons.at(-1) ?? found.reason), values };
  if (ours === null) return { text: published!.points.toFixed(1), value: published!.points, note: `points over 30 days, published by ${titleOf(published!.venue)}; ${reasonOf(found.ours?.reasons.at(-1) ?? found.reason)}`, values };
  return { text: ours.toFixed(1), value: ours, note: `${age}points over 30 days, modelled from ${titleOf(found.venue ?? "")} quotes; ${published ? `published ${published.points.toFixed(1)}` : "none published"}`, values };
}

/** The 25-delta risk reversal of 30 days: the call's volatility less the put's. */
function skewTold(found: Term): Told {
  const month = found.tenors.find((t) => t.tenor_days === 30);
  const value = month?.rr25 ?? null;
  const values = found.history.rr25;
  if (value === null) return { text: "—", value, note: reasonOf(found.reason), values };
  return { text: `${signedPoints(value)} pt`, value, note: `${found.is_stale ? "quotes are old; " : ""}25Δ, 30 days: ${skewWords(value)}; at the money ${points(month?.atm)} %`, values };
}

/** The strip of the first page. Another picture is another line here. */
const MULTIPLES: Multiple[] = [
  { id: "funding", title: "Funding", page: "leverage", ask: async (params) => ({ data: fundingTold((await getLeverage<Funding>("funding", params)).data) }) },
  { id: "open-interest", title: "Open interest", page: "leverage", ask: async (params) => ({ data: interestTold((await getLeverage<OpenInterest>("open-interest", params)).data, windowWords(String(params.window))) }) },
  { id: "volatility-index", title: "Volatility index", page: "options", everyMs: 30_000, ask: async (params) => ({ data: volatilityTold(await getOptions<VolatilityIndex>("volatility-index", params)) }) },
  { id: "skew", title: "Skew", page: "options", everyMs: 30_000, ask: async (params) => ({ data: skewTold(await getOptions<Term>("term", params)) }) },
  { id: "sentiment", title: "Sentiment", page: "economy", of: () => "", ask: async (params) => ({ data: moodTold((await getSentiment(params)).data) }) },
  { id: "etf-flow", title: "Fund flow", page: "economy", of: fundsOf, ask: async (params) => ({ data: flowTold((await getFlows({ ...params, base: fundsOf(String(params.base)), days: 60 })).data) }) },
];
const EVERY_MS = 15_000;

function Cell({ multiple, base, isSeen }: { multiple: Multiple; base: string; isSeen: boolean }) {
  const view = useApp((s) => s.view);
  const { data, error } = useAnswer(multiple.ask, multiple.everyMs ?? EVERY_MS, {}, isSeen);
  const known = data !== null && data.value !== null;
  return (
    <a class={`multiple ${known ? "" : "empty-cell"}`} href={viewSearch({ ...view, page: multiple.page })} data-testid={`multiple-${multiple.id}`} data-value={data?.value ?? ""}
      onClick={(event) => { event.preventDefault(); showPage(multiple.page); }}>
      <h3>{[multiple.title, multiple.of ? multiple.of(base) : base].filter(Boolean).join(", ")}</h3>
      <strong>{data ? data.text : "…"}</strong>
      {data && data.values.filter((v) => v !== null).length > 1 ? <Spark values={data.values} label={`${multiple.title} through the window`} /> : null}
      <small>{error ?? data?.note ?? "asking"}</small>
    </a>
  );
}

const NEAR = "300px";

/** Whether an element is on the screen or nearly so. */
function useSeen(): [RefObject<HTMLElement | null>, boolean] {
  const element = useRef<HTMLElement>(null);
  const [seen, see] = useState(false);
  useEffect(() => {
    if (!element.current) return;
    const watcher = new IntersectionObserver(([entry]) => see(entry?.isIntersecting ?? false), { rootMargin: NEAR });
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return [element, seen];
}

/** Small pictures of what goes with liquidations; asked for only while they can be seen. */
export function Multiples() {
  const base = useApp((s) => s.view.base || s.doc?.base || "BTC");
  const [element, isSeen] = useSeen();
  return (
    <nav ref={element} class="multiples" aria-label="Beyond liquidations" data-testid="multiples">
      {MULTIPLES.map((multiple) => <Cell key={multiple.id} multiple={multiple} base={base} isSeen={isSeen} />)}
    </nav>
  );
}
