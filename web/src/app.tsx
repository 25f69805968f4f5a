import { useEffect } from "preact/hooks";
import { Band } from "./components/Band";
import { Feeds } from "./components/Feeds";
import { HeatmapPanel } from "./components/HeatmapPanel";
import { Help } from "./components/Help";
import { Lazy } from "./components/Lazy";
import { Largest } from "./components/Largest";
import { Multiples } from "./components/Multiples";
import { Notices, useLate } from "./components/Notices";
import { PricePanel } from "./components/PricePanel";
import { Tape } from "./components/Tape";
import { TimeBar } from "./components/TimeBar";
import { TopBar } from "./components/TopBar";
import { TreemapPanel } from "./components/TreemapPanel";
import { Waves } from "./components/Waves";
import { VenueTable } from "./components/VenueTable";
import { Windows } from "./components/Windows";
import { unbroken } from "./format";
import { useApp } from "./state";
import type { NowDocument } from "./types";

const leveragePage = () => import("./components/leverage/Leverage").then((m) => m.Leverage);
const outsidePage = () => import("./components/outside/Outside").then((m) => m.Outside);
const reportPage = () => import("./components/report/Report").then((m) => m.Report);
const optionsPage = () => import("./components/options/Options").then((m) => m.Options);

/** The first page: what is happening, in one sentence, and the pictures that prove it. */
function Now({ doc }: { doc: NowDocument }) {
  const { late } = useLate();
  useEffect(() => {
    document.title = `${doc.headline} · deleverage`;
  }, [doc.headline]);
  return (
    <main class={late ? "stale" : ""} data-stale={late}>
      <h1 data-testid="headline">{unbroken(doc.headline)}</h1>
      <Windows doc={doc} />
      <div class="row two-thirds">
        <PricePanel doc={doc} />
        <Tape doc={doc} />
      </div>
      <div class="row halves">
        <VenueTable doc={doc} />
        <HeatmapPanel doc={doc} />
      </div>
      <div class="row two-thirds-wide">
        <TreemapPanel doc={doc} />
        <Largest doc={doc} />
      </div>
      <Multiples />
    </main>
  );
}

export function App() {
  const doc = useApp((s) => s.doc);
  const toast = useApp((s) => s.toast);
  const error = useApp((s) => s.error);
  const page = useApp((s) => s.view.page);
  return (
    <>
      <Band />
      <TopBar />
      <Notices />
      <TimeBar />
      {page === "feeds" ? <Feeds /> : page === "waves" ? <Waves /> : page === "leverage" ? <Lazy page={leveragePage} /> : page === "economy" ? <Lazy page={outsidePage} /> : page === "options" ? <Lazy page={optionsPage} /> : page === "report" ? <Lazy page={reportPage} /> : doc ? <Now doc={doc} /> : <main class="waiting">{error ? "There is nothing to show for this address." : "Waiting for the first answer of the server…"}</main>}
      <footer class="colophon">
        USD is the notional of forced orders, not a loss. Price chart: <a href="https://www.tradingview.com/" rel="noreferrer">TradingView</a> Lightweight Charts™. Every panel is also JSON: <a href="docs">the API</a>.
      </footer>
      <Help />
      <div class="toast" role="status">
        {toast}
      </div>
    </>
  );
}
