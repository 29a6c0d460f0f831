"""Accepting finals: the best attempt that is good enough, and a person's word over the rule."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.accept import choose_attempt, choose_fallback
from tasks.campaign.finals import Finals
from tasks.candidate import Fidelity
from tasks.judging.conditions import Condition

LOST = [Condition("There is one otter", is_met=False)]
KEPT = [Condition("There is one otter", is_met=True)]
UNJUDGED = [Condition("There is one otter", is_met=None)]


def a_fidelity(value: float, zoom: float = 0.04, shift: float = 0.01, tone: float = 0.03) -> Fidelity:
    """Make a fidelity of the given value."""
    return Fidelity(value, 0.8, 5, 0.9, zoom, shift, tone)


def limits(min_fidelity: float = 0.75, **others: float) -> Finals:
    """Make an edition with these limits."""
    return Finals(model="gpt-image-2.6-sunburst", size="1024x1024", min_fidelity=min_fidelity, **others)  # type: ignore[arg-type]


def test_the_best_attempt_is_accepted_with_its_figures() -> None:
    """The reason carries what was measured and what was asked."""
    chosen, reason = choose_attempt({"c-1": a_fidelity(0.8), "c-2": a_fidelity(0.9)}, limits())
    assert chosen == "c-2"
    assert reason == (
        "accepted: fidelity 0.900 (structure 0.80, colours 0.90, zoom +4.0%, shift 1.0%, tone 3.0%),"
        " at least 0.75"
    )


def test_figures_of_a_final_compared_long_ago_are_told_without_what_was_not_measured() -> None:
    """Such a ledger holds no zoom; nothing is said of it, and no bound of it refuses the final."""
    chosen, reason = choose_attempt({"c-1": Fidelity(0.8, 0.8, 5, 0.9)}, limits(max_zoom=0))
    assert (chosen, reason) == (
        "c-1",
        "accepted: fidelity 0.800 (structure 0.80, colours 0.90), at least 0.75",
    )


def test_an_attempt_that_drifted_too_far_gives_way_to_one_that_did_not() -> None:
    """However faithful it is; where it is the only one, the reason says what was too much."""
    far, near = a_fidelity(0.95, zoom=-0.08, tone=0.2), a_fidelity(0.8)
    assert choose_attempt({"c-1": far, "c-2": near}, limits(max_zoom=0.06))[0] == "c-2"
    chosen, reason = choose_attempt({"c-1": far}, limits(max_zoom=0.06))
    assert chosen is None
    assert reason == (
        "not faithful: the only attempt has fidelity 0.950 (structure 0.80, colours 0.90, zoom -8.0%,"
        " shift 1.0%, tone 20.0%), zoom over 6.0%, tone over 15.0%"
    )


def test_all_attempts_can_be_refused() -> None:
    """None is accepted below the minimum; a near miss is not rounded up."""
    chosen, reason = choose_attempt({"c-1": a_fidelity(0.3), "c-2": a_fidelity(0.7499)}, limits())
    assert chosen is None
    assert reason.startswith("not faithful: the best of 2 attempts has fidelity 0.749 (")
    assert reason.endswith("below 0.75")
    assert choose_attempt({}, limits()) == (None, "no final: there is no attempt")


@given(
    st.dictionaries(st.text("abc", min_size=1), st.floats(0, 1).map(a_fidelity), min_size=1), st.floats(0, 1)
)
def test_the_choice_is_the_best_or_none(fidelities: dict[str, Fidelity], least: float) -> None:
    """Whatever the attempts and their order."""
    chosen, _ = choose_attempt(fidelities, limits(least))
    best = max(fidelity.value for fidelity in fidelities.values())
    assert (chosen is None) == (best < least)
    assert chosen is None or fidelities[chosen].value == best
    assert choose_attempt(dict(reversed(fidelities.items())), limits(least))[0] == chosen


def test_an_attempt_that_lost_what_it_must_keep_gives_way_to_the_next_best() -> None:
    """However faithful it is; where every faithful one lost something, the reason says what."""
    attempts = {"c-1": a_fidelity(0.95), "c-2": a_fidelity(0.8), "c-3": a_fidelity(0.5)}
    assert choose_attempt(attempts, limits(), {"c-1": LOST, "c-2": KEPT})[0] == "c-2"
    chosen, reason = choose_attempt(attempts, limits(), {"c-1": LOST, "c-2": LOST})
    assert chosen is None
    assert reason.startswith(
        "not as its draft: “There is one otter” is true of the draft and not of the final; the best of 3"
        " attempts has fidelity 0.950 ("
    )


def test_an_attempt_that_nobody_answered_about_is_accepted_and_said_to_be_unjudged() -> None:
    """It is paid for, and no answer says nothing about it."""
    chosen, reason = choose_attempt({"c-1": a_fidelity(0.9)}, limits(), {"c-1": UNJUDGED})
    assert chosen == "c-1"
    assert reason.endswith("at least 0.75; unjudged: not known whether “There is one otter” is still true")


def test_a_picture_in_place_of_an_edit_must_keep_as_much() -> None:
    """It may be another picture, but not one that breaks what its draft kept."""
    pair = {"c-1": a_fidelity(0.3), "c-2": a_fidelity(0.2)}
    assert choose_fallback(pair, "not faithful", {"c-1": LOST, "c-2": KEPT})[0] == "c-2"
    chosen, reason = choose_fallback(pair, "not faithful", {"c-1": LOST, "c-2": LOST})
    assert chosen is None
    assert reason == (
        "not as its draft, made from the prompt alone: “There is one otter” is true of the draft and not of"
        " the final; edits not faithful"
    )
