"""The checks of lab 6: exact cases first, sampled ones last, each with its odds."""

from __future__ import annotations

import math
import warnings

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_6_calibration_ab.oracles import (
    Measured,
    generator,
    minmax_isotonic,
    newton_platt,
    slow_bins,
    slow_cuped,
    slow_ece,
    thetas,
)


def several(case, got, names):
    """What a function returned, in its parts; says so where it is not that many."""
    right = isinstance(got, (tuple, list, np.ndarray)) and len(got) == len(names)
    expect.true(f"{case}: what is returned", right, got, f"({', '.join(names)})")
    return got if right else (None,) * len(names)


def bins_are(case, got, expected):
    """Count, confidence and frequency of every bin that is not empty."""
    confidence, frequency, count = several(case, got, ("confidence", "frequency", "count"))
    expect.close(f"{case}: count", count, expected[2])
    expect.close(f"{case}: confidence", confidence, expected[0])
    expect.close(f"{case}: frequency", frequency, expected[1])


@stage(reread='Stage 1, "By hand"')
def check_stage1(reliability, expected_calibration_error):
    """The table of the lab, the two ends of [0, 1], one bin, a lopsided sample, then the ECE."""
    p, y = np.array([0.9, 0.1, 0.4, 1.0, 0.2, 0.8]), np.array([0, 0, 1, 1, 1, 1])
    # .1 .2 | .4 | nothing | .8 .9 1: means .15, .4, .9; shares 1/2, 1/1, 2/3
    bins_are(
        "six predictions, 4 bins",
        reliability(p, y, 4),
        ([0.15, 0.4, 0.9], [0.5, 1, 2 / 3], [2, 1, 3]),
    )
    expect.unchanged("the caller's p", np.array([0.9, 0.1, 0.4, 1.0, 0.2, 0.8]), p)
    expect.unchanged("the caller's y", np.array([0, 0, 1, 1, 1, 1]), y)
    ends, hit = np.array([1.0, 0.0, 0.3]), np.array([0, 1, 1])
    bins_are(
        "p of 1, 0 and .3, 5 bins", reliability(ends, hit, 5), ([0, 0.3, 1], [1, 1, 0], [1, 1, 1])
    )
    # no bin comes or goes with the ends: a p of 0 or 1 in the wrong bin shows in the counts
    edge, came = np.array([0.0, 0.1, 0.9, 0.8, 1.0]), np.array([1, 0, 1, 1, 0])
    bins_are("p of 0 and .1, of .8, .9 and 1, 2 bins", reliability(edge, came, 2),
             ([0.05, 0.9], [0.5, 2 / 3], [2, 3]))  # fmt: skip
    high = np.array([0.62, 0.58, 0.93])
    bins_are("no p below .58, 2 bins", reliability(high, hit, 2), ([0.71], [2 / 3], [3]))
    bins_are("six predictions, 1 bin", reliability(p, y, 1), ([3.4 / 6], [4 / 6], [6]))
    p, y = lopsided()
    bins_are("37 predictions, 7 bins", reliability(p, y, 7), slow_bins(p, y, 7))
    many, hit = np.repeat([0.25, 0.75], [700, 300]), np.repeat([0, 1, 0], [350, 500, 150])
    # 350 of the 700 came true, and 150 of the 300
    bins_are("1,000 predictions, 2 bins", reliability(many, hit, 2),
             ([0.25, 0.75], [0.5, 0.5], [700, 300]))  # fmt: skip
    check_error(expected_calibration_error)


def lopsided():
    """37 predictions, more of them low, none within .01 of an edge of 3, 7 or 10 bins."""
    rng = generator(61)
    p = rng.random(90) ** 1.5
    for n_bins in (3, 7, 10):
        p = p[np.abs(p * n_bins - np.round(p * n_bins)) > 0.01 * n_bins]
    p = p[:37]
    return p, (rng.random(37) < 0.2 + 0.5 * p).astype(int)


def check_error(expected_calibration_error):
    """The table's third, a perfect bin, the ends, the lopsided sample at two bin counts."""
    p, y = np.array([0.9, 0.1, 0.4, 1.0, 0.2, 0.8]), np.array([0, 0, 1, 1, 1, 1])
    # (2 * .35 + 1 * .6 + 3 * .2333) / 6 = (.7 + .6 + .7) / 6
    expect.close("ECE of the six predictions, 4 bins", expected_calibration_error(p, y, 4), 1 / 3)
    expect.unchanged("the caller's p", np.array([0.9, 0.1, 0.4, 1.0, 0.2, 0.8]), p)
    quarter, one = np.full(4, 0.25), np.array([0, 1, 0, 0])
    expect.close(
        "ECE: p .25 four times, one came true", expected_calibration_error(quarter, one, 10), 0.0
    )
    # a gap of 1 for one prediction of four, at either end
    for sure, came in ((0.0, 1), (1.0, 0)):
        p = np.array([sure, 1 - sure, 1 - sure, 1 - sure])
        got = expected_calibration_error(p, np.full(4, came), 5)
        expect.close(f"ECE: p of {sure:.0f}, and y was {came}", got, 0.25)
    p, y = lopsided()
    for n_bins in (3, 7):
        got = expected_calibration_error(p, y, n_bins)
        expect.close(f"ECE of 37 predictions, {n_bins} bins", got, slow_ece(p, y, n_bins))


def slope_and_offset(case, got, expected, tol):
    """a, then b."""
    a, b = several(case, got, ("a", "b"))
    expect.close(f"{case}: a", a, expected[0], tol)
    expect.close(f"{case}: b", b, expected[1], tol)


@stage(reread='Stage 2, "By hand"')
def check_stage2(fit_platt):
    """Two logits solved by hand, Newton's optimum, the base rate, then logits of 1000.

    After so many steps gradient descent is within 1e-6 of the optimum; 1e-4 leaves room for
    another descent that stops early, 1e-3 for probabilities clipped at 1e-7 where z is 1000.
    """
    # z of 2: three of four; z of -1: one of five. 2a + b = ln 3, -a + b = -ln 4
    by_hand = (math.log(12) / 3, math.log(12) / 3 - math.log(4))
    z = np.array([2.0, -1, 2, -1, -1, 2, -1, 2, -1])
    y = np.array([1, 0, 1, 0, 1, 0, 0, 1, 0])
    slope_and_offset("two logits by hand", fit_platt(z, y, 0.7, 300), by_hand, 1e-4)
    expect.unchanged("the caller's logits", np.array([2.0, -1, 2, -1, -1, 2, -1, 2, -1]), z)
    expect.unchanged("the caller's y", np.array([1, 0, 1, 0, 1, 0, 0, 1, 0]), y)
    rng = generator(62)
    z = rng.normal(2.0, 6.0, 200)  # long enough that a step without lr runs away
    y = (rng.random(200) < 1 / (1 + np.exp(0.9 - 0.2 * z))).astype(int)
    slope_and_offset("200 logits", fit_platt(z, y, 0.1, 2400), newton_platt(z, y), 1e-4)
    any_slope(fit_platt)
    # certain and right: no gradient comes from these two, so a and b stay by_hand
    z = np.array([2.0, -1, 2, 1000, -1, -1, 2, -1, -1000, 2, -1])
    y = np.array([1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0])
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        got = fit_platt(z, y, 1.0, 400)
    said = sorted({str(w.message) for w in heard if issubclass(w.category, RuntimeWarning)})
    expect.equal("z of 1000 and -1000: warnings", said, [])
    kept = np.array([2.0, -1, 2, 1000, -1, -1, 2, -1, -1000, 2, -1])
    expect.unchanged("z of 1000 and -1000: the caller's logits", kept, z)
    slope_and_offset("z of 1000 and -1000", got, by_hand, 1e-3)


def any_slope(fit_platt):
    """A slope below 0, and one above 1."""
    # z of 1: one of five; z of -1: four of five. a + b = -ln 4, -a + b = ln 4
    z, turned = np.repeat([1.0, -1.0], 5), np.array([0, 1, 0, 0, 0, 1, 1, 0, 1, 1])
    got = fit_platt(z, turned, 3.0, 80)
    slope_and_offset("logits that point the wrong way", got, (-math.log(4), 0.0), 1e-4)
    # z of 1: four of five; z of -1: two of five. a + b = ln 4, -a + b = ln 2/3
    shy = np.array([1, 1, 0, 1, 1, 0, 1, 0, 0, 1])
    low = (math.log(6) / 2, math.log(8 / 3) / 2)
    slope_and_offset(
        "logits too near 0", fit_platt(z / 2, shy, 4.0, 150), (2 * low[0], low[1]), 1e-4
    )


@stage(reread='Stage 3, "By hand"')
def check_stage3(isotonic):
    """The cascade by hand, ties, the input's order, integers, negatives, the min-max theorem."""
    x, y = np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 1.0])
    # 6 and 1 pool to 3.5 (weight 2); 5 is above it: (5 + 2 * 3.5) / 3
    expect.close("y = 5 6 1", isotonic(x, y), [4.0, 4.0, 4.0])
    expect.unchanged("the caller's y", np.array([5.0, 6.0, 1.0]), y)
    expect.close("y = 2 6 1", isotonic(x, np.array([2.0, 6.0, 1.0])), [2.0, 3.5, 3.5])
    expect.close("y rises already", isotonic(x, np.array([-3.0, 0.5, 7.0])), [-3.0, 0.5, 7.0])
    # in the order of x: 5 6 1 9; the fit 4 4 4 9 goes back to where each x stands
    x, y = np.array([3.0, 1.0, 4.0, 2.0]), np.array([1, 5, 9, 6])
    expect.close("x = 3 1 4 2, out of order", isotonic(x, y), [4.0, 4.0, 9.0, 4.0])
    expect.unchanged("the caller's x", np.array([3.0, 1.0, 4.0, 2.0]), x)
    expect.close("integers 3 2", isotonic(np.array([1, 2]), np.array([3, 2])), [2.5, 2.5])
    expect.close("y below 0", isotonic(np.array([1.0, 2.0]), np.array([-2.0, -5.0])), [-3.5, -3.5])
    # both at x = 2: one value, 2.5, though 1 and 4 would rise
    x, y = np.array([2.0, 1.0, 2.0]), np.array([1.0, 0.0, 4.0])
    expect.close("two y at the same x", isotonic(x, y), [2.5, 0.0, 2.5])
    # x = 2 holds 4 and 4 (weight 2), then 1 at x = 3: (4 + 4 + 1) / 3, unweighted 2.5
    x, y = np.array([1.0, 2.0, 2.0, 3.0]), np.array([0.0, 4.0, 4.0, 1.0])
    expect.close("a tie that pools with its neighbour", isotonic(x, y), [0.0, 3.0, 3.0, 3.0])
    # x = 1 holds 0 and 6, so 3 (weight 2), then 2: (0 + 6 + 2) / 3
    x, y = np.array([1.0, 1.0, 2.0]), np.array([0.0, 6.0, 2.0])
    expect.close("a tie that pools as one", isotonic(x, y), [8 / 3, 8 / 3, 8 / 3])
    # whole numbers whose mean at x = 2 is none
    x, y = np.array([2, 1, 2]), np.array([4, 0, 1])
    expect.close("two whole y at the same x", isotonic(x, y), [2.5, 0.0, 2.5])
    # scores that differ in the third decimal, or in the ninth, are different x
    x, y = np.array([0.502, 0.501, 0.503]), np.array([1.0, 0.0, 2.0])
    expect.close("x = .502 .501 .503, y rises", isotonic(x, y), [1.0, 0.0, 2.0])
    x, y = np.array([0.5 + 2e-9, 0.5, 0.5 + 1e-9]), np.array([2.0, 0.0, 1.0])
    expect.close("three x within 2e-9, y rises", isotonic(x, y), [2.0, 0.0, 1.0])
    fall = isotonic(np.array([1.0, 2.0]), np.array([0.5, 0.4999998]))
    expect.close("y falls by 2e-7", fall, [0.4999999, 0.4999999])
    # the -11 pulls one value after the other into its block, whose mean goes from -1 by 2,
    # 3.25 and 3.8 to (5 + 6 + 7 + 8 + 9 - 11) / 6 = 4
    y = np.array([5.0, 6, 7, 8, 9, -11])
    expect.close("y = 5 6 7 8 9 -11", isotonic(np.arange(6.0), y), np.full(6, 4.0))
    expect.close("one point", isotonic(np.array([7.0]), np.array([2.0])), [2.0])
    rng = generator(63)
    x = rng.integers(0, 24, 31) / 4
    y = np.round(x + rng.normal(0, 2.5, 31), 2)
    expect.close("31 points, some at the same x", isotonic(x, y), minmax_isotonic(x, y))


@stage(reread='Stage 4, "By hand"')
def check_stage4(z_test):
    """The published value, unequal arms, both directions, equal rates, no variance."""
    expect.close(
        "100 of 1000 against 130 of 1000", z_test(100, 1000, 130, 1000), 0.03548845046647471
    )
    # rates .2 and .3; pooled 65/250 = .26; s = sqrt(.26 * .74 / 60) = .0566; z = 1.765928
    expect.close("20 of 100 against 45 of 150", z_test(20, 100, 45, 150), 0.07740786164476292)
    expect.close("45 of 150 against 20 of 100", z_test(45, 150, 20, 100), 0.07740786164476292)
    # rates .75 and .6; pooled 33/45 = .7333; s = .209762; z = -.715097
    expect.close("30 of 40 against 3 of 5", z_test(30, 40, 3, 5), 0.474549143449401)
    # one arm without any variance of its own: pooled 9/110, s = .052484, z = 2.858027
    expect.close("0 of 50 against 9 of 60", z_test(0, 50, 9, 60), 0.0042628447053091306)
    # pooled .9, s = .061237, z = -2.721655
    expect.close("40 of 40 against 50 of 60", z_test(40, 40, 50, 60), 0.006495586257179041)
    # three and nine in a thousand million: s = sqrt(6e-9 * 2e-9) nearly, z = 1.73205
    rare = z_test(3, 10**9, 9, 10**9)
    expect.close("3 and 9 of a thousand million each", rare, 0.08326451573846849)
    # s = .0180278, z = 11.09: as good as 0
    expect.close("100 of 1000 against 300 of 1000", z_test(100, 1000, 300, 1000), 0.0)
    expect.close("the same rate, 10 of 50 and 16 of 80", z_test(10, 50, 16, 80), 1.0)
    expect.close("nobody converted", z_test(0, 50, 0, 70), 1.0)
    expect.close("everybody converted", z_test(50, 50, 70, 70), 1.0)
    # pooled 2/4, s = sqrt(.25 * 1) = .5, z = -2
    expect.close("everybody against nobody, 2 users each", z_test(2, 2, 0, 2), 0.04550026389635839)


@stage(reread='Stage 5, "By hand"', seconds=60)
def check_stage5(peeking_rates):
    """No variance, one user, the three looks by hand, the generator, 20 looks.

    The sampled shares lie within five standard errors; a right answer fails here less than
    once in 100,000 (each bound: once in a million or less).
    """
    for rate, words in ((0.0, "nobody converts"), (1.0, "everybody converts")):
        got = peeking_rates(5, 3, 4, rate, generator(1))
        any_look, final_look = several(f"rate {rate:.0f}", got, ("any_look", "final_look"))
        expect.close(f"rate {rate:.0f}, {words}: any look", any_look, 0.0)
        expect.close(f"rate {rate:.0f}, {words}: last look", final_look, 0.0)
    # 1 of 1 against 0 of 1: z = 1.41, so nothing is ever significant
    any_look, final_look = peeking_rates(60, 1, 1, 0.5, generator(2))
    expect.true("one look, one user each: any look", any_look == 0, Measured(any_look), "0")
    expect.true("one look, one user each: last look", final_look == 0, Measured(final_look), "0")
    # of 3 users each only 3 against 0 is significant: 2 * .008 * .512 = .008, and .03 is 7 errors
    any_look, _ = peeking_rates(1000, 1, 3, 0.2, generator(3))
    share("one look, 3 users each, rate .2", any_look, -0.001, 0.03, "0.008")
    three_looks(peeking_rates)
    # one look of 2 users: 2 against 0, 2/16 of runs; 4001 is prime, so k/4000 is no k/4001
    any_look, final_look = peeking_rates(4001, 1, 2, 0.5, generator(4))
    expect.close("one look: any is the last", any_look, final_look)
    share("one look, 2 users each", any_look, 0.099, 0.151, "0.125")
    # all pairs of two binomial counts summed: .0703 +- .0040, and .0567 +- .0037
    _, final_look = peeking_rates(4000, 1, 4, 0.5, generator(11))
    share("one look, 4 users each", final_look, 0.050, 0.091, "0.070")
    _, final_look = peeking_rates(4000, 1, 40, 0.5, generator(12))
    share("one look, 40 users each", final_look, 0.038, 0.076, "0.057")
    whole = 4001 * float(any_look)
    expect.true("4001 runs: 4001 times the share", abs(whole - round(whole)) < 1e-6, whole, "whole")
    # 2 against 0 at look 1 (8/64), or first at look 2 (2/64): .15625 +- .0047
    any_look, _ = peeking_rates(6000, 2, 2, 0.5, generator(10))
    share("2 looks, 2 users each: any look", any_look, 0.132, 0.181, "0.156")
    same = {tuple(map(float, peeking_rates(400, 3, 1, 0.5, generator(5)))) for _ in range(2)}
    expect.true("the same generator state twice: answers", len(same) == 1, len(same), "1")
    # 2,000 runs: .2479 +- .0097 at any look, .05 +- .0049 at the last
    any_look, final_look = peeking_rates(2000, 20, 250, 0.1, generator(6))
    share("20 looks, 250 users each: any look", any_look, 0.19, 0.30, "0.25")
    share("20 looks, 250 users each: last look", final_look, 0.02, 0.08, "0.05")


def share(case, got, low, high, near):
    """A sampled share between its bounds."""
    expect.shape(case, got, ())
    value = float(got)
    wanted = f"about {near} ({max(low, 0):.3g} to {high:.3g})"
    expect.true(case, low < value < high, Measured(value), wanted, free=True)


def three_looks(peeking_rates):
    """One user an arm a look, rate 1/2: 2/16 of runs at any look, 2/64 at the last.

    4,000 runs: .125 +- .0052 and .03125 +- .0028, and three seeds that do not all agree
    (in one right answer of ten million they would).
    """
    found = [tuple(map(float, peeking_rates(4000, 3, 1, 0.5, generator(s)))) for s in (7, 8, 9)]
    share("3 looks, one user each: any look", found[0][0], 0.099, 0.151, "0.125")
    share("3 looks, one user each: last look", found[0][1], 0.017, 0.046, "0.031")
    expect.true("three seeds: answers", len(set(found)) > 1, len(set(found)), "more than one")


def cuped_is(case, cuped, y, x, treatment):
    """Theta over both arms (or of one), then the effect and the error that follow from it."""
    got = cuped(y.copy(), x.copy(), treatment.copy())
    effect, standard_error, theta = several(case, got, ("effect", "standard_error", "theta"))
    both, *one_arm = thetas(y, x, treatment)
    wanted = both
    if np.shape(theta) == () and theta is not None:  # one arm's slope is as good a constant
        wanted = next((t for t in one_arm if abs(float(theta) - t) < 1e-9), both)
    expected = slow_cuped(y, x, treatment, wanted)
    expect.close(f"{case}: theta", theta, wanted)
    expect.close(f"{case}: effect", effect, expected[0])
    expect.close(f"{case}: standard error", standard_error, expected[1])


@stage(reread='Stage 6, "By hand"')
def check_stage6(cuped):
    """Four users by hand, eleven in unequal arms, bools, a constant covariate."""
    y, x, arm = np.array([2.0, 5, 6, 9]), np.array([1.0, 2, 3, 4]), np.array([0, 1, 0, 1])
    # theta 11/5; 5.3 4.9 against 6.1 5.7: effect .8, error sqrt(.04 + .04)
    cuped_is("four users", cuped, y, x, arm)
    # arms of 4 and 7 with different slopes, spreads and mean x
    arm = np.array([0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1])
    x = np.array([3.0, 7.5, 1.0, 4.5, 2.0, 9.0, 8.0, 5.5, 4.0, 2.5, 6.0])
    y = np.array([10.0, 21.5, 9.0, 11.5, 13.0, 26.0, 15.5, 16.0, 19.0, 8.0, 17.5])
    cuped_is("11 users, arms of 4 and 7", cuped, y, x, arm)
    before = y.copy(), x.copy(), arm.copy()
    cuped(y, x, arm)
    for name, was, now in zip(("y", "x", "treatment"), before, (y, x, arm)):
        expect.unchanged(f"the caller's {name}", was, now)
    cuped_is("treatment of True and False", cuped, y, x, arm == 1)
    cuped_is("x in thousands", cuped, y, x / 1000, arm)
    cuped_is("y turned round: theta and effect below 0", cuped, -y, x, arm)
    for case, same in (
        ("x all 0", np.zeros(11)),
        ("x all .3", np.full(11, 0.3)),
        ("x all -.3", np.full(11, -0.3)),
    ):
        effect, error, theta = several(case, cuped(y, same, arm), ("effect", "error", "theta"))
        raw = slow_cuped(y, same, arm, 0.0)
        expect.close(f"{case}: theta", theta, 0.0)
        expect.close(f"{case}: effect", effect, raw[0])
        expect.close(f"{case}: standard error", error, raw[1])


@stage(reread='Stage 7, "By hand"', seconds=60)
def check_stage7(pocock_boundary):
    """The published table within .05, another alpha, the generator, none.

    With 40,000 runs .05 is five standard errors or more: a right answer fails here less than
    once in 100,000.
    """
    # Pocock 1977; for alpha = .2 and .4 by numerical integration of the random walk
    table = {1: 1.960, 5: 2.413, 2: 2.178, 20: 2.672}
    # each within .05 of 1.960, so within .1 of one another
    found = [float(pocock_boundary(1, 0.05, generator(60 + k))) for k in range(4)]
    spread = max(found) - min(found)
    expect.true("1 look, four generators: spread", spread <= 0.1, spread, "at most .1: more runs")
    for n_looks, wanted in table.items():
        boundary(n_looks, 0.05, wanted, pocock_boundary(n_looks, 0.05, generator(70 + n_looks)))
    boundary(3, 0.2, 1.650, pocock_boundary(3, 0.2, generator(71)))
    boundary(4, 0.4, 1.321, pocock_boundary(4, 0.4, generator(72)))
    same = {float(pocock_boundary(3, 0.05, generator(73))) for _ in range(2)}
    expect.true("the same generator state twice: answers", len(same) == 1, len(same), "1")
    # A generator of its own: wide enough that chance tells no two mistakes apart. Alpha of .1
    # gives 1.99, alpha of .025 gives 2.56.
    boundary(3, 0.05, 2.289, pocock_boundary(3), "3 looks, nothing else given", within=0.25)


def boundary(n_looks, alpha, wanted, got, case="", within=0.05):
    """A boundary as near to the table as asked."""
    case = case or f"{n_looks} look{'s' if n_looks > 1 else ''}, alpha {alpha}"
    expect.shape(case, got, ())
    value = float(got)
    near = abs(value - wanted) <= within
    asked = f"{wanted:.3f}, within {within:.2g}".replace(" 0.", " .")
    expect.true(case, near, Measured(value), asked, free=True)
