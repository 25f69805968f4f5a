/** Everything the page shows: what was asked (view), what was answered (doc, tape), and how the reader likes it. */

import { readView, type View } from "./address";
import { createStore, useStore } from "./store";
import type { Clock, Mode, NowDocument, Order, Recording } from "./types";

export type Link = "starting" | "stream" | "polling" | "lost" | "held";

/** Which moment the document describes and when it was last confirmed by the server. */
export interface Moment {
  atMs: number;
  at: string;
  asOf: string;
  receivedMs: number;
}

/** What every question is about, known before the first document: what the server shows, and a moment where the view or stored data fix one. */
export interface Subject {
  mode: Mode;
  label: string;
  notice?: string | undefined;
  recording: Recording | null;
  clock: Clock;
  is_reconstruction: boolean;
  at: string | null;
  asOf: string | null;
}

export interface TapeRow {
  order: Order;
  key: string;
  fresh: boolean;
}

export interface State {
  view: View;
  doc: NowDocument | null;
  moment: Moment | null;
  /** Null until the server has said what it shows. */
  subject: Subject | null;
  tape: TapeRow[];
  link: Link;
  error: string | null;
  recordings: Recording[];
  utc: boolean;
  theme: "dark" | "light";
  help: boolean;
  filterText: string;
  filterMin: string;
  toast: string | null;
}

const remembered = (key: string) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

const remember = (key: string, value: string) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that refuses storage keeps its choice for this visit only.
  }
};

export const store = createStore<State>({
  view: readView(location.search),
  doc: null,
  moment: null,
  subject: null,
  tape: [],
  link: "starting",
  error: null,
  recordings: [],
  utc: remembered("clock") !== "local",
  theme: remembered("theme") === "light" ? "light" : "dark",
  help: false,
  filterText: "",
  filterMin: "",
  toast: null,
});

export const useApp = <S>(select: (state: State) => S): S => useStore(store, select);

const applyTheme = () => document.documentElement.setAttribute("data-theme", store.get().theme);
applyTheme();

export function toggleTheme(): void {
  const theme = store.get().theme === "dark" ? "light" : "dark";
  remember("theme", theme);
  document.documentElement.setAttribute("data-theme", theme);
  store.set({ theme });
}

export function toggleZone(): void {
  const utc = !store.get().utc;
  remember("clock", utc ? "utc" : "local");
  store.set({ utc });
}

let toastTimer = 0;

/** One short line at the foot of the page, gone after two seconds. */
export function toast(text: string): void {
  clearTimeout(toastTimer);
  store.set({ toast: text });
  toastTimer = setTimeout(() => store.set({ toast: null }), 2000);
}
