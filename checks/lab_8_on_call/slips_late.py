"""Wrong on purpose: what people write in stages 4 to 6 of lab 8."""

from checks.expect import Slip

LATE = [
    Slip(
        "localize",
        None,
        """
def solution_localize(z_by_metric, start, end):
    peak = {m: np.nanmax(np.abs(z[start:end])) for m, z in z_by_metric.items()}
    first = max(peak, key=peak.get)
    return first, (start + int(np.nanargmax(np.abs(z_by_metric[first][start:end])))) // 24
""",
        "when the largest |z| is blamed, not the earliest onset",
    ),
    Slip("localize", "// 24", "// 24 + 1", "when days are counted from 1"),
    Slip("localize", "// 24", "", "when the hour of the onset is returned, not its day"),
    Slip("localize", "// 24", "% 24", "when the hour of the day is returned, not the day"),
    Slip(
        "localize",
        "return first, onsets[first] // 24",
        "return first, start // 24",
        "when the day is that of the window's first hour",
    ),
    Slip(
        "localize",
        "onsets[metric] = start + runs[0][0]",
        "onsets[metric] = runs[0][0]",
        "when hours are counted from the window's start, not from the record's",
    ),
    Slip(
        "localize",
        "runs = solution_find_incidents(z[start:end], 3.5, 2)",
        "runs = [(a - start, b) for a, b in solution_find_incidents(z, 3.5, 2)]",
        "when the whole record is searched, not the window",
    ),
    Slip(
        "localize",
        "z[start:end]",
        "z[max(start - 1, 0) : end]",
        "when the slice begins an hour early and its first hour still counts as the window's",
    ),
    Slip("localize", "3.5, 2)", "3.5, 1)", "when a single bad hour counts as an onset"),
    Slip("localize", "3.5, 2)", "3.5, 3)", "when 2 hours in a row are not enough"),
    Slip("localize", "3.5, 2)", "np.nextafter(3.5, 0), 2)", "when exactly 3.5 is above the limit"),
    Slip(
        "localize",
        "start + runs[0][0]",
        "start + runs[0][0] + 1",
        "when the onset is the second bad hour, which confirms it",
    ),
    Slip(
        "localize",
        None,
        """
def solution_localize(z_by_metric, start, end):
    found = []
    for metric, z in z_by_metric.items():
        runs = solution_find_incidents(z[start:end], 3.5, 2)
        found += [(b - a, metric, start + a) for a, b in runs]
    _, first, onset = max(found, key=lambda run: run[0])
    return first, onset // 24
""",
        "when the longest run is blamed, not the earliest",
    ),
    Slip("localize", "3.5, 2)", "4, 2)", "when the limit is 4 sd, not 3.5"),
    Slip("localize", "3.5, 2)", "3, 2)", "when the limit is 3 sd, not 3.5"),
    Slip("localize", "min(onsets", "max(onsets", "when the metric that moved last is blamed"),
    Slip(
        "localize",
        "first = min(onsets, key=onsets.get)",
        "first = next(iter(onsets))",
        "when the first metric of the dict that has an onset is blamed",
    ),
    Slip(
        "localize",
        "solution_find_incidents(z[start:end], 3.5, 2)",
        "solution_find_incidents(np.maximum(z[start:end], 0), 3.5, 2)",
        "when drops are ignored",
    ),
    Slip(
        "localize",
        "onsets[metric] = start + runs[0][0]",
        "onsets[metric] = start + runs[-1][0]",
        "when the last run of a metric counts, not its first",
    ),
    Slip(
        "localize",
        "runs = solution_find_incidents(z[start:end], 3.5, 2)",
        "bad = np.flatnonzero(np.abs(z[start:end]) > 3.5).tolist(); "
        "runs = [bad] if len(bad) >= 2 else []",
        "when two bad hours count that do not follow each other",
    ),
    Slip(
        "postmortem",
        "if change.hour <= onset][-1]",
        "if change.hour < onset][-1]",
        "when a change in the hour of the onset is not suspected",
    ),
    Slip(
        "postmortem",
        "if change.hour <= onset][-1]",
        "if change.hour <= paged][-1]",
        "when the trigger is the last change before the page, not before the onset",
    ),
    Slip(
        "postmortem",
        "if change.hour <= onset][-1]",
        "if change.hour <= onset][0]",
        "when the trigger is the first change of the log",
    ),
    Slip(
        "postmortem",
        "felt = next(t for t in later if out[t] and out[t + 1])",
        "felt = next(t for t in later if out[t])",
        "when one bad hour alone begins the symptom",
    ),
    Slip(
        "postmortem",
        "if t > felt and not out[t] and not out[t + 1])",
        "if t > felt and not out[t])",
        "when one calm hour alone ends the symptom",
    ),
    Slip(
        "postmortem",
        "later = range(onset, len(out) - 1)",
        "later = range(48, len(out) - 1)",
        "when the symptom is looked for before the onset",
    ),
    Slip(
        "postmortem",
        "if t > felt and not out[t]",
        "if t > max(felt, paged - 1) and not out[t]",
        "when the end of the symptom is looked for from the page on",
    ),
    Slip(
        "postmortem",
        "[change for change in changes if change.hour <= onset][-1]",
        "min(changes, key=lambda change: abs(change.hour - onset))",
        "when the nearest change is suspected, although it came after the onset",
    ),
    Slip(
        "postmortem",
        "change.what}",
        "change.what.lower()}",
        "when the words of the change log lose their capitals",
    ),
    Slip(
        "postmortem",
        "if out[t] and out[t + 1])",
        "if out[t] and out[t + 1] and sigmas[symptom][t] * sigmas[symptom][t + 1] > 0)",
        "when two hours that are out with different signs do not count as a symptom",
    ),
    Slip(
        "postmortem",
        "np.abs(sigmas[symptom]) > 4",
        "np.abs(sigmas[symptom]) > 3.5",
        "when out means beyond 3.5 sd",
    ),
    Slip(
        "postmortem",
        "np.abs(sigmas[symptom]) > 4",
        "sigmas[symptom] > 4",
        "when a symptom that drops is not seen",
    ),
    Slip(
        "postmortem",
        "residuals[metric][onset - 48 : onset]",
        "residuals[metric][onset - 48 : onset + 1]",
        "when the first bad hour counts as normal",
    ),
    Slip(
        "postmortem",
        "residuals[metric][onset - 48 : onset]",
        "residuals[metric][onset - 24 : onset]",
        "when normal is the last 24 hours before the onset, not 48",
    ),
    Slip(
        "postmortem",
        "residuals[metric][onset - 48 : onset]",
        "residuals[metric][24:]",
        "when normal is measured over the whole record, incident included",
    ),
    Slip(
        "postmortem",
        "range(onset, len(out) - 1)",
        "range(onset - 1, len(out) - 1)",
        "when the search for the symptom begins in the hour before the onset",
    ),
    Slip(
        "postmortem",
        "for change in changes if",
        "for change in changes[1:] if",
        "when the first change of the log is never a suspect",
    ),
    Slip("postmortem", "normal.std()", "normal.std(ddof=1)", "when the sd divides by 47"),
    Slip(
        "postmortem",
        "    told.sort(key=lambda line: line[0])\n",
        "",
        "when the events stand in the order of the table, not of time",
    ),
    Slip(
        "postmortem",
        "told.sort(key=lambda line: line[0])",
        "told.sort()",
        "when events of the same hour stand in the order of the alphabet",
    ),
    Slip(
        "postmortem",
        "t - onset,",
        "t - change.hour,",
        "when elapsed is counted from the trigger, not from the root cause",
    ),
    Slip(
        "postmortem",
        "t - onset,",
        "t - paged,",
        "when elapsed is counted from the page, not from the root cause",
    ),
    Slip(
        "postmortem",
        "t - onset,",
        "abs(t - onset),",
        "when the hours before the onset lose their minus sign",
    ),
    Slip(
        "postmortem",
        "requests[felt:t].sum()",
        "requests[onset:t].sum()",
        "when requests are counted from the root cause, not from the symptom",
    ),
    Slip(
        "postmortem",
        "requests[felt:t].sum()",
        "requests[felt : t + 1].sum()",
        "when the requests of the event's own hour are counted too",
    ),
    Slip(
        "postmortem",
        "sigmas[metric][t], t - onset",
        "abs(sigmas[metric][t]), t - onset",
        "when sigmas lose their sign",
    ),
    Slip(
        "postmortem",
        "moved: {change.what}",
        "moved: {change.what}, by {change.who.split()[0]}",
        "when the document names the person who made the change",
    ),
    Slip(
        "postmortem",
        '"detection", cause, f"the alarm on {cause} paged"',
        '"detection", symptom, f"the alarm on {symptom} paged"',
        "when the detection is told of the symptom, not of the cause",
    ),
    Slip(
        "cusum",
        "up = max(0.0, up + value - slack)",
        "up = up + value - slack",
        "when the sum of rises may fall below 0, so that calm hours save up a debt",
    ),
    Slip(
        "cusum",
        "up = max(0.0, up + value - slack)",
        "up = max(0.0, up + value)",
        "when the slack is not taken from the sum of rises",
    ),
    Slip(
        "cusum",
        "down - value - slack",
        "down - value + slack",
        "when the slack is added to the sum of drops, not taken from it",
    ),
    Slip("cusum", "max(up, down) > limit", "up > limit", "when drops never alarm"),
    Slip("cusum", "max(up, down) > limit", "down > limit", "when rises never alarm"),
    Slip(
        "cusum",
        "max(up, down) > limit",
        "max(up, down) >= limit",
        "when a sum that is exactly the limit alarms",
    ),
    Slip(
        "cusum",
        "            up = down = 0.0\n",
        "",
        "when the sums go on growing after an alarm",
    ),
    Slip(
        "cusum",
        "            continue\n",
        "            up = down = 0.0\n            continue\n",
        "when an hour without data sets both sums to 0",
    ),
    Slip(
        "cusum",
        "for hour, value in enumerate(z):",
        "for hour, value in enumerate(z[~np.isnan(z)]):",
        "when hours without data are dropped, so that later hours move forward",
    ),
    Slip(
        "cusum",
        None,
        """
def solution_cusum(z, slack=0.5, limit=5.0):
    alarms, total = [], 0.0
    for hour, value in enumerate(z):
        if np.isnan(value):
            continue
        total = max(0.0, total + abs(value) - slack)
        if total > limit:
            alarms.append(hour)
            total = 0.0
    return alarms
""",
        "when one sum adds |z|, so that rises and drops count together",
    ),
    Slip(
        "cusum",
        "for hour, value in enumerate(z):",
        "for hour, value in enumerate(np.nan_to_num(z)):",
        "when an hour without data counts as z = 0, so that both sums lose the slack",
    ),
    Slip(
        "cusum",
        None,
        """
def solution_cusum(z, slack=0.5, limit=5.0):
    z = np.nan_to_num(z)
    up, down = np.cumsum(z - slack), np.cumsum(-z - slack)
    return np.flatnonzero(np.maximum(up, down) > limit).tolist()
""",
        "when the whole running sum is taken, never cut at 0 and never begun again",
    ),
    Slip(
        "cusum",
        "alarms.append(hour)\n            up = down = 0.0",
        "return [hour]",
        "when the search ends with the first alarm",
    ),
    Slip(
        "cusum",
        None,
        """
def solution_cusum(z, slack=0.5, limit=5.0):
    alarms, total = [], 0.0
    for hour, value in enumerate(z):
        if np.isnan(value):
            continue
        total += value - slack if value > 0 else value + slack
        if abs(total) > limit:
            alarms.append(hour)
            total = 0.0
    return alarms
""",
        "when one signed sum stands for the two",
    ),
]
