import { dateRange } from "../format";
import { viewSearch } from "../address";
import { showPage } from "../session";
import { store, useApp } from "../state";
import type { NowDocument } from "../types";

type Shown = Pick<NowDocument, "mode" | "label" | "recording" | "clock" | "is_reconstruction">;

function words(doc: Shown): { kind: string; rest: string } {
  const recording = doc.recording;
  const dates = recording ? dateRange(recording.start_ms, recording.end_ms) : dateRange(doc.clock.start_ms, doc.clock.end_ms);
  const rest = [doc.label || recording?.title, dates].filter(Boolean).join(" · ");
  if (recording?.is_reconstruction || doc.is_reconstruction) return { kind: "Reconstruction, not recorded events", rest };
  if (doc.mode === "stored") return { kind: "Stored data, not live", rest };
  return { kind: "Replay of real recorded data", rest };
}

/** While collecting: says so, and who is not heard. */
function LiveBand({ doc }: { doc: NowDocument }) {
  const lost = doc.venues.filter((v) => v.state !== "live" && v.state !== "thin");
  return (
    <p class={`band live ${lost.length ? "attention" : ""}`} data-testid="band" data-mode="live" title={lost.map((v) => `${v.title}: ${v.evidence}`).join("\n")}>
      <span class="band-words">
        <strong>Live</strong> — {lost.length ? `without ${lost.map((v) => `${v.title} (${v.state.replaceAll("_", " ")})`).join(", ")}` : `all ${doc.venues.length} venues are heard`}
      </span>
      <a class="band-more" href={viewSearch({ ...store.get().view, page: "feeds" })} onClick={(event) => { event.preventDefault(); showPage("feeds"); }}>
        feeds
      </a>
    </p>
  );
}

/** Across the whole top whenever what is shown is not live; opens to say where the data comes from. */
export function Band() {
  const whole = useApp((s) => s.doc);
  const subject = useApp((s) => s.subject);
  const doc = whole ?? subject;
  if (!doc) return null;
  if (doc.mode === "live") return whole ? <LiveBand doc={whole} /> : null;
  const { kind, rest } = words(doc);
  const { recording } = doc;
  return (
    <details class={`band ${doc.mode} ${doc.recording?.is_reconstruction || doc.is_reconstruction ? "made" : ""}`} data-testid="band" data-mode={doc.mode}>
      <summary>
        <span class="band-words">
          <strong>{kind}</strong> — {rest}
          {doc.notice ? <span data-testid="notice"> · {doc.notice}</span> : null}
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
