"""Whatever a message says: what follows from it is decided by a code, a type or a figure beside it."""

import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tasks.campaign.prompts import EmptyPromptError, PromptTemplate
from tasks.candidate import Score
from tasks.catalogue import load_catalogue
from tasks.catalogue.providers import load_providers
from tasks.errors import BudgetError
from tasks.images_api.batch_lane.rejection import rejected_orders
from tasks.images_api.batch_lane.report import BatchFault, BatchReport
from tasks.images_api.failures import Failure, FailureKind, Remedy, failure_of_answer
from tasks.images_api.stop_messages import stop_for
from tasks.images_api.terms import Terms
from tasks.judging.duels import QUESTIONS
from tasks.ledger import Limits, open_ledger
from tasks.ledger.budgets import LEDGER_PER_MONTH
from tasks.orders.missing_scores import without_score
from tasks.scorers.duel import DuelScorer
from tests.support.builders import NOON, RUN_ID, an_order
from tests.support.draft_builders import a_draft


@pytest.mark.parametrize(
    ("limits", "budget"),
    [
        (Limits(per_run_usd=Decimal("0.001")), "per_run_usd"),
        (Limits(per_month_usd=Decimal("0.001")), "per_month_usd"),
        (Limits(ledger_per_month_usd=Decimal("0.001")), LEDGER_PER_MONTH),
    ],
)
def test_a_budget_that_is_used_up_names_itself(tmp_path: Path, limits: Limits, budget: str) -> None:
    """Where it is raised follows from its name, also in another process."""
    with open_ledger(tmp_path, {}) as ledger:
        ledger.runs.start(RUN_ID, campaign="otters", provider="emulator", now=NOON)
        ledger.orders.plan([an_order()])
        with pytest.raises(BudgetError) as refused:
            ledger.orders.send(an_order(), limits, NOON)
    assert refused.value.budget == budget
    assert pickle.loads(pickle.dumps(refused.value)).budget == budget


@pytest.mark.parametrize("message", ["", "whatever the provider says", "something verified"])
def test_the_way_out_of_a_stop_follows_from_the_failures_facts(message: str) -> None:
    """The same message with other facts has another way out."""
    terms = Terms(load_providers().provider("openai"), load_catalogue(), {})
    known: dict[str, Any] = {"kind": FailureKind.stop_run, "code": "http_403", "message": message}
    unverified = Failure(**known, remedy=Remedy.organization)
    assert "Verify the organization" in str(stop_for(an_order(), unverified, terms))
    assert "Verify the organization" not in str(stop_for(an_order(), Failure(**known), terms))


def test_a_model_that_is_gone_has_a_successor_in_either_lane(tmp_path: Path) -> None:
    """One by one or in a batch, resuming uses it; the account is not at fault."""
    terms = Terms(load_providers().provider("openai"), load_catalogue(), {})
    fault = BatchFault(1, "model_not_found", "does not exist or you do not have access")
    rejected = rejected_orders(BatchReport("batch_1", "failed", (), 0, (fault,)), [], tmp_path / "gone")
    alone = failure_of_answer(404, {"error": {"code": "model_not_found", "message": "gone"}}, {}, "")
    for failure in (rejected.fault, alone):
        assert "its successor is used if the campaign names one" in str(stop_for(an_order(), failure, terms))


def test_only_the_providers_own_words_tell_that_an_organization_is_unverified() -> None:
    """It has no code for it, so they are read where its answers are."""
    body = {"error": {"message": "Your organization must be verified.", "type": "invalid_request_error"}}
    assert failure_of_answer(403, body, {}, "").remedy is Remedy.organization
    other = failure_of_answer(403, {"error": {"message": "No.", "type": "x"}}, {}, "")
    assert other.remedy is Remedy.account


@pytest.mark.parametrize("reason", ["duel: was in no pair", "", "any other words"])
def test_what_a_duel_lacks_follows_from_how_often_it_was_asked(reason: str) -> None:
    """A picture nobody asked about misses nothing; one that was asked about and has no strength does."""
    alone = a_draft("c-1", scores={"duel": Score(None, reason, {QUESTIONS: 0})})
    asked = a_draft("c-2", scores={"duel": Score(None, reason, {QUESTIONS: 2})})
    assert without_score([alone, asked], "duel") == [asked]


def test_the_duel_scorer_tells_how_often_it_asked() -> None:
    """That figure is what is read, by whoever wants to know why there is no value."""
    found = DuelScorer("gpt-6-luna").score(a_draft("c-1"), Path())
    assert (found.value, dict(found.measurements)) == (None, {QUESTIONS: 0})


def test_an_empty_prompt_is_an_error_of_its_own() -> None:
    """Where no text is expected it is no fault."""
    with pytest.raises(EmptyPromptError):
        PromptTemplate("{# only a remark #}").render({})
