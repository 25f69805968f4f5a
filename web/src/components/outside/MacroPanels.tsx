import { percent, dateTime, zone } from "../../format";
import { betaPercent, day, figureOf, type Beta, type Level, type Macro, onScale, shortDay, signed } from "../../outside";
import { useApp } from "../../state";
import { callFor } from "../../words";
import { Panel } from "../Panel";
import { Told, Why } from "./Parts";

const source = (found: Macro) => found.source?.attribution ?? "none";
const written = (value: number, row: Level) => `${value.toFixed(2)}${row.unit === "percent" ? " %" : ""}`;
const change = (value: number | null, row: Level) => `${signed(value, 2)}${row.unit === "percent" && value !== null ? " pp" : ""}`;

/** A small line between its lowest and highest value, which stand beside it. */
function Course({ values, label, old }: { values: number[]; label: string; old: boolean }) {
  if (values.length < 2) return <span class="faint">one value</span>;
  const low = Math.min(...values), high = Math.max(...values), span = high - low || 1;
  const path = values.map((v, i) => `${i ? "L" : "M"}${((i / (values.length - 1)) * 118 + 1).toFixed(1)} ${(27 - ((v - low) / span) * 24).toFixed(1)}`).join("");
  const last = values.at(-1)!;
  return (
    <span class="course" role="img" aria-label={label}>
      <svg viewBox="0 0 122 30" width="122" height="30" aria-hidden="true"><path d={path} class={old ? "old" : ""} /><circle cx="119" cy={27 - ((last - low) / span) * 24} r="2.2" /></svg>
      <small aria-hidden="true"><span>{high.toFixed(2)}</span><span>{low.toFixed(2)}</span></small>
    </span>
  );
}

/** Where yields and the dollar stood as known, with their age; what is not there says so. */
export function LevelsPanel({ found }: { found: Macro }) {
  const utc = useApp((s) => s.utc);
  const lines = new Map(found.lines.map((l) => [l.series, l]));
  const late = found.levels.filter((r) => r.status === "stale");
  const first = found.lines[0]?.observation_date[0];
  const whole = found.lines.every((l) => found.at_ms - (l.ts_ms[0] ?? found.at_ms) >= 365 * 86_400_000);
  return (
    <Panel id="macro-levels" title={found.levels.length ? "Yields and the dollar as they were known" : "Yields and the dollar"} unit="percent, index points; at 16:00 in New York" origin={{ source: source(found), coverage: `${found.levels.length} series${late.length ? `, ${late.length} stale` : ""}; not in the data: ${found.absent.map((a) => a.title).join(", ") || "none"}` }} call={() => callFor("macro", { base: found.base })}
      csv={() => ({ header: ["series", "observation_date", "value", "unit", "change", "month_change", "year_rank", "age_days", "status"], rows: found.levels.map((r) => [r.series, r.observation_date, r.value, r.unit, r.change, r.month_change, r.year_rank, r.age_days, r.status]) })}
      note={<p class="legend-line"><span>Breakeven is nominal less real, made here. The broad dollar index is the Federal Reserve's, not the DXY of the futures market.</span>{found.levels.length ? <span>{found.source?.terms}</span> : null}</p>}
    >
      {found.levels.length === 0 ? <Why id="macro" nothing={found.empty ?? { reason: "nothing is known", how: "" }} /> : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Levels, scrolls sideways">
          <table class="lev levels">
            <thead><tr><th scope="col">Series</th><th scope="col" class="right">Level</th><th scope="col" class="right">In a day</th><th scope="col" class="right">In a month</th><th scope="col">{first ? `Since ${day(first)}` : "Course"}</th><th scope="col" class="right">{whole ? "In a year" : "In what is known"}</th><th scope="col">Of, age, how it comes</th></tr></thead>
            <tbody>
              {found.levels.map((r) => (
                <tr key={r.series} class={r.status === "stale" ? "old" : ""} data-testid={`level-${r.series}`} data-value={r.value} data-status={r.status}>
                  <th scope="row">{r.title} <span class="faint">{r.series}</span></th>
                  <td class="right strong"><Told found={figureOf(found, `macro.${r.series}`)} text={written(r.value, r)} unit={r.unit} /></td>
                  <td class="right">{change(r.change, r)}</td>
                  <td class="right" title={r.month_before_date ? `from ${r.month_before?.toFixed(2)} on ${day(r.month_before_date)}` : "no observation near a month before"}>{change(r.month_change, r)}</td>
                  <td><Course values={lines.get(r.series)?.value ?? []} label={`${r.title} over ${lines.get(r.series)?.value.length ?? 0} observations`} old={r.status === "stale"} /></td>
                  <td class="right" title={`share of the observations of the ${whole ? "year before" : "days known before, under a year,"} below it`}>{r.year_rank === null ? "—" : `above ${percent(r.year_rank)}`}</td>
                  <td class="comes"><span title={`received ${dateTime(r.known_at_ms, utc)} ${zone(utc)}`}>{shortDay(r.observation_date)}, {r.age_days} {r.age_days === 1 ? "day" : "days"}</span>{r.status === "stale" ? <b class="attention-text"> stale: {r.evidence}</b> : <span class="faint"> {r.publication}</span>}</td>
                </tr>
              ))}
              {found.absent.map((a) => <tr key={a.series} data-testid={`absent-${a.series}`}><th scope="row">{a.title} <span class="faint">{a.series}</span></th><td colSpan={6} class="missing-part" title={a.why}><span>not in the data: its owner lets nobody pass it on, bring your own from FRED</span></td></tr>)}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Interval({ low, middle, high, most, testid }: { low: number | null; middle: number | null; high: number | null; most: number; testid?: string }) {
  if (low === null || middle === null || high === null) return null;
  const [a, b] = [onScale(low, most), onScale(high, most)];
  return <span class="rung centred" aria-hidden="true" data-testid={testid}><i class="zero" /><i class={`reach ${low < 0 && high > 0 ? "unresolved" : ""}`} style={{ left: `${a}%`, width: `${b - a}%` }} /><i class="middle" style={{ left: `${onScale(middle, most)}%` }} /></span>;
}

const ends = (r: Beta) => [betaPercent(r.beta_low, r.kind), betaPercent(r.beta, r.kind), betaPercent(r.beta_high, r.kind)] as const;

/** How the coin moved with each series: beta and correlation with whiskers, and what they amount to. */
export function BetasPanel({ found }: { found: Macro }) {
  const told = found.betas.filter((r) => r.beta !== null);
  const most = (kind: Beta["kind"]) => Math.max(...found.betas.filter((r) => r.kind === kind).flatMap((r) => ends(r).map((v) => Math.abs(v ?? 0))), 0.001);
  const scales = { log: most("log"), difference: most("difference") };
  const last = Math.max(...told.map((r) => r.end_ms ?? 0));
  const sure = told.filter((r) => r.verdict !== "not resolvable");
  return (
    <Panel id="macro-betas" title={told.length ? `${found.base} against the wider economy: ${sure.length ? `${sure.length} of ${told.length} betas are told from 0` : "no beta is told from 0"}` : `${found.base} against the wider economy`} unit="daily changes between the same instants; 95 % intervals"
      origin={{ source: found.price ? `${found.price.price_kind}s of ${found.price.venue} ${found.price.symbol}; ${source(found)}` : source(found), coverage: `${told.length} of ${found.betas.length} betas can be told${last > 0 ? `, of changes up to ${dateTime(last, true).slice(0, -9)}` : ""}` }} call={() => callFor("macro", { base: found.base })}
      csv={() => ({ header: ["series", "changes", "kind", "beta", "beta_low", "beta_high", "correlation", "correlation_low", "correlation_high", "ewma_beta", "verdict"], rows: found.betas.map((r) => [r.series, r.n, r.kind, r.beta, r.beta_low, r.beta_high, r.correlation, r.correlation_low, r.correlation_high, r.ewma_beta, r.verdict]) })}
      note={told.length ? <p class="legend-line"><span><i class="key whisk" aria-hidden="true" /> 95 % interval</span><span><i class="key whisk unresolved" aria-hidden="true" /> holds 0: not resolvable</span><span>{found.betas_note}.</span><span>Scales run from −{scales.difference.toFixed(0)} to +{scales.difference.toFixed(0)} % per percentage point, −{scales.log.toFixed(1)} to +{scales.log.toFixed(1)} % per percent; correlation from −1 to 1, its interval too narrow on real returns.</span></p> : undefined}
    >
      {told.length === 0 ? <p class="empty" data-testid="betas-empty">{found.betas.length ? `${Math.max(...found.betas.map((r) => r.n))} daily changes of ${found.base} and a series are known together: too few for a beta` : `${found.betas_reason[0]?.toUpperCase() ?? ""}${found.betas_reason.slice(1)}`}.</p> : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Betas, scrolls sideways">
          <table class="lev betas">
            <thead><tr><th scope="col">Against</th><th scope="col" class="right">Changes</th><th scope="col" class="right">{found.base} moves</th><th scope="col">Beta</th><th scope="col" class="right">Correlation</th><th scope="col"><span class="sr">Correlation drawn</span></th><th scope="col">Verdict</th></tr></thead>
            <tbody>
              {found.betas.map((r) => {
                const [low, middle, high] = ends(r);
                return (
                  <tr key={r.series + r.n} data-testid={`beta-${r.series}-${r.n}`} data-beta={r.beta ?? ""} data-verdict={r.verdict} title={r.words}>
                    <th scope="row">{r.title}</th><td class="right faint">{r.n}</td>
                    <td class="right" title={middle === null ? undefined : `${signed(low, 1)} to ${signed(high, 1)} %`}>{middle === null ? "—" : <><b>{signed(middle, 1)} %</b> <span class="faint">per {r.step}</span></>}</td>
                    <td><Interval low={low} middle={middle} high={high} most={scales[r.kind]} testid="whisker" /><span class="sr">{low === null ? "" : `95 % interval ${signed(low, 1)} to ${signed(high, 1)} %`}</span></td>
                    <td class="right">{signed(r.correlation, 2)}</td>
                    <td><Interval low={r.correlation_low} middle={r.correlation} high={r.correlation_high} most={1} /></td>
                    <td class={r.verdict === "not resolvable" ? "faint" : "strong"}>{r.verdict}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
