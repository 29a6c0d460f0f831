"""YAML with lines, without repeated keys, with text as it is written, and small whatever stands in it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.limits import YAML_DEPTH
from tasks.marked_yaml import YamlFaultError, read_yaml, write_yaml
from tests.support.fuzzing import bounded, fuzz

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
    "text",
    [
        "2026-12-01", "no", "on", "yes", "Off", "16:9", "6:30", "12:00", "0123", "1_000", "1.10", "0x1F",
        "0b1", "1e3", "1.0e+3", ".5", "5.", "+5", "-0", ".inf", "-.inf", ".nan", "=", "12:30:45.5",
        "1.7976931348623159e+308",
    ],
)  # fmt: skip
def test_what_is_no_plain_number_is_its_text(text: str) -> None:
    """YAML 1.1 reads 16:9 as 969, 6:30 as 390, 0123 as 83 and 1.10 as 1.1."""
    assert read_yaml(f"key: {text}").data == {"key": text}
    assert read_yaml(f"{text}: key").data == {text: "key"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("~", None), ("null", None), ("", None), ("1.5", 1.5), ("5.0", 5.0),
        ("0", 0), ("-7", -7), ("123456789012345678901234", 123456789012345678901234), ("'1'", "1"),
        ('"no"', "no"), ("1e+22", 1e22), ("1e-05", 1e-05),
        ("!!str 5", "5"), ("!!int 5", 5), ("!!float '1e-05'", 1e-5), ("! 5", "5"), ("'<<'", "<<"),
    ],
)  # fmt: skip
def test_numbers_truth_and_nothing_are_read(text: str, value: object) -> None:
    """Where text and value are written alike."""
    found = read_yaml(f"key: {text}").data["key"]
    assert found == value
    assert type(found) is type(value)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]))
    | st.sampled_from(["1e3", "1.10", "<<", "16:9", "1e+22"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"])), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@fuzz(examples=30)
@given(PLAIN)
def test_what_is_written_is_read_again(value: Any) -> None:
    """The campaign beside a run's pictures is the campaign that ran."""
    found = read_yaml(write_yaml({"key": value})).data["key"]
    assert found == value
    assert repr(found) == repr(value)  # 1 is not 1.0, nor True


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


def test_merges_take_the_first_of_several_and_own_keys_before_all() -> None:
    """As YAML's page on merges says."""
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {w: 0, <<: [*a, *b], y: 3}\n"
    assert read_yaml(text).data["c"] == {"x": 1, "z": 2, "y": 3, "w": 0}


def _nested_aliases(levels: int, inner: str) -> str:
    lines = ["l0: &l0 " + inner]
    for level in range(1, levels):
        below = ", ".join([f"*l{level - 1}"] * 10)
        lines.append(
            f"l{level}: &l{level} " + (f"[{below}]" if "[" in inner else f"{{<<: [{below}], k{level}: 1}}")
        )
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        (_nested_aliases(10, "[x]"), "more than 1,500,000 values, those of aliases and merges included", 7),
        (_nested_aliases(4000, "{x: 1}"), "more than 1,500,000 values", None),
        ("[" * 100_000, f"is nested more than {YAML_DEPTH} levels deep", 1),
        ("a:\n  " + "{b: " * 100_000, f"is nested more than {YAML_DEPTH} levels deep", 2),
        ("- " * 100_000, "is nested more than", 1),
        (
            "\n".join(f"l{n}: &l{n} [{f'*l{n - 1}' if n else ''}]" for n in range(2000)),
            "is nested more than",
            50,
        ),
        (
            "long: &long " + "x" * 1_000_000 + "\nall: [" + "*long, " * 60 + "]",
            "more than 50,000,000 characters",
            2,
        ),
        ("a: &a [*a]", "*a is inside of what it stands for", 1),
        ("a: &a {b: {<<: *a}}", "*a is inside of what it stands for", 1),
        ("a: 1\nb: *c", "*c stands for nothing", 2),
        ("a: {<<: 5}", "<< is not followed by a mapping", 1),
        ("a: &a [1]\n*a : b", "a key is text", 2),
        ("? [a]\n: b", "a key is text", 1),
        ("a: !!python/object/apply:os.system [x]", "is not accepted", 1),
        ("a: !!int five", "!!int is not accepted before 'five'", 1),
        ("a: !!binary aGk=", "!!binary is not accepted", 1),
        ("--- a\n--- b", "is a second document", 2),
        ("a: b\nc: \x00", "has the character U+0000", 2),
        ('a: b\nc: "\\0"', "has the character U+0000", 2),
        ('c: "\\ud83d"', "found invalid Unicode character escape code", 1),
        ("c: \ud83d", "has the character U+D83D", 1),
        ("a: [", "did not find expected node content", 2),
    ],
)
def test_what_would_take_the_machine_or_is_no_yaml_is_refused_at_once(
    text: str, what: str, line: int | None
) -> None:
    """With its line, before anything is multiplied out; nothing recurses."""
    with bounded(time_s=2, memory_mb=150), pytest.raises(YamlFaultError) as caught:
        read_yaml(text)
    assert what in caught.value.what
    assert line is None or caught.value.line == line


PIECES = st.sampled_from(
    ["a", "b", "<<", ": ", "- ", "? ", "\n", "\n  ", "[", "]", "{", "}", ", ", "&x ", "*x", "&y ", "*y",
     "!!str ", "!!set ", "'", '"', "\\", "|\n ", ">\n ", "#", "---\n", "...\n", "%YAML 1.1\n", "0x1F", "~",
     "\t", "\x07", "\ud800", "\u2028"]
)  # fmt: skip


@fuzz(examples=60)
@given(st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join))
def test_any_text_is_read_or_is_one_fault(text: str) -> None:
    """No other exception, and a fault is one line."""
    with bounded():
        try:
            read = read_yaml(text)
        except YamlFaultError as fault:
            assert len(fault.what.splitlines()) == 1  # noqa: PT017 - most texts have no fault
        else:
            read.line_of(("a", "b"))
