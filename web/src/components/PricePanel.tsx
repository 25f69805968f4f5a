import { useState } from "preact/hooks";
import { bubbleLargest } from "../charts/layers";
import { type PriceChart, priceChart } from "../charts/price";
import { clip, dateTime, exact, money, price, windowMs, zone } from "../format";
import { viewSearch } from "../address";
import { changeView, showPage } from "../session";
import { store, useApp } from "../state";
import type { Heatmap, NowDocument, Order, Span } from "../types";
import { waveBands, WAVES_NAMED } from "../waves";
import { callFor, venueTitle, windowWords } from "../words";
import { Panel } from "./Panel";
import { useChart } from "./useChart";

/** Stretches in which any venue was recorded, as the heatmap's buckets show them. */
export function bucketStretches({ start_ms: start, bucket_ms: width, buckets, rows }: Heatmap): Span[] {
  const spans: Span[] = [];
  for (let i = 0; i < buckets; i++) {
    if (rows.every((row) => row.values[i] === null)) continue;
    const last = spans.at(-1);
    const from = start + i * width;
    if (last?.[1] === from) last[1] = from + width;
    else spans.push([from, from + width]);
  }
  return spans;
}

/** What is between the recorded stretches of a range. */
export function blindSpans(stretches: Span[], from: number, to: number): Span[] {
  const blind: Span[] = [];
  let cursor = from;
  for (const [a, b] of clip(stretches, from, to)) {
    if (a > cursor) blind.push([cursor, a]);
    cursor = b;
  }
  if (cursor < to) blind.push([cursor, to]);
  return blind;
}

const STRETCH_PADDING = 0.03;
const SHORTEST_VIEW_MS = 600_000;

/** The latest recorded stretch within the window, with a little room. */
export function latestStretch(stretches: Span[], from: number, to: number): Span {
  const last = clip(stretches, from, to).at(-1);
  if (!last) return [from, to];
  const room = Math.max((last[1] - last[0]) * STRETCH_PADDING, 15_000);
  const end = Math.min(to, last[1] + room);
  return [Math.max(from, Math.min(last[0] - room, end - SHORTEST_VIEW_MS)), end];
}

export function orderNote(doc: NowDocument, order: Order): string[] {
  const { utc } = store.get();
  return [
    `${order.notional_usd === null ? "no USD value" : `${exact(order.notional_usd)} USD`}, ${order.position_side} liquidated`,
    `${order.symbol} on ${venueTitle(doc, order.venue)}`,
    `${order.quantity === null ? "quantity not published," : exact(order.quantity)} at ${price(order.price)} (${order.price_kind.replaceAll("_", " ")})`,
    `${dateTime(order.ts_ms, utc)} ${zone(utc)}`,
    order.method ? `method: ${order.method}` : "",
  ];
}

export function PricePanel({ doc }: { doc: NowDocument }) {
  const utc = useApp((s) => s.utc);
  const atMs = useApp((s) => s.moment?.atMs ?? 0);
  const [whole, setWhole] = useState(false);
  const { prices } = doc;
  const from = atMs - (windowMs(doc.window) ?? 86_400_000);
  const stretches = doc.recording?.stretches ?? bucketStretches(doc.heatmap);
  const partly = clip(stretches, from, atMs).length > 0;
  const range: Span = whole || !partly ? [from, atMs] : latestStretch(stretches, from, atMs);
  const { element, chart } = useChart<PriceChart>(
    (el) =>
      priceChart(el, (order) => {
        const now = store.get().doc;
        return now ? orderNote(now, order) : [];
      }),
    (c) => c.update(prices, range, blindSpans(stretches, from, atMs), waveBands(doc.waves, null), utc),
    [doc, whole, utc, atMs],
  );
  const largest = bubbleLargest(prices.markers);
  const kind = prices.price_kind?.replaceAll("_", " ");
  const where = prices.symbol ? `${prices.symbol}${prices.venue ? ` on ${venueTitle(doc, prices.venue)}` : ""}` : prices.base;
  const bases = doc.bases.includes(doc.base) ? doc.bases : [doc.base, ...doc.bases];
  return (
    <Panel
      id="price"
      class="price"
      title={`Price and forced orders, ${prices.base || doc.base}`}
      unit={`USD, last ${windowWords(doc.window)}`}
      call={() => callFor("prices", { base: doc.base, window: doc.window })}
      png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["time", "price_usd", "price_kind", "symbol", "venue"], rows: prices.points.map(([ms, value]) => [new Date(ms).toISOString(), value, prices.price_kind, prices.symbol, prices.venue]) })}
      tools={
        <>
          <label>
            <span class="sr">Asset</span>
            <select value={doc.base} onChange={(e) => changeView({ base: e.currentTarget.value })} data-testid="base">
              {bases.map((b) => (
                <option key={b} value={b}>
                  {b}
                </option>
              ))}
            </select>
          </label>
          {partly ? (
            <button type="button" class="tool" aria-pressed={whole} onClick={() => setWhole(!whole)} data-testid="whole-window">
              {whole ? "latest stretch" : "whole window"}
            </button>
          ) : null}
          <button type="button" class="tool" onClick={() => chart.current?.reset()} aria-label="Undo zooming">
            fit
          </button>
        </>
      }
      note={
        <p class="legend-line">
          <span>
            <i class="key line" aria-hidden="true" /> {where}, <b data-testid="price-kind">{kind ?? "no price"}</b>; not joined across gaps
          </span>
          <span>
            <i class="key dot long" aria-hidden="true" /> long liquidated
          </span>
          <span>
            <i class="key dot short" aria-hidden="true" /> short liquidated
          </span>
          {doc.waves.length ? (
            <span>
              <i class="key band" aria-hidden="true" /> waves{doc.waves.length > WAVES_NAMED ? `, the ${WAVES_NAMED} largest of ${doc.waves.length} numbered` : ", numbered"}; see <a href={viewSearch({ ...store.get().view, page: "waves" })} onClick={(event) => { event.preventDefault(); showPage("waves"); }}>Waves</a>
            </span>
          ) : null}
          {largest > 0 ? <span>area ∝ notional, largest {money(largest)} USD</span> : null}
        </p>
      }
      table={
        <table>
          <caption>Forced orders drawn as bubbles</caption>
          <thead>
            <tr>
              <th>Time ({zone(utc)})</th>
              <th>Side</th>
              <th class="right">USD</th>
              <th class="right">Price</th>
            </tr>
          </thead>
          <tbody>
            {prices.markers.slice(0, 100).map((o, i) => (
              <tr key={`${o.ts_ns}${i}`}>
                <td>{dateTime(o.ts_ms, utc)}</td>
                <td>{o.position_side}</td>
                <td class="right">{o.notional_usd === null ? "—" : exact(o.notional_usd)}</td>
                <td class="right">{exact(o.price)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      }
    >
      <div ref={element} class="chart-price" role="img" aria-label={`Price of ${prices.base} with ${prices.markers.length} forced orders; the table below holds them`} />
      {prices.points.length === 0 ? <p class="empty">No price of {doc.base || "this asset"} was recorded in the last {windowWords(doc.window)}.</p> : null}
    </Panel>
  );
}
