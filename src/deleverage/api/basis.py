"""What the future costs over the spot, as one document: dated futures by expiry, the basis at constant maturities, perpetuals' premium."""

from typing import Any, NamedTuple

import polars as pl

from deleverage.analytics import basis
from deleverage.api import leverage
from deleverage.api.anatomy import MS
from deleverage.api.leverage import MINUTE, Scope
from deleverage.api.session import Session

POINTS = 200
MATURITIES = (30.0, 90.0, 180.0)
"""Days."""
SAYS = (
    "A positive basis pays whoever sells the future and holds the coin. It is a price of leverage and says nothing about direction; "
    "under a day to expiry nothing is annualised."
)


class Material(NamedTuple):
    """Marks and indices of one coin: by the minute before the moment, and through the window."""

    scope: Scope
    marks: pl.DataFrame
    window: pl.DataFrame


def read(session: Session, scope: Scope) -> Material:
    """Read what is needed; the caller holds the session."""
    session.flush()
    marks = leverage.readings(session, scope, "mark_prices", scope.at - basis.TOLERANCE, bucket=MINUTE)
    window = leverage.readings(session, scope, "mark_prices", scope.start, end=scope.at, bucket=scope.bucket(POINTS))
    return Material(scope, marks, window)


def document(material: Material) -> dict[str, Any]:
    """Write the answer."""
    scope = material.scope
    term = basis.term_structure(material.marks, scope.at, base=scope.base)
    premiums = basis.premiums(material.marks, scope.at, base=scope.base)
    constant = pl.concat([basis.constant_maturity(term, days) for days in MATURITIES])
    bucket = scope.bucket(POINTS)
    series = basis.premium_series(material.window, scope.start, scope.at, bucket)
    return {
        **scope.head(), "says": SAYS, "term": leverage.written(term),
        "term_reason": "" if len(term) else f"no dated future of {scope.base} had a mark price within a quarter of an hour",
        "constant_maturity": leverage.written(constant),
        "constant_maturity_reason": "" if constant["log_apr"].count() else "no venue has two expiries on both sides of a maturity",
        "premiums": leverage.written(premiums), "premium_reason": _why(premiums, scope),
        "premium_series": {"bucket_ms": bucket // MS, "contracts": leverage.columns(series)}, "figures": _figures(scope, term, premiums),
    }  # fmt: skip


def _why(premiums: pl.DataFrame, scope: Scope) -> str:
    if not len(premiums):
        return f"no perpetual of {scope.base} had a mark price within a quarter of an hour"
    lacking = premiums.filter(pl.col("premium").is_null())["venue"].unique().sort().to_list()
    return f"without an index price: {', '.join(lacking)}" if lacking else ""


def _figures(scope: Scope, term: pl.DataFrame, premiums: pl.DataFrame) -> list[dict[str, Any]]:
    figures = [
        leverage.told(
            f"basis.premium.{row['venue']}.{row['symbol']}", row["premium"], "share", scope, inputs=[sorted(row.items(), key=str)],
            sources=[f"mark_prices/{row['venue']}"], note="" if row["premium"] is not None else "no index price",
        ) for row in premiums.to_dicts()
    ]  # fmt: skip
    return figures + [
        leverage.told(
            f"basis.apr.{row['venue']}.{row['symbol']}", row["simple_apr"], "share per year", scope, inputs=[sorted(row.items(), key=str)],
            sources=[f"mark_prices/{row['venue']}"], note="" if row["simple_apr"] is not None else "under a day to expiry, or no index",
        ) for row in term.to_dicts()
    ]  # fmt: skip
