"""Conditions: what a picture must show, and what follows where it does not or nobody knows."""

from dataclasses import replace

from flows.evaluation.drafts import SelectionRule
from tasks.candidate import Candidate, Score
from tasks.explain import explain
from tasks.judging.conditions import Condition, are_met, conditions_of, describe_unmet
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
