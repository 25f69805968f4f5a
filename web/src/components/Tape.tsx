import { useEffect } from "preact/hooks";
import { isHeld } from "../address";
import { getOrders } from "../api";
import { clockTime, dateTime, money, parseMoney, price, zone } from "../format";
import { FILTER_ID } from "../keys";
import { store, type TapeRow, useApp } from "../state";
import { matching, TAPE_SHOWN, withOrders } from "../tape";
import type { NowDocument, Order } from "../types";
import { callFor, currentTotals, venueTitle, windowWords } from "../words";
import { Num } from "./Num";
import { Panel } from "./Panel";

const SIZES = ["", "1k", "10k", "100k", "1M"];
const ASK_AFTER_MS = 300;
const LOG_RANGE = 7;

/** The bar behind a row: its length grows with the logarithm of the notional, 1 USD to 10 M USD. */
const weight = (usd: number | null) => (usd === null ? 0 : Math.min(1, Math.max(0.02, Math.log10(Math.max(usd, 1)) / LOG_RANGE)));

function Row({ row, doc, utc }: { row: TapeRow; doc: NowDocument; utc: boolean }) {
  const o = row.order;
  const when = `${dateTime(o.ts_ms, utc)} ${zone(utc)}`;
  return (
    <li class={`tape-row ${o.position_side}${row.fresh ? " fresh" : ""}`} style={{ "--weight": weight(o.notional_usd) }} data-testid="tape-row" data-value={o.notional_usd ?? ""}
      data-side={o.position_side} data-base={o.base} data-venue={o.venue} data-ts={o.ts_ms} title={`${o.symbol}, ${o.position_side} liquidated, ${when}`}>
      <time dateTime={new Date(o.ts_ms).toISOString()}>{clockTime(o.ts_ms, utc)}</time>
      <span class="tape-venue">
        <i class={`venue-mark v-${o.venue}`} aria-hidden="true" />
        {venueTitle(doc, o.venue)}
      </span>
      <span class="tape-base">{o.base}</span>
      <span class={`tape-side ${o.position_side}`}>{o.position_side}</span>
      <Num value={o.notional_usd} text={o.notional_usd === null ? "no USD" : money(o.notional_usd)} unit="USD" what={`${o.position_side} liquidated, ${o.symbol}`}
        source={venueTitle(doc, o.venue)} coverage={o.coverage_rule.replaceAll("_", " ")} when={when} tabIndex={-1} />
      <span class="tape-price" title={o.price_kind.replaceAll("_", " ")}>
        {price(o.price)}
      </span>
    </li>
  );
}

/** With a filter, the newest sixty of the document may hold few that match: ask for more. */
function useFiltered(text: string, minUsd: number): void {
  const window = useApp((s) => s.view.window);
  const at = useApp((s) => s.view.at);
  const recording = useApp((s) => s.doc?.recording?.name);
  useEffect(() => {
    const { doc, moment, view } = store.get();
    const base = doc?.bases.find((b) => b.toLowerCase() === text.trim().toLowerCase());
    if (!doc || (minUsd <= 0 && !base)) return;
    const fixed = isHeld(view) || doc.mode === "stored" ? { at: moment?.at, as_of: moment?.asOf } : {};
    const id = setTimeout(() => {
      getOrders({ window, base, min_usd: minUsd > 0 ? minUsd : undefined, limit: TAPE_SHOWN, order: "time", ...fixed })
        .then(({ data }) => store.set({ tape: withOrders(store.get().tape, data, false) }))
        .catch((error: unknown) => store.set({ error: error instanceof Error ? error.message : String(error) }));
    }, ASK_AFTER_MS);
    return () => clearTimeout(id);
  }, [text, minUsd, window, at, recording]);
}

function stepRow(event: KeyboardEvent): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const numbers = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("button.num")];
  numbers[numbers.indexOf(document.activeElement as HTMLElement) + by]?.focus();
  event.preventDefault();
}

export const orderCells = (o: Order) => [new Date(o.ts_ms).toISOString(), o.venue, o.symbol, o.base, o.position_side, o.notional_usd, o.price, o.price_kind, o.quantity, o.method, o.coverage_rule];
export const ORDER_HEADER = ["time", "venue", "symbol", "base", "position_side", "notional_usd", "price", "price_kind", "quantity", "method", "coverage_rule"];

export function Tape({ doc }: { doc: NowDocument }) {
  const rows = useApp((s) => s.tape);
  const utc = useApp((s) => s.utc);
  const text = useApp((s) => s.filterText);
  const min = useApp((s) => s.filterMin);
  const minUsd = parseMoney(min);
  useFiltered(text, minUsd ?? 0);
  const shown = matching(rows, text, minUsd ?? 0);
  const base = doc.bases.find((b) => b.toLowerCase() === text.trim().toLowerCase());
  const recorded = (currentTotals(doc)?.status ?? "measured") !== "missing";
  return (
    <Panel
      id="tape"
      class="tape"
      title="Tape of forced orders"
      unit="USD, newest first"
      call={() => callFor("liquidations", { window: doc.window, base, min_usd: minUsd || undefined, limit: TAPE_SHOWN, order: "time" })}
      csv={() => ({ header: ORDER_HEADER, rows: shown.map((r) => orderCells(r.order)) })}
    >
      <div class="filters">
        <label>
          <span class="sr">Filter by asset, venue or side</span>
          <input id={FILTER_ID} type="search" placeholder="asset, venue, side  ( / )" value={text} onInput={(e) => store.set({ filterText: e.currentTarget.value })} data-testid="filter-text" />
        </label>
        <label class="min">
          <span>at least</span>
          <input type="text" list="sizes" inputMode="text" placeholder="any" value={min} aria-invalid={minUsd === null} onInput={(e) => store.set({ filterMin: e.currentTarget.value })} data-testid="filter-min" />
          <datalist id="sizes">
            {SIZES.filter(Boolean).map((s) => (
              <option key={s} value={s} />
            ))}
          </datalist>
        </label>
        {text || min ? (
          <button type="button" class="tool" onClick={() => store.set({ filterText: "", filterMin: "" })} data-testid="filter-clear">
            clear
          </button>
        ) : null}
      </div>
      {minUsd === null ? <p class="hint">A size reads like 250000, 10k or 1.5M.</p> : null}
      {/* The list itself takes the focus so that arrow keys reach every row. */}
      <ol class="tape-rows" tabIndex={0} aria-label="Newest forced orders; arrow keys go through them" onKeyDown={stepRow}>
        {shown.map((row) => (
          <Row key={row.key} row={row} doc={doc} utc={utc} />
        ))}
      </ol>
      {shown.length === 0 ? (
        <p class="empty">
          {rows.length ? "No forced order matches this filter." : recorded ? `No forced order in the last ${windowWords(doc.window)}.` : `Nothing was recorded in the last ${windowWords(doc.window)}.`}
        </p>
      ) : null}
    </Panel>
  );
}
