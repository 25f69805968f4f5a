"""The reconstruction as a recording: made on first use, kept in the data directory, described so that nobody takes it for recorded."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from deleverage.errors import BadInput
from deleverage.recordings import Recording
from deleverage.simulate.reconstruction.facts import AT, END, HOUR, START, TARGETS

DAY = "2025-11-21"
SEED = 20251121
OPENS_AT = AT - 8 * HOUR - HOUR // 12
"""Where a playback begins: five minutes before the fall of 07:00 UTC on the 21st."""
TITLE = "20–21 November 2025, reconstructed"
ABOUT = (
    "No recording of these two days is public. Prices and funding are real where listed; forced orders, books, open interest and"
    " options are made by a model, so that what each venue's feed would have shown adds to the totals published then. Every figure is"
    " modelled."
)
PROVENANCE = (
    {"source": "hourly candles of BTC, ETH, SOL, HYPE, DOGE on Binance and Bybit (github 0xknxwledge/group-m-finm33150-final)",
     "licence": "Unlicense",
     "note": "Real: open, high, low, close of every hour; bitcoin's low of 80,600 at 12:25 UTC on the 21st. Within the hour a bridge."},
    {"source": "settled funding on Binance, Bybit and Hyperliquid (the same repository)", "licence": "Unlicense",
     "note": "Real. OKX, HTX and Deribit: the mean of Binance and Bybit."},
    {"source": "Fear & Greed Index of alternative.me; 10-year yields and dollar index of the Federal Reserve (FRED)",
     "licence": "shown with attribution; public domain", "note": "Real, as published by then."},
    {"source": "24-hour totals by venue, side and coin; closes of the volatility index; flow of US bitcoin funds on the 20th",
     "licence": "facts", "note": "Real as published then; the generated forced orders are scaled to the totals."},
    {"source": "forced orders, positions, books, open interest, taker flow, account ratios, prices of XRP and SUI, options",
     "licence": "Apache-2.0, of this project", "note": "Generated from a seed; see docs/reconstruction.md."},
)  # fmt: skip


def described(path: Path, frames: int = 0) -> Recording:
    """Describe the reconstruction kept, or to be kept, at `path`."""
    return Recording(
        name=DAY, title=TITLE, about=ABOUT, provenance=PROVENANCE, path=path, venues=tuple(sorted(TARGETS)), stretches=((START, END),),
        frames=frames, bytes=path.stat().st_size if path.exists() else 0, is_reconstruction=True, opens_at=OPENS_AT,
    )  # fmt: skip


def kept(data: Path, seed: int = SEED, scale: float = 1.0) -> Path:
    """Where a reconstruction made by this version of the code is kept in a data directory."""
    digest = hashlib.blake2b(digest_size=4)
    for file in sorted(Path(__file__).parent.glob("**/*")):
        if file.suffix in (".py", ".parquet", ".json"):
            digest.update(file.read_bytes())
    return data / "reconstructions" / f"segment-{DAY.replace('-', '')}{seed % 10**8:08d}-{scale:g}-{digest.hexdigest()}.parquet"


def made(data: Path, seed: int = SEED, scale: float = 1.0, progress: Callable[[int], None] = lambda frames: None) -> Recording:
    """Return the reconstruction, making it first where it is not kept yet (some 20 s). `progress` is called with the frames so far."""
    path = kept(data, seed, scale)
    if not path.exists():
        write(path, seed, scale, progress)
    return described(path)


def write(path: Path, seed: int = SEED, scale: float = 1.0, progress: Callable[[int], None] = lambda frames: None) -> int:
    """Make the reconstruction into a file, and return how many frames it holds. Raises BadInput where the file cannot be written."""
    from deleverage.simulate.reconstruction import frames, world

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return frames.write(world.make(seed, scale), path, progress)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from None
