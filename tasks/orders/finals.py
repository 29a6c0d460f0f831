"""Builds the orders of finals, for each edition and attempt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.attachments.attachments import NOTHING, fill_mask
from tasks.attachments.fit import frame_draft
from tasks.attachments.masks import plan_mask
from tasks.attachments.paths import fill_path
from tasks.attachments.references import ReferenceFaultError, read_mask, read_reference
from tasks.attachments.sent_before import NOTHING_BEFORE, Sent, SentBefore, find_gone
from tasks.campaign import Campaign, Row
from tasks.campaign.finals import Finals
from tasks.campaign.mask import Mask
from tasks.campaign.prompts import DEFAULT_GENERATE_PROMPT, PromptTemplate, finals_template, own_words
from tasks.candidate import Candidate
from tasks.catalogue import Catalogue
from tasks.catalogue.estimates import Estimates
from tasks.catalogue.providers import Providers
from tasks.catalogue.sizes import Size, parse_size
from tasks.errors import RunError
from tasks.order import Order, Reference
from tasks.storage.home import DEFAULT_HOME, drawn_folder


def plan_finals(
    campaign: Campaign,
    catalogue: Catalogue,
    providers: Providers,
    finalists: Sequence[Candidate],
    *,
    run_id: str,
    folder: Path | str,
    home: Path = Path(DEFAULT_HOME),
    attempt: int = 0,
    edition: Finals | None = None,
    before: SentBefore = NOTHING_BEFORE,
) -> list[Order]:
    """Build the orders of one attempt at an edition's finals, without writing the pictures to send.

    Args:
        campaign: The campaign to run, with retired models replaced by their successors.
        catalogue: Models and prices.
        providers: The providers.
        finalists: Inspected drafts, in the order in which they are bought.
        run_id: The run they belong to.
        folder: The run's folder, to which the drafts' files are relative.
        home: Runoff's home; masks and framed drafts are stored below it. ``./runs`` by default.
        attempt: Which attempt at each final, from 0.
        edition: One of the campaign's editions; by default the first.
        before: What the run sent before, for pictures that cannot be read any more.

    Raises:
        RunError: A draft to be sent was never inspected, or a picture cannot be sent.
        CatalogueError: Something has no price.
    """
    edition = edition or campaign.editions[0]
    provider = campaign.final_provider(edition)
    estimates = Estimates(catalogue, providers.provider(provider))
    drawn = drawn_folder(home)
    is_edit = edition.method_of(attempt) == "edit"
    parameters, template = edition.parameters(n=1, is_edit=is_edit), final_template(edition, attempt)
    orders = []
    for draft in finalists:
        row = campaign.all_rows[draft.row]
        prompt = template.render({**row, "prompt": own_words(draft.prompt)})
        known = before.finals.get((draft.candidate_id, edition.name))
        sent = _sent(edition, draft, row, Path(folder), drawn, known) if is_edit else NOTHING
        orders.append(
            Order(
                run_id=run_id,
                campaign=campaign.name,
                stage="final",
                arm=draft.arm,
                row=draft.row,
                replicate=draft.replicate,
                attempt=attempt,
                prompt=prompt,
                provider=provider,
                endpoint="edits" if is_edit else "generations",
                parameters=parameters,
                references=sent.references,
                mask=sent.mask,
                estimate_usd=estimates.of(parameters, prompt, sent.references).high_usd,
                draft_id=draft.candidate_id,
                edition=edition.name,
                further_round=draft.further_round,
            )
        )
    return orders


def final_template(edition: Finals, attempt: int) -> PromptTemplate:
    """Choose the template of an attempt's prompt: a fallback uses the draft's own text."""
    if edition.method_of(attempt) != edition.method:
        return PromptTemplate(DEFAULT_GENERATE_PROMPT)
    return PromptTemplate(finals_template(edition.prompt, edition.method, edition.fit))


def require_sendable(orders: Iterable[Order]) -> None:
    """Check that every picture is there that these finals send.

    Raises:
        RunError: One is gone, or is another by now.
    """
    for order in orders:
        if faults := list(find_gone([order])):
            raise _not_sendable(str(order.draft_id), "; ".join(faults))


def _not_sendable(draft_id: str, what: str) -> RunError:
    return RunError(
        where=f"the final of {draft_id}",
        what=what,
        money="It was not bought; what was bought before is kept.",
        next_step="Restore the picture, or choose another finalist: runoff review. Then: runoff promote",
    )


def _sent(edition: Finals, draft: Candidate, row: Row, folder: Path, drawn: Path, known: Sent | None) -> Sent:
    try:
        size = parse_size(edition.size) or Size(1, 1)
        first = frame_draft(_draft_reference(draft, folder), size, edition.fit, drawn)
        others = [read_reference(fill_path(file, row)) for file in edition.references]
        return Sent((first, *others), _mask(edition, first, row, drawn))
    except (ReferenceFaultError, OSError) as error:
        if known is not None:
            return known
        raise _not_sendable(draft.candidate_id, str(error)) from error


def _mask(edition: Finals, first: Reference, row: Row, drawn: Path) -> Reference | None:
    if edition.mask is None:
        return None
    if isinstance(edition.mask, Mask):
        return plan_mask(fill_mask(edition.mask, row), first, drawn)
    return read_mask(fill_path(edition.mask, row), first)


def _draft_reference(draft: Candidate, folder: Path) -> Reference:
    seen = draft.inspection
    if seen is None or seen.width is None or seen.height is None or seen.format is None:
        raise RunError(
            where=f"finalist {draft.candidate_id}",
            what="was never inspected, so its size and format are not known",
            next_step="Inspect its pictures again: runoff rescore",
        )
    return Reference(f"{folder}/{draft.file}", draft.sha256, seen.width, seen.height, f"image/{seen.format}")


@dataclass(frozen=True)
class _Wanted:
    """What a final of one edition and method requests today, apart from the draft and its prompt."""

    edition: str | None
    provider: str
    endpoint: str
    parameters: dict[str, Any]
    has_mask: bool
    n_references: int


def wants_final(campaign: Campaign) -> Callable[[Order], bool]:
    """Return a function that says whether a planned final is what the campaign requests today."""
    wanted = [
        _Wanted(
            edition=edition.name,
            provider=campaign.final_provider(edition),
            endpoint="edits" if is_edit else "generations",
            parameters=edition.parameters(n=1, is_edit=is_edit),
            has_mask=is_edit and edition.mask is not None,
            n_references=1 + len(edition.references) if is_edit else 0,
        )
        for edition in campaign.editions
        for is_edit in {edition.method_of(attempt) == "edit" for attempt in range(edition.tries)}
    ]

    def is_wanted(order: Order) -> bool:
        asked = _Wanted(
            edition=order.edition,
            provider=order.provider,
            endpoint=order.endpoint,
            parameters=dict(order.parameters),
            has_mask=order.mask is not None,
            n_references=len(order.references),
        )
        return asked in wanted

    return is_wanted
