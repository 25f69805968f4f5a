import { UNHEARD } from "../feeds";
import { dateTime, isUnpriced, money, percent, ruleWords, zone } from "../format";
import { store } from "../state";
import { hideTip, showTip } from "../tip";
import type { NowDocument, VenueRow } from "../types";
import { callFor, windowWords } from "../words";
import { Lamp } from "./Lamp";
import { EstimateLine, saysMore, shareWords } from "./Estimate";
import { Num } from "./Num";
import { Panel } from "./Panel";
import { SideBar } from "./Windows";

/** Rules under which a feed leaves orders out, so that its sum is a floor. */
const FLOOR_RULES = new Set(["largest_per_second", "latest_per_second", "undisclosed", "watched_accounts"]);

function Rule({ row }: { row: VenueRow }) {
  const { utc } = store.get();
  const show = (event: Event) => {
    const at = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const last = row.last_event_ms === null ? "" : `last event ${dateTime(row.last_event_ms, utc)} ${zone(utc)}`;
    showTip(at.left, at.bottom - 8, [`${row.title}: ${ruleWords(row.coverage_rule)}`, row.coverage_note, row.evidence, last, row.unpriced_count ? `${row.unpriced_count} orders without a USD value` : ""]);
  };
  return (
    <button type="button" class="rule" onMouseEnter={show} onFocus={show} onMouseLeave={hideTip} onBlur={hideTip} aria-label={`${ruleWords(row.coverage_rule)}. ${row.coverage_note}`}>
      {ruleWords(row.coverage_rule)}
    </button>
  );
}

function Row({ doc, row, largest }: { doc: NowDocument; row: VenueRow; largest: number }) {
  const words = windowWords(doc.window);
  const seen = row.coverage === null ? undefined : `${percent(row.coverage)} of ${words} recorded; the feed shows ${ruleWords(row.coverage_rule)}`;
  const common = { source: `${row.title} feed`, coverage: seen };
  const usd = { ...common, unit: "USD", floor: FLOOR_RULES.has(row.coverage_rule) || UNHEARD.has(row.state) };
  return (
    <tr class={UNHEARD.has(row.state) ? "unheard" : ""} data-testid={`venue-${row.venue}`} data-total={row.total_usd ?? ""} data-long={row.long_usd ?? ""} data-short={row.short_usd ?? ""} data-recorded={row.recorded}>
      <th scope="row">
        <i class={`venue-mark v-${row.venue}`} aria-hidden="true" />
        {row.title}
      </th>
      {row.recorded && row.total_usd !== null && !isUnpriced(row) ? (
        <>
          <td class="right strong">
            <Num {...usd} value={row.total_usd} text={money(row.total_usd)} what={`liquidated on ${row.title} in ${words}`} />
          </td>
          <td class="right" data-testid={`estimate-${row.venue}`}>
            {row.estimate && saysMore(row.estimate) ? <EstimateLine estimate={row.estimate} words={`on ${row.title} in ${words}`} /> : <span class="none" title={row.estimate ? row.estimate.method : "not worked out for this window"}>{row.estimate ? "as seen" : "—"}</span>}
          </td>
          <td class="right long">
            <Num {...usd} value={row.long_usd} text={money(row.long_usd)} what={`longs liquidated on ${row.title} in ${words}`} />
          </td>
          <td class="right short">
            <Num {...usd} value={row.short_usd} text={money(row.short_usd)} what={`shorts liquidated on ${row.title} in ${words}`} />
          </td>
          <td class="share">
            <SideBar long={row.long_usd ?? 0} short={row.short_usd ?? 0} of={largest} />
            <Num {...common} value={row.share} text={percent(row.share)} unit="%" what={`of what all recorded venues show in ${words}`} />
          </td>
          <td class="right" title={shareWords(row.long_share_corrected)}>
            <Num {...common} value={row.long_share} text={percent(row.long_share)} unit="%" what={`long, of what ${row.title} shows in ${words}`} />
          </td>
        </>
      ) : (
        <td class={row.recorded ? "faint" : "unseen"} colSpan={6}>
          {row.recorded ? `${row.count ?? 0} orders, none with a USD value` : <span>not recorded</span>}
        </td>
      )}
      <td class="right">
        {row.recorded && row.coverage !== null ? <Num {...common} value={row.coverage} text={percent(row.coverage)} unit="%" what={`of ${words} recorded on ${row.title}`} /> : <span class="none">—</span>}
      </td>
      <td>
        <Rule row={row} />
      </td>
      <td>
        <Lamp state={row.state} evidence={row.evidence} />
      </td>
    </tr>
  );
}

export function VenueTable({ doc }: { doc: NowDocument }) {
  const largest = doc.venues.reduce((most, v) => Math.max(most, v.total_usd ?? 0), 0);
  const cells = (v: VenueRow) => [v.venue, v.total_usd, v.estimate?.estimate_usd ?? null, v.estimate?.low_usd ?? null, v.estimate?.high_usd ?? null, v.long_usd, v.short_usd, v.count, v.share, v.long_share, v.coverage, v.coverage_rule, v.state];
  return (
    <Panel
      id="venues"
      title="Liquidated by exchange"
      unit={`USD, last ${windowWords(doc.window)}`}
      call={() => callFor("liquidations/totals", { window: doc.window, by: "venue" })}
      csv={() => ({ header: ["venue", "total_usd", "estimate_usd", "low_usd", "high_usd", "long_usd", "short_usd", "count", "share", "long_share", "coverage", "coverage_rule", "state"], rows: doc.venues.map(cells) })}
    >
      {/* A scrolling region must be reachable by keyboard. */}
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Exchange table, scrolls sideways">
        <table class="venues">
          <thead>
            <tr>
              <th scope="col">Exchange</th>
              <th scope="col" class="right">Total</th>
              <th scope="col" class="right">Estimated</th>
              <th scope="col" class="right">Long</th>
              <th scope="col" class="right">Short</th>
              <th scope="col">Share</th>
              <th scope="col" class="right">Long share</th>
              <th scope="col" class="right">Recorded</th>
              <th scope="col">The feed shows</th>
              <th scope="col">Feed</th>
            </tr>
          </thead>
          <tbody>
            {doc.venues.map((row) => (
              <Row key={row.venue} doc={doc} row={row} largest={largest} />
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
