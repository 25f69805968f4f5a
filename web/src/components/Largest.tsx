import { clockTime, dateTime, dayMonth, money, price, zone } from "../format";
import { useApp } from "../state";
import type { NowDocument } from "../types";
import { callFor, venueTitle, windowWords } from "../words";
import { Num } from "./Num";
import { Panel } from "./Panel";
import { ORDER_HEADER, orderCells } from "./Tape";

/** The window's largest single orders. */
export function Largest({ doc }: { doc: NowDocument }) {
  const utc = useApp((s) => s.utc);
  return (
    <Panel
      id="largest"
      title="Largest forced orders"
      unit={`USD, last ${windowWords(doc.window)}`}
      call={() => callFor("liquidations", { window: doc.window, order: "size", limit: doc.largest.length || undefined })}
      csv={() => ({ header: ORDER_HEADER, rows: doc.largest.map(orderCells) })}
    >
      {doc.largest.length === 0 ? (
        <p class="empty">No forced order in the last {windowWords(doc.window)}.</p>
      ) : (
        <div class="scroll-x">
          <table class="largest">
            <thead>
              <tr>
                <th scope="col">Time, {zone(utc)}</th>
                <th scope="col">Contract</th>
                <th scope="col">Side</th>
                <th scope="col" class="right">Price</th>
                <th scope="col" class="right">USD</th>
              </tr>
            </thead>
            <tbody>
              {doc.largest.map((o, i) => (
                <tr key={`${o.ts_ns}${o.symbol}${i}`} data-testid="largest-row" data-value={o.notional_usd ?? ""}>
                  <td>
                    <span class="faint">{dayMonth(o.ts_ms, utc)}</span> {clockTime(o.ts_ms, utc)}
                  </td>
                  <td title={venueTitle(doc, o.venue)}>
                    <i class={`venue-mark v-${o.venue}`} aria-hidden="true" />
                    {o.symbol}
                  </td>
                  <td class={o.position_side}>{o.position_side}</td>
                  <td class="right">{price(o.price)}</td>
                  <td class="right strong">
                    <Num value={o.notional_usd} text={money(o.notional_usd)} unit="USD" what={`${o.position_side} liquidated, ${o.symbol}`} source={venueTitle(doc, o.venue)} when={`${dateTime(o.ts_ms, utc)} ${zone(utc)}`} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
