/** Venue × time: one cell per bucket, coloured on the logarithmic ramp; cells that were not recorded are hatched. */

import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams, CustomSeriesRenderItemReturn } from "echarts/types/dist/shared";
import { clockMinute, dayMonth } from "../format";
import { hideTip, showTip } from "../tip";
import type { Heatmap } from "../types";
import { type Colours, colours, hatchTile } from "./colours";
import { mount, picture, pointer } from "./echart";
import type { Picture } from "./export";
import { logScale, onScale, ramp } from "./ramp";

export interface HeatmapChart {
  update: (heatmap: Heatmap, utc: boolean) => void;
  picture: () => Picture;
  dispose: () => void;
}

type Box = { x: number; y: number; width: number; height: number };

export function heatmapChart(element: HTMLElement, note: (row: number, bucket: number) => string[]): HeatmapChart {
  const { chart, dispose } = mount(element);
  let shown: Heatmap | null = null;
  let c: Colours = colours();

  const box = (api: CustomSeriesRenderItemAPI, row: number, from: number, to: number): Box => {
    const [x0 = 0, y = 0] = api.coord([from, row]) as number[];
    const [x1 = 0] = api.coord([to, row]) as number[];
    const size = api.size?.([0, 1]) as number[];
    const height = size[1] ?? 0;
    return { x: x0, y: y - height / 2 + 1, width: Math.max(1, x1 - x0 - 1), height: height - 2 };
  };

  const cell = (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): CustomSeriesRenderItemReturn => {
    const row = Number(api.value(1));
    const from = Number(api.value(0));
    const usd = Number(api.value(2));
    const scale = logScale(shown?.max_usd ?? null);
    const fill = Number.isNaN(usd)
      ? { image: hatchTile(c.hatch), repeat: "repeat" as const }
      : usd === 0
        ? c.zero
        : ramp(onScale(scale, usd));
    return { type: "rect", shape: box(api, row, from, from + (shown?.bucket_ms ?? 0)), style: { fill } };
  };

  const label = (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): CustomSeriesRenderItemReturn => {
    const start = shown?.start_ms ?? 0;
    const whole = box(api, Number(api.value(1)), start, start + (shown?.bucket_ms ?? 0) * (shown?.buckets ?? 0));
    const middle = { x: whole.x + whole.width / 2, y: whole.y + whole.height / 2 };
    return {
      type: "group",
      silent: true,
      children: [
        { type: "rect", shape: { x: middle.x - 48, y: middle.y - 10, width: 96, height: 20 }, style: { fill: c.panel } },
        { type: "text", style: { ...middle, text: "not recorded", align: "center", verticalAlign: "middle", fill: c.ink2, font: `12px ${c.font}` } },
      ],
    };
  };

  const zr = chart.getZr();
  chart.on("mousemove", (params) => {
    const at = pointer(params);
    if (params.seriesIndex !== 0 || !shown) return hideTip();
    const [start = 0, row = 0] = params.value as number[];
    showTip(at.x, at.y, note(row, Math.round((start - shown.start_ms) / shown.bucket_ms)));
  });
  chart.on("mouseout", hideTip);
  zr.on("globalout", hideTip);

  return {
    update: (heatmap, utc) => {
      shown = heatmap;
      c = colours();
      const { start_ms: start, bucket_ms: bucket, buckets, rows } = heatmap;
      const cells = rows.flatMap((row, r) => row.values.map((usd, i) => [start + i * bucket, r, usd ?? Number.NaN]));
      const blind = rows.flatMap((row, r) => (row.values.every((v) => v === null) ? [[start, r]] : []));
      const narrow = element.clientWidth < 440;
      const text = { color: c.ink2, fontSize: 12, fontFamily: c.font };
      chart.setOption({
        animation: false,
        useUTC: utc,
        grid: { left: narrow ? 78 : 92, right: 10, top: 4, bottom: 26 },
        xAxis: {
          type: "time",
          min: start,
          max: start + bucket * buckets,
          splitNumber: narrow ? 3 : 6,
          axisLine: { lineStyle: { color: c.line } },
          axisTick: { lineStyle: { color: c.line } },
          splitLine: { show: false },
          axisLabel: { ...text, hideOverlap: true, formatter: (ms: number) => (clockMinute(ms, utc) === "00:00" ? dayMonth(ms, utc) : clockMinute(ms, utc)) },
        },
        yAxis: { type: "category", inverse: true, data: rows.map((r) => r.title), axisLine: { show: false }, axisTick: { show: false }, axisLabel: text },
        series: [
          { id: "cells", type: "custom", renderItem: cell, data: cells, encode: { x: 0, y: 1 }, clip: true },
          { id: "labels", type: "custom", renderItem: label, data: blind, encode: { x: 0, y: 1 }, silent: true, z: 3 },
        ],
      });
    },
    picture: () => picture(chart, c.panel),
    dispose,
  };
}
