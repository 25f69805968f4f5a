import { diverging } from "../../charts/diverging";
import { strip, type Strip, type StripRow } from "../../charts/strip";
import { dateTime, zone } from "../../format";
import { type Funding, margin, onRates, pays, rate } from "../../leverage";
import { useApp } from "../../state";
import { callFor, venueTitle, windowWords, type Outline } from "../../words";
import { Panel } from "../Panel";
import { useChart } from "../useChart";

const HOUR = 3_600_000;
const MOST_ROWS = 14;

const key = (one: { venue: string; symbol: string }) => `${one.venue} ${one.symbol}`;

/** Rows of the strip, the most open interest first: what was settled above, what was predicted below. */
function rows(doc: Outline, funding: Funding, utc: boolean): StripRow[] {
  const settled = new Map(funding.history.settled.map((one) => [key(one), one]));
  const predicted = new Map(funding.history.predicted.map((one) => [key(one), one]));
  const ordered = [...funding.venues].sort((a, b) => (b.open_interest_usd ?? 0) - (a.open_interest_usd ?? 0)).slice(0, MOST_ROWS);
  return ordered.map((contract) => {
    const title = `${venueTitle(doc, contract.venue)} ${margin(contract.symbol)}`;
    const paid = settled.get(key(contract));
    const said = predicted.get(key(contract));
    const stretches: StripRow["stretches"] = [];
    paid?.ts_end_ms.forEach((end, k) => {
      const value = paid.rate_8h[k] ?? null;
      const hours = paid.hours[k] ?? null;
      if (value === null || hours === null) return;
      stretches.push({
        from: end - hours * HOUR, to: end, fill: diverging(onRates(value, funding.resting_8h)), band: [0, said ? 0.64 : 1], underlined: value < 0,
        note: [`${rate(value)} per 8 h, settled`, title, pays(value), `${rate(paid.paid[k])} paid for ${hours} h to ${dateTime(end, utc)} ${zone(utc)}`, paid.hit[k] ? `at its ${paid.hit[k]}: the market's own rate lies beyond` : ""],
      });
    });
    said?.ts_ms.forEach((from, k) => {
      const value = said.rate_8h[k]!;
      const before = stretches.at(-1);
      if (k > 0 && value === said.rate_8h[k - 1] && before?.hatched) {
        before.to = said.ts_ms[k + 1] ?? (contract.predicted?.is_stale ? from : funding.at_ms);
        return;
      }
      stretches.push({
        from, to: said.ts_ms[k + 1] ?? (contract.predicted?.is_stale ? from : funding.at_ms), fill: diverging(onRates(value, funding.resting_8h)), band: paid ? [0.72, 1] : [0, 1], underlined: value < 0, hatched: true,
        note: [`${rate(value)} per 8 h, predicted`, title, pays(value), `from ${dateTime(from, utc)} ${zone(utc)}; it can still change until it is settled`],
      });
    });
    const now = contract.predicted ?? contract.settled;
    const isOnly = ordered.filter((other) => other.venue === contract.venue).length === 1;
    return { label: isOnly ? venueTitle(doc, contract.venue) : title, value: now?.why_not ? "stale" : rate(now?.rate_8h), stretches };
  });
}

const MARKS: [share: number, name: string][] = [[-0.0005, "−0.05"], [0, "0"], [0.0001, "+0.01 rests"], [0.0003, "+0.03"], [0.0007, "+0.07"]];

export function FundingStrip({ doc, funding }: { doc: Outline; funding: Funding }) {
  const utc = useApp((s) => s.utc);
  const theme = useApp((s) => s.theme);
  const shown = rows(doc, funding, utc);
  const { element, chart } = useChart<Strip>(strip, (c) => c.update(rows(doc, funding, utc), funding.start_ms, funding.at_ms, utc), [funding, doc.base, utc]);
  const at = (share: number) => ((onRates(share, funding.resting_8h) + 1) / 2) * 100;
  const stops = Array.from({ length: 13 }, (_, i) => diverging((i - 6) / 6));
  const venues = funding.venues.map((one) => venueTitle(doc, one.venue));
  const whole = funding.aggregates[funding.kind].open_interest;
  const hidden = funding.venues.length - shown.length;
  return (
    <Panel id="funding-strip" title={`Funding of ${funding.base} by venue through time`} unit={`share of notional per 8 h, last ${windowWords(doc.window)}; right: now`}
      origin={{ source: `${[...new Set(venues)].join(", ") || "no venue"}, funding rates as published`, coverage: whole.coverage === null ? "open interest not known" : `${(whole.coverage * 100).toFixed(0)} % of open interest has a fresh ${funding.kind} rate` }}
      call={() => callFor("funding", { window: doc.window, base: funding.base })} png={() => chart.current?.picture() ?? null}
      legend={{ title: "per 8 h; above 0 longs pay shorts, below 0 shorts pay longs", stops, labels: ["−0.05 %", "+0.01 % rests", "+0.07 %"] }}
      csv={() => ({ header: ["venue", "symbol", "kind", "end_or_time", "rate_8h", "paid", "hours"], rows: [
        ...funding.history.settled.flatMap((one) => one.ts_end_ms.map((ms, k) => [one.venue, one.symbol, "settled", new Date(ms).toISOString(), one.rate_8h[k] ?? null, one.paid[k] ?? null, one.hours[k] ?? null])),
        ...funding.history.predicted.flatMap((one) => one.ts_ms.map((ms, k) => [one.venue, one.symbol, "predicted", new Date(ms).toISOString(), one.rate_8h[k] ?? null, null, null])),
      ] })}
      note={
        <div class="legend-line heat" key={theme}>
          <span><i class="key" style={{ background: diverging(0.7) }} aria-hidden="true" /> settled</span>
          <span><i class="key hatched" style={{ backgroundColor: diverging(0.7) }} aria-hidden="true" /> predicted</span>
          <span><i class="key underlined" style={{ background: diverging(-0.7) }} aria-hidden="true" /> below 0: shorts pay longs</span>
          <span class="ramp wide" aria-hidden="true">
            <i style={{ background: `linear-gradient(90deg, ${stops.join(",")})` }} />
            {MARKS.map(([share, name]) => <small key={name} style={{ left: `${at(share)}%` }}>{name}</small>)}
          </span>
          <span>% per 8 h: above 0 longs pay shorts; it rests at +0.01 %, not at 0{hidden > 0 ? `; ${hidden} smaller contracts in the table only` : ""}</span>
        </div>
      }
    >
      {funding.reason ? <p class="empty">{funding.reason[0]?.toUpperCase()}{funding.reason.slice(1)}.</p> : null}
      <div ref={element} class="chart-strip" style={{ height: `${Math.max(shown.length, 2) * 34 + 30}px` }} role="img" aria-label={`Funding of ${shown.length} contracts through time; the table below holds the newest rates`} />
    </Panel>
  );
}
