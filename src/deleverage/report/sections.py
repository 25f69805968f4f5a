"""The parts of a report about the market itself: what was liquidated, the waves, the leverage that is left, options."""

from collections.abc import Mapping

from deleverage.analytics.waves import Wave
from deleverage.figure import Figure, dollars
from deleverage.report import pictures, sentences, tables
from deleverage.report.charts.canvas import Chart
from deleverage.report.charts.clock import words
from deleverage.report.claims import Claim, RuleBroken, Shown, derived, show
from deleverage.report.document import Attempts, Block, Cell, Listing, Paragraph, Picture, Section, Table, joined, plain
from deleverage.report.figures import waves as figures_waves
from deleverage.report.reading import Reading
from deleverage.venues import VENUES

TOLD_WAVES = 6
SHALLOW = 0.05
"""Fall of open interest in coins over a window that leads."""


def title(venue: str) -> str:
    """A venue's name as printed."""
    return VENUES[venue].title if venue in VENUES else venue


def spaced(length: str) -> str:
    """Write a window: 24 h."""
    return f"{length[:-1]} {length[-1]}" if length[-1] in "smhd" else length


def clock(figure: Figure, form: str = "%H:%M:%S") -> Shown:
    """Print an instant of unit `time` (unix seconds) in UTC."""
    assert figure.value is not None
    return Shown(figure, words(round(figure.value * 1000) * 1_000_000, form))


def amount(figure: Figure) -> Shown:
    """Print an amount of dollars without its interval: the estimate's stands in a column of its own."""
    return Shown(figure, "not known" if figure.value is None else f"{dollars(figure.value)} USD")


def pictured(found: Chart | None, *finding: Claim) -> tuple[Block, ...]:
    """A chart under its finding; nothing where there is none."""
    return (Picture(finding[0], found),) if found is not None and finding else ()


class Told:
    """What sections are written from: the reading, its figures, and the attempts at sentences."""

    def __init__(self, reading: Reading, figures: Mapping[str, Figure], attempt: Attempts, is_long: bool) -> None:
        self.reading, self.figures, self.attempt, self.is_long = reading, figures, attempt, is_long
        self.w, self.base = reading.length, reading.question.base

    def get(self, name: str) -> Figure | None:
        """Return a figure that is known."""
        found = self.figures.get(name)
        return found if found is not None and found.value is not None else None

    def value(self, name: str) -> float | None:
        """Return a figure's value, None where it is not known."""
        found = self.figures.get(name)
        return None if found is None else found.value


def liquidated(told: Told) -> Section:
    """What was liquidated: total and sides, by venue, when, by coin, and what others say."""
    w, reading, attempt = told.w, told.reading, told.attempt
    total, longs, shorts = (told.get(f"liquidations.{kind}.{w}") for kind in ("total", "long", "short"))
    blocks: list[Block] = []
    if total is None or longs is None or shorts is None:
        why = "no venue's liquidations were received" if not reading.seen else "no order could be priced"
        return Section("liquidated", "What was liquidated", (Paragraph((sentences.not_known("Liquidations", why),)),), 0.2)
    said = attempt(sentences.total_liquidated, total, longs, shorts, [title(v) for v in reading.seen], [title(v) for v in VENUES])
    guess, share = told.get(f"liquidations.estimate.{w}"), told.get(f"liquidations.long_share_corrected.{w}")
    if guess is not None and guess.status != "measured" and guess.value and total.value and guess.value > total.value * 1.005:
        said += attempt(plain, *_behind(guess))
        if share is not None and share.interval is not None:
            said += attempt(plain, "Of that the long share is ", show(share), ".")
    if told.is_long and w != "1h" and (hour := told.get("liquidations.total.1h")) is not None and hour.value:
        said += attempt(plain, "In the last hour of it: ", show(hour), ".")
    if said:
        blocks.append(Paragraph(said))
    if total.value:
        blocks += _by_venue(told, total, longs, shorts)
        if told.is_long:
            blocks += pictured(pictures.heatmap(reading), *_when(told))
        blocks += _by_coin(told, total)
    blocks += _elsewhere(told, total)
    return Section("liquidated", "What was liquidated", tuple(blocks), 0.9 if told.is_long else 0.4 if total.value else 0.3)


def _behind(guess: Figure) -> tuple[str | Shown, ...]:
    if guess.interval is None:
        return "Behind what throttled feeds showed lies an estimated total of at least ", show(guess), "; nothing bounds it from above."
    return "With what throttled feeds left out the total is estimated at ", show(guess), "."


def _by_venue(told: Told, total: Figure, longs: Figure, shorts: Figure) -> list[Block]:
    w, reading = told.w, told.reading
    names = [v for v in reading.seen if told.value(f"liquidations.venue.{v}.{w}")]
    rows = {v: tuple(told.figures[f"liquidations.venue.{v}.{kind}{w}"] for kind in ("", "long.", "short.")) for v in names}
    names.sort(key=lambda v: -(rows[v][0].value or 0.0))
    given = {title(v): (rows[v][0], rows[v][1], rows[v][2]) for v in names}
    try:
        made = tables.sides_table("venue", given, (total, longs, shorts))
    except RuleBroken as broken:
        told.attempt.withheld.append((broken.rule, broken.arithmetic))
        return []
    body: list[tuple[Cell, ...]] = []
    for name, cells in zip([*names, *[""] * (len(made.rows) - len(names))], made.rows, strict=True):
        feed = reading.rules.get(name, "").replace("_per_second", "/s").replace("_", " ")
        received = told.get(f"liquidations.venue.{name}.coverage.{w}") if name else told.get(f"liquidations.coverage.{w}")
        body.append((*cells, feed, show(received) if received is not None else ""))
    heads = (*made.heads, "feed", "received")
    note = ("“feed” is how much a venue publishes; “received” is the share of the window in which we heard it. A sum over a feed that "
            "leaves orders out is a floor. Notional is the size of what was closed, not what anyone lost.")  # fmt: skip
    found: list[Block] = [Table("By venue", heads, tuple(body), note, has_total=True)]
    first = told.figures[f"liquidations.venue.{names[0]}.{w}"]
    if len(names) == 1:
        claim = told.attempt(plain, f"Every order seen was on {title(names[0])}: ", show(first))
    elif len(names) > 2 and (two := told.figures[f"liquidations.venue.{names[1]}.{w}"]).value and first.value and total.value:
        both = derived(f"liquidations.two_largest.share.{w}", (first.value + two.value) / total.value, "share", first, two, total)
        claim = told.attempt(plain, f"{title(names[0])} and {title(names[1])} account for ", show(both), " of what was seen")
    else:
        claim = told.attempt(plain, f"{title(names[0])} saw the most: ", show(first))
    return [*pictured(pictures.venues(reading), *claim), *found]


def _when(told: Told) -> tuple[Claim, ...]:
    peak = told.get(f"liquidations.peak_minute.{told.w}")
    return () if peak is None else told.attempt(plain, "The busiest minute held ", show(peak))


def _by_coin(told: Told, total: Figure) -> list[Block]:
    w = told.w
    parts = {name.split(".")[2]: f for name, f in told.figures.items()
             if name.startswith("liquidations.base.") and name.count(".") == 3 and f.unit == "usd"}  # fmt: skip
    rest = parts.pop("rest", None)
    if len(parts) < 2 or not total.value:
        return []
    first = max(parts, key=lambda base: (parts[base].value or 0.0, base))
    share = told.get(f"liquidations.base.{first}.share.{w}")
    claim = told.attempt(plain, f"{first} made up ", show(share), " of it") if share is not None else ()
    picture = pictured(pictures.coins(told.reading), *claim) if told.is_long else ()
    few = dict(sorted(parts.items(), key=lambda item: -(item[1].value or 0.0))[: 8 if told.is_long else 3])
    if len(few) < len(parts) or (not picture and rest is None):
        return list(picture)
    return [*picture, *(Paragraph(c) for c in [told.attempt(sentences.broken_down, total, few, rest)] if c)]


def _elsewhere(told: Told, total: Figure) -> list[Block]:
    """What other aggregators state, beside ours, with the difference explained by coverage."""
    names = sorted({group[0] for group in told.reading.others})
    if not names:
        return []
    said: tuple[Claim, ...] = ()
    absent = joined([title(v) for v in told.reading.missing])
    guess = told.get(f"liquidations.estimate.{told.w}")
    for name in names:
        theirs = told.get(f"liquidations.elsewhere.{name}.{told.w}")
        if theirs is None or theirs.value is None or total.value is None:
            continue
        gap = derived(f"liquidations.elsewhere.{name}.difference.{told.w}", theirs.value - total.value, "usd", theirs, total)
        parts: list[str | Shown] = [
            f"{name} states ",
            show(theirs),
            " for the same window, ours is ",
            show(total),
            "; the difference is ",
            show(gap),
        ]
        covered = told.get(f"liquidations.coverage.{told.w}")
        if covered is not None:
            parts += [". We received ", show(covered), f" of the window{f', and nothing of {absent}' if absent else ''}"]
        if guess is not None and guess.interval is not None:
            inside = guess.interval[0] <= theirs.value <= guess.interval[1]
            parts += [f"; their figure lies {'within' if inside else 'outside'} what our feeds may have left out, ", show(guess)]
        said += told.attempt(plain, *parts, ". How that aggregator counts is not known here.")
    return [Listing(said)] if said else []


def waves(told: Told) -> Section | None:
    """The waves: the price with bands, and a row each for the largest; None where there was none."""
    count, found = told.get(f"waves.count.{told.w}"), figures_waves.told(told.reading)
    if count is None or not found:
        return None
    largest = sorted(found, key=lambda w: -(w.long_usd + w.short_usd))
    shown = sorted(largest[:TOLD_WAVES], key=lambda w: w.start)
    many = len(figures_waves.found(told.reading))
    blocks: list[Block] = []
    word = told.attempt(plain, "It fell into ", show(count), f" wave{'s' if many != 1 else ''}; ", *_price_moved(told))
    blocks += pictured(pictures.price(told.reading), *word) or [Paragraph(word)]
    said: tuple[Claim, ...] = ()
    for wave in largest[: 3 if told.is_long else 1]:
        said += _wave(told, wave)
    if said:
        blocks.append(Listing(said))
    rows: list[tuple[Cell, ...]] = []
    for wave in shown:
        rows.append(_row(told, wave))
    heads: tuple[str, ...] = ("wave", "began, UTC", "lasted", "seen", "estimated", "long share", "BTC moved", "orders per order")
    heads = tuple(h.replace("BTC", told.base) for h in heads)
    note = f"The {len(shown)} largest of {many}. " if many > len(shown) else ""
    note += "“Orders per order” is how many orders each sets off (branching ratio, 95 % interval); at 1 a cascade feeds itself."
    blocks.append(Table("The waves", heads, tuple(rows), note))
    return Section("waves", "The waves", tuple(blocks), 0.85)


def _wave(told: Told, wave: Wave) -> tuple[Claim, ...]:
    name = f"wave.{wave.number}"
    total, seconds, start = (told.get(f"{name}.{kind}") for kind in ("total", "seconds", "start"))
    if total is None or seconds is None or start is None:
        return ()
    parts: list[str | Shown] = [f"Wave {wave.number} began ", clock(start), f" UTC at {title(wave.venues[0].name)} and closed "]
    parts += [show(total), " in ", show(seconds, 0)]
    move = told.get(f"{name}.price_change")
    if move is not None:
        parts += [f"; {told.base} moved ", show(move, 2)]
    broken = [told.figures[f"{name}.broken.{i}"] for i, _ in enumerate(figures_waves.levels(wave), 1)][:3]
    if broken:
        parts.append(f" through {'its levels' if len(broken) > 1 else 'the level'} ")
        for number, level in enumerate(broken):
            parts += [", " if 0 < number < len(broken) - 1 else " and " if number else "", show(level)]
    removed = told.get(f"{name}.open_interest_removed")
    if removed is not None and (removed.value or 0.0) > 0:
        parts += ["; open interest fell by ", show(removed)]
    ended = wave.ended.partition(":")[0] if any(c.isdigit() for c in wave.ended) else wave.ended
    parts.append(f". {ended[0].upper()}{ended[1:]}." if ended else ".")
    return told.attempt(plain, *parts)


def _row(told: Told, wave: Wave) -> tuple[Cell, ...]:
    def cell(kind: str, decimals: int | None = None) -> Cell:
        found = told.get(f"wave.{wave.number}.{kind}")
        return "" if found is None else show(found, decimals)

    start, guess = told.get(f"wave.{wave.number}.start"), told.get(f"wave.{wave.number}.estimate")
    total = told.get(f"wave.{wave.number}.total")
    known = guess if guess is not None else total
    least = guess is not None and guess.interval is None and "at least" in guess.note
    most = "" if known is None else Shown(known, f"{'≥ ' if least else ''}{dollars(known.value or 0.0)} USD")
    return (
        str(wave.number), "" if start is None else clock(start), cell("seconds", 0), cell("total"), most, cell("long_share", 0),
        cell("price_change", 2), _ratio(told.get(f"wave.{wave.number}.branching")),
    )  # fmt: skip


def _ratio(figure: Figure | None) -> Cell:
    if figure is None or figure.value is None:
        return ""
    band = "" if figure.interval is None else f" ({figure.interval[0]:.1f}–{figure.interval[1]:.1f})"
    return Shown(figure, f"{figure.value:.2f}{band}")


def _price_moved(told: Told) -> tuple[str | Shown, ...]:
    kinds = ("last", f"low.{told.w}", f"high.{told.w}", f"change.{told.w}")
    last, low, high, change = (told.get(f"price.{told.base}.{kind}") for kind in kinds)
    if last is None or low is None or high is None or change is None:
        return ("no price is at hand to set it against",)
    return (f"{told.base} went between ", show(low), " and ", show(high), " and ended at ", show(last), ", ", show(change, 1))


def price_sentence(told: Told) -> tuple[Claim, ...]:
    """Where the price went."""
    if told.get(f"price.{told.base}.last") is None:
        return ()
    return told.attempt(plain, *_price_moved(told), " over the window.")
