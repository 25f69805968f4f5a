import { diverging } from "../../charts/diverging";
import { colours } from "../../charts/colours";
import { type Layer, nearest, type PlotChart, plotChart, type Point } from "../../charts/plot";
import { dateTime, dayMonth, percent, zone } from "../../format";
import { figureOf, partValue, type Sentiment, signed } from "../../outside";
import { useApp } from "../../state";
import { callFor } from "../../words";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { Aged, Told, Why } from "./Parts";

const DAY = 86_400_000;
/** How far from rest each band is drawn, from fear to greed. */
const HUES: Record<string, [number, number]> = { "extreme fear": [-1, 0.3], fear: [-1, 0.13], neutral: [0, 0], greed: [1, 0.13], "extreme greed": [1, 0.3] };

/** "14 Nov ’25" */
const short = (ms: number, utc: boolean) => `${dayMonth(ms, utc)} ’${dateTime(ms, utc).slice(-11, -9)}`;

function layers(found: Sentiment, from: number, to: number): Layer[] {
  const c = colours();
  const points = found.history.ts_ms.map((ms, i): Point => [ms, found.history.value[i] ?? null]);
  const own = found.own_history.ts_ms.map((ms, i): Point => [ms, found.own_history.value[i] ?? null]);
  const stale = found.index?.status === "stale";
  return [
    ...found.bands.map(({ band, from: low, to: high }): Layer => ({ kind: "band", points: [[from, low, high], [to, low, high]], colour: diverging(HUES[band]?.[0] ?? 0), opacity: HUES[band]?.[1] ?? 0 })),
    ...found.bands.map(({ band, from: low }): Layer => ({ kind: "level", y: low, colour: c.line, label: band })),
    { kind: "line", points: own, colour: c.ink2, width: 1.5, dash: "dotted" },
    { kind: "line", points, colour: stale ? c.ink3 : c.ink, width: 2 },
    ...(points.length ? [{ kind: "dots", points: [points.at(-1)!], colour: stale ? c.ink3 : c.ink, shape: "circle", hollow: stale } satisfies Layer] : []),
  ];
}

function note(found: Sentiment, x: number, utc: boolean): string[] {
  const i = nearest(found.history.ts_ms, x);
  const ms = found.history.ts_ms[i];
  if (ms === undefined || !found.index) return [];
  const k = nearest(found.own_history.ts_ms, ms);
  const near = Math.abs((found.own_history.ts_ms[k] ?? 0) - ms) < 1.5 * DAY;
  const word = found.history.source_band[i];
  return [
    `${found.history.value[i]}, ${found.history.band[i]}`, `${found.index.title}, ${dateTime(ms, utc).slice(0, -9)} (${zone(utc)})`,
    word ? `${found.index.source_band_by}'s own word: ${word}` : "", near ? `our own index: ${found.own_history.value[k]?.toFixed(0)} (modelled)` : "", found.index.attribution,
  ];
}

function Readout({ found }: { found: Sentiment }) {
  const utc = useApp((s) => s.utc);
  const index = found.index;
  if (!index) return null;
  const [name, link] = index.attribution.split(" (");
  const low = index.as_low_on_ms, high = index.as_high_on_ms;
  return (
    <div class="readout">
      <p>
        <Told found={figureOf(found, "sentiment.fear_greed")} text={index.value.toFixed(0)} unit="of 100" class="big" /> <b data-testid="sentiment-band">{index.band}</b>
        {index.source_band ? <span class={index.words_differ ? "" : "faint"} data-testid="sentiment-source-word"> our band; {index.source_band_by}'s word: “{index.source_band}”{index.words_differ ? ", which differs" : ""}</span> : null}
      </p>
      <p>
        {index.month_before !== null && index.month_before_at_ms !== null ? <span><b>{signed(index.month_change, 0)}</b> against {index.month_before.toFixed(0)} ({index.month_before_band}) on {dayMonth(index.month_before_at_ms, true)}</span> : <span class="faint">a month before: not known</span>}
        <span><b>{index.days_in_band}</b> {index.days_in_band === 1 ? "day" : "days"} in this band</span>
        {index.year_rank !== null ? <span>lower than <b>{percent(1 - index.year_rank)}</b> of {index.ts_ms - index.since_ms >= 365 * DAY ? "a year" : `the ${index.readings - 1} days known before`}</span> : null}
        {low !== null && high !== null ? <span class="faint">last as low {short(low, utc)}, as high {short(high, utc)}</span> : null}
      </p>
      <p class="attribution" data-testid="attribution">{link ? <a href={link.replace(/\)$/, "")} rel="noreferrer" target="_blank">{name}</a> : name}</p>
      <Aged status={index.status} evidence={index.evidence} />
    </div>
  );
}

/** The published index through time on its bands, ours dotted behind it. */
export function SentimentPanel({ found }: { found: Sentiment }) {
  const utc = useApp((s) => s.utc);
  const first = Math.min(found.history.ts_ms[0] ?? found.at_ms, found.own_history.ts_ms[0] ?? found.at_ms);
  const to = found.at_ms + (found.at_ms - first) * 0.13;
  const { element, chart } = useChart<PlotChart>(plotChart, (c) => {
    const stretch = element.current && element.current.clientWidth < 440 ? found.at_ms + (found.at_ms - first) * 0.42 : to;
    c.update({ x: { min: first, max: stretch, format: (ms) => (ms > found.at_ms ? "" : short(ms, utc)) }, y: { min: 0, max: 100, format: (v) => v.toFixed(0) }, layers: layers(found, first, stretch), note: (x) => note(found, x, utc), left: 36 });
  }, [found, utc]);
  const rows = found.history.ts_ms.map((ms, i) => [new Date(ms).toISOString().slice(0, 10), found.history.value[i] ?? null, found.history.band[i] ?? null, found.history.source_band[i] ?? null]);
  const index = found.index;
  return (
    <Panel id="sentiment" class={index?.status === "stale" ? "aged-panel" : ""} title={index ? `Sentiment: ${index.band} at ${index.value.toFixed(0)}` : "Sentiment"} unit="0 fear, 100 greed; a reading a day"
      origin={{ source: index ? `${index.attribution}; ${found.own.attribution}` : "none", coverage: index ? `${index.readings.toLocaleString("en")} daily readings since ${short(index.since_ms, true)}, ${found.history.ts_ms.length} drawn${found.history.every > 1 ? `, every ${found.history.every}th` : ""}` : "no reading" }}
      call={() => callFor("sentiment", {})} png={index ? () => chart.current?.picture() ?? null : undefined} csv={() => ({ header: ["day", "value", "band", "source_word"], rows })}
      table={rows.length === 0 ? undefined : <table><thead><tr><th scope="col">Day</th><th scope="col" class="right">Value</th><th scope="col">Our band</th><th scope="col">Source's word</th></tr></thead><tbody>{rows.slice(-60).toReversed().map((r) => <tr key={String(r[0])}><td>{r[0]}</td><td class="right">{r[1]}</td><td>{r[2]}</td><td>{r[3]}</td></tr>)}</tbody></table>}
      note={index ? <p class="legend-line"><span><i class="key line" aria-hidden="true" /> {index.title}</span><span><i class="key line dots" aria-hidden="true" /> our own index (modelled)</span><span>Neither foretells: extreme fear is no call of a bottom.</span></p> : undefined}
    >
      {index ? <Readout found={found} /> : <Why id="sentiment" nothing={found.empty ?? { reason: "nothing is known", how: "" }} />}
      <div ref={element} class={index || found.own.value !== null ? "chart-sentiment" : "unseen"} role="img" aria-label={index ? `${index.title} over ${found.history.ts_ms.length} days, now ${index.value}, ${index.band}; the table below holds the values` : "nothing to draw"} />
    </Panel>
  );
}

/** Our own index taken apart: of what each part could add, how much it adds. */
export function OwnIndexPanel({ found }: { found: Sentiment }) {
  const { own } = found;
  const known = own.parts.filter((p) => p.percentile !== null);
  const most = Math.max(...own.parts.map((p) => (p.percentile === null ? p.weight : p.share) * 100), 1);
  return (
    <Panel id="own-index" title={own.value === null ? "Our own index: not told" : `Our own index: ${own.band} at ${own.value.toFixed(0)}`} unit="points of 100; parts add up to it" origin={{ source: [...new Set(known.map((p) => p.source))].join(", ") || "none", coverage: `${known.length} of ${own.parts.length} parts, ${percent(own.present)} of the weight${own.missing.length ? `; missing: ${own.missing.join(", ")}` : ""}` }} call={() => callFor("sentiment", {})}
      csv={() => ({ header: ["part", "weight", "share", "percentile", "points", "value", "unit", "days_before", "source", "missing"], rows: own.parts.map((p) => [p.component, p.weight, p.share, p.percentile, p.percentile === null ? null : p.contribution, p.value, p.unit, p.history, p.source, p.why_missing]) })}
      note={<p class="legend-line"><span><i class="key block part" aria-hidden="true" /> what a part adds</span><span><i class="key track" aria-hidden="true" /> the most it could</span><span>Each part is ranked among its own values of the 365 days before; 0 is fear. Weights are chosen, not fitted; no forecast.</span></p>}
    >
      {own.value === null ? <p class="own-none" data-testid="own-none">Not told: {own.reason}.</p> : <p class="readout"><Told found={figureOf(found, "sentiment.own")} text={own.value.toFixed(1)} unit="of 100" class="big" /> <b>{own.band}</b> <span class="faint">modelled, from {percent(own.present)} of the weight</span></p>}
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Parts of our own index, scrolls sideways">
        <table class="lev own-parts">
          <thead><tr><th scope="col">Part</th><th scope="col" class="bar-head">Adds</th><th scope="col" class="right">Points</th><th scope="col" class="right">Rank</th><th scope="col" class="right">Now</th></tr></thead>
          <tbody>
            {own.parts.map((p) => (
              <tr key={p.component} data-testid={`part-${p.component}`} data-points={p.percentile === null ? "" : p.contribution} class={p.percentile === null ? "old" : ""}>
                <th scope="row" title={`${percent(p.weight)} of the weight; ${p.source}`}>{p.title}</th>
                {p.percentile === null ? <td colSpan={4} class="missing-part" title={p.why_missing}><span>{p.why_missing.replace("not in the data: ", "missing: ")}</span></td> : (
                  <>
                    <td><span class="part-track" style={{ width: `${(p.share * 10000) / most}%` }} aria-hidden="true"><i style={{ width: `${p.percentile}%` }} /></span></td>
                    <td class="right strong">{p.contribution.toFixed(1)}</td>
                    <td class="right" title={`among ${p.history} days before`}>{p.percentile.toFixed(0)} %</td>
                    <td class="right">{partValue(p.value, p.unit)}</td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
