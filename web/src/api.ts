/** One function per way of asking the server: fetch, post, socket. Addresses are relative to the page, so any prefix works. */

import type { Envelope, FeedRow, Flow, Health, Intake, NowDocument, Order, Recording, Rung, StreamMessage, Wave } from "./types";

export type Params = Record<string, string | number | undefined>;

export class ApiError extends Error {}

/** The address of an API call; parameters that are undefined or empty are left out. */
export function apiUrl(path: string, params: Params = {}): string {
  const url = new URL(`v1/${path}`, document.baseURI);
  for (const [key, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") url.searchParams.set(key, String(value));
  }
  return url.href;
}

interface ErrorBody {
  error?: { message?: string; hint?: string };
}

async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const { message, hint } = body.error ?? {};
  throw new ApiError([message ?? `the server answered ${response.status}`, hint].filter(Boolean).join(" — "));
}

async function get<T>(path: string, params?: Params): Promise<Envelope<T>> {
  return answer<Envelope<T>>(await fetch(apiUrl(path, params), { headers: { accept: "application/json" } }));
}

export const getHealth = () => get<Health>("health");
export const getRecordings = () => get<Recording[]>("recordings");
export const getNow = (params: Params) => get<NowDocument>("now", params);
export const getFeeds = (params: Params) => get<FeedRow[]>("feeds", params);
export const getWaves = (params: Params) => get<Wave[]>("waves", params);
export const getLadder = (params: Params) => get<Rung[]>("ladder", params);
export const getFlow = (params: Params) => get<Flow>("flow", params);
export const getIntake = () => get<Intake>("intake");
export const getOrders = (params: Params) => get<Order[]>("liquidations", params);

export type PlaybackRequest =
  | { action: "open"; recording: string; speed?: number }
  | { action: "play" }
  | { action: "pause" }
  | { action: "speed"; speed: number }
  | { action: "seek"; to_ms: number };

export async function postPlayback(request: PlaybackRequest): Promise<Envelope<Health>> {
  const response = await fetch(apiUrl("playback"), {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(request),
  });
  return answer<Envelope<Health>>(response);
}

export interface StreamHandlers {
  open: () => void;
  message: (message: StreamMessage) => void;
  closed: () => void;
}

/** Opens the stream; `send` changes the view of an open one, `close` ends it without calling `closed`. */
export function openStream(view: Params, handlers: StreamHandlers): { send: (view: Params) => void; close: () => void } {
  const socket = new WebSocket(apiUrl("stream", view).replace(/^http/, "ws"));
  let wanted = true;
  socket.onopen = handlers.open;
  socket.onmessage = (event) => handlers.message(JSON.parse(String(event.data)) as StreamMessage);
  socket.onclose = () => {
    if (wanted) handlers.closed();
  };
  return {
    send: (next) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(next));
    },
    close: () => {
      wanted = false;
      socket.close();
    },
  };
}
