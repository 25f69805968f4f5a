"""The one registry of every figure the system can state: each a function of what was read.

A name ends in the window it speaks of where it speaks of one: `liquidations.total.24h`. What is not known is a figure too, `missing`
with a note that says why, so that silence never looks like calm.
"""

from deleverage.figure import Figure
from deleverage.report.figures import leverage, liquidations, options, outside, waves
from deleverage.report.reading import Reading
from deleverage.report.stated import Spec

_SUBJECTS = (liquidations, waves, leverage, options, outside)
REGISTRY: dict[str, Spec] = {spec.name: spec for subject in _SUBJECTS for spec in subject.SPECS}
"""Kinds of figures by name, in the order of the report; {braces} stand for what a name is filled with."""


def figures(reading: Reading) -> dict[str, Figure]:
    """Return every figure that can be stated of a reading, by name, in the registry's order."""

    def work() -> dict[str, Figure]:
        found: dict[str, Figure] = {}
        made: set[int] = set()
        for spec in REGISTRY.values():
            if id(spec.make) in made:  # several kinds may come of one maker
                continue
            made.add(id(spec.make))
            told = spec.make(reading)
            for figure in [told] if isinstance(told, Figure) else told:
                if figure.name in found:
                    raise ValueError(f"two figures are called {figure.name}")
                found[figure.name] = figure
        return found

    return reading.once("figures", work)
