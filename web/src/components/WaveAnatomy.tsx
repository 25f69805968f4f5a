import { count, dateTime, money, percent, price, zone } from "../format";
import { type BookTaken, margin } from "../leverage";
import { useApp } from "../state";
import { lasted, signed } from "../waves";
import type { NowDocument, Onset, Wave } from "../types";
import { venueTitle } from "../words";
import { estimateBasis, estimateWords, saysMore } from "./Estimate";
import { Fact } from "./FeedCard";

const seconds = (s: number) => (Math.abs(s) < 100 ? `${s.toFixed(1)} s` : lasted(s));

/** How far behind the first, with the interval; without one the order is not known. */
function lag(o: Onset, first: boolean): string {
  if (first) return "first";
  const at = `${seconds(Math.abs(o.lag_seconds))} ${o.lag_seconds < 0 ? "earlier" : "later"}`;
  return o.low === null || o.high === null ? `${at}, too few orders for an interval` : `${at} (${seconds(o.low)} to ${seconds(o.high)})`;
}

function Order({ title, rows, name }: { title: string; rows: Onset[]; name: (n: string) => string }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col" colSpan={3}>
            {title}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((o, i) => (
          <tr key={o.name}>
            <th scope="row">{name(o.name)}</th>
            <td class="right">{money(o.usd)}</td>
            <td>{lag(o, i === 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const sum = (rows: BookTaken[], of: (row: BookTaken) => number | null): number | null => rows.reduce<number | null>((total, row) => (of(row) === null ? total : (total ?? 0) + of(row)!), null);

/** What the wave took of each book on the side it hit, and how soon half of that was back. */
function Books({ doc, rows, base, isAsking }: { doc: NowDocument; rows: BookTaken[] | null; base: string; isAsking: boolean }) {
  const hit = rows?.[0]?.side === "ask" ? "asks" : "bids";
  const none = <span class="none">not known</span>;
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label="Books of the wave, scroll sideways" data-testid="wave-books" data-rows={rows?.length ?? ""}>
      <table>
        <thead>
          <tr>
            <th scope="col">{base} {rows?.length ? hit : "books"}, USD</th>
            <th scope="col" class="right">Within</th>
            <th scope="col" class="right">Before</th>
            <th scope="col" class="right">Least</th>
            <th scope="col" class="right">Consumed</th>
            <th scope="col">Half of it back</th>
          </tr>
        </thead>
        <tbody>
          {rows?.length ? rows.map((row) => (
            <tr key={row.venue + row.symbol} data-testid={`wave-book-${row.venue}`} data-consumed={row.consumed_usd ?? ""}>
              <th scope="row"><i class={`venue-mark v-${row.venue}`} aria-hidden="true" />{venueTitle(doc, row.venue)} {margin(row.symbol)}</th>
              <td class="right">{row.distance_percent} %</td>
              <td class="right">{row.before_usd === null ? none : money(row.before_usd)}</td>
              <td class="right">{row.least_usd === null ? none : money(row.least_usd)}</td>
              <td class="right strong">{row.consumed_usd === null ? none : <>{money(row.consumed_usd)}{row.before_usd ? <span class="faint"> {percent(row.consumed_usd / row.before_usd)}</span> : null}</>}</td>
              <td>{row.refill_seconds === null ? none : row.consumed_usd === 0 ? "nothing was gone" : `after ${lasted(row.refill_seconds)}`}</td>
            </tr>
          )) : <tr><td colSpan={6} class="faint">{isAsking ? "Rebuilding the books of the window…" : "not known: no book was followed through this wave"}</td></tr>}
        </tbody>
      </table>
    </div>
  );
}

/** Everything known of one wave; what is not known says so. */
export function WaveAnatomy({ doc, wave: w, taken, isAsking }: { doc: NowDocument; wave: Wave; taken: BookTaken[] | null; isAsking: boolean }) {
  const utc = useApp((s) => s.utc);
  const removed = w.open_interest_removed ? Object.entries(w.open_interest_removed).map(([venue, usd]) => `${venueTitle(doc, venue)} ${money(usd)}`).join(", ") : "not known";
  const branching = w.branching === null ? "too few orders to fit" : `${w.branching.toFixed(2)} (${(w.branching_low ?? 0).toFixed(2)} to ${(w.branching_high ?? 0).toFixed(2)})`;
  return (
    <section class="panel anatomy" aria-labelledby="anatomy-title" data-testid="anatomy" data-wave={w.number}>
      <header class="panel-head">
        <h2 id="anatomy-title">
          Anatomy of wave {w.number} <span class="unit">{dateTime(w.start_ms, utc)} to {dateTime(w.end_ms, utc).slice(-8)} {zone(utc)}; USD</span>
        </h2>
      </header>
      <dl class="facts">
        <Fact name="Seen" value={`${money(w.long_usd)} long, ${money(w.short_usd)} short`} note={`${count(w.orders)} orders`} />
        <Fact name="Estimated" value={saysMore(w.estimate) ? estimateWords(w.estimate) : "as seen"} note={estimateBasis(w.estimate)} />
        <Fact name="Price" value={w.price ? `${price(w.price.before)} → ${price(w.price.extreme)} → ${price(w.price.after)}, ${signed(w.price.change)}` : "not known"} note={w.price ? `${w.price.base}, ${w.price.kind}` : "no price was recorded"} />
        <Fact name="Levels broken" value={w.levels_broken.length ? w.levels_broken.join(", ") : w.price ? "none" : "not known"} note="Round numbers, and swings of an hour" />
        <Fact name="Open interest removed" value={removed} note="Last reading before to first after, at most 15 minutes off" />
        <Fact name="Taker flow" value={w.taker_sell_usd === null ? "not known" : `${money(w.taker_sell_usd)} sold, ${money(w.taker_buy_usd)} bought`} />
        <Fact name={w.depth_consumed_usd !== null ? "Depth consumed within 1 %" : "Depth consumed"} value={w.depth_consumed_usd !== null ? money(w.depth_consumed_usd) : taken && sum(taken, (r) => r.consumed_usd) !== null ? money(sum(taken, (r) => r.consumed_usd)) : "not known"} note={w.depth_consumed_usd !== null ? `Resting within 1 % of the mid price before, less its least, over the books known` : "Sum over the books below, each within what was visible of it"} />
        <Fact name="Each order set off" value={branching} note="Branching ratio across seconds with its 95 % interval; near 1 the wave feeds itself" />
        <Fact name="Ended" value={w.ended} />
      </dl>
      <div class="row halves">
        <Order title="Venues, by their first tenth" rows={w.venues} name={(n) => venueTitle(doc, n)} />
        <Order title="Coins, by their middle" rows={w.bases} name={(n) => n} />
      </div>
      <Books doc={doc} rows={taken} base={doc.base} isAsking={isAsking} />
    </section>
  );
}
