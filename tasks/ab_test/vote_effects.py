"""Which factors matter to people: the effect of each level on the votes between two arms.

A Bradley-Terry model with covariates: the log-odds that one picture is preferred are the difference of what
its levels are worth. A tie is half a vote for each. Half a vote for and against every level keeps a landslide
finite. Votes of one row, and of one person, are alike, so rows and people are the clusters; the degrees of
freedom are Satterthwaite's, as in ``preferences``.

Source: R. A. Bradley, M. E. Terry (1952), "Rank analysis of incomplete block designs"; M. Cattelan (2012),
"Models for paired comparison data", section 3 (covariates); A. C. Cameron, J. Gelbach, D. Miller (2011),
"Robust inference with multiway clustering".
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.ab_test.effects import Effect, corrected, interval
from tasks.ab_test.factor_model import Estimate, Floats, Levels
from tasks.ab_test.preferences import ENOUGH_ROWS, ENOUGH_VOTES, ArmVote

_SHARES = {"first": 1.0, "second": 0.0, "tie": 0.5}
_PRIOR_VOTES = 1.0


def estimate_vote_effects(
    votes: Sequence[ArmVote], levels_by_arm: Mapping[str, Mapping[str, str]], levels: Levels
) -> list[Effect]:
    """Estimate how much more often than half a level is preferred to its baseline, all else equal.

    Args:
        votes: Votes between two arms' pictures of one row; those that call both bad do not count.
        levels_by_arm: The levels of each arm; votes on other arms do not count.
        levels: The factors' levels, the baseline first.

    Returns:
        Main effects, with differences and intervals as shares of votes; empty with too few votes or rows.
    """
    used = [
        vote for vote in votes if vote.answer in _SHARES and all(arm in levels_by_arm for arm in vote.arms)
    ]
    if len(used) < ENOUGH_VOTES or len({vote.row for vote in used}) < ENOUGH_ROWS:
        return []
    named = [(factor, level) for factor, names in levels.items() for level in names[1:]]
    design = np.array([_differences(vote, levels_by_arm, named) for vote in used])
    is_seen: NDArray[np.bool_] = np.any(design != 0, axis=0)
    if not is_seen.any() or np.linalg.matrix_rank(design[:, is_seen]) < is_seen.sum():
        return []
    design, named = design[:, is_seen], [one for one, seen in zip(named, is_seen, strict=True) if seen]
    shares = np.array([_SHARES[vote.answer] for vote in used])
    coefficients, inverse = _fit(design, shares)
    chances = 1 / (1 + np.exp(-design @ coefficients))
    pulls = (design * (shares - chances)[:, None]) @ inverse
    rows, people = _numbered([vote.row for vote in used]), _numbered([vote.voter for vote in used])
    found = [
        _effect(factor, level, levels, float(coefficients[place]), pulls[:, place], rows, people)
        for place, (factor, level) in enumerate(named)
    ]
    return corrected(found)


def _differences(
    vote: ArmVote, levels_by_arm: Mapping[str, Mapping[str, str]], named: Sequence[tuple[str, str]]
) -> list[float]:
    first, second = (levels_by_arm[arm] for arm in vote.arms)
    return [float(first.get(factor) == level) - float(second.get(factor) == level) for factor, level in named]


def _fit(design: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Fit by maximum likelihood, with the prior's votes; returns the coefficients and their covariance."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    n_levels = design.shape[1]
    whole = np.vstack([design, np.eye(n_levels)])
    wanted = np.concatenate([shares, np.full(n_levels, 0.5)])
    weights = np.concatenate([np.ones(len(shares)), np.full(n_levels, _PRIOR_VOTES)])
    fit = GLM(wanted, whole, family=Binomial(), freq_weights=weights).fit()
    return np.asarray(fit.params), np.asarray(fit.normalized_cov_params)


def _numbered(names: Sequence[object]) -> NDArray[np.int64]:
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.array([places[name] for name in names])


def _effect(
    factor: str,
    level: str,
    levels: Levels,
    value: float,
    pulls: Floats,
    rows: NDArray[np.int64],
    people: NDArray[np.int64],
) -> Effect:
    alone = float((pulls**2).sum()) * len(pulls) / (len(pulls) - 1)
    by_row, by_person = _clustered(pulls, rows), _clustered(pulls, people)
    of_rows, of_people = max(by_row - alone, 0.0), max(by_person - alone, 0.0)
    variance = alone + of_rows + of_people
    doubt = of_rows**2 / int(rows.max()) + by_person**2 / max(int(people.max()), 1)
    freedom = max(variance**2 / doubt, 1.0) if doubt else np.inf
    low, high, p_value = interval(Estimate(value, variance**0.5, freedom))
    difference, low, high = (1 / (1 + np.exp(-one)) - 0.5 for one in (value, low, high))
    return Effect(
        (factor,), (level,), (levels[factor][0],), float(difference), float(low), float(high), p_value
    )


def _clustered(pulls: Floats, clusters: NDArray[np.int64]) -> float:
    """Return the variance of a coefficient from sums over clusters; 0 with a single cluster."""
    sums, n_clusters = np.bincount(clusters, pulls), int(clusters.max()) + 1
    return float((sums**2).sum()) * n_clusters / (n_clusters - 1) if n_clusters > 1 else 0.0
