import { dateRange } from "../format";
import { useApp } from "../state";
import type { NowDocument } from "../types";

function words(doc: NowDocument): { kind: string; rest: string } {
  const recording = doc.recording;
  const dates = recording ? dateRange(recording.start_ms, recording.end_ms) : dateRange(doc.clock.start_ms, doc.clock.end_ms);
  const rest = [doc.label || recording?.title, dates].filter(Boolean).join(" · ");
  if (recording?.is_reconstruction) return { kind: "Reconstruction, not recorded events", rest };
  if (doc.mode === "stored") return { kind: "Stored data, not live", rest };
  return { kind: "Replay of real recorded data", rest };
}

/** Across the whole top whenever what is shown is not live; opens to say where the data comes from. */
export function Band() {
  const doc = useApp((s) => s.doc);
  if (!doc || doc.mode === "live") return null;
  const { kind, rest } = words(doc);
  const { recording } = doc;
  return (
    <details class={`band ${doc.mode}`} data-testid="band" data-mode={doc.mode}>
      <summary>
        <span class="band-words">
          <strong>{kind}</strong> — {rest}
        </span>
        <span class="band-more">where from</span>
      </summary>
      <div class="provenance" data-testid="provenance">
        {recording?.about ? <p>{recording.about}</p> : null}
        {recording?.provenance.length ? (
          <ul>
            {recording.provenance.map((p) => (
              <li key={p.source}>
                <b>{p.url ? <a href={p.url} target="_blank" rel="noreferrer">{p.source}</a> : p.source}</b>
                <span>Licence: {p.licence}</span>
                {p.note ? <span>{p.note}</span> : null}
              </li>
            ))}
          </ul>
        ) : (
          <p>Events that this installation recorded or imported; the API's tables hold each row with its source.</p>
        )}
      </div>
    </details>
  );
}
