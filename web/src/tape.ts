/** The newest orders, newest first: merged from documents and the stream, capped, each order once. */

import type { TapeRow } from "./state";
import type { Order } from "./types";

export const TAPE_KEPT = 400;
export const TAPE_SHOWN = 60;

/** Keys orders; two orders alike in every field get different keys by their rank. */
function keyed(orders: Order[]): [string, Order][] {
  const seen = new Map<string, number>();
  return orders.map((o) => {
    const plain = `${o.ts_ns}|${o.venue}|${o.symbol}|${o.position_side}|${o.price}|${o.quantity}`;
    const rank = seen.get(plain) ?? 0;
    seen.set(plain, rank + 1);
    return [rank ? `${plain}|${rank}` : plain, o];
  });
}

const newestFirst = (a: TapeRow, b: TapeRow) => b.order.ts_ms - a.order.ts_ms;

/** Puts a document's tape in front: it is the truth for its span; older rows that we kept stay, unless they lie outside [fromMs, toMs]. */
export function withDocument(rows: TapeRow[], tape: Order[], fromMs: number, toMs: number, full: number): TapeRow[] {
  const known = new Set(rows.map((row) => row.key));
  const first = rows.length === 0;
  const fresh = keyed(tape).map(([key, order]): TapeRow => ({ order, key, fresh: !first && !known.has(key) }));
  const oldest = tape.at(-1)?.ts_ms;
  const older = tape.length < full || oldest === undefined ? [] : rows.filter((r) => r.order.ts_ms < oldest && r.order.ts_ms >= fromMs);
  const newest = tape[0]?.ts_ms ?? Number.NEGATIVE_INFINITY;
  const newer = rows.filter((r) => r.order.ts_ms > newest && r.order.ts_ms > toMs);
  return [...newer, ...fresh, ...older].slice(0, TAPE_KEPT);
}

/** Adds orders that are not yet there. */
export function withOrders(rows: TapeRow[], orders: Order[], fresh: boolean): TapeRow[] {
  const known = new Set(rows.map((row) => row.key));
  const added = keyed(orders)
    .filter(([key]) => !known.has(key))
    .map(([key, order]): TapeRow => ({ order, key, fresh }));
  if (added.length === 0) return rows;
  return [...added, ...rows].sort(newestFirst).slice(0, TAPE_KEPT);
}

/** Rows that match the filter: text is a base, symbol or venue prefix, or a side; an unpriced order passes only without a minimum. */
export function matching(rows: TapeRow[], text: string, minUsd: number): TapeRow[] {
  const wanted = text.trim().toLowerCase();
  const fits = ({ order: o }: TapeRow) =>
    (minUsd <= 0 || (o.notional_usd !== null && o.notional_usd >= minUsd)) &&
    (wanted === "" || o.base.toLowerCase() === wanted || o.symbol.toLowerCase().startsWith(wanted) || o.venue.startsWith(wanted) || o.position_side === wanted);
  return rows.filter(fits).slice(0, TAPE_SHOWN);
}
