/** Price points laid on an even grid of time, so that the axis is true to time and gaps stay as wide as they were. */

export interface Slot {
  /** Seconds, the start of the slot. */
  time: number;
  close?: number;
  low?: number;
  high?: number;
  /** True where the line must not be joined to the point before. */
  breaks?: boolean;
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 86_400];
const SLOTS_AT_MOST = 1500;

/** The finest step, in seconds, that fits a range into the chart. */
export function gridStep(fromMs: number, toMs: number): number {
  const span = (toMs - fromMs) / 1000;
  return STEPS_S.find((s) => span / s <= SLOTS_AT_MOST) ?? 86_400;
}

export interface Grid {
  originMs: number;
  stepMs: number;
  slots: Slot[];
}

/** Slots from `fromMs` to `toMs`, each with the last, lowest and highest price in it, or empty. Points are in order of time. */
export function priceGrid(points: [number, number][], fromMs: number, toMs: number, gapMs: number): Grid {
  const stepMs = gridStep(fromMs, toMs) * 1000;
  const originMs = Math.floor(fromMs / stepMs) * stepMs;
  const count = Math.max(1, Math.ceil((toMs - originMs) / stepMs));
  const slots: Slot[] = Array.from({ length: count }, (_, i) => ({ time: (originMs + i * stepMs) / 1000 }));
  let before: number | null = null;
  for (const [ms, value] of points) {
    const slot = slots[Math.floor((ms - originMs) / stepMs)];
    if (!slot || ms < originMs) continue;
    if (slot.close === undefined) {
      slot.breaks = before === null || ms - before > gapMs;
      slot.low = value;
      slot.high = value;
    }
    slot.close = value;
    slot.low = Math.min(slot.low ?? value, value);
    slot.high = Math.max(slot.high ?? value, value);
    before = ms;
  }
  return { originMs, stepMs, slots };
}

/** The grid's own coordinate of a moment: the middle of slot i is i. */
export const toLogical = (grid: Grid, ms: number) => (ms - grid.originMs) / grid.stepMs - 0.5;
