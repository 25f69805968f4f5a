"""Builders of sentences, one per kind. Each takes Figures, raises RuleBroken where a rule forbids the sentence, and returns a Claim."""

from collections.abc import Mapping, Sequence

from deleverage.analytics import sentiment as bands
from deleverage.figure import Figure
from deleverage.report.claims import RATE, UNKNOWN, Claim, RuleBroken, Shown, derived, named, show, window_of

TOLERANCE = 1e-9
"""Of the whole: money is summed exactly in millionths, its Figures are floats."""


def stated(*figures: Figure, rule: str = "known") -> None:
    """Raise RuleBroken where one of the figures is missing."""
    for figure in figures:
        if figure.value is None:
            raise RuleBroken(rule, f"{figure.name} is missing{f': {figure.note}' if figure.note else ''}")


def same_moment(*figures: Figure) -> None:
    """Raise RuleBroken unless the figures are of one window that ends at one moment, known at one moment."""
    seen = {(window_of(f), f.at, f.as_of) for f in figures}
    if len(seen) > 1:
        words = "; ".join(f"{f.name} to {f.at} as of {f.as_of}" for f in figures)
        raise RuleBroken("equal_windows", words)


def adds_up(total: Figure, parts: Sequence[Figure]) -> None:
    """Raise RuleBroken unless the parts, all of them, make the total."""
    stated(total, *parts)
    got = sum(_value(part) for part in parts)
    if abs(got - _value(total)) > TOLERANCE * max(abs(_value(total)), 1.0):
        raise RuleBroken("parts_total", f"{' + '.join(f'{_value(p):,.2f}' for p in parts)} = {got:,.2f}, not {_value(total):,.2f}")


def share(part: Figure, whole: Figure) -> Figure:
    """The share of a part, as a Figure of both. Raises RuleBroken over 100 %, under 0, of nothing, or over unequal windows."""
    stated(part, whole)
    same_moment(part, whole)
    if not 0 <= _value(part) <= _value(whole) * (1 + TOLERANCE) or not _value(whole):
        raise RuleBroken("share_over_100", f"{part.name} {_value(part):,.2f} of {whole.name} {_value(whole):,.2f}")
    return derived(named(part, "share"), _value(part) / _value(whole), "share", part, whole)


def total_liquidated(total: Figure, long: Figure, short: Figure, venues_seen: Sequence[str], venues_all: Sequence[str]) -> Claim:
    """What was force-closed in a window, its sides, and the venues that are missing. A total over a blind venue is "at least"."""
    stated(total, long, short)
    same_moment(total, long, short)
    adds_up(total, (long, short))
    blind = [venue for venue in venues_all if venue not in venues_seen]
    window = window_of(total)
    floor = "at least " if blind or total.missing else ""
    of = f" of {len(venues_all)} venues ({', '.join(blind)} missing)" if blind else f" {'venues' if len(venues_seen) != 1 else 'venue'}"
    opening = f"Positions worth {_how(total)}{floor}"
    ending = f" were force-closed{f' in {_spaced(window)}' if window else ''}, as seen at {len(venues_seen)}{of}: "
    parts = (opening, show(total), ending, show(long), " long and ", show(short), " short; that is their size, not what anyone lost.")
    return Claim(parts, ("parts_total", "equal_windows", "named_missing", "notional_not_loss"))


def broken_down(total: Figure, parts: Mapping[str, Figure], rest: Figure | None = None) -> Claim:
    """A total cut into named parts, largest first, and an explicit rest."""
    every = [*parts.values(), *([] if rest is None else [rest])]
    adds_up(total, every)
    same_moment(total, *every)
    said: list[str | Shown] = ["Of ", show(total), ": "]
    for name, figure in sorted(parts.items(), key=lambda item: -_value(item[1])):
        said += [f"{name} ", show(figure), ", "]
    said[-1:] = ["."] if rest is None else [", the rest ", show(rest), "."]
    return Claim(tuple(said), ("parts_total", "equal_windows"))


def share_of(part: Figure, whole: Figure, part_name: str, whole_name: str) -> Claim:
    """ "<part> is x % of <whole>", the share worked out here."""
    found = share(part, whole)
    return Claim(
        (f"{part_name}: ", show(part), f", {_how(part)}", show(found), f" of {whole_name} (", show(whole), ")."),
        ("share_of_amounts", "share_over_100", "equal_windows"),
    )


def most_of(part: Figure, whole: Figure, part_name: str, whole_name: str) -> Claim:
    """ "Most of <whole> was <part>": only where the lower end of the interval, and the printed number, are above a half."""
    found = share(part, whole)
    low = part.interval[0] / _value(whole) if part.interval else _value(found)
    if min(low, round(_value(found), 3)) <= 0.5:
        raise RuleBroken("most", f"{_value(part):,.2f} of {_value(whole):,.2f} is {_value(found):.1%}, from {low:.1%}")
    return Claim((f"Most of {whole_name} was {part_name}: ", show(found), "."), ("most", "equal_windows"))


def larger(a: Figure, b: Figure, a_name: str, b_name: str) -> Claim:
    """ "<a> was larger than <b>": over equal windows, and where the intervals do not meet."""
    stated(a, b)
    same_moment(a, b)
    low = a.interval[0] if a.interval else _value(a)
    high = b.interval[1] if b.interval else _value(b)
    if low <= high:
        raise RuleBroken("ranking", f"{a.name} from {low:,.4g}, {b.name} to {high:,.4g}")
    return Claim((f"{a_name} (", show(a), f") was larger than {b_name} (", show(b), ")."), ("ranking", "equal_windows"))


def funding_sign(rate: Figure, where: str = "") -> Claim:
    """Who pays whom. `rate` has unit `rate_8h` (or of any hours)."""
    stated(rate)
    if not RATE.fullmatch(rate.unit):
        raise RuleBroken("funding_sign", f"{rate.name} is in {rate.unit}, not a rate of a stated interval")
    value, shown = _value(rate), show(rate)
    crosses = rate.interval is not None and rate.interval[0] <= 0 <= rate.interval[1]
    if crosses or float(shown.text.split(" ")[0].replace("−", "-")) == 0:
        payer = "as good as zero: neither side pays"
    else:
        payer = "positive: longs pay shorts" if value > 0 else "negative: shorts pay longs"
    return Claim((f"Funding{f' {where}' if where else ''} is ", shown, f", {payer}."), ("funding_sign",))


def open_interest_change(coin: Figure, usd: Figure, base: str, since: str) -> Claim:
    """Change of open interest in coins and in dollars (both unit `change`); only the coins say whether positions were closed."""
    stated(coin, usd)
    if (
        coin.value is not None
        and usd.value is not None
        and (coin.value < 0) != (usd.value < 0)
        and min(abs(coin.value), abs(usd.value)) > 0
    ):
        why = "; the dollars moved with the price, positions did not shrink" if coin.value > 0 else "; positions shrank, the price hid it"
    elif _value(coin) < 0:
        why = ": positions were closed"
    else:
        why = ""
    return Claim(
        (f"Open interest of {base} since {since}: ", show(coin), " in coins, ", show(usd), f" in dollars{why}."), ("open_interest_coin",)
    )


def record(value: Figure, what: str, *, since: str, until: str, periods: int, period: str, complete: bool, whole: bool) -> Claim:
    """ "<what> is the record of n complete <period>s". `complete`: this period has ended; `whole`: no period of the history is missing."""
    stated(value)
    if not complete:
        raise RuleBroken("record", f"{what} is of a {period} that has not ended")
    if not whole or periods < 2 or not since or not until:
        raise RuleBroken("record", f"{what} stands against {periods} {period}s from {since or '?'} to {until or '?'}, some missing")
    return Claim((f"{what}, ", show(value), f", is the record of {periods} complete {period}s, {since} to {until}."), ("record",))


def trend(word: str, slope: Figure, what: str, over: str) -> Claim:
    """A trend word, only where the interval of the slope leaves zero out on the side the word means ("rising" or "falling")."""
    stated(slope)
    if word not in ("rising", "falling"):
        raise RuleBroken("trend_test", f"{word!r} names no direction that can be tested")
    if slope.interval is None or (slope.interval[0] <= 0 if word == "rising" else slope.interval[1] >= 0):
        raise RuleBroken("trend_test", f"the slope of {what} over {over} is within {slope.interval or 'an unknown interval'}")
    return Claim((f"{what} was {word} over {over}: ", show(slope), "."), ("trend_test",))


def wave(number: int, notional: Figure, seconds: Figure, first_venue: str, ended: str) -> Claim:
    """A wave: when it is over and how is said in `ended` ('' while it runs)."""
    stated(notional, seconds)
    end = f"It ended {ended}." if ended else "It is still running."
    return Claim(
        (f"Wave {number} closed ", show(notional), " in ", show(seconds), f", first at {first_venue}. {end}"), ("notional_not_loss",)
    )


def sentiment(value: Figure, word: str, month_before: Figure | None = None, source: str = "alternative.me") -> Claim:
    """The Fear & Greed index with its band and attribution; `word` has to be the band of the value."""
    stated(value)
    if bands.band(_value(value)) != word:
        raise RuleBroken("fear_greed_band", f"{_value(value):g} is {bands.band(_value(value))}, not {word}")
    before: tuple[str | Shown, ...] = ()
    if month_before is not None and month_before.value is not None:
        before = (", a month before ", show(month_before), f" ({bands.band(month_before.value)})")
    return Claim(("Fear & Greed is ", show(value), f" ({word})", *before, f". Source: {source}."), ("fear_greed_band",))


def etf_flow(flow: Figure, asset: str, day: str, *, provisional: bool) -> Claim:
    """Net flow of a trading day; provisional figures say so."""
    stated(flow)
    state = "; provisional, funds may still revise it" if provisional else ""
    if not _value(flow):
        return Claim((f"US spot {asset} funds on {day}: ", show(flow), f" net{state}."), ("flow_sign",))
    direction = "flowed out" if _value(flow) < 0 else "flowed in"
    size = Shown(flow, show(flow).text.replace("−", "").removeprefix("+"))
    return Claim(
        (
            f"From US spot {asset} funds " if _value(flow) < 0 else f"Into US spot {asset} funds ",
            size,
            f" net {direction} on {day}{state}.",
        ),
        ("flow_sign",),
    )


def macro_level(level: Figure, what: str, day: str) -> Claim:
    """A level of an economic series on its observation date."""
    stated(level)
    return Claim((f"{what}: ", show(level), f" on {day}."), ("named_missing",))


def real_yield(nominal: Figure, real: Figure, breakeven: Figure, day: str) -> Claim:
    """Nominal, real and breakeven of ten years, which have to fit: breakeven = nominal − real (all `percent`)."""
    stated(nominal, real, breakeven)
    if abs(_value(nominal) - _value(real) - _value(breakeven)) > 0.005:
        raise RuleBroken("real_yield", f"{_value(nominal):.2f} − {_value(real):.2f} is not {_value(breakeven):.2f}")
    return Claim(
        ("Ten-year yield ", show(nominal), ", real ", show(real), ", breakeven inflation ", show(breakeven), f" on {day}."), ("real_yield",)
    )


def volatility_index(ours: Figure, published: Figure, base: str) -> Claim:
    """Our index from the option chain beside the published one; either may be missing, and is then said to be."""
    for figure in (ours, published):
        if figure.value is not None and not 0.01 < figure.value * (1 if figure.unit == "volatility" else 0.01) < 10:
            raise RuleBroken("volatility_unit", f"{figure.name} of {figure.value} {figure.unit}")
    return Claim(
        (f"Implied volatility of {base} over 30 days: ", show(ours), " by our reading of the chain, ", show(published), " as published."),
        ("volatility_unit", "named_missing"),
    )


def dealer_gamma(conventions: Mapping[str, Figure], base: str) -> Claim:
    """Gamma under every convention; "long" or "short" only where all agree."""
    stated(*conventions.values())
    signs = {(_value(f) > 0) - (_value(f) < 0) for f in conventions.values()}
    label = {1: "dealers are long gamma by every convention", -1: "dealers are short gamma by every convention"}.get(
        signs.pop() if len(signs) == 1 else 0, "the conventions disagree on who is short gamma"
    )
    said: list[str | Shown] = [f"{base} options: {label}: "]
    for name, figure in conventions.items():
        said += [f"{name} ", show(figure), ", "]
    said[-1] = "."
    return Claim(tuple(said), ("gamma_convention",))


def map_intensity(strongest: Figure, where: str) -> Claim:
    """How strong a level of the liquidation map is, relative to its strongest: never in dollars."""
    stated(strongest)
    if strongest.unit != "relative":
        raise RuleBroken("relative_intensity", f"{strongest.name} is in {strongest.unit}")
    return Claim(("The liquidation map is at ", show(strongest), f" near {where}."), ("relative_intensity",))


def not_known(what: str, why: str) -> Claim:
    """What cannot be said, and why."""
    return Claim((f"{what}: {UNKNOWN} ({why}).",), ("named_missing",))


def _value(figure: Figure) -> float:
    stated(figure)
    return figure.value or 0.0


def _how(figure: Figure) -> str:
    return {"estimated": "an estimated ", "modelled": "a modelled "}.get(figure.status, "")


def _spaced(window: str) -> str:
    return f"{window[:-1]} {window[-1]}"
