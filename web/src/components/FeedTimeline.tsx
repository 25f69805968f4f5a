import { drawn, joined, timeTicks } from "../feeds";
import { clockMinute, dateTime, dayMonth, zone } from "../format";
import { useApp } from "../state";
import { hideTip, showTip } from "../tip";
import type { FeedGap, FeedRow, FeedStretch } from "../types";

interface Frame {
  from: number;
  to: number;
  utc: boolean;
}

const DAY_MS = 86_400_000;

function Piece({ frame, kind, startMs, endMs, lines, open }: { frame: Frame; kind: string; startMs: number; endMs: number; lines: string[]; open: boolean }) {
  const { from, to, utc } = frame;
  const share = (ms: number) => (Math.min(Math.max(ms, from), to) - from) / (to - from);
  const left = share(startMs);
  const when = `${dateTime(startMs, utc)} – ${open ? "now" : dateTime(endMs, utc)} ${zone(utc)}`;
  const show = (event: MouseEvent) => showTip(event.clientX, (event.currentTarget as HTMLElement).getBoundingClientRect().bottom - 12, [...lines, when]);
  return (
    <i
      class={`stretch ${kind}`}
      data-kind={kind}
      data-reason={lines[1]}
      style={{ left: `${(left * 100).toFixed(3)}%`, width: `max(2px, ${((share(endMs) - left) * 100).toFixed(3)}%)` }}
      onMouseMove={show}
      onMouseLeave={hideTip}
    />
  );
}

/** One channel through the window: what was believed, and over it the gaps, which stay empty and hatched. */
function Line({ name, parts, gaps, frame }: { name: string; parts: FeedStretch[]; gaps: FeedGap[]; frame: Frame }) {
  const { to } = frame;
  return (
    <div class="feed-line" data-testid="feed-line" data-channel={name}>
      <span class="feed-line-name" title={name}>
        {name}
      </span>
      <div class="feed-track">
        {parts.map((p) => (
          <Piece key={`${p.state}${p.start_ms}`} frame={frame} kind={p.state} startMs={p.start_ms} endMs={p.end_ms ?? to} open={(p.end_ms ?? to) >= to} lines={[`${name}: ${p.state}`, p.evidence]} />
        ))}
        {joined(gaps).map((g) => (
          <Piece key={`gap${g.channel}${g.start_ms}`} frame={frame} kind="gap" startMs={g.start_ms} endMs={g.end_ms ?? to} open={g.end_ms === null} lines={[`${name}: not received`, g.reason]} />
        ))}
      </div>
    </div>
  );
}

function Axis({ frame }: { frame: Frame }) {
  const { from, to, utc } = frame;
  const shift = utc ? 0 : -new Date(to).getTimezoneOffset() * 60_000;
  return (
    <div class="feed-line" aria-hidden="true">
      <span class="feed-line-name unit">{zone(utc)}</span>
      <div class="feed-axis">
        {timeTicks(from, to, 7, shift).map((ms) => (
          <span key={ms} style={{ left: `${((ms - from) / (to - from)) * 100}%` }}>
            {to - from > 2 * DAY_MS ? dayMonth(ms, utc) : clockMinute(ms, utc)}
          </span>
        ))}
      </div>
    </div>
  );
}

/** A venue's channels over the window; without a history of states, just when it was received. */
export function FeedTimeline({ row, from, to }: { row: FeedRow; from: number; to: number }) {
  const utc = useApp((s) => s.utc);
  const frame = { from, to, utc };
  const everywhere = row.gaps.filter((g) => g.channel === "*");
  const named = [...row.channels.map((c) => c.channel), ...row.history.map((h) => h.channel), ...row.gaps.map((g) => g.channel)];
  const channels = [...new Set(named)].filter((c) => c !== "*").sort();
  const known = drawn(row.history, row.stretches, from, to);
  const received = row.stretches.filter(([a, b]) => b > from && a < to).map(([a, b]): FeedStretch => ({ channel: "", state: "recorded", evidence: "received", start_ms: a, end_ms: b }));
  const withoutHistory = !row.history.length;
  if (!channels.length && !received.length && !everywhere.length) return <p class="feed-none">not recorded in this window</p>;
  return (
    <div class="feed-lines" role="img" aria-label={`Channels of ${row.title} over the window; the tables below say the same`}>
      {withoutHistory && (received.length || everywhere.length) ? <Line name="received" parts={received} gaps={everywhere} frame={frame} /> : null}
      {withoutHistory && received.length
        ? null
        : channels.map((c) => <Line key={c} name={c} parts={known.filter((h) => h.channel === c)} gaps={[...everywhere, ...row.gaps.filter((g) => g.channel === c)]} frame={frame} />)}
      <Axis frame={frame} />
    </div>
  );
}
