import { REST, type TreemapChart, treemapChart } from "../charts/treemap";
import { count, exact, money, percent } from "../format";
import { store, useApp } from "../state";
import type { NowDocument, Treemap, TreemapItem } from "../types";
import { callFor, currentTotals, momentWords, sourceWords, windowWords } from "../words";
import { Num } from "./Num";
import { Panel } from "./Panel";
import { useChart } from "./useChart";

type Part = Omit<TreemapItem, "base"> & { base: string; words: string };

function parts(treemap: Treemap): Part[] {
  const named = treemap.items.map((item) => ({ ...item, words: item.base }));
  const { rest } = treemap;
  return rest && rest.bases > 0 ? [...named, { ...rest, base: REST, words: `rest (${rest.bases} more)` }] : named;
}

function tileNote(base: string): string[] {
  const { doc } = store.get();
  const part = doc ? parts(doc.treemap).find((p) => p.base === base) : undefined;
  if (!doc || !part) return [];
  return [
    `${exact(part.total_usd)} USD`,
    `${part.words}, ${count(part.count)} orders, ${percent(part.share)} of all`,
    `long ${money(part.long_usd)}, short ${money(part.short_usd)}`,
    `as of ${momentWords()}`,
    `source: ${sourceWords(doc)}`,
    base === REST ? "" : "click to filter the tape",
  ];
}

const filterTape = (base: string) => store.set({ filterText: base });

function Rows({ doc }: { doc: NowDocument }) {
  const source = sourceWords(doc);
  const floor = currentTotals(doc)?.floor;
  const words = windowWords(doc.window);
  return (
    <table data-testid="treemap-table">
      <thead>
        <tr>
          <th scope="col">Asset</th>
          <th scope="col" class="right">Total, USD</th>
          <th scope="col" class="right">Long</th>
          <th scope="col" class="right">Short</th>
          <th scope="col" class="right">Share</th>
          <th scope="col" class="right">Orders</th>
          <th scope="col">Tape</th>
        </tr>
      </thead>
      <tbody>
        {parts(doc.treemap).map((p) => (
          <tr key={p.base} data-testid={`treemap-${p.base}`} data-total={p.total_usd} data-long={p.long_usd} data-short={p.short_usd} data-value={p.total_usd}>
            <th scope="row">{p.words}</th>
            <td class="right">
              <Num value={p.total_usd} text={money(p.total_usd)} unit="USD" what={`liquidated in ${p.words}, ${words}`} source={source} floor={floor} />
            </td>
            <td class="right long">{money(p.long_usd)}</td>
            <td class="right short">{money(p.short_usd)}</td>
            <td class="right">{percent(p.share)}</td>
            <td class="right">{count(p.count)}</td>
            <td>
              {p.base === REST ? null : (
                <button type="button" class="tool" onClick={() => filterTape(p.base)} aria-label={`Filter the tape by ${p.base}`}>
                  filter
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function TreemapPanel({ doc }: { doc: NowDocument }) {
  useApp((s) => s.utc);
  const { treemap } = doc;
  const { element, chart } = useChart<TreemapChart>((el) => treemapChart(el, tileNote, filterTape), (c) => c.update(treemap), [doc]);
  return (
    <Panel
      id="treemap"
      title="Liquidated by asset"
      unit={`USD, last ${windowWords(doc.window)}`}
      call={() => callFor("liquidations/treemap", { window: doc.window, top: treemap.items.length || undefined })}
      png={() => chart.current?.picture() ?? null}
      csv={() => ({ header: ["asset", "total_usd", "long_usd", "short_usd", "count", "share"], rows: parts(treemap).map((p) => [p.base, p.total_usd, p.long_usd, p.short_usd, p.count, p.share]) })}
      note={
        <p class="legend-line">
          <span>area ∝ USD</span>
          <span>
            <i class="key block long" aria-hidden="true" /> long, left part of a tile
          </span>
          <span>
            <i class="key block short" aria-hidden="true" /> short, right part
          </span>
          <span>
            <i class="key block rest" aria-hidden="true" /> all other assets
          </span>
        </p>
      }
      table={<Rows doc={doc} />}
    >
      <div ref={element} class="chart-treemap" role="img" aria-label="Liquidated by asset; the table below holds the numbers" />
      {treemap.items.length === 0 ? (
        <p class="empty">No forced order in the last {windowWords(doc.window)}.</p>
      ) : treemap.total_usd ? null : (
        <p class="empty">None of the orders in the last {windowWords(doc.window)} has a USD value.</p>
      )}
    </Panel>
  );
}
