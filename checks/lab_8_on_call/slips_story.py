"""Wrong on purpose: more of what people write in stages 5 and 6 of lab 8."""

from checks.expect import Slip

BOTH_SUMS = (
    "        up = max(0.0, up + value - slack)\n        down = max(0.0, down - value - slack)\n"
)

SUSPECT = "[change for change in changes if change.hour <= onset][-1]"
FELT = "if out[t] and out[t + 1])"
OVER = "if t > felt and not out[t] and not out[t + 1])"
NORMAL = "residuals[metric][onset - 48 : onset]"
HIT = "requests[felt:t].sum()"

STORY = [
    Slip(
        "postmortem",
        SUSPECT,
        "changes[-1]",
        "when the last change of the log is the trigger, whenever it came",
    ),
    Slip("postmortem", "normal.std()", "normal.var()", "when sigmas are divided by the variance"),
    Slip(
        "postmortem",
        "(residuals[metric] - normal.mean())",
        "residuals[metric]",
        "when the mean of the normal hours is not subtracted",
    ),
    Slip(
        "postmortem",
        "normal.mean()",
        "np.median(normal)",
        "when the median of the normal hours stands where their mean is asked for",
    ),
    Slip(
        "postmortem",
        NORMAL,
        "residuals[metric][24:onset]",
        "when normal is every hour before the onset, not the last 48",
    ),
    Slip(
        "postmortem",
        "sigmas[metric] = (residuals[metric] - normal.mean()) / normal.std()",
        "sigmas[metric] = solution_rolling_z(residuals[metric], 48)",
        "when normal rolls with the hour, so that it learns the incident",
    ),
    Slip(
        "postmortem",
        "np.abs(sigmas[symptom]) > 4",
        "np.abs(sigmas[symptom]) >= 4",
        "when exactly 4 sd is out",
    ),
    Slip(
        "postmortem",
        "np.abs(sigmas[symptom]) > 4",
        "np.abs(sigmas[cause]) > 4",
        "when the hours of the symptom are read off the cause",
    ),
    Slip(
        "postmortem",
        FELT,
        "if out[t] or out[t + 1])",
        "when the symptom begins where one of two hours is out, not both",
    ),
    Slip(
        "postmortem",
        FELT,
        "if t >= paged and out[t] and out[t + 1])",
        "when the symptom is looked for from the page on, not from the onset",
    ),
    Slip(
        "postmortem",
        FELT,
        "if t > onset and out[t] and out[t + 1])",
        "when the symptom may not begin in the hour of the onset",
    ),
    Slip(
        "postmortem",
        OVER,
        "if t > felt and not (out[t] and out[t + 1]))",
        "when the symptom ends where one of two hours is calm, not both",
    ),
    Slip(
        "postmortem",
        OVER,
        "if not out[t] and not out[t + 1])",
        "when a calm hour before the symptom counts as its end",
    ),
    Slip(
        "postmortem",
        OVER,
        "if t > max(felt, paged) and not out[t] and not out[t + 1])",
        "when the symptom may only end after the page",
    ),
    Slip(
        "postmortem",
        OVER,
        "if t > felt and np.abs(sigmas[cause][t : t + 2]).max() <= 4)",
        "when the mitigation is read off the cause, not the symptom",
    ),
    Slip(
        "postmortem",
        "over = next(",
        "over = 1 + next(",
        "when the second calm hour is the mitigation, not the first",
    ),
    Slip(
        "postmortem",
        "(paged,",
        "(max(paged, felt),",
        "when the detection may not come before the symptom",
    ),
    Slip(
        "postmortem",
        "told.sort(key=lambda line: line[0])",
        "told = sorted(told[::-1], key=lambda line: line[0])",
        "when events of the same hour stand in the reverse order of the table",
    ),
    Slip(
        "postmortem",
        "t - onset,",
        "max(0, t - onset),",
        "when a trigger before the onset has an elapsed time of 0",
    ),
    Slip(
        "postmortem",
        HIT,
        "requests[felt:over].sum()",
        "when every event holds the requests of the whole symptom",
    ),
    Slip(
        "postmortem",
        HIT,
        'requests[felt:t].sum() * (kind == "mitigation")',
        "when only the mitigation counts the requests that were hit",
    ),
    Slip(
        "postmortem",
        HIT,
        "requests[felt:t][out[felt:t]].sum()",
        "when calm hours between two bad ones are left out of the requests",
    ),
    Slip(
        "postmortem",
        HIT,
        "requests[felt : min(t, over)].sum()",
        "when a page after the end of the symptom counts requests up to that end only",
    ),
    Slip(
        "postmortem",
        HIT,
        "requests[change.hour : t].sum()",
        "when requests are counted from the trigger, not from the symptom",
    ),
    Slip(
        "postmortem",
        '"mitigation", symptom,',
        '"mitigation", cause,',
        "when the mitigation is told of the cause, not of the symptom",
    ),
    Slip(
        "postmortem",
        '"symptom", symptom,',
        '"symptom", cause,',
        "when the symptom's event names the metric of the cause",
    ),
    Slip(
        "postmortem",
        "moved: {change.what}",
        "moved",
        "when the trigger's evidence does not quote the change",
    ),
    Slip(
        "postmortem",
        "the alarm on {cause} paged",
        "the alarm paged",
        "when the evidence of the detection does not name its metric",
    ),
    Slip(
        "postmortem",
        "the alarm on {cause} paged",
        "{cause} was the first to leave its normal level",
        "when two events have the same evidence",
    ),
    Slip(
        "postmortem",
        "sigmas[metric] = (residuals[metric] - normal.mean()) / normal.std()",
        "residuals[metric] = sigmas[metric] = (residuals[metric] - normal.mean()) / normal.std()",
        "when the caller's residuals, requests or changes are changed",
    ),
    Slip(
        "cusum",
        None,
        """
def solution_cusum(z, slack=0.5, limit=5.0):
    alarms, up, down = [], 0.0, 0.0
    for hour, value in enumerate(z):
        up = np.maximum(0.0, up + value - slack)
        down = np.maximum(0.0, down - value - slack)
        if up > limit or down > limit:
            alarms.append(hour)
            up = down = 0.0
    return alarms
""",
        "when an hour without data makes both sums NaN for good",
    ),
    Slip(
        "cusum",
        "alarms, up, down = [], 0.0, 0.0",
        "alarms, up, down, slack = [], 0.0, 0.0, 0.0",
        "when the slack is taken from neither sum",
    ),
    Slip(
        "cusum",
        "alarms, up, down = [], 0.0, 0.0",
        "alarms, up, down, slack = [], 0.0, 0.0, 0.5",
        "when the slack is always 0.5",
    ),
    Slip(
        "cusum",
        "alarms, up, down = [], 0.0, 0.0",
        "alarms, up, down, limit = [], 0.0, 0.0, 5.0",
        "when the limit is always 5",
    ),
    Slip(
        "cusum",
        "down - value - slack",
        "down - value",
        "when the slack is not taken from the sum of drops",
    ),
    Slip(
        "cusum",
        BOTH_SUMS,
        "        up, down = up + value - slack, down - value - slack\n",
        "when neither sum is cut at 0, so that calm hours save up a debt",
    ),
    Slip(
        "cusum",
        "down = max(0.0, down - value - slack)",
        "down = max(0.0, down - value - slack) if up == 0 else 0.0",
        "when an hour that adds to one sum wipes out the other",
    ),
    Slip(
        "cusum",
        BOTH_SUMS,
        "        up, down = max(0.0, up + value) - slack, max(0.0, down - value) - slack\n",
        "when the slack is taken after the cut at 0, so that calm sums stand below it",
    ),
    Slip(
        "cusum",
        "            up = down = 0.0\n",
        "            up = 0.0\n",
        "when only the sum of rises begins again after an alarm",
    ),
    Slip(
        "cusum",
        "            up = down = 0.0\n",
        "            down = 0.0\n",
        "when only the sum of drops begins again after an alarm",
    ),
    Slip(
        "cusum",
        "    for hour, value",
        "    z[np.isnan(z)] = 0.0\n    for hour, value",
        "when NaN is replaced in the caller's array",
    ),
]
