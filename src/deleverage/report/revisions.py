"""What became known later: the figures of one moment, as they were first known and as they are known now."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import structs

from deleverage.figure import Figure

FIRST = "as_first_known"


class Revision(NamedTuple):
    """A figure whose value changed; `before` or `after` is missing where it was not known."""

    name: str
    before: Figure
    after: Figure


def revisions(before: Mapping[str, Figure], after: Mapping[str, Figure]) -> list[Revision]:
    """Return the figures whose value differs, in the order of the later; what only one of them could state counts where it has a value.

    The earlier figure is given a name of its own, so that both can stand in one report.
    """
    found = []
    for name, now in after.items():
        then = before.get(name)
        if then is None:
            then = structs.replace(now, value=None, status="missing", interval=None, level=None, note="not stated before")
        if then.value != now.value:
            found.append(Revision(name, structs.replace(then, name=f"{name}.{FIRST}"), now))
    for name, then in before.items():
        if name not in after and then.value is not None:
            gone = structs.replace(then, value=None, status="missing", interval=None, level=None, note="no longer stated")
            found.append(Revision(name, structs.replace(then, name=f"{name}.{FIRST}"), gone))
    return found
