import { money, percent } from "../format";
import type { Estimate, LongShare } from "../types";
import { Num } from "./Num";

/** "4.1 M (3.1 M to 20.3 M)"; "at least 4.1 M" where nothing bounds it. */
export function estimateWords(e: Estimate): string {
  if (e.high_usd === null) return `at least ${money(e.low_usd)}`;
  return `${money(e.estimate_usd)} (${money(e.low_usd)} to ${money(e.high_usd)})`;
}

/** What an estimate rests on, for the note behind it. */
export function estimateBasis(e: Estimate): string {
  const full = e.seconds_at_cap ? `${e.seconds_at_cap.toLocaleString("en")} contract-seconds at the cap, ${percent(e.saturation)} full around the hidden orders` : "no second at a cap";
  return `${e.method}; ${full}${e.unseen.length ? `; not in it: what ${e.unseen.join(", ")} does not publish` : ""}`;
}

/** An estimate that adds something to what was seen. */
export const saysMore = (e: Estimate): boolean => e.status !== "measured" && (e.high_usd === null || e.high_usd > e.observed_usd * 1.001);

/** The observed bar from zero with the whisker of what was really liquidated; an arrow where it has no upper end. */
export function Whisker({ estimate: e, of }: { estimate: Estimate; of: number }) {
  const at = (usd: number) => Math.min((usd / Math.max(of, 1)) * 100, 100);
  const open = e.high_usd === null || e.high_usd > of;
  const [low, middle] = [at(e.low_usd), at(e.estimate_usd)];
  return (
    <span class="whisker" aria-hidden="true">
      <i class="seen" style={{ width: `${at(e.observed_usd)}%` }} />
      <i class={`reach ${open ? "open" : ""}`} style={{ left: `${low}%`, width: `${(open ? 100 : at(e.high_usd ?? 0)) - low}%` }} />
      <i class="middle" style={{ left: `${middle}%` }} />
    </span>
  );
}

/** The estimate as a number that opens, with its interval in words. */
export function EstimateLine({ estimate: e, words }: { estimate: Estimate; words: string }) {
  return (
    <Num value={e.high_usd === null ? e.low_usd : e.estimate_usd} floor={e.high_usd === null} text={e.high_usd === null ? money(e.low_usd) : money(e.estimate_usd)} unit="USD" what={`estimated to have been liquidated ${words}: ${estimateWords(e)}, 90 % interval`} source="estimate, not a measurement"
      coverage={estimateBasis(e)} when={new Date(e.at_ms).toISOString()} class="estimated" />
  );
}

/** "88 % long, corrected 86 %" */
export function shareWords(share: LongShare | null): string {
  if (!share || share.corrected === null || share.raw === null) return "";
  const points = share.cap_points ?? 0;
  return Math.abs(points) < 0.1 ? "" : `${percent(share.corrected)} long once corrected for the cap (${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(1)} points)`;
}
