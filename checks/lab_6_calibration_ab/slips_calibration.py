"""Stages 1 to 3, wrong on purpose: reliability, Platt scaling, isotonic regression."""

from checks.expect import Slip

STAGE_1 = [
    Slip("reliability", None, """
def solution_reliability(p, y, n_bins):
    edges = np.linspace(0, 1, n_bins + 1)
    bins = [(low < p) & (p <= high) for low, high in zip(edges, edges[1:])]
    bins = [inside for inside in bins if inside.any()]
    return [p[i].mean() for i in bins], [y[i].mean() for i in bins], [i.sum() for i in bins]
""", "when bins are open below, as in conf > low, so that p of 0 is in none"),
    Slip("reliability", "np.minimum((p * n_bins).astype(int), n_bins - 1)", "np.minimum(np.round(p * n_bins).astype(int), n_bins - 1)", "when p * n_bins is rounded to the nearest bin"),
    Slip("reliability", "np.minimum((p * n_bins).astype(int), n_bins - 1)", "(p * n_bins).astype(int)", "when p of 1 gets a bin of its own above the last"),
    Slip("reliability", "np.minimum((p * n_bins).astype(int), n_bins - 1)", "np.digitize(p, np.linspace(0, 1, n_bins)[1:-1])", "when n_bins edges are made, which are n_bins - 1 bins"),
    Slip("reliability", "np.minimum((p * n_bins).astype(int), n_bins - 1)", "np.minimum((np.argsort(np.argsort(p)) * n_bins) // len(p), n_bins - 1)", "when bins hold equally many predictions in place of equal width"),
    Slip("reliability", "np.minimum((p * n_bins).astype(int), n_bins - 1)", "np.minimum(((p - p.min()) / max(np.ptp(p), 1e-12) * n_bins).astype(int), n_bins - 1)", "when the bins run from the smallest to the largest p, not from 0 to 1"),
    Slip("reliability", "kept = count > 0", "kept = count >= 0; count = np.maximum(count, 1) * 1.0", "when empty bins are kept"),
    Slip("reliability", "kept = count > 0", "kept = count > 1", "when bins with a single prediction are left out too"),
    Slip("reliability", "confidence = np.bincount(which, weights=p, minlength=n_bins)[kept] / count[kept]", "confidence = (np.flatnonzero(kept) + 0.5) / n_bins", "when confidence is the middle of the bin, not the mean of p"),
    Slip("reliability", "return confidence, frequency, count[kept]", "return frequency, confidence, count[kept]", "when frequency is returned before confidence"),
    Slip("reliability", "return confidence, frequency, count[kept]", "return confidence, frequency, count[kept] / len(p)", "when count is a share, not a number of predictions"),
    Slip("reliability", None, """
def solution_reliability(p, y, n_bins):
    sure, right = np.maximum(p, 1 - p), (p > 0.5) == (y == 1)
    which = np.minimum((sure * n_bins).astype(int), n_bins - 1)
    count = np.bincount(which, minlength=n_bins)
    kept = count > 0
    confidence = np.bincount(which, weights=sure, minlength=n_bins)[kept] / count[kept]
    return confidence, np.bincount(which, weights=right, minlength=n_bins)[kept] / count[kept], count[kept]
""", "when the winning class is binned and compared with accuracy, not p with y"),
    Slip("reliability", None, """
def solution_reliability(p, y, n_bins):
    edges = np.linspace(0, 1, n_bins + 1)
    bins = [(low <= p) & (p < high) for low, high in zip(edges, edges[1:])]
    bins = [inside for inside in bins if inside.any()]
    return [p[i].mean() for i in bins], [y[i].mean() for i in bins], [i.sum() for i in bins]
""", "when every bin is open above, so that p of 1 is in none"),
    Slip("expected_calibration_error", "np.average(np.abs(np.subtract(frequency, confidence)), weights=count)", "np.mean(np.abs(frequency - confidence))", "when every bin weighs the same, however few predictions it holds"),
    Slip("expected_calibration_error", "np.abs(np.subtract(frequency, confidence))", "np.subtract(frequency, confidence)", "when gaps above and below cancel, without the absolute value"),
    Slip("expected_calibration_error", "np.average(np.abs(np.subtract(frequency, confidence)), weights=count)", "np.max(np.abs(frequency - confidence))", "when the largest gap is taken (the maximum calibration error)"),
    Slip("expected_calibration_error", "np.abs(np.subtract(frequency, confidence))", "np.subtract(frequency, confidence) ** 2", "when gaps are squared"),
    Slip("expected_calibration_error", "np.average(np.abs(np.subtract(frequency, confidence)), weights=count)", "np.sum(count * np.abs(frequency - confidence))", "when the weighted sum is not divided by the number of predictions"),
    Slip("expected_calibration_error", "np.average(np.abs(np.subtract(frequency, confidence)), weights=count)", "np.sum(count * np.abs(frequency - confidence)) / n_bins", "when the weighted sum is divided by the number of bins"),
    Slip("expected_calibration_error", "np.average(np.abs(np.subtract(frequency, confidence)), weights=count)", "np.mean(np.abs(p - y))", "when each p is compared with its own y, without bins"),
    Slip("expected_calibration_error", "np.average(np.abs(np.subtract(frequency, confidence)), weights=count)", "np.mean((p - y) ** 2)", "when the Brier score is computed"),
    Slip("expected_calibration_error", "solution_reliability(p, y, n_bins)", "solution_reliability(p, y, 10)", "when ten bins are used whatever n_bins says"),
    Slip("expected_calibration_error", None, """
def solution_expected_calibration_error(p, y, n_bins):
    edges, total = np.linspace(0, 1, n_bins + 1), 0.0
    for low, high in zip(edges, edges[1:]):
        inside = (p > low) & (p <= high)
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total
""", "when the ECE sums bins that are open below, and loses p of 0"),
    Slip("expected_calibration_error", None, """
def solution_expected_calibration_error(p, y, n_bins):
    edges, total = np.linspace(0, 1, n_bins + 1), 0.0
    for low, high in zip(edges, edges[1:]):
        inside = (p >= low) & (p < high)
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return total
""", "when the ECE sums bins that are open above, and loses p of 1"),
    Slip("expected_calibration_error", None, """
def solution_expected_calibration_error(p, y, n_bins):
    which, total = np.minimum((p * n_bins).astype(int), n_bins - 1), 0.0
    for k in np.unique(which):
        total += np.mean(which == k) * abs(y[which == k].mean() - (k + 0.5) / n_bins)
    return total
""", "when the ECE compares frequency with the middle of the bin"),
    Slip("reliability", "np.minimum((p * n_bins).astype(int), n_bins - 1)", "np.ceil(p * n_bins).astype(int) - 1; which = np.where(which < 0, n_bins - 1, which)", "when p of 0 gets the index -1, which is the last bin"),
    Slip("reliability", "np.minimum((p * n_bins).astype(int), n_bins - 1)", "(p * n_bins).astype(int) % n_bins", "when p of 1 wraps round into the first bin"),
    Slip("reliability", "np.minimum((p * n_bins).astype(int), n_bins - 1)", "np.minimum((p * 10).astype(int), 9); n_bins = 10", "when there are ten bins whatever n_bins says"),
    Slip("reliability", "kept = count > 0", "kept = np.bincount(which, weights=y, minlength=n_bins) > 0", "when bins in which nothing came true are left out, too"),
    Slip("reliability", "weights=y, minlength=n_bins)[kept] / count[kept]", "weights=y, minlength=n_bins)[kept] / len(y)", "when the positives of a bin are divided by all predictions"),
    Slip("reliability", "weights=y,", "weights=1 - y,", "when frequency is the share of y that is 0"),
    Slip("reliability", "which = np.minimum", "p = np.sort(p); which = np.minimum", "when p is sorted and y is not"),
    Slip("reliability", "count[kept]\n    return", "count[kept]\n    count = count.astype(np.uint8)\n    return", "when counts are kept in 8 bits, which end at 255"),
    Slip("expected_calibration_error", "np.average(np.abs(np.subtract(frequency, confidence)), weights=count)", "np.sqrt(np.average((frequency - confidence) ** 2, weights=count))", "when the root of the mean squared gap is taken"),
    Slip("expected_calibration_error", "weights=count)", "weights=count) * len(p) / len(count)", "when the weighted sum is divided by the number of bins that are not empty"),
]  # fmt: skip

STAGE_2 = [
    Slip("fit_platt", "a, b = 1.0, 0.0", "a, b = 1.0, 0.0; logits = 0.5 + 0.5 * np.tanh(logits / 2)", "when the probabilities are scaled, not the logits"),
    Slip("fit_platt", "0.5 + 0.5 * np.tanh((a * logits + b) / 2)", "1 / (1 + np.exp(-(a * logits + b)))", "when the sigmoid takes the exponential of a large number"),
    Slip("fit_platt", "0.5 + 0.5 * np.tanh((a * logits + b) / 2)", "np.where(a * logits + b >= 0, 1 / (1 + np.exp(-(a * logits + b))), np.exp(a * logits + b) / (1 + np.exp(a * logits + b)))", "when np.where computes both forms of the sigmoid for every logit"),
    Slip("fit_platt", "0.5 + 0.5 * np.tanh((a * logits + b) / 2)", "np.exp(a * logits + b) / (1 + np.exp(a * logits + b))", "when the sigmoid is exp(t) / (1 + exp(t)), which ends in infinity over infinity"),
    Slip("fit_platt", "a, b = 1.0, 0.0", "np.clip(logits, -500, 500, out=logits); a, b = 1.0, 0.0", "when the caller's own logits are cut off in place"),
    Slip("fit_platt", "np.tanh((a * logits + b) / 2)", "np.tanh(a * logits + b)", "when the tanh is taken of t, not of t/2"),
    Slip("fit_platt", "np.mean(error * logits)", "np.mean(error)", "when the gradient of a is not multiplied by z"),
    Slip("fit_platt", "b -= lr * np.mean(error)", "pass", "when b is never moved: temperature scaling alone"),
    Slip("fit_platt", "a -= lr * np.mean(error * logits)", "pass", "when a is never moved: the base rate alone"),
    Slip("fit_platt", "error = p - y", "error = y - p", "when the descent climbs: the sign of the gradient is turned"),
    Slip("fit_platt", "error = p - y", "error = (p - y) * p * (1 - p)", "when the squared error is minimised, not the log-loss"),
    Slip("fit_platt", "error = p - y", "error = (p - y) * len(y)", "when the gradient is summed over the data, not averaged"),
    Slip("fit_platt", "error = p - y", "error = p - np.where(y == 1, (np.sum(y) + 1) / (np.sum(y) + 2), 1 / (np.sum(1 - y) + 2))", "when y is smoothed as in Platt's paper"),
    Slip("fit_platt", "error = p - y", "error = p - (2 * y - 1)", "when y is turned into -1 and 1"),
    Slip("fit_platt", "np.tanh((a * logits + b) / 2)", "np.tanh(a * (logits + b) / 2)", "when b is added before the slope: a (z + b)"),
    Slip("fit_platt", "a, b = 1.0, 0.0", "a, b = 1.0, 0.0; logits = logits - np.mean(logits)", "when logits are centred, and b is not moved back"),
    Slip("fit_platt", "lr * np.mean(error * logits)", "np.mean(error * logits)", "when the step of a is not multiplied by lr"),
    Slip("fit_platt", "range(steps)", "range(1)", "when only one step is made"),
    Slip("fit_platt", "return float(a), float(b)", "return float(b), float(a)", "when b is returned before a"),
    Slip("fit_platt", "return float(a), float(b)", "return float(-a), float(-b)", "when a and b follow Platt's paper, 1/(1 + exp(a z + b))"),
    Slip("fit_platt", "a -= lr * np.mean(error * logits)", "a -= lr * (np.mean(error * logits) + a / len(y))", "when a is held back by a penalty, as in scikit-learn's default"),
    Slip("fit_platt", "return float(a), float(b)", "return float(1 / a), float(b)", "when the temperature 1/a is returned in place of a"),
    Slip("fit_platt", "range(steps)", "range(100)", "when the number of steps is written into the function"),
    Slip("fit_platt", "a, b = 1.0, 0.0", "a, b, lr = 1.0, 0.0, 0.01", "when a step size of its own takes the place of lr"),
    Slip("fit_platt", "error = p - y", "error = (p - y) / len(y)", "when the mean is divided by N once more"),
    Slip("fit_platt", "a, b = 1.0, 0.0", "a, b = 1.0, 0.0; logits = (logits - np.mean(logits)) / np.std(logits)", "when logits are standardised, and a and b are not turned back"),
    Slip("fit_platt", "error = p - y", "error = (p - y) * np.where(y == 1, 0.5 / np.mean(y), 0.5 / np.mean(1 - y))", "when both classes are given the same weight, however rare one is"),
    Slip("fit_platt", "return float(a)", "return max(float(a), 0.0)", "when a is kept at 0 or above, though logits may point the wrong way"),
    Slip("fit_platt", "return float(a)", "return min(float(a), 1.0)", "when a is kept at 1 or below, though a model may be too shy"),
    Slip("fit_platt", "        error = p - y", "        error = p - y\n        if abs(np.mean(error)) < 1e-3: break", "when the descent stops as soon as the step of b is small"),
]  # fmt: skip

STAGE_3 = [
    Slip("isotonic", "np.bincount(which, weights=y) / weights ", "(np.bincount(which, weights=y) / weights).astype(y.dtype) ", "when the means keep the type of y, and whole numbers lose their halves"),
    Slip("isotonic", "while blocks and blocks[-1][0] > mean:", "if blocks and blocks[-1][0] > mean:", "when a pooled block is not compared with its left neighbour again"),
    Slip("isotonic", "mean = (left * left_weight + mean * weight) / (left_weight + weight)", "mean = (left + mean) / 2", "when two blocks are averaged without their weights"),
    Slip("isotonic", "mean = (left * left_weight + mean * weight) / (left_weight + weight)", "mean = (left * left_size + mean * size) / (left_size + size)", "when a tie weighs as one point, however many y it holds"),
    Slip("isotonic", "mean = (left * left_weight + mean * weight) / (left_weight + weight)", "pass", "when a block takes over the lower value in place of the mean"),
    Slip("isotonic", "mean = (left * left_weight + mean * weight) / (left_weight + weight)", "mean = left", "when the larger value is kept: a running maximum, not a mean"),
    Slip("isotonic", "for block in blocks])[which]", "for block in blocks])", "when the fit is returned in the order of x, not of the input"),
    Slip("isotonic", "np.unique(x, return_inverse=True, return_counts=True)", "np.unique(np.arange(len(x)), return_inverse=True, return_counts=True)", "when the data is not sorted by x"),
    Slip("isotonic", "blocks[-1][0] > mean:", "blocks[-1][0] < mean:", "when the fit falls where it should rise"),
    Slip("isotonic", "return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])[which]", "return np.clip(np.repeat([block[0] for block in blocks], [block[2] for block in blocks])[which], 0, 1)", "when the fit is cut to [0, 1], though y may be any number"),
    Slip("isotonic", "return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])[which]", "return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])[which].astype(y.dtype)", "when the means are stored in y's integer type"),
    Slip("isotonic", "_, which, weights = np.unique(x, return_inverse=True, return_counts=True)", "which = np.argsort(np.argsort(x, kind='stable')); weights = np.ones(len(x)); y = y[np.argsort(x, kind='stable')]; y = y[which]", "when equal x are not pooled first"),
    Slip("isotonic", None, """
def solution_isotonic(x, y):
    order = np.argsort(x, kind="stable")
    values = np.asarray(y, float)[order]
    for i in range(len(values) - 2, -1, -1):
        if values[i] > values[i + 1]:
            values[i] = values[i + 1] = (values[i] + values[i + 1]) / 2
    fitted = np.empty(len(values))
    fitted[order] = values
    return fitted
""", "when neighbours are averaged in one backward pass"),
    Slip("isotonic", None, """
def solution_isotonic(x, y):
    order = np.argsort(x, kind="stable")
    fitted = np.empty(len(y))
    fitted[order] = np.maximum.accumulate(np.asarray(y, float)[order])
    return fitted
""", "when every value is raised to the largest before it"),
    Slip("isotonic", None, """
def solution_isotonic(x, y):
    return np.sort(np.asarray(y, float))[np.argsort(np.argsort(x, kind="stable"))]
""", "when y is sorted in place of pooled"),
    Slip("isotonic", "np.unique(x,", "np.unique(np.round(x, 6),", "when x is rounded before equal x are looked for"),
    Slip("isotonic", "blocks[-1][0] > mean:", "blocks[-1][0] > mean + 1e-6:", "when a small fall is taken for none"),
    Slip("isotonic", "means = np.bincount(which, weights=y) / weights ", "means = np.array([y[which == k][-1] for k in range(len(weights))]) ", "when the last y of equal x stands for all of them, as in a dict"),
    Slip("isotonic", "means = np.bincount(which, weights=y) / weights ", "means = np.bincount(which, weights=y) ", "when the y of equal x are added up, not averaged"),
    Slip("isotonic", "while blocks and blocks[-1][0] > mean:", "for _ in range(3):\n            if not blocks or blocks[-1][0] <= mean: break", "when a block looks back three times at most"),
    Slip("isotonic", None, """
def solution_isotonic(x, y):
    order, blocks = np.argsort(x, kind="stable"), []
    for value in y[order]:
        blocks.append([float(value), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, n), (high, m) = blocks.pop(), blocks.pop()
            blocks.append([(low * n + high * m) / (n + m), n + m])
    fitted = np.repeat([mean for mean, _ in blocks], [n for _, n in blocks])
    return fitted[order]
""", "when the order is applied twice, not undone: fitted[order]"),
    Slip("isotonic", None, """
def solution_isotonic(x, y):
    order, blocks = np.argsort(x, kind="stable"), []
    for value in y[order]:
        blocks.append([float(value), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, n), (high, m) = blocks.pop(), blocks.pop()
            blocks.append([(low * n + high * m) / (n + m), n + m])
    fitted = np.empty(len(y))
    fitted[order] = np.repeat([mean for mean, _ in blocks], [n for _, n in blocks])
    return np.array([fitted[x == value].mean() for value in x])
""", "when equal x are averaged after the fit, not before"),
]  # fmt: skip

CALIBRATION = [*STAGE_1, *STAGE_2, *STAGE_3]
