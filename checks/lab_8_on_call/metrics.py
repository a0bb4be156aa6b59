"""Two weeks of a recommender's metrics with two incidents in them, and how alarms are scored.

The incidents depend on the seed alone. Reading this file tells how they are planted, not when.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

HOURS = 14 * 24
SYMPTOM_LAG = 2  # hours from a cause to what users feel
HEALTH = ("cache_hit", "null_rate", "p99_ms", "p50_ms", "error_rate", "cpu", "ctr")  # paged on

# metric: level, swing with the season, noise (one standard deviation)
LEVELS = {
    "requests": (50_000.0, 18_000.0, 700.0),
    "cpu": (0.48, 0.14, 0.012),
    "p50_ms": (42.0, 7.0, 0.9),
    "p99_ms": (310.0, 60.0, 10.0),
    "error_rate": (0.0040, 0.0012, 0.00020),
    "cache_hit": (0.86, 0.08, 0.008),
    "null_rate": (0.020, 0.010, 0.0018),
    "ctr": (0.052, 0.006, 0.0008),
}
# cause: what it shifts, by how much, how many hours after the onset
SHIFTS = {
    "cache_hit": (
        ("cache_hit", -0.09, 0),
        ("p99_ms", 110.0, SYMPTOM_LAG),
        ("error_rate", 0.0013, SYMPTOM_LAG + 1),
    ),
    "null_rate": (("null_rate", 0.018, 0), ("ctr", -0.008, SYMPTOM_LAG)),
}
SYMPTOM_OF = {"cache_hit": "p99_ms", "null_rate": "ctr"}

PEOPLE = ("Priya Raman", "Tomasz Wolski", "Amara Nwosu", "Kenji Mori", "Lucia Ferrer")
TRIGGERS = {
    "cache_hit": "release 412: cache nodes restart without the warm-up step",
    "null_rate": "schema 7 of the profile table: two columns renamed",
}
REMEDIES = {
    "cache_hit": "release 412 rolled back, caches warmed from the replica",
    "null_rate": "feature job reads the renamed columns",
}
ROUTINE = (
    "dashboard colours changed",
    "log retention set to 30 days",
    "ranking weights refreshed",
    "certificates renewed",
    "two search nodes replaced",
    "batch size of the nightly export doubled",
    "experiment 88 switched off",
)


class Incident(NamedTuple):
    """What was planted: the causal metric, and the hours [onset, end) of the fault."""

    cause: str
    onset: int
    end: int


class Change(NamedTuple):
    """One line of the change log."""

    hour: int
    what: str
    who: str


def planted(seed: int) -> list[Incident]:
    """The two incidents of a seed, in time order."""
    rng = np.random.default_rng([8, seed, 1])
    first, second = rng.permutation(list(SHIFTS)).tolist()
    early = int(rng.integers(4 * 24, 7 * 24))
    late = int(rng.integers(9 * 24 + 12, 12 * 24))
    hours = rng.integers(20, 26, size=2).tolist()
    return [Incident(first, early, early + hours[0]), Incident(second, late, late + hours[1])]


def service_metrics(seed: int) -> dict[str, np.ndarray]:
    """Eight hourly metrics over 14 days, each of shape (336,), float64.

    All follow the hour of the day and, less, the day of the week. Somewhere a
    burst of traffic comes that harms nobody, and somewhere two faults begin.
    """
    rng = np.random.default_rng([8, seed, 2])
    hour = np.arange(HOURS)
    daily = np.sin(2 * np.pi * (hour - 13) / 24)
    weekly = np.cos(2 * np.pi * (hour - 60) / 168)
    season = daily + 0.1 * weekly
    metrics = {
        name: level + swing * season + noise * rng.standard_normal(HOURS)
        for name, (level, swing, noise) in LEVELS.items()
    }
    before, after = planted(seed)
    burst = int(rng.integers(before.end + 6, after.onset - 12))
    metrics["requests"][burst : burst + 5] *= 1.7
    for incident in (before, after):
        for name, shift, lag in SHIFTS[incident.cause]:
            metrics[name][incident.onset + lag : incident.end + lag] += shift
    return metrics


def change_log(seed: int) -> list[Change]:
    """What was changed in the two weeks, in time order, by whom: mostly harmless work."""
    rng = np.random.default_rng([8, seed, 3])
    entries = []
    for incident in planted(seed):
        entries.append((incident.onset - int(rng.integers(0, 3)), TRIGGERS[incident.cause]))
        entries.append((incident.end, REMEDIES[incident.cause]))
        # between the fault and its cure somebody always changes something else
        entries.append((incident.onset + int(rng.integers(1, 4)), ""))
        entries.append((incident.onset - int(rng.integers(5, 30)), ""))
    entries += [(int(rng.integers(2, 60)), ""), (int(rng.integers(60, 66)), ""), (332, "")]
    routine = iter(rng.permutation(ROUTINE).tolist())
    people = rng.integers(0, len(PEOPLE), len(entries)).tolist()
    return [
        Change(hour, what or next(routine), PEOPLE[who])
        for (hour, what), who in zip(sorted(entries), people)
    ]


class Score(NamedTuple):
    """One incident under one detector: hours until the page, and the metric that paged."""

    cause: str
    delay: float
    blamed: str


def score_alarms(alarms: dict[str, list], seed: int, min_run: int = 1) -> tuple[list[Score], int]:
    """How a detector did on a seed: a `Score` for each incident, and its false alarms.

    alarms   metric -> list of (start, end), for the metrics that page
    min_run  hours that an alarm must last before it pages
    returns  (scores, false alarms): delay is NaN and blamed "" where nobody was paged

    An alarm that starts in an incident, or up to 6 hours after its end, belongs to it
    (users feel the fault later than it begins). All others are false.
    """
    scores, false = [], 0
    starts = sorted((start, name) for name, runs in alarms.items() for start, _ in runs)
    incidents = planted(seed)
    for cause, onset, end in incidents:
        during = [(start, name) for start, name in starts if onset <= start < end]
        if during:
            scores.append(Score(cause, during[0][0] + min_run - 1 - onset, during[0][1]))
        else:
            scores.append(Score(cause, float("nan"), ""))
    for start, _ in starts:
        false += not any(onset <= start < end + 6 for _, onset, end in incidents)
    return scores, false
