/** Rows of coloured stretches through time, each row with a name and a number beside it; what is not known stays hatched. */

import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams, CustomSeriesRenderItemReturn } from "echarts/types/dist/shared";
import { clockMinute, dayMonth } from "../format";
import { hideTip, showTip } from "../tip";
import { type Colours, colours, hatchTile } from "./colours";
import { mount, picture, pointer } from "./echart";
import type { Picture } from "./export";

export interface Stretch {
  from: number;
  to: number;
  fill: string;
  /** Part of the row's height it takes, from and to, 0 at the top. */
  band: [top: number, bottom: number];
  /** A line at the foot: below zero. */
  underlined?: boolean;
  hatched?: boolean;
  note: string[];
}

export interface StripRow {
  label: string;
  value: string;
  stretches: Stretch[];
}

export interface Strip {
  update: (rows: StripRow[], fromMs: number, toMs: number, utc: boolean) => void;
  picture: () => Picture;
  dispose: () => void;
}

export function strip(element: HTMLElement): Strip {
  const { chart, dispose } = mount(element);
  let c: Colours = colours();
  let shown: { stretch: Stretch; row: number }[] = [];
  let span: [number, number] = [0, 1];

  const draw = (params: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): CustomSeriesRenderItemReturn => {
    const one = shown[params.dataIndex];
    if (!one) return;
    const [x0 = 0, y = 0] = api.coord([Math.max(one.stretch.from, span[0]), one.row]) as number[];
    const [x1 = 0] = api.coord([Math.min(one.stretch.to, span[1]), one.row]) as number[];
    const height = ((api.size?.([0, 1]) as number[])[1] ?? 0) - 4;
    const top = y - height / 2 + height * one.stretch.band[0];
    const shape = { x: x0, y: top, width: Math.max(1.5, x1 - x0 - 1), height: Math.max(2, height * (one.stretch.band[1] - one.stretch.band[0])) };
    const children: object[] = [{ type: "rect", shape, style: { fill: one.stretch.fill } }];
    if (one.stretch.hatched) children.push({ type: "rect", shape, style: { fill: { image: hatchTile(c.hatch), repeat: "repeat" } }, silent: true });
    if (one.stretch.underlined) children.push({ type: "rect", shape: { ...shape, y: shape.y + shape.height - 2, height: 2 }, style: { fill: c.ink }, silent: true });
    return { type: "group", children } as CustomSeriesRenderItemReturn;
  };

  chart.on("mousemove", (params) => {
    const one = shown[(params as { dataIndex?: number }).dataIndex ?? -1];
    const at = pointer(params);
    if (one) showTip(at.x, at.y, one.stretch.note);
    else hideTip();
  });
  chart.on("mouseout", hideTip);
  chart.getZr().on("globalout", hideTip);

  return {
    update: (rows, fromMs, toMs, utc) => {
      c = colours();
      span = [fromMs, toMs];
      shown = rows.flatMap((row, k) => row.stretches.map((stretch) => ({ stretch, row: k })));
      const narrow = element.clientWidth < 440;
      const text = { color: c.ink2, fontSize: 12, fontFamily: c.font };
      const names = { type: "category" as const, inverse: true, axisLine: { show: false }, axisTick: { show: false } };
      const hasValues = rows.some((row) => row.value);
      chart.setOption({
        animation: false,
        useUTC: utc,
        grid: { left: narrow ? 80 : 128, right: hasValues ? (narrow ? 70 : 84) : 10, top: 2, bottom: 24 },
        xAxis: {
          type: "time", min: fromMs, max: toMs, splitNumber: narrow ? 3 : 6, splitLine: { show: false },
          axisLine: { lineStyle: { color: c.line } }, axisTick: { lineStyle: { color: c.line } },
          axisLabel: { ...text, hideOverlap: true, formatter: (ms: number) => (clockMinute(ms, utc) === "00:00" ? dayMonth(ms, utc) : clockMinute(ms, utc)) },
        },
        yAxis: [
          { ...names, data: rows.map((r) => r.label), axisLabel: { ...text, width: narrow ? 72 : 120, overflow: "truncate" } },
          { ...names, position: "right", data: rows.map((r) => r.value), axisLabel: { ...text, color: c.ink } },
        ],
        series: [
          { id: "stretches", type: "custom", renderItem: draw, data: shown.map(({ stretch, row }) => [stretch.from, row]), encode: { x: 0, y: 1 }, clip: true },
          { id: "right", type: "custom", yAxisIndex: 1, renderItem: () => undefined, data: [], silent: true },
        ],
      }, { replaceMerge: ["series"] });
    },
    picture: () => picture(chart, c.panel),
    dispose,
  };
}
