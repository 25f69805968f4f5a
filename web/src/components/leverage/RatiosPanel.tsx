import { colours } from "../../charts/colours";
import { lines, type Line, type Lines } from "../../charts/lines";
import { duration, money, percent } from "../../format";
import { margin, type Positioning, rate } from "../../leverage";
import { useApp } from "../../state";
import { callFor, venueTitle, windowWords, type Outline } from "../../words";
import { Panel } from "../Panel";
import { useChart } from "../useChart";
import { hue } from "./hues";

const DASHES: Record<string, boolean> = { top_accounts: true, top_positions: true };

/** How accounts, top traders and takers lean; beside each what it says, and what it cannot say. */
export function RatiosPanel({ doc, found }: { doc: Outline; found: Positioning }) {
  const utc = useApp((s) => s.utc);
  const { element, chart } = useChart<Lines>(lines, (c) => {
    const shown: Line[] = found.series.map((one) => ({
      name: `${venueTitle(doc, one.venue)} ${margin(one.symbol)}, ${one.ratio_kind.replace("_", " ")}`, colour: hue(one.venue), dash: DASHES[one.ratio_kind] ?? false,
      points: one.ts_ms.map((ms, k): [number, number] => [ms, one.long_share[k]!]),
    }));
    c.update(shown, { write: (v) => `${(v * 100).toFixed(0)} %`, utc, range: [found.start_ms, found.at_ms], level: { at: 0.5, name: "half" } });
  }, [found, utc]);
  const kinds = found.measures.filter((m) => found.rows.some((r) => r.ratio_kind === m.ratio_kind) || (m.ratio_kind === "taker_volume" && found.taker_flow.length > 0));
  const absent = found.measures.filter((m) => !kinds.includes(m));
  return (
    <Panel id="ratios" title={`How ${found.base} traders lean`} unit={`long share, last ${windowWords(doc.window)}; four different things`}
      origin={{ source: `ratios as published; takers from trades and candles`, coverage: `${found.rows.length} ratios of ${new Set(found.rows.map((r) => r.venue)).size} venues` }}
      call={() => callFor("positioning", { window: doc.window, base: found.base })} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["venue", "symbol", "ratio_kind", "ts", "long_share"], rows: found.series.flatMap((one) => one.ts_ms.map((ms, k) => [one.venue, one.symbol, one.ratio_kind, new Date(ms).toISOString(), one.long_share[k] ?? null])) })}
      note={absent.length ? <p class="legend-line"><span>No venue told: {absent.map((m) => m.name.toLowerCase()).join("; ")}.</span></p> : null}
    >
      {found.series.length ? null : <p class="empty">{found.reason ? `${found.reason[0]?.toUpperCase()}${found.reason.slice(1)}.` : "No ratio was told in this window."}</p>}
      <div ref={element} class="chart-lines" role="img" aria-label={`Long shares of ${found.series.length} ratios through time`} style={{ color: colours().ink }} />
      {kinds.map((m) => (
        <section class="measure" key={m.ratio_kind} data-testid={`measure-${m.ratio_kind}`}>
          <h3>{m.name}</h3>
          <ul>
            {found.rows.filter((r) => r.ratio_kind === m.ratio_kind).map((r) => (
              <li key={r.venue + r.symbol} class={r.is_stale ? "faint" : ""} data-share={r.long_share}>
                <i class={`venue-mark v-${r.venue}`} aria-hidden="true" />{venueTitle(doc, r.venue)} {margin(r.symbol)} <b>{percent(r.long_share)} long</b>, {percent(r.short_share)} short
                {r.ratio === null ? "" : ` (${r.ratio.toFixed(2)})`}{r.change_24h === null ? "" : `; ${rate(r.change_24h, 1).replace(" %", " points")} in 24 h`}{r.is_stale ? <span class="attention-text">; stale, {duration(r.age_seconds * 1000)}</span> : null}
              </li>
            ))}
            {m.ratio_kind === "taker_volume" ? found.taker_flow.map((t) => (
              <li key={`taker-${t.venue}`} class={t.coverage !== null && t.coverage < 0.5 ? "faint" : ""}>
                <i class={`venue-mark v-${t.venue}`} aria-hidden="true" />{venueTitle(doc, t.venue)} <b>{percent(t.long_share)} bought</b> of {money(t.buy_usd + t.sell_usd)} USD
                {t.coverage === null ? "" : t.coverage < 0.95 ? <span class={t.coverage < 0.5 ? "attention-text" : ""}>; only {percent(t.coverage)} of the volume was seen</span> : ""}
              </li>
            )) : null}
          </ul>
          <p><b>Says:</b> {m.says}</p>
          <p><b>Cannot say:</b> {m.cannot_say}</p>
        </section>
      ))}
    </Panel>
  );
}
