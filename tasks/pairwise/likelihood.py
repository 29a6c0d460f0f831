"""The likelihood of the Bradley-Terry model with ties, side preference and blind answers.

By Davidson and Beaver's model, a meeting of two pictures whose strengths differ by d log-odds ends left, tied
or right as exp((d + s)/2) : t : exp(-(d + s)/2). The weight t is the judge's tendency to tie, and s its
preference for the left side, which it sees first. In addition, some answers do not depend on the pictures:
one share of all names the left one whatever is shown, another the right one. A model without them would make
all pictures look more alike than they are, with intervals that are wrong.

All parameters are fitted together, by penalised maximum likelihood; standard errors come from the curvature
at the maximum: the observed information and the prior's. No library at hand supports both ties and a prior;
statsmodels, without a prior, gives the same result (see the tests).

Sources: R. R. Davidson (1970), "On extending the Bradley-Terry model to accommodate ties in paired comparison
experiments"; R. R. Davidson and R. J. Beaver (1977), "On extending the Bradley-Terry model to incorporate
within-pair order effects"; T. A. Louis (1982), "Finding the observed information matrix when using the EM
algorithm".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR_SD = 1.5
"""Before any meeting, strengths are taken to lie within about +-3 log-odds (twice this): so a picture that
won its only meeting does not become unbeatable."""

_LEFT, _TIE, _RIGHT = 0, 1, 2
_LOGITS = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [-0.5, -0.5, 0.0]])
"""How an answer's log weight grows with the difference of strengths, s and log t; a row for each answer."""
_SQUARES = np.array([np.outer(row, row).ravel() for row in _LOGITS])
_NAMED = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
"""Which side an answer names."""


@dataclass(frozen=True, slots=True)
class Prior:
    """The prior: normal distributions, as mean and standard deviation.

    The prior of the blind shares was chosen by simulation (benchmarks/README.md, Duels): the intervals have
    their coverage both with a judge that always looks and with one that names one side blindly in a fifth of
    its answers.

    Args:
        strength_sd: Of strengths, in log-odds; their mean is 0.
        side: Of s, in log-odds.
        tie: Of log t; at the mean one meeting of equals in five is a tie.
        blind: Of the log of either blind share over the share of answers that look.
    """

    strength_sd: float = PRIOR_SD
    side: tuple[float, float] = (0.0, 0.5)
    tie: tuple[float, float] = (float(np.log(0.5)), 1.5)
    blind: tuple[float, float] = (-1.0, 1.5)


@dataclass(frozen=True, slots=True)
class Fit:
    """The fitted parameters.

    Args:
        log_odds: Strength of each picture above the average of all, shape (n,).
        errors: Their standard errors, shape (n,).
        side: s: the log-odds by which the left one is preferred, if the judge looks.
        tie_weight: t: if the judge looks, t in 2 + t meetings of equals are ties.
        blind: Shares of the answers that name the left and the right one without looking, each 0 to 1.
    """

    log_odds: Floats
    errors: Floats
    side: float
    tie_weight: float
    blind: tuple[float, float]


def fit(n_pictures: int, met: Sequence[tuple[int, int, float]], prior: Prior | None = None) -> Fit:
    """Fit the strengths of the pictures 0 to ``n_pictures - 1``, with their standard errors.

    Args:
        n_pictures: The number of pictures.
        met: Left picture, right picture, the left one's result: 1 won, 0.5 tied, 0 lost.
        prior: The prior; ``Prior()`` by default.

    Cost: free; some ten steps of O(m + n²) for m meetings, and O(n³) once, for the errors.
    """
    from scipy.optimize import minimize

    posterior = _Posterior(n_pictures, met, prior or Prior())
    found = minimize(
        posterior.loss,
        posterior.mean,
        jac=posterior.slope,
        hess=posterior.curvature,
        method="trust-ncg",
        options={"gtol": 1e-6},
    ).x
    spread = posterior.spread(found)[:n_pictures, :n_pictures]
    centred = np.eye(n_pictures) - 1 / n_pictures
    shares = np.exp(_log_shares(found))
    return Fit(
        log_odds=centred @ found[:n_pictures],
        errors=np.sqrt(np.diag(centred @ spread @ centred)),
        side=float(found[n_pictures]),
        tie_weight=float(np.exp(found[n_pictures + 1])),
        blind=(float(shares[1]), float(shares[2])),
    )


class _Posterior:
    """The negative penalised log-likelihood, with its first and second derivatives.

    Its parameters, shape (n + 4,), are the strengths, s, log t, and the log of each blind share over the
    share of answers that look. A meeting depends on five numbers: a difference of strengths, and the last
    four.
    """

    def __init__(self, n_pictures: int, met: Sequence[tuple[int, int, float]], prior: Prior) -> None:
        left, right, result = zip(*met, strict=True)
        self.n = n_pictures
        self.left, self.right = np.array(left), np.array(right)
        self.answer = np.choose((2 * np.array(result)).astype(int), [_RIGHT, _TIE, _LEFT])
        shared = [prior.side, prior.tie, prior.blind, prior.blind]
        self.mean = np.array([0.0] * n_pictures + [mean for mean, _ in shared])
        self.precision = np.array([prior.strength_sd] * n_pictures + [sd for _, sd in shared]) ** -2

    def loss(self, at: Floats) -> float:
        log_likelihood = np.logaddexp(*self._looked_and_blind(at, self._log_chances(at))).sum()
        return float(self.precision @ (at - self.mean) ** 2 / 2 - log_likelihood)

    def slope(self, at: Floats) -> Floats:
        surprise, looked, shares = self._expectations(at)[1:]
        by_difference = looked * surprise[:, 0]
        by_side_and_tie = looked @ surprise[:, 1:]
        by_shares = (1 - looked) @ _NAMED[self.answer] - shares * len(looked)
        by_strength = np.bincount(self.left, by_difference, self.n) - np.bincount(
            self.right, by_difference, self.n
        )
        gain = np.concatenate([by_strength, by_side_and_tie, by_shares])
        slope: Floats = self.precision * (at - self.mean) - gain
        return slope

    def curvature(self, at: Floats) -> Floats:
        return np.diag(self.precision) + self._information(at)

    def spread(self, at: Floats) -> Floats:
        """Return the parameters' covariance, in no direction wider than the prior's.

        Contradictory meetings can be explained in two ways, by blind answers or by chance; between the two
        the curvature may be flatter than the prior's or even negative, and its inverse would be meaningless.
        """
        values, vectors = np.linalg.eigh(self._information(at))
        learnt = (vectors * np.maximum(values, 0)) @ vectors.T
        spread: Floats = np.linalg.inv(np.diag(self.precision) + learnt)
        return spread

    def _information(self, at: Floats) -> Floats:
        """Apply Louis's formula: the information if it were known who looked, less what is missing."""
        covariance, surprise, looked, shares = self._expectations(at)
        differing = np.concatenate([surprise, -_NAMED[self.answer]], axis=1)
        doubt = looked * (1 - looked)
        each = -doubt[:, None, None] * differing[:, :, None] * differing[:, None, :]
        each[:, :3, :3] += looked[:, None, None] * covariance
        each[:, 3:, 3:] += np.diag(shares) - np.outer(shares, shares)
        return self._gathered(each)

    def _gathered(self, each: Floats) -> Floats:
        """Sum the meetings' contributions into the parameters that their five numbers are made of."""
        total = np.zeros((self.n + 4, self.n + 4))
        for one, its_sign in ((self.left, 1), (self.right, -1)):
            for other, sign in ((self.left, 1), (self.right, -1)):
                np.add.at(total, (one, other), its_sign * sign * each[:, 0, 0])
            np.add.at(total[:, self.n :], one, its_sign * each[:, 0, 1:])
        total[self.n :, : self.n] = total[: self.n, self.n :].T
        total[self.n :, self.n :] = each[:, 1:, 1:].sum(axis=0)
        return total

    def _log_chances(self, at: Floats) -> Floats:
        """Return the log probabilities of left, tie and right if the judge looks, shape (m, 3)."""
        difference = at[self.left] - at[self.right]
        return _normalised(np.outer(difference, _LOGITS[:, 0]) + _LOGITS[:, 1:] @ at[self.n : self.n + 2])

    def _looked_and_blind(self, at: Floats, log_chances: Floats) -> tuple[Floats, Floats]:
        """Return the log probabilities of the answer being given by looking, and blindly."""
        log_look, log_left, log_right = _log_shares(at)
        looked = log_look + log_chances[np.arange(len(self.answer)), self.answer]
        return looked, np.array([log_left, -np.inf, log_right])[self.answer]

    def _expectations(self, at: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Compute what both derivatives need.

        Returns:
            For each meeting, with respect to the difference of strengths, s and log t: the covariance of the
            answers possible by looking, and the difference of the actual answer from their mean; then the
            probability that it looked; and the two blind shares.
        """
        log_chances = self._log_chances(at)
        chances = np.exp(log_chances)
        mean = chances @ _LOGITS
        squares = (chances @ _SQUARES).reshape(-1, 3, 3)
        covariance = squares - mean[:, :, None] * mean[:, None, :]
        looked, blind = self._looked_and_blind(at, log_chances)
        chance_looked = np.exp(looked - np.logaddexp(looked, blind))
        return covariance, _LOGITS[self.answer] - mean, chance_looked, np.exp(_log_shares(at))[1:]


def _log_shares(at: Floats) -> Floats:
    """Return the log shares of answers that look, that name the left blindly, and the right; shape (3,)."""
    return _normalised(np.concatenate([[0.0], at[-2:]]))


def _normalised(log_weights: Floats) -> Floats:
    """Normalise log weights to log probabilities along the last axis; faster here than scipy's."""
    chances: Floats = log_weights - np.logaddexp.reduce(log_weights, axis=-1, keepdims=True)
    return chances
