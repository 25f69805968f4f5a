import { type Page, viewSearch } from "../address";
import type { Params } from "../api";
import { type Funding, getLeverage, type OpenInterest, pays, rate } from "../leverage";
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

/** The strip of the first page. Another picture is another line here. */
const MULTIPLES: Multiple[] = [
  { id: "funding", title: "Funding", page: "leverage", ask: async (params) => ({ data: fundingTold((await getLeverage<Funding>("funding", params)).data) }) },
  { id: "open-interest", title: "Open interest", page: "leverage", ask: async (params) => ({ data: interestTold((await getLeverage<OpenInterest>("open-interest", params)).data, windowWords(String(params.window))) }) },
  { id: "sentiment", title: "Sentiment", page: "economy", of: () => "", ask: async (params) => ({ data: moodTold((await getSentiment(params)).data) }) },
  { id: "etf-flow", title: "Fund flow", page: "economy", of: fundsOf, ask: async (params) => ({ data: flowTold((await getFlows({ ...params, base: fundsOf(String(params.base)), days: 60 })).data) }) },
];
const EVERY_MS = 15_000;

function Cell({ multiple, base }: { multiple: Multiple; base: string }) {
  const view = useApp((s) => s.view);
  const { data, error } = useAnswer(multiple.ask, EVERY_MS);
  const known = data !== null && data.value !== null;
  return (
    <a class={`multiple ${known ? "" : "empty-cell"}`} href={viewSearch({ ...view, page: multiple.page })} data-testid={`multiple-${multiple.id}`} data-value={data?.value ?? ""}
      onClick={(event) => { event.preventDefault(); showPage(multiple.page); }}>
      <h3>{[multiple.title, multiple.of ? multiple.of(base) : base].filter(Boolean).join(", ")}</h3>
      <strong>{data ? data.text : "…"}</strong>
      {data && data.values.length ? <Spark values={data.values} label={`${multiple.title} through the window`} /> : null}
      <small>{error ?? data?.note ?? "asking"}</small>
    </a>
  );
}

export function Multiples() {
  const base = useApp((s) => s.view.base || s.doc?.base || "BTC");
  return (
    <nav class="multiples" aria-label="Beyond liquidations" data-testid="multiples">
      {MULTIPLES.map((multiple) => <Cell key={multiple.id} multiple={multiple} base={base} />)}
    </nav>
  );
}
