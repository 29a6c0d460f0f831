"""Conditions: what a picture must show, and what follows where it does not or nobody knows."""

from dataclasses import replace
from typing import Any

from flows.evaluation.drafts import SelectionRule
from tasks.campaign.finals import Finals
from tasks.candidate import Candidate, Score
from tasks.explain import explain
from tasks.judging.conditions import (
    Condition,
    are_met,
    conditions_of,
    describe_unmet,
    kept_conditions,
    unjudged_warnings,
)
from tasks.select import select
from tests.support.draft_builders import a_draft
from tests.support.planning import campaign

SCORE = {
    "weights": {"judge": 1},
    "judge": {
        "rubric": [
            {"statement": "There is one otter in {{ place }}", "must": True},
            "The light is good",
            {"statement": "No text is in the picture", "must": True},
        ]
    },
}
RULES = campaign(score=SCORE, finalists={"count": 3, "approval": "auto"})


def answered(name: str, *answers: float | None, score: float = 0.5) -> Candidate:
    """Make a draft that the judge answered so about."""
    measured = {f"judge_statement_{n}": value for n, value in enumerate(answers, 1) if value is not None}
    return a_draft(name, score=score, scores={"judge": Score(score, "judge: why", measured)})


def test_only_a_picture_that_meets_every_condition_is_chosen() -> None:
    """Whatever the score says: a broken one and an unanswered one are left out, each with its statement."""
    pool = [
        answered("c-right", 1, 0, 1, score=0.2),
        answered("c-broken", 0, 1, 1, score=0.9),
        answered("c-mute", None, None, None, score=0.8),
    ]
    choices = select(pool, SelectionRule.of(RULES, pool))
    assert [name for name, choice in choices.items() if choice.is_finalist] == ["c-right"]
    assert choices["c-broken"].reason == (
        "not chosen: it must be true that “There is one otter in kelp”, and it is not"
    )
    assert choices["c-mute"].reason == (
        "not chosen: it must be true that “There is one otter in kelp”, and that is not known"
    )
    assert choices["c-broken"].rank == 1


def test_a_condition_is_explained_as_a_rule() -> None:
    """Met, broken or not answered."""
    draft = replace(answered("c-1", 1, 1, 0), choice=None)
    found = [rule.holds for rule in explain(draft, [draft], RULES).rules if rule.name == "must"]
    assert found == [True, False]


def test_what_is_not_known_is_neither_met_nor_broken() -> None:
    """One broken condition decides; without any there is nothing to meet."""
    met, broken, unknown = (
        Condition("a", is_met=True),
        Condition("b", is_met=False),
        Condition("c", is_met=None),
    )
    assert are_met([]) is None
    assert are_met([met, met]) is True
    assert are_met([met, unknown]) is None
    assert are_met([unknown, broken]) is False
    assert describe_unmet([met]) is None
    assert describe_unmet([unknown, broken, broken]) == "it must be true that “b”, and it is not and 1 more"
    assert conditions_of(campaign(), a_draft("c-1")) == []


def an_edition(**keys: Any) -> Finals:
    """Make an edition that keeps something."""
    return Finals(model="gpt-image-2", size="1024x1024", **keys)


def test_a_final_must_keep_what_is_true_of_its_draft() -> None:
    """Not what its draft broke or nobody knows; the statements with `must`, or all of them."""
    draft, final = answered("c-1", 1, 1, 0), answered("c-2", 0, None, 0)
    must = kept_conditions(RULES, draft, final, an_edition(keep_statements="must"))
    every = kept_conditions(RULES, draft, final, an_edition(keep_statements="all"))
    assert must == [Condition("There is one otter in kelp", is_met=False)]
    assert every == [*must, Condition("The light is good", is_met=None)]
    assert kept_conditions(RULES, draft, final, an_edition()) == []
    assert kept_conditions(RULES, a_draft("c-3"), final, an_edition(keep_statements="all")) == []


def test_lettering_that_is_spelt_right_in_the_draft_must_be_in_the_final() -> None:
    """One wrong letter breaks it; a draft that was misspelt, or not read, asks nothing of its final."""
    signs = campaign(score={"weights": {"legibility": 1}, "expect_text": "OPEN"})

    def reading(error_rate: float) -> Candidate:
        read = Score(0.5, "", {"character_error_rate": error_rate})
        return a_draft("c-1", scores={"legibility": read})

    keeping = an_edition(keep_text=True)
    (lost,) = kept_conditions(signs, reading(0), reading(0.25), keeping)
    assert lost == Condition("the text reads “OPEN”", is_met=False)
    assert kept_conditions(signs, reading(0.25), reading(0), keeping) == []
    assert kept_conditions(signs, a_draft("c-2"), reading(0), keeping) == []
    (unread,) = kept_conditions(signs, reading(0), a_draft("c-2"), keeping)
    assert unread.is_met is None


def test_the_report_names_accepted_finals_that_nobody_answered_about() -> None:
    """Refused ones, and those that are known to keep it, are not."""
    finals = [replace(a_draft(name), is_accepted=name != "c-3") for name in ("c-1", "c-2", "c-3")]
    unknown, met = [Condition("a", is_met=None)], [Condition("a", is_met=True)]
    (warning,) = unjudged_warnings(finals, {"c-1": unknown, "c-2": met, "c-3": unknown})
    assert warning.endswith("about what they must keep of their drafts: c-1.")
    assert unjudged_warnings(finals, {"c-2": met}) == []
