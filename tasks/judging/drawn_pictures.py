"""Draws the pictures on which a person checks the judge: some that it called true, some that it did not.

One after another, the picture is taken whose answers are the rarest among those drawn so far, so that the
judge's yes and no to every statement are both present where the run has them. What is drawn depends on the
run and the person alone; who wants more gets the same pictures, and further ones.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from tasks.judging.statement_answers import StatementAnswer

N_DRAWN = 20
"""How many pictures a person is asked about at first."""


def draw_pictures(
    judged: Sequence[StatementAnswer], seed: str, n: int = N_DRAWN, first: Collection[str] = ()
) -> list[str]:
    """Draw pictures to be checked.

    Args:
        judged: The judge's answers.
        seed: The run and the person.
        n: How many, at most; those of ``first`` count.
        first: Pictures that are among them in any case: the person has begun with them.

    Returns:
        Candidate ids, in an order that says nothing about the answers.
    """
    answers: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for one in judged:
        if one.is_true is not None and one.is_own:
            answers[one.candidate_id].append((one.template, one.is_true))
    chance = random.Random(seed)
    waiting = sorted(answers)
    chance.shuffle(waiting)
    drawn = [name for name in waiting if name in first]
    waiting = [name for name in waiting if name not in first]
    seen = Counter(answer for name in drawn for answer in answers[name])
    while waiting and len(drawn) < n:
        best = max(waiting, key=lambda name: sum(1 / (1 + seen[answer]) ** 2 for answer in answers[name]))
        waiting.remove(best)
        drawn.append(best)
        seen.update(answers[best])
    random.Random(f"{seed} order").shuffle(drawn)
    return drawn
