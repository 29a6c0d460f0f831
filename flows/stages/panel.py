"""Asking a run's panel: further judges look at the best pictures, once all drafts are judged."""

import asyncio

from flows.evaluation.panel import best_pictures, has_panel, panel_questions
from flows.evaluation.run_questions import questions_of
from flows.session.session import Session
from flows.stages.judging import ask_in_flow, choose_form, tell_stop, warn_of_share
from flows.stages.judging_share import ask_within_share
from tasks.campaign.statements import statements_of
from tasks.catalogue.estimates import Estimates


async def ask_panel(run: Session) -> None:
    """Have the best pictures judged by the campaign's further judges. This spends money.

    Nothing is asked twice. A judge who cannot be asked is left out; the others' answers count.
    """
    if run.buyer.closed_by is not None or not has_panel(run.stored):
        return
    drafts = await asyncio.to_thread(run.stored.read_candidates, "draft")
    best = best_pictures(run.campaign, drafts)
    prepared = run.prepared
    estimates = Estimates(prepared.catalogue, prepared.terms.provider, prepared.providers)
    n_left = 0
    for questions in panel_questions(questions_of(run.stored, estimates)):
        asked = [
            one
            for one in best
            if statements_of(run.campaign, one.row, one.arm) and not questions.fault_beside(one)
        ]
        form = await choose_form(run, questions, asked)
        groups = [questions.all_about(one, form) for one in asked]
        n_left += await ask_within_share(run, groups, ask_in_flow)
    warn_of_share(run, n_left, "question", "to the panel not asked")
    tell_stop(run)
