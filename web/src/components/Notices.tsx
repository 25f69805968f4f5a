import { useEffect, useState } from "preact/hooks";
import { isHeld } from "../address";
import { dateTime, duration, zone } from "../format";
import { backToNow } from "../session";
import { store, useApp } from "../state";
import { momentWords } from "../words";

const LATE_MS = 6000;

/** Whether the numbers on screen may be behind, re-checked every second. */
export function useLate(): { late: boolean; ageMs: number | null } {
  const [, tick] = useState(0);
  useEffect(() => {
    const id = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(id);
  }, []);
  const { link, moment, doc } = store.get();
  useApp((s) => s.link);
  if (!moment) return { late: false, ageMs: null };
  const ageMs = Date.now() - moment.receivedMs;
  const expected = link === "lost" || (link !== "held" && ((doc?.clock.playing === true && !doc.clock.finished) || doc?.mode === "live"));
  return { late: expected && (link === "lost" || ageMs > LATE_MS), ageMs };
}

export function Notices() {
  const error = useApp((s) => s.error);
  const failure = useApp((s) => s.doc?.failure ?? "");
  const link = useApp((s) => s.link);
  const view = useApp((s) => s.view);
  const utc = useApp((s) => s.utc);
  const opensMs = useApp((s) => (s.doc && s.doc.clock.now_ms < (s.doc.clock.opens_ms ?? 0) ? (s.doc.clock.opens_ms ?? 0) : 0));
  useApp((s) => s.moment);
  const { late, ageMs } = useLate();
  const age = ageMs === null ? "nothing received yet" : `last update ${duration(ageMs)} ago`;
  return (
    <div class="notices" aria-live="polite">
      {link === "lost" ? (
        <p class="notice attention" data-testid="connection-lost">
          <span class="shape triangle" aria-hidden="true" /> Connection lost, {age}. Trying again.
        </p>
      ) : late ? (
        <p class="notice attention" data-testid="late">
          <span class="shape triangle" aria-hidden="true" /> No update arrives, {age}.
        </p>
      ) : null}
      {opensMs ? (
        <p class="notice held" data-testid="catching-up">
          Reading on to {dateTime(opensMs, utc)} {zone(utc)}, where this opens; the totals fill meanwhile.
        </p>
      ) : null}
      {failure ? (
        <p class="notice attention" role="alert" data-testid="failure">
          <span class="shape triangle" aria-hidden="true" /> {failure}
        </p>
      ) : null}
      {isHeld(view) ? (
        <p class="notice held" data-testid="as-of">
          As of {momentWords() || view.at || view.asOf}: fixed, nothing newer is shown.
          <button type="button" onClick={backToNow} data-testid="back-to-now">
            Back to now
          </button>
        </p>
      ) : null}
      {error ? (
        <p class="notice error" role="alert" data-testid="error">
          <span class="shape triangle" aria-hidden="true" /> {error}
          <button type="button" onClick={() => store.set({ error: null })} aria-label="Dismiss">
            close
          </button>
        </p>
      ) : null}
    </div>
  );
}
