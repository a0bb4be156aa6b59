"""Stages 4 to 7, wrong on purpose: the z-test, peeking, CUPED, Pocock's boundary."""

from checks.expect import Slip

STAGE_4 = [
    Slip("z_test", "math.erfc(abs(z) / math.sqrt(2))", "math.erfc(abs(z) / math.sqrt(2)) / 2", "when only one tail is counted"),
    Slip("z_test", "math.erfc(abs(z) / math.sqrt(2))", "math.erfc(-z / math.sqrt(2))", "when the sign of z is kept, so that a better B gives a p above 1"),
    Slip("z_test", "if variance == 0:", "if variance == 0 or conversions_a == 0 or conversions_b == 0:", "when one arm without conversions is taken for no variance at all"),
    Slip("z_test", "if variance == 0:", "if variance == 0 or conversions_a == n_a or conversions_b == n_b:", "when one arm in which all converted is taken for no variance at all"),
    Slip("z_test", "math.erfc(abs(z) / math.sqrt(2))", "math.erfc(z / math.sqrt(2))", "when the sign of z is kept, so that a worse B gives a p above 1"),
    Slip("z_test", "math.erfc(abs(z) / math.sqrt(2))", "math.erfc(abs(z))", "when z is not divided by the root of 2 inside erfc"),
    Slip("z_test", "math.erfc(abs(z) / math.sqrt(2))", "1 - math.erfc(abs(z) / math.sqrt(2))", "when the confidence 1 - p is returned"),
    Slip("z_test", "math.erfc(abs(z) / math.sqrt(2))", "z", "when z is returned in place of p"),
    Slip("z_test", "math.sqrt(variance)", "variance", "when the difference is divided by the variance, not its root"),
    Slip("z_test", "variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)", "rate_a, rate_b = conversions_a / n_a, conversions_b / n_b; variance = rate_a * (1 - rate_a) / n_a + rate_b * (1 - rate_b) / n_b", "when each arm has its own variance, not the pooled one"),
    Slip("z_test", "(conversions_a + conversions_b) / (n_a + n_b)", "(conversions_a / n_a + conversions_b / n_b) / 2", "when the two rates are averaged without their numbers of users"),
    Slip("z_test", "* (1 / n_a + 1 / n_b)", "/ (n_a + n_b)", "when the variance is that of one rate over all users"),
    Slip("z_test", "* (1 / n_a + 1 / n_b)", "* (2 / n_a)", "when both arms are given the size of A"),
    Slip("z_test", "(conversions_b / n_b - conversions_a / n_a)", "(abs(conversions_b / n_b - conversions_a / n_a) - (1 / n_a + 1 / n_b) / 2)", "when a continuity correction is made"),
    Slip("z_test", "return 1.0", "return 0.0", "when no variance is called certain, p of 0"),
    Slip("z_test", "return 1.0", "return math.nan", "when no variance gives NaN, 0 divided by 0"),
    Slip("z_test", "if variance == 0:", "if pooled == 0:", "when only 'nobody converted' is caught, not 'everybody did'"),
    Slip("z_test", "if variance == 0:", "if conversions_b / n_b == conversions_a / n_a and False:", "when an experiment without variance divides by 0"),
    Slip("z_test", "if variance == 0:", "if variance < 1e-12:", "when a small variance is taken for none, though many users make it small"),
    Slip("z_test", "* (1 / n_a + 1 / n_b)", "* (4 / (n_a + n_b))", "when both arms are given half of all users"),
    Slip("z_test", "variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)", "variance = (math.sqrt(pooled * (1 - pooled) / n_a) + math.sqrt(pooled * (1 - pooled) / n_b)) ** 2", "when two standard errors are added, not their squares"),
    Slip("z_test", "(n_a + n_b)\n", "(n_a + n_b - 1)\n", "when the pooled rate is divided by one user less"),
    Slip("z_test", "return math.erfc(abs(z) / math.sqrt(2))", "return round(math.erfc(abs(z) / math.sqrt(2)), 6)", "when p is rounded"),
]  # fmt: skip

STAGE_5 = [
    Slip("peeking_rates", None, """
def solution_peeking_rates(n_runs, n_looks, users_per_look, rate, rng):
    a, b = rng.binomial(users_per_look, rate, size=(2, n_runs, n_looks))
    n = users_per_look
    pooled = (a + b) / (2 * n)
    significant = np.abs(b - a) / n > Z_95 * np.sqrt(pooled * (1 - pooled) * 2 / n)
    return float(significant.any(axis=1).mean()), float(significant[:, -1].mean())
""", "when each look tests its new users only, not all so far"),
    Slip("peeking_rates", "n = users_per_look * np.arange(1, n_looks + 1)", "n = users_per_look * n_looks", "when every look is divided by the users of the last one"),
    Slip("peeking_rates", "np.abs(b - a) / n", "(b - a) / n", "when only a better B counts: one side, z above 1.96"),
    Slip("peeking_rates", "np.abs(b - a) / n > Z_95", "(b - a) / n > 1.6448536", "when the test is one-sided at 5 %, z above 1.645"),
    Slip("peeking_rates", "> Z_95", "> 2.5758293", "when the test is at 1 %"),
    Slip("peeking_rates", "> Z_95 * standard_error", ">= Z_95 * standard_error", "when a look without variance counts as significant"),
    Slip("peeking_rates", "pooled * (1 - pooled) * 2 / n", "pooled * (1 - pooled) / n", "when the variance of the difference counts one arm only"),
    Slip("peeking_rates", "pooled * (1 - pooled) * 2 / n", "(a * (n - a) + b * (n - b)) / n**3", "when each arm has its own variance, so that 1 against 0 of 1 has none"),
    Slip("peeking_rates", "pooled * (1 - pooled) * 2 / n", "rate * (1 - rate) * 2 / n", "when the variance takes the true rate, which a test does not know"),
    Slip("peeking_rates", "> Z_95 *", "> 1.6448536269514722 *", "when the line is at 1.645, which leaves 5 % on one side alone"),
    Slip("peeking_rates", "significant[:, -1]", "(significant[:, -1] & ~significant[:, :-1].any(axis=1))", "when a run that was significant before does not count at its last look"),
    Slip("peeking_rates", "> Z_95 *", "> 2.0 *", "when the line is at 2, not at 1.96"),
    Slip("peeking_rates", "significant.any(axis=1)", "significant[:, :-1].any(axis=1)", "when the last look does not count as a look"),
    Slip("peeking_rates", "significant.any(axis=1)", "significant[:, 1:].any(axis=1)", "when the first look does not count as a look"),
    Slip("peeking_rates", None, """
def solution_peeking_rates(n_runs, n_looks, users_per_look, rate, rng):
    walk = np.cumsum(rng.standard_normal((n_runs, n_looks)), axis=1)
    significant = np.abs(walk) / np.sqrt(np.arange(1, n_looks + 1)) > Z_95 * (0 < rate < 1 or np.inf)
    return float(significant.any(axis=1).mean()), float(significant[:, -1].mean())
""", "when a normal random walk stands in for users who convert"),
    Slip("peeking_rates", "float(significant[:, -1].mean())", "float(significant.any(axis=1).mean())", "when a run ends at its first significant look, and counts in both"),
    Slip("peeking_rates", "significant.any(axis=1)", "significant.all(axis=1)", "when every look of a run must be significant"),
    Slip("peeking_rates", "significant.any(axis=1)", "significant", "when all looks of all runs are averaged"),
    Slip("peeking_rates", "significant[:, -1]", "significant[:, 0]", "when the first look is reported as the last"),
    Slip("peeking_rates", "np.cumsum(fresh, axis=2)", "np.cumsum(fresh, axis=1)", "when conversions are added up over runs, not over looks"),
    Slip("peeking_rates", "fresh = rng.binomial(users_per_look, rate, size=(2, n_runs, n_looks))", "fresh = rng.binomial(users_per_look, rate, size=(1, n_runs, n_looks)).repeat(2, axis=0)", "when both arms get the same draws"),
    Slip("peeking_rates", "size=(2, n_runs, n_looks)", "size=(2, 1000, n_looks)", "when the number of runs is written into the function"),
    Slip("peeking_rates", "rng.binomial(users_per_look", "np.random.default_rng().binomial(users_per_look", "when rng is not used, so that no run can be repeated"),
    Slip("peeking_rates", "rng.binomial(users_per_look", "np.random.default_rng(0).binomial(users_per_look", "when the function seeds a generator of its own"),
    Slip("peeking_rates", "float(significant.any(axis=1).mean()), float(significant[:, -1].mean())", "int(significant.any(axis=1).sum()), int(significant[:, -1].sum())", "when runs are counted, not their share"),
    Slip("peeking_rates", "float(significant.any(axis=1).mean()), float(significant[:, -1].mean())", "float(significant[:, -1].mean()), float(significant.any(axis=1).mean())", "when the last look is returned first"),
    Slip("peeking_rates", "return float(significant.any(axis=1).mean())", "return 1 - (1 - 0.05) ** n_looks * (rate % 1 > 0) - (rate % 1 == 0)", "when any look is not simulated but taken from 1 - .95^K"),
    Slip("peeking_rates", "np.arange(1, n_looks + 1)", "np.arange(2, n_looks + 2)", "when the users of a look are counted one look ahead"),
    Slip("peeking_rates", "a, b = np.cumsum(fresh, axis=2)  ", "a, b = rng.binomial(users_per_look * np.arange(1, n_looks + 1), rate, size=fresh.shape)  ", "when all users so far are drawn anew at each look"),
    Slip("peeking_rates", "pooled * (1 - pooled) * 2 / n", "pooled * (1 - pooled) * 2 / np.maximum(n - 1, 1)", "when the variance of a rate is taken with ddof=1"),
]  # fmt: skip

STAGE_6 = [
    Slip("cuped", None, """
def solution_cuped(y, x, treatment):
    treated = np.asarray(treatment) == 1
    adjusted, slopes = np.array(y, float), []
    for arm in (treated, ~treated):
        slope = np.cov(y[arm], x[arm])[0, 1] / np.var(x[arm], ddof=1) if np.ptp(x) > 1e-9 else 0.0
        adjusted[arm] = y[arm] - slope * x[arm]
        slopes.append(slope)
    t, c = adjusted[treated], adjusted[~treated]
    error = np.sqrt(np.var(t, ddof=1) / len(t) + np.var(c, ddof=1) / len(c))
    return float(t.mean() - c.mean()), float(error), float(slopes[1])
""", "when each arm has a theta of its own and nothing is centred"),
    Slip("cuped", None, """
def solution_cuped(y, x, treatment):
    treated = np.asarray(treatment) == 1
    theta = 0.0 if np.ptp(x) <= 1e-9 else np.cov(y, x)[0, 1] / np.var(x, ddof=1)
    t = y[treated] - theta * (x[treated] - x[treated].mean())
    c = y[~treated] - theta * (x[~treated] - x[~treated].mean())
    error = np.sqrt(np.var(t, ddof=1) / len(t) + np.var(c, ddof=1) / len(c))
    return float(t.mean() - c.mean()), float(error), float(theta)
""", "when x is centred within each arm, not on the mean of all"),
    Slip("cuped", None, """
def solution_cuped(y, x, treatment):
    treated = np.asarray(treatment) == 1
    adjusted, slopes = np.array(y, float), []
    for arm in (treated, ~treated):
        slope = np.cov(y[arm], x[arm])[0, 1] / np.var(x[arm], ddof=1) if np.ptp(x) > 1e-9 else 0.0
        adjusted[arm] = y[arm] - slope * (x[arm] - x.mean())
        slopes.append(slope)
    t, c = adjusted[treated], adjusted[~treated]
    error = np.sqrt(np.var(t, ddof=1) / len(t) + np.var(c, ddof=1) / len(c))
    return float(t.mean() - c.mean()), float(error), float(slopes[1])
""", "when each arm has a theta of its own, centred on the mean of all, where one theta is asked for"),
    Slip("cuped", "for arm in arms)", "for arm in (y[treated], y[~treated]))", "when the standard error is that of the raw y"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "np.cov(y, x)[0, 1] / np.var(x)", "when the covariance has ddof=1 and the variance has not"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "np.cov(y, x)[0, 1] / np.var(y, ddof=1)", "when the covariance is divided by the variance of y"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "np.corrcoef(y, x)[0, 1]", "when theta is the correlation, not the slope"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "np.dot(x, y) / np.dot(x, x)", "when theta is the slope of a line through the origin"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "np.cov(y, x)[0, 1]", "when the covariance is not divided by the variance of x"),
    Slip("cuped", "y - theta * (x - np.mean(x))", "y + theta * (x - np.mean(x))", "when what x explains is added, not subtracted"),
    Slip("cuped", "y - theta * (x - np.mean(x))", "y - (x - np.mean(x))", "when x is subtracted without theta"),
    Slip("cuped", "adjusted = y - theta * (x - np.mean(x))", "adjusted = y", "when theta is computed and never used"),
    Slip("cuped", "effect = np.mean(arms[0]) - np.mean(arms[1])", "effect = np.mean(arms[1]) - np.mean(arms[0])", "when the effect is control minus treated"),
    Slip("cuped", "np.var(arm, ddof=1) / len(arm)", "np.var(arm) / len(arm)", "when the variances of the arms are taken with ddof=0"),
    Slip("cuped", "np.var(arm, ddof=1) / len(arm)", "np.var(arm, ddof=1)", "when the variance of a user is taken for that of a mean"),
    Slip("cuped", "np.var(arm, ddof=1) / len(arm)", "np.var(arm, ddof=1) / len(y)", "when each arm's variance is divided by the users of both"),
    Slip("cuped", "variance = sum(np.var(arm, ddof=1) / len(arm) for arm in arms)", "variance = sum(np.var(arm, ddof=1) * (len(arm) - 1) for arm in arms) / (len(y) - 2) * sum(1 / len(arm) for arm in arms)", "when both arms share one pooled variance, as in Student's t-test"),
    Slip("cuped", "float(np.sqrt(variance))", "float(variance)", "when the root of the variance is not taken"),
    Slip("cuped", "variance = sum(np.var(arm, ddof=1) / len(arm) for arm in arms)", "variance = sum(np.sqrt(np.var(arm, ddof=1) / len(arm)) for arm in arms) ** 2", "when two standard errors are added, not their squares"),
    Slip("cuped", "constant = np.ptp(x) <= 1e-12 * np.max(np.abs(x))", "constant = False", "when a constant x is not caught, 0 divided by 0"),
    Slip("cuped", "constant = np.ptp(x) <= 1e-12 * np.max(np.abs(x))", "constant = np.var(x) == 0", "when a constant x is looked for by var == 0, which rounding hides"),
    Slip("cuped", "np.ptp(x) <= 1e-12 * np.max(np.abs(x))", "np.var(x) < 1e-3", "when a small variance is taken for none, though x may be in any unit"),
    Slip("cuped", "np.asarray(treatment) == 1", "treatment", "when 0 and 1 are used as positions, not as a mask"),
    Slip("cuped", "np.asarray(treatment) == 1", "np.arange(len(y)) >= len(y) - np.sum(treatment)", "when the users are taken to be sorted by arm"),
    Slip("cuped", "return float(effect), float(np.sqrt(variance)), float(theta)", "return float(theta), float(effect), float(np.sqrt(variance))", "when theta is returned first"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "np.cov(y, x, ddof=0)[0, 1] / np.var(x, ddof=1)", "when the variance has ddof=1 and the covariance has not"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "abs(np.cov(y, x)[0, 1] / np.var(x, ddof=1))", "when theta loses its sign"),
    Slip("cuped", "return float(effect)", "return abs(float(effect))", "when the effect loses its sign"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "np.cov(y, x)[0, 1] / np.std(x, ddof=1)", "when the covariance is divided by the standard deviation of x"),
    Slip("cuped", "adjusted = y - theta * (x - np.mean(x))", "y -= theta * (x - np.mean(x)); adjusted = y", "when the caller's y is adjusted in place"),
    Slip("cuped", "np.var(arm, ddof=1) / len(arm)", "np.var(adjusted, ddof=1) / len(arm)", "when both arms get the variance of all users together"),
    Slip("cuped", "len(arm) for arm in arms)", "len(other) for arm, other in zip(arms, arms[::-1]))", "when each arm's variance is divided by the users of the other"),
    Slip("cuped", "float(np.sqrt(variance))", "float(Z_95 * np.sqrt(variance))", "when half the width of the 95 % interval is returned"),
    Slip("cuped", "np.cov(y, x)[0, 1] / np.var(x, ddof=1)", "np.linalg.lstsq(np.stack([x, treated, np.ones(len(x))], axis=1), y, rcond=None)[0][0]", "when theta comes from a regression on x and treatment together"),
]  # fmt: skip

STAGE_7 = [
    Slip("pocock_boundary", "40_000", "800", "when too few runs are simulated for two decimals"),
    Slip("pocock_boundary", "return float(np.quantile(np.abs(z).max(axis=1), 1 - alpha))", "return math.erfc(float(np.quantile(np.abs(z).max(axis=1), 1 - alpha)) / math.sqrt(2))", "when the p-value at the boundary is returned in place of z"),
    Slip("pocock_boundary", "np.abs(z).max(axis=1)", "z.max(axis=1)", "when only one side counts, without the absolute value"),
    Slip("pocock_boundary", "1 - alpha)", "1 - alpha / 2)", "when alpha is halved although |z| holds both sides"),
    Slip("pocock_boundary", "1 - alpha)", "1 - alpha / n_looks)", "when alpha is divided by the looks on top of the maximum"),
    Slip("pocock_boundary", "1 - alpha)", "alpha)", "when the lower quantile is taken"),
    Slip("pocock_boundary", "1 - alpha)", "0.95)", "when 95 % is written into the function, whatever alpha says"),
    Slip("pocock_boundary", "walk / np.sqrt(np.arange(1, n_looks + 1))", "walk", "when the random walk is not scaled to N(0, 1) at each look"),
    Slip("pocock_boundary", "walk / np.sqrt(np.arange(1, n_looks + 1))", "walk / np.arange(1, n_looks + 1)", "when look k is divided by k, not by its root"),
    Slip("pocock_boundary", "walk / np.sqrt(np.arange(1, n_looks + 1))", "walk / np.sqrt(n_looks)", "when every look is scaled as the last: O'Brien and Fleming's boundary"),
    Slip("pocock_boundary", "walk / np.sqrt(np.arange(1, n_looks + 1))", "walk / np.sqrt(np.arange(n_looks) + 2)", "when look k is divided by the root of k + 1"),
    Slip("pocock_boundary", "np.cumsum(rng.standard_normal((40_000, n_looks)), axis=1)", "np.sqrt(np.arange(1, n_looks + 1)) * rng.standard_normal((40_000, n_looks))", "when looks are drawn as if they shared no data"),
    Slip("pocock_boundary", "np.cumsum(rng.standard_normal((40_000, n_looks)), axis=1)", "np.cumsum(rng.random((40_000, n_looks)), axis=1)", "when steps are uniform on [0, 1], not standard normal"),
    Slip("pocock_boundary", "np.abs(z).max(axis=1)", "np.abs(z[:, -1])", "when only the last look is watched"),
    Slip("pocock_boundary", "np.abs(z).max(axis=1)", "np.abs(z).mean(axis=1)", "when the looks of a run are averaged"),
    Slip("pocock_boundary", "rng = np.random.default_rng() if rng is None else rng", "rng = np.random.default_rng()", "when the generator handed in is not used"),
    Slip("pocock_boundary", "rng = np.random.default_rng() if rng is None else rng", "pass", "when rng of None is not replaced by a generator"),
    Slip("pocock_boundary", None, """
def solution_pocock_boundary(n_looks, alpha=0.05, rng=None):
    return NormalDist().inv_cdf(1 - alpha / n_looks / 2)
""", "when alpha is split over the looks, Bonferroni's boundary"),
]  # fmt: skip

EXPERIMENTS = [*STAGE_4, *STAGE_5, *STAGE_6, *STAGE_7]
