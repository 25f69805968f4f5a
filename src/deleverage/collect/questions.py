"""REST questions of a venue: its polls written out by contract, its history by contract and stretch of time."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from deleverage.instruments import Instrument
from deleverage.venues.venue import History, Per, Venue


class Question(NamedTuple):
    """One request: `url` is the venue's own address and becomes the route of the answer; `name` is the table it fills; `due`: see Poll."""

    name: str
    url: str
    method: str
    body: str
    weight: float
    due: Callable[[int, bytes], int] | None = None


def standing(venue: Venue, listed: Sequence[Instrument], bases: Collection[str]) -> dict[Question, float]:
    """Return every question of the venue's polls, with the seconds after which it is asked again."""
    asked: dict[Question, float] = {}
    for poll in venue.polls:
        for names in _names(poll.per, _of(poll.product, listed, bases if poll.tracked else None)):
            asked[Question(poll.name, _fill(poll.url, names), poll.method, _fill(poll.body, names), poll.weight, poll.due)] = poll.every
    return asked


def discovery(venue: Venue) -> list[Question]:
    """Return the questions that list the venue's contracts."""
    return [Question(p.name, p.url, p.method, p.body, p.weight) for p in venue.polls if p.name == "instruments" and p.per == "venue"]


def past(history: History, listed: Iterable[Instrument], bases: Collection[str] | None) -> list[dict[str, str]]:
    """Return the names a history is asked with, one mapping per question: contracts of `bases`, of all with None."""
    return list(_names(history.per, _of(history.product, listed, bases)))


def about(history: History, names: dict[str, str], start: int, end: int) -> Question:
    """Ask a history for [start, end), ns UTC, of one contract."""
    step = 1_000_000 if history.unit == "ms" else 1_000_000_000
    filled = names | {"start": str(start // step), "end": str(-(-end // step)), "before": str(start // step - 1)}
    return Question(history.name, _fill(history.url, filled), history.method, _fill(history.body, filled), history.weight)


def _of(product: str, listed: Iterable[Instrument], bases: Collection[str] | None) -> list[Instrument]:
    found = []
    for i in listed:
        kinds = ("option",) if i.kind == "option" else (i.contract_type, i.kind)
        is_product = product in kinds if product else i.kind != "option"
        if is_product and i.is_trading and (bases is None or i.base in bases):
            found.append(i)
    return found


def _names(per: Per, listed: Sequence[Instrument]) -> Iterator[dict[str, str]]:
    if per == "venue":
        yield {}
    elif per == "symbol":
        for name in dict.fromkeys(i.venue_symbol for i in listed):
            yield {"symbol": name}
    elif per == "base":
        for base in dict.fromkeys(i.base for i in listed):
            yield {"base": base}
    else:
        for family in dict.fromkeys("-".join(i.venue_symbol.split("-")[:2]) for i in listed):
            yield {"family": family}


def _fill(text: str, names: dict[str, str]) -> str:
    """Fill placeholders; other braces (JSON bodies have them) are left alone."""
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text
