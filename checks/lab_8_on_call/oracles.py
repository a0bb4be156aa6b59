"""Slow loops in plain Python that answer each stage of lab 8, and the data that they answer on.

Nothing here is written like a solution: sorted lists for medians, `math.fsum` for sums.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from checks.lab_8_on_call.metrics import SYMPTOM_OF, change_log, planted, service_metrics

PLOTTED = 8  # the seed that the lab plots: messages keep its answers to themselves
SEEDS = (PLOTTED, 101, 102, 103)  # and shifts that no learner has looked at
LIMIT, NORMAL_HOURS = 4, 48
NAN = float("nan")


def slow_residual(x, period=24):
    """x minus the middle of the same hours on earlier days, sorted by hand."""
    out = []
    for t in range(len(x)):
        earlier, at = [], t - period
        while at >= 0:
            earlier.append(float(x[at]))
            at -= period
        earlier.sort()
        n = len(earlier)
        out.append(x[t] - (earlier[n // 2] + earlier[(n - 1) // 2]) / 2 if n else NAN)
    return np.array(out, dtype=float)


def mean_and_sd(values):
    """Mean and sd (divided by n) of a list, by exactly rounded sums."""
    mean = math.fsum(values) / len(values)
    return mean, math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))


def slow_z(x, window):
    """Each point against the `window` points before it, one at a time."""
    out, values = [], [float(v) for v in x]
    for t, value in enumerate(values):
        before = values[max(0, t - window) : t]
        if len(before) < window or any(v != v for v in before):
            out.append(NAN)
        elif all(v == before[0] for v in before):
            out.append(0.0)
        else:
            mean, sd = mean_and_sd(before)
            out.append((value - mean) / sd)
    return np.array(out, dtype=float)


def slow_runs(z, threshold, min_run):
    """Runs above the threshold by a small state machine."""
    runs, begin = [], -1
    for t, value in enumerate([*map(float, z), 0.0]):
        loud = t < len(z) and (value > threshold or value < -threshold)
        if loud and begin < 0:
            begin = t
        if not loud and begin >= 0:
            if t - begin >= min_run:
                runs.append((begin, t))
            begin = -1
    return runs


def slow_localize(z_by_metric, start, end):
    """(metric, day) of the earliest run of two bad hours that begins in the window."""
    onsets = [
        (start + runs[0][0], name)
        for name, z in z_by_metric.items()
        if (runs := slow_runs(z[start:end], 3.5, 2))
    ]
    hour, name = min(onsets)
    return name, hour // 24


@functools.cache
def _scores(seed: int) -> dict[str, np.ndarray]:
    """All metrics of a seed at once, day by day; the tests hold it against the slow loops."""
    names, x = zip(*service_metrics(seed).items())
    days = np.array(x).reshape(len(names), -1, 24)
    residual = np.full_like(days, np.nan)
    for day in range(1, days.shape[1]):
        residual[:, day] = days[:, day] - np.median(days[:, :day], axis=1)
    rest = residual.reshape(len(names), -1)
    windows = np.lib.stride_tricks.sliding_window_view(rest, 48, axis=1)[:, :-1]
    z = np.full_like(rest, np.nan)
    z[:, 48:] = (rest[:, 48:] - windows.mean(axis=2)) / windows.std(axis=2)
    return dict(zip(names, z))


def service_z(seed: int) -> dict[str, np.ndarray]:
    """The z-scores of all metrics of a seed: residual, then a window of 48 hours; fresh arrays."""
    return {name: z.copy() for name, z in _scores(seed).items()}


class Case(NamedTuple):
    """One incident as `postmortem` gets it."""

    title: str
    residuals: dict
    requests: np.ndarray
    changes: list
    cause: str
    onset: int
    symptom: str
    paged: int

    def arguments(self):
        """Fresh copies of what the learner's function is called with."""
        residuals = {name: r.copy() for name, r in self.residuals.items()}
        rest = (self.cause, self.onset, self.symptom, self.paged)
        return residuals, self.requests.copy(), list(self.changes), *rest


class Line(NamedTuple):
    """What the contract fixes of an event."""

    hour: int
    kind: str
    metric: str
    sigmas: float
    elapsed: int
    requests_hit: float


def slow_timeline(case: Case) -> list[Line]:
    """The five events of a case, found hour by hour."""
    onset = case.onset

    def sigmas(metric, t):
        normal = [float(v) for v in case.residuals[metric][onset - NORMAL_HOURS : onset]]
        mean, sd = mean_and_sd(normal)
        return (float(case.residuals[metric][t]) - mean) / sd

    def is_out(t):
        return abs(sigmas(case.symptom, t)) > LIMIT

    felt = onset
    while not (is_out(felt) and is_out(felt + 1)):
        felt += 1
    over = felt + 1
    while is_out(over) or is_out(over + 1):
        over += 1
    trigger = -1
    for change in case.changes:
        if change.hour <= onset:
            trigger = max(trigger, change.hour)
    rows = [
        (trigger, 0, "trigger", case.cause),
        (onset, 1, "root cause", case.cause),
        (felt, 2, "symptom", case.symptom),
        (case.paged, 3, "detection", case.cause),
        (over, 4, "mitigation", case.symptom),
    ]
    lines = []
    for hour, _, kind, metric in sorted(rows):
        hit = math.fsum(float(case.requests[t]) for t in range(felt, hour))
        lines.append(Line(hour, kind, metric, sigmas(metric, hour), hour - onset, hit))
    return lines


def service_case(seed: int, which: int) -> Case:
    """One of the two incidents of a seed, paged in its second hour."""
    incident = planted(seed)[which]
    metrics = service_metrics(seed)
    symptom = SYMPTOM_OF[incident.cause]
    residuals = {name: slow_residual(metrics[name]) for name in (symptom, incident.cause)}
    return Case(
        f"the service with seed {seed}",
        residuals,
        metrics["requests"],
        change_log(seed),
        incident.cause,
        incident.onset,
        symptom,
        incident.onset + 1,
    )


def slow_cusum(z, slack=0.5, limit=5.0):
    """Both sums, one hour at a time, as Page wrote them."""
    hours, sums = [], [0.0, 0.0]
    for t, value in enumerate(map(float, z)):
        if value == value:
            for at, sign in enumerate((1, -1)):
                grown = sums[at] + sign * value - slack
                sums[at] = grown if grown > 0 else 0.0
            if sums[0] > limit or sums[1] > limit:
                hours.append(t)
                sums = [0.0, 0.0]
    return hours
