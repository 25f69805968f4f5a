import { useState } from "preact/hooks";
import { seekPieces, toMoment, toPosition } from "../charts/seekmap";
import { isHeld } from "../address";
import { clockMinute, clockTime, dateTime, dayMonth, duration, zone } from "../format";
import { holdAt, playback, togglePlay } from "../session";
import { useApp } from "../state";
import type { Recording } from "../types";

const SPEEDS = [1, 5, 20, 60, 300, 1000];
const STEPS = 10_000;

function Picker({ current }: { current: string }) {
  const recordings = useApp((s) => s.recordings);
  const known = recordings.some((r) => r.name === current);
  return (
    <label class="picker">
      <span class="label">Recording</span>
      <select value={current} onChange={(e) => void playback({ action: "open", recording: e.currentTarget.value })} data-testid="recording">
        {known ? null : <option value={current}>{current || "none"}</option>}
        {recordings.map((r) => (
          <option key={r.name} value={r.name}>
            {r.title}
          </option>
        ))}
      </select>
    </label>
  );
}

interface SeekProps {
  recording: Recording;
  nowMs: number;
  utc: boolean;
  /** Goes to a moment; the bar lets go of the pointer's position when that is done. */
  go: (ms: number) => Promise<void> | void;
}

function SeekBar({ recording, nowMs, utc, go }: SeekProps) {
  const [dragged, setDragged] = useState<number | null>(null);
  const pieces = seekPieces(recording.stretches, recording.start_ms, recording.end_ms);
  const now = dragged ?? toPosition(pieces, nowMs);
  const shown = dragged === null ? nowMs : toMoment(pieces, dragged);
  const many = pieces.length > 5;
  return (
    <div class="seek">
      <div class="seek-track" aria-hidden="true">
        {pieces.map((p) => (
          <div key={p.startMs} class={p.recorded ? "piece" : "piece gap"} style={{ left: `${p.from * 100}%`, width: `${(p.to - p.from) * 100}%` }}
            title={p.recorded ? `recorded ${dateTime(p.startMs, utc)} – ${clockTime(p.endMs, utc)} ${zone(utc)}` : `not recorded for ${duration(p.endMs - p.startMs)}`}>
            {p.recorded ? <i style={{ width: `${Math.max(0, Math.min(1, (now - p.from) / (p.to - p.from))) * 100}%` }} /> : null}
            {p.recorded && !many ? (
              <span class="from">
                {dayMonth(p.startMs, utc)} {clockMinute(p.startMs, utc)}
              </span>
            ) : null}
            {p.recorded && !many ? <span class="to">{clockMinute(p.endMs, utc)}</span> : null}
          </div>
        ))}
        <div class="needle" style={{ left: `${now * 100}%` }} />
      </div>
      <input
        type="range"
        min={0}
        max={STEPS}
        step={10}
        value={Math.round(now * STEPS)}
        aria-label="Moment of the replay"
        aria-valuetext={`${dateTime(shown, utc)} ${zone(utc)}`}
        data-testid="seek"
        onInput={(e) => setDragged(Number(e.currentTarget.value) / STEPS)}
        onChange={(e) => {
          const to = toMoment(pieces, Number(e.currentTarget.value) / STEPS);
          void Promise.resolve(go(to)).then(() => setDragged(null));
        }}
      />
      {dragged === null ? null : (
        <output class="seek-preview" style={{ left: `${Math.min(0.92, Math.max(0.08, now)) * 100}%` }}>
          {dateTime(shown, utc)}
        </output>
      )}
    </div>
  );
}

/** A moment typed in: the same as a link to it. */
function MomentField({ atMs, utc }: { atMs: number; utc: boolean }) {
  const [typing, setTyping] = useState<number | null>(null); // the moment stands still under the hands that change it
  const shownMs = typing ?? atMs;
  const shift = utc ? 0 : new Date(shownMs).getTimezoneOffset() * 60_000;
  return (
    <label>
      <span class="label">At ({zone(utc)})</span>
      <input
        type="datetime-local"
        step={1}
        value={new Date(shownMs - shift).toISOString().slice(0, 19)}
        data-testid="moment"
        onFocus={() => setTyping(atMs)}
        onBlur={() => setTyping(null)}
        onChange={(e) => {
          const ms = Date.parse(`${e.currentTarget.value}${utc ? "Z" : ""}`);
          if (Number.isNaN(ms)) return;
          setTyping(ms);
          holdAt(ms);
        }}
      />
    </label>
  );
}

/** The one time of the page: which recording, playing or not, how fast, where in it. */
export function TimeBar() {
  const doc = useApp((s) => s.doc);
  const utc = useApp((s) => s.utc);
  const held = useApp((s) => isHeld(s.view));
  const atMs = useApp((s) => s.moment?.atMs ?? 0);
  if (!doc) return null;
  if (doc.mode === "live")
    return (
      <nav class="timebar" aria-label="Time">
        <MomentField atMs={atMs} utc={utc} />
      </nav>
    );
  const { clock, recording } = doc;
  const current = doc.mode === "stored" ? (recording?.name ?? "stored") : (recording?.name ?? "");
  const replay = doc.mode === "playback";
  const speeds = SPEEDS.includes(clock.speed) || !replay ? SPEEDS : [...SPEEDS, clock.speed].sort((a, b) => a - b);
  return (
    <nav class="timebar" aria-label="Time">
      <Picker current={current} />
      {replay && !held ? (
        <>
          <button type="button" class="play" onClick={togglePlay} aria-label={clock.finished ? "Play again" : clock.playing ? "Pause" : "Play"} data-testid="play" data-playing={clock.playing && !clock.finished}>
            <span class={`glyph ${clock.finished ? "again" : clock.playing ? "pause" : "start"}`} aria-hidden="true" />
          </button>
          <label class="speed">
            <span class="label">Speed</span>
            <select value={clock.speed} onChange={(e) => void playback({ action: "speed", speed: Number(e.currentTarget.value) })} data-testid="speed">
              {speeds.map((s) => (
                <option key={s} value={s}>
                  {s}×
                </option>
              ))}
            </select>
          </label>
        </>
      ) : null}
      {held || doc.mode === "stored" ? <MomentField atMs={atMs} utc={utc} /> : null}
      {recording && (replay || held) ? (
        <SeekBar recording={recording} nowMs={held ? atMs : clock.now_ms} utc={utc} go={(ms) => (held ? holdAt(ms) : playback({ action: "seek", to_ms: ms }))} />
      ) : null}
      {clock.finished && replay && !held ? <span class="ended">recording ended</span> : null}
    </nav>
  );
}
