/** Lines over time (or over another number) with a shared scale; gaps stay gaps, zero is drawn where it is in sight. */

import { LineChart } from "echarts/charts";
import { use } from "echarts/core";
import { clockMinute, clockTime, dayMonth } from "../format";
import { hideTip, showTip } from "../tip";
import { type Colours, colours } from "./colours";
import { mount, picture } from "./echart";
import type { Picture } from "./export";

use([LineChart]);

export interface Line {
  name: string;
  colour: string;
  points: [x: number, y: number | null][];
  dash?: boolean;
  /** Single points joined, as of a term structure. */
  dots?: boolean;
}

export interface LinesOptions {
  /** Writes a value on the axis and in the note. */
  write: (value: number) => string;
  utc: boolean;
  range?: [number, number];
  /** The horizontal axis is a number with this unit, not time. */
  unit?: string;
  /** A level to mark, with its name. */
  level?: { at: number; name: string };
  /** Zero belongs on the axis. */
  zero?: boolean;
}

export interface Lines {
  update: (lines: Line[], options: LinesOptions) => void;
  picture: () => Picture;
  dispose: () => void;
}

const nearest = (points: Line["points"], x: number) => points.reduce<Line["points"][number] | null>((best, p) => (p[1] !== null && (!best || Math.abs(p[0] - x) < Math.abs(best[0] - x)) ? p : best), null);

export function lines(element: HTMLElement): Lines {
  const { chart, dispose } = mount(element);
  let c: Colours = colours();
  let shown: Line[] = [];
  let opts: LinesOptions | null = null;

  const zr = chart.getZr();
  zr.on("mousemove", (event) => {
    const at = event as unknown as { offsetX: number; offsetY: number; event: MouseEvent };
    if (!opts || !shown.length || !chart.containPixel("grid", [at.offsetX, at.offsetY])) return hideTip();
    const x = Number((chart.convertFromPixel("grid", [at.offsetX, at.offsetY]) as number[])[0]);
    const found = shown.map((line) => ({ line, point: nearest(line.points, x) })).filter((f) => f.point);
    const first = found[0]?.point;
    if (!first) return hideTip();
    const { write, utc, unit } = opts;
    const when = unit ? `${first[0].toFixed(1)} ${unit}` : `${dayMonth(first[0], utc)} ${clockTime(first[0], utc)}`;
    showTip(at.event.clientX, at.event.clientY, [when, ...found.map(({ line, point }) => `${line.name}: ${write(point![1]!)}`)]);
  });
  zr.on("globalout", hideTip);

  return {
    update: (given, options) => {
      c = colours();
      shown = given;
      opts = options;
      const { write, utc, range, unit, level } = options;
      const narrow = element.clientWidth < 440;
      const text = { color: c.ink2, fontSize: 12, fontFamily: c.font };
      const axis = { axisLine: { lineStyle: { color: c.line } }, axisTick: { lineStyle: { color: c.line } }, splitLine: { show: false } };
      const mark = level ? { silent: true, symbol: "none", lineStyle: { color: c.ink3, type: "dashed", width: 1 }, label: { formatter: level.name, color: c.ink2, position: "insideStartTop", fontSize: 12 }, data: [{ yAxis: level.at }] } : undefined;
      chart.setOption({
        animation: false,
        useUTC: utc,
        grid: { left: narrow ? 58 : 68, right: 12, top: 10, bottom: 24 },
        xAxis: unit
          ? { ...axis, type: "value", min: 0, axisLabel: { ...text, formatter: (v: number) => `${v} ${unit}` } }
          : { ...axis, type: "time", min: range?.[0], max: range?.[1], splitNumber: narrow ? 3 : 6, axisLabel: { ...text, hideOverlap: true, formatter: (ms: number) => (clockMinute(ms, utc) === "00:00" ? dayMonth(ms, utc) : clockMinute(ms, utc)) } },
        yAxis: { type: "value", scale: !options.zero, splitNumber: 4, axisLabel: { ...text, formatter: (v: number) => write(v) }, splitLine: { lineStyle: { color: c.line } } },
        series: given.map((line, k) => ({
          id: line.name, name: line.name, type: "line", data: line.points, showSymbol: line.dots ?? false, symbolSize: 7, symbol: "circle", connectNulls: false, silent: true,
          lineStyle: { color: line.colour, width: 1.6, type: line.dash ? "dashed" : "solid" }, itemStyle: { color: line.colour },
          markLine: k === 0 ? mark : undefined,
        })),
      }, { replaceMerge: ["series"] });
    },
    picture: () => picture(chart, c.panel),
    dispose,
  };
}
