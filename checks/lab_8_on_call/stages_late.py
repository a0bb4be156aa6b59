"""The checks of the postmortem and of the CUSUM."""

from __future__ import annotations

import re

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_8_on_call.metrics import Change
from checks.lab_8_on_call.oracles import (
    NAN,
    PLOTTED,
    SEEDS,
    Case,
    mean_and_sd,
    service_case,
    service_z,
    slow_cusum,
    slow_timeline,
)

ASIDE = "another answer"  # in place of values that would tell the plotted days
FIELDS = ("hour", "kind", "metric", "sigmas", "elapsed", "requests_hit", "evidence")


def plain_list(case, got):
    """A list of what came; an array counts as the list of its rows."""
    if isinstance(got, np.ndarray):
        got = got.tolist() if got.size else []
    expect.instance(case, got, (list, tuple))
    return list(got)


def made_case(title, onset, shape, paged, changes, sign=1, seed=0, early=0.0, alone=False):
    """An incident made by hand: T = 170, normal noise within 1.8 sd, cause at -9 sd.

    shape  the symptom from `onset` on, in sd of its own normal level
    early  what the symptom has on top in the hour before `onset`, in its own unit
    alone  no other fault of the symptom, before or after
    """
    rng = np.random.default_rng([84, seed])
    cause = 0.3 + 0.01 * rng.uniform(-1, 1, 170)
    symptom = -7.0 + 4.0 * rng.uniform(-1, 1, 170)
    cause[:24] = symptom[:24] = NAN
    mean, sd = mean_and_sd(cause[onset - 48 : onset].tolist())
    cause[onset : onset + 30] = mean - sd * (9 + rng.uniform(-1, 1, 30))
    symptom[onset - 1] += early
    mean, sd = mean_and_sd(symptom[onset - 48 : onset].tolist())
    symptom[onset : onset + len(shape)] = mean + sign * sd * np.array(shape)
    if not alone:
        symptom[onset - 52 : onset - 48] = mean - sign * 30 * sd  # another fault, long over
        symptom[onset + 33 : onset + 36] = mean + sign * 12 * sd  # and one that comes later
    requests = np.round(rng.uniform(500, 1500, 170))
    log = [Change(hour, what, who) for hour, what, who in changes]
    residuals = {"queue_ms": symptom, "disk_free": cause}
    return Case(title, residuals, requests, log, "disk_free", onset, "queue_ms", paged)


def made_cases():
    """Pages early and late, everything in the same hour, two records that end soon."""
    people = ("Priya Raman", "Tomasz Wolski", "Amara Nwosu")
    log = (
        (61, "index rebuilt", people[0]),
        (98, "nightly export moved to the data disk", people[1]),
        (102, "two nodes added", people[2]),
        (118, "export moved back", people[0]),
    )
    late = ((12, "font changed", people[2]), (99, "log level set to debug", people[0]))
    # hours from the onset: calm, single bad hours, near misses, then out, a single calm
    # hour, out, and calm for good
    shape = [0.4, 9.0, 1.0, 9.0, 3.7, -3.7, 6.0, 8.0, 9.0, 2.0, 8.0, 4.4, 4.4, 3.6, 3.6, 0.5, -1.0]
    # loud enough to be out whatever is taken for normal
    loud = [0.5, -0.2, 40.0, 42.0, 41.0, 0.3, -0.5, 0.1]
    yield made_case("three loud hours", 100, loud, 103, log, seed=7, alone=True)
    yield made_case("a page before the symptom", 100, shape, 101, log)
    yield made_case("a symptom that drops, and a late page", 100, shape, 109, log, -1, seed=1)
    out = [7.0, 6.0, -6.0, 5.0, 0.0, -5.0, 1.0, 0.7, 0.2]
    at_once = ((98, "font changed", people[2]), (99, "log level set to debug", people[0]))
    yield made_case("change, fault, symptom and page in one hour", 99, out, 99, at_once, seed=2)
    yield made_case("page and end of the symptom in one hour", 104, out, 110, late, seed=3)
    first = ((97, "disk quota halved", people[1]), (112, "quota as before", people[1]))
    yield made_case("the first change of the log", 103, out, 106, first, seed=5)
    # 60 on top of noise within 4 is 6 sd of the 48 hours that it is one of
    before = "a symptom that is out in the hour before the onset too"
    yield made_case(before, 105, out, 107, late, seed=6, early=60.0)
    # out with both signs, and over before anybody is paged; the change of hour 101 is nearer
    old = ((20, "font changed", people[2]), (60, "Team B moved to Disk 2", people[1]))
    brief = [0.2, 6.0, -6.0, 5.0, 0.1, 0.3, -0.2]
    after = (*old, (101, "two nodes added", people[0]))
    yield made_case("a page when the symptom is over", 100, brief, 109, after, seed=8)
    # before the onset -1 and 1 by turns: mean 0, sd 1, so 4.0 is exactly 4 sd and not out. The
    # record ends with the two calm hours of the mitigation
    ending = np.array([4.0, -4.0, 4.0, 5.0, 5.0, 4.0, 4.5, -4.5, -4.0, 4.0])
    tidy = made_case("exactly 4 sd, at the end of the record", 101, out, 103, late, seed=4)
    queue = np.concatenate([np.tile([1.0, -1.0], 51)[:101], ending])
    cut = {"queue_ms": queue, "disk_free": tidy.residuals["disk_free"][:111]}
    yield tidy._replace(residuals=cut, requests=tidy.requests[:111])


def read(case, got):
    """The fields of the five events, or a verdict that says which is missing."""
    events = plain_list(case, got)
    expect.true(f"{case}: number of events", len(events) == 5, len(events), "5, one of each kind")
    for event in events:
        missing = [name for name in FIELDS if not hasattr(event, name)]
        if missing:
            expect.true(f"{case}: fields of an Event", False, event, f"an Event with {missing[0]}")
            return []
    return events


def judge_numbers(case, events, lines):
    """Kinds in order, then each event's hour, metric and numbers."""
    expect.equal(
        f"{case}: kinds in time order",
        [str(event.kind) for event in events],
        [line.kind for line in lines],
    )
    for event, line in zip(events, lines):
        what = f"{case}: the {line.kind}"
        expect.equal(f"{what}, hour", event.hour, line.hour)
        expect.equal(f"{what}, metric", str(event.metric), line.metric)
        expect.close(f"{what}, sigmas", event.sigmas, line.sigmas)
        expect.close(f"{what}, elapsed", event.elapsed, line.elapsed)
        expect.close(f"{what}, requests_hit", event.requests_hit, line.requests_hit)


class Words:
    """A sentence of the learner's own: shown as it came, and compared to no other.

    Two people who leave out the metric's name do not do so in the same words.
    """

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return repr(self.text)


def judge_words(case, events, lines, changes):
    """Evidence that names what it is about, once each, and nobody."""
    for event, line in zip(events, lines):
        what = f"{case}: evidence of the {line.kind}"
        expect.instance(what, event.evidence, str)
        quoted = line.metric
        if line.kind == "trigger":
            quoted = next(change.what for change in changes if change.hour == line.hour)
        found = quoted in str(event.evidence)
        wanted = f"a sentence that contains '{quoted}'"
        expect.true(what, found, Words(event.evidence), wanted)
        for word in {word for change in changes for word in change.who.split()}:
            named = re.search(rf"\b{re.escape(word)}\b", str(event.evidence), re.IGNORECASE)
            case_of_name, no_name = f"{what}: blameless", "no name from the log"
            expect.true(case_of_name, not named, Words(event.evidence), no_name)
    different = len({event.evidence for event in events})
    expect.true(f"{case}: evidence", different == 5, f"{different} different", "five, no two alike")


def untouched(case, given, fresh):
    """Whether the arguments are still what they were."""
    same = (
        list(given[0]) == list(fresh[0])
        and all(np.array_equal(given[0][m], fresh[0][m], equal_nan=True) for m in fresh[0])
        and np.array_equal(given[1], fresh[1])
        and given[2] == fresh[2]
    )
    expect.true(f"{case}: the caller's data", same, "changed", "still as they were")


def kept_back(case, events, lines):
    """The plotted shift: right or wrong, and no more than that."""
    right = len(events) == len(lines)
    for event, line in zip(events, lines):
        right = right and (str(event.kind), event.metric) == (line.kind, line.metric)
        right = right and event.hour == line.hour and event.elapsed == line.elapsed
        right = right and bool(np.isclose(event.sigmas, line.sigmas, rtol=1e-9, atol=1e-9))
        right = right and bool(np.isclose(event.requests_hit, line.requests_hit, rtol=1e-9))
    expect.true(case, right, ASIDE, "what the data say, which this message keeps to itself")


@stage(reread='Stage 5, "By hand"')
def check_stage5(postmortem):
    """Nine incidents made by hand, then those of two shifts, the plotted one last."""
    for case in made_cases():
        given = case.arguments()
        events = read(case.title, postmortem(*given))
        lines = slow_timeline(case)
        judge_numbers(case.title, events, lines)
        judge_words(case.title, events, lines, case.changes)
        untouched(case.title, given, case.arguments())
    for which in (0, 1):
        for seed in (SEEDS[1 + which], PLOTTED):
            case = service_case(seed, which)
            title = f"{('the earlier', 'the later')[which]} incident of seed {seed}"
            events = read(title, postmortem(*case.arguments()))
            if seed == PLOTTED:
                kept_back(title, events, slow_timeline(case))
            else:
                judge_numbers(title, events, slow_timeline(case))
                judge_words(title, events, slow_timeline(case), case.changes)


@stage(reread='Stage 6, "By hand"')
def check_stage6(cusum):
    """The line worked by hand, each rule alone, other settings, noise with a leak, real shifts."""
    z = np.array([2, 3, NAN, 1, 0.5, 1, -8, 1])
    case = "the eight hours worked by hand"
    # up 1.5 4 4 4.5 4.5 5 0 .5; down 0 0 0 0 0 0 7.5 and again from 0
    kept, first = z.copy(), cusum(z)
    expect.equal(case, plain_list(case, first), [6])
    same = np.array_equal(kept, z, equal_nan=True)
    expect.true("the caller's z", same, "changed", "still as it was: work on a copy")
    cusum(np.array([9.0, 0]))
    case = "another record, and then the first answer again"
    expect.equal(case, plain_list(case, first), [6])
    for case, values, slack, limit, wanted in (
        # the hours bring 2.5 each: 2.5, 5 (not above 5), 7.5, then 2.5, 5, 7.5 again
        ("a steady rise of 3", [3.0] * 7, 0.5, 5.0, [2, 5]),
        ("a steady drop of 3", [-3.0] * 7, 0.5, 5.0, [2, 5]),
        ("up and down by turns", [3.0, -3] * 6, 0.5, 5.0, []),
        # 0 0 0 and then 5.5: the quiet hours must not have saved up a debt
        ("twenty quiet hours, then a jump", [-0.2] * 20 + [6.0], 0.5, 5.0, [20]),
        # 4.5, a NaN hour, 7.0
        ("one hour without data", [5.0, NAN, 3, 0], 0.5, 5.0, [2]),
        # 4.5, two NaN hours, 6.0
        ("two hours without data", [5.0, NAN, NAN, 2, 0], 0.5, 5.0, [3]),
        ("no data at all", [NAN] * 4, 0.5, 5.0, []),
        # each hour is worth 1 - .25: .75 1.5 2.25 | .75 ...
        ("slack 0.25, limit 2", [1.0] * 7, 0.25, 2.0, [2, 5]),
        # up 1 1 2 1 2 3
        ("slack 0", [1.0, 0, 1, -1, 1, 1], 0.0, 2.0, [5]),
        ("a billionth above the limit", [5.500000001, 0], 0.5, 5.0, [0]),
        # down 3.5 2 5.1 while up is 0 .5 0; then up 3.5 2 5.1 while down is 0 .5 0
        ("a small step back in between", [-4.0, 1, -3.6, 4, -1, 3.6], 0.5, 5.0, [2, 5]),
        ("alarms in neighbouring hours", [0.0, 9, 9, -9, 0, 0], 0.5, 5.0, [1, 2, 3]),
    ):
        got = plain_list(case, cusum(np.array(values, dtype=float), slack, limit))
        expect.equal(case, got, wanted)
    noise = np.random.default_rng(86).standard_normal(611)
    noise[200:] += 0.8
    noise[[0, 33, 350]] = NAN
    expect.equal("611 hours, settings left", plain_list("", cusum(noise.copy())), slow_cusum(noise))
    case = "611 hours, slack 0.8, limit 3.3"
    got = plain_list(case, cusum(-noise, 0.8, 3.3))
    expect.equal(case, got, slow_cusum(-noise, 0.8, 3.3))
    for seed in SEEDS[:2]:
        z = service_z(seed)["error_rate"]
        case = f"error_rate of seed {seed}, slack 1, limit 8"
        same = [int(t) for t in plain_list(case, cusum(z.copy(), 1.0, 8.0))] == slow_cusum(z, 1, 8)
        expect.true(case, same, "other hours", "those of the two sums, hour by hour")
