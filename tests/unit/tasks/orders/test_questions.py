"""Orders for judging models: what they show, what they cost at most, and who is left without an opinion."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tasks.campaign import Campaign
from tasks.campaign_file.judging import judging_faults
from tasks.campaign_file.sellers import seller_faults
from tasks.candidate import Candidate, Score, Standing
from tasks.catalogue import load_catalogue
from tasks.catalogue.answer_estimates import Vision, answer_cost_usd
from tasks.catalogue.estimates import Estimates
from tasks.catalogue.prices import Prices
from tasks.errors import CatalogueError
from tasks.judging.rubric import rubric_parameters, rubric_prompt
from tasks.order import Reference
from tasks.orders.judging_plan import plan_judging
from tasks.orders.missing_scores import missing_score_warnings, note_of_test, partly_scored, without_score
from tasks.orders.questions import Questions, duel_name, worth_judging
from tests.support.draft_builders import a_draft
from tests.support.judge_builders import BOTH, MODEL, RUBRIC, judged, seen
from tests.support.planning import CATALOGUE, PROVIDERS, RUN, campaign, planned

LUNA = CATALOGUE.model(MODEL)


def estimates() -> Estimates:
    """Estimate at the vendor's prices."""
    return Estimates(CATALOGUE, PROVIDERS.provider("openai"))


def questions(subject: Campaign | None = None) -> Questions:
    """Write questions that may be bought."""
    return Questions(subject or judged(), RUN, "/runs/otter", estimates())


def test_an_order_shows_one_picture_and_stands_at_its_place() -> None:
    """Stage, place, picture and a reserve that is a bound."""
    order = questions().about(seen("c-1", arm="B", row=2, replicate=3))
    assert (order.stage, order.endpoint, order.arm, order.row, order.replicate) == (
        "judge",
        "chat",
        "B",
        2,
        3,
    )
    assert order.references == (Reference("/runs/otter/drafts/c-1.png", "c-1", 1024, 1024, "image/webp"),)
    assert (order.draft_id, order.n) == ("c-1", 1)
    assert 0 < order.estimate_usd < Decimal("0.01")
    assert order.prompt == rubric_prompt(RUBRIC)


def test_the_two_orders_of_a_duel_share_its_name_and_differ_in_what_is_shown_first() -> None:
    """Position is part of the question, never of the pictures' names."""
    one, other = seen("c-1"), seen("c-2", arm="B", replicate=1)
    first, second = questions().between(one, other), questions().between(other, one)
    assert first.draft_id == second.draft_id == duel_name("c-2", "c-1")
    assert [reference.sha256 for reference in first.references] == ["c-1", "c-2"]
    assert (first.arm, second.arm) == ("A", "B")
    assert first.question != second.question
    assert first.order_id != second.order_id


def test_questions_without_estimates_find_the_same_answers() -> None:
    """What is reserved is no part of what is asked; neither is the run."""
    draft = seen("c-1")
    asking = Questions(judged(), "20270101-000000-next", "/elsewhere")
    assert asking.about(draft).question == questions().about(draft).question
    assert asking.about(draft).estimate_usd == 0


def test_a_picture_that_was_never_inspected_can_still_be_asked_about() -> None:
    """Only its size is unknown."""
    order = Questions(judged(), RUN, "/runs").about(a_draft("c-1", inspection=None))
    assert (order.references[0].width, order.references[0].media_type) == (0, "image/png")


def test_only_survivors_are_worth_it_and_equal_bytes_once() -> None:
    """Copies and unfit pictures are not paid for; the order of drafts does not matter."""
    drafts = [
        seen("c-2"),
        seen("c-1", sha256="same"),
        seen("c-0", sha256="same"),
        seen("c-3", standing=Standing("duplicate", "c-2", "c-2", "near", 2)),
        seen("c-4", standing=Standing("unfit", None)),
        seen("c-5", standing=None),
    ]
    assert [draft.candidate_id for draft in worth_judging(drafts)] == ["c-0", "c-2"]
    assert worth_judging(reversed(drafts)) == worth_judging(drafts)


def test_the_plan_shows_what_judging_costs_at_most_and_counts_it() -> None:
    """Two arms, three rows, four drafts: 24 pictures, ten pairs of each row twice, and both ends add up."""
    subject = judged()
    found = planned(subject)
    assert found.judging is not None
    assert (found.judging.pictures, found.judging.pairs, found.judging.orders) == (24, 30, 84)
    assert found.judging.models == (MODEL,)
    reserve = questions(subject).about(seen("c-1")).estimate_usd * 24
    reserve += questions(subject).between(seen("c-1"), seen("c-2")).estimate_usd * 60
    assert found.judging.high_usd == reserve
    assert 0 < found.judging.low_usd < found.judging.high_usd
    assert found.high_usd == found.drafts_high_usd + found.judging.high_usd + found.finals.high_usd
    assert found.low_usd == found.drafts_low_usd + found.judging.low_usd + found.finals.low_usd
    assert found.as_dict()["judging"]["pairs"] == 30


def test_a_campaign_without_judges_plans_none() -> None:
    """Settings alone ask nothing: the weights do."""
    assert plan_judging(campaign(), estimates()) is None
    assert plan_judging(campaign(score={"judge": {"rubric": RUBRIC}}), estimates()) is None
    assert planned(campaign()).as_dict()["judging"] is None


def test_too_few_duels_to_connect_a_row_are_said() -> None:
    """Eight pictures of a row need seven pairs."""
    few = BOTH | {"duel": {"per_row": 6}}
    warnings = planned(judged(score=few)).warnings
    assert any("score.duel.per_row: 6 pairs cannot connect the up to 8 pictures" in line for line in warnings)
    enough = planned(judged(score=BOTH | {"duel": {"per_row": 7}})).warnings
    assert not any("per_row" in line for line in enough)


SHOWN = Reference("", "", 1024, 1024, "image/png")


def test_an_estimate_bounds_words_pictures_and_the_whole_answer() -> None:
    """1,024 squares at the published extremes, the text by its bytes, and every token that is allowed."""
    parameters = rubric_parameters(MODEL, RUBRIC)
    estimate = LUNA.estimate_usd(parameters, rubric_prompt(RUBRIC), [SHOWN])
    allowed = parameters["max_completion_tokens"]
    assert LUNA.vision is not None
    assert estimate.high_usd > Decimal("1e-7") * (1024 * Decimal("2.46")) + Decimal("5e-7") * allowed
    assert estimate.low_usd > Decimal("1e-7") * (1024 * Decimal("1.2"))
    assert estimate.low_usd < estimate.high_usd
    two = LUNA.estimate_usd(parameters, rubric_prompt(RUBRIC), [SHOWN, SHOWN])
    assert two.high_usd - estimate.high_usd == pytest.approx(Decimal("0.000315"), abs=Decimal("1e-6"))


def test_a_huge_picture_counts_as_what_it_is_shrunk_to() -> None:
    """More squares than the vendor takes cost no more."""
    parameters = rubric_parameters(MODEL, RUBRIC)
    huge, larger = (Reference("", "", edge, edge, "image/png") for edge in (3200, 6400))
    costs = [LUNA.estimate_usd(parameters, "x", [one]).high_usd for one in (huge, larger)]
    assert costs[0] == costs[1]


def test_an_answer_without_a_published_price_has_no_estimate() -> None:
    """Refused, not guessed: no price for answers, none for the batch lane, or no word on pictures."""
    parameters = rubric_parameters(MODEL, RUBRIC)
    assert LUNA.prices is not None
    mute = LUNA.prices.model_copy(update={"text_output": None})
    assert isinstance(mute, Prices)
    assert isinstance(LUNA.vision, Vision)
    assert answer_cost_usd(LUNA.vision, mute, parameters, "x", [SHOWN], "interactive") is None
    no_batch = LUNA.model_copy(update={"prices": LUNA.prices.model_copy(update={"batch_factor": None})})
    with pytest.raises(CatalogueError, match="batch lane"):
        no_batch.estimate_usd(parameters, "x", [SHOWN], "batch")
    with pytest.raises(CatalogueError, match="token count for pictures"):
        LUNA.model_copy(update={"vision": None}).estimate_usd(parameters, "x", [SHOWN])


def faults(**score: Any) -> list[str]:
    """List what is wrong with a campaign's judging at CometAPI."""
    subject = campaign(score=score, provider="cometapi")
    found = judging_faults(subject, CATALOGUE, PROVIDERS, ["judge", "duel"])
    return [f"{'.'.join(fault.path)}: {fault.what}" for fault in found]


def test_what_a_campaign_gets_wrong_about_judging_is_told() -> None:
    """A missing section, a model without eyes, an unknown one, a seller without a price."""
    assert faults(weights={"duel": 1}) == ["score.duel: is missing, but score.weights uses it"]
    assert faults(duel={"model": "gpt-image-2"}) == [
        "score.duel.model: gpt-image-2 makes pictures and cannot judge them"
    ]
    assert "there is no model 'gpt-7'" in faults(duel={"model": "gpt-7"})[0]
    assert "has no dated price" in faults(duel={})[0]


def test_what_a_campaign_gets_wrong_about_a_panel_is_told() -> None:
    """No first judge, the same one twice, a provider that there is not."""
    luna = {"model": "gpt-6-luna", "provider": "openai"}
    judge = {"judge": {"provider": "openai", "rubric": RUBRIC}, "weights": {"judge": 1}}
    assert faults(panel={"judges": [luna]}) == [
        "score.panel: a panel is asked what the judge is asked, and there is no judge"
    ]
    assert faults(**judge, panel={"judges": [luna]}) == [
        "score.panel.judges.0: gpt-6-luna at openai is asked already, and would answer the same question"
        " again"
    ]
    assert faults(**judge, panel={"judges": [luna | {"provider": "emulator"}]}) == []
    strange = campaign(score=judge | {"panel": {"judges": [luna | {"provider": "nowhere"}]}})
    assert [fault.path for fault in seller_faults(strange, PROVIDERS)] == [
        ("score", "panel", "judges", "0", "provider")
    ]


def test_a_judge_is_asked_at_its_own_provider() -> None:
    """Its orders are sent there, and a run connects to it; another provider is another question."""
    alone, elsewhere = (
        campaign(score={"weights": {"judge": 1}, "judge": {"rubric": RUBRIC, "provider": provider}})
        for provider in (None, "emulator")
    )
    assert (alone.sellers, elsewhere.sellers) == (("openai",), ("openai", "emulator"))
    one, other = (Questions(asked, "run", "/runs").about(a_draft("c-1")) for asked in (alone, elsewhere))
    assert (one.provider, other.provider) == ("openai", "emulator")
    assert one.question != other.question


def test_a_model_that_sees_nothing_cannot_judge(tmp_path: Path) -> None:
    """The user's own catalogue may hold one."""
    (tmp_path / "catalogue.yaml").write_text("models: {gpt-6-luna: {vision: null}}", "utf-8")
    blind = load_catalogue(tmp_path, environ={})
    found = list(judging_faults(judged(), blind, PROVIDERS, ["judge"]))
    assert [fault.what for fault in found] == ["gpt-6-luna cannot see pictures"] * 2


WEIGHTS = {"technical": 1.0, "judge": 3.0}


def opined(name: str, value: float | None, reason: str = "judge: no answer, it was not asked") -> Candidate:
    """Make a survivor with a judge's score."""
    return a_draft(name, scores={"judge": Score(value, "" if value is not None else reason)})


def test_pictures_without_an_opinion_are_counted_by_reason_and_left_out_of_the_test() -> None:
    """As long as others have one; the provider's own words are not part of the reason."""
    drafts = [
        opined("c-1", 0.5),
        opined("c-2", None, "judge: no answer, the provider failed: request 17"),
        opined("c-3", None, "judge: no answer, the provider failed: request 18"),
        opined("c-4", None, "judge: no score, the answer is broken"),
        a_draft("c-5", standing=Standing("duplicate", "c-1", "c-1", "near", 1)),
        a_draft("c-6", standing=None),
    ]
    assert missing_score_warnings(drafts, WEIGHTS) == [
        "judge: 3 of 4 unique images without its score (no answer, the provider failed: 2; no score, the "
        "answer is broken: 1); their total is from the other scorers."
    ]
    assert partly_scored(drafts, WEIGHTS) == {"c-2", "c-3", "c-4"}
    assert "gave them no score: 3 pictures." in note_of_test(drafts, WEIGHTS)


def test_a_judge_that_answered_for_nobody_leaves_nobody_out() -> None:
    """The arms are compared by the other scorers, and a note says so."""
    drafts = [opined("c-1", None), opined("c-2", None)]
    assert partly_scored(drafts, WEIGHTS) == set()
    assert note_of_test(drafts, WEIGHTS) == "Compared without judge, which gave no score."
    assert note_of_test(drafts, {"technical": 1.0}) == ""
    assert missing_score_warnings([opined("c-1", 0.2)], WEIGHTS) == []


def test_a_picture_without_a_rival_misses_nothing() -> None:
    """It was in no duel because there was no other picture; an odd reason is shown as it is."""
    alone = a_draft("c-1", scores={"duel": Score(None, "duel: was in no pair")})
    assert without_score([alone], "duel") == []
    odd = a_draft("c-2", scores={"duel": Score(None, "odd")})
    assert (
        "duel: 1 of 1 unique image without its score (odd: 1)"
        in missing_score_warnings([odd], {"duel": 1.0})[0]
    )


def test_a_judge_that_weighs_nothing_keeps_nobody_out() -> None:
    """It records without counting, so no total holds it."""
    drafts = [opined("c-1", 0.5), opined("c-2", None)]
    assert partly_scored(drafts, {"technical": 1.0, "judge": 0.0}) == set()
