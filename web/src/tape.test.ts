import { expect, it } from "vitest";
import { matching, withDocument, withOrders } from "./tape";
import type { Order } from "./types";

const order = (ms: number, more: Partial<Order> = {}): Order => ({
  ts_ms: ms, ts_ns: `${ms}000000`, venue: "binance", symbol: "BTCUSDT", base: "BTC", position_side: "long", price: 1, price_kind: "fill",
  quantity: 1, notional_usd: 100, method: "", coverage_rule: "full", is_backfill: false, ...more,
});
const times = (rows: { order: Order }[]) => rows.map((r) => r.order.ts_ms);

it("shows every order once, newest first, whichever way it came", () => {
  let rows = withDocument([], [order(3), order(2)], 0, 3, 60);
  rows = withOrders(rows, [order(5), order(3)], true);
  expect(times(rows)).toEqual([5, 3, 2]);
  expect(rows.map((r) => r.fresh)).toEqual([true, false, false]);
  rows = withDocument(rows, [order(5), order(3), order(2)], 0, 6, 60);
  expect(times(rows)).toEqual([5, 3, 2]);
});

it("keeps two orders that are alike in every field", () => {
  expect(times(withDocument([], [order(2), order(2)], 0, 3, 60))).toEqual([2, 2]);
});

it("drops what a seek back made future", () => {
  const rows = withDocument([], [order(9), order(8)], 0, 10, 60);
  expect(times(withDocument(rows, [order(2)], 0, 12, 60))).toEqual([2]);
});

it("keeps older rows beyond a full document", () => {
  const rows = withDocument([], [order(3), order(2), order(1)], 0, 3, 60);
  expect(times(withDocument(rows, [order(4), order(3)], 0, 5, 2))).toEqual([4, 3, 2, 1]);
});

it("filters by size, base, symbol, venue and side", () => {
  const rows = withDocument([], [order(3, { notional_usd: null }), order(2, { base: "ETH", symbol: "ETHUSDT", notional_usd: 5000 }), order(1)], 0, 3, 60);
  expect(times(matching(rows, "", 1000))).toEqual([2]);
  expect(times(matching(rows, "btc", 0))).toEqual([3, 1]);
  expect(times(matching(rows, "ethus", 0))).toEqual([2]);
  expect(times(matching(rows, "long", 0))).toEqual([3, 2, 1]);
});
