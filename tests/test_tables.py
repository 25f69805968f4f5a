"""Tables and events say the same, every column has a meaning, and the generated page is up to date."""

import types
import typing
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from deleverage import events
from deleverage.docs import PAGES, write
from deleverage.events import Event
from deleverage.instruments import Instrument
from deleverage.store.columns import empty, to_arrow
from deleverage.tables import LEVELS, TABLE_OF, TABLES, Table, data_dictionary

ROOT = Path(__file__).parents[1]
each_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


def test_every_event_has_one_table() -> None:
    classes = {
        member
        for member in vars(events).values()
        if isinstance(member, type) and issubclass(member, events.Header) and member is not events.Header
    }
    assert classes | {Instrument} == set(TABLE_OF) == set(typing.get_args(Event))
    assert len(TABLES) == len(TABLE_OF)
    for name, table in TABLES.items():
        assert name == table.name


@each_table
def test_columns_are_the_fields_of_the_event(table: Table) -> None:
    assert tuple(column.name for column in table.columns) == table.event.__struct_fields__
    opening = table.event.__struct_fields__[:6]
    if table.event is not Instrument:
        assert opening == ("venue", "symbol", "venue_symbol", "base", "ts_event", "ts_recv")


@each_table
def test_every_column_has_a_meaning(table: Table) -> None:
    assert table.about.endswith(".")
    for column in table.columns:
        assert len(column.meaning) > 2, column.name
        for text in (column.unit, column.meaning):
            assert text == text.strip() and "\n" not in text


@each_table
def test_key_and_state_are_columns(table: Table) -> None:
    names = {column.name for column in table.columns}
    assert table.key and set(table.key) <= names and len(set(table.key)) == len(table.key)
    assert set(table.state) <= names
    assert "venue" in table.key and "ts_recv" not in table.key, "when it was received is no part of what it is"
    assert set(table.state) < set(table.key) or not table.state


@each_table
def test_nullable_is_what_may_be_none(table: Table) -> None:
    hints = typing.get_type_hints(table.event)
    for column in table.columns:
        hint = hints[column.name]
        arms = typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else ()
        assert column.nullable == (type(None) in arms), column.name


def example(table: Table, fill: bool) -> msgspec.Struct:
    """Make an event of a table with every column set, or with every nullable one None."""
    values: dict[pa.DataType, object] = {
        pa.string(): "x", pa.float64(): 1.5, pa.int64(): 7, pa.bool_(): True, LEVELS: [(1.0, 2.0), (3.0, 4.0)],
    }  # fmt: skip
    return table.event(**{c.name: None if c.nullable and not fill else values[c.arrow] for c in table.columns})


@each_table
@pytest.mark.parametrize("fill", [True, False], ids=["full", "sparse"])
def test_an_event_survives_the_way_into_columns(table: Table, fill: bool) -> None:
    event = example(table, fill)
    arrow = to_arrow([event, event])
    assert arrow.schema == table.arrow_schema == empty(table).schema
    for name, value in zip(table.event.__struct_fields__, msgspec.structs.astuple(event), strict=True):
        found = arrow[name].to_pylist()[1]
        if isinstance(value, list):
            found = [(level["price"], level["size"]) for level in found]
        assert found == value, name
    assert dict(table.polars_schema).keys() == set(table.event.__struct_fields__)


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_pages_are_written_once(tmp_path: Path) -> None:
    assert [path.relative_to(tmp_path).as_posix() for path in write(tmp_path)] == list(PAGES)
    assert write(tmp_path) == []
    (tmp_path / "docs" / "data-dictionary.md").write_text("stale")
    assert len(write(tmp_path)) == 1


def test_data_dictionary_names_every_table_and_column() -> None:
    page = data_dictionary()
    for table in TABLES.values():
        section = page.partition(f"## {table.name}\n")[2].partition("\n## ")[0]
        for column in table.columns:
            row = next(line for line in section.splitlines() if line.startswith(f"| `{column.name}` |"))
            assert row.replace("\\|", "").count("|") == 6, "a bar in a text would break the row"
            assert column.meaning.replace("|", "\\|") in row
