import { useEffect, useState } from "preact/hooks";
import { isHeld } from "../address";
import { ApiError, apiUrl, getFeeds, getIntake } from "../api";
import { headline, size } from "../feeds";
import { clockTime, count, dateTime, percent, windowMs, zone } from "../format";
import { changeView } from "../session";
import { useApp } from "../state";
import type { Envelope, FeedRow, Intake } from "../types";
import { windowWords } from "../words";
import { Fact, FeedCard } from "./FeedCard";

const EVERY_MS = 2000;
const WINDOWS = ["1h", "4h", "12h", "24h"];
const STATES = ["live", "thin", "skewed", "silent", "blind", "down"];

interface Answer {
  feeds: Envelope<FeedRow[]>;
  intake: Intake;
  receivedMs: number;
}

/** The feeds, asked for again every two seconds while the page is seen and shows the moving now. */
function useFeeds(): { answer: Answer | null; error: string | null } {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<string | null>(null);
  const view = useApp((s) => s.view);
  const stored = useApp((s) => (s.doc?.mode === "stored" && s.moment ? s.moment.at : null));
  const held = isHeld(view);
  useEffect(() => {
    let wanted = true;
    let timer = 0;
    const moment = held ? { at: view.at ?? undefined, as_of: view.asOf ?? undefined } : stored ? { at: stored, as_of: "now" } : {};
    const again = () => {
      if (wanted) timer = setTimeout(() => void ask(), EVERY_MS);
    };
    const ask = async () => {
      if (document.hidden) return again();
      try {
        const [feeds, intake] = await Promise.all([getFeeds({ window: view.window, ...moment }), getIntake()]);
        if (!wanted) return;
        setAnswer({ feeds, intake: intake.data, receivedMs: Date.now() });
        setError(null);
      } catch (problem) {
        if (wanted) setError(problem instanceof ApiError ? problem.message : "the server cannot be reached");
      }
      again();
    };
    void ask();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [view.window, view.at, view.asOf, held, stored]);
  return { answer, error };
}

function IntakeStrip({ intake, utc }: { intake: Intake; utc: boolean }) {
  if (intake.mode !== "live" || intake.capacity === undefined) return null;
  const { queued_frames: queued = 0, lag_seconds: lag = 0, expected_gb_a_day: daily, started_ms: started } = intake;
  return (
    <dl class="facts intake" data-testid="intake">
      {started ? <Fact name="Collecting since" value={`${dateTime(started, utc)} ${zone(utc)}`} /> : null}
      <Fact name="Frames" value={`${(intake.frames_per_second ?? 0).toFixed(0)} /s`} note={`${count(intake.frames ?? 0)} since the start; the mean of that time`} />
      <Fact name="Behind" value={`${lag.toFixed(1)} s of data`} note="Age of the oldest frame that waits to be parsed" bad={lag > 1} />
      <Fact name="Queue" value={intake.is_paused ? "full: sockets are not read" : `${percent(queued / intake.capacity)} of ${count(intake.capacity)}`} bad={intake.is_paused === true} />
      <Fact name="Journal" value={`${size(intake.journal_bytes ?? 0)}, ${count(intake.journal_frames ?? 0)} frames`} note="Raw frames that are on disk, since the start" />
      <Fact name="Expected" value={daily === null || daily === undefined ? "not known yet" : `${daily} GB a day`} note="Estimate for the journal, before compaction" />
      <Fact name="Disk free" value={`${(intake.free_gb ?? 0).toFixed(0)} GB`} />
    </dl>
  );
}

function Legend({ window }: { window: string }) {
  return (
    <div class="legend-line">
      <span class="windows" role="group" aria-label="Window">
        {WINDOWS.map((w) => (
          <button key={w} type="button" class="tool" aria-pressed={w === window} onClick={() => changeView({ window: w })} data-testid={`window-${w}`}>
            {windowWords(w)}
          </button>
        ))}
      </span>
      {STATES.map((state) => (
        <span key={state}>
          <span class="key feed-key" aria-hidden="true">
            <i class={`stretch ${state}`} />
          </span>{" "}
          {state}
        </span>
      ))}
      <span>
        <span class="key feed-key" aria-hidden="true">
          <i class="stretch gap" />
        </span>{" "}
        gap, not received
      </span>
      <span>
        <span class="key feed-key" aria-hidden="true" /> nothing collected
      </span>
      <a href={apiUrl("feeds", { window })} target="_blank" rel="noreferrer">
        API
      </a>
    </div>
  );
}

/** The feeds page: what is heard of each venue, what is not, and why. */
export function Feeds() {
  const { answer, error } = useFeeds();
  const window = useApp((s) => s.view.window);
  const utc = useApp((s) => s.utc);
  const rows = answer?.feeds.data ?? [];
  const words = answer ? headline(rows, answer.feeds.mode) : "";
  useEffect(() => {
    if (words) document.title = `${words} · deleverage`;
  }, [words]);
  if (!answer) return <main class="waiting">{error ?? "Waiting for the first answer of the server…"}</main>;
  const to = answer.feeds.at_ms;
  const from = to - (windowMs(window) ?? 86_400_000);
  return (
    <main class={`feeds ${error ? "stale" : ""}`} data-testid="feeds">
      <h1 data-testid="feeds-headline">{words}</h1>
      {error ? (
        <p class="notice attention" role="status">
          No answer since {clockTime(answer.receivedMs, utc)} {zone(utc)}: {error}. What follows is from then.
        </p>
      ) : null}
      <IntakeStrip intake={answer.intake} utc={utc} />
      <Legend window={window} />
      {rows.map((row) => (
        <FeedCard key={row.venue} row={row} from={from} to={to} />
      ))}
    </main>
  );
}
