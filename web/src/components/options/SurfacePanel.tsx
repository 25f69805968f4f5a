import { type Layer, type PlotChart, plotChart } from "../../charts/plot";
import { ramp } from "../../charts/ramp";
import { daysWords, points, type Surface } from "../../options";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { callOf, originOf, type Shared } from "./parts";

/** Black or white, whichever reads on a colour of the ramp. */
function inkOn(colour: string): string {
  const [r = 0, g = 0, b = 0] = (colour.match(/\d+/g) ?? []).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#0a0c0f" : "#ffffff";
}

/** Tenor by moneyness: where volatility is dear. */
export function SurfacePanel({ surface, shared }: { surface: Surface; shared: Shared }) {
  const known = surface.moneyness_iv.flat().filter((v): v is number => v !== null);
  const low = Math.min(...known);
  const high = Math.max(...known);
  const onScale = (v: number) => (high > low ? (v - low) / (high - low) : 0.5);
  const heads = surface.moneyness.map((m) => `${Math.round(m * 100)} %`);
  const tenors = surface.tenor_days.map(daysWords);
  const { element, chart } = useChart<PlotChart>(
    plotChart,
    (c) => {
      const cells = surface.moneyness_iv.flatMap((row, y) => row.map((v, x): [number, number, string, string, string] => {
        if (v === null) return [x, y, "hatch", "", ""];
        const fill = ramp(0.08 + 0.84 * onScale(v));
        return [x, y, fill, inkOn(fill), points(v, 0)];
      }));
      const layers: Layer[] = [{ kind: "cells", cells }];
      c.update({
        x: { names: heads, format: String },
        y: { names: tenors, format: String, inverse: true },
        layers,
        note: (x, y) => {
          const [i, j] = [Math.round(x), Math.round(y)];
          const v = surface.moneyness_iv[j]?.[i];
          return v === undefined ? [] : [v === null ? "nothing is listed there" : `${points(v, 2)} points`, `${tenors[j]}, strike at ${heads[i]} of the forward`];
        },
      });
    },
    [surface],
  );
  const stops = Array.from({ length: 10 }, (_, i) => ramp(0.08 + (0.84 * i) / 9));
  return (
    <Panel id="surface" title="Volatility by tenor and strike" unit="points; strike as a share of the forward" origin={originOf(surface)} call={() => callOf("surface", shared)} png={() => chart.current?.picture() ?? null}
      legend={known.length ? { title: "implied volatility, points; hatched: outside the listed expiries", stops, labels: [points(low, 0), points((low + high) / 2, 0), points(high, 0)] } : undefined}
      csv={() => ({ header: ["tenor_days", ...surface.moneyness.map((m) => `iv_at_${m}`)], rows: surface.tenor_days.map((t, i) => [t, ...(surface.moneyness_iv[i] ?? [])]) })}
      note={
        <div class="legend-line heat" aria-hidden="true">
          <span><i class="key hatched" /> outside the listed expiries</span>
          {known.length ? <span class="ramp"><i style={{ background: `linear-gradient(90deg, ${stops.join(",")})` }} /><small style={{ left: "0%" }}>{points(low, 0)}</small><small style={{ left: "100%" }}>{points(high, 0)}</small></span> : null}
          <span>points, linear scale; modelled from the fitted smiles</span>
        </div>
      }
      table={
        <table data-testid="surface-table">
          <caption>Implied volatility in points by tenor and strike as a share of the forward, then by delta</caption>
          <thead><tr><th scope="col">Tenor</th>{[...heads, ...surface.delta].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
          <tbody>{surface.tenor_days.map((t, i) => <tr key={t}><th scope="row">{tenors[i]}</th>{[...(surface.moneyness_iv[i] ?? []), ...(surface.delta_iv[i] ?? [])].map((v, j) => <td key={j}>{points(v)}</td>)}</tr>)}</tbody>
        </table>
      }
    >
      <div ref={element} class="plot" role="img" aria-label="Volatility by tenor and strike; the table below holds the numbers" />
      {known.length ? null : <p class="empty">No tenor lies between listed expiries that could be fitted.</p>}
    </Panel>
  );
}
