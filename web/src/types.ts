/** The API's answers, named as it names them. Money is USD; null means unknown or not recorded, never zero. */

export type Mode = "playback" | "stored" | "live";
export type Span = [startMs: number, endMs: number];

export interface Clock {
  now_ms: number;
  start_ms: number;
  end_ms: number;
  speed: number;
  playing: boolean;
  finished: boolean;
  /** A playback passes over what lies before; 0: it begins at its first frame. */
  opens_ms?: number;
}

export interface Provenance {
  source: string;
  licence: string;
  note: string;
  url?: string | null;
}

export interface Recording {
  name: string;
  title: string;
  about: string;
  venues: string[];
  start_ms: number;
  end_ms: number;
  stretches: Span[];
  bytes: number;
  frames: number;
  provenance: Provenance[];
  is_reconstruction: boolean;
}

export interface Order {
  ts_ms: number;
  ts_ns: string;
  venue: string;
  symbol: string;
  base: string;
  position_side: "long" | "short";
  price: number;
  price_kind: string;
  quantity: number | null;
  notional_usd: number | null;
  method: string;
  coverage_rule: string;
  is_backfill: boolean;
}

/** What was really liquidated: a floor that was seen, an estimate, and its 90 % interval; no upper end where nothing bounds it. */
export interface Estimate {
  side: "both" | "long" | "short";
  observed_usd: number;
  estimate_usd: number;
  low_usd: number;
  high_usd: number | null;
  saturation: number;
  seconds_at_cap: number;
  status: "measured" | "estimated" | "floor";
  method: string;
  /** Venues of which only a part is published; the interval is that of the others. */
  unseen: string[];
  at_ms: number;
}

export interface LongShare {
  raw: number | null;
  corrected: number | null;
  low: number | null;
  high: number | null;
  cap_points: number | null;
}

export interface Onset {
  name: string;
  lag_seconds: number;
  low: number | null;
  high: number | null;
  usd: number;
}

export interface Wave {
  number: number;
  start_ms: number;
  end_ms: number;
  seconds: number;
  is_open: boolean;
  level: number;
  orders: number;
  long_usd: number;
  short_usd: number;
  total_usd: number;
  estimate: Estimate;
  venues: Onset[];
  bases: Onset[];
  price: { base: string; kind: string; before: number; extreme: number; after: number; change: number } | null;
  levels_broken: string[];
  open_interest_removed: Record<string, number> | null;
  taker_buy_usd: number | null;
  taker_sell_usd: number | null;
  depth_consumed_usd: number | null;
  branching: number | null;
  branching_low: number | null;
  branching_high: number | null;
  ended: string;
}

export interface Rung {
  base: string;
  usd: number;
  orders: number;
  t10: number | null;
  t50: number | null;
  t50_low: number | null;
  t50_high: number | null;
  lag_minutes: number | null;
  verdict: string;
  t10_ms: number | null;
  price_lead: { lag_seconds: number | null; low: number | null; high: number | null; verdict: string } | null;
  price_venue: string | null;
  downside_beta: number | null;
  elasticity: number | null;
}

type Part = [low: number, value: number, high: number] | null;

export interface VenueFlow {
  venue: string;
  price: number;
  line: string;
  traded: number;
  taker_buy: number;
  taker_sell: number;
  oi_change: number | null;
  forced: number | null;
  liquidation_coverage: number;
  voluntary_closing: Part;
  opening: Part;
  problems: string[];
}

export interface Flow {
  base: string;
  venues: VenueFlow[];
  without_trades: string[];
}

export interface WindowTotals {
  window: string;
  long_usd: number | null;
  short_usd: number | null;
  total_usd: number | null;
  count: number | null;
  long_share: number | null;
  coverage: number | null;
  status: "measured" | "missing";
  missing: string[];
  floor: boolean;
  /** Orders counted whose USD value is unknown; they add nothing to the sums. */
  unpriced_count?: number | null;
  estimate: Estimate | null;
  long_share_corrected: LongShare | null;
}

export interface VenueRow {
  venue: string;
  title: string;
  recorded: boolean;
  long_usd: number | null;
  short_usd: number | null;
  total_usd: number | null;
  count: number | null;
  share: number | null;
  long_share: number | null;
  unpriced_count?: number | null;
  coverage: number | null;
  coverage_rule: string;
  coverage_note: string;
  state: string;
  evidence: string;
  last_event_ms: number | null;
  estimate: Estimate | null;
  long_share_corrected: LongShare | null;
}

export interface HeatmapRow {
  venue: string;
  title: string;
  values: (number | null)[];
  long: (number | null)[];
  short: (number | null)[];
}

export interface Heatmap {
  bucket_ms: number;
  start_ms: number;
  buckets: number;
  rows: HeatmapRow[];
  max_usd: number | null;
}

export interface TreemapItem {
  base: string;
  long_usd: number;
  short_usd: number;
  total_usd: number;
  count: number;
  share: number | null;
}

export interface Treemap {
  total_usd: number | null;
  items: TreemapItem[];
  rest: (Omit<TreemapItem, "base"> & { bases: number }) | null;
}

export interface Prices {
  base: string;
  symbol: string | null;
  venue: string | null;
  price_kind: string | null;
  gap_ms: number;
  points: [ms: number, price: number][];
  markers: Order[];
}

export interface NowDocument {
  headline: string;
  windows: WindowTotals[];
  window: string;
  base: string;
  bases: string[];
  venues: VenueRow[];
  heatmap: Heatmap;
  treemap: Treemap;
  prices: Prices;
  tape: Order[];
  largest: Order[];
  /** The waves of the last day that reach into the window. */
  waves: Wave[];
  clock: Clock;
  recording: Recording | null;
  mode: Mode;
  label: string;
  /** Why this is not live, when that was wanted. */
  notice?: string;
  is_reconstruction?: boolean;
  /** Why collecting or playing stopped; empty while it goes on. */
  failure?: string;
}

export interface FeedStretch {
  channel: string;
  state: string;
  evidence: string;
  start_ms: number;
  end_ms: number | null;
}

/** A stretch in which a channel (`*`: every one) was not received. */
export interface FeedGap {
  channel: string;
  start_ms: number;
  end_ms: number | null;
  reason: string;
}

export interface FeedChannel {
  channel: string;
  state: string;
  since_ms: number;
  evidence: string;
  rate_per_minute: number;
  expected_per_minute: number;
  last_recv_ms: number | null;
  lag_seconds: number | null;
  frames: number;
  events: number;
  errors: number;
}

export interface FeedConnection {
  connection: number;
  route: string;
  opened_ms: number | null;
  frames: number;
  bytes: number;
  last_recv_ms: number | null;
  reconnects: number;
  last_error: string;
}

export interface FeedPoll {
  name: string;
  questions: number;
  asked: number;
  failed: number;
  last_error: string;
}

/** One venue's feed; what only a running collection knows is null or empty otherwise. */
export interface FeedRow {
  venue: string;
  title: string;
  state: string;
  evidence: string;
  coverage_rule: string;
  coverage_note: string;
  coverage_source: string;
  frames: number;
  errors: number;
  stretches: Span[];
  since_ms: number | null;
  contracts: number | null;
  clock_offset_ms: number | null;
  clock_error_ms: number | null;
  bytes: number | null;
  reconnects: number | null;
  last_error: string;
  banned_seconds: number | null;
  weight_used: number | null;
  weight_limit: number | null;
  backfill: { waiting: number; asked: number; failed: number } | null;
  channels: FeedChannel[];
  connections: FeedConnection[];
  polls: FeedPoll[];
  gaps: FeedGap[];
  history: FeedStretch[];
}

/** The way from sockets to parsers; only the mode and the failure are there when nothing is collected. */
export interface Intake {
  mode: Mode;
  failure: string;
  started_ms?: number;
  queued_frames?: number;
  capacity?: number;
  lag_seconds?: number;
  is_paused?: boolean;
  frames?: number;
  frames_per_second?: number;
  journal_frames?: number;
  journal_bytes?: number;
  expected_gb_a_day?: number | null;
  free_gb?: number;
}

export interface Health {
  status: string;
  version: string;
  mode: Mode;
  label: string;
  notice?: string;
  recording: Recording | null;
  clock: Clock;
  /** Stretches of time whose events were made again, not recorded. */
  reconstructed?: Span[];
}

export interface Envelope<T> {
  data: T;
  at: string;
  at_ms: number;
  as_of: string;
  mode: Mode;
  label: string;
  missing: string[];
}

export type StreamMessage =
  | { type: "now"; data: NowDocument; at_ms: number; at?: string; as_of?: string }
  | { type: "orders"; data: Order[] }
  | { type: "error"; message: string };
