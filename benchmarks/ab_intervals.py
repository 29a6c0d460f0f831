"""Which interval for the mean difference over rows: six methods on the same campaigns.

The arms differ; three pictures a row. Compared are the paired t interval; the same with two rows added where
few rows differ and a far row counted twice, which is used; the wider of t's and the one that is corrected for
skewness; the studentized bootstrap, which was used from eight rows on; the bootstrap BCa; and the inversion
of the sign-flip test, by the means of random subsets of the rows. Each has its coverage, its median width and
how often it leaves zero out, over the campaigns whose rows differ at all.

Source: P. Hall (1992), "On the removal of skewness by transformation"; A. Davison, D. Hinkley (1997),
"Bootstrap Methods and their Application", 2.4 and 5.3; J. Hartigan (1969), "Using subsample values as typical
values" (random subsets).

Run: python -m benchmarks.ab_intervals [campaigns, default 400]
"""

import sys
import warnings
from collections.abc import Callable

import numpy as np
from scipy import stats

from benchmarks.ab_populations import POPULATIONS, Draw, Floats, Population, breaks, truth_of
from tasks.ab_test.paired_rows import compare_rows

ROWS = (6, 12, 40)
REPLICATES = 3
RESAMPLES = 999
NO_SPREAD = 1e-12

Interval = tuple[float, float]


def main() -> None:
    """Print for each population and number of rows how often each method holds, and its median width."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    warnings.simplefilter("ignore")  # SciPy's, about resamples without a spread
    print(f"{'':15} rows | " + " | ".join(f"{name:>18}" for name in METHODS))
    for name, _, unequal in (*POPULATIONS, Population("breaks in 10 %", breaks, breaks)):
        for rows in ROWS:
            print(f"{name:15} {rows:4} | " + " | ".join(_figures(campaigns, rows, unequal)))


def _figures(campaigns: int, rows: int, draw: Draw) -> list[str]:
    rng, truth = np.random.default_rng(rows), truth_of(draw)
    drawn = [draw(rng, rows, REPLICATES) for _ in range(campaigns)]
    differences = [np.nanmean(first, axis=1) - np.nanmean(second, axis=1) for first, second in drawn]
    known = [each[~np.isnan(each)] for each in differences]
    varied = [each for each in known if each.size > 1 and np.ptp(each) > NO_SPREAD]
    found = [[method(each, rng) for each in varied] for method in METHODS.values()]
    return [
        f"{np.mean([low <= truth <= high for low, high in ends]):6.1%} "
        f"{np.median([high - low for low, high in ends]):5.2f} "
        f"{np.mean([low > 0 or high < 0 for low, high in ends]):5.1%}"
        for ends in found
    ]


def _t(differences: Floats, _: np.random.Generator) -> Interval:
    low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    return float(low), float(high)


def _used(differences: Floats, _: np.random.Generator) -> Interval:
    found = compare_rows(differences, 1 / REPLICATES)
    return (-1, 1) if found.low is None or found.high is None else (found.low, found.high)


def _skewed(differences: Floats, _: np.random.Generator) -> Interval:
    """Take the wider of t's ends and those of Hall's cubic transformation."""
    n, skewness = differences.size, float(stats.skew(differences))
    reach = stats.t.ppf(0.975, n - 1) / n**0.5
    inside = 1 + skewness * (np.array([reach, -reach]) - skewness / (6 * n))
    moved = (np.cbrt(inside) - 1) * 3 / skewness if abs(skewness) > NO_SPREAD else np.array([reach, -reach])
    low, high = differences.mean() - differences.std(ddof=1) * moved
    plain = _used(differences, _)
    return min(float(low), plain[0]), max(float(high), plain[1])


def _studentized(differences: Floats, rng: np.random.Generator) -> Interval:
    drawn = differences[rng.integers(0, differences.size, (RESAMPLES, differences.size))]
    errors = np.maximum(stats.sem(drawn, axis=1), NO_SPREAD)
    low, high = np.quantile((drawn.mean(axis=1) - differences.mean()) / errors, [0.025, 0.975])
    error = stats.sem(differences)
    return max(-1.0, differences.mean() - high * error), min(1.0, differences.mean() - low * error)


def _bca(differences: Floats, rng: np.random.Generator) -> Interval:
    found = stats.bootstrap((differences,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=rng)
    low, high = found.confidence_interval
    return float(low), float(high)


def _sign_flips(differences: Floats, rng: np.random.Generator) -> Interval:
    subsets = rng.random((RESAMPLES, differences.size)) < 0.5
    subsets = subsets[subsets.any(axis=1)]
    low, high = np.quantile((subsets @ differences) / subsets.sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


METHODS: dict[str, Callable[[Floats, np.random.Generator], Interval]] = {
    "t": _t,
    "used": _used,
    "skewness": _skewed,
    "studentized": _studentized,
    "BCa": _bca,
    "sign flips": _sign_flips,
}


if __name__ == "__main__":
    main()
