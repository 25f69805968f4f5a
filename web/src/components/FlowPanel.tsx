import { percent } from "../format";
import { coins } from "../leverage";
import type { Flow, NowDocument, VenueFlow } from "../types";
import { callFor, venueTitle, windowWords } from "../words";
import { Panel } from "./Panel";

/** The sides of all trades, as shares: forced closing, other closing, opening. */
function Parts({ flow: f }: { flow: VenueFlow }) {
  if (f.problems.length || f.forced === null || !f.voluntary_closing || !f.opening || f.traded <= 0) return null;
  const share = (coins: number) => `${Math.max((coins / (2 * f.traded)) * 100, 0)}%`;
  return (
    <span class="parts" aria-hidden="true">
      <i class="forced" style={{ width: share(f.forced) }} />
      <i class="closing" style={{ width: share(f.voluntary_closing[1]) }} />
      <i class="opening" style={{ width: share(f.opening[1]) }} />
    </span>
  );
}

/** How much of a move was forced, by venue; an honest line where that cannot be told or is little. */
export function FlowPanel({ doc, flow }: { doc: NowDocument; flow: Flow }) {
  return (
    <Panel id="flow" title={`What traded in ${flow.base}`} unit={`${flow.base}, last ${windowWords(doc.window)}; each trade has two sides`} call={() => callFor("flow", { window: doc.window, base: flow.base })}
      csv={() => ({ header: ["venue", "traded", "taker_buy", "taker_sell", "oi_change", "forced", "line"], rows: flow.venues.map((f) => [f.venue, f.traded, f.taker_buy, f.taker_sell, f.oi_change, f.forced, f.line]) })}
      note={<p class="legend-line"><span><i class="key forced" aria-hidden="true" /> forced</span><span><i class="key closing" aria-hidden="true" /> closed by choice</span><span><i class="key opening" aria-hidden="true" /> newly opened</span></p>}
    >
      {flow.venues.length === 0 ? <p class="empty">No trades of {flow.base} were recorded in the last {windowWords(doc.window)}: what was forced cannot be set against what traded.</p> : null}
      {flow.venues.map((f) => (
        <div key={f.venue} class="flow-row" data-testid={`flow-${f.venue}`}>
          <h3 title={`${f.traded} ${flow.base} traded, ${f.taker_sell} of it sold by takers`}>{venueTitle(doc, f.venue)} <span class="unit">{coins(f.traded)} traded{f.oi_change === null ? ", open interest not known" : `, open interest ${f.oi_change < 0 ? "−" : "+"}${coins(Math.abs(f.oi_change))}`}{f.traded > 0 ? `, ${percent(f.taker_sell / f.traded)} sold by takers` : ""}</span></h3>
          <Parts flow={f} />
          <p>{f.line}</p>
        </div>
      ))}
      {flow.without_trades.length ? <p class="faint">Liquidations, but no trades, were recorded on {flow.without_trades.map((v) => venueTitle(doc, v)).join(", ")}.</p> : null}
    </Panel>
  );
}
