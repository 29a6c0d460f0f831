"""What a run's report says of its factors: scores, dollars, refusals and duplicates, and after a round."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.evaluation.verdict import compare_run
from tasks.campaign import Campaign
from tasks.campaign.factors import Factors, made_arms
from tasks.campaign.rounds import ArmStanding, RoundDecision
from tasks.candidate import Candidate, Score
from tasks.report_page.page import render_page
from tests.support.planning import DRAFT, campaign
from tests.support.report_rows import make_draft, make_facts, make_run

LEVELS = {
    "light": ["soft", "hard"],
    "lens": ["wide", "tele"],
    "quality": {"low": {"quality": "low"}, "high": {}},
}
FACTORS = {"prompt": "{{ light }} {{ lens }}", "levels": LEVELS}


def designed() -> Campaign:
    """Make a campaign of eight arms."""
    return campaign(factors=FACTORS, arms=made_arms(Factors.model_validate(FACTORS)))


def a_run(subject: Campaign, n_rows: int = 8) -> tuple[list[dict[str, Any]], list[Candidate]]:
    """Make two pictures of each arm and row: hard light scores better, high quality costs more.

    A quarter of what has a tele lens is refused.
    """
    rows, candidates = [], []
    for arm, levels in subject.levels_by_arm.items():
        for row in range(n_rows):
            for replicate in range(2):
                made = make_draft(arm, row, replicate)
                rank = int(made["sha256"][:4], 16) / 65536
                score = 0.4 + 0.1 * (levels["light"] == "hard") + 0.03 * row + 0.02 * rank
                cost_usd = Decimal("0.02") if levels["quality"] == "high" else Decimal("0.005")
                made |= {"score_technical": score, "score": score, "cost_usd": cost_usd}
                if levels["lens"] == "tele" and (row + replicate) % 4 == 3:
                    made |= {"state": "refused", "candidate_id": None, "status": None, "cost_usd": None}
                else:
                    scores = {"technical": Score(score, "", {}, "1")}
                    name = made["candidate_id"]
                    candidates.append(
                        replace(
                            DRAFT, candidate_id=name, arm=arm, row=row, replicate=replicate, scores=scores
                        )
                    )
                rows.append(made)
    return rows, candidates


def test_the_planted_effects_are_named_and_no_others() -> None:
    """Each by its own measure; what is the same everywhere, such as duplicates, is left out."""
    subject = designed()
    found = compare_run(*a_run(subject), subject, [])
    assert found is not None
    effects = found["effects"]
    assert effects["headline"] == (
        "On technical quality alone, light matters (+0.10 for hard instead of soft),"
        " lens does not (within ±0.01), quality does not (within ±0.01)."
    )
    measures = {name: measure["headline"] for name, measure in effects["measures"].items()}
    assert list(measures) == ["total", "dollars", "refusals"]
    assert measures["dollars"].startswith(
        "In dollars a picture, quality matters (+$0.0150 for high instead of low)"
    )
    assert measures["refusals"].startswith("In refusals, lens matters (+25% for tele instead of wide)")


def test_after_a_round_only_what_every_arm_made_counts() -> None:
    """The arms that went on were chosen by their scores."""
    subject = designed()
    rows, candidates = a_run(subject)
    for made in rows:
        made["score_technical"] += 0.3 * (made["replicate"] == 1) * (made["arm"] == "hard_tele_low")
    decided = RoundDecision(
        1, (ArmStanding("hard_tele_low", 0.1, 0.5, 8, goes_on=True),), 1, 1, is_next_last=True
    )
    found = compare_run(rows, candidates, subject, [decided])
    assert found is not None
    assert "+0.10 for hard" in found["effects"]["headline"]


def test_a_campaign_without_factors_has_no_effects() -> None:
    """Its summary is as it was."""
    rows = [make_draft(arm, row, 0) for arm in "AB" for row in range(3)]
    candidates = [
        replace(
            DRAFT, candidate_id=made["candidate_id"], arm=made["arm"], row=made["row"],
            scores={"technical": Score(0.5, "", {}, "1")},
        )
        for made in rows
    ]  # fmt: skip
    found = compare_run(rows, candidates, campaign(), [])
    assert found is not None
    assert "effects" not in found


def test_the_page_draws_the_effects_and_says_what_matters() -> None:
    """The sentence is in the summary; each level has its interval and its verdict."""
    subject = designed()
    found = compare_run(*a_run(subject), subject, [])
    page = render_page(make_run(), make_facts(ab_test=found), Path("/nowhere"))
    section = page[page.index('id="effects"') :]
    section = section[: section.index("</section>")].replace("−", "-")
    assert page[: page.index('id="effects"')].count("light matters (+0.10 for hard instead of soft)") == 1
    assert "light hard: 0.10" in section
    assert section.count("<td>matters</td>") == 3
    assert section.count("<td>does not matter</td>") >= 4
    assert 'id="effects"' not in render_page(make_run(), make_facts(), Path("/nowhere"))
