"""One lab as solved, run top to bottom under one setting; what came of it goes to stdout.

`python -m tests.reproduce.child 5 '{"OPENBLAS_CORETYPE": "Haswell"}'`, started by the parent in
a fresh process: the variables have to be there before NumPy or PyTorch is loaded. `null` in their
place leaves the environment as it is found, in the container for one.

Time is the one thing that may differ between two runs, so a lab's clock stands: whenever a cell
reads it, a millisecond has passed. With that nothing that a lab prints or makes needs to be
excused from the comparison, whatever its unit. Other code sees the true clock.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import marshal
import os
import sys
import time
from typing import Any

from tests.reproduce.settings import MARK, PROBES, VARIABLES

CLOCKS = ("perf_counter", "monotonic", "process_time", "time")


def set_variables(wanted: dict[str, str] | None) -> None:
    """Exactly these variables, of all those that choose instruction sets and threads."""
    if wanted is not None:
        for name in VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(wanted)
    os.environ["MPLBACKEND"] = "Agg"


def stand_clocks(path: str) -> None:
    """From now on, code of the file `path` sees a clock that ticks when it is read."""
    ticks = 0

    def standing(clock: Any, tick: Any) -> Any:
        def read() -> Any:
            nonlocal ticks
            if sys._getframe(1).f_code.co_filename != path:
                return clock()
            ticks += 1
            return ticks * tick

        return read

    for name in CLOCKS:
        setattr(time, name, standing(getattr(time, name), 0.001))
        setattr(time, f"{name}_ns", standing(getattr(time, f"{name}_ns"), 1_000_000))


def judge_in_place(said: list[str]) -> None:
    """Have each `check_stageN(...)` of a cell write its verdict down, and let the lab go on."""
    from checks.expect import CheckFailed, StageCheck

    def call(self: StageCheck, *functions: Any) -> None:
        verdict = "passed"
        try:
            self.run(dict(zip(self.parameters, functions)))
        except CheckFailed as no:
            verdict = f"failed: {no.case}"
        except Exception as error:
            verdict = f"crashed: {type(error).__name__}: {error}"
        said.append(f"stage {self.number} {verdict}")

    StageCheck.__call__ = call  # type: ignore[method-assign]


def look_at_pictures(seen: list[str]) -> None:
    """Have `plt.show()` draw every open figure and note a digest of its pixels."""
    import matplotlib.pyplot as plt

    def show(*_: Any, **__: Any) -> None:
        for number in plt.get_fignums():
            canvas: Any = plt.figure(number).canvas
            canvas.draw()
            seen.append(hashlib.sha256(bytes(canvas.buffer_rgba())).hexdigest())
        plt.close("all")

    plt.show = show


def in_effect(text: str) -> str:
    """What NumPy and PyTorch really use, by their own account."""
    import threadpoolctl

    pools = [p for p in threadpoolctl.threadpool_info() if p.get("internal_api") == "openblas"]
    words = [f"{p.get('architecture')}, {p['num_threads']} thread(s)" for p in pools[:1]]
    if "import torch" in text:
        import torch

        words.append(f"torch {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()}")
    return "; ".join(words)


def run(path: str, text: str) -> dict[str, Any]:
    """What the text of a lab gives: verdicts, printed lines, pictures, data, seconds."""
    verdicts: list[str] = []
    pictures: list[str] = []
    printed, error = io.StringIO(), ""
    space = {"__name__": "__main__", "__file__": path}
    begin = time.perf_counter()
    judge_in_place(verdicts)
    look_at_pictures(pictures)
    stand_clocks(path)
    sys.modules["__main__"].__dict__.update(space)
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(text, path, "exec"), space)
    except BaseException as problem:
        import traceback

        last = traceback.extract_tb(problem.__traceback__)[-1]
        where = f"{os.path.basename(last.filename)}:{last.lineno}"
        error = f"{type(problem).__name__}: {problem} ({where})"
    from tests.reproduce import values

    return {
        "verdicts": verdicts,
        "printed": printed.getvalue(),
        "pictures": pictures,
        "values": values.of_space(space),
        "error": error,
        "in effect": in_effect(text),
        "seconds": time.perf_counter() - begin,
    }


def main(word: str, variables: str) -> None:
    """Run a lab, or for `numpy` or `torch` a few sums with it, and write the result to stdout."""
    out = os.dup(1)
    os.dup2(2, 1)  # what C code prints must not mix with the result
    set_variables(json.loads(variables))
    if word in PROBES:
        result = run("probe", PROBES[word])
    else:
        from checks.runner.kernel import as_solved
        from checks.runner.lab import Lab, find

        lab = Lab(find(word))
        result = run(lab.path, as_solved(lab))
    with open(out, "wb") as stream:
        stream.write(MARK + marshal.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
