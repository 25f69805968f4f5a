import { useState } from "preact/hooks";
import { extent, type Layer, nearest, type PlotChart, plotChart, type Point } from "../../charts/plot";
import { money, percent, price } from "../../format";
import { type Convention, type Exposure, priceTick, tick } from "../../options";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { callOf, inks, Key, originOf, type Shared } from "./parts";

const signed = (usd: number | null) => (usd === null ? "—" : `${usd < 0 ? "−" : "+"}${money(Math.abs(usd))}`);
const flipWords = (one: Convention) => one.flips.map((f) => `${price(f.price)}${f.low === null || f.high === null ? "" : ` (${price(f.low)}–${price(f.high)})`}`).join(", ") || "none within 30 %";

/** What dealers must trade as the price moves, under one assumption of who holds what; all assumptions side by side below. */
export function ExposurePanel({ exposure, shared }: { exposure: Exposure; shared: Shared }) {
  const [name, choose] = useState("");
  const [byStrike, setByStrike] = useState(false);
  const all = exposure.conventions;
  const one = all.find((c) => c.name === name) ?? all[0];
  const spot = exposure.spot?.price ?? null;

  const { element, chart } = useChart<PlotChart>(
    plotChart,
    (plot) => {
      if (!one || spot === null) return;
      const c = inks();
      const [from, to] = [exposure.prices[0]!, exposure.prices.at(-1)!];
      const million = (v: number | null) => (v === null ? null : v / 1e6);
      const zones: Layer[] = one.short_zones.map((z) => ({ kind: "zone", from: z.low ?? from, to: z.high ?? to, hatched: true, colour: c.hatch, opacity: 0.7, label: "dealers short gamma" }));
      const marks: Layer[] = [
        ...one.flips.flatMap((f, i): Layer[] => [
          ...(f.low === null || f.high === null ? [] : [{ kind: "zone" as const, from: f.low, to: f.high, colour: c.ink2, opacity: 0.25 }]),
          { kind: "upright", x: f.price, colour: c.ink2, dash: "dashed", label: `flip ${price(f.price)}`, row: 1 + (i % 3) },
        ]),
        { kind: "upright", x: spot, colour: c.ink, label: `spot ${price(spot)}` },
      ];
      if (byStrike) {
        const rows = one.by_strike.filter((s) => s.strike >= from && s.strike <= to);
        if (!rows.length) return;
        const strikes = rows.map((s) => s.strike);
        const half = Math.max(0.42 * Math.min(...strikes.slice(1).map((s, i) => s - strikes[i]!), (to - from) / 20), 0.0026 * (to - from));
        const y = extent(rows.map((s) => s.gamma_usd / 1e6), true);
        plot.update({
          x: { min: from, max: to, format: priceTick }, y: { min: y[0], max: y[1], format: tick },
          layers: [{ kind: "bars", colour: c.ink2, bars: rows.map((s) => [s.strike - half, s.strike + half, 0, s.gamma_usd / 1e6]) }, { kind: "level", y: 0, colour: c.ink2 }, { kind: "upright", x: spot, colour: c.ink, label: `spot ${price(spot)}` }],
          note: (x) => { const s = rows[nearest(strikes, x)]; return s ? [`strike ${price(s.strike)}`, `gamma ${signed(s.gamma_usd)} USD per 1 %`, `position ${s.position.toLocaleString("en-GB", { maximumFractionDigits: 0 })} ${exposure.base} of ${s.open_interest.toLocaleString("en-GB", { maximumFractionDigits: 0 })}`, `vanna ${s.vanna.toFixed(2)}, charm ${s.charm.toFixed(2)} ${exposure.base}`] : []; },
        });
        return;
      }
      const y = extent([...one.curve, ...(one.curve_low ?? []), ...(one.curve_high ?? [])].map(million), true);
      plot.update({
        x: { min: from, max: to, format: priceTick }, y: { min: y[0], max: y[1], format: tick },
        layers: [
          ...zones,
          ...(one.curve_low && one.curve_high ? [{ kind: "band" as const, colour: c.ink2, opacity: 0.35, points: exposure.prices.map((p, i): [number, number | null, number | null] => [p, million(one.curve_low![i] ?? null), million(one.curve_high![i] ?? null)]) }] : []),
          { kind: "level", y: 0, colour: c.ink2 },
          { kind: "line", colour: c.ink, width: 2.5, dash: "dotted", points: exposure.prices.map((p, i): Point => [p, million(one.curve[i] ?? null)]) },
          ...marks,
        ],
        note: (x) => {
          const i = nearest(exposure.prices, x);
          const band = one.curve_low && one.curve_high ? `90 % between ${signed(one.curve_low[i] ?? null)} and ${signed(one.curve_high[i] ?? null)}` : "";
          return [`at ${price(exposure.prices[i])}`, ...all.map((o) => `${o.title.toLowerCase()}: ${signed(o.curve[i] ?? null)} USD per 1 %`), band];
        },
      });
    },
    [exposure, one?.name, byStrike],
  );
  const title = one ? `Dealers' gamma: ${one.title.toLowerCase()}` : "Dealers' gamma";
  return (
    <Panel id="exposure" title={title} unit={`USD M to sell per 1 % rise, ${byStrike ? "by strike" : "as the price moves"}`} origin={originOf(exposure)} call={() => callOf("exposure", shared)} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["convention", "price", "gamma_usd", "low", "high"], rows: all.flatMap((o) => exposure.prices.map((p, i) => [o.name, p, o.curve[i] ?? null, o.curve_low?.[i] ?? null, o.curve_high?.[i] ?? null])) })}
      tools={<>{[false, true].map((by) => <button key={String(by)} type="button" class="tool" aria-pressed={byStrike === by} onClick={() => setByStrike(by)}>{by ? "by strike" : "over price"}</button>)}</>}
      note={
        <div class="legend-line">
          <Key kind="dots">modelled curve</Key>{one?.curve_low ? <Key kind="shade">90 % band of the sign's errors</Key> : null}<Key kind="hatched">short gamma: hedging pushes the price on</Key>
          <span>Assumes {exposure.assumption}.</span>
          {exposure.left_out ? <span>{exposure.left_out} contracts with {percent(exposure.left_out_share)} of the open interest are left out: no volatility.</span> : null}
        </div>
      }
    >
      <div ref={element} class="plot tall" role="img" aria-label={`${title}; the table below compares the conventions`} />
      {all.length ? null : <p class="empty">{exposure.reason || "No open interest in the data."}</p>}
      {all.length ? (
        <>
          <div class="scroll-x" tabIndex={0} role="region" aria-label="Conventions, scrolls sideways">
            <table class="numbers conventions" data-testid="conventions">
              <thead><tr><th scope="col">If dealers are</th><th scope="col" class="right">Gamma, USD per 1 %</th><th scope="col">Flips</th><th scope="col" class="right">Vanna/pt</th><th scope="col" class="right">Charm/day</th></tr></thead>
              <tbody>
                {all.map((o) => (
                  <tr key={o.name} class={o === one ? "chosen" : ""} data-testid={`convention-${o.name}`} data-gamma={o.gamma_usd}>
                    <th scope="row"><button type="button" class="tool" aria-pressed={o === one} onClick={() => choose(o.name)} title={o.about}>{o.title}</button></th>
                    <td class="right strong">{signed(o.gamma_usd)}{o.gamma_low === null ? "" : <small class="faint"> {signed(o.gamma_low)} to {signed(o.gamma_high)}</small>}</td>
                    <td>{flipWords(o)}</td><td class="right">{o.vanna.toFixed(1)}</td><td class="right">{o.charm.toFixed(1)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="hint-line" data-testid="regime">
            <b>{exposure.regime === null ? "No word" : `${exposure.regime.slice(0, 1).toUpperCase()}${exposure.regime.slice(1)}`}</b>{" "}
            <span class="faint">{exposure.regime === "conventions disagree" ? "on which side of spot they are: no word for the whole." : exposure.regime ? "at spot under every convention shown." : ""} Selected: {one?.about}. {exposure.flow ? `Trades: ${exposure.flow.trades.toLocaleString("en-GB")} seen, ${exposure.flow.note || "history complete"}.` : "No option trades in the data, so no convention by flow."}</span>
          </p>
        </>
      ) : null}
    </Panel>
  );
}
