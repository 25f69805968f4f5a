"""How much is held open, in coins and in dollars, and how far it has come off its peak.

Every long has a short, so open interest counts one side; `open_interest_base` and `_usd` of the table are one-sided on every venue
(Bybit's published figure is the sum of both sides, halved on reading; `counting_breaks` finds histories in which the counting changed).
Dollars move with the price: only the fall in coins says that positions were closed. Options are left out; a venue without a reading is
named, never counted as 0. Nothing after the instant asked for is looked at.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import msgspec
import polars as pl

from deleverage.analytics.basis import expiry
from deleverage.analytics.funding import CONTRACT
from deleverage.errors import BadInput

By = Literal["venue", "symbol", "margin_type", "base"]
Quadrant = Literal["new longs", "short covering", "new shorts", "long closing", "no change"]
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
TOLERANCE = 15 * MINUTE
"""How old a reading may be, by default, to stand for an instant."""
OPTION = r":[^-]+-\d+-[^-]+-[CP]$"
SPLIT = r"^(?P<coin>[^/]+)/[^:]+:(?P<settled>[^-]+)"
READ = [*CONTRACT, "margin_type", "is_dated", "ts_event", "open_interest_base", "open_interest_usd", "is_converted"]


def margin_type(symbol: str) -> pl.Expr:
    """Return the expression 'linear', 'inverse' (settled in the coin itself) or null of a column of canonical symbols."""
    parts = pl.col(symbol).str.extract_groups(SPLIT)
    coin, settled = parts.struct.field("coin"), parts.struct.field("settled")
    return pl.when(settled.is_null()).then(None).when(settled == coin).then(pl.lit("inverse")).otherwise(pl.lit("linear"))


def shaped(
    open_interest: pl.DataFrame, at: int, *, prices: pl.DataFrame | None = None, as_of: int | None = None, tolerance: int = TOLERANCE,
    by: Literal["backward", "nearest"] = "backward",
) -> pl.DataFrame:  # fmt: skip
    """Return rows of table open_interest with `ts_event` ≤ `at` (received by `as_of`), futures and perpetuals, by contract and time.

    Columns: venue, symbol, base, margin_type, is_dated, ts_event, open_interest_base, open_interest_usd, is_converted. Where a row has
    only coins or only dollars, the other is made with the contract's last mark price (`prices`: table mark_prices) at most `tolerance`
    before it (`by` "nearest": that nearest in time, where marks are thinned to one in a while), and marked; without one it stays null. Of
    readings at one instant the last received counts.
    """
    rows = open_interest.filter((pl.col("ts_event") <= at) & ~pl.col("symbol").str.contains(OPTION))
    if as_of is not None:
        rows = rows.filter(pl.col("ts_recv") <= as_of)
    rows = rows.sort([*CONTRACT, "ts_event", "ts_recv"]).unique([*CONTRACT, "ts_event"], keep="last", maintain_order=True)
    coins, usd = pl.col("open_interest_base"), pl.col("open_interest_usd")
    if prices is None:
        rows = rows.with_columns(mark=pl.lit(None, pl.Float64))
    else:
        told = prices if as_of is None else prices.filter(pl.col("ts_recv") <= as_of)
        told = told.filter((pl.col("ts_event") <= at) & (pl.col("mark_price") > 0))
        marks = told.sort("ts_event", "ts_recv").select([*CONTRACT, "ts_event", pl.col("mark_price").alias("mark")])
        rows = rows.sort("ts_event").join_asof(marks, on="ts_event", by=CONTRACT, strategy=by, tolerance=tolerance, check_sortedness=False)
    is_partial = coins.is_null() ^ usd.is_null()
    return rows.with_columns(
        margin_type=margin_type("symbol"), is_dated=pl.col("symbol").str.contains(r":[^-]+-\d+$"),
        open_interest_base=pl.coalesce(coins, usd / pl.col("mark")), open_interest_usd=pl.coalesce(usd, coins * pl.col("mark")),
        is_converted=is_partial & pl.col("mark").is_not_null(),
    ).select(READ).sort([*CONTRACT, "ts_event"])  # fmt: skip


def readings(rows: pl.DataFrame, at: int, *, tolerance: int = TOLERANCE) -> pl.DataFrame:
    """Return the last of `shaped` rows per contract at or before `at`, with age_seconds and is_stale (older than `tolerance`)."""
    last = rows.filter(pl.col("ts_event") <= at).group_by(CONTRACT, maintain_order=True).last()
    age = at - pl.col("ts_event")
    return last.with_columns(age_seconds=age / 1e9, is_stale=age > tolerance).sort(CONTRACT)


def weights(found: pl.DataFrame) -> pl.DataFrame:
    """Return fresh `readings` as weights for `funding.aggregate`: venue, symbol, base, usd."""
    return found.filter(~pl.col("is_stale") & pl.col("open_interest_usd").is_not_null()).select(
        [*CONTRACT, pl.col("open_interest_usd").alias("usd")]
    )


class Total(NamedTuple):
    """Open interest at an instant; None where nothing was read, or where a contract that counts has no figure in that unit.
    `missing` names expected venues without a fresh reading, `stale` the contracts left out, as "venue symbol"."""

    coins: float | None
    usd: float | None
    contracts: int
    missing: tuple[str, ...]
    stale: tuple[str, ...]


def total(found: pl.DataFrame, *, base: str | None, expected: Collection[str] = ()) -> Total:
    """Add the fresh of `readings`; `coins` is None over several coins (`base=None`). `expected` names the venues there should be."""
    chosen = found if base is None else found.filter(pl.col("base") == base)
    fresh, old = chosen.filter(~pl.col("is_stale")), chosen.filter(pl.col("is_stale"))

    def summed(name: str) -> float | None:
        return float(fresh[name].sum()) if len(fresh) and not fresh[name].null_count() else None

    missing = tuple(sorted(set(expected) - set(fresh["venue"])))
    stale = tuple(f"{v} {s}".strip() for v, s in old.select("venue", "symbol").iter_rows())
    return Total(summed("open_interest_base") if base is not None else None, summed("open_interest_usd"), len(fresh), missing, stale)


def split(found: pl.DataFrame, by: Sequence[By]) -> pl.DataFrame:
    """Add fresh `readings` by venue, symbol, margin_type or base: those columns, coins (null over several coins), usd, contracts, share.

    A sum of which a part is not known is null; `share` is of all dollars known.
    """
    fresh = found.filter(~pl.col("is_stale"))
    coins, usd = pl.col("open_interest_base"), pl.col("open_interest_usd")
    return fresh.group_by(by).agg(
        coins=pl.when((coins.null_count() == 0) & (pl.col("base").n_unique() == 1)).then(coins.sum()),
        usd=pl.when(usd.null_count() == 0).then(usd.sum()), contracts=pl.len().cast(pl.Int64),
    ).with_columns(share=pl.col("usd") / pl.col("usd").sum()).sort(by)  # fmt: skip


def series(
    rows: pl.DataFrame, start: int, end: int, every: int, *, base: str, by: Sequence[By] = (), tolerance: int = TOLERANCE,
) -> pl.DataFrame:  # fmt: skip
    """Return one coin's open interest at start, start + every, … ≤ end from `shaped` rows.

    Columns: ts, *by, coins, usd, contracts, venues, missing, is_complete. At each instant the last reading of each contract at most
    `tolerance` old counts. `missing` names contracts ("venue symbol") of which a reading is due: those read before (a dated one until its
    expiry), and all of a venue that had not been read yet. A contract that appears on a venue already read is a listing, not a
    gap. Rows with a contract missing are not comparable with their neighbours: `is_complete` is false.
    """
    if every <= 0 or end < start:
        raise BadInput("a series needs start ≤ end and a step above 0")
    chosen = rows.filter((pl.col("base") == base) & (pl.col("ts_event") <= end))
    groups = [c for c in dict.fromkeys(by) if c not in CONTRACT]
    contracts = (
        chosen.group_by([*CONTRACT, *groups]).agg(first=pl.col("ts_event").min())
        .with_columns(venue_first=pl.col("first").min().over("venue"), expiry=expiry())
    )  # fmt: skip
    instants = pl.DataFrame({"ts": pl.int_range(start, end + 1, every, dtype=pl.Int64, eager=True)})
    read = chosen.select([*CONTRACT, "ts_event", "open_interest_base", "open_interest_usd"]).sort("ts_event")
    each = instants.join(contracts, how="cross").sort("ts").join_asof(
        read, left_on="ts", right_on="ts_event", by=CONTRACT, strategy="backward", tolerance=tolerance, check_sortedness=False
    ).sort(["ts", *CONTRACT])  # fmt: skip
    coins, usd, there = pl.col("open_interest_base"), pl.col("open_interest_usd"), pl.col("ts_event").is_not_null()
    is_listed = (pl.col("ts") >= pl.col("first")) | (pl.col("ts") < pl.col("venue_first"))
    is_due = is_listed & (pl.col("expiry").is_null() | (pl.col("ts") < pl.col("expiry")))
    name = (pl.col("venue") + " " + pl.col("symbol")).str.strip_chars()
    return each.filter(is_due).group_by(["ts", *by]).agg(
        coins=pl.when((coins.is_not_null() == there).all() & there.any()).then(coins.sum()),
        usd=pl.when((usd.is_not_null() == there).all() & there.any()).then(usd.sum()), contracts=there.sum().cast(pl.Int64),
        venues=pl.col("venue").filter(there).n_unique().cast(pl.Int64), missing=name.filter(~there).sort(), is_complete=there.all(),
    ).sort(["ts", *by])  # fmt: skip


def reaching_back(rows: pl.DataFrame, start: int, *, tolerance: int = DAY) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Keep `shaped` rows of the venues that were read by `start` + `tolerance`, and name the others: peaks need the same venues."""
    first = rows.group_by("venue").agg(first=pl.col("ts_event").min())
    late = sorted(first.filter(pl.col("first") > start + tolerance)["venue"])
    return rows.filter(~pl.col("venue").is_in(late)), tuple(late)


def changes(totals: pl.DataFrame, at: int, windows: Sequence[int]) -> pl.DataFrame:
    """Return the change of complete `series` rows (no `by`) to the last at or before `at`, one row per window (ns).

    Columns: window, coins, usd (differences), coins_share, usd_share (of the start). Null where no complete row stands within one tenth
    of the window before its start, where the end is older than that, or where the venues differ in number.
    """
    full = totals.filter(pl.col("is_complete") & (pl.col("ts") <= at)).sort("ts")
    wanted = pl.DataFrame({"window": list(windows)}, schema={"window": pl.Int64}).with_columns(
        start=at - pl.col("window"), end=pl.lit(at, pl.Int64), slack=pl.col("window") // 10
    )
    held = full.select("ts", "coins", "usd", "venues")
    found = wanted.sort("start").join_asof(held, left_on="start", right_on="ts", strategy="backward")
    found = found.join_asof(held, left_on="end", right_on="ts", strategy="backward", suffix="_end")
    is_near = (pl.col("start") - pl.col("ts") <= pl.col("slack")) & (pl.col("end") - pl.col("ts_end") <= pl.col("slack"))
    usable = is_near & (pl.col("venues") == pl.col("venues_end"))
    made = {
        name: pl.when(usable).then((pl.col(f"{unit}_end") - pl.col(unit)) / (pl.col(unit) if name.endswith("share") else 1.0))
        for unit in ("coins", "usd") for name in (unit, f"{unit}_share")
    }  # fmt: skip
    return found.sort("window").select("window", **made)


def leverage_ratio(open_interest_usd: float | None, against_usd: float | None) -> float | None:
    """Return open interest over market capitalisation or exchange reserves, which the caller names; None where either is not known.

    >>> round(leverage_ratio(68e9, 1690e9), 7)
    0.0402367
    """
    return open_interest_usd / against_usd if open_interest_usd is not None and against_usd is not None and against_usd > 0 else None


def quadrant(price_change: float, oi_change: float, *, dead_price: float = 0.002, dead_oi: float = 0.005) -> Quadrant:
    """Name a move of price and of open interest in coins (both as shares) by who acts; within either dead band nothing is said.

    A reading, not a measurement: every new long has a new short. The side named is the one that is thought to push the price.

    >>> quadrant(0.02, 0.03), quadrant(0.02, -0.03), quadrant(-0.02, 0.03), quadrant(-0.02, -0.03), quadrant(0.02, 0.001)
    ('new longs', 'short covering', 'new shorts', 'long closing', 'no change')
    """
    if abs(price_change) <= dead_price or abs(oi_change) <= dead_oi:
        return "no change"
    if price_change > 0:
        return "new longs" if oi_change > 0 else "short covering"
    return "new shorts" if oi_change > 0 else "long closing"


def quadrants(totals: pl.DataFrame, *, dead_price: float = 0.002, dead_oi: float = 0.005) -> pl.DataFrame:
    """Name each step of a `series` (no `by`): ts (its end), price_change, oi_change (coins), quadrant (null: a part is not known).

    The price is usd over coins, the open-interest-weighted mark; steps between incomplete rows or with another venue are null.
    """
    held = totals.sort("ts").with_columns(price=pl.col("usd") / pl.col("coins"))
    usable = pl.col("is_complete") & pl.col("is_complete").shift(1) & (pl.col("venues") == pl.col("venues").shift(1))
    price, oi = pl.col("price_change"), pl.col("oi_change")
    word = pl.when(price > 0).then(pl.when(oi > 0).then(pl.lit("new longs")).otherwise(pl.lit("short covering"))).otherwise(
        pl.when(oi > 0).then(pl.lit("new shorts")).otherwise(pl.lit("long closing"))
    )  # fmt: skip
    still = pl.when((price.abs() <= dead_price) | (oi.abs() <= dead_oi)).then(pl.lit("no change")).otherwise(word)
    return held.with_columns(
        price_change=pl.when(usable).then(pl.col("price") / pl.col("price").shift(1) - 1),
        oi_change=pl.when(usable).then(pl.col("coins") / pl.col("coins").shift(1) - 1),
    ).with_columns(quadrant=pl.when(price.is_not_null() & oi.is_not_null()).then(still)).select(
        "ts", "price_change", "oi_change", "quadrant"
    ).slice(1)  # fmt: skip


def counting_breaks(rows: pl.DataFrame, *, within: int = HOUR, width: float = 0.05) -> pl.DataFrame:
    """Return steps of `shaped` rows in which a contract's coins double or halve (±`width`) within `within`: both sides counted, then one.

    Columns: venue, symbol, base, ts_event, ratio. A venue that changed its counting is not comparable across such a step; check there
    before calling it a peak. Real doublings happen in contracts just listed.
    """
    coins = pl.col("open_interest_base")
    ratio = coins / coins.shift(1).over(CONTRACT)
    near = ((ratio - 2).abs() <= 2 * width) | ((ratio - 0.5).abs() <= 0.5 * width)
    found = rows.sort([*CONTRACT, "ts_event"]).with_columns(ratio=ratio, gap=pl.col("ts_event").diff().over(CONTRACT))
    return found.filter(near & (pl.col("gap") <= within)).select([*CONTRACT, "ts_event", "ratio"])


class Drawdown(msgspec.Struct, frozen=True, kw_only=True):
    """Open interest against its highest in the `months` up to `at`; shares ≤ 0, peaks with their times (ns UTC). Everything is None
    where the history is shorter than that; `history_days` says how long it is and `coverage` how much of it was complete."""

    at: int
    months: int
    coins: float | None
    usd: float | None
    coins_now: float | None
    usd_now: float | None
    coins_peak: float | None
    coins_peak_at: int | None
    usd_peak: float | None
    usd_peak_at: int | None
    history_days: float
    coverage: float


def drawdown(totals: pl.DataFrame, at: int, *, months: int) -> Drawdown:
    """Return the drawdown of a `series` (no `by`, one step throughout) at the last complete row at or before `at`, from the highest of
    [at − months, at] (calendar months). Only the fall in coins speaks about closing.

    Only complete rows of as many venues count; a venue that began within the window would feign a rise (`reaching_back` leaves it out).
    Null where rows do not reach back to at − months (one step allowed). Raises BadInput under a month.
    """
    if months < 1:
        raise BadInput("a peak is looked for over at least one month")
    rows = totals.filter(pl.col("ts") <= at).sort("ts")
    start = pl.Series([at]).cast(pl.Datetime("ns")).dt.offset_by(f"-{months}mo").dt.epoch("ns").item()
    full = rows.filter(pl.col("is_complete")).drop_nulls(["coins", "usd"])
    if not len(full):
        empty = dict.fromkeys(("coins", "usd", "coins_now", "usd_now", "coins_peak", "coins_peak_at", "usd_peak", "usd_peak_at"))
        return Drawdown(at=at, months=months, history_days=0.0, coverage=0.0, **empty)
    full = full.filter(pl.col("venues") == full["venues"][-1])
    step = int(rows["ts"].diff().median() or 0)  # type: ignore[arg-type]  # a median of integers is a number
    inside = full.filter(pl.col("ts") >= start)
    days = (at - full["ts"][0]) / DAY
    expected = max((at - start) // step if step else 1, 1)
    is_told = full["ts"][0] <= start + step and at - full["ts"][-1] <= step
    now_coins, now_usd = float(full["coins"][-1]), float(full["usd"][-1])
    top, top_usd = (inside.sort(c, "ts", descending=[True, False]).row(0, named=True) for c in ("coins", "usd"))
    told = is_told and top["coins"] > 0 and top_usd["usd"] > 0
    return Drawdown(
        at=at, months=months, coins=now_coins / top["coins"] - 1 if told else None, usd=now_usd / top_usd["usd"] - 1 if told else None,
        coins_now=now_coins if told else None, usd_now=now_usd if told else None, coins_peak=top["coins"] if told else None,
        coins_peak_at=top["ts"] if told else None, usd_peak=top_usd["usd"] if told else None, usd_peak_at=top_usd["ts"] if told else None,
        history_days=days, coverage=min(len(inside) / expected, 1.0),
    )  # fmt: skip


def since_high(totals: pl.DataFrame) -> pl.DataFrame:
    """Return how far each complete row of a `series` (no `by`) stands below the highest so far: ts, coins_fall, usd_fall (shares ≤ 0).

    Only rows of as many venues as the last complete one count. It is the fall within these rows, not from a peak of months (`drawdown`).
    """
    full = totals.filter(pl.col("is_complete")).drop_nulls(["coins", "usd"]).sort("ts")
    full = full.filter(pl.col("venues") == pl.col("venues").last())
    return full.select("ts", *((pl.col(unit) / pl.col(unit).cum_max() - 1).alias(f"{unit}_fall") for unit in ("coins", "usd")))
