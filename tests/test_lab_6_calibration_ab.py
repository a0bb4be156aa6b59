"""Lab 6 against oracles that nobody here wrote, its sampled checks over seeds, its prose."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from checks.lab_6_calibration_ab import oracles, stages
from checks.runner.lab import Lab, find
from checks.runner.workbench import Workbench

LAB = Lab(find("6"))
OWN = [name.removeprefix("solution_") for name in LAB.definitions if name.startswith("solution_")]
GIVEN = ["overconfident", "kinked", "experiment", "PUBLISHED", "LOOKS"]
SPACE = Workbench(LAB).build([f"solution_{name}" for name in OWN] + GIVEN)
SEEDS = range(40)


def the(name):
    return SPACE.get(f"solution_{name}", SPACE.get(name))


def sigmoid(t):
    return 1 / (1 + np.exp(-t))


@pytest.mark.parametrize("n_bins", [1, 4, 10])
def test_reliability_is_scikit_learns_calibration_curve(n_bins):
    rng = np.random.default_rng(n_bins)
    p = rng.random(300) ** 3
    y = (rng.random(300) < p).astype(int)
    confidence, frequency, count = the("reliability")(p, y, n_bins)
    theirs = calibration_curve(y, p, n_bins=n_bins, strategy="uniform")
    np.testing.assert_allclose(frequency, theirs[0], atol=1e-12)
    np.testing.assert_allclose(confidence, theirs[1], atol=1e-12)
    assert sum(count) == 300
    np.testing.assert_allclose(oracles.slow_bins(p, y, n_bins)[0], confidence, atol=1e-12)


def test_platt_is_scikit_learns_logistic_regression_without_penalty():
    rng = np.random.default_rng(2)
    z, _, y = the("overconfident")(rng, 2000)
    a, b = the("fit_platt")(z, y, 0.5, 1500)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(z[:, None], y)
    assert a == pytest.approx(theirs.coef_[0, 0], abs=1e-4)
    assert b == pytest.approx(theirs.intercept_[0], abs=1e-4)
    assert oracles.newton_platt(z, y) == pytest.approx((a, b), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_isotonic_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 25, 60) / 8, rng.normal(0, 3, 60)
    theirs = IsotonicRegression().fit(x, y).predict(x)
    np.testing.assert_allclose(the("isotonic")(x, y), theirs, atol=1e-9)
    np.testing.assert_allclose(oracles.minmax_isotonic(x, y), theirs, atol=1e-9)


@pytest.mark.parametrize("data", [(100, 1000, 130, 1000), (20, 100, 45, 150), (7, 9, 0, 5)])
def test_z_test_is_scipys_normal_tail_and_chi_squared(data):
    a, n_a, b, n_b = data
    pool = (a + b) / (n_a + n_b)
    z = (b / n_b - a / n_a) / math.sqrt(pool * (1 - pool) * (1 / n_a + 1 / n_b))
    assert the("z_test")(*data) == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-12)
    table = [[a, n_a - a], [b, n_b - b]]
    theirs = stats.chi2_contingency(table, correction=False).pvalue
    assert the("z_test")(*data) == pytest.approx(theirs, abs=1e-12)


def crossing(boundary, n_looks, points=801):
    """Armitage, McPherson and Rowe's recursion: the chance that any look crosses."""
    grid = np.linspace(-boundary, boundary, points)
    weight = np.full(points, 2.0)
    weight[1::2], weight[0], weight[-1] = 4.0, 1.0, 1.0  # Simpson
    weight *= (grid[1] - grid[0]) / 3
    density = stats.norm.pdf(grid)
    for k in range(2, n_looks + 1):
        step = stats.norm.pdf(math.sqrt(k) * grid[:, None] - math.sqrt(k - 1) * grid)
        density = step @ (density * weight * math.sqrt(k - 1))
    return 1 - float(np.sum(density * weight) * math.sqrt(n_looks))


def test_the_published_table_is_the_recursions():
    at_most_20 = [crossing(1.959964, looks) for looks in SPACE["LOOKS"][:7]]
    np.testing.assert_allclose(at_most_20, SPACE["PUBLISHED"][:7], atol=6e-5)


def test_pocock_is_the_root_of_the_recursion():
    for looks, alpha, wanted in [
        (1, 0.05, 1.960), (2, 0.05, 2.178), (3, 0.05, 2.289), (5, 0.05, 2.413),
        (10, 0.05, 2.555), (20, 0.05, 2.672), (3, 0.2, 1.650), (4, 0.4, 1.321),
    ]:  # fmt: skip
        exact = brentq(lambda c, k=looks, a=alpha: crossing(c, k, 201) - a, 0.5, 4)
        assert exact == pytest.approx(wanted, abs=6e-4)
        assert the("pocock_boundary")(looks, alpha) == pytest.approx(wanted, abs=0.05)


def test_the_simulator_reproduces_the_published_table():
    """20,000 runs of 1,000 users a look: five standard errors, once in 10^6 for each figure."""
    rng = np.random.default_rng(5)
    for looks, published in zip(SPACE["LOOKS"], SPACE["PUBLISHED"]):
        any_look, final_look = the("peeking_rates")(20_000, looks, 1000, 0.2, rng)
        # what a test on 1,000 users differs by from one on infinitely many: below .002
        assert abs(any_look - published) < 5 * math.sqrt(published * (1 - published) / 2e4) + 0.002
        assert abs(final_look - 0.05) < 5 * math.sqrt(0.05 * 0.95 / 2e4) + 0.002


def test_three_looks_of_one_user_are_what_the_lab_says():
    found = the("peeking_rates")(400_000, 3, 1, 0.5, np.random.default_rng(0))
    assert found == pytest.approx((2 / 16, 2 / 64), abs=0.003)


def test_the_bounds_of_stage_5_have_the_odds_that_it_states():
    for p, n, low, high in [
        (1 / 8, 4000, 0.099, 0.151), (1 / 32, 4000, 0.017, 0.046), (1 / 8, 4001, 0.099, 0.151),
        (5 / 32, 6000, 0.132, 0.181), (0.0082, 1000, 0, 0.03),
        (0.2479, 2000, 0.19, 0.30), (0.05, 2000, 0.02, 0.08),
    ]:  # fmt: skip
        below = stats.binom.cdf(math.floor(low * n) if low else -1, n, p)
        above = stats.binom.sf(math.ceil(high * n) - 1, n, p)
        assert below + above < 2e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_stage_5_passes_whatever_the_order_of_draws(seed):
    def other_draws(n_runs, n_looks, users_per_look, rate, rng):
        rng = np.random.default_rng([seed, int(rng.integers(2**32))])
        return the("peeking_rates")(n_runs, n_looks, users_per_look, rate, rng)

    stages.check_stage5.run({"peeking_rates": other_draws})


@pytest.mark.parametrize("seed", SEEDS[:25])
def test_stage_7_passes_whatever_the_order_of_draws(seed):
    def other_draws(n_looks, alpha=0.05, rng=None):
        rng = np.random.default_rng([seed, int(rng.integers(2**32)) if rng else 1])
        return the("pocock_boundary")(n_looks, alpha, rng)

    stages.check_stage7.run({"pocock_boundary": other_draws})


def test_cuped_is_a_regression_adjustment_and_welchs_error():
    rng = np.random.default_rng(3)
    y, x, _, treatment = the("experiment")(rng, 0.6, 60)
    effect, error, theta = the("cuped")(y, x, treatment)
    assert theta == pytest.approx(stats.linregress(x, y).slope, abs=1e-9)
    adjusted = y - theta * x
    theirs = stats.ttest_ind(adjusted[treatment], adjusted[~treatment], equal_var=False)
    assert effect / error == pytest.approx(theirs.statistic, abs=1e-9)


def coverage(interval, runs=1500, rho=0.7):
    """Share of experiments whose 95 % interval holds the true effect, 1 minute."""
    rng, covered = np.random.default_rng(8), 0
    for _ in range(runs):
        effect, error = interval(*the("experiment")(rng, rho))
        covered += abs(effect - 1) < 1.96 * error
    return covered / runs


def welch(t, c):
    return t.mean() - c.mean(), math.sqrt(t.var(ddof=1) / len(t) + c.var(ddof=1) / len(c))


def adjust(y, x, t, slopes, centres):
    """Each arm with its slope and its centre; then Welch."""
    arms = zip((t, ~t), slopes, centres)
    return welch(*(y[arm] - slope * (x[arm] - centre) for arm, slope, centre in arms))


def slope(y, x):
    return np.cov(y, x)[0, 1] / x.var(ddof=1)


def test_four_ways_to_get_cuped_wrong_cover_what_the_lab_says():
    def right(y, x, late, t):
        return the("cuped")(y, x, t)[:2]

    def one_arm(y, x, late, t):
        return adjust(y, x, t, [slope(y[~t], x[~t])] * 2, [x.mean()] * 2)

    def own_theta(y, x, late, t):
        return adjust(y, x, t, [slope(y[t], x[t]), slope(y[~t], x[~t])], [0, 0])

    def own_centre(y, x, late, t):
        return adjust(y, x, t, [slope(y, x)] * 2, [x[t].mean(), x[~t].mean()])

    def raw_error(y, x, late, t):
        return the("cuped")(y, x, t)[0], welch(y[t], y[~t])[1]

    def measured_after(y, x, late, t):
        return the("cuped")(y, late, t)[:2]

    told = {right: 0.95, one_arm: 0.95, own_theta: 0.36, own_centre: 0.84, raw_error: 0.995,
            measured_after: 0.5}  # fmt: skip
    for way, covers in told.items():
        assert coverage(way) == pytest.approx(covers, abs=0.035), way.__name__
    # theory: the raw effect with the adjusted error
    assert 2 * stats.norm.cdf(1.96 * math.sqrt(1 - 0.49)) - 1 == pytest.approx(0.84, abs=0.005)


def test_the_variance_left_over_is_one_minus_rho_squared():
    rng = np.random.default_rng(4)
    for rho in (0.3, 0.7, 0.9):
        ratios = []
        for _ in range(200):
            y, x, _, t = the("experiment")(rng, rho)
            ratios.append((the("cuped")(y, x, t)[1] / welch(y[t], y[~t])[1]) ** 2)
        assert np.mean(ratios) == pytest.approx(1 - rho**2, abs=0.02)


def ece(p, y):
    return the("expected_calibration_error")(p, y, 10)


def test_the_floor_of_a_perfect_model_is_what_the_lab_says():
    rng = np.random.default_rng(5)
    for n, told in ((200, 0.073), (4000, 0.0165)):
        worlds = [the("overconfident")(rng, n) for _ in range(150)]
        assert np.mean([ece(p, y) for _, p, y in worlds]) == pytest.approx(told, rel=0.06)


@pytest.mark.parametrize(
    ("world", "raw", "platt", "free"),
    [("overconfident", 0.146, 0.020, 0.029), ("kinked", 0.126, 0.066, 0.028)],
)
def test_calibrators_on_held_out_data_and_on_their_own(world, raw, platt, free):
    found, rng = [], np.random.default_rng(9)
    for _ in range(30):
        z, _, y = the(world)(rng, 1000)
        z_new, _, y_new = the(world)(rng, 4000)
        a, b = the("fit_platt")(z, y, 0.3, 500)
        fitted, order = the("isotonic")(z, y), np.argsort(z)
        found.append([
            ece(sigmoid(z_new), y_new),
            ece(sigmoid(a * z_new + b), y_new),
            ece(np.interp(z_new, z[order], fitted[order]), y_new),
        ])  # fmt: skip
        # each block's value is its share of positives, so in every bin both means agree
        assert ece(fitted, y) < 1e-12
    assert np.mean(found, axis=0) == pytest.approx([raw, platt, free], abs=0.006)


def test_the_fixtures_of_stage_1_stay_off_inner_edges():
    p, _ = stages.lopsided()
    for n_bins in (3, 7):
        assert np.min(np.abs(p * n_bins - np.round(p * n_bins))) > 0.01
    assert len(p) == 37
