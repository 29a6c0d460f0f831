"""Score against dollars: who is beaten in both, what is drawn, and what the arms differ in besides."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.report_page.facts import ArmFacts
from tasks.report_page.frontier import HEIGHT, WIDTH, describe_differences, draw_frontier


def facts(provider: str = "", **parameters: Any) -> ArmFacts:
    """Describe what an arm asks for."""
    return ArmFacts(prompt="p", parameters=parameters, provider=provider)


def arm(name: str, score: float | None, usd: float | None, **parameters: Any) -> dict[str, Any]:
    """Describe an arm as the page has it; its cost is an estimate."""
    provider = parameters.pop("provider", "")
    return {
        "name": name,
        "facts": facts(provider, model="m", **parameters),
        "measures": {
            "mean_score": score, "cost_per_unique_image_usd": None, "charged_per_unique_image_usd": usd,
        },
    }  # fmt: skip


def test_an_arm_that_is_dearer_and_no_better_is_beaten() -> None:
    """Of equals in both none is."""
    drawn = draw_frontier(
        [arm("A", 0.7, 0.01), arm("B", 0.8, 0.03), arm("C", 0.75, 0.04), arm("D", 0.8, 0.03)]
    )
    assert drawn is not None
    assert {point.arm for point in drawn.points if point.is_best} == {"A", "B", "D"}
    assert drawn.sentence.startswith("On the frontier: A and B and D; C is beaten in both.")
    assert "scores 0.10 more than A, at $0.0300 instead of $0.0100" in drawn.sentence


def test_one_arm_may_be_best_in_both() -> None:
    """Then there is nothing to weigh."""
    drawn = draw_frontier([arm("A", 0.8, 0.01), arm("B", 0.7, 0.03)])
    assert drawn is not None
    assert drawn.sentence == "A has the highest mean score and the lowest price of a unique image."


def test_without_two_arms_to_compare_there_is_no_chart() -> None:
    """One arm, or no score, or no price."""
    assert draw_frontier([arm("A", 0.8, 0.01)]) is None
    assert draw_frontier([arm("A", 0.8, 0.01), arm("B", None, 0.01), arm("C", 0.5, None)]) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.0001, 100)), min_size=2, max_size=26))
def test_every_point_is_in_the_chart_and_somebody_is_best(measured: list[tuple[float, float]]) -> None:
    """Each beaten arm is beaten by one on the frontier."""
    drawn = draw_frontier([arm(f"A{k}", score, usd) for k, (score, usd) in enumerate(measured)])
    assert drawn is not None
    best = [point for point in drawn.points if point.is_best]
    for point in drawn.points:
        assert 0 <= point.x <= WIDTH
        assert 0 <= point.y <= HEIGHT
        assert point.is_best or any(one.score >= point.score and one.usd <= point.usd for one in best)


def test_what_differs_besides_the_model_is_told() -> None:
    """Only where models or providers differ; otherwise it is what the campaign tests."""
    arms = {
        "A": facts("openai", model="x", size="1024x1024", quality="low"),
        "B": facts("relay", model="y", size="2048x2048", quality="low"),
    }
    assert describe_differences(arms) == (
        "Besides the model and who sells it, the arms differ in size (A: 1024x1024; B: 2048x2048)."
    )
    alike = {"A": facts(model="x", quality="low"), "B": facts(model="x", quality="high")}
    assert describe_differences(alike) == ""
