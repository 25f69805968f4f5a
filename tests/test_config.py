"""Settings: the file, then the environment, key by key; whatever is wrong is said in one line that names the key."""

import re
import tomllib
from pathlib import Path

import pytest

from deleverage.config import Settings, effective, load
from deleverage.errors import ConfigError


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
