"""Settings: a TOML file, then the environment (`DELEVERAGE_PORT=8001`), then what the command line says."""

import difflib
import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deleverage.errors import ConfigError

FILE = "deleverage.toml"


class Settings(BaseSettings):
    """Every setting, with its default. Unknown keys are refused."""

    model_config = SettingsConfigDict(env_prefix="DELEVERAGE_", frozen=True, extra="forbid")

    data: Annotated[Path, Field(description="data directory: journal, tables, imported files")] = Path("~/.local/share/deleverage")
    host: Annotated[str, Field(description="address the server listens on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="port the server listens on")] = 8000
    speed: Annotated[float, Field(gt=0, le=100_000, description="recorded seconds played per second")] = 20.0


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
    for key in found:
        if key not in Settings.model_fields:
            close = difflib.get_close_matches(key, Settings.model_fields, 1)
            known = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(Settings.model_fields)}"
            raise ConfigError(f"{file}: unknown setting {key!r}; {known}")
    prefix = "DELEVERAGE_"
    environment = {name for name in Settings.model_fields if prefix + name.upper() in os.environ}
    try:
        return Settings(**{key: value for key, value in found.items() if key not in environment})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        source = prefix + name.upper() if name in environment else str(file)
        raise ConfigError(f"{source}: {name}: {first['msg']}, got {first.get('input')!r}") from None


@cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return load()
