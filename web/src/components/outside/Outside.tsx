import { useEffect, useState } from "preact/hooks";
import { figureOf, type Flows, flow, getFlows, getMacro, getSentiment, type Macro, type Sentiment, shortDay, signed } from "../../outside";
import { useApp } from "../../state";
import { useAnswer } from "../useAnswer";
import { DailyPanel, FundsPanel, MonthsPanel } from "./FlowPanels";
import { BetasPanel, LevelsPanel } from "./MacroPanels";
import { Told } from "./Parts";
import { OwnIndexPanel, SentimentPanel } from "./SentimentPanels";
import "../../outside.css";

const EVERY_MS = 60_000;
const BASES = ["BTC", "ETH"] as const;

/** What the outside world says, in one sentence of figures. */
function Headline({ mood, flows, macro }: { mood: Sentiment | null; flows: Flows | null; macro: Macro | null }) {
  const index = mood?.index;
  const s = flows?.summary;
  const level = (series: string) => macro?.levels.find((r) => r.series === series);
  const [nominal, dollar] = [level("DGS10"), level("DTWEXBGS")];
  const nothing = !index && !s && !nominal && !dollar;
  return (
    <h1 data-testid="outside-headline">
      {nothing ? "Nothing of the outside world is in the data up to this moment: no sentiment, no fund flows, no yields." : null}
      {index ? <>Fear & Greed <span class="nowrap"><Told found={figureOf(mood, "sentiment.fear_greed")} text={index.value.toFixed(0)} unit="of 100" />,</span> {index.band}{index.month_before !== null ? `, after ${index.month_before.toFixed(0)} a month before` : ""}. </> : null}
      {s && flows ? <>{flows.base} funds: <Told found={figureOf(flows, `etf.${flows.base}.net_flow.day`)} text={`${flow(s.net_flow_usd)} USD`} unit="USD" /> on {shortDay(s.trading_day)}{s.is_provisional ? ", provisional" : ""}{s.month_to_date_usd === null ? null : <>; <Told found={figureOf(flows, `etf.${flows.base}.net_flow.month_to_date`)} text={`${flow(s.month_to_date_usd)} USD`} unit="USD" /> in the month to date</>}. </> : null}
      {nominal && macro ? <>10-year yield <span class="nowrap"><Told found={figureOf(macro, "macro.DGS10")} text={`${nominal.value.toFixed(2)} %`} unit="percent" />{dollar ? "," : ""}</span>{dollar ? <> dollar <Told found={figureOf(macro, "macro.DTWEXBGS")} text={dollar.value.toFixed(1)} unit="index" /> ({signed(dollar.month_change, 2)} in a month)</> : null}.</> : null}
    </h1>
  );
}

/** The page of sentiment, fund flows and the wider economy. */
export function Outside() {
  const wanted = useApp((s) => s.view.base || s.doc?.base || "BTC");
  const [chosen, choose] = useState<string | null>(null);
  const base = chosen ?? (wanted === "ETH" ? "ETH" : "BTC");
  const mood = useAnswer(getSentiment, EVERY_MS);
  const flows = useAnswer(getFlows, EVERY_MS, { base, days: 750 });
  const macro = useAnswer(getMacro, EVERY_MS);
  const words = [mood.data?.headline, flows.data?.headline].filter(Boolean).join("; ");
  useEffect(() => {
    document.title = `${words || "Flows & macro"} · deleverage`;
  }, [words]);
  const errors = [...new Set([mood, flows, macro].map((a) => a.error).filter(Boolean))];
  if (![mood, flows, macro].every((a) => a.data || a.error) || !(mood.data || flows.data || macro.data)) return <main class="waiting">{errors[0] ?? "Waiting for the first answer of the server…"}</main>;
  const tools = BASES.map((b) => <button key={b} type="button" class="tool" aria-pressed={b === base} onClick={() => choose(b)} data-testid={`flows-${b}`}>{b}</button>);
  return (
    <main class={`outside-page ${errors.length ? "stale" : ""}`} data-testid="outside">
      <Headline mood={mood.data} flows={flows.data} macro={macro.data} />
      {errors.length ? <p class="notice attention" role="status">{errors.join("; ")}. What follows is from before.</p> : null}
      {mood.data ? <div class="row two-thirds-wide"><SentimentPanel found={mood.data} /><OwnIndexPanel found={mood.data} /></div> : null}
      {flows.data ? <div class={`row ${flows.data.summary ? "two-thirds-wide" : ""}`}><DailyPanel found={flows.data} tools={tools} /><MonthsPanel found={flows.data} /></div> : null}
      {flows.data ? <FundsPanel found={flows.data} /> : null}
      {macro.data ? <><LevelsPanel found={macro.data} /><BetasPanel found={macro.data} /></> : null}
    </main>
  );
}
