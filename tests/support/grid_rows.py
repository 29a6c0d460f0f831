"""Report rows of a design of three factors with one combination left out."""

import itertools
from typing import Any

from tests.support.report_rows import make_draft

LEVELS = {"light": ["soft", "hard"], "lens": ["wide", "tele"], "quality": ["low", "high"]}


def drafts(n_rows: int = 2, left_out: str = "hard_tele_high") -> list[dict[str, Any]]:
    """Make two pictures of each combination and row but one; hard light scores 0.8, soft 0.4."""
    rows = []
    for levels in itertools.product(*LEVELS.values()):
        arm = "_".join(levels)
        score = 0.8 if levels[0] == "hard" else 0.4
        for row, replicate in itertools.product(range(n_rows), range(2) if arm != left_out else ()):
            columns = {f"factor_{name}": level for name, level in zip(LEVELS, levels, strict=True)}
            rows.append(make_draft(arm, row, replicate, score=score, var_product=f"thing {row}", **columns))
    return rows
