import { clockMinute, dateTime, money, percent, zone } from "../../format";
import { type Funding, type FundingContract, margin, pays, rate, type Weighted } from "../../leverage";
import { useApp } from "../../state";
import { callFor, venueTitle, windowWords, type Outline } from "../../words";
import { Num } from "../Num";
import { Panel } from "../Panel";

const hours = (value: number) => (value < 1 / 60 ? "now" : value < 1 ? `${Math.round(value * 60)} min` : `${value.toFixed(value < 10 ? 1 : 0)} h`);

function Row({ doc, row }: { doc: Outline; row: FundingContract }) {
  const utc = useApp((s) => s.utc);
  const now = row.predicted ?? row.settled!;
  const paid = row.settled;
  const name = `${venueTitle(doc, row.venue)} ${margin(row.symbol)}`;
  const source = `funding rates of ${venueTitle(doc, row.venue)}`;
  const old = now.why_not !== "";
  return (
    <tr class={old ? "old" : ""} data-testid={`funding-${row.venue}`} data-rate={now.rate_8h ?? ""} data-stale={now.is_stale}>
      <th scope="row"><i class={`venue-mark v-${row.venue}`} aria-hidden="true" />{name}</th>
      <td class="right">{now.funding_interval_hours === null ? "not known" : `${now.funding_interval_hours} h`}{now.is_interval_inferred ? <span class="faint" title="not stated: inferred from settlements"> ~</span> : null}</td>
      <td class="right strong"><Num value={now.rate_8h === null ? null : now.rate_8h * 100} text={rate(now.rate_8h)} unit="% per 8 h" what={`funding of ${name}, ${row.predicted ? "predicted" : "settled"}, ${pays(now.rate_8h)}`} source={source} /></td>
      <td class="right">{rate(now.apr, 1)}</td>
      <td class="right">{rate(now.apy, 1)}</td>
      <td>{now.pays}</td>
      <td class="right">{paid ? <span title={paid.funding_time_ms === null ? "" : `settled ${dateTime(paid.funding_time_ms, utc)} ${zone(utc)}`}>{rate(paid.rate_8h)}</span> : <span class="none">not told</span>}</td>
      <td class="right">{row.predicted?.funding_time_ms ? clockMinute(row.predicted.funding_time_ms, utc) : <span class="none">—</span>}</td>
      <td class="right">{money(row.open_interest_usd)}</td>
      <td class={old || now.hit ? "attention-text" : "faint"}>{old ? `${now.why_not}, ${hours(now.age_hours)}` : now.hit ? `at its ${now.hit}` : ""}</td>
    </tr>
  );
}

function Whole({ words, found, weight }: { words: string; found: Weighted; weight: string }) {
  return (
    <tr class="whole" data-testid={`funding-by-${weight}`} data-rate={found.rate_8h ?? ""}>
      <th scope="row" colSpan={2}>{words}</th>
      {found.rate_8h === null ? <td colSpan={8} class="none">{found.reason ?? "not known"}</td> : (
        <>
          <td class="right strong"><Num value={found.rate_8h * 100} text={rate(found.rate_8h)} unit="% per 8 h" what={`${words}, ${found.pays}`} source={`${found.contracts} contracts, weights ${money(found.weight_usd)} USD`} coverage={found.coverage === null ? undefined : percent(found.coverage)} /></td>
          <td class="right">{rate(found.apr, 1)}</td>
          <td class="right">{rate(found.apy, 1)}</td>
          <td colSpan={3}>{found.pays}; from {rate(found.low_8h)} to {rate(found.high_8h)}</td>
          <td class="right">{found.weight_usd > 0 ? money(found.weight_usd) : "—"}</td>
          <td class="faint">{found.coverage === null ? "" : `${percent(found.coverage)} covered`}</td>
        </>
      )}
    </tr>
  );
}

/** What was settled over the window, simply added. */
function PaidLine({ doc, funding }: { doc: Outline; funding: Funding }) {
  if (funding.cumulative.length === 0) return <p class="paid">Nothing was settled in the last {windowWords(doc.window)}, as far as is known.</p>;
  return (
    <p class="paid" data-testid="funding-paid">
      <b>Settled over the last {windowWords(doc.window)}:</b>{" "}
      {funding.cumulative.map((one, k) => <span key={`${one.venue}${one.symbol}`}>{k ? ", " : ""}{venueTitle(doc, one.venue)} {margin(one.symbol)} {rate(one.paid)}{one.coverage !== null && one.coverage < 0.95 ? <span class="faint"> ({percent(one.coverage)} of the time)</span> : null}</span>)}.
      {" "}Above 0: paid by longs to shorts, share of notional.
    </p>
  );
}

/** The regime, with where one word ends and the next begins. */
function RegimeLine({ funding }: { funding: Funding }) {
  const { regime, thresholds: t } = funding;
  return (
    <p class="regime" data-testid="funding-regime" data-word={regime?.word ?? ""}>
      <b>Regime:</b> {regime?.word ?? "no word"}{regime ? ` at ${rate(regime.rate_8h)} per 8 h settled` : ""} — {regime?.word ? regime.why : funding.regime_reason}.{" "}
      <span class="faint">
        Hot above {rate(t.hot_8h!, 3)}; resting within {rate(t.resting_band_8h!, 3).slice(1)} of {rate(t.resting_8h!, 2)}; compressed from 0 to {rate(t.compressed_8h!, 3)} in the lowest {percent(t.compressed_percentile!)} of {t.history_days} days and falling; flipped below 0 in {t.flipped_at_least} of {t.of_last} settlements of 8 h. A judgement, not a model.
      </span>
    </p>
  );
}

export function FundingTable({ doc, funding }: { doc: Outline; funding: Funding }) {
  const utc = useApp((s) => s.utc);
  const whole = funding.aggregates[funding.kind];
  const ordered = [...funding.venues].sort((a, b) => (b.open_interest_usd ?? 0) - (a.open_interest_usd ?? 0));
  return (
    <Panel id="funding-table" title={`What holding ${funding.base} costs, venue by venue`} unit="share of notional; one scale of 8 h"
      origin={{ source: `${new Set(ordered.map((r) => r.venue)).size} venues' own rates`, coverage: whole.open_interest.coverage === null ? "open interest not known" : `${percent(whole.open_interest.coverage)} of open interest` }}
      call={() => callFor("funding", { window: doc.window, base: funding.base })}
      csv={() => ({ header: ["venue", "symbol", "kind", "interval_hours", "is_interval_inferred", "rate", "rate_8h", "apr", "apy", "pays", "hit", "why_not", "open_interest_usd"], rows: ordered.flatMap((r) => (["predicted", "settled"] as const).flatMap((kind) => { const one = r[kind]; return one ? [[r.venue, r.symbol, kind, one.funding_interval_hours, String(one.is_interval_inferred), one.funding_rate, one.rate_8h, one.apr, one.apy, one.pays, one.hit, one.why_not, r.open_interest_usd]] : []; })) })}
      note={<><PaidLine doc={doc} funding={funding} /><RegimeLine funding={funding} /></>}
    >
      {ordered.length === 0 ? <p class="empty">{funding.reason || "No rate is known"}.</p> : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Funding by venue, scrolls sideways">
          <table class="lev">
            <thead><tr><th scope="col">Contract</th><th scope="col" class="right">Every</th><th scope="col" class="right">{funding.kind === "predicted" ? "Predicted" : "Settled"}, 8 h</th><th scope="col" class="right">A year</th><th scope="col" class="right">Compounded</th><th scope="col">Who pays</th><th scope="col" class="right">Last settled, 8 h</th><th scope="col" class="right">Next ({zone(utc)})</th><th scope="col" class="right">Open, USD</th><th scope="col">Note</th></tr></thead>
            <tbody>
              {ordered.map((row) => <Row key={`${row.venue}${row.symbol}`} doc={doc} row={row} />)}
              <Whole words="All, by open interest" found={whole.open_interest} weight="open-interest" />
              <Whole words="All, by 24 h volume" found={whole.volume} weight="volume" />
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

export function SpreadTable({ doc, funding }: { doc: Outline; funding: Funding }) {
  const pairs = funding.spreads.slice(0, 6);
  return (
    <Panel id="funding-spreads" title="Widest gaps between venues" unit={`${funding.kind} rates per 8 h: long where less is paid, short where more is`}
      origin={{ source: "the same rates", coverage: `${funding.spreads.length} pairs of fresh rates` }} call={() => callFor("funding", { window: doc.window, base: funding.base })}
      csv={() => ({ header: ["long_venue", "long_symbol", "short_venue", "short_symbol", "long_8h", "short_8h", "spread_8h", "apr", "is_censored"], rows: funding.spreads.map((s) => [s.long_venue, s.long_symbol, s.short_venue, s.short_symbol, s.long_8h, s.short_8h, s.spread_8h, s.apr, String(s.is_censored)]) })}
      note={<p class="legend-line"><span>Before fees, margin and the risk that a rate changes before it is settled.</span></p>}
    >
      {pairs.length === 0 ? <p class="empty">A gap needs fresh rates of two venues.</p> : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Gaps between venues, scrolls sideways">
          <table class="lev">
            <thead><tr><th scope="col">Long on</th><th scope="col">Short on</th><th scope="col" class="right">Gap, 8 h</th><th scope="col" class="right">A year</th></tr></thead>
            <tbody>
              {pairs.map((s) => (
                <tr key={`${s.long_venue}${s.long_symbol}${s.short_venue}${s.short_symbol}`} data-testid="spread">
                  <td>{venueTitle(doc, s.long_venue)} {margin(s.long_symbol)} <span class="second">{rate(s.long_8h)}</span></td>
                  <td>{venueTitle(doc, s.short_venue)} {margin(s.short_symbol)} <span class="second">{rate(s.short_8h)}</span></td>
                  <td class="right strong">{rate(s.spread_8h)}{s.is_censored ? <span class="attention-text" title="one side is at its cap or floor"> !</span> : null}</td>
                  <td class="right">{rate(s.apr, 2)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
