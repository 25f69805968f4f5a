"""The parts of a report around the market: leverage that is left, options, sentiment, fund flows, yields and the dollar."""

from datetime import UTC, datetime

from deleverage.figure import Figure
from deleverage.report import pictures, sentences
from deleverage.report.charts.clock import words
from deleverage.report.claims import Claim, Shown, is_stale, show
from deleverage.report.document import Block, Cell, Paragraph, Section, Table, plain
from deleverage.report.figures import outside as figures_outside
from deleverage.report.reading import DAY
from deleverage.report.sections import SHALLOW, Told, pictured, spaced, title

ENOUGH = 60
"""Trading days told from which the rank of a flow among them says something."""


def leverage(told: Told) -> Section | None:
    """Funding and open interest; None where neither is known."""
    base, w, attempt = told.base, told.w, told.attempt
    rate, blocks = told.get(f"funding.oi_weighted.{base}"), list[Block]()
    salience = 0.3
    if rate is not None:
        said = attempt(sentences.funding_sign, rate, f"of {base} over venues, weighted by open interest,")
        salience = 0.6 if (rate.value or 0.0) < 0 else salience
        blocks += pictured(pictures.rates(told.reading), *said) if told.is_long else (Paragraph(said),)
    elif venues := [f for name, f in told.figures.items() if name.startswith("funding.venue.") and f.value is not None]:
        said = tuple(c for f in venues[:6] for c in attempt(sentences.funding_sign, f, f"of {base} on {title(f.name.split('.')[2])}"))
        blocks.append(Paragraph(said))
    negative = told.get(f"funding.share_negative.{base}")
    if negative is not None and negative.value:
        blocks.append(Paragraph(attempt(plain, "At ", show(negative, 0), " of the venues the rate is below zero: there shorts pay longs.")))
    coins, usd = told.get(f"open_interest.coin.{base}"), told.get(f"open_interest.usd.{base}")
    if coins is not None:
        parts: list[str | Shown] = [f"Open interest of {base} is ", show(coins)]
        said = attempt(plain, *parts, *([", or ", show(usd)] if usd is not None else []), "; every long has a short, one side is counted.")
        change, change_usd = (told.get(f"open_interest.change.{unit}.{base}.{w}") for unit in ("coin", "usd"))
        if change is not None and change_usd is not None:
            said += attempt(sentences.open_interest_change, change, change_usd, base, f"{spaced(w)} before")
            salience = 0.8 if (change.value or 0.0) < -SHALLOW else salience
        drop, drop_usd = (told.get(f"open_interest.drawdown.{unit}.{base}") for unit in ("coin", "usd"))
        if drop is not None and drop_usd is not None:
            said += attempt(
                plain,
                "Against its highest of the months before (see the note): ",
                show(drop),
                " in coins, ",
                show(drop_usd),
                " in dollars.",
            )
        blocks.append(Paragraph(said))
        finding = attempt(plain, f"Open interest of {base} in coins, ", show(change), f" in {spaced(w)}") if change is not None else ()
        blocks += pictured(pictures.interest(told.reading), *finding) if told.is_long else ()
    return Section("leverage", "The leverage that is left", tuple(blocks), salience) if blocks else None


def options(told: Told) -> Section | None:
    """The volatility index, skew, dealers' gamma; None where nothing of options is known."""
    base, attempt = told.base, told.attempt
    ours, published = told.figures[f"options.volatility_index.{base}"], told.figures[f"options.published_index.{base}"]
    if ours.value is None and published.value is None:
        return None
    said = attempt(sentences.volatility_index, ours, published, base)
    change = told.get(f"options.published_index.change.{base}.{told.w}")
    if change is not None:
        direction = "rose" if (change.value or 0.0) > 0 else "fell"
        moved = Shown(change, show(change).text.replace("−", ""))
        said += attempt(plain, f"The published index {direction} by ", moved, f" in {spaced(told.w)}.")
    blocks: list[Block] = [Paragraph(said)] if said else []
    skew = [(days, told.get(f"options.rr25.{days}d.{base}")) for days in (7, 30, 90)]
    rows = tuple(
        (f"{days} days", _cell(told.get(f"options.atm.{days}d.{base}")), _points(rr), _points(told.get(f"options.bf25.{days}d.{base}")))
        for days, rr in skew if rr is not None
    )  # fmt: skip
    near = next((rr for _, rr in skew if rr is not None), None)
    if rows and told.is_long:
        dearer = "puts are dearer than calls" if near is not None and (near.value or 0.0) < 0 else "calls are dearer than puts"
        finding = attempt(plain, f"At the short end {dearer}: ", _points(near)) if near is not None else ()
        blocks += pictured(pictures.smiles(told.reading), *finding)
        note = "A risk reversal is the call's volatility less the put's at 25 delta, in points: below zero puts are dearer."
        blocks.append(Table("Constant maturities", ("maturity", "at the money", "risk reversal", "butterfly"), rows, note))
    gammas = {name.split(".")[2].replace("_", " "): f for name, f in told.figures.items()
              if name.startswith("options.gamma.") and f.value is not None}  # fmt: skip
    if gammas and told.is_long:
        claim = attempt(sentences.dealer_gamma, gammas, base)
        blocks += pictured(pictures.gamma(told.reading), *claim)
    jump = abs(change.value or 0.0) if change is not None else 0.0
    return Section("options", "Options", tuple(blocks), 0.7 if jump >= 5 else 0.35) if blocks else None


def _cell(figure: Figure | None) -> Cell:
    return "" if figure is None else show(figure)


def _moved(figure: Figure | None) -> Cell:
    """Write a change; that of a percentage is in points, so that nobody takes it for a share of it."""
    if figure is None or figure.value is None or figure.unit != "percent":
        return _cell(figure)
    return Shown(figure, f"{figure.value:+.2f} points".replace("-", "−") + (" (stale)" if is_stale(figure) else ""))


def _points(figure: Figure | None) -> Shown:
    assert figure is not None and figure.value is not None
    return Shown(figure, f"{figure.value * 100:+.1f} points".replace("-", "−") + (" (stale)" if is_stale(figure) else ""))


def mood(told: Told) -> Section | None:
    """The sentiment index with its band."""
    found, value = figures_outside.mood(told.reading), told.get("sentiment.fear_greed")
    if found is None or value is None:
        return None
    before = told.get("sentiment.fear_greed.month_before")
    said = told.attempt(sentences.sentiment, value, found.band, before, found.source)
    rank = told.get("sentiment.fear_greed.year_rank")
    if rank is not None:
        whole = found.ts_event - found.since >= 365 * DAY
        days = "days of the year before" if whole else f"days known before it, from {words(found.since, '%-d %B %Y')} on"
        said += told.attempt(plain, f"Of the {days}, ", show(rank, 0), " were more fearful, ties shared evenly.")
    blocks: list[Block] = list(pictured(pictures.mood(told.reading), *said[:1])) if told.is_long else [Paragraph(said)]
    if told.is_long and said[1:]:
        blocks.append(Paragraph(said[1:]))
    extreme = found.band.startswith("extreme")
    swing = abs(found.month_change or 0.0) >= 25
    return Section("sentiment", "Sentiment", tuple(blocks), 0.65 if extreme else 0.55 if swing else 0.25) if blocks else None


def flows(told: Told) -> Section | None:
    """Net flows of funds: the last day, streak, month to date, records among complete months."""
    blocks: list[Block] = []
    salience = 0.25
    for base in figures_outside.FUNDS:
        found, day = figures_outside.flows(told.reading, base), told.get(f"etf.{base}.net_flow.day")
        if found is None or day is None:
            continue
        date = words(_date(found.trading_day), "%-d %B %Y")
        said = told.attempt(sentences.etf_flow, day, base, date, provisional=found.is_provisional)
        streak, total = told.get(f"etf.{base}.streak"), told.get(f"etf.{base}.streak.sum")
        if streak is not None and total is not None and (streak.value or 0.0) >= 3 and found.streak is not None:
            said += told.attempt(
                plain, f"It is {_article(found.streak.direction)} of ", show(streak), " in a row, ", show(total), " together."
            )
        month, last = told.get(f"etf.{base}.month_to_date"), told.get(f"etf.{base}.last_complete_month")
        if month is not None:
            parts: list[str | Shown] = ["The month, still under way, stands at ", show(month)]
            said += told.attempt(
                plain, *parts, *([f"; {_month(found.last_complete_month)} closed at ", show(last)] if last is not None else []), "."
            )
        for record in found.records:
            figure = told.get(f"etf.{base}.record.{record.period}.{record.direction}")
            if record.period == "month" and figure is not None and told.is_long:
                what = f"The largest monthly {record.direction} of {base} funds, of {_month(record.when)}"
                said += told.attempt(
                    sentences.record, figure, what, since=_month(record.since), until=_month(record.until), periods=record.of,
                    period="month", complete=True, whole=record.is_whole,
                )  # fmt: skip
        unusual = abs(found.robust_z or 0.0) >= 2.5 or (found.days >= ENOUGH and (found.outflow_rank or 99) <= 3)
        salience = max(salience, 0.7 if unusual or (found.streak is not None and found.streak.days >= 5) else 0.3)
        if told.is_long:
            blocks += pictured(pictures.flows(told.reading, base), *said[:1])
            said = said[1:] if blocks else said
        if said:
            blocks.append(Paragraph(said))
    return Section("flows", "Fund flows", tuple(blocks), salience) if blocks else None


def _article(direction: str) -> str:
    return "an outflow" if direction == "outflow" else "an inflow"


def _month(month: str | None) -> str:
    return "" if month is None else words(_date(f"{month}-01"), "%B %Y")


def _date(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def economy(told: Told) -> Section | None:
    """Yields and the dollar as they were known, and how the price moves with them."""
    attempt = told.attempt
    nominal, real, breakeven = (told.get(f"macro.{name}") for name in ("DGS10", "DFII10", "BREAKEVEN10"))
    said: tuple[Claim, ...] = ()
    if nominal is not None and real is not None and breakeven is not None and nominal.at == real.at == breakeven.at:
        said += attempt(sentences.real_yield, nominal, real, breakeven, words(nominal.at, "%-d %B %Y"))
    else:
        for figure, what in ((nominal, "Ten-year yield"), (real, "Ten-year real yield")):
            if figure is not None:
                said += attempt(sentences.macro_level, figure, what, words(figure.at, "%-d %B %Y"))
    for name, what in (("DTWEXBGS", "Broad dollar index"), ("SP500", "S&P 500"), ("NASDAQCOM", "Nasdaq Composite"), ("VIXCLS", "VIX")):
        level = told.get(f"macro.{name}")
        if level is not None:
            said += attempt(sentences.macro_level, level, what, words(level.at, "%-d %B %Y"))
    if not said:
        return None
    blocks: list[Block] = [Paragraph(said)]
    rows: list[tuple[Cell, ...]] = []
    for name, heading in pictures.TITLES.items():
        level, change, beta = (told.get(f"macro.{name}{kind}") for kind in ("", ".change.1m", f".beta.{told.base}"))
        if level is not None:
            rows.append((heading, words(level.at, "%-d %b %Y"), show(level), _moved(change), _cell(beta)))
    if told.is_long:
        if any(row[4] for row in rows):
            note = f"Beta: log change of {told.base} per log change of an index, or per point of a yield, over ninety trading days."
        else:
            rows, note = [row[:4] for row in rows], f"No beta of {told.base}: its hourly prices do not reach back far enough."
        heads = ("series", "observed", "level", "in a month", f"beta of {told.base}")
        blocks += pictured(pictures.economy(told.reading), *attempt(plain, *_yields(told)))
        blocks.append(Table("As it was known", heads[: len(rows[0])], tuple(rows), note))
    return Section("economy", "Yields and the dollar", tuple(blocks), 0.15)


def _yields(told: Told) -> tuple[str | Shown, ...]:
    real, change = told.get("macro.DFII10"), told.get("macro.DFII10.change.1m")
    if real is None or change is None:
        return ("The wider economy over a year",)
    return (
        "The ten-year real yield stands at ",
        show(real),
        ", ",
        Shown(change, f"{change.value or 0.0:+.2f} points".replace("-", "−")),
        " in a month",
    )
