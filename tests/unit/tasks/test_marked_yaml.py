"""YAML with lines, without repeated keys, dates and twenty-two booleans."""

import pytest

from tasks.marked_yaml import YamlFaultError, read_yaml

TEXT = """\
a:
  b: 1
  c: [x, {d: 2}]
e: 3
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("a", "b"), 2),
        (("a", "c", "1", "d"), 3),
        (("e",), 4),
        (("a", "no"), 1),
        (("z",), None),
    ],
)
def test_every_key_has_its_line(path: tuple[str, ...], line: int | None) -> None:
    """A key that is not there takes the line of what is around it."""
    assert read_yaml(TEXT).line_of(path) == line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-12-01", "2026-12-01"), ("no", "no"), ("on", "on"), ("true", True), ("False", False),
        ("~", None), ("1.5", 1.5), ("0b1", 1), ("'1'", "1"),
    ],
)  # fmt: skip
def test_words_stay_words(text: str, value: object) -> None:
    """Only true and false are booleans, and a date is its text."""
    assert read_yaml(f"key: {text}").data == {"key": value}


def test_a_key_said_twice_is_a_fault() -> None:
    """With both lines."""
    with pytest.raises(YamlFaultError, match="a occurs twice, first on line 1") as caught:
        read_yaml("a: 1\nb: 2\na: 3\n")
    assert caught.value.line == 3


def test_merge_keys_work() -> None:
    """Anchors keep the catalogue short."""
    assert read_yaml("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}").data["y"] == {"a": 1, "b": 3}


def test_an_empty_text_is_nothing() -> None:
    """Not an error: the caller knows what is missing."""
    assert read_yaml("# only a remark\n").data is None


def test_many_aliases_do_not_take_for_ever() -> None:
    """Nine levels of nine aliases each are marked once, not 387 million times."""
    levels = ["l0: &l0 [x]"] + [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert read_yaml("\n".join(levels)).line_of(("l9",)) == 10
