import { useEffect, useState } from "preact/hooks";
import { apiUrl, getFeeds, getIntake } from "../api";
import { clockMinute, clockTime, count, dateTime, duration, percent, ruleWords, windowMs, zone } from "../format";
import { store, useApp } from "../state";
import { hideTip, showTip } from "../tip";
import type { Envelope, FeedRow, FeedStretch, Intake } from "../types";
import { windowWords } from "../words";
import { Lamp } from "./Lamp";

const EVERY_MS = 2000;
const BAD = new Set(["blind", "silent", "down", "skewed"]);

interface Answer {
  feeds: Envelope<FeedRow[]>;
  intake: Intake;
}

/** The feeds as they are, asked again every two seconds while the page is seen. */
function useFeeds(): { answer: Answer | null; error: string | null } {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<string | null>(null);
  const view = useApp((s) => s.view);
  useEffect(() => {
    let wanted = true;
    let timer = 0;
    const ask = async () => {
      try {
        const held = { at: view.at ?? undefined, as_of: view.asOf ?? undefined };
        const [feeds, intake] = await Promise.all([getFeeds({ window: view.window, ...held }), getIntake()]);
        if (!wanted) return;
        setAnswer({ feeds, intake: intake.data });
        setError(null);
      } catch (problem) {
        if (wanted) setError(problem instanceof Error ? problem.message : String(problem));
      }
      if (wanted) timer = setTimeout(() => void ask(), document.hidden ? 4 * EVERY_MS : EVERY_MS);
    };
    void ask();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [view.window, view.at, view.asOf]);
  return { answer, error };
}

const size = (bytes: number) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`);
const rate = (perMinute: number) => (perMinute >= 120 ? `${(perMinute / 60).toFixed(0)} /s` : perMinute >= 1 ? `${perMinute.toFixed(0)} /min` : perMinute > 0 ? `${(perMinute * 60).toFixed(0)} /h` : "0");

/** What a trader must know first: who is not to be believed. */
function headline(rows: FeedRow[], mode: string): string {
  const bad = rows.filter((r) => BAD.has(r.state));
  const live = rows.filter((r) => r.state === "live" || r.state === "thin");
  if (mode !== "live") return `Nothing is being collected; ${rows.filter((r) => r.stretches.length > 0).length} of ${rows.length} venues are in the data.`;
  if (!bad.length) return `${live.length} of ${rows.length} venues are heard.`;
  return `${bad.map((r) => `${r.title} is ${r.state}`).join(", ")}; ${live.length} of ${rows.length} venues are heard.`;
}

function Fact({ name, value, note }: { name: string; value: string; note?: string }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd title={note}>{value}</dd>
    </div>
  );
}

function IntakeStrip({ intake }: { intake: Intake }) {
  if (intake.mode !== "live") return null;
  return (
    <dl class="facts" data-testid="intake">
      <Fact name="Frames" value={`${count(intake.frames ?? 0)} (${(intake.frames_per_second ?? 0).toFixed(0)} /s)`} />
      <Fact name="Behind" value={`${(intake.lag_seconds ?? 0).toFixed(1)} s of data`} note="Age of the oldest frame not yet parsed" />
      <Fact name="Queue" value={`${percent((intake.queued_frames ?? 0) / (intake.capacity ?? 1))} of ${count(intake.capacity ?? 0)}${intake.is_paused ? ", sockets not read" : ""}`} />
      <Fact name="On disk" value={`${count(intake.journal_frames ?? 0)} frames`} note="Durable in the journal" />
      <Fact name="Expected" value={intake.expected_gb_a_day === null || intake.expected_gb_a_day === undefined ? "not known yet" : `${intake.expected_gb_a_day} GB a day`} note="Estimate, before compaction" />
      <Fact name="Disk free" value={`${(intake.free_gb ?? 0).toFixed(0)} GB`} />
    </dl>
  );
}

/** One channel through the window: stretches of what was believed; gaps stay empty and hatched. */
function Line({ name, parts, gaps, from, to }: { name: string; parts: FeedStretch[]; gaps: FeedRow["gaps"]; from: number; to: number }) {
  const { utc } = store.get();
  const place = (startMs: number, endMs: number | null) => {
    const left = Math.max((startMs - from) / (to - from), 0);
    const right = Math.min(((endMs ?? to) - from) / (to - from), 1);
    return { left: `${(left * 100).toFixed(3)}%`, width: `max(2px, ${((right - left) * 100).toFixed(3)}%)` };
  };
  const tip = (lines: string[]) => (event: Event) => {
    const at = (event.currentTarget as HTMLElement).getBoundingClientRect();
    showTip(at.left, at.bottom, lines);
  };
  const when = (startMs: number, endMs: number | null) => `${dateTime(startMs, utc)} to ${endMs === null ? "now" : dateTime(endMs, utc)} ${zone(utc)}`;
  return (
    <div class="feed-line">
      <span class="feed-line-name">{name}</span>
      <div class="feed-track">
        {parts.map((p) => (
          <i key={`${p.start_ms}${p.state}`} class={`stretch ${p.state}`} style={place(p.start_ms, p.end_ms)} onMouseEnter={tip([`${name}: ${p.state}`, p.evidence, when(p.start_ms, p.end_ms)])} onMouseLeave={hideTip} />
        ))}
        {gaps.map((g) => (
          <i key={`gap${g.start_ms}${g.channel}`} class="stretch gap" data-testid="gap" title={g.reason} style={place(g.start_ms, g.end_ms)} onMouseEnter={tip([`${name}: not received`, g.reason, when(g.start_ms, g.end_ms)])} onMouseLeave={hideTip} />
        ))}
      </div>
    </div>
  );
}

function Timeline({ row, from, to }: { row: FeedRow; from: number; to: number }) {
  const { utc } = store.get();
  const channels = [...new Set([...row.history.map((h) => h.channel), ...row.gaps.filter((g) => g.channel !== "*").map((g) => g.channel)])].sort();
  const everywhere = row.gaps.filter((g) => g.channel === "*");
  if (!channels.length && !row.stretches.length) return <p class="faint">Nothing of this venue is in the window.</p>;
  const recorded: FeedStretch[] = row.stretches.filter(([, end]) => end > from).map(([start, end]) => ({ channel: "", state: "recorded", evidence: "received", start_ms: start, end_ms: end }));
  return (
    <div class="feed-lines" role="img" aria-label={`States of ${row.title}'s channels over the window; the same is in the table of channels and gaps below`}>
      {channels.length ? null : <Line name="received" parts={recorded} gaps={everywhere} from={from} to={to} />}
      {channels.map((c) => (
        <Line key={c} name={c} parts={row.history.filter((h) => h.channel === c)} gaps={[...everywhere, ...row.gaps.filter((g) => g.channel === c)]} from={from} to={to} />
      ))}
      <div class="feed-line axis">
        <span class="feed-line-name" />
        <div class="feed-axis">
          <span>{clockMinute(from, utc)}</span>
          <span>{clockMinute((from + to) / 2, utc)}</span>
          <span>{clockMinute(to, utc)} {zone(utc)}</span>
        </div>
      </div>
    </div>
  );
}

function Channels({ row }: { row: FeedRow }) {
  if (!row.channels.length) return null;
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label={`Channels of ${row.title}, scrolls sideways`}>
      <table class="venues channels">
        <thead>
          <tr>
            {["Channel", "Feed", "Rate", "Usual", "Last heard", "Frames", "Errors", "Evidence"].map((h, n) => (
              <th key={h} scope="col" class={n > 1 && n < 7 ? "right" : ""}>{h}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {row.channels.map((c) => (
            <tr key={c.channel} data-testid={`channel-${row.venue}-${c.channel}`} data-state={c.state}>
              <th scope="row">{c.channel}</th>
              <td><Lamp state={c.state} evidence={c.evidence} /></td>
              <td class="right">{rate(c.rate_per_minute)}</td>
              <td class="right">{c.expected_per_minute ? rate(c.expected_per_minute) : "—"}</td>
              <td class="right">{c.lag_seconds === null ? "—" : `${duration(c.lag_seconds * 1000)} ago`}</td>
              <td class="right">{count(c.frames)}</td>
              <td class={`right ${c.errors ? "attention" : ""}`}>{count(c.errors)}</td>
              <td class="evidence">{c.evidence}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Gaps({ row }: { row: FeedRow }) {
  const { utc } = store.get();
  if (!row.gaps.length) return null;
  return (
    <ul class="gap-list">
      {row.gaps.slice(0, 20).map((g) => (
        <li key={`${g.channel}${g.start_ms}`}>
          <b>{g.channel === "*" ? "all channels" : g.channel}</b> {dateTime(g.start_ms, utc)} – {g.end_ms === null ? "still open" : clockTime(g.end_ms, utc)} {zone(utc)}: {g.reason}
        </li>
      ))}
      {row.gaps.length > 20 ? <li>and {row.gaps.length - 20} more in the API</li> : null}
    </ul>
  );
}

function Feed({ row, from, to }: { row: FeedRow; from: number; to: number }) {
  const open = row.connections.filter((c) => c.connection > 0).length;
  return (
    <section class="panel feed" aria-labelledby={`feed-${row.venue}`} data-testid={`feed-${row.venue}`} data-state={row.state}>
      <header class="panel-head">
        <h2 id={`feed-${row.venue}`}>
          <i class={`venue-mark v-${row.venue}`} aria-hidden="true" />
          {row.title} <span class="unit">the feed shows {ruleWords(row.coverage_rule)}</span>
        </h2>
        <Lamp state={row.state} evidence={row.evidence} />
      </header>
      <p class={`feed-evidence ${BAD.has(row.state) ? "attention" : ""}`}>{row.evidence}</p>
      <dl class="facts">
        {row.contracts === null ? null : <Fact name="Contracts" value={count(row.contracts)} />}
        {row.connections.length ? <Fact name="Sockets" value={`${open} of ${row.connections.length} open`} /> : null}
        {row.reconnects === null ? null : <Fact name="Lost" value={`${count(row.reconnects)} times`} note={row.last_error || "no socket was lost"} />}
        {row.bytes === null ? null : <Fact name="Received" value={size(row.bytes)} note="By the sockets open now" />}
        <Fact name="Frames" value={count(row.frames)} />
        {row.clock_offset_ms === null ? null : <Fact name="Clock" value={`${row.clock_offset_ms >= 0 ? "+" : "−"}${Math.abs(row.clock_offset_ms).toFixed(0)} ± ${(row.clock_error_ms ?? 0).toFixed(0)} ms`} note="The venue's clock against ours" />}
        {row.weight_limit ? <Fact name="Questions" value={`${percent((row.weight_used ?? 0) / row.weight_limit)} of the limit`} note={row.banned_seconds ? `banned for ${row.banned_seconds} s` : "weight used in the venue's window"} /> : null}
        {row.backfill && (row.backfill.waiting || row.backfill.asked) ? <Fact name="Backfill" value={`${count(row.backfill.asked)} asked, ${count(row.backfill.waiting)} waiting`} note={`${row.backfill.failed} failed`} /> : null}
      </dl>
      <Timeline row={row} from={from} to={to} />
      {row.channels.length || row.gaps.length ? (
        <details data-testid={`details-${row.venue}`} open={BAD.has(row.state)}>
          <summary>
            {row.channels.length} channels, {row.gaps.length} gaps
          </summary>
          <Channels row={row} />
          <Gaps row={row} />
        </details>
      ) : null}
      {row.last_error ? <p class="hint">Last error: {row.last_error}</p> : null}
    </section>
  );
}

/** The feeds page: what is heard of each venue, what is not, and why. */
export function Feeds() {
  const { answer, error } = useFeeds();
  const view = useApp((s) => s.view);
  useApp((s) => s.utc);
  const rows = answer?.feeds.data ?? [];
  const words = answer ? headline(rows, answer.intake.mode) : "";
  useEffect(() => {
    if (words) document.title = `${words} · deleverage`;
  }, [words]);
  if (!answer) return <main class="waiting">{error ?? "Waiting for the first answer of the server…"}</main>;
  const to = answer.feeds.at_ms;
  const from = to - (windowMs(view.window) ?? 86_400_000);
  return (
    <main class="feeds" data-testid="feeds">
      <h1 data-testid="feeds-headline">{words}</h1>
      {error ? <p class="notice attention">{error}</p> : null}
      <IntakeStrip intake={answer.intake} />
      <p class="legend-line">
        <span>Over {windowWords(view.window)}:</span>
        {["live", "thin", "skewed", "silent", "blind", "down"].map((state) => (
          <span key={state}>
            <i class={`key block stretch-key ${state}`} /> {state}
          </span>
        ))}
        <span>
          <i class="key hatched" /> not received
        </span>
        <a href={apiUrl("feeds", { window: view.window })} target="_blank" rel="noreferrer">
          API
        </a>
      </p>
      <div class="feed-cards">
        {rows.map((row) => (
          <Feed key={row.venue} row={row} from={from} to={to} />
        ))}
      </div>
    </main>
  );
}
