"""A notebook that was handed in, as the percent-format text that the judge reads.

A notebook's cells run one by one, so a cell that does not parse takes no other one with it:
it is commented out, and that is said. A cell in which checks travel with a notebook is commented
out too: the judge has its own.
"""

from __future__ import annotations

from checks.runner.lab import NotUsable

CELL = "# %%"
PACKED = 20_000  # characters; a whole lab has twice that, and no cell of it a quarter


class Notebook:
    """text   the notebook in percent format
    notes  what was left out
    """

    def __init__(self, data: bytes, name: str) -> None:
        import jupytext

        try:
            book = jupytext.reads(data.decode("utf-8-sig"), fmt="ipynb")
            text = jupytext.writes(book, fmt="py:percent")
        except Exception as error:  # whatever a file that is no notebook makes of the readers
            reason = f"{type(error).__name__}: {error}".split("\n")[0][:120]
            raise NotUsable(
                f"the file is no notebook: {reason}", "ask for it again, as it was saved", name
            ) from None
        self.notes: list[str] = []
        self.lines = text.split("\n")
        self.starts = [at for at, line in enumerate(self.lines, 1) if line.startswith(CELL)]
        for cell, start in enumerate(self.starts):
            after = [*self.starts, len(self.lines) + 1][cell + 1]
            self._check(cell + 1, start + 1, after)
        self.text = "\n".join(self.lines)

    def _check(self, cell: int, begin: int, end: int) -> None:
        """Comment out the lines of a cell that does not parse; the lines keep their numbers."""
        rows = self.lines[begin - 1 : end - 1]
        if sum(map(len, rows)) > PACKED:
            self.lines[begin - 1 : end - 1] = ["#"] * len(rows)
            return
        try:
            compile("\n".join(rows), "cell", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.lines[begin - 1 : end - 1] = [f"# {row}" for row in rows]
            line = getattr(error, "lineno", None) or 1
            self.notes.append(f"cell {cell} does not parse (its line {line}) and was left out")

    def place(self, line: int) -> tuple[int, int]:
        """(cell, line in the cell), both from 1 and from the top, of a line of the text."""
        cell = sum(start <= line for start in self.starts)
        return cell, line - (self.starts[cell - 1] if cell else 0)
