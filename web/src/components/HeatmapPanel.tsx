import { type HeatmapChart, heatmapChart } from "../charts/heatmap";
import { logScale, onScale, ramp, ticks } from "../charts/ramp";
import { clockMinute, dateTime, duration, exact, money, moneyTick, zone } from "../format";
import { store, useApp } from "../state";
import type { Heatmap, NowDocument } from "../types";
import { callFor, momentWords, windowWords } from "../words";
import { Panel } from "./Panel";
import { useChart } from "./useChart";

function cellNote(row: number, bucket: number): string[] {
  const { doc, utc } = store.get();
  const line = doc?.heatmap.rows[row];
  if (!doc || !line) return [];
  const { start_ms: start, bucket_ms: width } = doc.heatmap;
  const from = start + bucket * width;
  const usd = line.values[bucket] ?? null;
  const when = `${dateTime(from, utc)}, ${duration(width)}, ${zone(utc)}`;
  if (usd === null) return ["not recorded", line.title, when];
  return [`${exact(usd)} USD`, line.title, `long ${money(line.long[bucket])}, short ${money(line.short[bucket])}`, when, `as of ${momentWords()}`];
}

function Cells({ heatmap, utc }: { heatmap: Heatmap; utc: boolean }) {
  const starts = Array.from({ length: heatmap.buckets }, (_, i) => heatmap.start_ms + i * heatmap.bucket_ms);
  return (
    <table data-testid="heatmap-table">
      <caption>USD liquidated per venue and {duration(heatmap.bucket_ms)}</caption>
      <thead>
        <tr>
          <th scope="col">Exchange</th>
          {starts.map((ms) => (
            <th key={ms} scope="col">
              {clockMinute(ms, utc)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {heatmap.rows.map((row) => (
          <tr key={row.venue} data-testid={`heatmap-${row.venue}`}>
            <th scope="row">{row.title}</th>
            {row.values.map((usd, i) => (
              <td key={starts[i]} data-value={usd ?? ""}>
                {usd === null ? "not recorded" : money(usd)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const RAMP_STOPS = Array.from({ length: 10 }, (_, i) => ramp(i / 9));

export function HeatmapPanel({ doc }: { doc: NowDocument }) {
  const utc = useApp((s) => s.utc);
  const { heatmap } = doc;
  const { element, chart } = useChart<HeatmapChart>((el) => heatmapChart(el, cellNote), (c) => c.update(heatmap, utc), [doc, utc]);
  const scale = logScale(heatmap.max_usd);
  const labels = ticks(scale);
  const title = "Liquidated by exchange and time";
  const unit = `USD per ${duration(heatmap.bucket_ms)}, last ${windowWords(doc.window)}`;
  return (
    <Panel
      id="heatmap"
      title={title}
      unit={unit}
      call={() => callFor("liquidations/heatmap", { window: doc.window, by: "venue" })}
      png={() => chart.current?.picture() ?? null}
      legend={{ title: "USD per cell, logarithmic; hatched: not recorded", stops: RAMP_STOPS, labels: labels.map(moneyTick) }}
      csv={() => ({
        header: ["venue", "start", "total_usd", "long_usd", "short_usd"],
        rows: heatmap.rows.flatMap((r) => r.values.map((usd, i) => [r.venue, new Date(heatmap.start_ms + i * heatmap.bucket_ms).toISOString(), usd, r.long[i] ?? null, r.short[i] ?? null])),
      })}
      note={
        <div class="legend-line heat" aria-hidden="true">
          <span>
            <i class="key hatched" /> not recorded
          </span>
          <span>
            <i class="key zero" /> 0
          </span>
          <span class="ramp">
            <i style={{ background: `linear-gradient(90deg, ${RAMP_STOPS.join(",")})` }} />
            {labels.map((usd) => (
              <small key={usd} style={{ left: `${onScale(scale, usd) * 100}%` }}>
                {moneyTick(usd)}
              </small>
            ))}
          </span>
          <span>USD per cell, log scale</span>
        </div>
      }
      table={<Cells heatmap={heatmap} utc={utc} />}
    >
      <div ref={element} class="chart-heatmap" role="img" aria-label={`${title}; the table below holds the numbers`} />
    </Panel>
  );
}
