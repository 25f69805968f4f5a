import { exact } from "../format";
import { toast } from "../state";
import { hideTip, showTip } from "../tip";
import { momentWords } from "../words";

interface Props {
  value: number | null;
  /** The rounded text on the page. */
  text: string;
  unit: string;
  /** What the number is, for the note, the screen reader and the copy. */
  what: string;
  source: string;
  coverage?: string | undefined;
  /** A sum over feeds that leave orders out: at least this much. */
  floor?: boolean | undefined;
  /** The number's own moment, where it is not the page's. */
  when?: string | undefined;
  class?: string | undefined;
  tabIndex?: number | undefined;
}

/** A number that opens: hover or focus shows where it comes from, click copies it with unit and time. */
export function Num({ value, text, unit, what, source, coverage, floor, when, class: extra = "", tabIndex }: Props) {
  if (value === null) return <span class={`num none ${extra}`} title={`${what}: unknown`}>{text}</span>;
  const full = `${floor ? "≥ " : ""}${exact(unit === "%" ? value * 100 : value)} ${unit}`;
  const lines = () => [full, what, `as of ${when ?? momentWords()}`, `source: ${source}`, coverage ? `coverage: ${coverage}` : "", "click to copy"];
  const show = (event: Event) => {
    const at = (event.currentTarget as HTMLElement).getBoundingClientRect();
    showTip(at.left, at.bottom - 8, lines());
  };
  const copy = async (event: Event) => {
    event.stopPropagation();
    const words = `${full}, ${what}, as of ${when ?? momentWords()}, source ${source}`;
    try {
      await navigator.clipboard.writeText(words);
      toast(`Copied: ${full}`);
    } catch {
      toast("This browser does not let the page copy");
    }
  };
  return (
    <button
      type="button"
      class={`num ${extra}`}
      data-value={value}
      aria-label={`${full}, ${what}`}
      tabIndex={tabIndex}
      onMouseEnter={show}
      onFocus={show}
      onMouseLeave={hideTip}
      onBlur={hideTip}
      onClick={(event) => void copy(event)}
    >
      {floor ? <span class="floor">≥&thinsp;</span> : null}
      {text}
    </button>
  );
}
