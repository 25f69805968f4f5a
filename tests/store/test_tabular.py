"""Tabular import: what is read, what is derived, what is refused and in which words; then real files of others."""

import datetime as dt
import gzip
import typing
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deleverage.errors import BadInput
from deleverage.instruments import Instrument, make
from deleverage.store.completion import Rows
from deleverage.store.duck import DuckStore
from deleverage.store.tabular import Tabular, read_tabular
from deleverage.store.units import factor
from deleverage.tables import LEVELS, TABLES

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
NOW = 1_800_000_000_000_000_000
T0 = 1_704_067_200_000_000_000  # 2024-01-01T00:00:00Z
S = 1_000_000_000
HOUR = 3600 * S


def infer(venue: str, venue_symbol: str) -> Instrument | None:
    """Names such as BTCUSDT on any venue but `nowhere`, and one option."""
    if venue_symbol == "BTC-240927-25000-P":
        return make(venue, venue_symbol, "BTC", "USDT", expiry=1_727_424_000 * S, strike=25_000.0, option_type="put", is_inferred=True)
    if venue == "nowhere" or not venue_symbol.endswith("USDT") or "/" in venue_symbol:
        return None
    return make(venue, venue_symbol, venue_symbol.removesuffix("USDT"), "USDT", is_inferred=True)


def pairs(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split("; ")) if text else {}


def take(path: Path, table: str, column: str = "", unit: str = "", constant: str = "", lag: int | None = None) -> Tabular:
    return read_tabular(path, table, columns=pairs(column), units=pairs(unit), constants=pairs(constant), lag=lag, now=NOW, infer=infer)


class Desk:
    """Writes small files and reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def csv(self, table: str, text: str, *said: str, lag: int | None = None, name: str = "file.csv") -> Tabular:
        path = self.folder / name
        path.write_text(text)
        return take(path, table, *said, lag=lag)

    def rows(self, table: str, text: str, *said: str, lag: int | None = None) -> list[dict[str, typing.Any]]:
        found = self.csv(table, text, *said, lag=lag)
        assert found.rows.schema.equals(TABLES[table].arrow_schema)
        assert found.rejected == 0
        return found.rows.to_pylist()

    def refusal(self, table: str, text: str | bytes, *said: str, name: str = "file.csv") -> str:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(BadInput) as error:
            take(path, table, *said)
        message = str(error.value)
        assert "\n" not in message and message.isprintable()
        return message


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


LIQUIDATIONS = "venue,venue_symbol,ts_event,position_side,price,quantity\n"
FUNDING = "venue,base,ts_event,funding_rate\n"


# --- what is read ----------------------------------------------------------------------------------------------------


def test_a_liquidation_is_completed(desk: Desk) -> None:
    (row,) = desk.rows("liquidations", LIQUIDATIONS + "Binance,BTCUSDT,2024-01-01T00:00:00.5Z,LONG,100,2\n")
    assert row == {
        "venue": "binance", "symbol": "BTC/USDT:USDT", "venue_symbol": "BTCUSDT", "base": "BTC", "ts_event": T0 + S // 2, "ts_recv": NOW,
        "position_side": "long", "price": 100.0, "price_kind": "unknown", "quantity": 2.0, "contracts": None, "notional_usd": 200.0,
        "method": "unknown", "coverage_rule": "undisclosed", "native_id": "", "ordinal": 0, "mark_price": None, "account": None,
        "is_backfill": True,
    }  # fmt: skip


def test_equal_liquidations_are_numbered(desk: Desk) -> None:
    line = "binance,BTCUSDT,2024-01-01,long,100,2\n"
    assert [row["ordinal"] for row in desk.rows("liquidations", LIQUIDATIONS + line * 3)] == [0, 1, 2]


def test_names_agree_but_for_case_spaces_dashes_and_underscores(desk: Desk) -> None:
    text = "Venue,Venue Symbol,tsEvent,Position-Side,PRICE,quantity,comment\nbinance,BTCUSDT,2024-01-01,short,1,1,x\n"
    found = desk.csv("liquidations", text)
    assert found.rows.num_rows == 1 and found.note["unused"] == "comment"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1704067200", T0),
        ("1704067200000", T0),
        ("1704067200000000", T0),
        ("1704067200000000123", T0 + 123),
        ("1704067200.25", T0 + S // 4),
        ("2024-01-01", T0),
        ("2024-01-01T00:00", T0),
        ("2024-01-01 00:00:00", T0),
        ("2024-01-01 05:00:00+05:00", T0),
        ("2023-12-31T18:30:00-0530", T0),
        ("2024-01-01T00:00:00.123456789Z", T0 + 123_456_789),
        ("2024-01-01 00:00:00 UTC", T0),
        ("1 Jan 2024", T0),
        ('"Jan 1, 2024"', T0),
    ],
)
def test_times(desk: Desk, text: str, expected: int) -> None:
    (row,) = desk.rows("funding_rates", FUNDING + f"x,BTC,{text},0.1\n")
    assert row["ts_event"] == row["funding_time"] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pl.Series([dt.datetime(2024, 1, 1)]), T0),
        (pl.Series([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]), T0),
        (pl.Series([dt.datetime(2024, 1, 1)]).dt.cast_time_unit("ns").dt.replace_time_zone("Asia/Tokyo"), T0 - 9 * HOUR),
        (pl.Series([dt.date(2024, 1, 1)]), T0),
        (pl.Series([1_704_067_200.25]), T0 + S // 4),
        (pl.Series([1_704_067_200_000], dtype=pl.UInt64), T0),
        (pl.Series(["2024-01-01"], dtype=pl.Categorical), T0),
    ],
)
def test_times_of_parquet(desk: Desk, values: pl.Series, expected: int) -> None:
    path = desk.folder / "file.parquet"
    pl.DataFrame({"venue": ["x"], "base": ["BTC"], "ts_event": values, "funding_rate": [0]}).write_parquet(path)
    assert take(path, "funding_rates").rows["ts_event"].to_pylist() == [expected]


@given(st.datetimes(dt.datetime(2009, 1, 2), dt.datetime(2099, 12, 30)), st.sampled_from(["", "Z", "+06:00", "-0330"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_written_times_are_exact(desk: Desk, when: dt.datetime, zone: str) -> None:
    (row,) = desk.rows("funding_rates", FUNDING + f"x,BTC,{when.isoformat()}{zone},0\n", "", "ts_event=+01:00")
    offset = {"": 3600, "Z": 0, "+06:00": 21_600, "-0330": -12_600}[zone]
    since = when - dt.datetime(1970, 1, 1)
    assert row["ts_event"] == ((since.days * 86_400 + since.seconds - offset) * 1_000_000 + since.microseconds) * 1000


def test_known_at(desk: Desk) -> None:
    line = "x,BTC,2024-01-01,0.1\n"
    assert desk.rows("funding_rates", FUNDING + line)[0]["ts_recv"] == NOW
    assert desk.rows("funding_rates", FUNDING + line, lag=HOUR)[0]["ts_recv"] == T0 + HOUR
    given_at = "venue,base,ts_event,funding_rate,seen\nx,BTC,2024-01-01,0.1,2024-01-01T00:00:01Z\n"
    assert desk.rows("funding_rates", given_at, "ts_recv=seen", lag=HOUR)[0]["ts_recv"] == T0 + S


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [("percent", "71.41", 0.7141), ("bps", "-12.5", -0.00125), ("1e-3", "5", 0.005), ("8", "0.01", 0.08), ("share", "0.5", 0.5)],
)
def test_units(desk: Desk, unit: str, text: str, expected: float) -> None:
    (row,) = desk.rows("funding_rates", FUNDING + f"x,BTC,1704067200,{text}\n", "", f"funding_rate={unit}")
    assert row["funding_rate"] == expected


def test_units_of_money_sizes_and_spans(desk: Desk) -> None:
    text = "venue,base,ts_event,open_interest_usd,open_interest_base\nx,BTC,1704067200,1.5,2\n"
    (row,) = desk.rows("open_interest", text, "", "open_interest_usd=bnusd; open_interest_base=thousand")
    assert (row["open_interest"], row["open_interest_base"], row["open_interest_usd"]) == (2000.0, 2000.0, 1.5e9)
    said = ("", "funding_interval_hours=min", "funding_interval_hours=480")
    (row,) = desk.rows("funding_rates", FUNDING + "x,BTC,1704067200,0\n", *said)
    assert row["funding_interval_hours"] == 8.0


def test_every_unit_named_in_a_refusal_is_accepted() -> None:
    for table in TABLES.values():
        for column in table.columns:
            if column.arrow in (pa.float64(), pa.int64()) and column.unit != "ns UTC":
                with pytest.raises(BadInput) as error:
                    factor("nonsense", column)
                offered = str(error.value).partition("expected one of ")[2].partition(", or a number")[0]
                assert all(factor(name, column) > 0 for name in offered.split(", "))


def test_unit_numbers_are_bounded(desk: Desk) -> None:
    for unit in ("1e999999999", "-1", "0", "nan", "1_0", "1e5000"):
        assert "expected one of" in desk.refusal("funding_rates", FUNDING + "x,BTC,1704067200,0\n", "", f"funding_rate={unit}")


def test_a_file_without_a_header_line(desk: Desk) -> None:
    (row,) = desk.rows("funding_rates", "2024-01-01 06:00:00,0.1\n", "ts_event=1; funding_rate=2", "ts_event=+06:00", "venue=x; base=btc")
    assert (row["ts_event"], row["funding_rate"], row["base"]) == (T0, 0.1, "BTC")
    message = desk.refusal("funding_rates", "2024-01-01 06:00:00,0.1\n", "ts_event=time")
    assert message == "--column ts_event=time: file.csv has no header line; name columns by number, 1 to 2"


def test_separators_byte_order_mark_and_quotes(desk: Desk) -> None:
    text = '\ufeffvenue;base;ts_event;funding_rate;note\r\nx;BTC;1704067200;"0.5";"two\nlines; here"\r\n\r\n'
    assert desk.rows("funding_rates", text)[0]["funding_rate"] == 0.5


# --- who and what ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_columns", "expected"),
    [
        ({"venue_symbol": "BTCUSDT"}, ("BTC/USDT:USDT", "BTCUSDT", "BTC")),
        ({"symbol": "BTCUSDT"}, ("BTC/USDT:USDT", "BTCUSDT", "BTC")),
        ({"symbol": "BTC/USDT:USDT"}, ("BTC/USDT:USDT", "BTC/USDT:USDT", "BTC")),
        ({"symbol": "1000PEPE/USDT:USDT"}, ("1000PEPE/USDT:USDT", "1000PEPE/USDT:USDT", "PEPE")),
        ({"base": "btc"}, ("BTC", "BTC", "BTC")),
        ({"base": "kPEPE"}, ("PEPE", "PEPE", "PEPE")),
        ({"venue_symbol": "1000PEPEUSDT"}, ("1000PEPE/USDT:USDT", "1000PEPEUSDT", "PEPE")),
        ({"venue_symbol": "XBTUSD", "base": "BTC"}, ("XBTUSD", "XBTUSD", "BTC")),
        ({"venue_symbol": "A", "symbol": "B", "base": "C"}, ("B", "A", "C")),
    ],
)
def test_identity(desk: Desk, given_columns: Mapping[str, str], expected: tuple[str, str, str]) -> None:
    text = f"venue,ts_event,funding_rate,{','.join(given_columns)}\nx,1704067200,0,{','.join(given_columns.values())}\n"
    (row,) = desk.rows("funding_rates", text)
    assert (row["symbol"], row["venue_symbol"], row["base"]) == expected


def test_an_options_name_says_the_rest(desk: Desk) -> None:
    text = "venue,venue_symbol,ts_event,mark_iv\nbinance,BTC-240927-25000-P,2024-01-01,65\n"
    (row,) = desk.rows("option_quotes", text, "", "mark_iv=percent", "premium_unit=usd")
    assert (row["strike"], row["expiry"], row["option_type"], row["mark_iv"]) == (25_000.0, 1_727_424_000 * S, "put", 0.65)


def test_a_premium_times_a_size_is_no_notional(desk: Desk) -> None:
    text = "venue,venue_symbol,ts_event,taker_side,price,quantity\nbinance,BTC-240927-25000-P,2024-01-01,buy,0.05,10\n"
    assert desk.rows("trades", text)[0]["notional_usd"] is None


def test_names_that_cannot_be_read(desk: Desk) -> None:
    message = desk.refusal("liquidations", LIQUIDATIONS + "nowhere,ABC,2024-01-01,long,1,1\n")
    assert message.startswith("file.csv row 1, column venue_symbol: no contract's name that can be read") and "--set base=BTC" in message
    assert "gives no base" in desk.refusal("funding_rates", "venue,ts_event,funding_rate\nx,1704067200,0\n")
    assert "gives no venue" in desk.refusal("funding_rates", "base,ts_event,funding_rate\nx,1704067200,0\n")


# --- particular tables -------------------------------------------------------------------------------------------------


def test_sums_become_rows_and_zero_none(desk: Desk) -> None:
    text = "venue,base,ts_event,longUsd,shortUsd\nx,BTC,1704067200,5,0\nx,BTC,1704070800,0,0\nx,BTC,1704074400,1,2\n"
    rows = desk.rows("liquidations", text, "", "long_usd=musd; short_usd=musd", lag=HOUR)
    assert [(r["position_side"], r["notional_usd"], r["ts_event"] - T0) for r in rows] == [
        ("long", 5e6, 0), ("long", 1e6, 2 * HOUR), ("short", 2e6, 2 * HOUR),
    ]  # fmt: skip
    assert {r["ordinal"] for r in rows} == {0} and rows[0]["price"] is None and rows[0]["quantity"] is None


def test_a_sum_said_twice_counts_once(desk: Desk) -> None:
    line = "x,BTC,1704067200,5,1\n"
    header = "venue,base,ts_event,long_quantity,short_quantity\n"
    found = desk.csv("liquidations", header + line + line)
    assert found.rows.num_rows == 2 and found.note["repeats"].startswith("2 sums")
    message = desk.refusal("liquidations", header + line + "x,BTC,1704067200,6,1\n")
    assert message.startswith("file.csv row 2, column ts_event: a second sum for the same time and side")


def test_sums_that_say_too_little_or_too_much(desk: Desk) -> None:
    header = "venue,base,ts_event,long_usd,short_usd\n"
    assert "row 1, column short_usd: the cell is empty" in desk.refusal("liquidations", header + "x,BTC,1704067200,1,\n")
    assert "no sum above zero" in desk.refusal("liquidations", header + "x,BTC,1704067200,0,0\n")
    assert "gives no short_usd" in desk.refusal("liquidations", "venue,base,ts_event,long_usd\nx,BTC,1704067200,1\n")
    both = "venue,base,ts_event,long_usd,short_usd,position_side\nx,BTC,1704067200,1,1,long\n"
    assert "expected one of the two" in desk.refusal("liquidations", both)


def test_the_side_of_an_order_is_not_taken_for_a_position(desk: Desk) -> None:
    text = "venue,base,ts_event,side,quantity,price\nx,BTC,1704067200,SELL,1,2\nx,BTC,1704067201,Buy,1,2\n"
    message = desk.refusal("liquidations", text, "position_side=side")
    assert "'SELL' is the side of an order, not of a position" in message and "order_side" in message and "and 1 more row)" in message
    assert [r["position_side"] for r in desk.rows("liquidations", text, "order_side=side")] == ["long", "short"]
    assert [r["position_side"] for r in desk.rows("liquidations", text, "entry_side=side")] == ["short", "long"]


def test_trades(desk: Desk) -> None:
    text = "venue,symbol,ts_event,price,quantity,is_buyer_maker\nx,BTCUSDT,1704067200,10,2,True\nx,BTCUSDT,1704067200,10,3,false\n"
    first, second = desk.rows("trades", text)
    assert (first["taker_side"], first["trade_id"], first["notional_usd"], first["trade_kind"]) == ("sell", "1", 20.0, "market")
    assert (second["taker_side"], second["trade_id"]) == ("buy", "2")
    assert "gives no taker_side" in desk.refusal("trades", "venue,base,ts_event,price,quantity\nx,B,1704067200,1,1\n")


CANDLES = "venue,base,ts_open,open,high,low,close\n"


def test_candles(desk: Desk) -> None:
    line = "x,BTC,{},2,3,1,2\n"
    (row,) = desk.rows("candles", CANDLES + line.format(1_704_067_200), "", "", "interval=5m")
    assert (row["ts_open"], row["ts_event"], row["interval_seconds"]) == (T0, T0 + 300 * S, 300)
    assert (row["price_kind"], row["is_closed"]) == ("last", True)
    spaced = "".join(line.format(1_704_067_200 + 3600 * k) for k in range(12) if k != 10)  # a hole is no reason to refuse
    rows = desk.rows("candles", CANDLES + spaced)
    assert {r["interval_seconds"] for r in rows} == {3600}
    uneven = "".join(line.format(1_704_067_200 + 3600 * k * k) for k in range(5))
    assert "not evenly spaced" in desk.refusal("candles", CANDLES + uneven)
    ends = (CANDLES + line.format(1_704_067_500)).replace("ts_open", "ts_event")
    assert desk.rows("candles", ends, "", "", "interval_seconds=300")[0]["ts_open"] == T0
    for span in ("5", "1M", "0m", "x"):
        assert f"--set interval={span}" in desk.refusal("candles", CANDLES + line.format(1_704_067_200), "", "", f"interval={span}")


def test_candles_must_hold_together(desk: Desk) -> None:
    assert "high is below" in desk.refusal("candles", CANDLES + "x,BTC,1704067200,2,3,1,4\n", "", "", "interval=1m")
    assert "low is above" in desk.refusal("candles", CANDLES + "x,BTC,1704067200,2,3,2.5,3\n", "", "", "interval=1m")
    assert "is not above zero" in desk.refusal("candles", CANDLES + "x,BTC,1704067200,-2,3,-3,3\n", "", "", "interval=1m")
    assert desk.rows("candles", CANDLES + "x,BTC,1704067200,-2,3,-3,3\n", "", "", "interval=1m; price_kind=premium")[0]["open"] == -2.0


def test_an_interval_ends_where_its_reading_was_known(desk: Desk) -> None:
    text = "venue,base,ts_open,open_interest_usd\nx,BTC,1704067200,5\n"
    assert desk.rows("open_interest", text, "", "", "interval=1h")[0]["ts_event"] == T0 + HOUR


def test_positioning(desk: Desk) -> None:
    text = "venue,base,ts_event,{}\nx,BTC,1704067200,{}\n"
    (row,) = desk.rows("positioning_ratios", text.format("long_short_ratio", 3), "", "", "ratio_kind=accounts; interval=1h")
    assert (row["long_share"], row["short_share"], row["period_seconds"]) == (0.75, 0.25, 3600)
    message = desk.refusal("positioning_ratios", text.format("long_share", 0.5))
    assert "gives no ratio_kind" in message and "accounts, top_accounts, top_positions, taker_volume" in message
    assert "is not within 0 to 1" in desk.refusal("positioning_ratios", text.format("long_share", 71), "", "", "ratio_kind=accounts")
    both = text.format("long_share,short_share", "0.7,0.7")
    assert "do not add up to 1" in desk.refusal("positioning_ratios", both, "", "", "ratio_kind=accounts")


def test_funds_side_by_side(desk: Desk) -> None:
    text = "Date,IBIT,fbtc,Total\n11 Jan 2024,1.5,,1.5\n12 Jan 2024,-2,-,-2\n15 Jan 2024,,,0\n"
    found = desk.csv(
        "etf_flows", text, "trading_day=Date; net_flow_usd=*", "net_flow_usd=million", "venue=farside; base=BTC", lag=24 * HOUR
    )
    rows = [(r["trading_day"], r["fund"], r["net_flow_usd"]) for r in found.rows.to_pylist()]
    assert rows == [
        ("2024-01-11", "IBIT", 1.5e6), ("2024-01-11", "TOTAL", 1.5e6), ("2024-01-12", "IBIT", -2e6), ("2024-01-12", "TOTAL", -2e6),
        ("2024-01-15", "TOTAL", 0.0),
    ]  # fmt: skip
    assert found.note["empty"].startswith("4 empty cells")
    (one,) = desk.rows("etf_flows", text, "trading_day=Date; net_flow_usd=fbtc,Total", "", "venue=farside; base=BTC")[-1:]
    assert one["fund"] == "TOTAL"
    message = desk.refusal("etf_flows", "Date,IBIT\nSeed,1\n", "trading_day=Date; net_flow_usd=*", "", "venue=farside; base=BTC")
    assert message == "file.csv row 1, column trading_day (Date): 'Seed' is not a date; expected a date such as 2024-01-31"


def test_missing_observations_are_null(desk: Desk) -> None:
    text = "observation_date,DGS10\n1962-01-02,4.06\n1962-01-03,.\n1962-01-04,\n"
    rows = desk.rows("macro_observations", text, "value=DGS10", "", "venue=fred")
    assert [(r["series"], r["observation_date"], r["value"]) for r in rows] == [
        ("DGS10", "1962-01-02", 4.06), ("DGS10", "1962-01-03", None), ("DGS10", "1962-01-04", None),
    ]  # fmt: skip
    assert rows[0]["ts_event"] == int(dt.datetime(1962, 1, 2, tzinfo=dt.UTC).timestamp()) * S and rows[0]["symbol"] == ""


def test_book_levels(desk: Desk) -> None:
    text = 'venue,base,ts_event,update,size_unit,bids,asks\nx,BTC,1704067200,snapshot,base,"{}","[]"\n'
    level = [{"price": 1.0, "size": 2.0}]
    assert desk.rows("book_depth", text.format("[[1,2]]"))[0]["bids"] == level
    assert desk.rows("book_depth", text.format('[{""price"":1,""size"":2}]'))[0]["bids"] == level
    assert "price above zero" in desk.refusal("book_depth", text.format("[[0,2]]"))
    assert "row 1, column bids: '[[1' is not a list" in desk.refusal("book_depth", text.format("[[1"))


def _sample(table: str) -> pl.DataFrame:
    """Two rows of a table with something in every column, and a third with null wherever it may be."""
    shares = {"long_share": [0.25, 0.5, 0.75], "short_share": [0.75, 0.5, 0.25]}
    fixed = {"open": [2.0] * 3, "high": [3.0] * 3, "low": [1.0] * 3, "close": [2.5] * 3, **shares}
    columns: dict[str, pl.Series] = {}
    for column in TABLES[table].columns:
        words = Rows("", TABLES[table]).choices.get(column.name, ())
        values: list[object]
        if column.name in fixed:
            values = list(fixed[column.name])
        elif words:
            values = [words[0], words[-1], words[0]]
        elif column.unit == "date":
            values = ["2024-01-01", "2024-01-02", "2024-01-03"]
        elif column.unit == "ns UTC":
            values = [T0 + k for k in range(3)]
        elif column.arrow == LEVELS:
            values = [[{"price": 1.5, "size": 2.0}], [], [{"price": 1.25, "size": 0.0}]]
        elif column.arrow == pa.bool_():
            values = [True, False, True]
        elif column.arrow in (pa.float64(), pa.int64()):
            values = [1, 0.5 if column.arrow == pa.float64() else 2, 1]
        else:
            values = ["aa", "bb", "cc"] if column.name in ("venue", "trade_id") else [column.name.upper()] * 3
        needed = column.name in ("quantity", "mark_price", "value", "maintenance_margin_rate")
        values[2] = None if column.nullable and not needed and column.name not in fixed else values[2]
        columns[column.name] = pl.Series(values, dtype=TABLES[table].polars_schema[column.name], strict=False)
    return pl.DataFrame(columns)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_our_own_tables_come_back_as_they_were(desk: Desk, table: str, form: str) -> None:
    frame = _sample(table)
    path = desk.folder / f"rows.{form}"
    if form == "parquet":
        frame.write_parquet(path)
    else:
        levels = [name for name, kind in frame.schema.items() if kind.is_nested()]
        text = [pl.format("[{}]", pl.col(n).list.eval(pl.element().struct.json_encode()).list.join(",")).alias(n) for n in levels]
        frame.with_columns(text).write_csv(path)
    back = pl.from_arrow(take(path, table).rows)
    assert isinstance(back, pl.DataFrame)
    # never null in what comes back: dollars follow from quantity and price, and ts_event stands for funding_time
    filled = {"notional_usd"} if table in ("liquidations", "trades") else {"funding_time"} if table == "funding_rates" else set()
    same = [name for name in frame.columns if name not in filled]
    assert back.select(same).equals(frame.select(same), null_equal=True)


@pytest.mark.parametrize("table", TABLES)
def test_what_is_missing_is_said(desk: Desk, table: str) -> None:
    message = desk.refusal(table, "something\nx\n", "", "", "venue=x; base=BTC; ts_event=2024-01-01")
    assert message.startswith("file.csv gives no ") and "--column " in message and "the file's columns: something" in message


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x,BTC,2024-01-01,abc", "row 1, column funding_rate: 'abc' is not a number; expected a share per funding interval"),
        ("x,BTC,2024-01-01,nan", "'nan' is not a number; leave the cell empty"),
        ("x,BTC,2024-01-01,inf", "'inf' is not a number"),
        ("x,BTC,2024-01-01,1e400", "'1e400' is not a number"),
        ('x,BTC,2024-01-01,"0,5"', "without thousands separators"),
        ("x,BTC,2024-01-01,1.5", "is not within -1 to 1; percent?"),
        ("x,BTC,2024-01-01,", "column funding_rate: the cell is empty"),
        ("x,BTC,,0", "column ts_event: the cell is empty"),
        (",BTC,2024-01-01,0", "column venue: the cell is empty"),
        ("x,,2024-01-01,0", "column base: no contract's name"),
        ("x,BTC,2024-02-30,0", "'2024-02-30' is not a time; expected a time: ISO 8601"),
        ("x,BTC,2024-01-01T24:30:00,0", "is not a time"),
        ("x,BTC,01/02/2024,0", "'01/02/2024' is not a time"),
        ("x,BTC,2008-12-31,0", "lies outside the years 2009 to 2100"),
        ("x,BTC,2100-01-01,0", "lies outside the years 2009 to 2100"),
        ("x,BTC,0,0", "'0' (read as s) lies outside"),
        ("x,BTC,-5,0", "'-5' is not a time"),
        ("x,BTC,99999999999999999999,0", "is not a time"),
        ("x,BTC,٢٠٢٤-٠١-٠١,0", "is not a time"),
        ("x,BTC,2024-01-01", "row 1: 3 cells; expected 4 as in the first line"),
        ("x,BTC,2024-01-01,0,1", "row 1: 5 cells; expected 4 as in the first line"),
    ],
)
def test_bad_rows(desk: Desk, line: str, expected: str) -> None:
    message = desk.refusal("funding_rates", FUNDING + line + "\n")
    assert message.startswith("file.csv row 1") and expected in message


def test_the_first_bad_row_and_how_many_more(desk: Desk) -> None:
    good, lines = "x,BTC,2024-01-01,0\n", ["x,BTC,2024-01-01,abc\n", "x,BTC,never,0\n", "x,BTC,never,abc\n"]
    message = desk.refusal("funding_rates", FUNDING + good * 16 + "".join(lines) + good)
    assert message.startswith("file.csv row 17, column funding_rate: 'abc' is not a number; expected") and message.endswith(
        "(and 2 more rows)"
    )


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("long,0,1", "column price: '0' is not above zero; expected dollars per base coin"),
        ("long,1,-1", "column quantity: '-1' is below zero; expected base coins"),
        ("long,1,", "the row has no quantity and no notional_usd"),
        ("up,1,1", "column position_side: 'up' is unknown; expected one of long, short"),
    ],
)
def test_sizes_prices_and_words(desk: Desk, cells: str, expected: str) -> None:
    assert expected in desk.refusal("liquidations", LIQUIDATIONS + f"binance,BTCUSDT,2024-01-01,{cells}\n")


def test_a_size_is_needed(desk: Desk) -> None:
    assert "gives no quantity" in desk.refusal("liquidations", "venue,base,ts_event,position_side\nx,B,1704067200,long\n")


def test_times_of_one_column_are_of_one_kind(desk: Desk) -> None:
    message = desk.refusal("funding_rates", FUNDING + "x,BTC,1704067200,0\nx,BTC,1704067200000,0\n")
    assert message.startswith("file.csv row 2, column ts_event: '1704067200000' is not a time in s as the rows before it")
    assert "(read as ms) lies outside" in desk.refusal("funding_rates", FUNDING + "x,BTC,1704067200,0\n", "", "ts_event=ms")
    assert "expected s, ms, us, ns" in desk.refusal("funding_rates", FUNDING + "x,BTC,1704067200,0\n", "", "ts_event=weeks")


@pytest.mark.parametrize(
    ("column", "unit", "constant", "expected"),
    [
        ("prise=price", "", "", "liquidations has no column 'prise' (did you mean 'price'?); expected one of venue, symbol"),
        ("price=prise", "", "", "--column price=prise: file.csv has no such column (did you mean 'price'?); it has: venue"),
        ("price=price", "", "price=3", "price is given by --column and by --set"),
        ("", "price=percent", "", "price is kept as dollars per base coin; expected one of thousand"),
        ("", "venue=usd", "", "venue is no number and has no unit"),
        ("", "contracts=million", "", "file.csv gives no contracts; say --column contracts=…"),
        ("", "", "method=wat", "--set method=wat: 'wat' is unknown; expected one of market, backstop, adl, unknown"),
        ("", "", "price=x", "--set price=x: 'x' is not a number; expected dollars per base coin"),
        ("", "", "venue=", "--set venue=: it is empty"),
    ],
)
def test_bad_options(desk: Desk, column: str, unit: str, constant: str, expected: str) -> None:
    text = LIQUIDATIONS + "binance,BTCUSDT,2024-01-01,long,1,1\n"
    assert expected in desk.refusal("liquidations", text, column, unit, constant)


def test_two_columns_of_one_name(desk: Desk) -> None:
    text = "venue,base,ts_event,funding rate,Funding_Rate\nx,BTC,1704067200,0.1,0.2\n"
    assert "either of which may be funding_rate" in desk.refusal("funding_rates", text)
    assert desk.rows("funding_rates", text, "funding_rate=Funding_Rate")[0]["funding_rate"] == 0.2


def test_a_time_column_is_suggested(desk: Desk) -> None:
    message = desk.refusal("funding_rates", "venue,base,timestamp,funding_rate\nx,BTC,1704067200,0\n")
    assert "gives no ts_event" in message and "perhaps ts_event=timestamp" in message


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"\n\r\n\n", "a.csv is empty"),
        ("a.csv", FUNDING.encode(), "a.csv has no rows"),
        ("a.csv", b"\xff\xfea\0,\0b\0", "a.csv line 1 is not text in UTF-8"),
        ("a.csv", b"\0" * 100, "a.csv is not text"),
        ("a.csv", b"<html>\n<body>no</body>\n</html>", "gives no "),
        ("a.csv.gz", gzip.compress(FUNDING.encode() * 5000)[:-9], "a.csv.gz is not a complete gzip file"),
        ("a.csv.gz", b"venue", "a.csv.gz is not a complete gzip file"),
        ("a.parquet", b"PAR1", "a.parquet is not a readable Parquet file"),
        ("a.parquet", b"PAR1" * 20, "a.parquet is not a readable Parquet file"),
        ("a.xlsx", b"PK", "expected .csv, .csv.gz or .parquet"),
    ],
)
def test_bad_files(desk: Desk, name: str, payload: bytes, expected: str) -> None:
    assert expected in desk.refusal("funding_rates", payload, name=name)


def test_no_file_and_no_table(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there is no file .*none\.csv"):
        take(tmp_path / "none.csv", "trades")
    with pytest.raises(BadInput, match="is a directory"):
        take(tmp_path, "trades")
    with pytest.raises(BadInput, match="unknown table 'trade' \\(did you mean 'trades'\\?\\); known: liquidations"):
        take(tmp_path, "trade")


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 10_000),
    st.sampled_from(["csv", "csv.gz", "parquet"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused_in_one_line(desk: Desk, flips: list[tuple[int, int]], cut: int, form: str) -> None:
    frame = pl.DataFrame({"venue": ["x"] * 50, "base": ["BTC"] * 50, "ts_event": range(T0, T0 + 50), "funding_rate": [0.1] * 50})
    path = desk.folder / f"file.{form}"
    if form == "parquet":
        frame.write_parquet(path)
    else:
        text = frame.write_csv().encode()
        path.write_bytes(gzip.compress(text) if form == "csv.gz" else text)
    payload = bytearray(path.read_bytes())
    for at, value in flips:
        payload[at % len(payload)] = value
    path.write_bytes(payload[: max(1, cut)] if cut < len(payload) else payload)
    try:
        take(path, "funding_rates")
    except BadInput as error:
        assert str(error).isprintable()


# --- the same again ------------------------------------------------------------------------------------------------------


def test_the_digest_names_file_and_mapping(desk: Desk) -> None:
    text = FUNDING + "x,BTC,1704067200,0.1\n"
    first = desk.csv("funding_rates", text, "", "", "funding_interval_hours=8; rate_cap=0.5")
    assert len(first.digest) == 16 and int(first.digest, 16) >= 0 and first.file == "file.csv"
    assert desk.csv("funding_rates", text, "", "", "rate_cap=0.5; funding_interval_hours=8", name="other.csv").digest == first.digest
    others = [
        desk.csv("funding_rates", text),
        desk.csv("funding_rates", text, "", "", "funding_interval_hours=4; rate_cap=0.5"),
        desk.csv("funding_rates", text, "", "funding_rate=percent", "funding_interval_hours=8; rate_cap=0.5"),
        desk.csv("funding_rates", text, "", "", "funding_interval_hours=8; rate_cap=0.5", lag=0),
        desk.csv("funding_rates", text + "\n", "", "", "funding_interval_hours=8; rate_cap=0.5"),
    ]
    assert len({first.digest, *(other.digest for other in others)}) == 6


def test_rows_go_into_the_store(desk: Desk) -> None:
    found = desk.csv("liquidations", LIQUIDATIONS + "binance,BTCUSDT,2024-01-01,long,100,2\n" * 2, lag=HOUR)
    store = DuckStore(None)
    try:
        store.append_import("liquidations", found.rows, found.digest, found.file, [])
        assert store.read("liquidations").num_rows == 2
    finally:
        store.close()


def test_a_hundred_thousand_rows(desk: Desk) -> None:
    n = 100_000
    times = pl.int_range(T0 // 1_000_000, T0 // 1_000_000 + n, eager=True)
    path = desk.folder / "big.csv.gz"
    frame = pl.DataFrame({"time": times, "price": [10.5] * n, "quantity": [2.0] * n, "is_buyer_maker": [True] * n})
    path.write_bytes(gzip.compress(frame.write_csv().encode(), 1))
    found = take(path, "trades", "ts_event=time", "", "venue=x; venue_symbol=BTCUSDT", lag=0)
    assert found.rows.num_rows == n and found.rows["ts_event"][-1].as_py() == T0 + (n - 1) * 1_000_000


# --- real files of others ------------------------------------------------------------------------------------------------

BINANCE_BTC = "venue=binance; venue_symbol=BTCUSDT"
REAL = {  # file: (table, --column, --unit, --set, lag in hours, rows)
    "coinalyze_2024/BTCUSDT_PERP.A_liquidation-history.csv": (
        "liquidations", "ts_event=1; long_quantity=2; short_quantity=3", "ts_event=+06:00", BINANCE_BTC, 1, 1525,
    ),
    "coinalyze_2024/BTCUSDT_PERP.A_ohlcv-history.csv": (
        "candles", "ts_open=1; open=2; high=3; low=4; close=5; quantity=6; taker_buy_quantity=7; trade_count=8", "ts_open=+06:00",
        f"{BINANCE_BTC}; interval=1h", 0, 861,
    ),
    "coinalyze_2024/BTCUSDT_PERP.A_open-interest-history.csv": (
        "open_interest", "ts_open=1; open_interest_base=5", "ts_open=+06:00", f"{BINANCE_BTC}; interval=1h", 0, 861,
    ),
    "coinalyze_2024/BTCUSDT_PERP.A_long-short-ratio-history.csv": (
        "positioning_ratios", "ts_event=1; long_share=3; short_share=4", "ts_event=+06:00; long_share=percent; short_share=percent",
        f"{BINANCE_BTC}; ratio_kind=accounts; period_seconds=3600", 1, 861,
    ),
    "binance_oi_funding_2026/BTC_oi_5m.csv.gz": (
        "open_interest", "ts_event=t; open_interest_base=oi; open_interest_usd=oi_usd", "", BINANCE_BTC, 0, 16127,
    ),
    "binance_oi_funding_2026/BTC_funding.csv": (
        "funding_rates", "ts_event=ts; funding_rate=rate", "funding_rate=8", f"{BINANCE_BTC}; funding_interval_hours=8", 0, 168,
    ),
    "funding_2026/funding_binance_BTCUSDT.csv": (
        "funding_rates", "ts_event=ts; funding_rate=rate", "", f"{BINANCE_BTC}; funding_interval_hours=8", 0, 133,
    ),
    "funding_2026/funding_hyperliquid_BTCUSDT.csv": (
        "funding_rates", "ts_event=ts; funding_rate=rate", "", "venue=hyperliquid; base=BTC; funding_interval_hours=1", 0, 1067,
    ),
    "seven_venues_2025_2026/candles.parquet": (
        "candles", "ts_open=timestamp; base=coin; open=o; high=h; low=l; close=c", "", "", 0, 98032,
    ),
    "seven_venues_2025_2026/funding_rates.parquet": ("funding_rates", "ts_event=timestamp; base=coin", "", "", 0, 94509),
    "seven_venues_2025_2026/open_interest.parquet": (
        "open_interest", "ts_event=timestamp; base=coin; open_interest_usd=oi_usd", "", "", 0, 9475,
    ),
    "seven_venues_2025_2026/liquidation_volume.parquet": (
        "liquidations", "ts_event=timestamp; base=coin", "", "venue=hyperliquid", 24, 310,
    ),
    "coinglass_btc/BTC_liquidation_1h.csv": ("liquidations", "ts_event=timestamp", "", "venue=coinglass; base=BTC", 1, 2975),
    "dvol/BTC_DVOL_1h.csv.gz": (
        "volatility_indices", "ts_open=timestamp; open=dvol_open; high=dvol_high; low=dvol_low; volatility=dvol_close", "",
        "venue=deribit; base=BTC; index_name=btc_usd; interval=1h", 0, 38188,
    ),
    "fear_greed/fng.csv": (
        "sentiment_readings", "ts_event=timestamp", "", "venue=alternative.me; index_name=fear_and_greed", 0, 2912,
    ),
    "fred/DFII10.csv": ("macro_observations", "observation_date=date; value=DFII10", "", "venue=fred", 24, 5768),
    "fred/DGS10.csv": ("macro_observations", "observation_date=date; value=DGS10", "", "venue=fred", 24, 5768),
    "fred/DTWEXBGS.csv": ("macro_observations", "observation_date=date; value=DTWEXBGS", "", "venue=fred", 24, 5028),
    "etf_flows/etf_btc.csv": (
        "etf_flows", "trading_day=Date; net_flow_usd=*", "net_flow_usd=million", "venue=farside; base=BTC", 24, 5997,
    ),
    "binance_klines_1m/AVAXUSDT-1m-2025-02.csv.gz": (
        "candles", "ts_open=open_time; quantity=volume; notional_usd=quote_volume; trade_count=count; taker_buy_quantity=taker_buy_volume",
        "", "venue=binance; venue_symbol=AVAXUSDT", 0, 40320,
    ),
    "binance_klines_5m_2025H2/BTCUSDT_5m.csv.gz": (
        "candles", "ts_open=timestamp; quantity=volume", "", f"{BINANCE_BTC}; interval=5m", 0, 51840,
    ),
    "binance_forceorder_events/binance_forceorder_2024-08-17.csv": (
        "liquidations", "base=1; order_side=2; price=7; quantity=10; ts_event=11", "",
        "venue=binance; price_kind=fill; method=market; coverage_rule=latest_per_second", 0, 456,
    ),
    "bybit_allliquidation_2026/bybit_liq_2026-10-10_part1.csv": (
        "liquidations", "ts_event=exch_ts_ms; ts_recv=recv_ts_utc; entry_side=side; quantity=size", "",
        "venue=bybit; price_kind=bankruptcy; method=market; coverage_rule=full", None, 355,
    ),
}  # fmt: skip


def real(name: str) -> tuple[list[dict[str, typing.Any]], Tabular]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the file {name} is not on this machine")
    table, column, unit, constant, lag, rows = REAL[name]
    found = take(path, table, column, unit, constant, None if lag is None else lag * HOUR)
    assert found.rows.num_rows == rows
    assert found.rows.schema.equals(TABLES[table].arrow_schema)
    return found.rows.to_pylist(), found


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str) -> None:
    rows, _ = real(name)
    assert all(row["ts_recv"] >= row["ts_event"] for row in rows)


def test_the_hour_of_a_foreign_clock() -> None:
    """The file's times have no zone and run six hours ahead of UTC: its first row says 03:00, and means 21:00 of the day before."""
    rows, _ = real("coinalyze_2024/BTCUSDT_PERP.A_liquidation-history.csv")
    assert (rows[0]["ts_event"], rows[0]["quantity"], rows[0]["position_side"]) == (1_718_830_800 * S, 0.013, "long")
    assert rows[0]["notional_usd"] is None and rows[0]["ts_recv"] - rows[0]["ts_event"] == HOUR


def test_longs_are_force_closed_where_the_market_falls() -> None:
    rows, _ = real("binance_forceorder_events/binance_forceorder_2024-08-17.csv")
    assert (rows[1]["base"], rows[1]["position_side"]) == ("BANANA", "long")  # SELL
    rows, _ = real("bybit_allliquidation_2026/bybit_liq_2026-10-10_part1.csv")
    assert (rows[0]["symbol"], rows[0]["position_side"]) == ("STRK/USDT:USDT", "short")  # Bybit's Sell


def test_sums_reconcile_with_the_file() -> None:
    rows, _ = real("coinglass_btc/BTC_liquidation_1h.csv")
    total = pl.read_csv(DATA / "coinglass_btc/BTC_liquidation_1h.csv")["totalUsd"].sum()
    assert sum(row["notional_usd"] for row in rows) == pytest.approx(total, rel=1e-9)


def test_a_rate_per_hour_becomes_one_per_interval() -> None:
    """The one file divides the 8 h rate by 8; the other gives it whole: mapped, they agree."""
    ours, _ = real("binance_oi_funding_2026/BTC_funding.csv")
    others, _ = real("funding_2026/funding_binance_BTCUSDT.csv")
    theirs = {row["ts_event"] // HOUR: row["funding_rate"] for row in others}
    common = [(row["funding_rate"], theirs[row["ts_event"] // HOUR]) for row in ours if row["ts_event"] // HOUR in theirs]
    assert len(common) > 100 and all(a == pytest.approx(b, abs=1e-8) for a, b in common)


def test_fund_flows_of_the_day() -> None:
    rows, _ = real("etf_flows/etf_btc.csv")
    (day,) = [row for row in rows if row["trading_day"] == "2025-11-20" and row["fund"] == "TOTAL"]
    assert day["net_flow_usd"] == pytest.approx(-903.2e6)


def test_a_table_with_a_row_that_is_no_day_is_refused() -> None:
    path = DATA / "etf_flows/etf_eth.csv"
    if not path.exists():
        pytest.skip("the file etf_flows/etf_eth.csv is not on this machine")
    with pytest.raises(BadInput, match=r"^etf_eth\.csv row 1, column trading_day \(Date\): 'Seed' is not a date"):
        take(path, "etf_flows", "trading_day=Date; net_flow_usd=*", "net_flow_usd=million", "venue=farside; base=ETH")
