/** Keeps the page's state in step with the server: the stream, polling where it fails, single answers for held moments. */

import { DEFAULT_WINDOW, isHeld, type Page, readView, viewSearch, type View } from "./address";
import { getHealth, getNow, getRecordings, openStream, type Params, type PlaybackRequest, postPlayback } from "./api";
import { windowMs } from "./format";
import { store } from "./state";
import { TAPE_SHOWN, withDocument, withOrders } from "./tape";
import type { Health, Mode, NowDocument, Order } from "./types";

const POLL_MS = 2000;
const HEALTH_MS = 15_000;
const SETTLE_MS = 2000;
const BUFFER = 400;

let mode: Mode = "playback";
let health: Health | null = null;
let lastEventMs = 0;
let stream: ReturnType<typeof openStream> | null = null;
let run = 0;
let asked = 0;
let retryMs = 1000;
let settleUntil = 0;
const timers = new Set<number>();

let waitingDoc: { doc: NowDocument; atMs: number; at: string; asOf: string } | null = null;
let waitingOrders: Order[] = [];
let frame = 0;

const explain = (error: unknown) => (error instanceof Error ? error.message : String(error));

let passing = false;

/** Shows an error that the next good document takes away again. */
function fail(error: unknown): void {
  if (error instanceof TypeError) return; // the server was not reached at all: the connection line says so
  passing = true;
  store.set({ error: explain(error) });
}

/** Takes a passing error away; what a person asked for and did not get stays until dismissed. */
function excuse(): void {
  if (passing) store.set({ error: null });
  passing = false;
}

/** Shows an error that stays. */
function refuse(error: unknown): void {
  passing = false;
  store.set({ error: explain(error) });
}
const isoMs = (ms: number) => new Date(ms).toISOString();

function later(ms: number, work: () => void): void {
  const id = setTimeout(() => {
    timers.delete(id);
    work();
  }, ms);
  timers.add(id);
}

function stop(): void {
  run += 1;
  for (const id of timers) clearTimeout(id);
  timers.clear();
  stream?.close();
  stream = null;
  waitingDoc = null;
  waitingOrders = [];
}

/** Applies everything that arrived since the last frame at once. A hidden page draws nothing and keeps only the newest. */
function flush(): void {
  frame = 0;
  const orders = waitingOrders;
  waitingOrders = [];
  let { tape } = store.get();
  const arrived = waitingDoc;
  waitingDoc = null;
  if (orders.length) tape = withOrders(tape, orders, true);
  if (!arrived) {
    if (orders.length) store.set({ tape });
    return;
  }
  const { doc, atMs, at, asOf } = arrived;
  const { view, doc: before, moment } = store.get();
  const jumped = before === null || before.recording?.name !== doc.recording?.name || (moment !== null && atMs < moment.atMs);
  tape = withDocument(jumped ? [] : tape, doc.tape, atMs - (windowMs(doc.window) ?? 0), atMs, TAPE_SHOWN);
  const next: View = { ...view, recording: doc.recording?.name ?? (doc.mode === "stored" ? "stored" : null) };
  store.set({ doc, tape, view: next, moment: { atMs, at, asOf, receivedMs: Date.now() } });
  writeAddress(next);
  if (doc.mode !== mode) {
    mode = doc.mode;
    void startSession();
  }
}

function schedule(): void {
  if (!frame) frame = requestAnimationFrame(flush);
}

function takeDocument(doc: NowDocument, atMs: number, at = isoMs(atMs), asOf = at): void {
  const { view } = store.get();
  const old = doc.window !== view.window || (view.base !== "" && doc.base !== view.base);
  if (old && Date.now() < settleUntil) return;
  waitingDoc = { doc, atMs, at, asOf };
  schedule();
}

function takeOrders(orders: Order[]): void {
  waitingOrders = [...orders, ...waitingOrders].slice(0, BUFFER);
  schedule();
}

/** Shows another page of the same moment and window. */
export function showPage(page: Page): void {
  const view = { ...store.get().view, page };
  store.set({ view });
  writeAddress(view, true);
  scrollTo(0, 0);
}

function writeAddress(view: View, push = false): void {
  const search = viewSearch(view);
  if (search === location.search) return;
  if (push) history.pushState(null, "", search);
  else history.replaceState(null, "", search);
}

const question = (view: View): Params => ({ window: view.window, base: view.base });

/** The moment a single answer is asked for: the held one, or in stored data just past the last event. */
function heldParams(view: View): Params {
  if (isHeld(view)) return { ...question(view), at: view.at ?? undefined, as_of: view.asOf ?? undefined };
  return { ...question(view), at: isoMs(lastEventMs + 1), as_of: "now" };
}

async function ask(params: Params): Promise<boolean> {
  const mine = run;
  const number = ++asked;
  try {
    const answer = await getNow(params);
    if (mine !== run || number !== asked) return true;
    excuse();
    takeDocument(answer.data, answer.at_ms, answer.at, answer.as_of);
    return true;
  } catch (error) {
    if (mine === run) fail(error);
    return false;
  }
}

function follow(): void {
  const mine = run;
  stream = openStream(question(store.get().view), {
    open: () => {
      retryMs = 1000;
      excuse();
      store.set({ link: "stream" });
    },
    message: (message) => {
      if (mine !== run) return;
      const { moment } = store.get();
      if (moment) moment.receivedMs = Date.now();
      if (message.type === "now") {
        excuse();
        takeDocument(message.data, message.at_ms, message.at, message.as_of);
      } else if (message.type === "orders") takeOrders(message.data);
      else fail(message.message);
    },
    closed: () => {
      if (mine !== run) return;
      stream = null;
      store.set({ link: "polling" });
      void poll(mine);
      later(retryMs, () => mine === run && follow());
      retryMs = Math.min(retryMs * 2, 15_000);
    },
  });
}

async function poll(mine: number): Promise<void> {
  const reached = await ask(question(store.get().view));
  if (mine !== run || store.get().link === "stream") return;
  store.set({ link: reached ? "polling" : "lost" });
  later(POLL_MS, () => {
    if (store.get().link !== "stream") void poll(mine);
  });
}

function takeHealth(found: Health): void {
  health = found;
  mode = found.mode;
  lastEventMs = found.clock.end_ms;
}

/** Lets the pages ask for what they show, without waiting for the first page's document. */
function tellSubject(view: View): void {
  if (!health) return;
  const { at = null, as_of: asOf = null } = isHeld(view) || mode === "stored" ? (heldParams(view) as { at?: string; as_of?: string }) : {};
  const { label, notice, recording, clock } = health;
  const endMs = Date.parse(at ?? asOf ?? "") || clock.now_ms;
  const isMade = (health.reconstructed ?? []).some(([from, to]) => from < endMs && endMs - (windowMs(view.window) ?? 0) < to);
  const subject = { mode, label, notice, recording, clock, is_reconstruction: isMade, at, asOf };
  if (JSON.stringify(subject) !== JSON.stringify(store.get().subject)) store.set({ subject });
}

/** Stored data has no stream; look now and then whether it grew or a replay began. */
async function watchHealth(mine: number): Promise<void> {
  const before = { mode, lastEventMs };
  try {
    takeHealth((await getHealth()).data);
    if (mine !== run) return;
    if (store.get().link === "lost") {
      excuse();
      store.set({ link: "held" });
    }
    if (mode !== before.mode) return void startSession();
    if (lastEventMs !== before.lastEventMs && !isHeld(store.get().view)) {
      tellSubject(store.get().view);
      void ask(heldParams(store.get().view));
    }
  } catch {
    if (mine === run) store.set({ link: "lost" });
  }
  if (mine === run) later(HEALTH_MS, () => void watchHealth(mine));
}

/** Opens the recording the address names when the server plays another one, and goes to the held moment in it. */
async function openNamed(view: View, playing: string | null): Promise<void> {
  if (!view.recording || view.recording === playing) return;
  takeHealth((await postPlayback({ action: "open", recording: view.recording })).data);
  const at = view.at ? Date.parse(view.at) : Number.NaN;
  if (mode === "playback" && !Number.isNaN(at)) await postPlayback({ action: "seek", to_ms: at });
}

/** Starts, or starts again, whatever the view asks for. */
export async function startSession(): Promise<void> {
  stop();
  const mine = run;
  const { view } = store.get();
  try {
    void getRecordings().then(({ data }) => store.set({ recordings: data }), fail);
    const { data } = await getHealth();
    if (mine !== run) return;
    takeHealth(data);
    const playing = data.recording?.name ?? (data.mode === "stored" ? "stored" : null);
    if (mode !== "live") await openNamed(view, playing).catch(refuse);
  } catch (error) {
    if (mine !== run) return;
    store.set({ link: "lost" });
    fail(error);
    later(POLL_MS, () => void startSession());
    return;
  }
  if (mine !== run) return;
  tellSubject(view);
  if (isHeld(view) || mode === "stored") {
    store.set({ link: "held" });
    await ask(heldParams(view));
    if (mine === run) later(HEALTH_MS, () => void watchHealth(mine));
  } else follow();
}

/** Changes window, base or held moment; the address follows, and a new moment can be left with the back button. */
export function changeView(patch: Partial<View>): void {
  const before = store.get().view;
  const view = { ...before, ...patch };
  if (viewSearch(view) === viewSearch(before)) return;
  const moved = view.at !== before.at || view.asOf !== before.asOf;
  settleUntil = Date.now() + SETTLE_MS;
  store.set({ view });
  writeAddress(view, moved);
  if (moved) void startSession();
  else if (isHeld(view) || mode === "stored") void ask(heldParams(view));
  else {
    stream?.send(question(view));
    if (store.get().link !== "stream") void ask(question(view));
  }
}

export async function playback(request: PlaybackRequest): Promise<void> {
  try {
    const { data } = await postPlayback(request);
    const { doc } = store.get();
    takeHealth(data);
    store.set({ error: null });
    if (request.action === "open") {
      store.set({ view: { ...store.get().view, base: "", at: null, asOf: null, recording: request.recording }, tape: [] });
      await startSession();
    } else if (doc) store.set({ doc: { ...doc, clock: data.clock } });
  } catch (error) {
    refuse(error);
  }
}

export function togglePlay(): void {
  const clock = store.get().doc?.clock;
  if (!clock || mode !== "playback" || isHeld(store.get().view)) return;
  if (clock.finished) void playback({ action: "seek", to_ms: clock.start_ms }).then(() => playback({ action: "play" }));
  else void playback({ action: clock.playing ? "pause" : "play" });
}

/** Holds the moment on screen: what was known then, fixed, as a link. */
export function holdMoment(): void {
  const { moment, doc } = store.get();
  if (moment) changeView({ base: doc?.base ?? "", at: moment.at, asOf: moment.asOf });
}

/** Moves a held moment without touching the replay. */
export function holdAt(ms: number): void {
  changeView({ at: isoMs(ms), asOf: isoMs(ms) });
}

export const backToNow = () => changeView({ at: null, asOf: null });

window.addEventListener("popstate", () => {
  const view = readView(location.search);
  store.set({ view: { ...view, window: view.window || DEFAULT_WINDOW } });
  void startSession();
});
