/** The price chart: an even axis of time, the broken line, the bubbles; updated in place. */

import { ColorType, createChart, CrosshairMode, type CustomSeriesOptions, type CustomSeriesWhitespaceData, type IChartApi, type ISeriesApi, type Logical, type Time, type UTCTimestamp } from "lightweight-charts";
import { clockMinute, dateTime, dayMonth, price, priceDecimals } from "../format";
import { hideTip, showTip } from "../tip";
import type { Order, Prices, Span } from "../types";
import { type Colours, colours } from "./colours";
import type { Picture } from "./export";
import { type Band, Marks, PriceLine, type PriceSlot } from "./layers";
import { type Grid, priceGrid, toLogical } from "./pricegrid";

export interface PriceChart {
  update: (prices: Prices, range: Span, blind: Span[], bands: Band[], utc: boolean) => void;
  /** Back to the whole range after zooming or panning. */
  reset: () => void;
  picture: () => Picture;
  dispose: () => void;
}

/** A little room to the right of the newest bubble. */
const RIGHT_ROOM = 1.035;

const seconds = (time: Time) => (typeof time === "number" ? time * 1000 : 0);

function look(c: Colours, utc: () => boolean): Parameters<IChartApi["applyOptions"]>[0] {
  return {
    layout: { background: { type: ColorType.Solid, color: c.panel }, textColor: c.ink2, fontFamily: c.font, fontSize: 12, attributionLogo: false },
    grid: { vertLines: { visible: false }, horzLines: { color: c.line } },
    rightPriceScale: { borderColor: c.line, entireTextOnly: true, scaleMargins: { top: 0.12, bottom: 0.12 } },
    timeScale: { borderColor: c.line, tickMarkFormatter: (time: Time) => tick(seconds(time), utc()) },
    crosshair: { mode: CrosshairMode.Normal, vertLine: { color: c.ink3, labelBackgroundColor: c.zero }, horzLine: { color: c.ink3, labelBackgroundColor: c.zero } },
    localization: { timeFormatter: (time: Time) => dateTime(seconds(time), utc()), priceFormatter: price },
  };
}

/** Whole minutes only: the library also marks odd seconds when it has room. */
function tick(ms: number, utc: boolean): string {
  const minute = clockMinute(ms, utc);
  if (minute === "00:00") return dayMonth(ms, utc);
  return ms % 60_000 ? "" : minute;
}

export function priceChart(element: HTMLElement, note: (order: Order) => string[]): PriceChart {
  let utc = true;
  let grid: Grid = priceGrid([], 0, 1000, 0);
  let c = colours();
  let touched = false;
  let shownKey = "";

  const chart = createChart(element, { autoSize: true, ...look(c, () => utc) });
  chart.timeScale().applyOptions({ timeVisible: true, secondsVisible: true, minBarSpacing: 0.05, fixLeftEdge: true });
  const series: ISeriesApi<"Custom", Time, PriceSlot | CustomSeriesWhitespaceData<Time>, CustomSeriesOptions> = chart.addCustomSeries(new PriceLine(), { color: c.ink, priceLineVisible: false, lastValueVisible: true });
  const marks = new Marks(
    {
      x: (ms) => {
        // logicalToCoordinate answers for whole indices only, so a moment within a slot is placed between its neighbours.
        const at = toLogical(grid, ms);
        const low = Math.floor(at);
        const a = chart.timeScale().logicalToCoordinate(low as Logical);
        const b = chart.timeScale().logicalToCoordinate((low + 1) as Logical);
        return a === null || b === null ? null : a + (b - a) * (at - low);
      },
      logical: (ms) => toLogical(grid, ms),
      y: (value) => series.priceToCoordinate(value),
    },
    c,
  );
  series.attachPrimitive(marks);

  const fit = () => chart.timeScale().setVisibleLogicalRange({ from: -0.5, to: grid.slots.length * RIGHT_ROOM });
  const touch = () => {
    touched = true;
  };
  element.addEventListener("wheel", touch, { passive: true });
  element.addEventListener("pointerdown", touch);
  chart.subscribeCrosshairMove(({ point, sourceEvent }) => {
    const bubble = point ? marks.at(point.x, point.y) : null;
    if (bubble && sourceEvent) showTip(sourceEvent.clientX, sourceEvent.clientY, note(bubble.order));
    else hideTip();
  });

  return {
    update: (prices, [from, to], blind, bands, inUtc) => {
      utc = inUtc;
      const before = c;
      c = colours();
      if (before.panel !== c.panel || before.ink !== c.ink) chart.applyOptions(look(c, () => utc));
      grid = priceGrid(prices.points, from, to, prices.gap_ms);
      const last = prices.points.at(-1)?.[1];
      const precision = last === undefined ? 2 : priceDecimals(last);
      series.applyOptions({ color: c.ink, priceFormat: { type: "price", precision, minMove: 10 ** -precision } });
      series.setData(grid.slots.map((slot) => ({ ...slot, time: slot.time as UTCTimestamp })));
      marks.update(prices.markers, blind, bands, c);
      const key = `${prices.base} ${to - from} ${grid.stepMs}`;
      if (key !== shownKey) touched = false;
      shownKey = key;
      if (!touched) fit();
    },
    reset: () => {
      touched = false;
      fit();
    },
    picture: () => ({ canvas: chart.takeScreenshot(true), scale: window.devicePixelRatio }),
    dispose: () => {
      element.removeEventListener("wheel", touch);
      element.removeEventListener("pointerdown", touch);
      chart.remove();
    },
  };
}
