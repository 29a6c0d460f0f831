"""Equal values of many rows are kept once, and none becomes another."""

import json

from tasks.ledger.equal_values import one_mapping, one_text


def test_equal_texts_and_mappings_of_two_rows_are_one() -> None:
    """A database hands out a copy of each with every row."""
    written = json.dumps({"model": "otter-1", "n": 1})
    assert one_mapping(json.loads(written)) is one_mapping(json.loads(written))
    assert one_text(json.loads('"a prompt"')) is one_text(json.loads('"a prompt"'))
    assert one_text(None) is None


def test_what_is_equal_to_python_and_not_to_a_provider_stays_apart() -> None:
    """The request's id is made of its JSON, in which 1, 1.0 and true differ."""
    for value in (1, 1.0, True, "1", [1], {"a": 1}, {"a": True}):
        kept = one_mapping({"n": value})
        assert json.dumps(dict(kept)) == json.dumps({"n": value})
