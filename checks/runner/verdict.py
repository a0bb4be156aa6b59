"""What the engine says of a stage: one of five states, and everything a face may show."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PASSED, TODO, FAILED, CRASHED, TIMEOUT = "passed", "todo", "failed", "crashed", "timeout"
WRONG = (FAILED, CRASHED, TIMEOUT)


class Verdict:
    """One stage, judged. Plain data: it crosses from the child process as a dict.

    message    the case in one line; `line` and `column` are 1-based, in the lab file
    rows       (label, text) pairs for the person: call, got, expected, in ...
    diagnosis  meanings of the slips that give exactly this result, verified
    so_far     the diagnosis holds up to the first fault; later cases differ, or were not reached
    carried    stages whose reference version was used in place of the learner's
    notes      whole sentences worth knowing, whatever the state
    printed    what the learner's own print calls wrote, cut
    """

    __slots__ = (
        "carried",
        "column",
        "diagnosis",
        "file",
        "functions",
        "lab",
        "line",
        "message",
        "notes",
        "printed",
        "reference",
        "reread",
        "rows",
        "seconds",
        "so_far",
        "stage",
        "state",
    )

    def __init__(self, lab: str, stage: int, state: str, file: str, **fields: Any) -> None:
        self.lab, self.stage, self.state, self.file = lab, stage, state, file
        self.message: str = fields.get("message", "")
        self.line: int = fields.get("line", 1)
        self.column: int = fields.get("column", 1)
        self.seconds: float = fields.get("seconds", 0.0)
        self.functions: list[str] = fields.get("functions", [])
        self.rows: list[tuple[str, str]] = fields.get("rows", [])
        self.diagnosis: list[str] = fields.get("diagnosis", [])
        self.so_far: bool = fields.get("so_far", False)
        self.reread: str = fields.get("reread", "")
        self.carried: list[int] = fields.get("carried", [])
        self.notes: list[str] = fields.get("notes", [])
        self.printed: str = fields.get("printed", "")
        self.reference: bool = fields.get("reference", False)

    def as_dict(self) -> dict[str, Any]:
        """All fields, for JSON and for the pipe."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Verdict:
        """The inverse of `as_dict`."""
        return cls(**fields)

    @property
    def is_wrong(self) -> bool:
        """Whether somebody should look at it: failed, crashed or out of time."""
        return self.state in WRONG

    @property
    def code(self) -> str:
        """`lab-3/stage-2`, the name of this stage for editors and scripts."""
        return f"{self.lab}/stage-{self.stage}"

    @property
    def where(self) -> str:
        """`labs/lab_3_bpe.py:120:5`."""
        return f"{self.file}:{self.line}:{self.column}"
