import { useState } from "preact/hooks";
import { extent, nearest, type PlotChart, plotChart } from "../../charts/plot";
import { clockTime, money, price, zone } from "../../format";
import { daysWords, expiryWords, type Interest, priceTick, type Strike } from "../../options";
import { useApp } from "../../state";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { callOf, Choice, inks, Key, originOf, type Shared } from "./parts";

const coins = (v: number | null | undefined) => (v === null || v === undefined ? "—" : v.toLocaleString("en-GB", { maximumFractionDigits: v < 10 ? 2 : 0 }));
const ratio = (v: number | null | undefined) => (v === null || v === undefined ? "—" : v.toFixed(2));

/** Who holds what at which strike: calls above, puts below the line; max pain marked. */
export function InterestPanel({ interest, shared }: { interest: Interest; shared: Shared }) {
  const [chosen, choose] = useState(0);
  const [volume, setVolume] = useState(false);
  const expiry = interest.expiries.find((e) => e.expiry_ms === chosen);
  const rows: Strike[] = expiry ? interest.by_strike.filter((s) => s.expiry_ms === expiry.expiry_ms) : interest.strikes;
  const largest = interest.expiries.reduce<(typeof interest.expiries)[number] | undefined>((a, b) => (!a || (b.open_interest ?? 0) > (a.open_interest ?? 0) ? b : a), undefined);
  const pain = (expiry ?? largest)?.max_pain ?? null;
  const spot = interest.spot?.price ?? null;
  const call = (s: Strike) => (volume ? s.call_volume_24h : s.call_open_interest);
  const put = (s: Strike) => (volume ? s.put_volume_24h : s.put_open_interest);
  const held = rows.some((s) => (call(s) ?? 0) + (put(s) ?? 0) > 0);
  const what = volume ? "24 h volume" : "Open interest";

  const { element, chart } = useChart<PlotChart>(
    plotChart,
    (plot) => {
      const c = inks();
      const near = spot === null ? rows : rows.filter((s) => s.strike > 0.4 * spot && s.strike < 2 * spot);
      if (!near.length) return;
      const strikes = near.map((s) => s.strike);
      // Bars of one width: strikes far apart do not weigh more.
      const gaps = strikes.slice(1).map((s, i) => s - strikes[i]!);
      const width = Math.max(0.42 * Math.min(...gaps, Infinity), 0.0026 * (strikes.at(-1)! - strikes[0]!)) || strikes[0]! * 0.01;
      const half = Number.isFinite(width) ? width : strikes[0]! * 0.01;
      const most = Math.max(...near.flatMap((s) => [call(s) ?? 0, put(s) ?? 0]), 1e-9);
      const [low, high] = extent(strikes, false, 0.03);
      plot.update({
        x: { min: low, max: high, format: priceTick },
        y: { min: -1.12 * most, max: 1.12 * most, format: (v) => coins(Math.abs(v)) },
        layers: [
          { kind: "bars", colour: c.call, bars: near.map((s) => [s.strike - half, s.strike + half, 0, call(s)]) },
          { kind: "bars", colour: c.put, bars: near.map((s) => { const v = put(s); return [s.strike - half, s.strike + half, 0, v === null ? null : -v]; }) },
          { kind: "level", y: 0, colour: c.ink2 },
          ...(spot === null ? [] : [{ kind: "upright" as const, x: spot, colour: c.ink, label: `spot ${price(spot)}` }]),
          ...(pain === null || volume ? [] : [{ kind: "upright" as const, x: pain, colour: c.ink2, dash: "dashed" as const, label: `max pain ${price(pain)}`, row: 1 }]),
        ],
        note: (x) => {
          const s = near[nearest(strikes, x)];
          return s ? [`strike ${price(s.strike)}`, `calls ${coins(s.call_open_interest)} ${interest.base}, traded ${coins(s.call_volume_24h)}`, `puts ${coins(s.put_open_interest)} ${interest.base}, traded ${coins(s.put_volume_24h)}`] : [];
        },
      });
    },
    [interest, chosen, volume],
  );
  const title = `${what} by strike${expiry ? `, ${expiryWords(expiry.expiry_ms)}` : ", all expiries"}`;
  return (
    <Panel id="option-interest" title={title} unit={`${interest.base}; calls up, puts down`} origin={originOf(interest)} call={() => callOf("open-interest", shared)} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["expiry", "strike", "call_open_interest", "put_open_interest", "call_volume_24h", "put_volume_24h"], rows: interest.by_strike.map((s) => [new Date(s.expiry_ms).toISOString(), s.strike, s.call_open_interest, s.put_open_interest, s.call_volume_24h, s.put_volume_24h]) })}
      tools={
        <>
          <Choice id="interest-expiry" label="Expiry of open interest" value={chosen} options={[[0, "all expiries"], ...interest.expiries.map((e): [number, string] => [e.expiry_ms, `${expiryWords(e.expiry_ms)} · ${coins(e.open_interest)}`])]} choose={choose} />
          <button type="button" class="tool" aria-pressed={volume} onClick={() => setVolume(!volume)}>24 h volume</button>
        </>
      }
      note={<div class="legend-line"><Key kind="block call">calls</Key><Key kind="block put">puts</Key><span>{expiry || !largest ? "" : `Max pain is of ${expiryWords(largest.expiry_ms)}, the expiry with the most open interest. `}{interest.reminder}</span></div>}
    >
      <div ref={element} class="plot tall" role="img" aria-label={`${title}; the table below holds the expiries`} />
      {held ? null : <p class="empty">{interest.venue} told no {volume ? "volume" : "open interest"} with its quotes.</p>}
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Expiries, scrolls sideways">
        <table class="numbers" data-testid="interest-table">
          <thead><tr><th scope="col">Expiry</th><th scope="col" class="right">Calls</th><th scope="col" class="right">Puts</th><th scope="col" class="right">Max pain</th><th scope="col" class="right">Put/call</th><th scope="col" class="right">by volume</th><th scope="col" class="right">notional</th><th scope="col" class="right">premium</th></tr></thead>
          <tbody>
            {interest.expiries.map((e) => (
              <tr key={e.expiry_ms} class={e.expiry_ms === chosen ? "chosen" : ""}>
                <th scope="row"><button type="button" class="plain" onClick={() => choose(e.expiry_ms === chosen ? 0 : e.expiry_ms)} aria-pressed={e.expiry_ms === chosen}>{expiryWords(e.expiry_ms)}</button> <small class="faint">{daysWords(e.days)}</small></th>
                <td class="right">{coins(e.call_open_interest)}</td><td class="right">{coins(e.put_open_interest)}</td><td class="right strong">{price(e.max_pain)}</td>
                <td class="right">{ratio(e.put_call_open_interest)}</td><td class="right">{ratio(e.put_call_volume)}</td><td class="right">{ratio(e.put_call_notional)}</td><td class="right">{ratio(e.put_call_premium)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

/** Large trades of the window: what was paid, in vega and dollars; blocks marked. */
export function NotablePanel({ interest, shared, words }: { interest: Interest; shared: Shared; words: string }) {
  const utc = useApp((s) => s.utc);
  const rows = interest.notable.slice(0, 12);
  const least = `premium of ${money(interest.thresholds.premium_usd)} USD or vega of ${money(interest.thresholds.vega_usd)} USD per point`;
  return (
    <Panel id="notable" title={rows.length ? `${interest.notable.length} notable option trades` : "Notable option trades"} unit={`last ${words}, largest first`} origin={{ source: `${interest.venue ?? "no venue"} option trades`, coverage: `${interest.trades_seen.toLocaleString("en-GB")} trades seen in the window` }} call={() => callOf("open-interest", shared)}
      csv={() => ({ header: ["ts", "symbol", "taker_side", "quantity", "premium_usd", "vega_usd", "is_block", "legs", "reason"], rows: interest.notable.map((t) => [new Date(t.ts_ms).toISOString(), t.symbol, t.taker_side, t.quantity, t.premium_usd, t.vega_usd, String(t.is_block), t.legs, t.reason]) })}
      note={<p class="legend-line"><span>Notable: {least}. A bought put may be insurance, a sold one income: side is the taker's, intent is not known.</span></p>}>
      {rows.length === 0 ? <p class="empty">{interest.trades_seen ? `None of ${interest.trades_seen.toLocaleString("en-GB")} trades reached a ${least}.` : `No option trade in the data in the last ${words}.`}</p> : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Notable trades, scrolls sideways">
          <table class="numbers" data-testid="notable-table">
            <thead><tr><th scope="col">Time ({zone(utc)})</th><th scope="col">Option</th><th scope="col">Taker</th><th scope="col" class="right">{interest.base}</th><th scope="col" class="right">Premium, USD</th><th scope="col" class="right">Vega, USD/pt</th><th scope="col">How</th></tr></thead>
            <tbody>
              {rows.map((t, i) => (
                <tr key={`${t.ts_ms} ${t.symbol} ${i}`}>
                  <th scope="row">{clockTime(t.ts_ms, utc)}</th><td>{expiryWords(t.expiry_ms)} {price(t.strike)} <span class={t.option_type}>{t.option_type}</span></td><td>{t.taker_side === "buy" ? "bought" : "sold"}</td>
                  <td class="right">{coins(t.quantity)}</td><td class="right strong">{money(t.premium_usd)}</td><td class="right">{money(t.vega_usd)}</td><td>{t.is_block ? `block${t.legs > 1 ? `, ${t.legs} legs` : ""}` : "screen"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
