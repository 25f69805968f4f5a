/** What rests in a book, price × time: one image of cells on the logarithmic ramp under a line of the mid price. */

import { LineChart } from "echarts/charts";
import { use } from "echarts/core";
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams, CustomSeriesRenderItemReturn } from "echarts/types/dist/shared";
import { clockMinute, clockTime, money, price } from "../format";
import type { BookMap } from "../leverage";
import { hideTip, showTip } from "../tip";
import { type Colours, colours } from "./colours";
import { mount, picture } from "./echart";
import type { Picture } from "./export";
import { type LogScale, onScale, ramp } from "./ramp";

use([LineChart]);

export interface BookMapChart {
  update: (map: BookMap, utc: boolean) => void;
  picture: () => Picture;
  dispose: () => void;
}

/** Three decades up to the largest level: books differ by less than days of liquidations do. */
export function bookScale(map: BookMap | null): LogScale {
  const largest = map ? map.usd.reduce((most, row) => row.reduce<number>((m, usd) => Math.max(m, usd ?? 0), most), 0) : 0;
  const high = 10 ** Math.ceil(Math.log10(Math.max(largest, 1000)));
  return { low: high / 1000, high };
}

/** One pixel per cell, time to the right and price upward; unknown cells stay clear. */
function image(map: BookMap, zero: string): HTMLCanvasElement {
  const [wide, high] = [map.ts_ms.length, map.price_edges.length - 1];
  const canvas = document.createElement("canvas");
  canvas.width = wide;
  canvas.height = high;
  const pen = canvas.getContext("2d");
  if (!pen) return canvas;
  const scale = bookScale(map);
  map.usd.forEach((row, t) =>
    row.forEach((usd, p) => {
      if (usd === null) return;
      pen.fillStyle = usd === 0 ? zero : ramp(onScale(scale, usd));
      pen.fillRect(t, high - 1 - p, 1, 1);
    }),
  );
  return canvas;
}

export function bookMap(element: HTMLElement): BookMapChart {
  const { chart, dispose } = mount(element);
  let c: Colours = colours();
  let shown: BookMap | null = null;
  let cells: HTMLCanvasElement | null = null;

  const draw = (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): CustomSeriesRenderItemReturn => {
    if (!shown || !cells) return;
    const [low = 0, high = 0] = [shown.price_edges[0], shown.price_edges.at(-1)];
    const [from = 0, to = 0] = [shown.ts_ms[0], shown.ts_ms.at(-1)];
    const [x0 = 0, y0 = 0] = api.coord([from, low]) as number[];
    const [x1 = 0, y1 = 0] = api.coord([to, high]) as number[];
    return { type: "image", style: { image: cells, x: x0, y: y1, width: x1 - x0, height: y0 - y1 }, silent: true } as CustomSeriesRenderItemReturn;
  };

  const zr = chart.getZr();
  zr.on("mousemove", (event) => {
    const at = event as unknown as { offsetX: number; offsetY: number; event: MouseEvent };
    if (!shown || !chart.containPixel("grid", [at.offsetX, at.offsetY])) return hideTip();
    const [ms = 0, level = 0] = chart.convertFromPixel("grid", [at.offsetX, at.offsetY]) as number[];
    const t = shown.ts_ms.findIndex((end) => end >= ms);
    const p = shown.price_edges.findIndex((edge) => edge > level) - 1;
    const usd = shown.usd[t]?.[p];
    if (t < 0 || p < 0 || usd === undefined) return hideTip();
    showTip(at.event.clientX, at.event.clientY, [
      usd === null ? "not visible" : `${money(usd)} USD`,
      `${price(shown.price_edges[p])} to ${price(shown.price_edges[p + 1])}`,
      clockTime(shown.ts_ms[t]!, true),
      level < (shown.mid[t] ?? 0) ? "bids" : "asks",
    ]);
  });
  zr.on("globalout", hideTip);

  return {
    update: (map, utc) => {
      c = colours();
      shown = map;
      cells = image(map, c.zero);
      const narrow = element.clientWidth < 440;
      const text = { color: c.ink2, fontSize: 12, fontFamily: c.font };
      chart.setOption({
        animation: false,
        useUTC: utc,
        grid: { left: narrow ? 58 : 68, right: 12, top: 6, bottom: 24 },
        xAxis: {
          type: "time", min: map.ts_ms[0], max: map.ts_ms.at(-1), splitLine: { show: false }, splitNumber: narrow ? 3 : 6,
          axisLine: { lineStyle: { color: c.line } }, axisTick: { lineStyle: { color: c.line } },
          axisLabel: { ...text, hideOverlap: true, formatter: (ms: number) => clockMinute(ms, utc) },
        },
        yAxis: { type: "value", min: map.price_edges[0], max: map.price_edges.at(-1), splitLine: { show: false }, axisLabel: { ...text, showMinLabel: false, showMaxLabel: false, formatter: (v: number) => price(v) } },
        series: [
          { id: "cells", type: "custom", renderItem: draw, data: [[map.ts_ms[0], map.price_edges[0]]], encode: { x: 0, y: 1 }, clip: true, silent: true },
          { id: "mid", type: "line", data: map.mid.map((mid, k) => [map.ts_ms[k], mid]), showSymbol: false, silent: true, lineStyle: { color: "#ffffff", width: 1.5, shadowColor: "#000000", shadowBlur: 3 }, z: 5 },
        ],
      });
    },
    picture: () => picture(chart, c.panel),
    dispose,
  };
}
