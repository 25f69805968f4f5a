import type { ComponentChildren } from "preact";
import { apiUrl, type Params } from "../../api";
import { dateTime, price, zone } from "../../format";
import { ageWords, type Head } from "../../options";
import { changeView } from "../../session";
import { store, useApp } from "../../state";
import { kindWords } from "../../words";

/** What the panels of the page share: the question, and the answer's own source, coverage and moment. */
export interface Shared {
  head: Head;
  params: Params;
}

/** "Deribit option quotes of 21 Nov 2025 12:30:00 UTC (stored data)". */
export function sourceOf(head: Head): string {
  const { doc, subject, utc } = store.get();
  const title = doc?.venues.find((v) => v.venue === head.venue)?.title ?? head.venue ?? "no venue";
  const known = doc ?? subject;
  const kind = known ? ` (${kindWords(known)})` : "";
  return head.chain_at_ms === null ? `${title}${kind}` : `${title} option quotes of ${dateTime(head.chain_at_ms, utc)} ${zone(utc)}${kind}`;
}

/** "372 of 1,108 contracts fitted, 61 % of the out-of-the-money ones". */
export function coverageOf(head: Head): string {
  if (!head.listed) return "nothing";
  const share = head.coverage === null ? "" : `, ${(100 * head.coverage).toFixed(0)} % of the out-of-the-money ones`;
  return `${head.used.toLocaleString("en-GB")} of ${head.listed.toLocaleString("en-GB")} contracts fitted${share}`;
}

export const originOf = (head: Head) => ({ source: sourceOf(head), coverage: coverageOf(head) });

/** The API call that gives a panel again, at the moment on screen. */
export function callOf(route: string, { params }: Shared, more: Params = {}): string {
  const { moment } = store.get();
  return apiUrl(`options/${route}`, { ...params, at: params.at ?? moment?.at, as_of: params.as_of ?? moment?.asOf, ...more });
}

/** Why there is nothing, and what would bring something. */
export function Nothing({ head }: { head: Head }) {
  const utc = useApp((s) => s.utc);
  return (
    <section class="panel nothing" data-testid="options-empty">
      <h2>No option quotes in the data</h2>
      <p>{head.reason.slice(0, 1).toUpperCase() + head.reason.slice(1)}.</p>
      {head.last_known_ms ? (
        <p>
          <button type="button" class="tool" onClick={() => changeView({ at: new Date(head.last_known_ms!).toISOString(), asOf: "now" })}>
            Go to the last ones, {dateTime(head.last_known_ms, utc)} {zone(utc)}
          </button>
        </p>
      ) : null}
      <p class="faint">What would bring them: collecting (deleverage up --live asks Deribit, OKX, Bybit and Binance once a minute), importing (deleverage import option_quotes FILE), or the reconstruction of November 2025 in the list of recordings.</p>
    </section>
  );
}

/** The notice above everything where the chain is old. */
export function Age({ head }: { head: Head }) {
  const utc = useApp((s) => s.utc);
  if (!head.is_stale || head.age_seconds === null || head.chain_at_ms === null) return null;
  return (
    <p class="notice attention" role="status" data-testid="options-stale">
      The newest option quotes are {ageWords(head.age_seconds)}, from {dateTime(head.chain_at_ms, utc)} {zone(utc)}; {head.spot ? `${head.base} was at ${price(head.spot.price)} then. ` : ""}Everything here is of that moment.
    </p>
  );
}

export function Key({ children, kind }: { children: ComponentChildren; kind: string }) {
  return (
    <span>
      <i class={`key ${kind}`} aria-hidden="true" /> {children}
    </span>
  );
}

/** A select of expiries or anything else, labelled. */
export function Choice<T extends string | number>({ label, value, options, choose, id }: { label: string; value: T; options: [T, string][]; choose: (value: T) => void; id: string }) {
  return (
    <label class="choice">
      <span class="sr">{label}</span>
      <select value={String(value)} data-testid={id} aria-label={label} onChange={(e) => { const text = e.currentTarget.value; const found = options.find(([v]) => String(v) === text); if (found) choose(found[0]); }}>
        {options.map(([v, words]) => (
          <option key={String(v)} value={String(v)}>{words}</option>
        ))}
      </select>
    </label>
  );
}

export interface Ink {
  ink: string;
  ink2: string;
  ink3: string;
  line: string;
  call: string;
  put: string;
  hatch: string;
}

/** The page's colours, with those of calls and puts. */
export function inks(): Ink {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return { ink: read("ink"), ink2: read("ink-2"), ink3: read("ink-3"), line: read("line"), call: read("call"), put: read("put"), hatch: read("hatch") };
}
