import { count, isUnpriced, money, percent } from "../format";
import { changeView } from "../session";
import type { NowDocument, WindowTotals } from "../types";
import { absentReasons, absentWords, sourceWords, unheardNow, windowWords } from "../words";
import { EstimateLine, estimateWords, saysMore, shareWords, Whisker } from "./Estimate";
import { Num } from "./Num";

/** Long and short as parts of one bar from zero. */
export function SideBar({ long, short, of }: { long: number; short: number; of: number }) {
  const part = (usd: number) => `${of > 0 ? (usd / of) * 100 : 0}%`;
  return (
    <span class="sidebar" aria-hidden="true">
      <i class="long" style={{ width: part(long) }} />
      <i class="short" style={{ width: part(short) }} />
    </span>
  );
}

function Tile({ doc, totals, chosen }: { doc: NowDocument; totals: WindowTotals; chosen: boolean }) {
  const { window, total_usd: total, long_usd: long, short_usd: short, coverage } = totals;
  const words = windowWords(window);
  const missing = totals.missing.map((v) => absentWords(doc, v));
  const seen = coverage === null ? undefined : `${percent(coverage)} of ${words} recorded${missing.length ? `; without ${missing.join(", ")}` : ""}`;
  const common = { unit: "USD", source: sourceWords(doc), coverage: seen, floor: totals.floor };
  const measured = totals.status !== "missing" && total !== null;
  const priced = measured && !isUnpriced(totals);
  return (
    <article class={`tile${chosen ? " chosen" : ""}`} data-testid={`tile-${window}`} data-total={total ?? ""} data-long={long ?? ""} data-short={short ?? ""}
      data-coverage={coverage ?? ""} data-status={totals.status}>
      <h3>
        <button type="button" class="tile-choose" aria-pressed={chosen} onClick={() => changeView({ window })}>
          last {words}
        </button>
        {measured && totals.count !== null ? <span class="tile-count">{count(totals.count)} orders{totals.unpriced_count ? `, ${totals.unpriced_count} unpriced` : ""}</span> : null}
      </h3>
      {priced ? (
        <>
          <p class="tile-total">
            <Num {...common} value={total} text={money(total)} what={`liquidated in ${words}, longs and shorts`} /> <small>USD</small>
          </p>
          <SideBar long={long ?? 0} short={short ?? 0} of={total ?? 0} />
          {totals.estimate && saysMore(totals.estimate) ? (
            <div class="tile-estimate" data-testid={`estimate-${window}`} data-estimate={totals.estimate.estimate_usd} data-low={totals.estimate.low_usd} data-high={totals.estimate.high_usd ?? ""} title={shareWords(totals.long_share_corrected)}>
              <Whisker estimate={totals.estimate} of={Math.min(totals.estimate.high_usd ?? totals.estimate.estimate_usd * 2, (total ?? 1) * 8)} />
              <p>
                estimated <EstimateLine estimate={totals.estimate} words={`in ${words}`} /> <small>{estimateWords(totals.estimate).replace(/^[^(]*/, "")}</small>
              </p>
            </div>
          ) : null}
          <p class="tile-sides">
            <span class="long">
              long <Num {...common} value={long} text={money(long)} what={`longs liquidated in ${words}`} />
            </span>
            <span class="short">
              short <Num {...common} value={short} text={money(short)} what={`shorts liquidated in ${words}`} />
            </span>
          </p>
        </>
      ) : (
        <p class="tile-empty">{measured ? "none of these orders has a USD value" : "not recorded"}</p>
      )}
      <p class="tile-coverage" data-testid={`coverage-${window}`} data-value={coverage ?? ""}>
        <span class="meter" aria-hidden="true">
          <i style={{ width: `${(coverage ?? 0) * 100}%` }} />
        </span>
        <span>{coverage === null ? "coverage unknown" : `${percent(coverage)} of it recorded`}</span>
      </p>
      {missing.length ? (
        <p class={`tile-missing ${unheardNow(doc).length ? "attention" : ""}`} title={absentReasons(doc, totals.missing)} data-testid={`missing-${window}`}>
          without {missing.join(", ")}
        </p>
      ) : null}
    </article>
  );
}

export function Windows({ doc }: { doc: NowDocument }) {
  return (
    <section class="tiles" aria-label="Liquidated by window">
      {doc.windows.map((w) => (
        <Tile key={w.window} doc={doc} totals={w} chosen={w.window === doc.window} />
      ))}
    </section>
  );
}
