import { colours } from "../../charts/colours";
import { lines, type Lines } from "../../charts/lines";
import { strip, type Strip, type Stretch } from "../../charts/strip";
import { dateTime, duration, money, percent, zone } from "../../format";
import { coins, type OpenInterest, rate } from "../../leverage";
import { useApp } from "../../state";
import { callFor, venueTitle, windowWords, type Outline } from "../../words";
import { Num } from "../Num";
import { Panel } from "../Panel";
import { useChart } from "../useChart";

const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function covered(doc: Outline, oi: OpenInterest): string {
  const lacking = oi.totals.missing.map((v) => venueTitle(doc, v));
  return `${oi.venues.length} venues read within a quarter of an hour${lacking.length ? `; not read: ${lacking.join(", ")}` : ""}`;
}

/** The fall from the window's own high in coins and in dollars, on one scale, and who seems to have acted in each step. */
export function InterestPanel({ doc, oi }: { doc: Outline; oi: OpenInterest }) {
  const utc = useApp((s) => s.utc);
  const { series: s, drawdown: d } = oi;
  const { element, chart } = useChart<Lines>(lines, (c) => {
    const colour = colours();
    const points = (values: (number | null)[]) => s.ts_ms.map((ms, k): [number, number | null] => [ms, values[k] ?? null]);
    c.update([
      { name: "in coins", colour: colour.ink, points: points(s.coins_fall) },
      { name: "in USD", colour: colour.ink3, points: points(s.usd_fall), dash: true },
    ], { write: (v) => rate(v, 2), utc, range: [oi.start_ms, oi.at_ms], zero: true });
  }, [oi, utc]);
  const told = s.coins_fall.some((v) => v !== null);
  return (
    <Panel id="interest" title={`Open interest of ${oi.base} below its high of the last ${windowWords(doc.window)}`} unit="share of the highest so far; coins and USD on one scale"
      origin={{ source: "open interest of every venue, one side counted", coverage: covered(doc, oi) }} call={() => callFor("open-interest", { window: doc.window, base: oi.base })} png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["ts", "coins", "usd", "coins_fall", "usd_fall", "is_complete"], rows: s.ts_ms.map((ms, k) => [new Date(ms).toISOString(), s.coins[k] ?? null, s.usd[k] ?? null, s.coins_fall[k] ?? null, s.usd_fall[k] ?? null, String(s.is_complete[k])]) })}
      note={
        <>
          <p class="legend-line"><span><i class="key line" aria-hidden="true" /> coins</span><span><i class="key line dashed" aria-hidden="true" /> USD</span><span>{oi.says}</span></p>
          <p class="peak" data-testid="interest-peak" data-value={d.coins ?? ""}>
            <b>From the peak of {d.months} months:</b>{" "}
            {d.coins === null ? <>not told — {d.reason}.</> : <>{rate(d.coins, 2)} in coins (peak {dateTime(d.coins_peak_at_ms!, utc)} {zone(utc)}), {rate(d.usd, 2)} in USD{d.left_out.length ? `; without ${d.left_out.map((v) => venueTitle(doc, v)).join(", ")}, read for a shorter time` : ""}.</>}
          </p>
        </>
      }
    >
      {told ? null : <p class="empty">{upper(oi.reason || "no instant of this window has every contract read")}.</p>}
      <div ref={element} class="chart-lines" role="img" aria-label={`Open interest below its high, coins and USD, ${s.ts_ms.length} instants`} />
      <Actors oi={oi} />
    </Panel>
  );
}

const ACTS: Record<string, [price: string, coins: string]> = {
  "new longs": ["price up", "coins up"],
  "short covering": ["price up", "coins down"],
  "new shorts": ["price down", "coins up"],
  "long closing": ["price down", "coins down"],
};

/** Price × open interest: solid where positions were opened, hatched where closed; light where the price rose, dark where it fell. */
function Actors({ oi }: { oi: OpenInterest }) {
  const utc = useApp((s) => s.utc);
  const { regimes: r } = oi;
  const { element } = useChart<Strip>(strip, (c) => {
    const colour = colours();
    const fills: Record<string, string> = { "new longs": colour.ink2, "short covering": colour.ink2, "new shorts": colour.ink3 + "77", "long closing": colour.ink3 + "77" };
    const stretches: Stretch[] = r.ts_ms.map((to, k) => {
      const word = r.quadrant[k] ?? null;
      return {
        from: to - r.step_ms, to, fill: word === null ? "transparent" : (fills[word] ?? colour.zero), band: [0, 1], hatched: word === null || word === "short covering" || word === "long closing",
        note: [word ?? "not comparable: a contract was not read", `price ${rate(r.price_change[k], 2)}, coins ${rate(r.oi_change[k], 2)}`, `${duration(r.step_ms)} to ${dateTime(to, utc)} ${zone(utc)}`],
      };
    });
    c.update([{ label: "who acted", value: "", stretches }], oi.start_ms, oi.at_ms, utc);
  }, [oi, utc]);
  const counts = Object.keys(ACTS).map((word): [string, number] => [word, r.quadrant.filter((q) => q === word).length]);
  const known = r.quadrant.filter((q) => q !== null).length;
  return (
    <>
      <div ref={element} class="chart-actors" role="img" aria-label={counts.map(([word, n]) => `${word} in ${n} of ${known} steps`).join(", ")} />
      <p class="legend-line actors" data-testid="interest-actors">
        {counts.map(([word, n]) => (
          <span key={word}>
            <i class={`key act ${word.replace(" ", "-")}`} aria-hidden="true" /> {word} ({ACTS[word]!.join(", ")}): {n}
          </span>
        ))}
        <span>of {known} steps of {duration(r.step_ms)}. A reading, not a measurement: every new long has a new short.</span>
      </p>
    </>
  );
}

/** A line without axes, as wide as its cell; breaks where nothing was read. */
export function Spark({ values, label }: { values: (number | null)[]; label: string }) {
  const known = values.filter((v): v is number => v !== null);
  if (known.length < 2) return <span class="none">—</span>;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (k: number) => (k / (values.length - 1)) * 100;
  const y = (v: number) => 18 - ((v - low) / (high - low || 1)) * 16;
  let pen = false;
  const path = values.map((v, k) => {
    if (v === null) {
      pen = false;
      return "";
    }
    const step = `${pen ? "L" : "M"}${x(k).toFixed(1)} ${y(v).toFixed(1)}`;
    pen = true;
    return step;
  }).join("");
  return (
    <svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={path} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

const moved = (values: (number | null)[]) => {
  const known = values.filter((v): v is number => v !== null);
  return known.length > 1 && known[0]! > 0 ? known.at(-1)! / known[0]! - 1 : null;
};

/** Who holds it: by venue in coins and dollars, with the window's change in coins. */
export function HoldersPanel({ doc, oi }: { doc: Outline; oi: OpenInterest }) {
  const ordered = [...oi.venues].sort((a, b) => (b.usd ?? 0) - (a.usd ?? 0));
  const course = new Map(oi.by_venue.map((v) => [v.venue, v]));
  const most = ordered[0]?.share ?? 0;
  return (
    <Panel id="holders" title={`Where ${oi.base} is held open`} unit={`coins and USD, one side; change over ${windowWords(doc.window)} in coins`}
      origin={{ source: "open interest of every venue", coverage: covered(doc, oi) }} call={() => callFor("open-interest", { window: doc.window, base: oi.base })}
      csv={() => ({ header: ["venue", "coins", "usd", "share", "contracts"], rows: ordered.map((v) => [v.venue, v.coins, v.usd, v.share, v.contracts]) })}
      note={
        <>
        <p class="legend-line" data-testid="interest-changes">
          {oi.changes.map((c) => <span key={c.window} title={c.reason}>{windowWords(c.window)} {c.coins_share === null ? <span class="faint">not read at both ends</span> : <><b>{rate(c.coins_share, 2)}</b> in coins, {rate(c.usd_share, 2)} in USD</>}</span>)}
        </p>
        <p class="legend-line">
          {oi.margin_types.map((m) => <span key={m.margin_type}>{m.margin_type === "inverse" ? "coin-margined" : m.margin_type === "linear" ? "stablecoin-margined" : "margin not known"}: <b>{money(m.usd)} USD</b>{m.share === null ? "" : ` (${percent(m.share)})`}</span>)}
          {oi.contracts.some((c) => c.is_converted) ? <span>Converted by the mark price where a venue prints only one unit: {[...new Set(oi.contracts.filter((c) => c.is_converted).map((c) => venueTitle(doc, c.venue)))].join(", ")}.</span> : null}
        </p>
        </>
      }
    >
      {ordered.length === 0 ? <p class="empty">{upper(oi.totals.reason || "nothing was read")}.</p> : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Open interest by venue, scrolls sideways">
          <table class="lev">
            <thead><tr><th scope="col">Venue</th><th scope="col" class="right">Coins</th><th scope="col" class="right">USD</th><th scope="col">Share</th><th scope="col" class="right">Change</th><th scope="col">Course</th></tr></thead>
            <tbody>
              {ordered.map((v) => {
                const own = course.get(v.venue);
                const change = own ? moved(own.coins) : null;
                return (
                  <tr key={v.venue} data-testid={`interest-${v.venue}`} data-usd={v.usd ?? ""} data-coins={v.coins ?? ""}>
                    <th scope="row"><i class={`venue-mark v-${v.venue}`} aria-hidden="true" />{venueTitle(doc, v.venue)}</th>
                    <td class="right"><Num value={v.coins} text={coins(v.coins)} unit={oi.base} what={`open interest on ${venueTitle(doc, v.venue)}`} source={`open interest of ${venueTitle(doc, v.venue)}`} /></td>
                    <td class="right strong"><Num value={v.usd} text={money(v.usd)} unit="USD" what={`open interest on ${venueTitle(doc, v.venue)}`} source={`open interest of ${venueTitle(doc, v.venue)}`} /></td>
                    <td class="bar-cell"><i class="bar" style={{ width: `${most ? ((v.share ?? 0) / most) * 56 : 0}px` }} aria-hidden="true" /> {percent(v.share)}</td>
                    <td class="right">{rate(change, 2)}</td>
                    <td class="spark-cell">{own ? <Spark values={own.coins} label={`coins on ${venueTitle(doc, v.venue)}, ${rate(change, 2)}`} /> : null}</td>
                  </tr>
                );
              })}
              <tr class="whole">
                <th scope="row">All</th>
                <td class="right">{coins(oi.totals.coins)}</td>
                <td class="right strong">{money(oi.totals.usd)}</td>
                <td colSpan={3} class="faint">{oi.totals.contracts} contracts</td>
              </tr>
              {oi.totals.missing.map((v) => <tr key={v} class="old"><th scope="row"><i class="venue-mark" aria-hidden="true" />{venueTitle(doc, v)}</th><td colSpan={5} class="faint">not read</td></tr>)}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
