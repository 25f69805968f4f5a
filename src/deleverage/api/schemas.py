"""The shapes of questions and answers. One envelope for every answer, one for every error."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deleverage.api.reconstructed import labelled

Data = TypeVar("Data")
Base = Annotated[str | None, Field(max_length=40, description="coin, such as BTC")]
VenueName = Annotated[str | None, Field(max_length=40, description="venue, such as binance")]
DIMENSION = "(venue|base|side|size)"
WHEN = "ISO 8601, unix time, or now"


class Question(BaseModel):
    """Query parameters; one that is not listed is an error."""

    model_config = ConfigDict(extra="forbid")


class Windowed(Question):
    """A window [at − window, at), as it was known at `as_of`. Each of the two defaults to the other, both to now."""

    window: Annotated[str, Field(max_length=12, description="length such as 1h, 4h, 12h, 24h, 7d")] = "24h"
    at: Annotated[str | None, Field(max_length=40, description=f"where the window ends: {WHEN}")] = None
    as_of: Annotated[str | None, Field(max_length=40, description=f"what was known: {WHEN}")] = None


class FeedsQuestion(Windowed):
    """Feeds at a moment, with gaps and what was believed over the window before it."""


class TotalsQuestion(Windowed):
    """Totals by venue, base, side or size, or by several of them."""

    by: Annotated[
        str, Field(pattern=f"^{DIMENSION}(,{DIMENSION}){{0,3}}$", description="venue, base, side, size, or several: venue,side")
    ] = "venue"
    estimate: Annotated[bool, Field(description="estimate what the feeds left out; false is faster")] = True


class HeatmapQuestion(Windowed):
    """Venue × time."""

    by: Literal["venue"] = "venue"
    bucket: Annotated[str | None, Field(max_length=12, description="bucket length such as 5m; at most 2000 buckets")] = None


class TreemapQuestion(Windowed):
    """Bases by size, with a rest."""

    top: Annotated[int, Field(ge=1, le=200)] = 12


class PricesQuestion(Windowed):
    """Prices of one base."""

    base: Annotated[str, Field(max_length=40)] = "BTC"


class NowQuestion(Windowed):
    """The first page."""

    base: Annotated[str, Field(max_length=40)] = "BTC"


class WavesQuestion(Windowed):
    """The waves of a window; `base` is the coin whose price is told."""

    base: Annotated[str, Field(max_length=40)] = "BTC"
    scale: Literal["seconds", "minutes", "hours"] = "minutes"


class LadderQuestion(Windowed):
    """The order in which coins were liquidated; `reference` is the coin the others are measured against."""

    reference: Annotated[str, Field(max_length=40)] = "BTC"


class FlowQuestion(Windowed):
    """The move of one coin taken apart, by venue."""

    base: Annotated[str, Field(max_length=40)] = "BTC"


class LiquidityQuestion(Windowed):
    """The books of one coin; of a window longer than 4 h the end. `venue` and `symbol` choose what the heatmap and walls are of.

    With `wave_start` and `wave_end` the answer's `waves` hold that stretch alone.
    """

    window: Annotated[str, Field(max_length=12, description="length such as 15m, 1h; at most 4h are read")] = "1h"
    base: Annotated[str, Field(max_length=40)] = "BTC"
    venue: VenueName = None
    symbol: Annotated[str | None, Field(max_length=80, description="contract whose heatmap and walls are told")] = None
    buckets: Annotated[int, Field(ge=10, le=500, description="instants at most")] = 240
    wave_start: Annotated[str | None, Field(max_length=40, description=f"begin of a wave whose taking is asked for: {WHEN}")] = None
    wave_end: Annotated[str | None, Field(max_length=40, description=f"its end: {WHEN}")] = None
    wave_side: Annotated[Literal["long", "short"], Field(description="the side that was closed in it")] = "long"


class OptionsQuestion(Windowed):
    """The options of one coin at `at`, on one venue; histories, trades and blocks are of the window."""

    base: Annotated[str, Field(max_length=40)] = "BTC"
    venue: Annotated[str | None, Field(max_length=40, description="venue; default: deribit, or whichever quotes twice as many")] = None


class SmileQuestion(OptionsQuestion):
    """Fitted smiles; `expiry` chooses one."""

    expiry: Annotated[str | None, Field(max_length=40, description="a listed expiry such as 2025-12-26; default: all")] = None


class DensityQuestion(OptionsQuestion):
    """The density at a date: `by`, or `days` from the chain on; default 30 days."""

    by: Annotated[str | None, Field(max_length=40, description=f"the date: {WHEN}")] = None
    days: Annotated[float | None, Field(gt=0, le=3650, description="days from the chain's newest quote on")] = None


class TouchQuestion(DensityQuestion):
    """A level and a date."""

    level: Annotated[float | None, Field(gt=0, le=1e12, description="price in USD; default: a tenth below spot")] = None


class LeverageQuestion(Windowed):
    """Funding, basis, positioning or beta of one coin."""

    base: Annotated[str, Field(max_length=40)] = "BTC"


class OpenInterestQuestion(LeverageQuestion):
    """Open interest of one coin; `months` is how far back its peak is looked for."""

    months: Annotated[int, Field(ge=1, le=24, description="months in which the peak is looked for")] = 7


class OutsideQuestion(Question):
    """What was known of the outside world at a moment. Each of the two defaults to the other, both to now."""

    at: Annotated[str | None, Field(max_length=40, description=f"the moment: {WHEN}")] = None
    as_of: Annotated[str | None, Field(max_length=40, description=f"what was known: {WHEN}")] = None


class SentimentQuestion(OutsideQuestion):
    """One published index, and ours; at most 400 points of history are told, of longer ones every second or third day."""

    index: Annotated[str, Field(max_length=60, description="name of a published index")] = "fear_and_greed"
    days: Annotated[int, Field(ge=1, le=10_000, description="length of the histories")] = 400


class EtfFlowsQuestion(OutsideQuestion):
    """The funds of one coin by one source; `days` are trading days."""

    base: Annotated[str, Field(max_length=40)] = "BTC"
    source: Annotated[str | None, Field(max_length=40, description="whose table; default: the one with most days")] = None
    days: Annotated[int, Field(ge=1, le=2_500, description="trading days told")] = 250


class MacroQuestion(OutsideQuestion):
    """Economic series, and how one coin moved with them."""

    base: Annotated[str, Field(max_length=40)] = "BTC"
    days: Annotated[int, Field(ge=1, le=10_000, description="length of the lines")] = 400


class FiguresQuestion(Windowed):
    """Figures of a window; `base` is the coin whose price, leverage and options are told."""

    base: Annotated[str, Field(max_length=40)] = "BTC"


class ReportQuestion(FiguresQuestion):
    """The written report of a window."""

    format: Annotated[Literal["html", "md", "json", "pdf", "zip", "fragment"], Field(description="fragment: html without a page")] = "html"


class OrdersQuestion(Windowed):
    """Single liquidations; `start` and `end` may replace the window."""

    start: Annotated[str | None, Field(max_length=40, description=f"inclusive; {WHEN}")] = None
    end: Annotated[str | None, Field(max_length=40, description=f"exclusive; {WHEN}")] = None
    venue: VenueName = None
    base: Base = None
    position_side: Literal["long", "short"] | None = None
    min_usd: Annotated[float | None, Field(ge=0, le=1e15)] = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    order: Literal["time", "size"] = "time"
    cursor: Annotated[str | None, Field(max_length=160, description="opaque; next_cursor of the page before")] = None


class TableQuestion(Question):
    """Rows of any table with start <= ts_event < end."""

    start: Annotated[str | None, Field(max_length=40)] = None
    end: Annotated[str | None, Field(max_length=40)] = None
    as_of: Annotated[str | None, Field(max_length=40)] = None
    venue: VenueName = None
    base: Base = None
    limit: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    format: Literal["arrow", "json"] = "arrow"


class InstrumentsQuestion(Question):
    """Listed contracts as last known."""

    venue: VenueName = None
    base: Base = None


class PlaybackOrder(BaseModel):
    """What to do with the playback."""

    model_config = ConfigDict(extra="forbid")
    action: Literal["open", "play", "pause", "speed", "seek"]
    recording: Annotated[str | None, Field(max_length=80)] = None
    speed: Annotated[float | None, Field(gt=0, le=100_000)] = None
    to_ms: Annotated[int | None, Field(ge=0, le=4_102_444_800_000)] = None


class Envelope(BaseModel, Generic[Data]):
    """Every answer: the data, the window's end and what was known, what kind of data it is, and which venues are missing.

    Where `is_reconstruction`, the events were made, not recorded, and the status of every figure is `modelled`.
    """

    data: Data
    at: str
    at_ms: int
    as_of: str
    mode: str
    label: str
    missing: list[str]
    is_reconstruction: bool = False

    @model_validator(mode="before")
    @classmethod
    def _say_what_was_made(cls, answer: Any) -> Any:
        """No answer about a reconstruction calls a figure measured."""
        return labelled(answer) if isinstance(answer, dict) else answer


class Rows(Envelope[list[dict[str, Any]]]):
    """An answer of rows."""

    next_cursor: str | None = None


class TotalRows(Envelope[list[dict[str, Any]]]):
    """Totals by something, with the overall row beside them."""

    total: dict[str, Any]


class Document(Envelope[dict[str, Any]]):
    """An answer that is one document."""


class Problem(BaseModel):
    """What went wrong and what would be right."""

    status: int
    message: str
    hint: str = ""


class ErrorAnswer(BaseModel):
    """Every error."""

    error: Problem
