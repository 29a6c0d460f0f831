"""The report's first sentences: what came out, for someone who reads nothing else."""

from collections.abc import Sequence

from tasks.report_page.facts import RunFacts
from tasks.report_page.rows import (
    Row,
    count_orders,
    count_pictures,
    is_copy,
    is_draft,
    is_finalist,
    is_survivor,
)
from tasks.report_page.spending import state_spending, sum_up_spending

_AWAITING = {
    "awaiting review": "The finalists await a person's choice.",
    "waiting": "Some orders are still out: the figures will change.",
}


def count_noun(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun.

    Example:
        >>> count_noun(1, "copy", "copies"), count_noun(1200, "picture")
        ('1 copy', '1,200 pictures')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def state_verdict(rows: Sequence[Row], facts: RunFacts) -> str:
    """Say in one sentence what the run showed."""
    if not count_pictures(rows):
        return _explain_nothing(rows)
    if facts.ab_test and facts.ab_test.get("headline"):
        return str(facts.ab_test["headline"])
    accepted = sum(1 for row in rows if row["accepted"])
    finalists = sum(map(is_finalist, rows))
    if accepted:
        return f"{accepted:,} of {count_noun(finalists, 'finalist')} made it to high quality."
    survivors = count_noun(sum(map(is_survivor, rows)), "different picture")
    return f"{survivors}, {count_noun(finalists, 'finalist') if finalists else 'no finalist yet'}."


def _explain_nothing(rows: Sequence[Row]) -> str:
    if not rows:
        return "Nothing was ordered, so there is nothing to show."
    states = ("refused", "failed", "unknown", "sent", "planned")
    words = {"unknown": "without an answer", "sent": "still out", "planned": "not sent yet"}
    counts = {words.get(state, state): number for state in states if (number := count_orders(rows, state))}
    orders = count_orders(rows, *states)
    if len(counts) == 1:
        subject = "the only order was" if orders == 1 else f"all {orders:,} orders were"
        return f"No picture was made: {subject} {next(iter(counts))}."
    parts = ", ".join(f"{number:,} {word}" for word, number in counts.items())
    return f"No picture was made: of {count_noun(orders, 'order')}, {parts}."


def summarize(rows: Sequence[Row], facts: RunFacts) -> str:
    """Say in a few sentences what was made, what it cost and what is left to do."""
    drafts = [row for row in rows if is_draft(row)]
    sentences = []
    if pictures := count_pictures(drafts):
        copies = sum(map(is_copy, drafts))
        folded = f", {copies:,} of them {'a copy' if copies == 1 else 'copies'} of another" if copies else ""
        verb = "draft was" if pictures == 1 else "drafts were"
        sentences.append(f"{pictures:,} {verb} made{folded}.")
    spending = state_spending(sum_up_spending(rows, facts)) if rows else None
    sentences += [text for text in (facts.finalists, spending, _AWAITING.get(facts.awaiting)) if text]
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in sentences)
