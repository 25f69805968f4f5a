import { useEffect, useState } from "preact/hooks";
import { getFlow, getLadder, getWaves, type Params } from "../api";
import { type PriceChart, priceChart } from "../charts/price";
import { clip, clockTime, count, dateTime, money, percent, price, unbroken, windowMs, zone } from "../format";
import { changeView } from "../session";
import { store, useApp } from "../state";
import { getLeverage, type Liquidity } from "../leverage";
import type { NowDocument, Span, Wave } from "../types";
import { WAVES_NAMED, aboutBooks, largestWaves, lasted, signed, waveBands } from "../waves";
import { callFor, coverageWords, sourceWords, venueTitle, windowWords } from "../words";
import { EstimateLine, estimateWords, saysMore } from "./Estimate";
import { Num } from "./Num";
import { LadderPanel } from "./LadderPanel";
import { FlowPanel } from "./FlowPanel";
import { Panel } from "./Panel";
import { blindSpans, bucketStretches, latestStretch, orderNote } from "./PricePanel";
import { useAnswer } from "./useAnswer";
import { useChart } from "./useChart";
import { WaveAnatomy } from "./WaveAnatomy";
import { SideBar } from "./Windows";

const EVERY_MS = 5000;
const askBooks = (params: Params) => getLeverage<Liquidity>("liquidity", params);

function headline(waves: Wave[], words: string, atMs: number): string {
  const last = waves.at(-1);
  if (!last) return `No wave in the last ${words}: forced orders came too few or too evenly.`;
  const most = waves.reduce((a, b) => (b.total_usd > a.total_usd ? b : a));
  const count = waves.length === 1 ? "One wave" : `${waves.length} waves`;
  const when = last.is_open ? "the last is in progress" : `the last ended ${ago(atMs - last.end_ms)} ago`;
  return `${count} in the last ${words}, ${when}; the largest took ${money(most.total_usd)} USD in ${lasted(most.seconds)}${most.price ? ` while ${most.price.base} moved ${signed(most.price.change)}` : ""}.`;
}

const ago = (ms: number) => (ms < 7_200_000 ? `${Math.max(Math.round(ms / 60_000), 0)} min` : `${Math.round(ms / 3_600_000)} h`);

function Timeline({ doc, waves, chosen, scale, setScale }: { doc: NowDocument; waves: Wave[]; chosen: Wave | undefined; scale: string; setScale: (scale: string) => void }) {
  const utc = useApp((s) => s.utc);
  const atMs = useApp((s) => s.moment?.atMs ?? 0);
  const from = atMs - (windowMs(doc.window) ?? 86_400_000);
  const stretches = doc.recording?.stretches ?? bucketStretches(doc.heatmap);
  const partly = clip(stretches, from, atMs).length > 0;
  const range: Span = partly ? latestStretch(stretches, from, atMs) : [from, atMs];
  if (waves[0] && waves[0].start_ms < range[0]) range[0] = waves[0].start_ms - 60_000;
  const { element, chart } = useChart<PriceChart>(
    (el) => priceChart(el, (order) => { const now = store.get().doc; return now ? orderNote(now, order) : []; }),
    (c) => c.update(doc.prices, range, blindSpans(stretches, from, atMs), waveBands(waves, chosen?.number ?? null), utc),
    [doc, waves, chosen?.number, utc, atMs],
  );
  return (
    <Panel id="wave-timeline" class="price" title={`Waves over the price of ${doc.prices.base || doc.base}`} unit={`USD, last ${windowWords(doc.window)}`}
      call={() => callFor("waves", { window: doc.window, scale, base: doc.base })} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["wave", "start", "end", "orders", "long_usd", "short_usd", "estimate_usd", "low_usd", "high_usd", "ended"], rows: waves.map((w) => [w.number, new Date(w.start_ms).toISOString(), new Date(w.end_ms).toISOString(), w.orders, w.long_usd, w.short_usd, w.estimate.estimate_usd, w.estimate.low_usd, w.estimate.high_usd, w.ended]) })}
      tools={
        <>
          <label>
            <span class="sr">Asset</span>
            <select value={doc.base} onChange={(e) => changeView({ base: e.currentTarget.value })}>
              {(doc.bases.includes(doc.base) ? doc.bases : [doc.base, ...doc.bases]).map((b) => <option key={b} value={b}>{b}</option>)}
            </select>
          </label>
          {["minutes", "hours"].map((s) => (
            <button key={s} type="button" class="tool" aria-pressed={s === scale} onClick={() => setScale(s)} data-testid={`scale-${s}`}>{s}</button>
          ))}
        </>
      }
      note={<p class="legend-line"><span><i class="key band" aria-hidden="true" /> a wave: a run of contract-seconds at three times the mean rate or more, joined while the excitation lasts</span>{waves.length > WAVES_NAMED ? <span>numbered: the {WAVES_NAMED} largest; the others are faint</span> : null}</p>}
    >
      <div ref={element} class="chart-price" role="img" aria-label={`Price with ${waves.length} waves; the table below holds them`} />
      {doc.prices.points.length === 0 ? <p class="empty">No price of {doc.base || "this asset"} was recorded in the last {windowWords(doc.window)}.</p> : null}
    </Panel>
  );
}

function WaveTable({ doc, waves, chosen, choose }: { doc: NowDocument; waves: Wave[]; chosen: Wave | undefined; choose: (number: number) => void }) {
  const utc = useApp((s) => s.utc);
  const most = waves.reduce((m, w) => Math.max(m, w.total_usd), 0);
  const large = largestWaves(waves);
  const many = waves.length > WAVES_NAMED;
  const [all, showAll] = useState(false);
  const shown = many && !all ? waves.filter((w) => large.has(w.number) || w === chosen) : waves;
  const left = waves.filter((w) => !shown.includes(w));
  return (
    <section class="panel">
    {many ? (
      <p class="legend-line wave-filter">
        <button type="button" class="tool" aria-pressed={!all} onClick={() => showAll(false)} data-testid="waves-largest">largest {WAVES_NAMED}</button>
        <button type="button" class="tool" aria-pressed={all} onClick={() => showAll(true)} data-testid="waves-all">all {waves.length}</button>
        <span>{all ? `by time; the ${WAVES_NAMED} largest in bold` : `by time; the ${left.length} smaller ones took ${money(left.reduce((sum, w) => sum + w.total_usd, 0))} USD together`}</span>
      </p>
    ) : null}
    <div class="scroll-x" tabIndex={0} role="region" aria-label="Waves, scrolls sideways">
      <table class="waves" data-testid="wave-table">
        <thead>
          <tr>
            <th scope="col">Wave</th><th scope="col">Began ({zone(utc)})</th><th scope="col" class="right">Lasted</th><th scope="col" class="right">Orders</th><th scope="col" class="right">Seen, USD</th><th scope="col" class="right">Estimated</th>
            <th scope="col">Long, short</th><th scope="col">First</th><th scope="col" class="right">Price</th><th scope="col">Ended</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((w) => (
            <tr key={w.number} class={`${w === chosen ? "chosen" : ""} ${many && all && !large.has(w.number) ? "small" : ""}`} data-testid={`wave-${w.number}`} data-start={w.start_ms} data-total={w.total_usd}>
              <th scope="row"><button type="button" class="tool" aria-pressed={w === chosen} onClick={() => choose(w.number)} aria-label={`Anatomy of wave ${w.number}`}>{w.number}</button></th>
              <td>{waves.length && doc.window.endsWith("d") ? dateTime(w.start_ms, utc) : clockTime(w.start_ms, utc)}</td>
              <td class="right">{w.is_open ? "≥ " : ""}{lasted(w.seconds)}</td>
              <td class="right">{count(w.orders)}</td>
              <td class="right strong"><Num value={w.total_usd} text={money(w.total_usd)} unit="USD" what={`seen in wave ${w.number}, ${count(w.orders)} orders`} source={sourceWords(doc)} coverage={coverageWords(doc)} /></td>
              <td class="right" title={estimateWords(w.estimate)}>{saysMore(w.estimate) ? <EstimateLine estimate={w.estimate} words={`in wave ${w.number}`} /> : <span class="none">as seen</span>}</td>
              <td class="share"><SideBar long={w.long_usd} short={w.short_usd} of={most} /></td>
              <td>{w.venues[0] ? venueTitle(doc, w.venues[0].name) : "—"}</td>
              <td class="right">{w.price ? <span title={`${price(w.price.before)} to ${price(w.price.after)}, ${w.price.kind}`}>{signed(w.price.change)}</span> : <span class="none">—</span>}</td>
              <td class={`ended-words ${w.is_open ? "attention-text" : ""}`}>{w.ended}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    </section>
  );
}

/** The waves page: the event cut into waves, each to be opened; who went first; and how much of the move was forced. */
export function Waves() {
  const [scale, setScale] = useState("minutes");
  const [number, choose] = useState<number | null>(null);
  const found = useAnswer(getWaves, EVERY_MS, { scale });
  const ladder = useAnswer(getLadder, 3 * EVERY_MS, { base: undefined }, found.data !== null);
  const flow = useAnswer(getFlow, 3 * EVERY_MS, {}, found.data !== null);
  const error = found.error ?? ladder.error ?? flow.error;
  const doc = useApp((s) => s.doc);
  const atMs = useApp((s) => s.moment?.atMs ?? 0);
  const chosen = found.data?.find((w) => w.number === number) ?? found.data?.reduce<Wave | undefined>((a, b) => (!a || b.total_usd > a.total_usd ? b : a), undefined);
  const books = useAnswer(askBooks, 12 * EVERY_MS, aboutBooks(chosen, atMs), chosen !== undefined && atMs > 0);
  const words = found.data && doc ? headline(found.data, windowWords(doc.window), atMs) : "";
  useEffect(() => {
    if (words) document.title = `${words} · deleverage`;
  }, [words]);
  if (!found.data || !doc) return <main class="waiting">{error ?? "Waiting for the first answer of the server…"}</main>;
  const waves = found.data;
  return (
    <main class={`waves-page ${error ? "stale" : ""}`} data-testid="waves">
      <h1 data-testid="waves-headline">{unbroken(words)}</h1>
      {error ? <p class="notice attention" role="status">{error}. What follows is from before.</p> : null}
      <Timeline doc={doc} waves={waves} chosen={chosen} scale={scale} setScale={setScale} />
      {waves.length ? <WaveTable doc={doc} waves={waves} chosen={chosen} choose={choose} /> : null}
      {chosen ? <WaveAnatomy doc={doc} wave={chosen} taken={books.data?.waves.find((w) => w.start_ms === chosen.start_ms)?.contracts ?? null} isAsking={books.isAsking} /> : null}
      <div class="row halves">
        {ladder.data ? <LadderPanel doc={doc} rungs={ladder.data} /> : <p class="panel pending" role="status">Who was liquidated first is being worked out…</p>}
        {flow.data ? <FlowPanel doc={doc} flow={flow.data} /> : <p class="panel pending" role="status">Trades are being set against forced orders…</p>}
      </div>
      <p class="legend-line">
        <span>{percent(doc.windows.find((w) => w.window === doc.window)?.coverage ?? null)} of the window was recorded. Waves of the time that was not are not known.</span>
      </p>
    </main>
  );
}
