/** The view in the page's address, so that a link reproduces it. */

export interface View {
  window: string;
  /** Empty: the server chooses. */
  base: string;
  /** Where the window ends; null follows the session's now. */
  at: string | null;
  asOf: string | null;
  recording: string | null;
  page: Page;
}

export type Page = "now" | "waves" | "leverage" | "options" | "economy" | "report" | "feeds";
export const PAGES: [page: Page, title: string][] = [
  ["now", "Now"],
  ["waves", "Waves"],
  ["leverage", "Leverage"],
  ["options", "Options"],
  ["economy", "Flows & macro"],
  ["report", "Report"],
  ["feeds", "Feeds"],
];

export const DEFAULT_WINDOW = "24h";

export function readView(search: string): View {
  const params = new URLSearchParams(search);
  return {
    window: params.get("window") || DEFAULT_WINDOW,
    base: params.get("base") ?? "",
    at: params.get("at") || null,
    asOf: params.get("as_of") || null,
    recording: params.get("recording") || null,
    page: PAGES.find(([page]) => page === params.get("page"))?.[0] ?? "now",
  };
}

export function viewSearch(view: View): string {
  const params = new URLSearchParams({ window: view.window });
  if (view.base) params.set("base", view.base);
  if (view.at) params.set("at", view.at);
  if (view.asOf) params.set("as_of", view.asOf);
  if (view.recording) params.set("recording", view.recording);
  if (view.page !== "now") params.set("page", view.page);
  return `?${params.toString().replaceAll("%3A", ":")}`;
}

/** Whether the view describes a fixed moment rather than the moving now. */
export const isHeld = (view: View) => view.at !== null || view.asOf !== null;
