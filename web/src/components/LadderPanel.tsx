import { clockTime, count, money, zone } from "../format";
import { useApp } from "../state";
import type { NowDocument, Rung } from "../types";
import { callFor, windowWords } from "../words";
import { Panel } from "./Panel";

/** Who led by price: "2.0 s behind BTC"; nothing where prices are not known. */
function byPrice(r: Rung): string {
  const lead = r.price_lead;
  if (!lead || lead.lag_seconds === null) return "—";
  if (lead.verdict !== "leads" && lead.verdict !== "lags") return lead.verdict;
  return `${Math.abs(lead.lag_seconds).toFixed(1)} s ${lead.lag_seconds > 0 ? "behind" : "ahead"}`;
}

/** In which order coins were liquidated, with how sure that is. */
export function LadderPanel({ doc, rungs }: { doc: NowDocument; rungs: Rung[] }) {
  const utc = useApp((s) => s.utc);
  const atMs = useApp((s) => s.moment?.atMs ?? 0);
  const zero = rungs[0]?.t10_ms != null && rungs[0].t10 !== null ? rungs[0].t10_ms - rungs[0].t10 * 1000 : atMs;
  const time = (t: number | null) => (t === null ? "—" : clockTime(zero + t * 1000, utc));
  const sure = rungs.filter((r) => r.verdict !== "not resolvable");
  const low = Math.min(...sure.map((r) => r.t50_low ?? r.t50 ?? 0));
  const high = Math.max(...sure.map((r) => r.t50_high ?? r.t50 ?? 1));
  const at = (t: number) => `${((t - low) / Math.max(high - low, 1)) * 100}%`;
  const cells = (r: Rung) => [r.base, r.usd, r.orders, r.t10, r.t50, r.t50_low, r.t50_high, r.verdict];
  return (
    <Panel id="ladder" title="Who was liquidated first" unit={`half of each coin's notional, last ${windowWords(doc.window)}, ${zone(utc)}`} call={() => callFor("ladder", { window: doc.window })}
      csv={() => ({ header: ["base", "usd", "orders", "t10_s", "t50_s", "t50_low_s", "t50_high_s", "verdict"], rows: rungs.map(cells) })}>
      {rungs.length === 0 ? <p class="empty">No coin was liquidated in the last {windowWords(doc.window)}.</p> : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Ladder, scrolls sideways">
          <table class="ladder">
            <thead><tr><th scope="col">Coin</th><th scope="col" class="right">USD</th><th scope="col" class="right">Orders</th><th scope="col" class="right">A tenth by</th><th scope="col" class="right">Half by</th><th scope="col">90 % interval</th><th scope="col">Against BTC</th><th scope="col">By price</th></tr></thead>
            <tbody>
              {rungs.map((r) => (
                <tr key={r.base} data-testid={`rung-${r.base}`} data-verdict={r.verdict}>
                  <th scope="row">{r.base}</th><td class="right">{money(r.usd)}</td><td class="right">{count(r.orders)}</td><td class="right">{time(r.t10)}</td><td class="right strong">{time(r.t50)}</td>
                  <td class="interval">{r.t50_low !== null && r.t50_high !== null && r.t50 !== null && sure.includes(r) ? <span class="rung" aria-hidden="true"><i class="reach" style={{ left: at(r.t50_low), width: `calc(${at(r.t50_high)} - ${at(r.t50_low)})` }} /><i class="middle" style={{ left: at(r.t50) }} /></span> : null}</td>
                  <td class={r.verdict === "not resolvable" ? "faint" : ""}>{r.base === "BTC" ? "reference" : r.verdict}</td>
                  <td class="faint" title={r.price_venue ? `trades or marks of ${r.price_venue}` : "prices are compared over two hours at most"}>{byPrice(r)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
