"""Numbers by name: a column that reads as a dict does, and takes little memory."""

import copy
import pickle
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tasks.ledger.numbers_by_name import Numbers, NumbersByName

TABLE = sa.Table("pictures", sa.MetaData(), sa.Column("figures", Numbers))


def stored_and_read(values: list[Any]) -> list[Any]:
    """Write values into a database, and read them."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        connection.execute(TABLE.insert(), [{"figures": value} for value in values])
        found = list(connection.execute(sa.select(TABLE.c.figures)).scalars())
    engine.dispose()
    return found


@given(st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False)))
def test_it_is_the_mapping_that_it_was_made_of(numbers: dict[str, float]) -> None:
    """It is equal to the dict, in the same order, also as a copy and in another process."""
    kept = NumbersByName(numbers)
    for one in (kept, copy.deepcopy(kept), pickle.loads(pickle.dumps(kept))):
        assert isinstance(one, Mapping)
        assert one == numbers
        assert list(one.items()) == list(numbers.items())
        assert {**one} == numbers


@pytest.mark.parametrize(
    "value", [None, {}, {"a": 0.1}, {"a": 0.1, "b": float("inf")}, {"a": 1}, {"a": None}, {"a": True}]
)
def test_a_column_gives_back_what_was_written(value: dict[str, Any] | None) -> None:
    """That includes what scorers of one's own write beside floats, each in its own type."""
    [found] = stored_and_read([value])
    assert found == value
    assert repr(found) == repr(value)


def test_what_was_read_can_be_written_again() -> None:
    """A ledger is copied and restored row by row."""
    found = stored_and_read([{"a": 0.1, "b": 0.2}])
    assert stored_and_read(found) == found


def test_many_pictures_share_the_names_of_their_numbers() -> None:
    """54 numbers take less than 1 kB, which is less than their names alone."""
    values = stored_and_read([{f"measurement_{k:03d}": k / 7 for k in range(54)}])
    text = [{f"measurement_{k:03d}": k / 7 for k in range(54)} for _ in range(200)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        values += [NumbersByName(numbers) for numbers in text]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 200 < 1_000
