import { bookMap, type BookMapChart, bookScale } from "../../charts/bookmap";
import { onScale, ramp, ticks } from "../../charts/ramp";
import { clockTime, money, moneyTick, price, zone } from "../../format";
import { type BookVenue, type Liquidity, margin, rate } from "../../leverage";
import { useApp } from "../../state";
import { callFor, venueTitle, type Outline } from "../../words";
import { Panel } from "../Panel";
import { useChart } from "../useChart";

type Depth = BookVenue["depth"][number];

/** Dollars resting on a side within a distance: what is known, or at least what is visible. */
function Side({ d, side, most }: { d: Depth; side: "bid" | "ask"; most: number }) {
  const known = d[`${side}_usd`];
  const least = d[`${side}_at_least_usd`];
  const value = known ?? least;
  if (value === null) return <td class={`right depth ${side}`}><span class="none">—</span></td>;
  return (
    <td class={`right depth ${side}`} data-value={known ?? ""}>
      <i class={`bar ${known === null ? "floor" : ""}`} style={{ width: `${most > 0 ? (value / most) * 100 : 0}%` }} aria-hidden="true" />
      <span>{known === null ? <span class="floor" title="the visible book ends before this distance">≥ </span> : null}{money(value)}</span>
    </td>
  );
}

export function DepthPanel({ doc, books }: { doc: Outline; books: Liquidity }) {
  const shown = books.distances_percent;
  const most = shown.map((_, k) => Math.max(0, ...books.venues.flatMap((v) => [v.depth[k]?.bid_usd ?? v.depth[k]?.bid_at_least_usd ?? 0, v.depth[k]?.ask_usd ?? v.depth[k]?.ask_at_least_usd ?? 0])));
  const sizes = books.sizes_usd;
  return (
    <Panel id="depth" title={`What rests in ${books.base} books`} unit="USD within a distance of the mid price; bids left, asks right"
      origin={{ source: "order books of perpetuals and futures, rebuilt from changes", coverage: `${books.venues.filter((v) => v.mid !== null).length} of ${books.venues.length} books known at the end` }}
      call={() => callFor("liquidity", { window: "1h", base: books.base })}
      csv={() => ({ header: ["venue", "symbol", "distance_percent", "bid_usd", "ask_usd", "bid_at_least_usd", "ask_at_least_usd"], rows: books.venues.flatMap((v) => v.depth.map((d) => [v.venue, v.symbol, d.distance_percent, d.bid_usd, d.ask_usd, d.bid_at_least_usd, d.ask_at_least_usd])) })}
      note={<p class="legend-line"><span>≥, hatched: the visible book ends before this distance, so at least this much.</span><span>Withdrawn: against the median of the hour before.</span></p>}
    >
      {books.venues.length === 0 ? <p class="empty">No book of {books.base} was received in this window.</p> : (
        <>
          <div class="scroll-x" tabIndex={0} role="region" aria-label="Depth by venue and side, scrolls sideways">
            <table class="lev depths">
              <thead>
                <tr><th scope="col">Book</th><th scope="col" class="right">Spread</th>{shown.map((d) => <th key={d} scope="colgroup" colSpan={2} class="middle">{d} %</th>)}<th scope="col" class="right">Withdrawn</th></tr>
              </thead>
              <tbody>
                {books.venues.map((v) => {
                  const away = v.withdrawal.filter((w) => w.distance_percent === 0.5 || w.distance_percent === 1).sort((a, b) => a.change - b.change)[0];
                  return (
                    <tr key={v.venue + v.symbol} data-testid={`depth-${v.venue}`} class={v.mid === null ? "old" : ""}>
                      <th scope="row" title={v.status}><i class={`venue-mark v-${v.venue}`} aria-hidden="true" />{venueTitle(doc, v.venue)} {margin(v.symbol)}</th>
                      <td class="right">{v.spread_bps === null ? <span class="none">{v.status}</span> : `${v.spread_bps.toFixed(2)} bp`}</td>
                      {v.depth.map((d, k) => [<Side key={`b${k}`} d={d} side="bid" most={most[k]!} />, <Side key={`a${k}`} d={d} side="ask" most={most[k]!} />])}
                      <td class="right">{away ? <span class={away.change < -0.5 ? "attention-text" : ""} title={`${away.side}s within ${away.distance_percent} %: ${money(away.now_usd)} now, ${money(away.median_usd)} before`}>{rate(away.change, 0)} {away.side}s</span> : <span class="none">—</span>}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
          <div class="scroll-x" tabIndex={0} role="region" aria-label="Cost of a trade, scrolls sideways">
            <table class="lev">
              <thead><tr><th scope="col">Cost of a trade, bp from mid</th>{sizes.map((s) => <th key={s} scope="colgroup" colSpan={2} class="middle">{moneyTick(s)} USD</th>)}</tr><tr><th scope="col"><span class="sr">Book</span></th>{sizes.map((s) => [<th key={`b${s}`} scope="col" class="right">buy</th>, <th key={`s${s}`} scope="col" class="right">sell</th>])}</tr></thead>
              <tbody>
                {books.venues.map((v) => (
                  <tr key={v.venue + v.symbol}>
                    <th scope="row"><i class={`venue-mark v-${v.venue}`} aria-hidden="true" />{venueTitle(doc, v.venue)} {margin(v.symbol)}</th>
                    {v.cost.map((c) => [<td key={`b${c.size_usd}`} class="right">{c.buy_bps === null ? <span class="none" title="more than the visible book holds">too deep</span> : c.buy_bps.toFixed(2)}</td>, <td key={`s${c.size_usd}`} class="right">{c.sell_bps === null ? <span class="none" title="more than the visible book holds">too deep</span> : c.sell_bps.toFixed(2)}</td>])}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </Panel>
  );
}

const STOPS = Array.from({ length: 10 }, (_, i) => ramp(i / 9));

export function BookMapPanel({ doc, books }: { doc: Outline; books: Liquidity }) {
  const utc = useApp((s) => s.utc);
  const map = books.heatmap;
  const { element, chart } = useChart<BookMapChart>(bookMap, (c) => { if (map) c.update(map, utc); }, [books, utc]);
  const scale = bookScale(map);
  const labels = ticks(scale);
  const name = map ? `${venueTitle(doc, map.venue)} ${margin(map.symbol)}` : "";
  return (
    <Panel id="book-map" title={map ? `The ${books.base} book of ${name} through time` : `The ${books.base} book through time`} unit={`USD resting by price, log colour; the hour to ${clockTime(books.at_ms, utc)} ${zone(utc)}; line: mid price`}
      origin={{ source: map ? `order book of ${name}` : "no order book", coverage: map ? `${map.ts_ms.length} instants, ${map.mid.filter((m) => m === null).length} of them not known` : "none" }}
      call={() => callFor("liquidity", { window: "1h", base: books.base })} png={map ? () => chart.current?.picture() ?? null : undefined}
      legend={{ title: "USD per cell, logarithmic; clear: not visible", stops: STOPS, labels: labels.map(moneyTick) }}
      csv={() => ({ header: ["ts", "price_low", "price_high", "usd"], rows: map ? map.usd.flatMap((row, t) => row.map((usd, p) => [new Date(map.ts_ms[t]!).toISOString(), map.price_edges[p] ?? null, map.price_edges[p + 1] ?? null, usd])) : [] })}
      note={map === null ? null : (
        <>
          <div class="legend-line heat" aria-hidden="true">
            <span><i class="key zero" /> 0</span>
            <span class="ramp"><i style={{ background: `linear-gradient(90deg, ${STOPS.join(",")})` }} />{labels.map((usd) => <small key={usd} style={{ left: `${onScale(scale, usd) * 100}%` }}>{moneyTick(usd)}</small>)}</span>
            <span>USD per cell, log scale; clear: not visible</span>
          </div>
          <p class="legend-line" data-testid="walls">
            {books.walls.length === 0 ? <span>No wall: no level held many times what its neighbours did.</span> : books.walls.slice(0, 6).map((w) => <span key={`${w.side}${w.price}${w.first_ms}`}>{w.kind} wall: <b>{money(w.usd)} USD</b> {w.side} at {price(w.price)}</span>)}
          </p>
        </>
      )}
    >
      {map ? null : <p class="empty">{books.venues.length ? "No book was known long enough to be drawn." : `No book of ${books.base} was received in this window.`}</p>}
      <div ref={element} class={map ? "chart-book" : "unseen"} role="img" aria-label={map ? `Resting orders of ${name} by price and time` : "nothing to draw"} />
    </Panel>
  );
}
