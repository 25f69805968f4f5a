import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isHeld, type View } from "../../address";
import { ApiError, type Params } from "../../api";
import { money, percent, price, unbroken, windowMs } from "../../format";
import { daysWords, type Density, type Exposure, expiryWords, type Figure, getOptions, type Head, type Interest, points, signedPoints, skewWords, type Smile, type Surface, type Term, type VolatilityIndex } from "../../options";
import { changeView } from "../../session";
import { useApp } from "../../state";
import { windowWords } from "../../words";
import { Num } from "../Num";
import { ExposurePanel } from "./ExposurePanel";
import { InterestPanel, NotablePanel } from "./InterestPanel";
import { Age, Choice, coverageOf, Nothing, type Shared, sourceOf } from "./parts";
import { SmilePanel } from "./SmilePanel";
import { SurfacePanel } from "./SurfacePanel";
import { IndexPanel, SkewHistory, TermPanel } from "./TermPanels";
import { DensityPanel, TouchPanel } from "./TouchPanel";
import "../../options.css";

const EVERY_MS = 10_000;
const COINS = ["BTC", "ETH", "SOL"];

/** The smile comes first; the others are drawn as they arrive. */
interface Answer {
  params: Params;
  smile: Smile;
  surface?: Surface;
  term?: Term;
  index?: VolatilityIndex;
  interest?: Interest;
  exposure?: Exposure;
  density?: Density;
}

/** All documents of the view, asked for again every ten seconds while the page shows the moving now. */
function useOptions(view: View, base: string, venue: string, expiry: number | null, days: number): { answer: Answer | null; error: string | null } {
  const [answer, set] = useState<Answer | null>(null);
  const [error, fail] = useState<string | null>(null);
  const stored = useApp((s) => (s.subject?.mode === "stored" ? s.subject.at : null));
  const ready = useApp((s) => s.subject !== null);
  const held = isHeld(view);
  useEffect(() => {
    let wanted = true;
    let timer = 0;
    const ask = async () => {
      if (document.hidden && !held) {
        timer = setTimeout(() => void ask(), EVERY_MS);
        return;
      }
      const params: Params = { base, venue, window: view.window, at: view.at ?? stored ?? undefined, as_of: view.asOf ?? (stored ? "now" : undefined) };
      try {
        const smile = await getOptions<Smile>("smile", { ...params, expiry: expiry === null ? undefined : new Date(expiry).toISOString() }).catch(async (problem: unknown) => {
          // The expiry chosen may not be listed at this moment.
          if (expiry === null || !(problem instanceof ApiError)) throw problem;
          return getOptions<Smile>("smile", params);
        });
        if (!wanted) return;
        const first = { params, smile: chosen(smile, expiry) };
        set((before) => (before && about(before.params) === about(params) ? { ...before, ...first } : first));
        const take = (part: Partial<Answer>) => { if (wanted) set((before) => (before ? { ...before, ...part } : before)); };
        await Promise.all([
          getOptions<Surface>("surface", params).then((surface) => take({ surface })),
          getOptions<Exposure>("exposure", params).then((exposure) => take({ exposure })),
          getOptions<Interest>("open-interest", params).then((interest) => take({ interest })),
          getOptions<Density>("density", { ...params, days }).then((density) => take({ density })),
          getOptions<VolatilityIndex>("volatility-index", params).then((index) => take({ index })),
          getOptions<Term>("term", params).then((term) => take({ term })),
        ]);
        if (!wanted) return;
        fail(null);
      } catch (problem) {
        if (wanted) fail(problem instanceof ApiError ? problem.message : "the server cannot be reached");
      }
      if (wanted && !held && !stored) timer = setTimeout(() => void ask(), EVERY_MS);
    };
    if (ready) void ask();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [view.window, view.at, view.asOf, held, stored, ready, base, venue, expiry, days]);
  return { answer, error };
}

/** Whether answers are about the same coin, venue and window, so that a new one may take its place piece by piece. */
const about = ({ base, venue, window }: Params) => `${base} ${venue} ${window}`;

/** The smile with one slice: the expiry asked for, else the one nearest to 30 days. */
function chosen(smile: Smile, expiry: number | null): Smile {
  const found = smile.slices.find((s) => s.expiry_ms === expiry) ?? smile.slices.reduce<Smile["slices"][number] | undefined>((a, b) => (!a || Math.abs(b.days - 30) < Math.abs(a.days - 30) ? b : a), undefined);
  return { ...smile, slices: found ? [found] : [] };
}

const largestOf = (interest: Interest) => interest.expiries.reduce<Interest["expiries"][number] | undefined>((a, b) => (!a || (b.open_interest ?? 0) > (a.open_interest ?? 0) ? b : a), undefined);

function headline({ index, term, interest, exposure, smile }: Answer): string {
  const { base, spot } = smile;
  if (smile.chain_at_ms === null) return `No option quotes of ${base} in the data at this moment`;
  const month = term?.tenors.find((t) => t.tenor_days === 30);
  const said: string[] = [];
  if (index?.ours?.points != null) said.push(`Options price ${base} at ${index.ours.points.toFixed(1)} % volatility over 30 days${index.published ? ` (published ${index.published.points.toFixed(1)})` : ""}`);
  else if (month?.atm != null) said.push(`${base} at-the-money volatility is ${points(month.atm)} % over 30 days`);
  else said.push(`${smile.used} of ${smile.listed} ${base} options could be fitted`);
  if (month?.rr25 != null) said.push(skewWords(month.rr25));
  if (exposure?.regime) said.push(exposure.regime === "conventions disagree" ? "dealers' gamma depends on who holds what" : `${exposure.regime} under every convention`);
  const most = interest && largestOf(interest);
  if (most?.max_pain != null && spot) said.push(`max pain of ${expiryWords(most.expiry_ms)} is ${price(most.max_pain)} with spot at ${price(spot.price)}`);
  return `${said.join("; ")}.`;
}

interface TileProps {
  what: string;
  figure: Figure | undefined;
  value: number | null;
  text: string;
  unit: string;
  head: Head;
  /** The text is a range: nothing single to copy. */
  range?: boolean;
  children?: ComponentChildren;
}

function Tile({ what, figure, value, text, unit, head, range, children }: TileProps) {
  const status = figure?.status ?? (value === null ? "missing" : "measured");
  return (
    <section class={`tile ${status === "missing" ? "absent" : ""}`} data-testid={`tile-${what.toLowerCase().replaceAll(" ", "-")}`} data-value={value ?? ""} data-status={status}>
      <h3><span>{what}</span> <span class={status === "stale" ? "attention" : "faint"}>{status}</span></h3>
      {value === null ? <p class="tile-empty">not known</p> : (
        <p class={`tile-total ${status === "modelled" || status === "stale" ? "modelled" : ""}`}>
          {range ? <span>{text}</span> : <Num value={value} text={text} unit={unit} what={`${what}${figure?.note ? `: ${figure.note}` : ""}`} source={`${sourceOf(head)}; inputs ${figure?.inputs_hash ?? head.inputs_hash}`} coverage={coverageOf(head)} />} <small>{unit}</small>
        </p>
      )}
      <p class="tile-coverage">{children}</p>
    </section>
  );
}

function Wait({ what }: { what: string }) {
  return (
    <section class="tile" aria-busy="true">
      <h3><span>{what}</span></h3>
      <p class="tile-coverage">being worked out…</p>
    </section>
  );
}

const Pending = ({ words }: { words: string }) => <p class="panel pending" role="status">{words}…</p>;

function Tiles({ answer }: { answer: Answer }) {
  const { index, term, interest, exposure } = answer;
  const of = (head: Head, name: string) => head.figures.find((f) => f.name.endsWith(name));
  const month = term?.tenors.find((t) => t.tenor_days === 30);
  const moved = (series: (number | null)[]) => {
    const known = series.filter((v): v is number => v !== null);
    return known.length > 1 ? `${signedPoints(known.at(-1)! - known[0]!)} over the window` : "";
  };
  const premium = term?.variance_premium.find((p) => p.premium !== null);
  const gammas = exposure?.conventions.map((c) => c.gamma_usd).toSorted((a, b) => a - b) ?? [];
  const signed = (usd: number) => `${usd < 0 ? "−" : "+"}${money(Math.abs(usd))}`;
  const ratios = interest?.put_call;
  const total = interest?.total;
  return (
    <section class="tiles option-tiles" aria-label="Figures">
      {index ? (
        <Tile what="Volatility index" figure={of(index, ".index.30d")} head={index} value={index.ours?.points ?? null} text={index.ours?.points?.toFixed(1) ?? ""} unit="points">
          {index.published ? `published ${index.published.points.toFixed(2)}, ours ${index.difference_points === null ? "—" : signedPoints(index.difference_points / 100, 2)}` : index.ours?.reasons.at(-1) ?? "none published in the data"}
        </Tile>
      ) : <Wait what="Volatility index" />}
      {term ? (
        <Tile what="ATM 30 days" figure={of(term, ".atm.30d")} head={term} value={month?.atm == null ? null : 100 * month.atm} text={points(month?.atm)} unit="points">
          {moved(term.history.atm) || "outside the listed expiries or no history"}
        </Tile>
      ) : <Wait what="ATM 30 days" />}
      {term ? (
        <Tile what="Skew 25Δ 30 days" figure={of(term, ".rr25.30d")} head={term} value={month?.rr25 == null ? null : 100 * month.rr25} text={signedPoints(month?.rr25)} unit="points">
          {month?.rr25 == null ? "" : month.rr25 < 0 ? "puts dearer" : "calls dearer"}{moved(term.history.rr25) ? `; ${moved(term.history.rr25)}` : ""}
        </Tile>
      ) : <Wait what="Skew 25Δ 30 days" />}
      {term ? (
        <Tile what="Variance premium" figure={premium?.tenor_days === 30 ? of(term, "variance_premium.30d") : undefined} head={term} value={premium?.premium == null ? null : 1e4 * premium.premium} text={premium?.premium == null ? "" : (1e4 * premium.premium).toFixed(0)} unit="var. points">
          {premium ? `${daysWords(premium.tenor_days)}: ${points(premium.implied)} implied, ${points(premium.realised_before)} realised` : "candles do not reach back a week"}
        </Tile>
      ) : <Wait what="Variance premium" />}
      {interest ? (
        <Tile what="Put call" figure={of(interest, "put_call.open_interest")} head={interest} value={ratios?.open_interest ?? null} text={ratios?.open_interest?.toFixed(2) ?? ""} unit="by open interest">
          {total?.open_interest_usd ? `${money(total.open_interest_usd)} USD held; by premium ${ratios?.premium?.toFixed(2) ?? "—"}` : "no open interest in the quotes"}
        </Tile>
      ) : <Wait what="Put call" />}
      {exposure ? (
        <Tile what="Dealers gamma" figure={of(exposure, "gamma.equity")} head={exposure} value={gammas[0] ?? null} text={gammas.length ? `${signed(gammas[0]!)} to ${signed(gammas.at(-1)!)}` : ""} unit="USD per 1 %" range>
          {gammas.length ? `${exposure.regime ?? "no word"}; ${gammas.length} conventions, side by side below` : "no open interest in the quotes"}
        </Tile>
      ) : <Wait what="Dealers gamma" />}
    </section>
  );
}

/** The options page: what options price, who holds them, and where they say the price may go. */
export function Options() {
  const view = useApp((s) => s.view);
  const nowMs = useApp((s) => s.moment?.atMs ?? 0);
  const [venue, setVenue] = useState("");
  const [expiry, setExpiry] = useState<number | null>(null);
  const [days, setDays] = useState(30);
  const [level, setLevel] = useState<number | null>(null);
  const base = view.base || "BTC";
  useEffect(() => { setLevel(null); setExpiry(null); }, [base]);
  const { answer, error } = useOptions(view, base, venue, expiry, days);
  const words = answer ? headline(answer) : "";
  useEffect(() => {
    if (words) document.title = `${words} · deleverage`;
  }, [words]);
  if (!answer) return <main class="waiting">{error ?? "Waiting for the first answer of the server…"}</main>;
  const { smile } = answer;
  const shared: Shared = { head: smile, params: answer.params };
  const long = windowWords(view.window);
  const atMs = nowMs || Date.parse(String(answer.params.at ?? "")) || (smile.chain_at_ms ?? 0);
  const isWhole = Boolean(answer.term && answer.index && answer.surface && answer.exposure && answer.interest && answer.density);
  const shown: [number, number] = [atMs - (windowMs(view.window) ?? 86_400_000), atMs];
  const coins = [...new Set([base, ...COINS])];
  return (
    <main class={`options-page ${error ? "stale" : ""}`} data-testid="options" data-hash={smile.inputs_hash} data-whole={isWhole}>
      <h1 data-testid="options-headline">{unbroken(words)}</h1>
      {error ? <p class="notice attention" role="status">{error}. What follows is from before.</p> : null}
      <Age head={smile} />
      <p class="legend-line chain-line" data-testid="chain-line">
        <Choice id="options-base" label="Coin" value={base} options={coins.map((c) => [c, c])} choose={(c) => changeView({ base: c })} />
        <Choice id="options-venue" label="Venue" value={venue || (smile.venue ?? "")} options={smile.venues.length ? smile.venues.map((v) => [v.venue, `${v.venue} · ${v.contracts.toLocaleString("en-GB")}`]) : [["", "no venue"]]} choose={setVenue} />
        {venue ? <button type="button" class="tool" onClick={() => setVenue("")}>any venue</button> : null}
        {smile.spot ? <span>Spot <b>{price(smile.spot.price)}</b> ({smile.spot.source})</span> : null}
        <span>{coverageOf(smile)}</span>
        {smile.coverage !== null && smile.coverage < 0.3 ? <span class="attention">Only {percent(smile.coverage)} of the out-of-the-money quotes are clean</span> : null}
      </p>
      {smile.chain_at_ms === null ? <Nothing head={smile} /> : (
        <>
          <Tiles answer={answer} />
          <div class="row wide-left">
            <SmilePanel smile={smile} shared={shared} expiry={expiry} choose={setExpiry} />
            <TouchPanel shared={shared} level={level} setLevel={setLevel} days={days} setDays={setDays} />
          </div>
          <div class="row even">
            {answer.exposure ? <ExposurePanel exposure={answer.exposure} shared={shared} /> : <Pending words="Dealers' gamma is being worked out" />}
            {answer.interest ? <InterestPanel interest={answer.interest} shared={shared} /> : <Pending words="Open interest is being added up" />}
          </div>
          <div class="row even">
            {answer.term ? <TermPanel term={answer.term} shared={shared} /> : <Pending words="Fitting the chains of the window, once" />}
            {answer.surface ? <SurfacePanel surface={answer.surface} shared={shared} /> : <Pending words="The surface is being worked out" />}
          </div>
          <div class="row even">
            {answer.index ? <IndexPanel index={answer.index} shared={shared} words={long} window={shown} /> : <Pending words="Fitting the chains of the window, once" />}
            {answer.term ? <SkewHistory term={answer.term} shared={shared} words={long} window={shown} /> : null}
          </div>
          <div class="row even">
            {answer.density ? <DensityPanel density={answer.density} shared={shared} /> : <Pending words="The density is being worked out" />}
            {answer.interest ? <NotablePanel interest={answer.interest} shared={shared} words={long} /> : null}
          </div>
        </>
      )}
    </main>
  );
}
