/** What the price chart draws itself: a line that breaks at gaps, bubbles of forced orders, and hatched stretches without recording. */

import type { AutoscaleInfo, CustomData, CustomSeriesOptions, CustomSeriesPricePlotValues, CustomSeriesWhitespaceData, ICustomSeriesPaneRenderer, ICustomSeriesPaneView, IPrimitivePaneRenderer, IPrimitivePaneView, ISeriesPrimitive, Logical, PaneRendererCustomData, PriceToCoordinateConverter, Time } from "lightweight-charts";
import { customSeriesDefaultOptions } from "lightweight-charts";
import type { Order, Span } from "../types";
import { type Colours, hatchTile } from "./colours";
import type { Slot } from "./pricegrid";

export type PriceSlot = CustomData<Time> & Omit<Slot, "time">;

/** The price line. It runs through the last price of each slot, with the slot's range behind it, and stops where `breaks` says so. */
export class PriceLine implements ICustomSeriesPaneView<Time, PriceSlot, CustomSeriesOptions> {
  private data: PaneRendererCustomData<Time, PriceSlot> | null = null;
  private colour = "";

  update(data: PaneRendererCustomData<Time, PriceSlot>, options: CustomSeriesOptions): void {
    this.data = data;
    this.colour = options.color;
  }

  priceValueBuilder(slot: PriceSlot): CustomSeriesPricePlotValues {
    return [slot.low ?? 0, slot.high ?? 0, slot.close ?? 0];
  }

  isWhitespace(slot: PriceSlot | CustomSeriesWhitespaceData<Time>): slot is CustomSeriesWhitespaceData<Time> {
    return !("close" in slot) || slot.close === undefined;
  }

  defaultOptions(): CustomSeriesOptions {
    return { ...customSeriesDefaultOptions };
  }

  renderer(): ICustomSeriesPaneRenderer {
    return { draw: (target, toY) => target.useMediaCoordinateSpace(({ context }) => this.draw(context, toY)) };
  }

  private draw(pen: CanvasRenderingContext2D, toY: PriceToCoordinateConverter): void {
    pen.strokeStyle = this.colour;
    pen.fillStyle = this.colour;
    pen.lineJoin = "round";
    pen.lineWidth = 1.25;
    pen.beginPath();
    for (const { x, originalData: slot } of this.data?.bars ?? []) {
      if (slot.close === undefined) continue;
      const y = toY(slot.close) ?? 0;
      const top = toY(slot.high ?? slot.close) ?? y;
      const bottom = toY(slot.low ?? slot.close) ?? y;
      if (slot.breaks) {
        pen.moveTo(x - 1, y);
        pen.lineTo(x + 1, y);
      } else pen.lineTo(x, y);
      if (bottom - top > 1.5) {
        pen.moveTo(x, top);
        pen.lineTo(x, bottom);
        pen.moveTo(x, y);
      }
    }
    pen.stroke();
  }
}

export interface Bubble {
  x: number;
  y: number;
  r: number;
  order: Order;
}

const within = (value: number, from: number, to: number) => value >= from - 1 && value <= to + 1;

const LARGEST = 24;
const SMALLEST = 1.5;

/** Radius of a bubble whose area is in proportion to the notional. */
export const bubbleRadius = (usd: number, largest: number) => Math.max(SMALLEST, LARGEST * Math.sqrt(usd / Math.max(largest, 1)));

/** The notional that the largest bubble stands for. */
export const bubbleLargest = (orders: Order[]) => orders.reduce((most, o) => Math.max(most, o.notional_usd ?? 0), 0);

/** A stretch of time with a name: a wave. */
export interface Band {
  span: Span;
  name: string;
  side: "long" | "short";
  chosen: boolean;
  /** Among the largest: drawn fully and named; the others are faint and without a name. */
  isLarge: boolean;
}

export interface Scales {
  x: (ms: number) => number | null;
  logical: (ms: number) => number;
  y: (price: number) => number | null;
}

/** Bubbles and hatching, drawn over and under the line. */
export class Marks implements ISeriesPrimitive<Time> {
  bubbles: Bubble[] = [];
  private orders: Order[] = [];
  private blind: Span[] = [];
  private bands: Band[] = [];
  private readonly views: IPrimitivePaneView[];
  private redraw: (() => void) | null = null;

  constructor(
    private readonly scales: Scales,
    private colours: Colours,
  ) {
    const view = (zOrder: "bottom" | "top", draw: (pen: CanvasRenderingContext2D, width: number, height: number) => void): IPrimitivePaneView => {
      const renderer: IPrimitivePaneRenderer = { draw: (target) => target.useMediaCoordinateSpace(({ context, mediaSize }) => draw(context, mediaSize.width, mediaSize.height)) };
      return { zOrder: () => zOrder, renderer: () => renderer };
    };
    this.views = [view("bottom", (pen, width, height) => {
        this.drawBands(pen, height);
        this.drawBlind(pen, width, height);
      }), view("top", (pen) => this.drawBubbles(pen))];
  }

  attached({ requestUpdate }: { requestUpdate: () => void }): void {
    this.redraw = requestUpdate;
  }

  detached(): void {
    this.redraw = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  update(orders: Order[], blind: Span[], bands: Band[], colours: Colours): void {
    this.bands = bands;
    this.orders = orders;
    this.blind = blind;
    this.colours = colours;
    this.redraw?.();
  }

  /** Makes room for every bubble in view, also those off the line. */
  autoscaleInfo(from: Logical, to: Logical): AutoscaleInfo | null {
    const prices = this.orders.filter((o) => within(this.scales.logical(o.ts_ms), from, to)).map((o) => o.price);
    if (prices.length === 0) return null;
    return { priceRange: { minValue: Math.min(...prices), maxValue: Math.max(...prices) } };
  }

  /** Waves: a wash over their time, with their number where there is room. */
  private drawBands(pen: CanvasRenderingContext2D, height: number): void {
    const free = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]; // where each of two lines of names ends
    for (const { span, name, chosen, side, isLarge } of this.bands) {
      const x0 = this.scales.x(span[0]);
      const x1 = this.scales.x(span[1]);
      if (x0 === null || x1 === null) continue;
      const width = Math.max(x1 - x0, 2);
      pen.globalAlpha = chosen ? 0.34 : isLarge ? 0.18 : 0.07;
      pen.fillStyle = side === "long" ? this.colours.long : this.colours.short;
      pen.fillRect(x0, 0, width, height);
      pen.globalAlpha = 1;
      if (!isLarge && !chosen) continue;
      pen.font = `${chosen ? "bold " : ""}12px ${this.colours.font}`;
      pen.textAlign = "left";
      pen.fillStyle = chosen ? this.colours.ink : this.colours.ink2;
      const wide = pen.measureText(name).width;
      const line = free.findIndex((end) => x0 + 2 >= end);
      if (line < 0 && !chosen) continue;
      pen.fillText(name, x0 + 2, line === 0 ? 14 : 28);
      free[Math.max(line, 0)] = x0 + 6 + wide;
    }
  }

  private drawBlind(pen: CanvasRenderingContext2D, width: number, height: number): void {
    const pattern = pen.createPattern(hatchTile(this.colours.hatch), "repeat");
    for (const [from, to] of this.blind) {
      const x0 = this.scales.x(from);
      const x1 = this.scales.x(to);
      if (x0 === null || x1 === null || !pattern) continue;
      pen.fillStyle = pattern;
      pen.fillRect(x0, 0, x1 - x0, height);
      const left = Math.max(x0, 0);
      const right = Math.min(x1, width);
      if (right - left < 100) continue;
      pen.font = `12px ${this.colours.font}`;
      pen.textAlign = "center";
      const middle = (left + right) / 2;
      pen.fillStyle = this.colours.panel;
      pen.fillRect(middle - 42, height - 30, 84, 20);
      pen.fillStyle = this.colours.ink2;
      pen.fillText("not recorded", middle, height - 16);
    }
  }

  private drawBubbles(pen: CanvasRenderingContext2D): void {
    const largest = bubbleLargest(this.orders);
    this.bubbles = [];
    for (const order of this.orders) {
      const x = this.scales.x(order.ts_ms);
      const y = this.scales.y(order.price);
      if (x === null || y === null || order.notional_usd === null) continue;
      this.bubbles.push({ x, y, r: bubbleRadius(order.notional_usd, largest), order });
    }
    pen.lineWidth = 1;
    for (const { x, y, r, order } of this.bubbles) {
      const colour = order.position_side === "long" ? this.colours.long : this.colours.short;
      pen.beginPath();
      pen.arc(x, y, r, 0, 2 * Math.PI);
      pen.globalAlpha = 0.4;
      pen.fillStyle = colour;
      pen.fill();
      pen.globalAlpha = 0.95;
      pen.strokeStyle = colour;
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  /** The smallest bubble under a point. */
  at(x: number, y: number): Bubble | null {
    let best: Bubble | null = null;
    for (const b of this.bubbles) {
      if (Math.hypot(b.x - x, b.y - y) <= b.r + 3 && (!best || b.r < best.r)) best = b;
    }
    return best;
  }
}
