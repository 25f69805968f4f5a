"""Which parts a report has and in which order: what matters at that moment leads, and a quiet day is a short report."""

from deleverage.api.reconstructed import LABEL
from deleverage.figure import Figure
from deleverage.references import SOURCES, etf_flows
from deleverage.references.reference import Reference
from deleverage.report import sections_around, sentences
from deleverage.report.charts.clock import words
from deleverage.report.claims import Claim, Shown, is_stale, show
from deleverage.report.document import Attempts, Block, Cell, Listing, Paragraph, Picture, Report, Section, Table, joined, plain
from deleverage.report.figures import figures
from deleverage.report.figures.waves import found as found_waves
from deleverage.report.reading import Reading
from deleverage.report.revisions import revisions
from deleverage.report.sections import Told, clock, liquidated, price_sentence, spaced, title, waves
from deleverage.venues import VENUES

LEADS = 0.5
"""Salience from which a part is told in full; on a quiet day the others are a sentence each."""
MOST_REVISED = 40
STRESS_USD, ONE_SIDED = 500_000.0, 0.7
"""A wave of this size (USD, as seen), this much of it on one side, makes a day one of stress."""
RULES = {
    "full": "all orders", "presumed_full": "all orders, as far as known", "largest_per_second": "the largest order per contract and second",
    "latest_per_second": "the last order per contract and second", "watched_accounts": "accounts that are watched alone",
    "undisclosed": "at most one order per contract and second, which is not disclosed",
    "none": "none published", "mixed": "rules that changed within the window",
}  # fmt: skip


def compose(reading: Reading) -> Report:
    """Write the report of a reading."""
    known, attempt = figures(reading), Attempts()
    is_stress = stressed(reading)
    told = Told(reading, known, attempt, is_stress)
    parts = (liquidated(told), waves(told) if is_stress else None)
    market = [section for section in parts if section is not None]
    rooms = (sections_around.leverage, sections_around.options, sections_around.mood, sections_around.flows, sections_around.economy)
    around = [section for section in (room(told) for room in rooms) if section is not None]
    leading = [s for s in around if s.salience >= LEADS]
    if is_stress:
        body = [*market, *sorted(around, key=lambda s: -s.salience)]
    else:
        body = [*sorted([*market, *leading], key=lambda s: -s.salience), *_elsewhere([s for s in around if s.salience < LEADS])]
    body += [*_revised(reading, known), _unknown(told), _sources(told)]
    headline, lede = _headline(told), _lede(told, is_stress, body)
    end = words(reading.at, "%-d %B %Y, %H:%M")
    kicker = f"{spaced(reading.length)} to {end} UTC"
    if reading.as_of != reading.at:
        kicker += f", as known {words(reading.as_of, '%-d %B %Y, %H:%M')} UTC"
    label = LABEL if reading.question.is_reconstruction else ""
    return Report(reading.question, reading.length, label, kicker, headline, lede, tuple(s for s in body if s.blocks), known,
                  tuple(attempt.withheld))  # fmt: skip


def stressed(reading: Reading) -> bool:
    """Tell whether the window holds a wave worth telling of: a one-sided one of some size. Bursts of small orders come every day."""
    for wave in found_waves(reading):
        total = wave.long_usd + wave.short_usd
        if total >= STRESS_USD and max(wave.long_usd, wave.short_usd) >= ONE_SIDED * total:
            return True
    return False


def _revised(reading: Reading, known: dict[str, Figure]) -> list[Section]:
    """What the report of this moment, written at the moment, would have said otherwise."""
    if reading.before is None:
        return []
    changed = [r for r in revisions(figures(reading.before), known) if not r.name.startswith(("wave.", "liquidations.coverage"))]
    if not changed:
        said = Claim(("Nothing that was known at the moment itself has been revised since.",), ())
        return [Section("revised", "What was revised", (Paragraph((said,)),), 0.1)]
    rows = tuple((r.name, show(r.before), show(r.after)) for r in changed[:MOST_REVISED])
    note = f"Figures as they were known at the moment itself, and as they are known now; the first {MOST_REVISED} of {len(changed)}."
    note = note if len(changed) > MOST_REVISED else note.partition(";")[0] + "."
    return [Section("revised", "What was revised", (Table("Revisions", ("figure", "then", "now"), rows, note),), 0.1)]


def _headline(told: Told) -> Claim:
    total, share = told.get(f"liquidations.total.{told.w}"), told.get(f"liquidations.long_share.{told.w}")
    if total is None:
        return Claim((f"Nothing was received in {spaced(told.w)}: no venue's liquidations are in the data",), ("named_missing",))
    if not total.value:
        return plain("No liquidation was received in ", spaced(told.w), " on ", show(told.figures[f"liquidations.venues.{told.w}"]), " of ",
                     show(told.figures["liquidations.venues"]), " venues")  # fmt: skip
    least = "At least " if told.reading.floor() or total.missing else ""
    parts: list[str | Shown] = [least, show(total), f" liquidated in {spaced(told.w)}"]
    if share is not None and share.value is not None:
        side = "long" if share.value >= 0.5 else "short"
        shown = show(share, 0) if side == "long" else Shown(share, f"{(1 - share.value) * 100:.0f} %")
        parts += [", ", shown, f" of it {side}s"]
    return plain(*parts)


def _lede(told: Told, is_stress: bool, body: list[Section]) -> tuple[Claim, ...]:
    """The paragraph below the headline: the price, then the first sentence of what else leads."""
    said = price_sentence(told) if not is_stress else told.attempt(plain, *_storm(told))
    for section in body:
        if section.salience >= LEADS and section.name not in ("liquidated", "waves"):
            said += first_sentence(section)
    return said[:4]


def _storm(told: Told) -> tuple[str | Shown, ...]:
    count = told.figures[f"waves.count.{told.w}"]
    largest = max((f for n, f in told.figures.items() if n.startswith("wave.") and n.endswith(".total")), key=lambda f: f.value or 0.0)
    number = largest.name.split(".")[1]
    start = told.figures[f"wave.{number}.start"]
    one = count.value == 1
    largest_one = "it" if one else "the largest"
    parts: list[str | Shown] = ["It came in ", show(count), f" wave{'' if one else 's'}; {largest_one} closed ", show(largest), " from "]
    parts += [clock(start, "%H:%M"), " UTC on"]
    change = told.get(f"price.{told.base}.change.{told.w}")
    low = told.get(f"price.{told.base}.low.{told.w}")
    if change is not None and low is not None:
        parts += [f". {told.base} ended the window ", show(change, 1), " after a low of ", show(low)]
    return (*parts, ".")


def first_sentence(section: Section) -> tuple[Claim, ...]:
    """The first sentence of a part."""
    for block in section.blocks:
        if isinstance(block, Paragraph | Listing) and block.claims:
            return block.claims[:1]
        if isinstance(block, Picture):
            return (block.title if block.title.text.endswith(".") else Claim((*block.title.parts, "."), block.title.rules),)
    return ()


def _elsewhere(others: list[Section]) -> list[Section]:
    said = tuple(claim for section in others for claim in first_sentence(section))
    return [Section("elsewhere", "Elsewhere", (Listing(said),), 0.1)] if said else []


SUBJECTS = {"funding": "funding", "open_interest": "open interest", "options": "options", "sentiment": "sentiment", "etf": "fund flows",
            "macro": "yields and the dollar", "price": "the price", "liquidations": "liquidations"}  # fmt: skip


def _unknown(told: Told) -> Section:
    """What is not known, and why: venues not received, feeds that leave orders out, figures that are missing or stale."""
    said: list[Claim] = []
    reading = told.reading
    if reading.missing:
        absent = joined([title(name) for name in reading.missing])
        said.append(sentences.not_known(f"Liquidations of {absent}", "nothing was received in the window"))
    gaps = [v for v in reading.seen if reading.heard(v) < 0.995]
    for name in gaps:
        heard = told.get(f"liquidations.venue.{name}.coverage.{told.w}")
        if heard is not None:
            said += told.attempt(plain, f"What {title(name)} closed while it was not heard: received was ", show(heard), " of the window.")
    partial: dict[str, list[str]] = {}
    for name in reading.seen:
        rule = reading.rules.get(name, "undisclosed")
        if rule not in ("full", "presumed_full"):
            partial.setdefault(rule, []).append(title(name))
    for rule, names in partial.items():
        said.append(sentences.not_known(f"Orders that {joined(names)} left out", f"the feed shows {RULES.get(rule, rule)}"))
    lacking: list[str] = []
    others: list[Claim] = []
    for name, figure in told.figures.items():
        if figure.status == "missing" and figure.note and not name.startswith(("liquidations.venue.", "open_interest.coin.")):
            subject, why = _missing(name, figure)
            if "in the data" in why or "within the hour" in why:
                lacking.append(subject)
            else:
                others.append(sentences.not_known(subject[0].upper() + subject[1:], why))
    if lacking:
        words = joined(list(dict.fromkeys(lacking)))
        said.append(sentences.not_known(words[0].upper() + words[1:], "nothing recent of it is in the data"))
    said += others
    stale = sorted({name for name, figure in told.figures.items() if is_stale(figure)})
    if stale:
        subjects = joined(sorted({SUBJECTS.get(name.split(".")[0], name.split(".")[0]).lower() for name in stale}))
        said.append(Claim((f"Stale, and marked so where printed: {subjects}.",), ("named_missing",)))
    return Section("unknown", "What is not known", (Listing(tuple(said)),) if said else ())


def _missing(name: str, figure: Figure) -> tuple[str, str]:
    """Name the subject of a figure that is missing, and why it is; numbers of the reason are in its footnote."""
    why = figure.note
    if any(character.isdigit() for character in why):
        why = "the history is too short" if "history" in why else "see its footnote"
    named = {
        "open_interest.drawdown": "the fall of open interest from its peak", "options.published_index": "the published volatility index",
        "options.volatility_index": "options and their volatility index", "open_interest.usd": "open interest",
    }  # fmt: skip
    return next((words for start, words in named.items() if name.startswith(start)), SUBJECTS.get(name.split(".")[0], name)), why


def _sources(told: Told) -> Section:
    """Every venue with its rule and how much was received, and the references with their attributions."""
    lines: list[tuple[Cell, ...]] = []
    for name, venue in VENUES.items():
        heard = told.get(f"liquidations.venue.{name}.coverage.{told.w}")
        rule = told.reading.rules.get(name) or venue.coverage_at(told.reading.at, "linear").rule
        lines.append((venue.title, RULES.get(rule, rule), "not received" if heard is None or not heard.value else show(heard)))
    blocks: list[Block] = [Table("Liquidation feeds", ("venue", "shows", "received"), tuple(lines))]
    read = [told.reading.frames[table] for table in ("sentiment_readings", "etf_flows", "macro_observations")]
    names = {str(venue) for rows in read for venue in rows["venue"].unique()}
    funds = told.reading.frames["etf_flows"].filter(venue=etf_flows.NAME)["fund"].unique().to_list()
    whose = {name: source.attribution for name, source in SOURCES.items() if name in names and isinstance(source, Reference)}
    credits = [etf_flows.attribution(funds) if name == etf_flows.NAME else said for name, said in whose.items()]
    said = [Claim((f"{credit}.",), ()) for credit in credits if credit]
    if said:
        blocks.append(Listing(tuple(said)))
    return Section("sources", "Sources and coverage", tuple(blocks))
