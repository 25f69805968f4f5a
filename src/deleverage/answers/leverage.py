"""What the command line and Python ask about leverage, answered from the files or by the server that holds them: the same documents."""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, cast

from deleverage.analytics.funding import payer
from deleverage.answers.liquidations import Answer
from deleverage.api import basis, beta, funding, open_interest, positioning
from deleverage.api.leverage import Scope
from deleverage.api.reconstructed import as_served
from deleverage.api.routes import resolve
from deleverage.api.session import Session, StoredSession
from deleverage.errors import BadInput
from deleverage.figure import dollars
from deleverage.reader import Reader
from deleverage.when import duration, iso

Read = Callable[[Session, Scope], Any]
SUBJECTS: dict[str, tuple[Read, Callable[[Any], dict[str, Any]]]] = {
    "basis": (basis.read, basis.document),
    "positioning": (positioning.read, positioning.document), "beta": (beta.read, beta.document),
}  # fmt: skip
BETA = (
    "series", "n", "of_days", "kind", "unit", "beta", "beta_low", "beta_high", "t", "correlation", "correlation_low", "correlation_high",
    "ewma_beta", "r_squared", "verdict",
)  # fmt: skip
FUNDING_VIEWS = ("venue", "spread", "history")


def document(
    reader: Reader, subject: str, window: str, base: str, at: str | None, as_of: str | None, *, months: int = 7
) -> dict[str, Any]:  # fmt: skip
    """Return the document of `/v1/<subject>`. Raises BadInput for a duration or time that cannot be read."""
    if reader.store is None:
        times = {name: value for name, value in (("at", at), ("as_of", as_of)) if value is not None}
        more = {"months": str(months)} if subject == "open-interest" else {}
        return cast(dict[str, Any], reader.ask_json(subject, {"window": window, "base": base} | times | more)["data"])
    ends, known = resolve(at, as_of, time.time_ns())
    scope, session = Scope(ends - duration(window), ends, known, base), StoredSession(reader.store, "")
    if subject == "open-interest":
        found = open_interest.document(open_interest.read(lambda: nullcontext(session), scope, months))
    elif subject == "funding":
        found = funding.document(funding.read(lambda: nullcontext(session), scope))
    else:
        read, write = SUBJECTS[subject]
        found = write(read(session, scope))
    return cast(dict[str, Any], as_served(session.reconstructed(), scope.start, scope.at, found))


def rate(share: float | None, digits: int = 4) -> str:
    """Write a share as a signed percentage.

    >>> rate(0.0000688), rate(-0.00002), rate(None), rate(0.0)
    ('+0.0069 %', '−0.0020 %', '—', '0.0000 %')
    """
    if share is None:
        return "—"
    text = f"{abs(share) * 100:.{digits}f} %"
    return text if not float(text[:-2]) else f"{'−' if share < 0 else '+'}{text}"


def funding_table(reader: Reader, window: str, base: str, by: str, at: str | None, as_of: str | None, *, is_short: bool) -> Answer:
    """Funding by venue, the spreads between venues, or every settlement of the window; `is_short` makes lines for a terminal."""
    if by not in FUNDING_VIEWS:
        raise BadInput(f"cannot show funding by {by!r}; there are venue, spread and history")
    found = document(reader, "funding", window, base, at, as_of)
    title = f"Funding of {base}, {iso(found['at_ms'] * 1_000_000)}"
    if by == "spread":
        rows = [_short_spread(row) for row in found["spreads"]] if is_short else found["spreads"]
        footer = "Long where less is paid, short where more is. Costs of trading and margin are not in it."
        return Answer(rows, f"{title}: what a pair is paid, {found['kind']} rates", footer, found["reason"])
    if by == "history":
        return Answer(_settlements(found, is_short=is_short), f"{title}: settled in {window}", _paid(found), found["reason"])
    rows = [_short_rate(row) for row in found["venues"]] if is_short else [_flat_rate(row) for row in found["venues"]]
    return Answer(rows, title, funding_words(found) if rows else "", found["reason"])


def funding_words(found: Mapping[str, Any]) -> str:
    """Say what all venues pay together, how that is called, and what the sign means."""
    lines = []
    for name, words in (("open_interest", "open interest"), ("volume", "volume")):
        whole = found["aggregates"][found["kind"]][name]
        if whole["rate_8h"] is None:
            lines.append(f"By {words}: {whole['reason']}.")
            continue
        covered = "" if whole["coverage"] is None else f", {whole['coverage']:.0%} of it covered"
        lines.append(
            f"By {words}: {rate(whole['rate_8h'])} per 8 h, {rate(whole['apr'], 2)} a year ({rate(whole['apy'], 2)} compounded), "
            f"{whole['pays']}; {found['kind']}{covered}."
        )
    regime = found["regime"]
    named = found["regime_reason"] if regime is None or regime["word"] is None else f"{regime['word']} ({regime['why']})"
    told = "" if regime is None else f"{rate(regime['rate_8h'])} per 8 h settled: "
    inferred = any(said["is_interval_inferred"] for row in found["venues"] for said in (row["predicted"], row["settled"]) if said)
    more = ["~: the interval is not stated, it is inferred from settlements."] if inferred else []
    return "\n".join([*lines, f"Regime: {told}{named}.", f"Sign: {found['sign_rule']}.", *more])


def _notes(row: Mapping[str, Any]) -> str:
    said = row["predicted"] or row["settled"]
    notes = [f"at its {said['hit']}"] if said["hit"] else []
    return ", ".join([*notes, *([f"{said['why_not']}, {said['age_hours']:.0f} h old"] if said["why_not"] else [])])


def _short_rate(row: Mapping[str, Any]) -> dict[str, Any]:
    said, settled = row["predicted"] or row["settled"], row["settled"]
    every = "—" if said["funding_interval_hours"] is None else f"{'~' * said['is_interval_inferred']}{said['funding_interval_hours']:g} h"
    return {
        "venue": row["venue"], "contract": row["symbol"], "every": every, "rate": rate(said["funding_rate"]),
        "per 8 h": rate(said["rate_8h"]), "a year": rate(said["apr"], 1), "settled/8h": rate(settled and settled["rate_8h"]),
        "pay": payer(said["rate_8h"]), "oi_usd": row["open_interest_usd"], "note": _notes(row),
    }  # fmt: skip


def _flat_rate(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("venue", "symbol", "margin_type", "open_interest_usd", "volume_24h_usd")}
    empty = dict.fromkeys(("rate", *(name for name in funding.RATE if name != "funding_rate")))
    for kind in ("predicted", "settled"):
        said = row[kind] or {}
        kept |= {f"{kind}_{name.removeprefix('funding_')}": said.get("funding_rate" if name == "rate" else name) for name in empty}
        for name in ("ts_event", "funding_time"):
            kept.pop(f"{kind}_{name.removeprefix('funding_')}")
            kept[f"{kind}_{name}_ms"] = said.get(f"{name}_ms")
    return kept


def _short_spread(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "long": row["long_venue"], "at": rate(row["long_8h"]), "short": row["short_venue"], "pays": rate(row["short_8h"]),
        "spread per 8 h": rate(row["spread_8h"]), "a year": rate(row["apr"], 2), "note": "at a cap or floor" if row["is_censored"] else "",
    }  # fmt: skip


def _settlements(found: Mapping[str, Any], *, is_short: bool) -> list[dict[str, Any]]:
    rows = []
    for series in found["history"]["settled"]:
        for k, ts in enumerate(series["ts_end_ms"]):
            row = {"venue": series["venue"], "symbol": series["symbol"], "end": iso(ts * 1_000_000)}
            numbers = {name: series[name][k] for name in ("paid", "hours", "rate_8h", "settlements", "negatives", "hit")}
            short = {"hours": numbers["hours"], "paid": rate(numbers["paid"]), "per 8 h": rate(numbers["rate_8h"]), "hit": numbers["hit"]}
            rows.append(row | (short if is_short else numbers))
    return sorted(rows, key=lambda row: (row["end"], row["venue"], row["symbol"]))


def _paid(found: Mapping[str, Any]) -> str:
    parts = [f"{row['venue']} {rate(row['paid'])} of notional" for row in found["cumulative"]]
    return f"Paid by longs over the window: {', '.join(parts)}." if parts else ""


def interest_table(reader: Reader, window: str, base: str, months: int, at: str | None, as_of: str | None) -> Answer:
    """Open interest by venue, with what changed."""
    found = document(reader, "open-interest", window, base, at, as_of, months=months)
    whole = found["totals"]
    rows = [{name: row[name] for name in ("venue", "coins", "usd", "share", "contracts")} for row in found["venues"]]
    rows = [{**{k: v for k, v in row.items() if k != "usd"}, "open_interest_usd": row["usd"]} for row in rows]
    lines = []
    if whole["coins"] is not None and whole["usd"] is not None:
        lines.append(f"All: {whole['coins']:,.0f} {base}, {dollars(whole['usd'])} USD.")
    moves = [
        f"{c['window']} {rate(c['coins_share'], 2)} in coins, {rate(c['usd_share'], 2)} in USD" for c in found["changes"] if not c["reason"]
    ]
    lines += [f"Change over {'; '.join(moves)}."] if moves else []
    fall = found["drawdown"]
    below = f"{rate(fall['coins'], 2)} in coins, {rate(fall['usd'], 2)} in USD"
    lines.append(f"From the peak of {months} months: {fall['reason'] or below}.")
    lines += [f"Not read: {', '.join(whole['missing'])}."] if whole["missing"] else []
    return Answer(rows, f"Open interest of {base}, {iso(found['at_ms'] * 1_000_000)}", "\n".join([*lines, found["says"]]), found["reason"])


def basis_table(reader: Reader, window: str, base: str, at: str | None, as_of: str | None, *, is_short: bool) -> Answer:
    """Dated futures by expiry and perpetuals' premium."""
    found = document(reader, "basis", window, base, at, as_of)
    dated = [
        {"venue": r["venue"], "symbol": r["symbol"], "days": r["days"], "price": r["mark_price"], "index": r["index_price"],
         "basis": r["basis"], "a_year_simple": r["simple_apr"], "a_year_log": r["log_apr"]} for r in found["term"]
    ]  # fmt: skip
    perpetual = [
        {"venue": r["venue"], "symbol": r["symbol"], "days": None, "price": r["mark_price"], "index": r["index_price"],
         "basis": r["premium"], "a_year_simple": None, "a_year_log": None} for r in found["premiums"]
    ]  # fmt: skip
    reasons = [text for text in (found["term_reason"], found["premium_reason"]) if text]
    footer = "\n".join([*(f"{text[0].upper()}{text[1:]}." for text in reasons), found["says"]])
    rows = [*dated, *perpetual]
    if is_short:
        rows = [
            {**row, **{name: rate(row[name], 4 if name == "basis" else 2) for name in ("basis", "a_year_simple", "a_year_log")}}
            for row in rows
        ]
    return Answer(rows, f"Basis of {base}, {iso(found['at_ms'] * 1_000_000)}", footer)


def positioning_table(reader: Reader, window: str, base: str, at: str | None, as_of: str | None) -> Answer:
    """Long shares by venue and kind, with what each says."""
    found = document(reader, "positioning", window, base, at, as_of)
    kept = ("venue", "symbol", "ratio_kind", "long_share", "ratio", "change_24h", "age_seconds", "is_stale")
    rows = [{name: row[name] for name in kept} for row in found["rows"]]
    kinds = {row["ratio_kind"] for row in rows}
    said = [f"{m['name']}: {m['says']} {m['cannot_say']}" for m in found["measures"] if m["ratio_kind"] in kinds]
    return Answer(rows, f"Positioning in {base}, {iso(found['at_ms'] * 1_000_000)}", "\n".join(said), found["reason"])


def _short_beta(row: Mapping[str, Any], step_ms: int) -> dict[str, Any]:
    changes = f"{row['n']} of {step_ms / 60_000:g} min" if row["of_days"] is None else f"{row['n']} of {row['of_days']} days"
    numbers = {name: row[name] for name in ("beta", "beta_low", "beta_high", "correlation")}
    return {"series": row["series"], "changes": changes, **numbers, "verdict": "too few changes" if row["beta"] is None else row["verdict"]}


def beta_table(reader: Reader, window: str, base: str, at: str | None, as_of: str | None, *, is_short: bool) -> Answer:
    """Betas of the window and of daily changes."""
    found = document(reader, "beta", window, base, at, as_of)
    rows = [{name: row[name] for name in BETA} for row in [*found["within"], *found["daily"]]]
    if is_short:
        rows = [_short_beta(row, found["step_ms"]) for row in rows]
    reasons = [text for text in (found["within_reason"], found["daily_reason"]) if text]
    footer = " ".join(f"{text[0].upper()}{text[1:]}." for text in reasons)
    return Answer(rows, f"Beta of {base}, {window} to {iso(found['at_ms'] * 1_000_000)}", footer)
