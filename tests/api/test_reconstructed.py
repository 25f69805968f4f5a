"""What was made and not recorded says so from Python as it does through the server: no figure of it is measured or estimated."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.test_leverage import AT, MINUTE, NOW, example, head
from tests.option_frames import AT as CHAIN
from tests.option_frames import DAY, frames
from tests.serving import imported

import deleverage
from deleverage.api.reconstructed import OWN
from deleverage.directory import Directory
from deleverage.errors import BadInput
from deleverage.events import Liquidation, PositioningRatio, SentimentReading, VenueStatus
from deleverage.journal.frame import RECONSTRUCTION
from deleverage.store.duck import DuckStore
from deleverage.when import iso


def directory(path: Path, stretches: list[tuple[int, int]]) -> Directory:
    """Leverage at AT, options at CHAIN, whose frames are marked as made in the stretches."""
    store = DuckStore(imported(path, frames()).tables)
    store.append(example())
    store.append([
        Liquidation(*head("okx", NOW - MINUTE), "long", 80_000.0, "bankruptcy", 1.0, 100.0, 80_000.0, "direct", "undisclosed"),  # type: ignore[arg-type]
        PositioningRatio(*head("okx", NOW - MINUTE), "accounts", 0.5, 0.5, 300),
        SentimentReading("alternative.me", "", "", "", NOW - DAY, NOW - DAY, "fear_and_greed", 12.0, "Extreme Fear"),
    ])  # fmt: skip
    told = [VenueStatus("okx", "", "", "", low, low, RECONSTRUCTION, f"{iso(low)}/{iso(high)} made") for low, high in stretches]
    store.append(told)
    store.close()
    return deleverage.open(path)


ASKED: dict[str, Callable[[Directory], Any]] = {
    "totals": lambda d: d.totals(at=AT).to_dicts(), "waves": lambda d: d.waves(at=AT), "funding": lambda d: d.funding(at=AT),
    "open interest": lambda d: d.open_interest_summary(at=AT), "positioning": lambda d: d.positioning(at=AT),
    "sentiment": lambda d: d.sentiment(at=AT),
    "index": lambda d: d.options("index", at=iso(CHAIN), as_of="now"), "chain": lambda d: d.options("chain", at=iso(CHAIN), as_of="now"),
}  # fmt: skip


def statuses(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [inner] if key == "status" and isinstance(inner, str) else statuses(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statuses(inner)


def test_figures_of_a_reconstruction_are_modelled_and_others_are_not(tmp_path: Path) -> None:
    with directory(tmp_path / "recorded", []) as recorded, directory(tmp_path / "made", [(NOW - DAY, NOW), (CHAIN - DAY, CHAIN)]) as made:
        for name, ask in ASKED.items():
            told = set(statuses(ask(recorded)))
            assert told & set(OWN) or name in ("totals", "waves"), name  # of one order little is said
            assert not set(statuses(ask(made))) & set(OWN), name


def test_a_window_before_it_is_as_recorded(tmp_path: Path) -> None:
    with directory(tmp_path, [(NOW, NOW + DAY)]) as held:
        assert "measured" in set(statuses(held.funding(at=AT)))


@pytest.mark.parametrize("months", [0, -1, 25])
def test_months_are_the_same_from_python_as_through_the_server(tmp_path: Path, months: int) -> None:
    with directory(tmp_path, []) as held, pytest.raises(BadInput, match="1 to 24 months"):
        held.open_interest_summary(at=AT, months=months)
