"""The step that accepts a final: a person's word first, else the attempt with the highest fidelity.

At most one attempt at one edition of one final is accepted. One that a person accepted is chosen over all
others; a rejected one is never chosen. One that lost what it had to keep of its draft, a statement or the
lettering, is not accepted; where that is not known, it is accepted and the reason says so. Where no edit is
good enough, a final made from the prompt alone takes its place.
"""

import math
from collections.abc import Mapping, Sequence

from tasks.campaign.finals import Finals
from tasks.candidate import Candidate, Fidelity
from tasks.decisions import Acceptance
from tasks.judging.conditions import Condition, describe_lost, describe_unknown


def accept(
    finals: Sequence[Candidate],
    fidelities: Mapping[str, Fidelity],
    acceptances: Mapping[str, Acceptance],
    edition: Finals,
    kept: Mapping[str, Sequence[Condition]] = {},
) -> dict[str, tuple[bool, str]]:
    """Accept one of the attempts at one edition of one final, or none.

    Args:
        finals: The attempts.
        fidelities: Candidate id of each attempt that is a usable picture to its fidelity to the draft.
        acceptances: Candidate id to what a person last decided about it; others' are ignored.
        edition: The edition's rules.
        kept: What each attempt must keep of its draft; an attempt that is not named must keep nothing.

    Returns:
        Candidate id of each attempt to whether it is accepted, and the reason with the figures or the person.
    """
    rejected = {name for name, one in acceptances.items() if not one.is_accepted}
    eligible = {name: fidelity for name, fidelity in fidelities.items() if name not in rejected}
    chosen, reason = _choose(edition, finals, eligible, kept)
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


def choose_attempt(
    fidelities: Mapping[str, Fidelity], edition: Finals, kept: Mapping[str, Sequence[Condition]] = {}
) -> tuple[str | None, str]:
    """Choose the attempt with the highest fidelity to its draft, within the bounds of drift.

    Args:
        fidelities: Candidate id of each attempt at one final to its fidelity.
        edition: The least fidelity, and the most zoom, shift and change of tone.
        kept: What each attempt must keep of its draft; none that lost some of it is chosen.

    Returns:
        The accepted attempt's candidate id, or ``None`` when none is accepted; and the reason, with the
        figures.
    """
    if not fidelities:
        return None, "no final: there is no attempt"
    by_fidelity = sorted(fidelities, key=lambda name: (-fidelities[name].value, name))
    faithful = [name for name in by_fidelity if _is_faithful(fidelities[name], edition)]
    if chosen := next((name for name in faithful if not describe_lost(kept.get(name, ()))), None):
        reason = f"accepted: {_describe(fidelities[chosen])}, at least {edition.min_fidelity:.2f}"
        return chosen, reason + _in_doubt(kept.get(chosen, ()))
    tries = "the only attempt has" if len(fidelities) == 1 else f"the best of {len(fidelities)} attempts has"
    if faithful:
        lost = describe_lost(kept[faithful[0]])
        return None, f"not as its draft: {lost}; {tries} {_describe(fidelities[faithful[0]])}"
    best = fidelities[by_fidelity[0]]
    short = f"below {edition.min_fidelity:.2f}" if best.value < edition.min_fidelity else ""
    faults = ", ".join(filter(None, (short, *_excess(best, edition))))
    return None, f"not faithful: {tries} {_describe(best)}, {faults}"


def _is_faithful(fidelity: Fidelity, edition: Finals) -> bool:
    return fidelity.value >= edition.min_fidelity and not _excess(fidelity, edition)


def _in_doubt(kept: Sequence[Condition]) -> str:
    unknown = describe_unknown(kept)
    return f"; {unknown}" if unknown else ""


def _excess(fidelity: Fidelity, edition: Finals) -> list[str]:
    """Say which of zoom, shift and tone is more than the edition allows, and whether it is mirrored.

    What was not measured is neither. An edition without a least fidelity takes whatever comes, and there a
    zoom means nothing.
    """
    if edition.min_fidelity == 0:
        return []
    bounds = (
        ("zoom", fidelity.zoom, edition.max_zoom),
        ("shift", fidelity.shift, edition.max_shift),
        ("tone", fidelity.tone, edition.max_tone),
    )
    excess = [
        f"{name} over {most:.1%}" for name, found, most in bounds if found is not None and abs(found) > most
    ]
    return [*excess, "and it shows the draft mirrored"] if fidelity.is_mirrored else excess


def choose_fallback(
    fidelities: Mapping[str, Fidelity], rejection: str, kept: Mapping[str, Sequence[Condition]] = {}
) -> tuple[str | None, str]:
    """Accept a picture made from the prompt alone, whatever its fidelity, because no edit was accepted.

    Args:
        fidelities: Candidate id of each such picture to its fidelity.
        rejection: Why the edits were not accepted.
        kept: What each must keep of its draft.

    Returns:
        As ``choose_attempt``.
    """
    if not fidelities:
        return None, rejection

    by_fidelity = sorted(fidelities, key=lambda name: (-fidelities[name].value, name))
    best = next((name for name in by_fidelity if not describe_lost(kept.get(name, ()))), None)
    if best is None:
        lost = describe_lost(kept[by_fidelity[0]])
        return None, f"not as its draft, made from the prompt alone: {lost}; edits {rejection}"
    reason = f"accepted in place of an edit, made from the prompt alone: {_describe(fidelities[best])}"
    return best, f"{reason}{_in_doubt(kept.get(best, ()))}; edits {rejection}"


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
    edition: Finals,
    finals: Sequence[Candidate],
    eligible: Mapping[str, Fidelity],
    kept: Mapping[str, Sequence[Condition]],
) -> tuple[str | None, str]:
    """Choose by the edition's rule; if no edit is good enough, a final generated in its place."""
    fallbacks = {final.candidate_id for final in finals if _is_fallback(edition, final)}
    regular = {name: fidelity for name, fidelity in eligible.items() if name not in fallbacks}
    chosen, reason = choose_attempt(regular, edition, kept)
    if chosen is not None:
        return chosen, reason
    return choose_fallback({name: eligible[name] for name in eligible if name in fallbacks}, reason, kept)


def _is_fallback(edition: Finals, final: Candidate) -> bool:
    return edition.method == "edit" and final.endpoint == "generations"


def _verdict(*, is_accepted: bool, decision: Acceptance | None, reason: str) -> tuple[bool, str]:
    """Name the person who decided about a final, otherwise give the rule's reason."""
    if decision is None or decision.is_accepted != is_accepted:
        return is_accepted, reason
    return is_accepted, f"{'accepted' if is_accepted else 'rejected'} by {decision.decided_by}"
