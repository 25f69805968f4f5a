/** Where a moment lies on the seek bar: recorded stretches to scale, the gaps between them shortened and left empty. */

import type { Span } from "../types";

export interface Piece {
  startMs: number;
  endMs: number;
  /** Position on the bar, 0–1. */
  from: number;
  to: number;
  recorded: boolean;
}

const GAPS_AT_MOST = 0.25;
const GAP_AT_MOST = 0.06;

/** Pieces of the bar in order, covering it from 0 to 1; at least one. */
export function seekPieces(stretches: Span[], startMs: number, endMs: number): Piece[] {
  const spans = stretches.length ? stretches : [[startMs, Math.max(endMs, startMs + 1)] satisfies Span];
  const recorded = spans.reduce((sum, [a, b]) => sum + Math.max(b - a, 1), 0);
  const gap = spans.length > 1 ? Math.min(GAP_AT_MOST, GAPS_AT_MOST / (spans.length - 1)) : 0;
  const left = 1 - gap * (spans.length - 1);
  const pieces: Piece[] = [];
  let x = 0;
  spans.forEach(([a, b], i) => {
    const before = spans[i - 1];
    if (before) {
      pieces.push({ startMs: before[1], endMs: a, from: x, to: x + gap, recorded: false });
      x += gap;
    }
    const width = (Math.max(b - a, 1) / recorded) * left;
    pieces.push({ startMs: a, endMs: b, from: x, to: x + width, recorded: true });
    x += width;
  });
  return pieces;
}

/** Position of a moment, 0–1. */
export function toPosition(pieces: Piece[], ms: number): number {
  for (const p of pieces) {
    if (ms <= p.endMs) return p.from + (p.to - p.from) * Math.max(0, (ms - p.startMs) / Math.max(p.endMs - p.startMs, 1));
  }
  return 1;
}

/** Moment at a position; one inside a gap becomes the start of the stretch after it. */
export function toMoment(pieces: Piece[], position: number): number {
  const piece = pieces.find((p) => position <= p.to) ?? pieces[pieces.length - 1];
  if (!piece) return 0;
  if (!piece.recorded) return piece.endMs;
  return Math.round(piece.startMs + ((position - piece.from) / Math.max(piece.to - piece.from, 1e-9)) * (piece.endMs - piece.startMs));
}
