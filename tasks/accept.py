"""The step that accepts a final: a person's word first, else the attempt with the highest fidelity.

At most one attempt at one edition of one final is accepted. One that a person accepted is chosen over all
others; a rejected one is never chosen. Where no edit is good enough, a final made from the prompt alone takes
its place.
"""

import math
from collections.abc import Mapping, Sequence

from tasks.campaign.finals import Finals
from tasks.candidate import Candidate, Fidelity
from tasks.decisions import Acceptance


def accept(
    finals: Sequence[Candidate],
    fidelities: Mapping[str, Fidelity],
    acceptances: Mapping[str, Acceptance],
    edition: Finals,
) -> dict[str, tuple[bool, str]]:
    """Accept one of the attempts at one edition of one final, or none.

    Args:
        finals: The attempts.
        fidelities: Candidate id of each attempt that is a usable picture to its fidelity to the draft.
        acceptances: Candidate id to what a person last decided about it; others' are ignored.
        edition: The edition's rules.

    Returns:
        Candidate id of each attempt to whether it is accepted, and the reason with the figures or the person.
    """
    rejected = {name for name, one in acceptances.items() if not one.is_accepted}
    eligible = {name: fidelity for name, fidelity in fidelities.items() if name not in rejected}
    chosen, reason = _choose(edition, finals, eligible)
    accepted_ids = acceptances.keys() - rejected
    if accepted := [acceptances[f.candidate_id] for f in finals if f.candidate_id in accepted_ids]:
        latest = max(accepted, key=lambda one: one.decided_at)
        chosen, reason = latest.candidate_id, f"another attempt was accepted by {latest.decided_by}"
    return {
        final.candidate_id: _verdict(
            is_accepted=final.candidate_id == chosen,
            decision=acceptances.get(final.candidate_id),
            reason=reason,
        )
        for final in finals
    }


def choose_attempt(fidelities: Mapping[str, Fidelity], edition: Finals) -> tuple[str | None, str]:
    """Choose the attempt with the highest fidelity to its draft, within the bounds of drift.

    Args:
        fidelities: Candidate id of each attempt at one final to its fidelity.
        edition: The least fidelity, and the most zoom, shift and change of tone.

    Returns:
        The accepted attempt's candidate id, or ``None`` when none is accepted; and the reason, with the
        figures.
    """
    if not fidelities:
        return None, "no final: there is no attempt"
    by_fidelity = sorted(fidelities, key=lambda name: (-fidelities[name].value, name))
    within = [name for name in by_fidelity if not _excess(fidelities[name], edition)]
    if within and fidelities[within[0]].value >= edition.min_fidelity:
        chosen = fidelities[within[0]]
        return within[0], f"accepted: {_describe(chosen)}, at least {edition.min_fidelity:.2f}"
    best = fidelities[by_fidelity[0]]
    tries = "the only attempt has" if len(fidelities) == 1 else f"the best of {len(fidelities)} attempts has"
    short = f"below {edition.min_fidelity:.2f}" if best.value < edition.min_fidelity else ""
    faults = ", ".join(filter(None, (short, *_excess(best, edition))))
    return None, f"not faithful: {tries} {_describe(best)}, {faults}"


def _excess(fidelity: Fidelity, edition: Finals) -> list[str]:
    """Say which of zoom, shift and tone is more than the edition allows; what was not measured is not.

    An edition without a least fidelity takes whatever comes, and there a zoom means nothing.
    """
    if edition.min_fidelity == 0:
        return []
    bounds = (
        ("zoom", fidelity.zoom, edition.max_zoom),
        ("shift", fidelity.shift, edition.max_shift),
        ("tone", fidelity.tone, edition.max_tone),
    )
    return [
        f"{name} over {most:.1%}" for name, found, most in bounds if found is not None and abs(found) > most
    ]


def choose_fallback(fidelities: Mapping[str, Fidelity], rejection: str) -> tuple[str | None, str]:
    """Accept a picture made from the prompt alone, whatever its fidelity, because no edit was accepted.

    Args:
        fidelities: Candidate id of each such picture to its fidelity.
        rejection: Why the edits were not accepted.

    Returns:
        As ``choose_attempt``.
    """
    if not fidelities:
        return None, rejection

    best = min(fidelities, key=lambda name: (-fidelities[name].value, name))
    reason = f"accepted in place of an edit, made from the prompt alone: {_describe(fidelities[best])}"
    return best, f"{reason}; edits {rejection}"


def _describe(fidelity: Fidelity) -> str:
    value = math.floor(fidelity.value * 1000) / 1000  # never rounded up to a limit that it misses
    parts = [f"structure {fidelity.ssim:.2f}", f"colours {fidelity.palette:.2f}"]
    if fidelity.zoom is not None:
        parts.append(f"zoom {fidelity.zoom:+.1%}")
    parts += [
        f"{name} {share:.1%}"
        for name, share in (("shift", fidelity.shift), ("tone", fidelity.tone))
        if share is not None
    ]
    return f"fidelity {value:.3f} ({', '.join(parts)})"


def _choose(
    edition: Finals, finals: Sequence[Candidate], eligible: Mapping[str, Fidelity]
) -> tuple[str | None, str]:
    """Choose by the edition's rule; if no edit is good enough, a final generated in its place."""
    fallbacks = {final.candidate_id for final in finals if _is_fallback(edition, final)}
    regular = {name: fidelity for name, fidelity in eligible.items() if name not in fallbacks}
    chosen, reason = choose_attempt(regular, edition)
    if chosen is not None:
        return chosen, reason
    return choose_fallback({name: eligible[name] for name in eligible if name in fallbacks}, reason)


def _is_fallback(edition: Finals, final: Candidate) -> bool:
    return edition.method == "edit" and final.endpoint == "generations"


def _verdict(*, is_accepted: bool, decision: Acceptance | None, reason: str) -> tuple[bool, str]:
    """Name the person who decided about a final, otherwise give the rule's reason."""
    if decision is None or decision.is_accepted != is_accepted:
        return is_accepted, reason
    return is_accepted, f"{'accepted' if is_accepted else 'rejected'} by {decision.decided_by}"
