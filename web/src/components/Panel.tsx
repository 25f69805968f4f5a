import type { ComponentChildren } from "preact";
import { type Cell, downloadCsv, downloadPng, type Legend, type Picture } from "../charts/export";
import { useApp } from "../state";
import { coverageWords, momentWords, sourceWords, unheardNow } from "../words";

interface Props {
  id: string;
  title: string;
  unit: string;
  /** The API call behind the panel, computed when clicked so that it names the moment on screen. */
  call: () => string;
  csv: () => { header: string[]; rows: Cell[][] };
  png?: (() => Picture | null) | undefined;
  legend?: Legend | undefined;
  tools?: ComponentChildren;
  /** The same numbers as a table, for screen readers and for checking. */
  table?: ComponentChildren;
  note?: ComponentChildren;
  /** Where the numbers are from and how much of them is there, where that is not what is said of liquidations. */
  origin?: { source: string; coverage: string } | undefined;
  class?: string;
  children: ComponentChildren;
}

/** The frame of every chart: what it is, in what unit, from where, with how much seen; and the ways to take it along. */
export function Panel({ id, title, unit, call, csv, png, legend, tools, table, note, origin, class: extra = "", children }: Props) {
  const doc = useApp((s) => s.doc);
  useApp((s) => s.moment);
  const subject = useApp((s) => s.subject);
  const window = useApp((s) => s.doc?.window ?? s.view.window);
  const mode = doc?.mode ?? subject?.mode;
  if (!mode || (!doc && !origin)) return null;
  const source = origin?.source ?? (doc ? sourceWords(doc) : "");
  const coverage = origin?.coverage ?? (doc ? coverageWords(doc) : "");
  const file = `deleverage-${id}-${window}`;
  const savePng = () => {
    const picture = png?.();
    if (!picture) return;
    const unheard = doc ? unheardNow(doc).join(", ") : "";
    const label = doc?.label ?? subject?.label ?? "";
    const kind = doc?.is_reconstruction || doc?.recording?.is_reconstruction ? "Reconstruction, not recorded events" : mode === "stored" ? "Stored data, not live" : "Replay of recorded data, not live";
    const warning = mode === "live" ? (unheard && `Without ${unheard}`) : `${kind}${label ? ` — ${label}` : ""}`;
    downloadPng(`${file}.png`, picture, { title: `${title}, ${unit}`, warning, foot: [`At ${momentWords()}`, `Source: ${source}`, `Coverage: ${coverage}`], legend });
  };
  const saveCsv = () => {
    const { header, rows } = csv();
    downloadCsv(`${file}.csv`, [...header, "at", "mode"], rows.map((row) => [...row, momentWords(), mode]));
  };
  return (
    <section class={`panel ${extra}`} id={id} aria-labelledby={`${id}-title`} data-testid={id}>
      <header class="panel-head">
        <h2 id={`${id}-title`}>
          {title} <span class="unit">{unit}</span>
        </h2>
        <div class="tools">{tools}</div>
      </header>
      <div class="panel-body">{children}</div>
      {note}
      <footer class="panel-foot">
        <p class="origin" data-testid={`${id}-coverage`}>
          <span>Source: {source}.</span> <span>Coverage: {coverage}.</span>
        </p>
        <div class="takeaway">
          {png ? (
            <button type="button" onClick={savePng} aria-label={`Save ${title} as PNG`}>
              PNG
            </button>
          ) : null}
          <button type="button" onClick={saveCsv} aria-label={`Save ${title} as CSV`}>
            CSV
          </button>
          <a href={call()} target="_blank" rel="noreferrer" aria-label={`API call behind ${title}`}>
            API
          </a>
        </div>
        {table ? (
          <details class="as-table">
            <summary>As a table</summary>
            <div class="scroll-x">{table}</div>
          </details>
        ) : null}
      </footer>
    </section>
  );
}
