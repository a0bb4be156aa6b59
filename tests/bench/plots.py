"""The pictures of `dist/bench/`: a chart for each part, readable at the width of a README."""

from __future__ import annotations

import math
import statistics
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from tests.bench.labs import PROMISE
from tests.bench.tables import duration, times

WIDTH = 8.6  # inches; at 200 dots each it is read at half its size
INK, GREY, FAINT = "#1f2328", "#8c959f", "#d8dee4"
OURS, WARM, PEER, BARE = "#0a62c4", "#4c9be8", "#b4bcc4", "#57606a"
PLAIN = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
STYLE = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.axisbelow": True,
}


def time_axis(axis) -> None:
    """A logarithmic axis of time, with a tick a decade in the unit that suits it."""
    axis.set_major_locator(LogLocator(10, numticks=12))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: whole(value)))
    axis.set_minor_formatter(NullFormatter())


def whole(seconds: float) -> str:
    """A power of ten seconds, without a decimal point."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if seconds >= 0.999 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def color_of(row: dict) -> str:
    """Ours in blue, a watcher lighter; bare Python dark, everybody else grey."""
    if row["who"] == "ours":
        return WARM if "watch" in row["name"] else OURS
    return BARE if row["who"] == "bare" else PEER


def save(figure, path: Path) -> None:
    """Write the picture, on white, and let go of it."""
    figure.savefig(path, dpi=200, facecolor="white")
    plt.close(figure)


def verdicts(rows: list[dict], path: Path) -> None:
    """Horizontal bars on a log scale, a panel a task, the quickest on top."""
    tasks = {}
    for row in rows:
        if "seconds" in row:
            tasks.setdefault(row["task"], []).append(row)
    if not tasks:
        return
    counts = [len(shown) for shown in tasks.values()]
    with plt.rc_context(STYLE):
        height = 0.235 * sum(counts) + 0.42 * len(counts) + 1.15
        figure, panels = plt.subplots(
            len(tasks), 1, sharex=True, squeeze=False, figsize=(WIDTH, height),
            gridspec_kw={"height_ratios": [count + 0.4 for count in counts]},
        )  # fmt: skip
        every = [row["seconds"] for row in rows if "seconds" in row]
        left, right = 0.5 * min(every), 6.0 * max(every)
        for axes, (task, shown) in zip(panels[:, 0], tasks.items()):
            bars(axes, task, shown, left, right)
        panels[-1, 0].set_xlabel("wall time of one verdict, logarithmic")
        figure.suptitle(
            "How long one verdict takes", x=0.012, y=1 - 0.12 / height, ha="left", va="top",
            fontsize=13, fontweight="bold",
        )  # fmt: skip
        figure.text(
            0.012, 1 - 0.40 / height,
            "The same function and three assertions for all (blue: python -m checks); "
            "× = times a bare script, in turn",
            fontsize=9, va="top",
        )  # fmt: skip
        figure.subplots_adjust(
            left=0.345, right=0.985, top=1 - 0.92 / height, bottom=0.48 / height,
            hspace=0.42 * len(counts) / sum(counts) * 3.2,
        )  # fmt: skip
        save(figure, path)


def bars(axes: Axes, task: str, rows: list[dict], left: float, right: float) -> None:
    """One panel of bars, each with its time and its ratio at its end."""
    rows = sorted(rows, key=lambda row: row["seconds"], reverse=True)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    time_axis(axes.xaxis)
    axes.grid(axis="x", color=FAINT, linewidth=0.8)
    axes.spines[["left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(task, loc="left", fontsize=10, fontweight="bold", pad=4)
    seconds = [row["seconds"] for row in rows]
    axes.barh(
        range(len(rows)), [s - left for s in seconds], left=left, height=0.68,
        color=[color_of(row) for row in rows],
    )  # fmt: skip
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows):
        if row["who"] == "ours":
            label.set_color(OURS)
            label.set_fontweight("bold" if row["name"].endswith(("save", "watching")) else "normal")
    for at, row in enumerate(rows):
        ratio = "" if row["who"] == "bare" else f"   {times(row['ratio'])}×"
        axes.annotate(
            f"{duration(row['seconds'])}{ratio}", (row["seconds"], at), xytext=(5, 0),
            textcoords="offset points", va="center", fontsize=8.5, bbox=PLAIN,
        )  # fmt: skip


def labs(rows: list[dict], path: Path) -> None:
    """Each lab as solved, and its checks, against the promise."""
    rows = [row for row in rows if "seconds" in row]
    if not rows:
        return
    with plt.rc_context(STYLE):
        height = 0.46 * len(rows) + 1.35
        figure, axes = plt.subplots(figsize=(WIDTH, height))
        for at, row in enumerate(reversed(rows)):
            for shift, key, color, what in (
                (0.19, "seconds", OURS, ""),
                (-0.19, "checks_seconds", PEER, " all checks"),
            ):
                axes.barh(at + shift, row[key], height=0.34, color=color)
                axes.annotate(
                    duration(row[key]) + (what if at == len(rows) - 1 else ""),
                    (row[key], at + shift), xytext=(4, 0), textcoords="offset points",
                    va="center", fontsize=8.5,
                )  # fmt: skip
        axes.annotate(
            "as solved, in a kernel", (rows[0]["seconds"], len(rows) - 0.81), xytext=(42, 0),
            textcoords="offset points", va="center", fontsize=8.5, color=OURS,
        )  # fmt: skip
        labels = [f"{row['name']} · {row['title']}" for row in reversed(rows)]
        axes.set_yticks(range(len(rows)), [textwrap.shorten(text, 46) for text in labels])
        axes.tick_params(axis="y", length=0)
        axes.spines[["left"]].set_visible(False)
        axes.set_xlim(0, max(PROMISE * 1.05, *(row["seconds"] * 1.1 for row in rows)))
        axes.set_ylim(-0.55, len(rows) - 0.45)
        axes.axvline(PROMISE, color=INK, linewidth=1)
        axes.annotate(
            f"promised: under {PROMISE:g} s", (PROMISE, -0.45), xytext=(-4, 0),
            textcoords="offset points", ha="right", va="bottom", fontsize=8.5,
        )  # fmt: skip
        axes.grid(axis="x", color=FAINT, linewidth=0.8)
        axes.set_xlabel("seconds of wall time")
        figure.suptitle(
            "How long a lab takes", x=0.012, y=1 - 0.12 / height, ha="left", va="top",
            fontsize=13, fontweight="bold",
        )  # fmt: skip
        figure.text(
            0.012, 1 - 0.40 / height,
            "Top to bottom as solved, with its training and its plots; and python -m checks N",
            fontsize=9, va="top",
        )  # fmt: skip
        figure.subplots_adjust(left=0.375, right=0.985, top=1 - 0.68 / height, bottom=0.5 / height)
        save(figure, path)


def libraries(rows: list[dict], path: Path) -> None:
    """Growth: a small panel a rival, time against size on two log axes, each line labelled."""
    rows = [row for row in rows if "points" in row]
    if not rows:
        return
    columns = 3
    lines = -(-len(rows) // columns)
    with plt.rc_context(STYLE):
        height = 2.15 * lines + 0.85
        figure, panels = plt.subplots(lines, columns, squeeze=False, figsize=(WIDTH, height))
        for axes in panels.flat[len(rows) :]:
            axes.set_visible(False)
        for axes, row in zip(panels.flat, rows):
            growth(axes, row)
        figure.suptitle(
            "How each solution grows, and the library that one would use", x=0.012,
            y=1 - 0.12 / height, ha="left", va="top", fontsize=13, fontweight="bold",
        )  # fmt: skip
        figure.text(
            0.012, 1 - 0.40 / height,
            "The same job, outcomes compared first, one thread, run in turn; "
            "n is the size, and the power of it is the growth",
            fontsize=9, va="top",
        )  # fmt: skip
        figure.subplots_adjust(
            left=0.075, right=0.985, top=1 - 1.02 / height, bottom=0.5 / height, hspace=0.7,
            wspace=0.36,
        )  # fmt: skip
        save(figure, path)


def growth(axes: Axes, row: dict) -> None:
    """One panel: ours and theirs, with the exponent of each at its line."""
    sizes = [point["size"] for point in row["points"]]
    axes.set_xscale("log")
    axes.set_yscale("log")
    both = (
        ("ours", OURS, "ours", row["slope_ours"]),
        ("peer", BARE, row["peer"], row["slope_peer"]),
    )
    heights = []
    for key, color, *_ in both:
        seconds = [point[key] for point in row["points"]]
        heights.append(statistics.fmean(math.log(second) for second in seconds))
        axes.plot(sizes, seconds, color=color, marker="o", markersize=3.5, linewidth=1.6)
    above = heights.index(max(heights))
    marks = [f"\n{mark}" if mark else "" for mark in row["points"][-1]["marks"]]
    for at, (_, color, name, exponent) in enumerate(
        both
    ):  # both lines rise, so two corners are free
        x, y, where = (0.03, 0.96, "left") if at == above else (0.99, 0.05, "right")
        axes.text(
            x, y, f"{name}  $n^{{{exponent:.2f}}}${marks[at]}", bbox=PLAIN, ha=where,
            va="top" if at == above else "bottom", transform=axes.transAxes,
            fontsize=8.5, color=color, fontweight="bold",
        )  # fmt: skip
    axes.margins(x=0.08)
    every = [point[key] for point in row["points"] for key in ("ours", "peer")]
    low, high = min(every), max(every)
    room = 0.85 if any(marks) else 0.3  # for the labels, above and below: of two lines, or one
    reach = max(high / low, 30) ** room
    axes.set_ylim(low / reach, high * reach)
    time_axis(axes.yaxis)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(sizes, [short(size) for size in sizes])
    axes.grid(color=FAINT, linewidth=0.7)
    axes.tick_params(labelsize=8)
    axes.set_xlabel(row["unit"], fontsize=8, labelpad=1)
    title = textwrap.fill(f"Lab {row['lab']}: {row['job']}", 37)
    axes.set_title(title, loc="left", fontsize=8.5, pad=5)


def short(size: int) -> str:
    """`800`, `1,024`, `80k`."""
    return f"{size // 1000}k" if size % 1000 == 0 else f"{size:,}"
