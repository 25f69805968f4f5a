/** Layers over two axes: lines with gaps, bands, bars, whiskers, dots, zones, cells. One note for whatever lies under the pointer. */

import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemReturn } from "echarts/types/dist/shared";
import { hideTip, showTip } from "../tip";
import { type Colours, colours, hatchTile } from "./colours";
import { mount, picture } from "./echart";
import type { Picture } from "./export";

export type Point = [x: number, y: number | null];

export type Layer =
  | { kind: "line"; points: Point[]; colour: string; width?: number; dash?: "dotted" | "dashed" }
  | { kind: "band"; points: [x: number, low: number | null, high: number | null][]; colour: string; opacity?: number }
  | { kind: "bars"; bars: [from: number, to: number, base: number, top: number | null][]; colour: string; hatched?: boolean; opacity?: number }
  | { kind: "whiskers"; rows: [x: number, low: number | null, high: number | null][]; colour: string }
  | { kind: "dots"; points: Point[]; colour: string; shape: "circle" | "cross" | "diamond"; hollow?: boolean; size?: number }
  | { kind: "upright"; x: number; colour: string; label?: string; dash?: "dotted" | "dashed"; row?: number }
  | { kind: "level"; y: number; colour: string; label?: string; dash?: "dotted" | "dashed" }
  | { kind: "zone"; from: number; to: number; hatched?: boolean; colour: string; opacity?: number; label?: string }
  | { kind: "cells"; cells: [x: number, y: number, fill: string, ink: string, text: string][] };

export interface Axis {
  min?: number;
  max?: number;
  /** Categories instead of numbers: positions 0, 1, 2 … */
  names?: string[];
  /** A logarithmic axis with labels at these values. */
  logTicks?: number[];
  time?: boolean;
  /** `step`: between two labels, of an axis with round ends. */
  format: (value: number, step: number) => string;
  inverse?: boolean;
}

export interface Plot {
  x: Axis;
  y: Axis;
  layers: Layer[];
  /** Lines of the note at an x (nearest data are the caller's to find) and y; none: no note. */
  note: (x: number, y: number) => string[];
  left?: number;
}

export interface PlotChart {
  update: (plot: Plot) => void;
  picture: () => Picture;
  dispose: () => void;
}

type Api = CustomSeriesRenderItemAPI;
type Child = Record<string, unknown>;

const at = (api: Api, x: number, y: number): [number, number] => {
  const [px = 0, py = 0] = api.coord([x, y]) as number[];
  return [px, py];
};

const DASH = { dotted: [2, 4], dashed: [6, 4] };

/** The unbroken stretches of a line. */
function runs<T extends [number, ...(number | null)[]]>(points: T[]): T[][] {
  const found: T[][] = [[]];
  for (const point of points) {
    if (point.some((v) => v === null || !Number.isFinite(v))) found.push([]);
    else found.at(-1)!.push(point);
  }
  return found.filter((run) => run.length > 0);
}

interface Ends {
  x: [number, number];
  y: [number, number];
}

function children(layer: Layer, api: Api, c: Colours, ends: Ends): Child[] {
  const stroke = (colour: string, width: number, dash?: "dotted" | "dashed") => ({ stroke: colour, fill: "none", lineWidth: width, lineDash: dash ? DASH[dash] : null });
  switch (layer.kind) {
    case "line":
      return runs(layer.points).map((run) => ({ type: "polyline", shape: { points: run.map(([x, y]) => at(api, x, y!)) }, style: { ...stroke(layer.colour, layer.width ?? 2, layer.dash), lineJoin: "round" } }));
    case "band":
      return runs(layer.points).map((run) => ({
        type: "polygon",
        shape: { points: [...run.map(([x, low]) => at(api, x, low!)), ...run.toReversed().map(([x, , high]) => at(api, x, high!))] },
        style: { fill: layer.colour, opacity: layer.opacity ?? 0.2, stroke: "none" },
      }));
    case "bars":
      return layer.bars.flatMap(([from, to, base, top]) => {
        if (top === null) return [];
        const [x0, y0] = at(api, from, base);
        const [x1, y1] = at(api, to, top);
        const wide = Math.abs(x1 - x0);
        const gap = wide > 4 ? 1 : 0;
        return [{ type: "rect", shape: { x: Math.min(x0, x1) + gap, y: Math.min(y0, y1), width: Math.max(1, wide - 2 * gap), height: Math.abs(y1 - y0) }, style: { fill: layer.hatched ? { image: hatchTile(layer.colour), repeat: "repeat" } : layer.colour, opacity: layer.opacity ?? 1 } }];
      });
    case "whiskers":
      return layer.rows.flatMap(([x, low, high]) => {
        if (low === null && high === null) return [];
        const [px, a] = at(api, x, low ?? high!);
        const [, b] = at(api, x, high ?? low!);
        const caps = [low === null ? null : a, high === null ? null : b].filter((y) => y !== null);
        return [{ type: "line", shape: { x1: px, y1: a, x2: px, y2: b }, style: stroke(layer.colour, 1.5) }, ...caps.map((y) => ({ type: "line", shape: { x1: px - 3, y1: y, x2: px + 3, y2: y }, style: stroke(layer.colour, 1.5) }))];
      });
    case "dots": {
      const size = layer.size ?? 3.5;
      return layer.points.flatMap(([x, y]): Child[] => {
        if (y === null) return [];
        const [px, py] = at(api, x, y);
        const style = layer.hollow ? { stroke: layer.colour, fill: c.panel, lineWidth: 1.5 } : { fill: layer.colour };
        if (layer.shape === "circle") return [{ type: "circle", shape: { cx: px, cy: py, r: size }, style }];
        if (layer.shape === "diamond") return [{ type: "polygon", shape: { points: [[px, py - size - 1], [px + size + 1, py], [px, py + size + 1], [px - size - 1, py]] }, style }];
        return [1, -1].map((s) => ({ type: "line", shape: { x1: px - size, y1: py - s * size, x2: px + size, y2: py + s * size }, style: stroke(layer.colour, 1.5) }));
      });
    }
    case "upright": {
      const [px, top] = at(api, layer.x, ends.y[1]);
      const [, bottom] = at(api, layer.x, ends.y[0]);
      // Beside its line, on the right where it fits.
      const right = px + 7.2 * (layer.label?.length ?? 0) + 12 > at(api, ends.x[1], ends.y[0])[0];
      const line = { type: "line", shape: { x1: px, y1: top, x2: px, y2: bottom }, style: stroke(layer.colour, 1.5, layer.dash) };
      if (!layer.label) return [line];
      const text = { type: "text", style: { text: layer.label, x: right ? px - 5 : px + 5, y: Math.min(top, bottom) + 2 + 16 * (layer.row ?? 0), align: right ? "right" : "left", verticalAlign: "top", fill: c.ink, font: `600 12px ${c.font}`, backgroundColor: c.panel, padding: [1, 3] } };
      return [line, text];
    }
    case "level": {
      const [left, py] = at(api, ends.x[0], layer.y);
      const [right] = at(api, ends.x[1], layer.y);
      const line = { type: "line", shape: { x1: left, y1: py, x2: right, y2: py }, style: stroke(layer.colour, 1, layer.dash) };
      return layer.label ? [line, { type: "text", style: { text: layer.label, x: right - 4, y: py - 3, align: "right", verticalAlign: "bottom", fill: c.ink2, font: `12px ${c.font}` } }] : [line];
    }
    case "zone": {
      const [x0, top] = at(api, Math.max(layer.from, ends.x[0]), ends.y[1]);
      const [x1, bottom] = at(api, Math.min(layer.to, ends.x[1]), ends.y[0]);
      const box = { x: x0, y: Math.min(top, bottom), width: Math.max(0, x1 - x0), height: Math.abs(bottom - top) };
      const fill = { type: "rect", shape: box, style: { fill: layer.hatched ? { image: hatchTile(layer.colour), repeat: "repeat" } : layer.colour, opacity: layer.opacity ?? 0.14 } };
      if (!layer.label || box.width < 90) return [fill];
      return [fill, { type: "text", style: { text: layer.label, x: x0 + box.width / 2, y: box.y + box.height - 6, align: "center", verticalAlign: "bottom", fill: c.ink2, font: `12px ${c.font}` } }];
    }
    case "cells": {
      const size = api.size?.([1, 1]) as number[];
      const [w = 0, h = 0] = size;
      return layer.cells.flatMap(([x, y, fill, ink, text]) => {
        const [px, py] = at(api, x, y);
        const box = { type: "rect", shape: { x: px - w / 2 + 1, y: py - h / 2 + 1, width: w - 2, height: h - 2 }, style: { fill: fill === "hatch" ? { image: hatchTile(c.hatch), repeat: "repeat" } : fill } };
        return w < 30 ? [box] : [box, { type: "text", style: { text, x: px, y: py, align: "center", verticalAlign: "middle", fill: ink, font: `12px ${c.font}` } }];
      });
    }
  }
}

/** The round step that cuts a length into about so many. */
export function roundStep(length: number, parts: number): number {
  const raw = length / parts;
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5].find((m) => m * power >= raw * 0.999) ?? 10) * power;
}

/** An axis that begins and ends at a round value. */
function rounded(axis: Axis, parts: number): { min: number; max: number; interval: number } {
  const [low, high] = axisEnds(axis);
  const interval = roundStep(high - low || 1, parts);
  return { min: Math.floor(low / interval + 1e-9) * interval, max: Math.ceil(high / interval - 1e-9) * interval, interval };
}

const axisEnds = (axis: Axis): [number, number] => (axis.names ? [0, axis.names.length - 1] : [axis.min ?? 0, axis.max ?? 1]);

export function plotChart(element: HTMLElement): PlotChart {
  const { chart, dispose } = mount(element);
  let shown: Plot | null = null;
  let c = colours();
  const cursor = document.createElement("i");
  cursor.className = "plot-cursor";
  cursor.hidden = true;
  element.append(cursor);

  const leave = () => {
    cursor.hidden = true;
    hideTip();
  };
  const zr = chart.getZr();
  zr.on("mousemove", (event) => {
    const raw = event.event as unknown as MouseEvent;
    if (!shown || !chart.containPixel("grid", [event.offsetX, event.offsetY])) return leave();
    const [x = 0, y = 0] = chart.convertFromPixel("grid", [event.offsetX, event.offsetY]) as number[];
    const lines = shown.note(x, y);
    if (!lines.length) return leave();
    cursor.hidden = shown.x.names !== undefined;
    cursor.style.left = `${event.offsetX}px`;
    showTip(raw.clientX, raw.clientY, lines);
  });
  zr.on("globalout", leave);

  return {
    update: (plot) => {
      shown = plot;
      c = colours();
      const narrow = element.clientWidth < 440;
      const text = { color: c.ink2, fontSize: 12, fontFamily: c.font };
      const parts = element.clientHeight < 140 ? 2 : 5;
      const y = plot.y.names ? plot.y : { ...plot.y, ...rounded(plot.y, parts) };
      const scale = (a: Axis, isY: boolean) => {
        if (a.names) return { type: "category", data: a.names };
        if (isY) return { type: "value", ...rounded(plot.y, parts) };
        return { type: a.time ? "time" : a.logTicks ? "log" : "value", min: a.min, max: a.max, splitNumber: narrow ? 3 : 6 };
      };
      const axis = (a: Axis, isY: boolean) => ({
        ...scale(a, isY),
        inverse: a.inverse ?? false,
        axisLine: { show: !isY, lineStyle: { color: c.line }, onZero: false },
        axisTick: { show: !isY && !a.names, lineStyle: { color: c.line }, ...(a.logTicks ? { customValues: a.logTicks } : {}) },
        minorTick: { show: false },
        splitLine: { show: isY && !a.names, lineStyle: { color: c.line } },
        axisLabel: { ...text, hideOverlap: true, ...(a.names || isY || a.time ? {} : { showMinLabel: false, showMaxLabel: false }), ...(a.logTicks ? { customValues: a.logTicks } : {}), formatter: a.names ? undefined : (v: number) => a.format(v, isY ? rounded(plot.y, parts).interval : 1) },
      });
      const ends: Ends = { x: axisEnds(plot.x), y: axisEnds(y) };
      chart.setOption(
        {
          animation: false,
          grid: { left: plot.left ?? (narrow ? 46 : 56), right: 14, top: 10, bottom: 24 },
          xAxis: axis(plot.x, false),
          yAxis: axis(plot.y, true),
          series: plot.layers.map((layer, i) => ({
            id: `layer-${i}`,
            type: "custom",
            clip: true,
            silent: true,
            z: i + 2,
            data: [[plot.x.names ? 0 : ends.x[0], plot.y.names ? 0 : ends.y[0]]],
            renderItem: (_: unknown, api: Api): CustomSeriesRenderItemReturn => ({ type: "group", children: children(layer, api, c, ends) }) as unknown as CustomSeriesRenderItemReturn,
          })),
        },
        { replaceMerge: ["series", "xAxis", "yAxis"] },
      );
    },
    picture: () => picture(chart, c.panel),
    dispose: () => {
      leave();
      dispose();
    },
  };
}

/** Ends of an axis around values, with a margin; `zero` keeps it in, `least` is the shortest axis. */
export function extent(values: (number | null | undefined)[], zero = false, margin = 0.06, least = 0): [number, number] {
  const known = values.filter((v): v is number => v !== null && v !== undefined && Number.isFinite(v));
  if (zero) known.push(0);
  if (!known.length) return [0, 1];
  const low = Math.min(...known);
  const high = Math.max(...known);
  const pad = Math.max((high - low || Math.abs(high) || 1) * margin, (least - (high - low)) / 2);
  return [zero && low === 0 ? 0 : low - pad, zero && high === 0 ? 0 : high + pad];
}

/** The position of the value nearest to x in an increasing list. */
export function nearest(values: number[], x: number): number {
  let best = 0;
  values.forEach((v, i) => {
    if (Math.abs(v - x) < Math.abs(values[best]! - x)) best = i;
  });
  return best;
}
