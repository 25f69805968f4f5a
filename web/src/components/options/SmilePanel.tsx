import { useState } from "preact/hooks";
import { extent, type Layer, nearest, type PlotChart, plotChart } from "../../charts/plot";
import { price } from "../../format";
import { daysWords, expiryWords, points, priceTick, type Quote, type Smile, tick } from "../../options";
import { useApp } from "../../state";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { callOf, Choice, inks, Key, originOf, type Shared } from "./parts";

const mine = (quotes: Quote[], type: "call" | "put", used: boolean) => quotes.filter((q) => q.option_type === type && q.is_used === used && (used || q.why_not !== "in the money"));

const KINDS: Record<string, string> = { svi: "SVI", ssvi: "SSVI, few strikes", scaled: "the next expiry's shape, too few strikes", flat: "flat, too few strikes" };

/** One expiry: quoted bids and asks, what was left aside, the fitted curve, and whether it allows arbitrage. */
export function SmilePanel({ smile, shared, expiry, choose }: { smile: Smile; shared: Shared; expiry: number | null; choose: (ms: number) => void }) {
  const utc = useApp((s) => s.utc);
  const slice = smile.slices[0];
  const [wide, setWide] = useState(false);
  const spot = smile.spot?.price ?? null;

  /** Three standard deviations around the forward, or everything fitted. */
  const ends = (): [number, number] => {
    if (!slice) return [0, 1];
    const { strike, iv } = slice.curve;
    const [first, last] = [strike[0]!, strike.at(-1)!];
    if (wide) return [first, last];
    const reach = Math.exp(3 * (iv[nearest(strike, slice.forward)] ?? 1) * Math.sqrt(slice.days / 365));
    return [Math.max(first, slice.forward / reach), Math.min(last, slice.forward * reach)];
  };

  const draw = (chart: PlotChart) => {
    if (!slice) return;
    const c = inks();
    const [from, to] = ends();
    const { strike, iv, k } = slice.curve;
    const seen = strike.map((s) => s >= from && s <= to);
    const inside = k.map((at) => at >= slice.quoted_k[0] - 1e-9 && at <= slice.quoted_k[1] + 1e-9);
    const used = slice.quotes.filter((q) => q.is_used && q.strike >= from && q.strike <= to);
    const shown = slice.quotes.filter((q) => q.why_not !== "in the money" && q.strike >= from && q.strike <= to);
    const y = extent([...iv.filter((_, i) => seen[i]), ...used.flatMap((q) => [q.bid_iv, q.ask_iv])].map((v) => (v === null ? null : 100 * v)));
    const layers: Layer[] = [];
    if (spot !== null) layers.push({ kind: "upright", x: slice.forward, colour: c.ink3, dash: "dashed", label: `forward ${price(slice.forward)}` });
    for (const type of ["put", "call"] as const) {
      layers.push({ kind: "whiskers", colour: c[type], rows: mine(shown, type, true).map((q) => [q.strike, q.bid_iv && 100 * q.bid_iv, q.ask_iv && 100 * q.ask_iv]) });
      layers.push({ kind: "dots", shape: "cross", size: 3, colour: c.ink3, points: mine(shown, type, false).map((q) => [q.strike, q.mid_iv && 100 * q.mid_iv]) });
      layers.push({ kind: "dots", shape: "circle", size: 2.5, colour: c[type], points: mine(shown, type, true).map((q) => [q.strike, q.mid_iv && 100 * q.mid_iv]) });
    }
    layers.push({ kind: "line", colour: c.ink3, width: 1.5, dash: "dotted", points: strike.map((s, i) => [s, iv[i] === null || (inside[i] && inside[i + 1] !== false && inside[i - 1] !== false) ? null : 100 * iv[i]!]) });
    layers.push({ kind: "line", colour: c.ink, width: 2, dash: "dotted", points: strike.map((s, i) => [s, iv[i] === null || !inside[i] ? null : 100 * iv[i]!]) });
    const quoted = slice.quotes.filter((q) => q.why_not !== "in the money").toSorted((a, b) => a.strike - b.strike);
    chart.update({
      x: { min: from, max: to, format: priceTick },
      y: { min: Math.max(0, y[0]), max: y[1], format: tick },
      layers,
      note: (x) => {
        const q = quoted[nearest(quoted.map((o) => o.strike), x)];
        const i = nearest(strike, x);
        if (!q) return [];
        return [
          `${price(q.strike)} ${q.option_type}`,
          `bid ${points(q.bid_iv)}, ask ${points(q.ask_iv)}, mid ${points(q.mid_iv)}`,
          `venue's mark ${points(q.mark_iv)}, fitted ${points(iv[i])}`,
          q.is_used ? "used in the fit" : `left aside: ${q.why_not}`,
          q.open_interest === null ? "" : `open interest ${q.open_interest.toLocaleString("en-GB")} ${smile.base}`,
        ];
      },
    });
  };

  const drawG = (chart: PlotChart) => {
    if (!slice) return;
    const c = inks();
    const { strike, g } = slice.curve;
    const [low, high] = extent(g, true);
    const [from, to] = ends();
    chart.update({
      x: { min: from, max: to, format: priceTick },
      y: { min: low, max: high, format: tick },
      layers: [{ kind: "level", y: 0, colour: c.ink2 }, { kind: "line", points: strike.map((s, i) => [s, g[i] ?? null]), colour: c.ink, width: 1.5, dash: "dotted" }],
      note: (x) => [`g ${g[nearest(strike, x)]?.toFixed(3) ?? "—"}`, price(strike[nearest(strike, x)])],
    });
  };

  const { element, chart } = useChart<PlotChart>(plotChart, draw, [slice, utc, wide]);
  const strip = useChart<PlotChart>(plotChart, drawG, [slice, wide]);
  const rows = slice?.quotes.filter((q) => q.why_not !== "in the money") ?? [];
  const title = slice ? `Smile of ${expiryWords(slice.expiry_ms)}` : "Smile";
  return (
    <Panel id="smile" title={title} unit={`implied volatility, points; ${smile.base} strikes in USD`} origin={originOf(smile)} call={() => callOf("smile", shared, { expiry: slice ? new Date(slice.expiry_ms).toISOString() : undefined })} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["expiry", "strike", "option_type", "bid_iv", "ask_iv", "mid_iv", "mark_iv", "is_used", "why_not"], rows: (slice?.quotes ?? []).map((q) => [new Date(slice!.expiry_ms).toISOString(), q.strike, q.option_type, q.bid_iv, q.ask_iv, q.mid_iv, q.mark_iv, String(q.is_used), q.why_not]) })}
      tools={<><button type="button" class="tool" aria-pressed={wide} onClick={() => setWide(!wide)}>all strikes</button><Choice id="expiry" label="Expiry" value={expiry ?? slice?.expiry_ms ?? 0} options={smile.expiries.map((e) => [e.expiry_ms, `${expiryWords(e.expiry_ms)} · ${daysWords(e.days)} · ATM ${points(e.atm)}`])} choose={choose} /></>}
      note={
        <div class="legend-line">
          <Key kind="whisk put">put, bid to ask</Key>
          <Key kind="whisk call">call</Key>
          <Key kind="cross">left aside (hover says why)</Key>
          <Key kind="dots">fit: {slice ? KINDS[slice.kind] ?? slice.kind : ""}{slice ? `, off by ${slice.rms_points.toFixed(2)} points rms, ${slice.worst_points.toFixed(2)} at worst` : ""}; grey beyond the last quote</Key>
          <span>lower strip: Durrleman's g, at least {slice ? slice.min_g.toFixed(2) : "—"}: {slice && slice.min_g >= 0 ? "no butterfly arbitrage" : "arbitrage"}</span>
        </div>
      }
      table={
        <table data-testid="smile-table">
          <caption>Quotes of the expiry out of the money, with the reason where left aside</caption>
          <thead><tr>{["Strike", "Type", "Bid", "Ask", "Mid", "Mark", "Fit"].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
          <tbody>
            {rows.map((q) => (
              <tr key={q.symbol}><th scope="row">{price(q.strike)}</th><td>{q.option_type}</td><td>{points(q.bid_iv)}</td><td>{points(q.ask_iv)}</td><td>{points(q.mid_iv)}</td><td>{points(q.mark_iv)}</td><td>{q.is_used ? "used" : q.why_not}</td></tr>
            ))}
          </tbody>
        </table>
      }
    >
      <div ref={element} class="plot tall" role="img" aria-label={`${title}; the table below holds the quotes`} />
      <div ref={strip.element} class="plot strip" role="img" aria-label={`g of the fit, at least ${slice?.min_g.toFixed(2) ?? "unknown"}`} />
      {slice ? null : <p class="empty">No expiry could be fitted: {smile.reason || "no quote is clean"}.</p>}
    </Panel>
  );
}
