"""What a run's report says of its factors: scores, dollars, refusals and duplicates, and after a round."""

from dataclasses import replace
from decimal import Decimal
from itertools import combinations, product
from pathlib import Path
from typing import Any

from flows.evaluation.scored_drafts import votes_of_rounds
from flows.evaluation.verdict import compare_run
from tasks.campaign import Campaign
from tasks.campaign.added_round import hosts_of, with_new_levels, with_round
from tasks.campaign.best_campaign import write_best_campaign
from tasks.campaign.factors import Factors, made_arms
from tasks.campaign.rounds import ArmStanding, RoundDecision
from tasks.campaign_file.load import load_campaign
from tasks.candidate import Candidate, Score
from tasks.pairwise.votes import Vote, VoteOutcome
from tests.support.builders import NOON
from tests.support.page_reader import page_text
from tests.support.planning import CATALOGUE, DRAFT, PROVIDERS, campaign
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
    assert list(measures) == ["total", "dollars", "seconds", "refusals"]
    assert (effects["best"]["levels"]["light"], effects["best"]["is_made"]) == ("hard", True)
    assert effects["best"]["low"] < effects["best"]["value"] < effects["best"]["high"]
    assert effects["pair_means"][0]["factors"] == ["light", "lens"]
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
    page = page_text(make_run(), make_facts(ab_test=found), Path("/nowhere"))
    section = page[page.index('id="effects"') :]
    section = section[: section.index("</section>")].replace("−", "-")
    assert page[: page.index('id="effects"')].count("light matters (+0.10 for hard instead of soft)") == 1
    assert "light hard: 0.10" in section
    assert section.count("<td>matters</td>") == 3
    assert section.count("<td>does not matter</td>") >= 4
    assert "Best combination: light hard" in section
    assert section.count("<figure>") == 3
    assert "Mean score by light and lens; lens wide: 0." in section
    assert 'id="effects"' not in page_text(make_run(), make_facts(), Path("/nowhere"))


def test_the_best_combination_is_a_campaign_file_of_one_arm(tmp_path: Path) -> None:
    """Also one that was left out of the design: it is valid, and asks for what its levels say."""
    left_out = campaign(
        factors={**FACTORS, "exclude": [{"light": "hard", "lens": "tele"}]},
        schedule={"cron": "0 6 * * *"},
    )
    levels = {"light": "hard", "lens": "tele", "quality": "low"}
    text = write_best_campaign(left_out, levels)
    (tmp_path / "best.yaml").write_text(text)
    found = load_campaign(tmp_path / "best.yaml", CATALOGUE, PROVIDERS)
    assert (found.name, list(found.arms), found.schedule, found.factors) == (
        f"{left_out.name}-best", ["hard_tele_low"], None, None
    )  # fmt: skip
    assert found.arms["hard_tele_low"].prompt == "hard tele"
    assert found.drafts_of("hard_tele_low").quality == "low"
    assert found.all_rows == left_out.all_rows


def test_people_s_votes_have_effects_of_their_own() -> None:
    """Once there are enough of them."""
    subject = designed()
    rows, candidates = a_run(subject)
    by_arm = {(one.arm, one.row): one.candidate_id for one in candidates}
    votes: list[Vote] = []
    for row in range(8):
        for lens, quality in product(("wide", "tele"), ("low", "high")):
            soft, hard = (by_arm[f"{light}_{lens}_{quality}", row] for light in ("soft", "hard"))
            for who in range(3):
                outcome: VoteOutcome = "tie" if (row + who) % 3 == 0 else "right"
                votes.append(Vote(f"v{len(votes)}", "r", row, soft, hard, outcome, f"p{who}", NOON))
    found = compare_run(rows, candidates, subject, [], votes)
    assert found is not None
    headline = found["effects"]["measures"]["people"]["headline"]
    assert headline.startswith("By people's votes, light matters (+")
    assert "hard instead of soft" in headline


def with_neon() -> Campaign:
    """Add a level in a later round, beside the arms of soft light."""
    before = designed()
    hosts = hosts_of(before, "light", None)
    after = with_new_levels(before, {"light": {"neon": "neon light"}}, {"light": hosts})
    return with_round(before, after, hosts, {"first_replicate": 2, "replicates": 1, "key": "a-1"})


def test_a_level_of_a_later_round_is_compared_within_it_whatever_changed_since() -> None:
    """Everything scores 0.3 better that day, and costs more; neon light is 0.05 better than soft light."""
    subject = with_neon()
    rows, candidates = a_run(designed())
    before = compare_run(rows, candidates, designed(), [])
    for arm, row in product(subject.planned_passes[1].arms, range(8)):
        levels = subject.levels_by_arm[arm]
        made = make_draft(arm, row, 2)
        rank = int(made["sha256"][:4], 16) / 65536
        score = 0.7 + 0.05 * (levels["light"] == "neon") + 0.03 * row + 0.02 * rank
        made |= {"score_technical": score, "score": score, "cost_usd": Decimal("0.04")}
        rows.append(made)
        scores = {"technical": Score(score, "", {}, "1")}
        name = made["candidate_id"]
        candidates.append(replace(DRAFT, candidate_id=name, arm=arm, row=row, replicate=2, scores=scores))
    found = compare_run(rows, candidates, subject, [])
    assert before is not None
    assert found is not None
    effects = found["effects"]
    assert "light matters (+0.10 for hard, +0.05 for neon instead of soft)" in effects["headline"]
    assert effects["best"]["levels"]["light"] == "hard"
    assert found["pairs"] == before["pairs"]
    (added,) = found["added_rounds"]
    assert {tuple(pair["arms"]) for pair in added["pairs"]} == set(
        combinations(sorted(subject.planned_passes[1].arms), 2)
    )
    assert "Added round 1, by itself: " in found["headline"]
    assert found["arms"].keys() == subject.arms.keys()


def test_votes_between_pictures_of_two_rounds_do_not_count() -> None:
    """The later picture may be liked for that day's sake."""
    subject = with_neon()
    pictures = [
        replace(DRAFT, candidate_id=f"c-{place}", arm=arm, row=0, replicate=replicate)
        for place, (arm, replicate) in enumerate(
            (("soft_wide_low", 0), ("hard_wide_low", 1), ("soft_wide_low", 2), ("neon_wide_low", 2))
        )
    ]
    votes = [
        Vote(f"v{place}", "r", 0, f"c-{left}", f"c-{right}", "left", "ann", NOON)
        for place, (left, right) in enumerate(((0, 1), (1, 2), (2, 3), (0, 3)))
    ]
    counted = votes_of_rounds(votes, pictures, subject)
    assert [vote.arms for vote in counted] == [
        ("hard_wide_low", "soft_wide_low"),
        ("neon_wide_low", "soft_wide_low"),
    ]
