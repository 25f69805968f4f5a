import { useState } from "preact/hooks";
import { colours } from "../../charts/colours";
import { diverging } from "../../charts/diverging";
import { extent, type Layer, type PlotChart, plotChart } from "../../charts/plot";
import { money, moneyTick } from "../../format";
import { day, figureOf, flow, type Flows, type FlowMonth, shortDay } from "../../outside";
import { callFor } from "../../words";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { Aged, Told, Why } from "./Parts";

/** Trading days for which there is room at least, so that a lone day is a bar and no wall. */
const FEWEST = 20;
const LENGTHS = [60, 250, 750] as const;
const OUT = () => diverging(-0.85);
const IN = () => diverging(0.85);
const tick = (usd: number) => (usd < 0 ? `−${moneyTick(-usd)}` : moneyTick(usd));

interface Bars {
  days: string[];
  usd: number[];
  provisional: boolean[];
  cumulative: number[];
  month: number[];
}

function lastOf(found: Flows, count: number): Bars {
  const d = found.daily;
  if (!d) return { days: [], usd: [], provisional: [], cumulative: [], month: [] };
  const cut = <T,>(rows: T[]) => rows.slice(-count);
  return { days: cut(d.trading_day), usd: cut(d.net_flow_usd), provisional: cut(d.is_provisional), cumulative: cut(d.cumulative_usd), month: cut(d.month_to_date_usd) };
}

const source = (found: Flows) => (found.source ? `${found.source.attribution}${found.source.other_sources?.length ? `; left aside: ${found.source.other_sources.join(", ")}` : ""}` : "none");
const coverage = (found: Flows) => (found.summary ? `${found.summary.days} trading days since ${day(found.summary.since)}${found.summary.missing_days.length ? `, ${found.summary.missing_days.length} of them not told` : ", none missing"}` : "no day");

function note(b: Bars, x: number): string[] {
  const i = Math.max(0, Math.min(b.days.length - 1, Math.round(x)));
  const date = b.days[i];
  if (date === undefined) return [];
  return [`${flow(b.usd[i])} USD`, `net flow of ${day(date)}${b.provisional[i] ? ", provisional: may be revised" : ""}`, `month to date ${flow(b.month[i])} USD`, `since the first day ${flow(b.cumulative[i])} USD`];
}

/** Daily bars; what may still be revised is hatched. */
export function DailyPanel({ found, tools }: { found: Flows; tools: preact.ComponentChildren }) {
  const [length, setLength] = useState<number>(LENGTHS[0]);
  const b = lastOf(found, length);
  const s = found.summary;
  const x = { min: Math.min(-0.5, b.days.length - FEWEST - 0.5), max: Math.max(b.days.length - 0.5, 0.5), format: (v: number) => (Number.isInteger(v) && b.days[v] ? (length > 100 ? day(b.days[v]).replace(/^\d+ /, "") : shortDay(b.days[v])) : "") };
  const bar = useChart<PlotChart>(plotChart, (c) => {
    const rows = (inflow: boolean, provisional: boolean) => b.usd.flatMap((usd, i): [number, number, number, number][] => (usd > 0 === inflow && (b.provisional[i] ?? false) === provisional ? [[i - 0.42, i + 0.42, 0, usd]] : []));
    const kinds: Layer[] = [true, false].flatMap((inflow) => [false, true].map((p): Layer => ({ kind: "bars", bars: rows(inflow, p), colour: inflow ? IN() : OUT(), hatched: p })));
    const [low, high] = extent(b.usd, true);
    c.update({ x, y: { min: low, max: high, format: tick }, layers: [...kinds, { kind: "level", y: 0, colour: colours().ink3 }], note: (at) => note(b, at), left: 58 });
  }, [found, length]);
  const sum = useChart<PlotChart>(plotChart, (c) => {
    const ink = colours();
    const [low, high] = extent(b.cumulative);
    const last = b.cumulative.length - 1;
    const points = b.cumulative.map((usd, i): [number, number] => [i, usd]);
    const ends: Layer[] = last >= 0 ? [{ kind: "dots", points: [points[last]!], colour: ink.ink, shape: "circle", hollow: b.provisional[last] ?? false }] : [];
    c.update({ x, y: { min: low, max: high, format: tick }, layers: [{ kind: "line", points, colour: ink.ink, width: 1.75 }, ...ends], note: (at) => note(b, at), left: 58 });
  }, [found, length]);
  const rows = b.days.map((d, i) => [d, b.usd[i] ?? null, String(b.provisional[i]), b.month[i] ?? null, b.cumulative[i] ?? null]);
  return (
    <Panel id="etf-flows" class={found.status === "stale" ? "aged-panel" : ""} title={s ? `${found.base} fund flows by trading day: ${flow(s.net_flow_usd)} on ${shortDay(s.trading_day)}` : `${found.base} fund flows`} unit="USD net, last trading days of New York" origin={{ source: source(found), coverage: coverage(found) }}
      call={() => callFor("etf-flows", { base: found.base })} png={s ? () => bar.chart.current?.picture() ?? null : undefined} csv={() => ({ header: ["trading_day", "net_flow_usd", "is_provisional", "month_to_date_usd", "cumulative_usd"], rows })}
      tools={<>{tools}{s ? LENGTHS.map((n) => <button key={n} type="button" class="tool" aria-pressed={n === length} onClick={() => setLength(n)} data-testid={`days-${n}`}>{n} d</button>) : null}</>}
      table={rows.length === 0 ? undefined : <table><thead><tr><th scope="col">Trading day</th><th scope="col" class="right">Net, USD</th><th scope="col" class="right">Month to date</th><th scope="col" class="right">Since the first day</th><th scope="col">State</th></tr></thead><tbody>{rows.slice(-60).toReversed().map((r) => <tr key={String(r[0])}><td>{r[0]}</td><td class="right">{flow(r[1] as number)}</td><td class="right">{flow(r[3] as number)}</td><td class="right">{flow(r[4] as number)}</td><td>{r[2] === "true" ? "provisional" : "settled"}</td></tr>)}</tbody></table>}
      note={s ? <p class="legend-line"><span><i class="key" style={{ background: IN() }} aria-hidden="true" /> inflow</span><span><i class="key" style={{ background: OUT() }} aria-hidden="true" /> outflow</span><span><i class="key hatched" aria-hidden="true" /> provisional, may be revised</span><span>{found.source?.terms}</span></p> : undefined}
    >
      {s ? <FlowReadout found={found} /> : <Why id="etf-flows" nothing={found.empty ?? { reason: "nothing is known", how: "" }} />}
      <div ref={bar.element} class={s ? "chart-flows" : "unseen"} role="img" aria-label={`Net flows of ${b.days.length} trading days; the table below holds them`} />
      {s ? <h3 class="under">Since {day(s.since)}: <Told found={figureOf(found, `etf.${found.base}.net_flow.cumulative`)} text={`${flow(s.cumulative_usd)} USD`} unit="USD" /></h3> : null}
      <div ref={sum.element} class={s ? "chart-cumulative" : "unseen"} role="img" aria-label={`Flows added up over ${b.days.length} trading days`} />
    </Panel>
  );
}

function FlowReadout({ found }: { found: Flows }) {
  const s = found.summary!;
  const name = (what: string) => figureOf(found, `etf.${found.base}.${what}`);
  const run = found.streaks?.current;
  return (
    <div class="readout">
      <p>
        <Told found={name("net_flow.day")} text={`${flow(s.net_flow_usd)} USD`} unit="USD" class="big" /> <span data-testid="flow-state">{day(s.trading_day)}, {s.is_provisional ? "provisional" : "settled"}</span>
        {s.robust_z !== null ? <span class="faint"> {Math.abs(s.robust_z).toFixed(1)} usual deviations {s.robust_z < 0 ? "below" : "above"} the median of {s.prior_days} days</span> : null}
      </p>
      <p>
        {s.outflow_rank !== null && s.days >= 60 ? <span>{s.outflow_rank === 1 ? "the largest" : `number ${s.outflow_rank}`} outflow of {s.days} days</span> : null}
        {run && run.days > 1 ? <span data-testid="streak"><b>{run.days}</b> {run.days === 1 ? "day" : "days"} of {run.direction} in a row, {flow(run.net_flow_usd)} USD</span> : null}
      </p>
      <Aged status={found.status ?? ""} evidence={found.evidence ?? ""} />
    </div>
  );
}

function MonthRow({ m, most }: { m: FlowMonth; most: number }) {
  const wide = (50 * Math.abs(m.net_flow_usd)) / most;
  const kind = m.is_month_to_date ? "to-date" : m.is_complete ? "" : "holed";
  return (
    <tr data-testid={`month-${m.month}`} data-usd={m.net_flow_usd}>
      <th scope="row">{day(m.month)}</th>
      <td class="month-bar"><span aria-hidden="true"><i class={`${m.net_flow_usd < 0 ? "out" : "in"} ${kind}`} style={{ left: `${m.net_flow_usd < 0 ? 50 - wide : 50}%`, width: `${wide}%` }} /></span></td>
      <td class="right strong">{flow(m.net_flow_usd)}</td>
      <td class="faint">{m.is_month_to_date ? `${m.days} ${m.days === 1 ? "day" : "days"} told, to date` : m.is_complete ? "complete" : `${m.missing_days} days not told`}</td>
    </tr>
  );
}

/** Months on one scale: the one under way stands beside complete ones and says so. */
export function MonthsPanel({ found }: { found: Flows }) {
  const most = Math.max(...found.months.map((m) => Math.abs(m.net_flow_usd)), 1);
  const s = found.summary;
  if (!s) return null;
  return (
    <Panel id="etf-months" title={`${day(s.month)} to date ${s.month_to_date_usd === null ? "not known" : flow(s.month_to_date_usd)}${s.last_complete_month ? `; ${day(s.last_complete_month)} ${flow(s.last_complete_month_usd)}` : ""}`} unit="USD net by month" origin={{ source: source(found), coverage: `${found.months.filter((m) => m.is_complete).length} complete months shown` }}
      call={() => callFor("etf-flows", { base: found.base })} csv={() => ({ header: ["month", "net_flow_usd", "days", "missing_days", "is_complete", "is_provisional"], rows: found.months.map((m) => [m.month, m.net_flow_usd, m.days, m.missing_days, String(m.is_complete), String(m.is_provisional)]) })}
      note={<ul class="said" data-testid="flow-words">{found.words.map((w) => <li key={w}>{w}</li>)}{found.records.map((r) => <li key={r.words} class="faint">{r.words}</li>)}</ul>}
    >
      <table class="lev months"><thead class="sr"><tr><th scope="col">Month</th><th scope="col">Size</th><th scope="col">Net, USD</th><th scope="col">State</th></tr></thead><tbody>{found.months.toReversed().map((m) => <MonthRow key={m.month} m={m} most={most} />)}</tbody></table>
    </Panel>
  );
}

/** Every fund: its last days, its month, all of it. */
export function FundsPanel({ found }: { found: Flows }) {
  const days = found.recent?.trading_days.slice(-5).toReversed() ?? [];
  const recent = new Map(found.recent?.funds.map((f) => [f.fund, f.net_flow_usd.slice(-days.length).toReversed()]));
  const most = Math.max(...[...recent.values()].flat().map((usd) => Math.abs(usd ?? 0)), 1);
  const daily = lastOf(found, days.length);
  const at = (i: number) => days.length - 1 - i;
  const s = found.summary;
  if (!s) return null;
  const tint = (usd: number | null | undefined) => (usd ? { background: `color-mix(in srgb, ${usd < 0 ? OUT() : IN()} ${Math.round(45 * Math.sqrt(Math.abs(usd) / most))}%, transparent)` } : {});
  return (
    <Panel id="etf-funds" title={`Which ${found.base} funds it left and reached`} unit="USD net; last five trading days, newest first" origin={{ source: source(found), coverage: `${found.by_fund.length} funds; ${s.difference_usd ? `their sum differs from the source's total by ${money(Math.abs(s.difference_usd))} USD` : "they add up to the source's total"}` }}
      call={() => callFor("etf-flows", { base: found.base })} csv={() => ({ header: ["fund", ...days, "month_to_date_usd", "cumulative_usd"], rows: found.by_fund.map((f) => [f.fund, ...(recent.get(f.fund) ?? []), f.month_to_date_usd, f.cumulative_usd]) })}
    >
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Flows by fund, scrolls sideways">
        <table class="lev funds">
          <thead><tr><th scope="col">Fund</th>{days.map((d, i) => <th key={d} scope="col" class="right">{shortDay(d)}{daily.provisional[at(i)] ? "*" : ""}</th>)}<th scope="col" class="right">{day(s.month).slice(0, 3)} to date</th><th scope="col" class="right">Since launch</th></tr></thead>
          <tbody>
            {found.by_fund.map((f) => (
              <tr key={f.fund} data-testid={`fund-${f.fund}`}>
                <th scope="row">{f.fund}</th>
                {days.map((d, i) => <td key={d} class="right" style={tint(recent.get(f.fund)?.[i])}>{flow(recent.get(f.fund)?.[i])}</td>)}
                <td class="right">{flow(f.month_to_date_usd)}</td><td class="right faint">{flow(f.cumulative_usd)}</td>
              </tr>
            ))}
            <tr class="whole"><th scope="row">All funds</th>{days.map((d, i) => <td key={d} class="right strong">{flow(daily.usd[at(i)])}</td>)}<td class="right strong">{flow(s.month_to_date_usd)}</td><td class="right strong">{flow(s.cumulative_usd)}</td></tr>
          </tbody>
        </table>
      </div>
      <p class="legend-line"><span>* provisional, may be revised</span><span>— told nothing</span></p>
    </Panel>
  );
}
