import { duration } from "../../format";
import { type Beta, type BetaRow } from "../../leverage";
import { callFor, windowWords, type Outline } from "../../words";
import { Panel } from "../Panel";

const two = (value: number | null, digits = 2) => (value === null ? "—" : `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(digits)}`);
const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** A row for each beta there is. */
function Rows({ rows, span }: { rows: BetaRow[]; span: string }) {
  const told = rows.filter((r) => r.n > 0);
  return (
    <>
      {told.map((r, k) => (
        <tr key={`${r.series} ${k}`} data-testid={`beta-${r.series}`} data-beta={r.beta ?? ""}>
          <th scope="row">{r.series}{r.kind === "difference" ? <span class="faint"> per point</span> : null}</th>
          <td class="faint">{r.n} {span}</td>
          <td class="right strong">{two(r.beta, r.kind === "difference" ? 4 : 2)}</td>
          <td class="right">{r.beta_low === null ? "—" : `${two(r.beta_low, r.kind === "difference" ? 4 : 2)} to ${two(r.beta_high, r.kind === "difference" ? 4 : 2)}`}</td>
          <td class="right">{two(r.correlation)}</td>
          <td class={r.verdict === "not resolvable" ? "faint" : ""}>{r.verdict}</td>
        </tr>
      ))}
    </>
  );
}

/** How the coin moved with volatility, other coins and the wider economy; an interval over 0 is not resolvable. */
export function BetaPanel({ doc, beta }: { doc: Outline; beta: Beta }) {
  const all = [...beta.within, ...beta.daily];
  const untold = [...new Set(all.map((r) => r.series))].filter((name) => all.every((r) => r.series !== name || r.n === 0));
  return (
    <Panel id="beta" title={`What ${beta.base} moved with`} unit={`beta of log changes with 95 % intervals; last ${windowWords(doc.window)} in steps of ${duration(beta.step_ms)}, and daily`}
      origin={{ source: beta.price ? `${beta.price.price_kind}s of ${beta.price.venue} ${beta.price.symbol}` : "no price", coverage: `${all.filter((r) => r.beta !== null).length} of ${all.length} betas can be told` }}
      call={() => callFor("beta", { window: doc.window, base: beta.base })}
      csv={() => ({ header: ["series", "unit", "kind", "n", "beta", "beta_low", "beta_high", "correlation", "ewma_beta", "verdict"], rows: all.map((r) => [r.series, r.unit, r.kind, r.n, r.beta, r.beta_low, r.beta_high, r.correlation, r.ewma_beta, r.verdict]) })}
      note={<p class="legend-line">{beta.within_reason ? <span>{upper(beta.within_reason)}.</span> : null}{beta.daily_reason ? <span>{upper(beta.daily_reason)}.</span> : null}{untold.length ? <span data-testid="beta-untold">No two changes are known together with {untold.join(", ")}.</span> : null}<span>Moving together is not causing; one window among many leaves 0 by chance.</span></p>}
    >
      {all.length === 0 ? <p class="empty">Nothing to set {beta.base} against.</p> : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Betas, scrolls sideways">
          <table class="lev">
            <thead><tr><th scope="col">Against</th><th scope="col">Over</th><th scope="col" class="right">Beta</th><th scope="col" class="right">95 %</th><th scope="col" class="right">Correlation</th><th scope="col">Verdict</th></tr></thead>
            <tbody><Rows rows={beta.within} span="steps" /><Rows rows={beta.daily} span="days" /></tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
