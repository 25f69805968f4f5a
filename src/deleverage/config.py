"""Settings: a TOML file, then the environment (`DELEVERAGE_PORT=8001`), then what the command line says."""

import difflib
import json
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from deleverage.errors import ConfigError

FILE = "deleverage.toml"
PREFIX = "DELEVERAGE_"
VENUE_NAMES = ("binance", "bybit", "okx", "htx", "hyperliquid", "deribit")
TABLE_NAMES = (
    "liquidations", "trades", "candles", "mark_prices", "funding_rates", "open_interest", "positioning_ratios", "book_depth",
    "option_quotes", "volatility_indices", "position_snapshots", "margin_tiers", "insurance_funds", "adl_signals", "venue_statuses",
    "instruments",
)  # fmt: skip
"""Tables a venue can fill."""


def _base(text: str) -> str:
    if not re.fullmatch(r"\S+", text):
        raise ValueError("a base is one word, such as BTC")
    return text.upper() if text.isascii() and text.islower() else text


def _table(name: str) -> str:
    if name not in TABLE_NAMES:
        close = difflib.get_close_matches(name, TABLE_NAMES, 1)
        raise ValueError(f"no such table; did you mean {close[0]!r}?" if close else f"no such table; known: {', '.join(TABLE_NAMES)}")
    return name


def _web(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise ValueError("write it as http://host:port")
    return url


Base = Annotated[str, AfterValidator(_base)]
Table = Annotated[str, AfterValidator(_table)]
Web = Annotated[str, AfterValidator(_web)]


class VenueSettings(BaseModel):
    """How one venue is reached."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    enabled: Annotated[bool, Field(description="collect from it")] = True
    proxy: Annotated[Web, Field(description="proxy for sockets and questions: http://user:password@host:port; empty: none")] = ""
    gateway: Annotated[
        Web, Field(description="http(s)://host:port under which every address of the venue is asked for, as GATEWAY/its-host/its-path")
    ] = ""
    hosts: Annotated[dict[str, str], Field(description="other hosts to use in place of the venue's, by host")] = {}

    @property
    def query(self) -> str:
        """What is added to every question's address and never kept: a key."""
        return ""


class FredSettings(VenueSettings):
    """How FRED is reached; with a key its API is asked, without one its CSV."""

    api_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9]*$", description="key of the FRED API; empty: the CSV, which needs none")] = ""

    @property
    def query(self) -> str:
        """See VenueSettings."""
        return f"api_key={self.api_key}" if self.api_key else ""


class ReferencesSettings(BaseModel):
    """Sentiment, ETF flows and macro series: which are asked, and how they are reached."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    fear_greed: Annotated[VenueSettings, Field(description="alternative.me's Fear & Greed index")] = VenueSettings()
    farside: Annotated[VenueSettings, Field(description="Farside's ETF flows")] = VenueSettings()
    fred: Annotated[FredSettings, Field(description="FRED's macro series")] = FredSettings()


class CollectSettings(BaseModel):
    """What is collected, and how much of the machine it may take."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    bases: Annotated[tuple[Base, ...], Field(description="bases whose trades, books and candles are collected")] = ("BTC", "ETH", "SOL")
    option_bases: Annotated[tuple[Base, ...], Field(description="bases whose options are collected")] = ("BTC", "ETH")
    kinds: Annotated[tuple[Table, ...], Field(description="tables to collect; empty: all a venue offers")] = ()
    queue_frames: Annotated[int, Field(ge=100, description="frames waiting to be parsed before sockets are no longer read")] = 50_000
    rotate_hours: Annotated[float, Field(gt=0, le=23.5, description="hours after which a socket is replaced, with overlap")] = 6.0
    relist_seconds: Annotated[float, Field(gt=0, description="seconds between two looks at new listings, at least")] = 60.0
    backfill: Annotated[bool, Field(description="ask venues for what was missed, and for 30 days on first start")] = True
    backfill_days: Annotated[float, Field(ge=0, le=365, description="days of candles, open interest and funding asked for at first")] = 30.0


class JournalSettings(BaseModel):
    """How long raw frames are kept, and when a full disk stops the collector."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    keep_days: Annotated[float, Field(ge=0, description="days raw frames are kept; 0: for ever")] = 0.0
    compact_after_hours: Annotated[float, Field(gt=0, description="hours after which closed segments are compacted to Parquet")] = 24.0
    least_free_gb: Annotated[float, Field(ge=0, description="gigabytes that must stay free; below it collecting stops, clearly said")] = 2.0


class LogSettings(BaseModel):
    """What is said on standard error while running."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Annotated[Literal["console", "json"], Field(description="console for people, json for machines")] = "console"
    level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="least important lines written")] = "info"


class HyperliquidSettings(BaseModel):
    """Ways to see more of Hyperliquid's liquidations than its public streams tell."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    node_fills: Annotated[str, Field(description="folder in which a node of yours writes node_fills_by_block; empty: none")] = ""
    watch_weight: Annotated[float, Field(ge=0, le=1000, description="weight a minute spent on asking for large positions")] = 400.0
    watch_accounts: Annotated[tuple[str, ...], Field(description="accounts watched besides those seen trading")] = ()
    least_position_usd: Annotated[float, Field(ge=0, description="positions below this are soon forgotten")] = 100_000.0


def _every(text: str) -> str:
    from deleverage.errors import BadInput
    from deleverage.when import duration

    try:
        short = bool(text) and duration(text) < 60_000_000_000
    except BadInput as error:
        raise ValueError(str(error)) from None
    if short:
        raise ValueError("a report every minute at most")
    return text


ReportFormat = Literal["html", "md", "pdf", "json", "zip"]


class ReportSettings(BaseModel):
    """Reports that `up` writes by itself while it collects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: Annotated[str, AfterValidator(_every), Field(description="write one this often, of that window: 1d, 12h; empty: never")] = ""
    on_wave_end: Annotated[bool, Field(description="write one when a wave has ended")] = False
    window: Annotated[str, AfterValidator(_every), Field(description="window of the report at a wave's end")] = "24h"
    formats: Annotated[tuple[ReportFormat, ...], Field(description="formats: html, md, pdf, json, zip (the data pack)")] = ("html",)
    folder: Annotated[str, Field(description="where to; empty: reports/ in the data directory")] = ""
    templates: Annotated[str, Field(description="directory of templates that come before the package's; empty: none")] = ""


class Settings(BaseSettings):
    """Every setting, with its default. Unknown keys are refused."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", allow_inf_nan=False)

    data: Annotated[Path, Field(description="data directory: journal, tables, imported files")] = Path("~/.local/share/deleverage")
    host: Annotated[str, Field(description="address the server listens on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="port the server listens on")] = 8000
    speed: Annotated[float, Field(gt=0, le=100_000, description="recorded seconds played per second")] = 20.0
    venues: Annotated[dict[str, VenueSettings], Field(description="how each venue is reached, by its name")] = {}
    collect: Annotated[CollectSettings, Field(description="what is collected")] = CollectSettings()
    journal: Annotated[JournalSettings, Field(description="how raw frames are kept")] = JournalSettings()
    hyperliquid: Annotated[HyperliquidSettings, Field(description="more of Hyperliquid")] = HyperliquidSettings()
    references: Annotated[ReferencesSettings, Field(description="sentiment, ETF flows, macro")] = ReferencesSettings()
    report: Annotated[ReportSettings, Field(description="written reports")] = ReportSettings()
    log: Annotated[LogSettings, Field(description="log lines")] = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource, file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment goes before the file."""
        return env_settings, init_settings

    def venue(self, name: str) -> VenueSettings:
        """Return how a venue is reached."""
        return self.venues.get(name) or VenueSettings()


def load(path: Path | None = None) -> Settings:
    """Read settings from `path`, else from `$DELEVERAGE_CONFIG`, else from `deleverage.toml` here if there is one.

    Raises ConfigError in one line: a file that cannot be read, an unknown key (with a suggestion), a bad value.
    """
    named = path or (Path(os.environ["DELEVERAGE_CONFIG"]) if "DELEVERAGE_CONFIG" in os.environ else None)
    file = named or Path(FILE)
    found: dict[str, Any] = {}
    if named is not None or file.is_file():
        try:
            found = tomllib.loads(file.read_text())
        except OSError as error:
            raise ConfigError(f"cannot read {file}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} is not valid TOML: {error}") from None
    _refuse_unknown(found, Settings, str(file))
    environment = _environment()
    try:
        made = Settings(**{key: value for key, value in found.items() if key not in environment or isinstance(value, dict)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
        said = first["msg"].removeprefix("Value error, ")
        source = next((v for path, v in environment.items() if f"{name}.".startswith(f"{path}.")), str(file))
        raise ConfigError(f"{source}: {name}: {said}, got {repr(first.get('input'))[:80]}") from None
    except SettingsError as error:
        raise ConfigError(f"the environment holds a setting that cannot be read: {' '.join(str(error).split())[:160]}") from None
    for venue in made.venues:
        if venue not in VENUE_NAMES:
            close = difflib.get_close_matches(venue, VENUE_NAMES, 1)
            raise ConfigError(
                f"{file}: unknown venue {venue!r} in venues; "
                + (f"did you mean {close[0]!r}?" if close else f"known: {', '.join(VENUE_NAMES)}")
            )
    return made


def _environment() -> dict[str, str]:
    """Return the variable that sets each path (`collect.bases`). Raises ConfigError for one nobody knows, or that is no JSON."""
    found = {}
    for variable, text in sorted(os.environ.items()):
        path = variable[len(PREFIX) :].lower().split("__") if variable.upper().startswith(PREFIX) else []
        if not path or path == ["config"]:
            continue
        inner: Any = Settings
        for position, key in enumerate(path):
            if position == 1 and path[0] == "venues":
                inner = VenueSettings
                continue
            if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
                break
            # A lone word that resembles no setting is another program's, or a test's.
            if position or len(path) > 1 or difflib.get_close_matches(key, inner.model_fields, 1, 0.7):
                _refuse_unknown({key: None}, inner, variable, "".join(f"{p}." for p in path[:position]))
            field = inner.model_fields.get(key)
            inner = field.annotation if field else None
        if inner is not None:
            _refuse_unread(variable, text, inner, ".".join(path))
            found[".".join(path)] = variable
    return found


def _refuse_unread(variable: str, text: str, kind: Any, path: str) -> None:
    """Raise ConfigError when lists or tables in the environment are no JSON, or hold unknown keys."""
    is_section = isinstance(kind, type) and issubclass(kind, BaseModel)
    if not is_section and get_origin(kind) not in (tuple, dict):
        return
    try:
        value = json.loads(text)
    except ValueError:
        example = '["BTC", "ETH"]' if get_origin(kind) is tuple else '{"key": "value"}'
        raise ConfigError(f"{variable}: {path}: lists and tables are written as JSON, such as {example}, got {text[:80]!r}") from None
    if is_section and isinstance(value, dict):
        _refuse_unknown(value, kind, variable, f"{path}.")


def _refuse_unknown(found: dict[str, Any], model: type[BaseModel], file: str, path: str = "") -> None:
    """Raise ConfigError for the first key nobody knows, with the key that was perhaps meant."""
    for key, value in found.items():
        field = model.model_fields.get(key)
        if field is None:
            close = difflib.get_close_matches(key, model.model_fields, 1)
            known = f"did you mean {path + close[0]!r}?" if close else f"known: {', '.join(model.model_fields)}"
            raise ConfigError(f"{file}: unknown setting {path + key!r}; {known}")
        inner = field.annotation
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, BaseModel):
            _refuse_unknown(value, inner, file, f"{path}{key}.")
        elif key == "venues" and not path and isinstance(value, dict):
            for name, venue in value.items():
                if isinstance(venue, dict):
                    _refuse_unknown(venue, VenueSettings, file, f"venues.{name}.")


def effective(made: Settings) -> list[dict[str, str]]:
    """Return every setting with its value in force, its default and its meaning, as rows; sections are joined by dots."""
    rows: list[dict[str, str]] = []
    _rows(made, "", rows)
    return rows


def _rows(section: BaseModel, path: str, rows: list[dict[str, str]]) -> None:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            _rows(value, f"{path}{name}.", rows)
        elif path + name == "venues":
            for venue in VENUE_NAMES:
                _rows(value.get(venue) or VenueSettings(), f"venues.{venue}.", rows)
        else:
            shown = "(set)" if name == "api_key" and value else value
            rows.append(
                {"setting": path + name, "value": _toml(shown), "default": _toml(field.default), "meaning": field.description or ""}
            )


def _toml(value: object) -> str:
    """Write a value as TOML would."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}" = {_toml(v)}' for k, v in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, int) else f'"{value}"'


@cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return load()
