"""Settings: the file, then the environment, key by key; whatever is wrong is said in one line that names the key."""

import re
import tomllib
from pathlib import Path

import pytest

from deleverage.config import TABLE_NAMES, VENUE_NAMES, Settings, effective, load
from deleverage.errors import ConfigError
from deleverage.tables import TABLES
from deleverage.venues import VENUES


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "deleverage.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", "unknown setting 'prot'; did you mean 'port'?"),
        ("[collect]\nbaes = []", "unknown setting 'collect.baes'; did you mean 'collect.bases'?"),
        ("[venues.htx]\nprox = ''", "unknown setting 'venues.htx.prox'; did you mean 'venues.htx.proxy'?"),
        ("[venues.binanc]\nenabled = false", "unknown venue 'binanc' in venues; did you mean 'binance'?"),
        ("[journal]\nkeep_days = -1", "journal.keep_days: Input should be greater than or equal to 0, got -1"),
        ("[log]\nlevel = 'loud'", "log.level: Input should be 'debug', 'info', 'warning' or 'error', got 'loud'"),
        ("[journal]\nkeep_days = inf", "journal.keep_days: Input should be a finite number, got inf"),
        ("[collect]\nkinds = ['liquidation']", "collect.kinds: no such table; did you mean 'liquidations'?"),
        ("[collect]\nbases = 'BTC'", "collect.bases: Input should be a valid tuple, got 'BTC'"),
        ("[venues.okx]\ngateway = 'localhost:9'", "venues.okx.gateway: write it as http://host:port, got 'localhost:9'"),
        ("venues = 3", "venues: Input should be a valid dictionary, got 3"),
        ("collect = 3", "collect: Input should be a valid dictionary"),
        ("port = ", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, text))
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path / "nowhere.toml")


def test_the_environment_goes_before_the_file_key_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, 'port = 9001\n[collect]\nbases = ["BTC"]\nrotate_hours = 2\n[venues.okx]\nproxy = "http://file"\n')
    monkeypatch.setenv("DELEVERAGE_COLLECT__BASES", '["ETH", "SOL"]')
    monkeypatch.setenv("DELEVERAGE_VENUES__HTX__ENABLED", "false")
    made = load(path)
    assert (made.port, made.collect.bases, made.collect.rotate_hours) == (9001, ("ETH", "SOL"), 2)
    assert made.venue("okx").proxy == "http://file" and not made.venue("htx").enabled and made.venue("binance").enabled


def test_a_bad_environment_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELEVERAGE_COLLECT__ROTATE_HOURS", "often")
    with pytest.raises(ConfigError, match=r"DELEVERAGE_COLLECT__ROTATE_HOURS: collect\.rotate_hours"):
        load(written(tmp_path, ""))


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("DELEVERAGE_PROT", "1", "DELEVERAGE_PROT: unknown setting 'prot'; did you mean 'port'?"),
        ("DELEVERAGE_COLLECT__BAES", "[]", "DELEVERAGE_COLLECT__BAES: unknown setting 'collect.baes'; did you mean 'collect.bases'?"),
        ("DELEVERAGE_COLECT__BASES", "[]", "DELEVERAGE_COLECT__BASES: unknown setting 'colect'; did you mean 'collect'?"),
        (
            "DELEVERAGE_VENUES__OKX__PROX",
            "x",
            "DELEVERAGE_VENUES__OKX__PROX: unknown setting 'venues.okx.prox'; did you mean 'venues.okx.proxy'?",
        ),
        ("DELEVERAGE_VENUES__BINANC__PROXY", "http://x", "unknown venue 'binanc' in venues; did you mean 'binance'?"),
        ("DELEVERAGE_COLLECT__BASES", "BTC,ETH", "DELEVERAGE_COLLECT__BASES: collect.bases: lists and tables are written as JSON"),
        ("DELEVERAGE_COLLECT", '{"baes": []}', "DELEVERAGE_COLLECT: unknown setting 'collect.baes'"),
    ],
)
def test_the_environment_is_held_to_the_same_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, words: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, ""))
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_fault_of_the_file_is_not_blamed_on_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELEVERAGE_COLLECT__BASES", '["ETH"]')
    with pytest.raises(ConfigError, match=r"deleverage\.toml: collect\.queue_frames: .* got 5$"):
        load(written(tmp_path, "[collect]\nqueue_frames = 5"))


def test_bases_are_found_however_they_are_written(tmp_path: Path) -> None:
    assert load(written(tmp_path, "[collect]\nbases = ['btc', 'ETH']")).collect.bases == ("BTC", "ETH")


def test_the_tables_that_may_be_chosen_are_those_a_venue_fills() -> None:
    elsewhere = {"etf_flows", "sentiment_readings", "macro_observations", "gaps", "feed_states"}
    assert set(TABLE_NAMES) == set(TABLES) - elsewhere and set(VENUE_NAMES) == set(VENUES)
    asked = {q.name for venue in VENUES.values() for q in (*venue.polls, *venue.histories)} & set(TABLES)
    assert asked <= set(TABLE_NAMES)


def test_the_page_holds_a_complete_file_of_the_defaults(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text()
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    made, plain = load(written(tmp_path, text)), load(written(tmp_path / "..", ""))
    assert made.model_dump(exclude={"venues"}) == plain.model_dump(exclude={"venues"}) and made.venue("binance") == plain.venue("binance")
    known = {row["setting"] for row in effective(plain) if not row["setting"].startswith("venues.") or ".binance." in row["setting"]}
    assert known == set(_keys(tomllib.loads(text)))


def _keys(found: dict[str, object], path: str = "") -> list[str]:
    keys = []
    for key, value in found.items():
        if isinstance(value, dict) and key != "hosts":
            keys += _keys(value, f"{path}{key}.")
        else:
            keys.append(path + key)
    return keys


def test_effective_names_every_key_once() -> None:
    names = [row["setting"] for row in effective(Settings())]
    assert len(names) == len(set(names)) and "collect.bases" in names and "venues.htx.proxy" in names
