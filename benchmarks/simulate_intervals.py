"""How often intervals over speakers contain the true score, and tests are wrong.

Simulates evaluations: speakers of different ability, who are taken for some emotions
more often than for others, have different numbers of utterances and may lack classes.
The true score is the pooled one of all speakers of a kind (400,000 of them). Prints
Markdown tables of the coverage of 95 % intervals, in per cent, for several methods, and
of the differences that a test of two equal systems finds at 5 %. 2,000 evaluations of
each design give the coverage to about one per cent, and take an hour or two.

    python benchmarks/simulate_intervals.py
    python benchmarks/simulate_intervals.py --tables ua --evaluations 1000
    python benchmarks/simulate_intervals.py --resamples 0   # no bootstraps
"""

import argparse
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import expit, logit, softmax

from sklearn_ser.evaluation._comparison import _draw_swaps, _swap_speakers
from sklearn_ser.evaluation._intervals import (
    METRICS,
    _jackknife,
    difference_interval,
    score_counts,
    score_interval,
)

TAIL = 0.025
N_POPULATION = 400_000
Random = np.random.Generator
Limits = tuple[float, float]

EMODB = (0.24, 0.15, 0.15, 0.13, 0.13, 0.11, 0.09)  # shares of its seven emotions
FOUR = (0.4, 0.3, 0.2, 0.1)


@dataclass(frozen=True)
class Design:
    """A population of speakers, and how many of them are evaluated."""

    name: str
    n_speakers: int
    shares: tuple[float, ...] = EMODB
    n_utterances: float = 53.0  # of a speaker, on average
    size: float = 0.3  # standard deviation of its logarithm
    lacking: float = 0.05  # probability that a speaker lacks a class
    single: bool = False  # whether most speakers have one class only
    easy: float = 2.0  # logit of the right class against others
    ability: float = 0.5  # standard deviations of these logits over speakers,
    bias: float = 0.6  # towards a predicted class,
    cell: float = 0.4  # and from one class to another
    larger_easier: float = 0.0  # correlation of size and ability

    def draw_speakers(self, n: tuple[int, ...], random: Random, n_systems: int) -> Any:
        """Draw expected utterances by class, and probabilities of each system."""
        k = len(self.shares)
        ability = random.normal(size=(*n, 1))
        confusions = []
        for _ in range(n_systems):
            logits = 0.8 * (np.eye(k, k=1) + np.eye(k, k=-1))
            logits = logits + self.bias * random.normal(size=(*n, 1, k))
            logits += self.cell * random.normal(size=(*n, k, k))
            right = self.easy + np.linspace(-0.6, 0.6, k) + self.ability * ability
            confusions.append(softmax(logits + np.eye(k) * right[..., None], axis=-1))
        other = random.normal(size=(*n, 1))
        r = self.larger_easier
        size = np.exp(self.size * (r * ability + np.sqrt(1 - r**2) * other))
        size *= self.n_utterances / np.exp(self.size**2 / 2)
        has = random.random((*n, k)) >= self.lacking
        if self.single:
            only = random.integers(k, size=(*n, 1)) == np.arange(k)
            has &= only | (random.random((*n, 1)) < 0.2)
        return size * has * self.shares, confusions

    def truth(self, random: Random) -> dict[str, float]:
        """Return the scores of all speakers."""
        total = 0.0
        for _ in range(20):
            n = (N_POPULATION // 20,)
            expected, (confusion,) = self.draw_speakers(n, random, 1)
            total = total + (expected[..., None] * confusion).sum(axis=0)
        return {metric: float(score_counts(total, metric)) for metric in METRICS}

    def evaluations(
        self, n: int, random: Random, n_systems: int = 1
    ) -> Iterator[list[Any]]:
        """Draw evaluations in which two speakers or more have each class."""
        found = 0
        while found < n:
            of_all = self.draw_speakers((self.n_speakers,), random, n_systems)
            expected, confusions = of_all
            true = random.poisson(expected)
            silent = true.sum(axis=-1) == 0
            true[silent, expected[silent].argmax(axis=-1)] = 1
            if ((true > 0).sum(axis=0) < 2).any():
                continue
            found += 1
            yield [random.multinomial(true, p)[None] for p in confusions]


def designs() -> list[Design]:
    """Return what is simulated."""
    found = []
    for n in (6, 10, 24, 90):
        found += [
            Design(f"{n}, like EMO-DB", n),
            Design(f"{n}, unequal", n, size=0.8, lacking=0.3),
            Design(
                *(f"{n}, unequal, very different", n, FOUR, 40),
                **{"size": 0.8, "lacking": 0.3, "easy": 1.5},
                **{"ability": 1.2, "bias": 1.0, "cell": 0.6},
            ),
            Design(
                *(f"{n}, the larger the easier", n, FOUR, 40),
                **{"size": 0.6, "lacking": 0.1, "easy": 1.5, "larger_easier": 0.5},
                **{"ability": 0.8, "bias": 0.7, "cell": 0.5},
            ),
        ]
    return [
        *found,
        Design(
            *("29, like URDU", 29, (0.25,) * 4, 14),
            **{"size": 1.0, "lacking": 0.0, "single": True, "easy": 1.8},
            **{"ability": 1.2, "bias": 1.0, "cell": 0.6},
        ),
        Design("10, nearly all right", 10, easy=4.0),
        Design("10, near chance", 10, FOUR, 40, easy=-0.2, bias=1.0),
        Design("15, one has most", 15, FOUR, 60, size=1.3, lacking=0.1),
    ]


# Methods: from confusion matrices of one evaluation, (n_speakers, k, k), to limits


def gradient(total: Any, metric: str) -> Any:
    """Return the derivative of a score by each count."""
    k = total.shape[-1]
    hits = np.diagonal(total, axis1=-2, axis2=-1)
    true = total.sum(axis=-1)
    if metric == "wa":
        n = true.sum(axis=-1)[..., None, None]
        return (np.eye(k) - hits.sum(axis=-1)[..., None, None] / n) / n
    occurs = true > 0
    n_classes = occurs.sum(axis=-1)[..., None, None]
    if metric == "ua":
        n = np.maximum(true, 1)
        return (np.eye(k) - (hits / n)[..., None]) / n[..., None] / n_classes
    both = np.maximum(true + total.sum(axis=-2), 1)
    falls = np.where(occurs, hits / both**2, 0.0)
    rises = np.eye(k) * np.where(occurs, 1 / both, 0.0)[..., None]
    return 2 * (rises - falls[..., :, None] - falls[..., None, :]) / n_classes


def t_limits(score: float, error: float, df: float, *, on_logit: bool) -> Limits:
    """Return limits by quantiles of Student's t."""
    half = stats.t.ppf(1 - TAIL, df) * error
    if not on_logit:
        return score - half, score + half
    half /= score * (1 - score)
    low, high = expit(logit(score) + np.array([-half, half]))
    return float(low), float(high)


def jackknives(counts: Any, metric: str) -> dict[str, Limits]:
    """Return the limits of methods that draw nothing."""
    n = len(counts)
    score, error, _ = _jackknife(counts[None], metric)
    if not 0 < score < 1:
        return {"ours": score_interval(counts[None], metric)}
    of_class = counts.sum(axis=-1)
    if metric == "wa":
        weights = of_class.sum(axis=-1)
    else:
        weights = (of_class / of_class.sum(axis=0)).sum(axis=-1)
    effective = weights.sum() ** 2 / (weights**2).sum()
    influence = (gradient(counts.sum(axis=0), metric) * counts).sum(axis=(1, 2))
    linear = float(np.sqrt(n / (n - 1) * (influence**2).sum()))
    return {
        "linear, t": t_limits(score, linear, n - 1, on_logit=False),
        "jackknife, t": t_limits(score, error, n - 1, on_logit=False),
        "… on logits": t_limits(score, error, n - 1, on_logit=True),
        "… Kish's df": t_limits(score, error, max(effective - 1, 1), on_logit=True),
        "ours": score_interval(counts[None], metric),
    }


def bootstraps(counts: Any, metric: str, b: int, random: Random) -> dict[str, Limits]:
    """Return the limits of methods that draw speakers, or utterances."""
    n, k = counts.shape[:2]
    total = counts.sum(axis=0)
    score = float(score_counts(total, metric))
    utterances = random.multinomial(total.sum(), total.ravel() / total.sum(), size=b)
    by_utterance = score_counts(utterances.reshape(b, k, k), metric)
    weights = random.multinomial(n, np.full(n, 1 / n), size=b).astype(float)
    totals = (weights @ counts.reshape(n, -1)).reshape(b, k, k)
    drawn = score_counts(totals, metric)
    tails = [TAIL, 1 - TAIL]
    percentile = np.quantile(drawn, tails)
    # As wide as Student's t is against the normal distribution, on logits.
    wider = stats.t.ppf(TAIL, n - 1) / stats.norm.ppf(TAIL) * np.sqrt(n / (n - 1))
    inside = np.clip(drawn, 1e-6, 1 - 1e-6)
    center = logit(np.clip(score, 1e-6, 1 - 1e-6))
    inflated = expit(center + wider * (np.quantile(logit(inside), tails) - center))
    return {
        "utterances": tuple(np.quantile(by_utterance, tails)),
        "percentile": tuple(percentile),
        "BCa": bca(counts, metric, score, drawn),
        "studentised": studentised(counts, metric, weights, totals, inside, center),
        "inflated": tuple(inflated),
    }


def bca(counts: Any, metric: str, score: float, drawn: Any) -> Limits:
    """Return the limits of the bias-corrected and accelerated bootstrap."""
    without = score_counts(counts.sum(axis=0) - counts, metric)
    below = ((drawn < score).mean() + (drawn <= score).mean()) / 2
    shift = stats.norm.ppf(np.clip(below, 1 / len(drawn), 1 - 1 / len(drawn)))
    u = without.mean() - without
    acceleration = (u**3).sum() / max(6 * (u**2).sum() ** 1.5, 1e-300)
    z = shift + stats.norm.ppf([TAIL, 1 - TAIL])
    low, high = stats.norm.cdf(shift + z / (1 - acceleration * z))
    return float(np.quantile(drawn, low)), float(np.quantile(drawn, high))


def studentised(
    counts: Any, metric: str, weights: Any, totals: Any, inside: Any, center: float
) -> Limits:
    """Return the limits of the studentised bootstrap, on logits."""
    b, n = weights.shape
    flat = counts.reshape(n, -1)
    influence = gradient(totals, metric).reshape(b, -1) @ flat.T
    errors = np.sqrt((weights * influence**2).sum(axis=1)) / (inside * (1 - inside))
    score = expit(center)
    own = gradient(counts.sum(axis=0), metric).ravel() @ flat.T
    error = np.sqrt((own**2).sum()) / (score * (1 - score))
    ratios = (logit(inside) - center) / np.maximum(errors, 1e-9)
    low, high = np.quantile(ratios, [TAIL, 1 - TAIL])
    return float(expit(center - high * error)), float(expit(center - low * error))


# What is printed


def coverage(
    design: Design, metric: str, n: int, b: int, random: Random
) -> dict[str, float]:
    """Return how often each method's interval contains the true score."""
    true = design.truth(random)[metric]
    inside: dict[str, list[bool]] = {}
    for (counts,) in design.evaluations(n, random):
        limits = jackknives(counts[0], metric)
        if b:
            limits = bootstraps(counts[0], metric, b, random) | limits
        for method, (low, high) in limits.items():
            inside.setdefault(method, []).append(low <= true <= high)
    return {method: 100 * float(np.mean(found)) for method, found in inside.items()}


def errors_of_tests(design: Design, n: int, random: Random) -> dict[str, float]:
    """Return how often two equal systems differ, and coverage of differences."""
    found: dict[str, list[bool]] = {}
    for seed, pair in enumerate(design.evaluations(n, random, n_systems=2)):
        first, second = pair
        swaps = _draw_swaps(design.n_speakers, 1024, seed)
        for metric in METRICS:
            _, p = _swap_speakers(first, second, metric, swaps)
            found.setdefault(f"swaps, {metric.upper()}", []).append(p <= 2 * TAIL)
        # As if utterances were independent: given what is right of each system.
        n_true = first[0].sum(axis=-1)
        right = [np.diagonal(c[0], axis1=-2, axis2=-1) for c in (first, second)]
        only_first = random.hypergeometric(right[0], n_true - right[0], right[1])
        a = int((right[0] - only_first).sum())
        c = int((right[1] - only_first).sum())
        p = stats.binomtest(a, a + c).pvalue if a + c else 1.0
        found.setdefault("McNemar, WA", []).append(p <= 2 * TAIL)
        for metric in METRICS:
            low, high = difference_interval(first, second, metric)
            name = f"interval, {metric.upper()}"
            found.setdefault(name, []).append(low <= 0 <= high)
    return {name: 100 * float(np.mean(values)) for name, values in found.items()}


def print_table(
    title: str, rows: dict[str, dict[str, float]], head: str, summary: bool
) -> None:
    """Print a table in Markdown, with the extremes of each column."""
    columns = list(dict.fromkeys(itertools.chain.from_iterable(rows.values())))
    print(f"\n{title}\n\n| {head} | {' | '.join(columns)} |")
    print(f"|---|{'---:|' * len(columns)}")
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(f'{row[c]:.1f}' for c in columns)} |")
    if summary:
        ends: list[Callable[[Any], float]] = [min, max]
        for end in ends:
            texts = [f"{end(row[c] for row in rows.values()):.1f}" for c in columns]
            print(f"| **{end.__name__}** | {' | '.join(texts)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=999)
    parser.add_argument("--tables", nargs="+", default=[*METRICS, "tests"])
    options = parser.parse_args()
    warnings.simplefilter("error")
    b = options.resamples
    for metric in [table for table in METRICS if table in options.tables]:
        random = np.random.default_rng(0)
        rows = {
            design.name: coverage(design, metric, options.evaluations, b, random)
            for design in designs()
        }
        print_table(f"{metric.upper()}, coverage in %", rows, "speakers", True)
    if "tests" not in options.tables:
        return
    random = np.random.default_rng(1)
    tests = {
        design.name: errors_of_tests(design, options.evaluations, random)
        for design in designs()
    }
    print_table(
        "Equal systems: differences found at 5 %, and coverage, in %",
        *(tests, "speakers", True),
    )


if __name__ == "__main__":
    main()
