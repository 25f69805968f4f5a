import { useState } from "preact/hooks";
import { clockOffset, size, UNHEARD, unheardChannels } from "../feeds";
import { clockMinute, count, duration, percent, ruleWords, zone } from "../format";
import { useApp } from "../state";
import type { FeedRow } from "../types";
import { FeedTables } from "./FeedTables";
import { FeedTimeline } from "./FeedTimeline";
import { Lamp } from "./Lamp";

export function Fact({ name, value, note, bad = false }: { name: string; value: string; note?: string; bad?: boolean }) {
  return (
    <div class="fact" title={note}>
      <dt>{name}</dt>
      <dd class={bad ? "attention" : ""}>{value}</dd>
    </div>
  );
}

function Facts({ row }: { row: FeedRow }) {
  const open = row.connections.filter((c) => c.opened_ms !== null).length;
  const { backfill, polls } = row;
  const failed = polls.reduce((sum, p) => sum + p.failed, 0);
  const asked = polls.reduce((sum, p) => sum + p.asked, 0);
  return (
    <dl class="facts">
      {row.connections.length ? <Fact name="Sockets open" value={`${open} of ${row.connections.length}`} bad={open < row.connections.length} /> : null}
      {row.reconnects === null ? null : <Fact name="Reconnects" value={count(row.reconnects)} note={row.last_error ? `Last: ${row.last_error}` : "no socket was lost"} />}
      {row.clock_offset_ms === null ? null : <Fact name="Clock" value={clockOffset(row.clock_offset_ms, row.clock_error_ms)} note="How far the venue's clock is ahead of ours" />}
      <Fact name="Frames" value={count(row.frames)} />
      {row.bytes === null ? null : <Fact name="Received" value={size(row.bytes)} note="By the sockets that are open now" />}
      <Fact name="Not parsed" value={count(row.errors)} note="Frames that could not be parsed; they stay in the journal" bad={row.errors > 0} />
      {row.contracts === null ? null : <Fact name="Contracts" value={count(row.contracts)} note="Listed, as far as known" />}
      {polls.length ? <Fact name="Questions" value={failed ? `${count(failed)} of ${count(asked)} failed` : `${count(asked)} asked`} bad={failed > 0} /> : null}
      {row.weight_limit ? <Fact name="REST limit" value={`${percent((row.weight_used ?? 0) / row.weight_limit)} used`} note={`Weight ${count(row.weight_used ?? 0)} of ${count(row.weight_limit)} in the venue's window`} /> : null}
      {row.banned_seconds ? <Fact name="Banned for" value={duration(row.banned_seconds * 1000)} bad /> : null}
      {backfill && (backfill.waiting || backfill.asked) ? <Fact name="Backfill" value={backfill.waiting ? `${count(backfill.waiting)} to ask` : "done"} note={`${count(backfill.asked)} asked, ${count(backfill.failed)} failed`} bad={backfill.failed > 0} /> : null}
    </dl>
  );
}

/** One venue: what is believed and why, its facts, its channels over time, and all the rows behind. */
export function FeedCard({ row, from, to }: { row: FeedRow; from: number; to: number }) {
  const utc = useApp((s) => s.utc);
  const [open, setOpen] = useState(false);
  const lost = unheardChannels(row);
  const since = row.since_ms ? ` since ${clockMinute(row.since_ms, utc)} ${zone(utc)}` : "";
  return (
    <section class="panel feed" aria-labelledby={`feed-${row.venue}`} data-testid={`feed-${row.venue}`} data-state={row.state}>
      <header class="panel-head">
        <h2 id={`feed-${row.venue}`}>
          <i class={`venue-mark v-${row.venue}`} aria-hidden="true" />
          {row.title}
        </h2>
        <span class="feed-state">
          <Lamp state={row.state} evidence={row.evidence} />
          {since}
        </span>
      </header>
      <div class="feed-body">
        <div class="feed-words">
          <p class={UNHEARD.has(row.state) ? "attention" : ""} data-testid={`evidence-${row.venue}`}>
            {row.channels.length ? "Liquidations: " : ""}
            {row.evidence}.
          </p>
          {lost ? (
            <p class="attention" data-testid={`lost-${row.venue}`}>
              Channels: {lost}.
            </p>
          ) : null}
          <p class="faint" title={row.coverage_source}>
            The feed shows {ruleWords(row.coverage_rule)}: {row.coverage_note}.
          </p>
          <Facts row={row} />
          {row.last_error ? <p class="faint">Last error: {row.last_error}</p> : null}
        </div>
        <FeedTimeline row={row} from={from} to={to} />
      </div>
      {row.channels.length || row.gaps.length || row.history.length ? (
        <details data-testid={`details-${row.venue}`} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>
            {row.channels.length ? `${row.channels.length} channels, sockets, questions, and what was not heard` : "what was not heard"}
          </summary>
          {open ? <FeedTables row={row} nowMs={to} /> : null}
        </details>
      ) : null}
    </section>
  );
}
