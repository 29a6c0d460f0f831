"""The report's first sentences: the verdict and the summary."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.money import count_of
from tasks.report_page.facts import RunFacts
from tasks.report_page.rows import (
    Row,
    count_orders,
    count_pictures,
    is_draft,
    is_duplicate,
    is_finalist,
    is_unique_image,
)
from tasks.report_page.spending import state_spending, sum_up_spending

_BEGINNING = re.compile(r".+?(?:[:.](?= )|(?= \(95% interval ))")
_AWAITING = {
    "awaiting review": "The finalists await review.",
    "waiting": "Some requests are still pending: the figures will change.",
}


def state_verdict(rows: Sequence[Row], facts: RunFacts) -> str:
    """State the run's result in one sentence."""
    if not count_pictures(rows):
        return _explain_nothing(rows)
    if facts.ab_test and facts.ab_test.get("headline"):
        return str(facts.ab_test["headline"])
    accepted = sum(1 for row in rows if row["accepted"])
    finalists = sum(map(is_finalist, rows))
    if accepted:
        verb = "was" if accepted == 1 else "were"
        return f"{accepted:,} of {count_of(finalists, 'finalist')} {verb} accepted at high quality."
    if not any(row["status"] for row in rows):
        return f"{count_of(count_pictures(rows), 'picture')}, not compared yet."
    unique_images = count_of(sum(map(is_unique_image, rows)), "unique image")
    return f"{unique_images}, {count_of(finalists, 'finalist') if finalists else 'no finalist yet'}."


def divide_verdict(verdict: str) -> tuple[str, str]:
    """Divide a verdict into what is said large and the rest, its figures and what they leave open.

    Args:
        verdict: One sentence or more.

    Returns:
        The beginning, up to a colon, the interval or the end of its sentence; and the rest, which may be
        empty.

    Example:
        >>> divide_verdict("Arm A beats arm B by 0.12 points (95% interval 0.05 to 0.18), over 6 rows.")
        ('Arm A beats arm B by 0.12 points', '(95% interval 0.05 to 0.18), over 6 rows.')
    """
    beginning = _BEGINNING.match(verdict)
    end = beginning.end() if beginning else len(verdict)
    return verdict[:end], verdict[end:].lstrip()


def _explain_nothing(rows: Sequence[Row]) -> str:
    if not rows:
        return "Nothing was bought, so there is nothing to show."
    states = ("refused", "failed", "unknown", "sent", "planned")
    labels = {"unknown": "without a usable answer", "sent": "still pending", "planned": "not sent yet"}
    counts = {labels.get(state, state): number for state in states if (number := count_orders(rows, state))}
    orders = count_orders(rows, *states)
    if len(counts) == 1:
        subject = "the only request was" if orders == 1 else f"all {orders:,} requests were"
        return f"No picture was made: {subject} {next(iter(counts))}."
    parts = ", ".join(f"{number:,} {label}" for label, number in counts.items())
    return f"No picture was made: of {count_of(orders, 'request')}, {parts}."


def summarize(rows: Sequence[Row], facts: RunFacts) -> str:
    """State in a few sentences what was made, what it cost and what is left to do."""
    drafts = [row for row in rows if is_draft(row)]
    sentences = []
    if pictures := count_pictures(drafts):
        duplicates = sum(map(is_duplicate, drafts))
        noun = "a duplicate" if duplicates == 1 else "duplicates"
        of_them = f", {duplicates:,} of them {noun}" if duplicates else ""
        verb = "draft was" if pictures == 1 else "drafts were"
        sentences.append(f"{pictures:,} {verb} made{of_them}.")
    spending = state_spending(sum_up_spending(rows, facts)) if rows else None
    sentences = [*_other_verdict(facts.ab_test or {}), *sentences]
    sentences += [text for text in (facts.finalists, spending, _AWAITING.get(facts.awaiting)) if text]
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in sentences)


def _other_verdict(ab_test: Mapping[str, Any]) -> list[str]:
    """Return the scores' verdict where people's is the headline, what they left open, and all nights'."""
    by_scores, people = ab_test.get("scores_headline"), ab_test.get("people") or {}
    nights = " ".join(
        str(said) for key in ("effects", "nights") if (said := (ab_test.get(key) or {}).get("headline"))
    )
    if not by_scores or by_scores == ab_test.get("headline"):
        return [nights] if nights else []
    return [text for text in (people.get("note"), by_scores, nights) if text]
