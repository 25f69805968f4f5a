/** The keyboard, anywhere on the page. */

import { PAGES } from "./address";
import { changeView, showPage, togglePlay } from "./session";
import { store, toggleTheme } from "./state";

export const FILTER_ID = "tape-filter";

export const KEYS: [key: string, does: string][] = [
  ["/", "filter the tape"],
  ["[ ]", "shorter or longer window"],
  ["g n", "the first page"],
  ["g w", "the waves"],
  ["g l", "leverage: funding, open interest, basis, books"],
  ["g o", "options: volatility, skew, positions, touch probabilities"],
  ["g e", "flows & macro: sentiment, ETF flows, the economy"],
  ["g r", "the written report"],
  ["g f", "the feeds"],
  ["Space", "play or pause the replay"],
  ["t", "dark or light"],
  ["?", "this list"],
  ["Esc", "close, or leave a field"],
];

function stepWindow(by: number): void {
  const { doc, view } = store.get();
  const windows = doc?.windows.map((w) => w.window) ?? [];
  const next = windows[windows.indexOf(view.window) + by];
  if (next) changeView({ window: next });
}

const typing = (target: Element | null) => target instanceof HTMLElement && target.matches("input:not([type=range]), select, textarea");
const pressable = (target: Element | null) => target instanceof HTMLElement && target.matches("button, a, summary, input, select, [role=button]");

let goingUntil = 0;

function act(event: KeyboardEvent): boolean {
  if (Date.now() < goingUntil) {
    goingUntil = 0;
    const page = PAGES.find(([name]) => name.startsWith(event.key));
    if (page) showPage(page[0]);
    return page !== undefined;
  }
  switch (event.key) {
    case "g":
      goingUntil = Date.now() + 1500;
      return true;
    case "/":
      document.getElementById(FILTER_ID)?.focus();
      return true;
    case "[":
      stepWindow(-1);
      return true;
    case "]":
      stepWindow(1);
      return true;
    case "t":
      toggleTheme();
      return true;
    case "?":
      store.set({ help: !store.get().help });
      return true;
    case " ":
      if (pressable(document.activeElement)) return false;
      togglePlay();
      return true;
    default:
      return false;
  }
}

export function startKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (store.get().help) store.set({ help: false });
      else if (typing(document.activeElement)) (document.activeElement as HTMLElement).blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(document.activeElement)) return;
    if (act(event)) event.preventDefault();
  });
}
