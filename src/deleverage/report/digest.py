"""Digests of rows: the same rows give the same digest, whatever their order, machine, or library version."""

import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
NULL = np.uint64(0x9E3779B97F4A7C15)


def fingerprints(rows: pl.DataFrame) -> Hashes:
    """Return one number per row of all its columns, by name; lists and structs count as their JSON.

    >>> a = pl.DataFrame({"x": [1, 2], "y": ["a", None]}); b = a.select("y", "x").reverse()
    >>> sorted(fingerprints(a)) == sorted(fingerprints(b)), digest(a) == digest(b), digest(a) == digest(a.head(1))
    (True, True, False)
    """
    found = np.zeros(rows.height, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for name in sorted(rows.columns):
            seed = np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little"))
            found += _mixed(_numbers(rows[name]) ^ seed)
        return _mixed(found)


def _numbers(column: pl.Series) -> Hashes:
    nulls = column.is_null().to_numpy()
    if column.dtype.is_float():
        values = (column.fill_null(0.0).cast(pl.Float64).to_numpy() + 0.0).view(np.uint64)  # -0.0 is 0.0
    elif column.dtype.is_integer() or column.dtype == pl.Boolean:
        values = column.cast(pl.Int64).fill_null(0).to_numpy().view(np.uint64)
    elif column.dtype == pl.String:
        words = column.unique().drop_nulls().to_list()
        each = [int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little") for word in words]
        if not each:
            return np.full(len(column), NULL)
        known = column if not nulls.any() else column.fill_null(words[0])
        values = known.replace_strict(words, pl.Series(each, dtype=pl.UInt64), return_dtype=pl.UInt64).to_numpy()
    else:
        return _numbers(pl.Series(column.name, [repr(value) for value in column.to_list()], dtype=pl.String))
    return np.where(nulls, NULL, values)


def _mixed(x: Hashes) -> Hashes:
    """Steele, Lea and Flood's finaliser (splitmix64): every bit of the input moves every bit of the output."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def of_hashes(hashes: Hashes) -> str:
    """Digest rows by their numbers into 16 hexadecimal digits; two rows alike count twice."""
    return hashlib.blake2b(np.sort(hashes).astype("<u8").tobytes(), digest_size=8).hexdigest()


def digest(rows: pl.DataFrame) -> str:
    """Digest rows into 16 hexadecimal digits."""
    return of_hashes(fingerprints(rows))
