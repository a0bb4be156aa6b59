"""What was measured, in words: lines for the terminal, and tables for `dist/bench.md`."""

from __future__ import annotations

from collections.abc import Iterable


def duration(seconds: float) -> str:
    """Three digits at most, in the unit that suits: `640 µs`, `31 ms`, `2.4 s`."""
    for unit, size in (("µs", 1e-6), ("ms", 1e-3)):
        if seconds < 999.5 * size:
            value = seconds / size
            return f"{value:.0f} {unit}" if value >= 9.95 else f"{value:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 99.5 else f"{seconds:.1f} s"


def times(value: float) -> str:
    """A ratio with two or three digits: `0.05`, `1.23`, `12.3`, `123`."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def spread(row: dict) -> str:
    """The quartiles of a ratio."""
    return f"{times(row['low'])} to {times(row['high'])}"


def line(part: str, row: dict) -> str:
    """One row for the terminal, as it is measured."""
    if part == "libraries":
        label = f"lab {row['lab']}  {row['job']} : {row['peer']}"
    elif part == "labs":
        label = f"{row['name']}  {row['title']}"
    else:
        label = f"{row['task']}: {row['name']}"
    if "points" not in row and "seconds" not in row:
        return f"  {label:<62} {row['why']}"
    if part == "verdicts":
        said = f"{duration(row['seconds']):>8} {times(row['ratio']):>6} x bare ({spread(row)})"
    elif part == "labs":
        said = f"{duration(row['seconds']):>8} as solved, checks {duration(row['checks_seconds'])}"
        said += f": {row['why']}" if "why" in row else ""
    else:
        last = row["points"][-1]
        ratios = " ".join(times(point["ratio"]) for point in row["points"])
        said = f"{duration(last['ours']):>8} : {duration(last['peer'])}, {ratios} x"
    return f"  {label:<62} {said}"


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    columns = head.count("|") + 1
    lines = [f"| {head} |", f"|{'---|' * columns}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def verdicts(rows: list[dict]) -> str:
    """A table for each task."""
    parts = []
    for task in dict.fromkeys(row["task"] for row in rows):
        cells = []
        for row in (row for row in rows if row["task"] == task):
            if "seconds" in row:
                said = [duration(row["seconds"]), times(row["ratio"]), spread(row)]
                said += [str(row["pairs"]), row["includes"]]
            else:
                said = ["", "", "", "", row["why"]]
            cells.append([row["name"], *said])
        head = "who judges | median | times a bare script | quartiles | pairs | the clock holds"
        parts.append(f"### {task}\n\n{table(head, cells)}")
    return "\n\n".join(parts)


def labs(rows: list[dict]) -> str:
    """A table of the labs."""
    cells = []
    for row in rows:
        done = "seconds" in row
        cells.append([
            f"{row['name']} · {row['title']}",
            duration(row["seconds"]) if done else "",
            duration(row["checks_seconds"]) if done else "",
            str(row["stages"]),
            row.get("why", ""),
        ])  # fmt: skip
    return table("lab | as solved, in a kernel | all its checks | stages | ", cells)


def libraries(rows: list[dict]) -> str:
    """A table of the rivals: the largest size, the ratios at all sizes, the growth of both."""
    cells = []
    for row in rows:
        start = [f"{row['lab']}", row["job"], row["peer"]]
        if "points" not in row:
            cells.append([*start, "", "", "", "", "", row["why"]])
            continue
        last = row["points"][-1]
        cells.append([
            *start,
            f"{last['size']:,} {row['unit']}",
            duration(last["ours"]),
            duration(last["peer"]),
            ", ".join(times(point["ratio"]) for point in row["points"]),
            f"{row['slope_ours']:.2f}, {row['slope_peer']:.2f}",
            "; ".join(filter(None, [last["agreement"], row["note"]])),
        ])  # fmt: skip
    return table(
        "lab | job | library | largest size | ours | theirs | ours / theirs, small to large"
        " | growth: ours, theirs | agreement, and what to know",
        cells,
    )


def document(result: dict, about: str) -> str:
    """`dist/bench.md`: the machine, the three parts, and how it was measured."""
    machine, parts = result["machine"], result["parts"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    text = [
        "# Speed, side by side",
        f"{result['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}; one numerical thread. Versions: {versions}.",
    ]
    wording = {"verdicts": verdicts, "labs": labs, "libraries": libraries}
    titles = {
        "verdicts": "How long one verdict takes",
        "labs": "How long a lab takes",
        "libraries": "The solutions beside the libraries",
    }
    for name, part in parts.items():
        quick = ", in quick mode" if part["quick"] else ""
        text += [
            f"## {titles[name]}",
            f"Measured {part['date']}{quick}, in {part['seconds']:.0f} s; load average "
            f"{part['load']}.",
            f"![{titles[name]}](bench/{name}.png)",
            wording[name](part["rows"]),
        ]
    return "\n\n".join([*text, "## How it was measured", about.strip(), ""])
