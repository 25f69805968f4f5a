import { lines, type Line, type Lines } from "../../charts/lines";
import { dayMonth, price } from "../../format";
import { type Basis, margin, rate } from "../../leverage";
import { useApp } from "../../state";
import { callFor, venueTitle, windowWords, type Outline } from "../../words";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { hue } from "./hues";

const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Perpetuals: mark over index, through time; what funding is made from. */
export function PremiumPanel({ doc, basis }: { doc: Outline; basis: Basis }) {
  const utc = useApp((s) => s.utc);
  const contracts = basis.premium_series.contracts;
  const { element, chart } = useChart<Lines>(lines, (c) => {
    const shown: Line[] = contracts.map((one) => ({ name: `${venueTitle(doc, one.venue)} ${margin(one.symbol)}`, colour: hue(one.venue), points: one.ts_ms.map((ms, k): [number, number] => [ms, one.premium[k]!]) }));
    c.update(shown, { write: (v) => rate(v, 3), utc, range: [basis.start_ms, basis.at_ms], zero: true });
  }, [basis, utc]);
  return (
    <Panel id="premium" title={`What ${basis.base} perpetuals cost over the spot`} unit={`(mark − index) / index, last ${windowWords(doc.window)}`}
      origin={{ source: "marks and indices of the venues themselves", coverage: `${basis.premiums.filter((p) => p.premium !== null).length} of ${basis.premiums.length} perpetuals have both${basis.premium_reason ? `; ${basis.premium_reason}` : ""}` }}
      call={() => callFor("basis", { window: doc.window, base: basis.base })} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["venue", "symbol", "start", "premium"], rows: contracts.flatMap((one) => one.ts_ms.map((ms, k) => [one.venue, one.symbol, new Date(ms).toISOString(), one.premium[k] ?? null])) })}
      note={
        <p class="legend-line">
          {basis.premiums.map((p) => <span key={p.venue + p.symbol} data-testid={`premium-${p.venue}`} data-value={p.premium ?? ""}><i class={`venue-mark v-${p.venue}`} aria-hidden="true" />{venueTitle(doc, p.venue)} {margin(p.symbol)} <b>{p.premium === null ? "no index" : rate(p.premium, 4)}</b></span>)}
        </p>
      }
    >
      {contracts.length ? null : <p class="empty">{upper(basis.premium_reason || `no mark and index of ${basis.base} were received together in this window`)}.</p>}
      <div ref={element} class="chart-lines" role="img" aria-label={`Premium of ${contracts.length} perpetuals through time`} />
    </Panel>
  );
}

/** Dated futures: the yearly basis by days to expiry. */
export function TermPanel({ doc, basis }: { doc: Outline; basis: Basis }) {
  const utc = useApp((s) => s.utc);
  const venues = [...new Set(basis.term.map((t) => t.venue))];
  const { element, chart } = useChart<Lines>(lines, (c) => {
    const shown: Line[] = venues.map((venue) => ({ name: venueTitle(doc, venue), colour: hue(venue), dots: true, points: basis.term.filter((t) => t.venue === venue).map((t): [number, number | null] => [t.days, t.simple_apr]) }));
    c.update(shown, { write: (v) => rate(v, 1), utc, unit: "d", zero: true });
  }, [basis, utc]);
  return (
    <Panel id="term" title={`What dated ${basis.base} futures cost over the spot`} unit="(F/S − 1) · 365 / days, simple, by days to expiry"
      origin={{ source: venues.length ? `marks and indices of ${venues.map((v) => venueTitle(doc, v)).join(", ")}` : "no dated future", coverage: `${basis.term.length} futures` }}
      call={() => callFor("basis", { window: doc.window, base: basis.base })} png={basis.term.length ? () => chart.current?.picture() ?? null : undefined}
      csv={() => ({ header: ["venue", "symbol", "expiry", "days", "mark_price", "index_price", "basis", "simple_apr", "log_apr"], rows: basis.term.map((t) => [t.venue, t.symbol, new Date(t.expiry_ms).toISOString(), t.days, t.mark_price, t.index_price, t.basis, t.simple_apr, t.log_apr]) })}
      note={<p class="legend-line"><span>{basis.says}</span></p>}
      table={basis.term.length ? (
        <table>
          <thead><tr><th scope="col">Venue</th><th scope="col">Expiry</th><th scope="col" class="right">Days</th><th scope="col" class="right">Future</th><th scope="col" class="right">Index</th><th scope="col" class="right">Basis</th><th scope="col" class="right">A year</th></tr></thead>
          <tbody>{basis.term.map((t) => <tr key={t.venue + t.symbol}><td>{venueTitle(doc, t.venue)}</td><td>{dayMonth(t.expiry_ms, utc)}</td><td class="right">{t.days.toFixed(1)}</td><td class="right">{price(t.mark_price)}</td><td class="right">{price(t.index_price)}</td><td class="right">{rate(t.basis, 3)}</td><td class="right">{rate(t.simple_apr, 2)}</td></tr>)}</tbody>
        </table>
      ) : undefined}
    >
      {basis.term.length ? null : <p class="empty" data-testid="term-empty">{upper(basis.term_reason)}.</p>}
      <div ref={element} class={basis.term.length ? "chart-lines" : "unseen"} role="img" aria-label={`Yearly basis of ${basis.term.length} futures by days to expiry; the table below holds them`} />
    </Panel>
  );
}
