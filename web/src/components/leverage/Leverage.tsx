import { useEffect } from "preact/hooks";
import { type Basis, type Beta, coins, figure, type Figure, type Funding, getLeverage, type Liquidity, type OpenInterest, pays, type Positioning, rate } from "../../leverage";
import { money, percent } from "../../format";
import { changeView } from "../../session";
import { useApp } from "../../state";
import { useOutline } from "../../words";
import { Num } from "../Num";
import { useAnswer } from "../useAnswer";
import { PremiumPanel, TermPanel } from "./BasisPanel";
import { BetaPanel } from "./BetaPanel";
import { FundingStrip } from "./FundingStrip";
import { FundingTable, SpreadTable } from "./FundingTables";
import { HoldersPanel, InterestPanel } from "./InterestPanels";
import { BookMapPanel, DepthPanel } from "./LiquidityPanels";
import { RatiosPanel } from "./RatiosPanel";

const EVERY_MS = 10_000;
const ask = <T,>(path: string) => (params: Parameters<typeof getLeverage>[1]) => getLeverage<T>(path, params);
const askFunding = ask<Funding>("funding");
const askInterest = ask<OpenInterest>("open-interest");
const askBasis = ask<Basis>("basis");
const askRatios = ask<Positioning>("positioning");
const askBeta = ask<Beta>("beta");
const askBooks = ask<Liquidity>("liquidity");

/** A figure of the sentence: its own source, coverage and moment open with it. */
function Told({ found, text, unit, scale = 1 }: { found: Figure | undefined; text: string; unit: string; scale?: number }) {
  if (!found || found.value === null) return <span class="num none">{text}</span>;
  return <Num value={found.value * scale} text={text} unit={unit} what={`${found.name}${found.note ? `: ${found.note}` : ""} (${found.status}, ${found.inputs_hash})`} source={found.sources.join(", ")} coverage={found.coverage === null ? undefined : percent(found.coverage)} class={found.status === "modelled" ? "modelled" : undefined} />;
}

function headline(funding: Funding, oi: OpenInterest | null): string {
  const found = funding.aggregates[funding.kind].open_interest;
  const first = found.rate_8h === null ? `No funding rate of ${funding.base} is known` : `Funding of ${funding.base} is ${rate(found.rate_8h)} per 8 h: ${pays(found.rate_8h)}`;
  return oi?.totals.usd == null ? `${first}.` : `${first}; ${money(oi.totals.usd)} USD is open.`;
}

function Headline({ funding, oi }: { funding: Funding; oi: OpenInterest | null }) {
  const whole = funding.aggregates[funding.kind].open_interest;
  const now = figure(funding, `funding.${funding.kind}.open_interest.rate_8h`);
  const day = oi?.changes.find((c) => c.window === "24h");
  const rest = whole.rate_8h === null ? "" : whole.rate_8h > funding.resting_8h * 1.2 ? "above" : whole.rate_8h < funding.resting_8h * 0.8 ? "below" : "about";
  return (
    <h1 data-testid="leverage-headline">
      {whole.rate_8h === null ? (
        <>{funding.reason ? `${funding.reason[0]?.toUpperCase()}${funding.reason.slice(1)}` : `Funding of ${funding.base} cannot be weighed: ${whole.reason ?? "not known"}`}.</>
      ) : (
        <>
          {whole.pays === "nobody pays" ? "Nobody pays" : `${whole.pays[0]?.toUpperCase()}${whole.pays.slice(1)}`} <Told found={now} text={rate(whole.rate_8h)} unit="% per 8 h" scale={100} /> per 8 h for {funding.base}
          {" "}<span class="nowrap">(<Told found={figure(funding, `funding.${funding.kind}.open_interest.apr`)} text={rate(whole.apr, 1)} unit="% per year" scale={100} /></span> a year) on {new Set(funding.venues.map((v) => v.venue)).size} venues, {rest} the +0.01 % where it rests
          {funding.regime?.word ? <>; regime: {funding.regime.word}</> : null}.
        </>
      )}
      {oi && oi.totals.usd !== null && oi.totals.coins !== null ? (
        <>
          {" "}<Told found={figure(oi, "open_interest.usd")} text={`${money(oi.totals.usd)} USD`} unit="USD" /> is open, <Told found={figure(oi, "open_interest.coins")} text={`${coins(oi.totals.coins)} ${oi.base}`} unit={oi.base} />
          {day && day.coins_share !== null ? <>: <Told found={figure(oi, "open_interest.change.24h.coins")} text={rate(day.coins_share, 1)} unit="%" scale={100} /> in coins and <Told found={figure(oi, "open_interest.change.24h.usd")} text={rate(day.usd_share, 1)} unit="%" scale={100} /> in USD over 24 h</> : null}.
        </>
      ) : oi ? <> Open interest: {oi.totals.reason || "not known"}.</> : null}
    </h1>
  );
}

function Asset() {
  const doc = useOutline();
  const wanted = useApp((s) => s.view.base);
  if (!doc) return null;
  const now = wanted || doc.base;
  const listed = [...new Set([now, ...doc.bases])];
  return (
    <label class="asset">
      <span>Asset</span>
      <select value={now} onChange={(e) => changeView({ base: e.currentTarget.value })} data-testid="leverage-base">
        {listed.map((b) => <option key={b} value={b}>{b}</option>)}
      </select>
    </label>
  );
}

/** The leverage page: who pays for it, how much there is, what it costs over the spot, how its holders lean, and what rests to meet it. */
export function Leverage() {
  const doc = useOutline();
  const funding = useAnswer(askFunding, EVERY_MS);
  const interest = useAnswer(askInterest, EVERY_MS);
  const basis = useAnswer(askBasis, EVERY_MS);
  const ratios = useAnswer(askRatios, EVERY_MS);
  const beta = useAnswer(askBeta, 3 * EVERY_MS);
  const books = useAnswer(askBooks, 3 * EVERY_MS, { window: "1h" });
  const words = funding.data ? headline(funding.data, interest.data) : "";
  useEffect(() => {
    if (words) document.title = `${words} · deleverage`;
  }, [words]);
  const errors = [...new Set([funding, interest, basis, ratios, beta, books].map((a) => a.error).filter(Boolean))];
  if (!doc || !funding.data) return <main class="waiting">{errors[0] ?? "Waiting for the first answer of the server…"}</main>;
  return (
    <main class={`leverage-page ${errors.length ? "stale" : ""}`} data-testid="leverage">
      <Headline funding={funding.data} oi={interest.data} />
      <Asset />
      {errors.length ? <p class="notice attention" role="status">{errors.join("; ")}. What follows is from before.</p> : null}
      <FundingStrip doc={doc} funding={funding.data} />
      <div class="row two-thirds-wide">
        <FundingTable doc={doc} funding={funding.data} />
        <SpreadTable doc={doc} funding={funding.data} />
      </div>
      {interest.data ? <div class="row halves"><InterestPanel doc={doc} oi={interest.data} /><HoldersPanel doc={doc} oi={interest.data} /></div> : null}
      <div class="row halves">
        <div class="column">
          {basis.data ? <PremiumPanel doc={doc} basis={basis.data} /> : null}
          {ratios.data ? <RatiosPanel doc={doc} found={ratios.data} /> : null}
        </div>
        <div class="column">
          {basis.data ? <TermPanel doc={doc} basis={basis.data} /> : null}
          {beta.data ? <BetaPanel doc={doc} beta={beta.data} /> : null}
        </div>
      </div>
      {books.data ? <><BookMapPanel doc={doc} books={books.data} /><DepthPanel doc={doc} books={books.data} /></> : books.error ? null : <p class="panel pending" role="status">Rebuilding the order books of the last hour…</p>}
    </main>
  );
}
