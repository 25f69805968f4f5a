import { useEffect, useState } from "preact/hooks";
import type { Params } from "../../api";
import { nearest, type PlotChart, plotChart, type Point, roundStep } from "../../charts/plot";
import { percent, price } from "../../format";
import { daysWords, type Density, expiryWords, getOptions, priceTick, rangeWords, tick, type Touch } from "../../options";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { callOf, inks, Key, originOf, type Shared } from "./parts";

const SETTLE_MS = 140;
export const DAYS = [1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365];

/** A step that makes round levels: 500 around 80,000, 0.5 around 80. */
export const stepOf = (spot: number) => 10 ** Math.floor(Math.log10(spot) - 1) / 20;

/** Asks for one level and date, shortly after the slider stands still. */
function useTouch(params: Params, chain: string, level: number | null, days: number): { touch: Touch | null; error: string | null } {
  const [touch, set] = useState<Touch | null>(null);
  const [error, fail] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => {
      getOptions<Touch>("touch", { ...params, level: level ?? undefined, days })
        .then((found) => { if (wanted) { set(found); fail(null); } })
        .catch((problem: unknown) => { if (wanted) fail(problem instanceof Error ? problem.message : String(problem)); });
    }, touch ? SETTLE_MS : 0);
    return () => { wanted = false; clearTimeout(timer); };
  }, [chain, level, days]);
  return { touch, error };
}

/** The chance of touching a level by a date, with a slider for each; a range between models, never one number. */
export function TouchPanel({ shared, level, setLevel, days, setDays }: { shared: Shared; level: number | null; setLevel: (level: number) => void; days: number; setDays: (days: number) => void }) {
  const { head, params } = shared;
  const { touch, error } = useTouch(params, `${head.inputs_hash} ${head.base} ${head.venue}`, level, days);
  const spot = touch?.spot?.price ?? head.spot?.price ?? null;
  const found = touch?.touch ?? null;
  const asked = level ?? touch?.level ?? null;
  const profile = touch?.profile ?? null;
  const { element, chart } = useChart<PlotChart>(
    plotChart,
    (plot) => {
      if (!profile || spot === null) return;
      const c = inks();
      const hundred = (v: number | null | undefined) => (v === null || v === undefined ? null : 100 * v);
      const { levels } = profile;
      // At spot itself the level is touched already.
      const at = levels.findIndex((l) => l > spot);
      const split = <T,>(rows: T[], middle: T): T[] => [...rows.slice(0, at), middle, ...rows.slice(at)];
      plot.update({
        x: { min: levels[0]!, max: levels.at(-1)!, format: priceTick }, y: { min: 0, max: 100, format: (v) => `${v} %` },
        layers: [
          { kind: "band", colour: c.ink2, opacity: 0.35, points: split(levels.map((l, i): [number, number | null, number | null] => [l, hundred(profile.low[i]), hundred(profile.high[i])]), [spot, 100, 100]) },
          { kind: "line", colour: c.put, dash: "dotted", points: levels.map((l, i): Point => [l, l < spot ? hundred(profile.finish[i]) : null]) },
          { kind: "line", colour: c.call, dash: "dotted", points: levels.map((l, i): Point => [l, l > spot ? hundred(profile.finish[i]) : null]) },
          { kind: "upright", x: spot, colour: c.ink, label: `spot ${price(spot)}`, row: 1 },
          ...(asked === null ? [] : [{ kind: "upright" as const, x: asked, colour: c.ink2, dash: "dashed" as const, label: price(asked) }]),
          ...(found && asked !== null ? [{ kind: "whiskers" as const, colour: c.ink, rows: [[asked, 100 * found.low, 100 * found.high] as [number, number, number]] }] : []),
        ],
        note: (x) => { const i = nearest(levels, x); return [`${price(levels[i])} by ${touch?.by_ms ? expiryWords(touch.by_ms) : ""}`, `touch ${rangeWords(profile.low[i] ?? 0, profile.high[i] ?? 0)}`, `finish beyond ${percent(profile.finish[i])}`]; },
      });
    },
    [touch, asked, found],
  );
  const step = spot ? stepOf(spot) : 1;
  const low = spot ? Math.ceil((0.6 * spot) / step) * step : 0;
  const high = spot ? Math.floor((1.4 * spot) / step) * step : 1;
  const longest = DAYS.filter((d) => d <= Math.max(days, 365));
  const title = found && asked !== null && touch?.by_ms ? `${rangeWords(found.low, found.high)} that ${head.base} touches ${price(asked)} by ${expiryWords(touch.by_ms)}` : "Chance of touching a level";
  return (
    <Panel id="touch" title={title} unit="risk-neutral, range between models" origin={touch ? originOf(touch) : originOf(head)} call={() => callOf("touch", shared, { level: asked ?? undefined, days })} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["level", "finish", "touch_low", "touch_high"], rows: (profile?.levels ?? []).map((l, i) => [l, profile!.finish[i] ?? null, profile!.low[i] ?? null, profile!.high[i] ?? null]) })}
      note={<div class="legend-line"><Key kind="shade">touch, between models</Key><Key kind="dots">finish beyond</Key></div>}
      table={profile ? (
        <table><caption>Chances by level</caption><thead><tr>{["Level", "Touch, least", "Touch, most", "Finish beyond"].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
          <tbody>{profile.levels.map((l, i) => <tr key={l}><th scope="row">{price(l)}</th><td>{percent(profile.low[i])}</td><td>{percent(profile.high[i])}</td><td>{percent(profile.finish[i])}</td></tr>)}</tbody></table>
      ) : undefined}
    >
      <div class="sliders">
        <label>
          <span>Level <b>{price(asked)}</b>{spot && asked !== null ? <span class="faint"> {asked < spot ? "−" : "+"}{Math.abs(100 * (asked / spot - 1)).toFixed(1)} %</span> : null}</span>
          <input type="range" data-testid="touch-level" min={low} max={high} step={step} value={asked ?? low} disabled={!spot} onInput={(e) => setLevel(Number(e.currentTarget.value))} aria-valuetext={`${price(asked)} USD`} />
        </label>
        <label>
          <span>Within <b>{daysWords(days)}</b>{touch?.by_ms ? <span class="faint"> to {expiryWords(touch.by_ms)}</span> : null}</span>
          <input type="range" data-testid="touch-days" min={0} max={longest.length - 1} step={1} value={Math.max(0, longest.indexOf(days))} onInput={(e) => setDays(longest[Number(e.currentTarget.value)] ?? 30)} aria-valuetext={daysWords(days)} />
        </label>
      </div>
      <div ref={element} class="plot" role="img" aria-label={`${title}; the table below holds other levels`} />
      {error ? <p class="hint-line attention-text" role="status">{error}</p> : null}
      {found ? (
        <dl class="chances" data-testid="touch-chances" data-low={found.low} data-high={found.high} data-finish={found.finish}>
          {([["finish beyond", found.finish, "by the smile"], ["local volatility", found.local_volatility, "touch, the fitted surface"], ["one volatility, at the money", found.flat_atm, "touch"], ["one volatility, at the level", found.flat_level, "touch"], ["twice the digital", found.twice_digital, "touch, a rule of thumb"]] as const).map(([name, value, what]) => (
            <div key={name}><dt>{name} <span class="faint">{what}</span></dt><dd>{percent(value)}</dd></div>
          ))}
        </dl>
      ) : null}
      <p class="hint-line" data-testid="touch-reminder"><b>Not a forecast.</b> {touch?.reminder ?? ""}{found?.is_extrapolated ? " Later than the last expiry: its volatility is carried on." : ""}</p>
    </Panel>
  );
}

/** The density of the price at the date of the slider. */
export function DensityPanel({ density, shared }: { density: Density; shared: Shared }) {
  const spot = density.spot?.price ?? null;
  const at = (share: number) => density.quantiles.find((q) => q.share === share)?.price ?? null;
  const [low, high] = [at(0.05), at(0.95)];
  const width = spot === null ? 1 : roundStep(spot, 100);
  const { element, chart } = useChart<PlotChart>(
    plotChart,
    (plot) => {
      if (!density.strikes.length || spot === null) return;
      const c = inks();
      const shown = density.strikes.map((s, i): Point => [s, density.density[i] === null ? null : (density.density[i] ?? 0) * width * 100]).filter(([s]) => s > 0.35 * spot && s < 1.9 * spot);
      const most = Math.max(...shown.map(([, v]) => v ?? 0));
      plot.update({
        x: { min: shown[0]![0], max: shown.at(-1)![0], format: priceTick }, y: { min: 0, max: 1.1 * most, format: (v, step) => `${tick(v, step)} %` },
        layers: [
          { kind: "band", colour: c.ink2, opacity: 0.3, points: shown.filter(([s]) => low !== null && high !== null && s >= low && s <= high).map(([s, v]) => [s, 0, v]) },
          { kind: "line", points: shown, colour: c.ink, width: 2, dash: "dotted" },
          { kind: "upright", x: spot, colour: c.ink, label: `spot ${price(spot)}` },
          ...([[0.05, low], [0.95, high]] as const).flatMap(([q, p]) => (p === null ? [] : [{ kind: "upright" as const, x: p, colour: c.ink3, dash: "dashed" as const, label: `${100 * q} %`, row: 2 }])),
        ],
        note: (x) => { const i = nearest(density.strikes, x); return [price(density.strikes[i]), `${percent(density.below[i])} finish below`, `${(100 * width * (density.density[i] ?? 0)).toFixed(2)} % per ${priceTick(width)} USD`]; },
      });
    },
    [density],
  );
  const title = density.by_ms ? `Where options price ${density.base} on ${expiryWords(density.by_ms)}` : "Density";
  return (
    <Panel id="density" title={title} unit={`chance per ${priceTick(width)} USD, risk-neutral`} origin={originOf(density)} call={() => callOf("density", shared, { days: density.days ?? undefined })} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["strike", "density_per_usd", "below"], rows: density.strikes.map((s, i) => [s, density.density[i] ?? null, density.below[i] ?? null]) })}
      note={<div class="legend-line"><Key kind="dots">density of the fitted surface</Key><Key kind="shade">nine in ten lie between</Key><span>{density.reminder}{density.is_extrapolated ? " Later than the last expiry." : ""}</span></div>}
      table={<table><caption>Quantiles</caption><thead><tr><th scope="col">Finish below</th><th scope="col">Price</th></tr></thead><tbody>{density.quantiles.map((q) => <tr key={q.share}><th scope="row">{percent(q.share)}</th><td>{price(q.price)}</td></tr>)}</tbody></table>}
    >
      <div ref={element} class="plot" role="img" aria-label={`${title}; the table below holds quantiles`} />
      {density.strikes.length ? null : <p class="empty">No expiry could be fitted.</p>}
    </Panel>
  );
}
