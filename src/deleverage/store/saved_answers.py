"""What a reference answered, saved to a file by hand: a page of ETF flows, an answer of FRED's or of the Fear & Greed index's API."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from deleverage.errors import BadInput, ParseError
from deleverage.references import etf_flows, fear_greed, fred

READERS: Mapping[tuple[str, str], Callable[[bytes, int], Mapping[str, list[Any]]]] = {
    ("etf_flows", ".html"): lambda payload, now: etf_flows.saved_page(payload),
    ("etf_flows", ".htm"): lambda payload, now: etf_flows.saved_page(payload),
    ("macro_observations", ".json"): fred.saved_answer,
    ("sentiment_readings", ".json"): lambda payload, now: fear_greed.saved_answer(payload),
}


def saved_answer(name: str, payload: bytes, table: str, now: int) -> pl.DataFrame | None:
    """Return a saved answer under the columns of `table`; None for files of other kinds. `now` is ns UTC.

    Raises BadInput where the file is not what its name and the table say.
    """
    reader = next((r for (of, ending), r in READERS.items() if of == table and name.lower().endswith(ending)), None)
    if reader is None:
        return None
    try:
        columns = reader(payload, now)
    except ParseError as error:
        raise BadInput(f"{name} is no answer of the source of {table}: {error.reason}") from None
    return pl.DataFrame(columns, strict=False)
