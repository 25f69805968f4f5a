import { extent, type Layer, nearest, type PlotChart, plotChart, type Point } from "../../charts/plot";
import { clockMinute, dateTime, dayMonth, duration, zone } from "../../format";
import { broken, daysWords, expiryWords, points, signedPoints, type Term, tick, type VolatilityIndex } from "../../options";
import { useApp } from "../../state";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { callOf, inks, Key, originOf, type Shared } from "./parts";

const TICKS = [0.5, 1, 2, 4, 7, 14, 30, 60, 120, 240, 365, 730];
const hundred = (v: number | null) => (v === null ? null : 100 * v);

/** At-the-money volatility and skew at every expiry and at constant maturities. */
export function TermPanel({ term, shared }: { term: Term; shared: Shared }) {
  const ends = term.expiries.filter((e) => e.atm !== null);
  const { element, chart } = useChart<PlotChart>(
    plotChart,
    (plot) => {
      if (!ends.length) return;
      const c = inks();
      const at = (name: "atm" | "rr25" | "rr10" | "bf25"): Point[] => ends.map((e) => [e.tenor_days, hundred(e[name])]);
      const past: Point[] = term.realised.filter((r) => r.now !== null && r.horizon_days >= 7).map((r) => [r.horizon_days, hundred(r.now)]);
      const y = extent([...at("atm"), ...at("rr25"), ...past].map(([, v]) => v), true);
      const layers: Layer[] = [
        { kind: "level", y: 0, colour: c.ink3 },
        { kind: "line", points: at("atm"), colour: c.ink, dash: "dotted" }, { kind: "dots", points: at("atm"), shape: "circle", colour: c.ink, hollow: true },
        { kind: "line", points: at("rr25"), colour: c.put, dash: "dotted" }, { kind: "dots", points: at("rr25"), shape: "diamond", colour: c.put, hollow: true },
        { kind: "line", points: at("bf25"), colour: c.ink3, dash: "dotted" }, { kind: "dots", points: at("bf25"), shape: "cross", colour: c.ink2 },
        { kind: "dots", points: past, shape: "diamond", colour: c.ink, size: 4 },
      ];
      plot.update({
        x: { min: ends[0]!.tenor_days * 0.85, max: ends.at(-1)!.tenor_days * 1.15, logTicks: TICKS.filter((d) => d > ends[0]!.tenor_days * 0.85 && d < ends.at(-1)!.tenor_days * 1.15), format: (v) => daysWords(v) },
        y: { min: y[0], max: y[1], format: tick },
        layers,
        note: (x) => {
          const e = ends[nearest(ends.map((o) => Math.log(o.tenor_days)), Math.log(x))];
          return e ? [`${expiryWords(e.expiry_ms)}, ${daysWords(e.tenor_days)}`, `at the money ${points(e.atm, 2)}`, `RR25 ${signedPoints(e.rr25, 2)}, BF25 ${signedPoints(e.bf25, 2)}`, `RR10 ${signedPoints(e.rr10, 2)}, BF10 ${signedPoints(e.bf10, 2)}`] : [];
        },
      });
    },
    [term],
  );
  return (
    <Panel id="term" title="Term structure" unit="points; days to expiry, log scale" origin={originOf(term)} call={() => callOf("term", shared)} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["expiry", "days", "forward", "atm", "rr25", "bf25", "rr10", "bf10"], rows: term.expiries.map((e) => [new Date(e.expiry_ms).toISOString(), e.tenor_days, e.forward, e.atm, e.rr25, e.bf25, e.rr10, e.bf10]) })}
      note={
        <div class="legend-line">
          <Key kind="ring">at the money</Key><Key kind="rhomb put">risk reversal 25Δ</Key><Key kind="cross">butterfly 25Δ</Key><Key kind="rhomb solid">realised over as many days</Key>
          <span>{term.sign}.</span>
        </div>
      }
    >
      <div ref={element} class="plot" role="img" aria-label="Volatility and skew by days to expiry; the table below holds the numbers" />
      {ends.length ? null : <p class="empty">No expiry could be fitted.</p>}
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Constant maturities, scrolls sideways">
        <table class="numbers" data-testid="term-table">
          <thead><tr><th scope="col">Tenor</th>{["ATM", "RR25", "BF25", "RR10", "BF10", "realised", "premium, var. points"].map((h) => <th key={h} scope="col" class="right">{h}</th>)}</tr></thead>
          <tbody>
            {term.tenors.map((t) => {
              const past = term.variance_premium.find((p) => p.tenor_days === t.tenor_days);
              return (
                <tr key={t.tenor_days} data-testid={`tenor-${t.tenor_days}`} data-atm={t.atm ?? ""} data-rr25={t.rr25 ?? ""}>
                  <th scope="row">{daysWords(t.tenor_days)}</th><td class="right strong">{points(t.atm)}</td><td class="right">{signedPoints(t.rr25)}</td><td class="right">{signedPoints(t.bf25)}</td><td class="right">{signedPoints(t.rr10)}</td><td class="right">{signedPoints(t.bf10)}</td>
                  <td class="right">{points(past?.realised_before)}</td><td class="right">{past?.premium == null ? "—" : (1e4 * past.premium).toFixed(0)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p class="hint-line faint">{term.realised_reason ? `${term.realised_reason}.` : `Realised: ${term.realised_source}; unknown where the candles do not reach back far enough.`}</p>
    </Panel>
  );
}

interface Track {
  name: string;
  ts: number[];
  values: (number | null)[];
  colour: (c: ReturnType<typeof inks>) => string;
  dash?: "dotted" | "dashed";
  width?: number;
}

/** Whether no neighbour is near enough for a line to be drawn. */
const alone = (ts: number[], i: number, bucketMs: number) => [ts[i - 1], ts[i + 1]].every((other) => other === undefined || Math.abs(other - ts[i]!) > 2.5 * bucketMs);

function useTracks(tracks: Track[], window: [number, number], bucketMs: number, zero: boolean, say: (track: Track, value: number | null) => string) {
  const utc = useApp((s) => s.utc);
  const all = tracks.flatMap((t) => t.ts);
  return useChart<PlotChart>(
    plotChart,
    (plot) => {
      if (!all.length) return;
      const c = inks();
      const [from, to] = [Math.min(window[0], ...all), Math.max(window[1], ...all)];
      const y = extent(tracks.flatMap((t) => t.values), zero, 0.06, 2);
      const long = to - from > 2 * 86_400_000;
      plot.update({
        x: { time: true, min: from, max: to, format: (ms) => (long ? dayMonth(ms, utc) : clockMinute(ms, utc)) },
        y: { min: y[0], max: y[1], format: tick },
        layers: [
          ...(zero ? [{ kind: "level" as const, y: 0, colour: c.ink3 }] : []),
          ...tracks.map((t): Layer => ({ kind: "line", points: broken(t.ts, t.values, bucketMs), colour: t.colour(c), width: t.width ?? 2, ...(t.dash ? { dash: t.dash } : {}) })),
          ...tracks.map((t): Layer => ({ kind: "dots", shape: "circle", size: 2.5, colour: t.colour(c), points: t.ts.flatMap((ms, i): Point[] => (alone(t.ts, i, bucketMs) ? [[ms, t.values[i] ?? null]] : [])) })),
        ],
        note: (x) => {
          const lines = tracks.flatMap((t) => (t.ts.length ? [say(t, t.values[nearest(t.ts, x)] ?? null)] : []));
          const first = tracks.find((t) => t.ts.length);
          return first ? [`${dateTime(first.ts[nearest(first.ts, x)]!, utc)} ${zone(utc)}`, ...lines] : [];
        },
      });
    },
    [tracks.map((t) => `${t.ts.length}:${t.ts.at(-1)}:${t.values.at(-1)}`).join(), utc, window[0], window[1]],
  );
}

/** How 30-day skew went through the window. */
export function SkewHistory({ term, shared, words, window }: { term: Term; shared: Shared; words: string; window: [number, number] }) {
  const h = term.history;
  const tracks: Track[] = [
    { name: "RR25", ts: h.ts_ms, values: h.rr25.map(hundred), colour: (c) => c.put, dash: "dotted", width: 2.5 },
    { name: "BF25", ts: h.ts_ms, values: h.bf25.map(hundred), colour: (c) => c.ink2, dash: "dotted" },
    { name: "RR10", ts: h.ts_ms, values: h.rr10.map(hundred), colour: (c) => c.put, dash: "dashed", width: 1 },
    { name: "BF10", ts: h.ts_ms, values: h.bf10.map(hundred), colour: (c) => c.ink2, dash: "dashed", width: 1 },
  ];
  const { element, chart } = useTracks(tracks, window, h.bucket_ms, true, (t, v) => `${t.name} ${v === null ? "—" : signedPoints(v / 100, 2)}`);
  return (
    <Panel id="skew-history" title="30-day skew through the window" unit={`points, last ${words}, a chain per ${duration(h.bucket_ms)}`} origin={originOf(term)} call={() => callOf("term", shared)} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["ts", "atm", "rr25", "bf25", "rr10", "bf10"], rows: h.ts_ms.map((ms, i) => [new Date(ms).toISOString(), h.atm[i] ?? null, h.rr25[i] ?? null, h.bf25[i] ?? null, h.rr10[i] ?? null, h.bf10[i] ?? null]) })}
      note={<div class="legend-line"><Key kind="dots put">risk reversal 25Δ</Key><Key kind="dashes put">10Δ</Key><Key kind="dots">butterfly 25Δ</Key><Key kind="dashes">10Δ</Key><span>below 0 puts are dearer than calls</span></div>}
      table={<HistoryTable names={["ATM", "RR25", "BF25", "RR10", "BF10"]} ts={h.ts_ms} columns={[h.atm, h.rr25, h.bf25, h.rr10, h.bf10].map((s) => s.map((v) => points(v, 2)))} />}
    >
      <div ref={element} class="plot" role="img" aria-label="30-day risk reversal and butterfly through time; the table below holds the numbers" />
      {h.ts_ms.length ? null : <p class="empty">No chain in the last {words}.</p>}
    </Panel>
  );
}

function HistoryTable({ names, ts, columns }: { names: string[]; ts: number[]; columns: string[][] }) {
  const utc = useApp((s) => s.utc);
  return (
    <table>
      <caption>Through the window</caption>
      <thead><tr><th scope="col">Time ({zone(utc)})</th>{names.map((n) => <th key={n} scope="col">{n}</th>)}</tr></thead>
      <tbody>{ts.map((ms, i) => <tr key={ms}><th scope="row">{dateTime(ms, utc)}</th>{columns.map((c, j) => <td key={j}>{c[i]}</td>)}</tr>)}</tbody>
    </table>
  );
}

/** The volatility index made here, beside the published one, with what it was made of. */
export function IndexPanel({ index, shared, words, window }: { index: VolatilityIndex; shared: Shared; words: string; window: [number, number] }) {
  const utc = useApp((s) => s.utc);
  const h = index.history;
  const { ours, published } = index;
  const tracks: Track[] = [
    { name: "published", ts: h.published_ts_ms, values: h.published, colour: (c) => c.ink2, width: 1.5 },
    { name: "ours", ts: h.ts_ms, values: h.points, colour: (c) => c.ink, dash: "dotted", width: 2.5 },
  ];
  const { element, chart } = useTracks(tracks, window, h.bucket_ms, false, (t, v) => `${t.name} ${v === null ? "—" : v.toFixed(2)}`);
  const apart = index.seconds_apart === null ? "" : `, ${Math.abs(index.seconds_apart) < 90 ? `${Math.abs(index.seconds_apart).toFixed(0)} s` : duration(1000 * Math.abs(index.seconds_apart))} apart`;
  const title = published && ours?.points != null && index.difference_points !== null ? `Volatility index: ours ${Math.abs(index.difference_points).toFixed(2)} points ${index.difference_points < 0 ? "below" : "above"} the published one` : "Volatility index, made from this chain";
  return (
    <Panel id="volatility-index" title={title} unit={`points, 30 days, last ${words}`} origin={originOf(index)} call={() => callOf("volatility-index", shared)} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["ts", "index", "points"], rows: [...h.ts_ms.map((ms, i) => [new Date(ms).toISOString(), "ours", h.points[i] ?? null]), ...h.published_ts_ms.map((ms, i) => [new Date(ms).toISOString(), "published", h.published[i] ?? null])] })}
      note={
        <div class="legend-line">
          <Key kind="dots">ours, from two-sided mids</Key><Key kind={published ? "line thin" : ""}>{published ? `published by ${published.venue} (${published.index_name}), ${dateTime(published.ts_ms, utc)} ${zone(utc)}${apart}` : "none published in the data"}</Key>
        </div>
      }
      table={<HistoryTable names={["ours"]} ts={h.ts_ms} columns={[h.points.map((v) => (v === null ? "—" : v.toFixed(2)))]} />}
    >
      <div ref={element} class="plot" role="img" aria-label="The volatility index through time, ours and the published one" />
      {h.ts_ms.length || h.published_ts_ms.length ? null : <p class="empty">Neither a chain nor a published index in the last {words}.</p>}
      <div class="scroll-x" tabIndex={0} role="region" aria-label="How the index was made, scrolls sideways">
        <table class="numbers" data-testid="index-table">
          <thead><tr><th scope="col">Made from</th><th scope="col" class="right">Points</th><th scope="col">Which prices</th></tr></thead>
          <tbody>
            {index.variants.map((v) => <tr key={v.name} data-testid={`variant-${v.name}`} data-value={v.points ?? ""}><th scope="row">{v.name}</th><td class="right strong">{v.points === null ? "—" : v.points.toFixed(2)}</td><td class="wrap">{v.what}</td></tr>)}
            {published ? <tr data-testid="published-index" data-value={published.points}><th scope="row">published</th><td class="right strong">{published.points.toFixed(2)}</td><td class="wrap">{published.venue}, {dateTime(published.ts_ms, utc)} {zone(utc)}</td></tr> : null}
          </tbody>
        </table>
      </div>
      {ours ? (
        <p class="hint-line faint">
          {[ours.near, ours.next].flatMap((leg) => (leg ? [`${expiryWords(leg.expiry_ms)} weighs ${(100 * leg.weight).toFixed(0)} %: ${leg.strikes} strikes${leg.low_strike === null ? "" : `, ${leg.low_strike / 1000} to ${leg.high_strike! / 1000} k`}`] : [])).join("; ")}
          {ours.reasons.length ? `. ${ours.reasons.join("; ")}` : ""}. Wings decide more points than anything else. {index.skill}
        </p>
      ) : null}
    </Panel>
  );
}
