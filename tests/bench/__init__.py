"""Speed, side by side: `nox -s bench`, or one part of it, `nox -s bench -- verdicts --quick`.

**Ratios.** Machines are noisy and differ, so every figure is a ratio of two things that ran in
turn in the same run, A B A B; the median over the pairs is given, and their quartiles. The
milliseconds beside it are those of this run. All sides have one numerical thread and the
instruction sets of `checks/runner/pins.py` (AVX2 where there is AVX-512; faiss and tokenizers
choose theirs themselves). Bytecode is compiled and the file cache warm, since everybody's
second run is so. A first run of each, which is not counted, sees to that.

**Verdicts.** The same function and the same three assertions for all (`tests/bench/three.py`),
in the form that each wants. The clock starts before the command and stops when its process
has ended, interpreter start and end included.
- Bare Python runs a script that holds both. It is the least that a verdict can cost, isolates
  nothing, has no time limit, and prints a traceback.
- Ours is `python -m checks`, on a lab that holds this one stage. "After a save" means that the
  lab was edited before each run, as it is when one works, so that it is parsed anew; "asked
  again" means that it was not. Included are the child process, its limits, and the journal.
  "Begun by another Python" is the README's `python3 -m checks`, which goes on in `.venv`: two
  interpreters start. With a watcher the clock runs from the write on disk until the line with the
  verdict has been read, or over the whole command that asks it. A shipped stage has more
  cases than three; it stands beside the three.
- pytest has one test for each assertion. It runs with the plugins of this environment, and once
  without plugins and without its cache.
- nbclient, jupytext and nbgrader run a notebook of two cells, otter a script and its test file;
  each starts a kernel. The last three live in an environment of their own (`peers.txt`).
- A peer that passes everything measures nothing: each is first shown a wrong answer, and must
  reject it, then the right one. Ours must name the mistake, too.

**Labs.** Each as solved, top to bottom, in a real kernel: its start, training and plots. Beside
it all checks of that lab, `python -m checks N`.

**Libraries.** Each solution does the job of a library that one would use in its place, in one
process, by turns, at three sizes; the outcome is compared before anything is timed, and an
approximate index is told with its recall. Data are made off the clock. The exponent of the
growth is the slope through the three sizes on logarithmic axes.

A peer that cannot be installed, or that fails, has a row that says why. A row of ours that
cannot be measured, or a lab that takes longer than is promised, fails the session. Nothing is
asserted about ratios.
"""
