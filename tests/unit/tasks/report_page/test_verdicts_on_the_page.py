"""The page shows where each arm is better, and what people say of the arms."""

import re
from pathlib import Path
from typing import Any

from tests.support.page_reader import page_text
from tests.support.report_rows import make_facts, make_run


def segment(value: str, difference: float, winner: str | None) -> dict[str, Any]:
    """Make a segment's result."""
    return {
        "variable": "kind", "value": value, "arms": ["A", "B"], "rows": 10, "difference": difference,
        "low": difference - 0.05, "high": difference + 0.05, "shrunk": difference / 2, "winner": winner,
    }  # fmt: skip


def page_of(**ab_test: Any) -> str:
    """Render a run's page with these facts of its test."""
    return page_text(make_run(), make_facts(ab_test={"headline": "So.", **ab_test}), Path("/nowhere"))


def test_segments_are_shown_with_those_first_that_are_found() -> None:
    """Each with its rows, its interval and its verdict; one without an interval is not drawn."""
    unknown = segment("rare", 0.0, None) | {"low": None, "high": None}
    page = page_of(segments=[segment("people", 0.01, None), segment("<places>", -0.2, "B"), unknown])
    section = page[page.index('id="segments"') :]
    section = section[: section.index("</section>")]
    assert section.index("&lt;places&gt;") < section.index("people")
    assert "rare" not in section
    assert "A minus B: −0.20, 95% interval −0.25 to −0.15" in section
    words = " ".join(re.sub(r"<[^>]+>", " ", section).split())
    assert words.count("not enough evidence") == 1


def test_a_run_without_segments_has_no_such_section() -> None:
    """Nor has one of before there were any."""
    assert 'id="segments"' not in page_of(segments=[])
    assert 'id="segments"' not in page_of()


def test_what_people_say_stands_below_the_arms() -> None:
    """Also while the votes are too few to come first."""
    page = page_of(people={"headline": "By people’s votes, so.", "note": "Three are ties."})
    assert "By people’s votes, so. Three are ties." in page
