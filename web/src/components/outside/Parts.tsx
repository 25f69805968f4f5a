import { percent } from "../../format";
import type { Figure, Nothing } from "../../outside";
import { Num } from "../Num";

/** A number of a sentence that opens: status, note, source, hash. */
export function Told({ found, text, unit, scale = 1, class: extra = "" }: { found: Figure | undefined; text: string; unit: string; scale?: number; class?: string }) {
  if (!found || found.value === null) return <span class={`num none ${extra}`}>{text}</span>;
  const kind = found.status === "modelled" ? "modelled" : found.status === "stale" ? "aged" : "";
  return <Num value={found.value * scale} text={text} unit={unit} what={`${found.name}${found.note ? `: ${found.note}` : ""} (${found.status}, ${found.inputs_hash})`} source={found.sources.join(", ")} coverage={found.coverage === null ? undefined : percent(found.coverage)} class={`${kind} ${extra}`} />;
}

const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Why a panel is empty, and what would fill it. */
export function Why({ nothing, id }: { nothing: Nothing; id: string }) {
  const [words, command] = nothing.how.split(": ", 2);
  return (
    <div class="why" data-testid={`${id}-empty`}>
      <p>{upper(nothing.reason)}.</p>
      <p class="faint">To bring it in: {words}{command ? ":" : "."}</p>
      {command ? <code>{command}</code> : null}
    </div>
  );
}

/** What is old, how old, and since when it should have been followed. */
export function Aged({ evidence, status }: { evidence: string; status: string }) {
  return status === "stale" ? <p class="attention-text aged-line" role="status">Stale: {evidence}.</p> : null;
}
