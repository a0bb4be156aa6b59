"""A real verdict for the front page: a wrong function, judged while the site is built."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from checks.runner import report, sandbox, stub
from checks.runner.lab import Lab, NotUsable, find
from publish.site import text

# What a learner might well write: the cached way does not read the token generated last.
LAB, STAGE, FUNCTION = "lab-4", 5, "kv_rows"
BODY = """\
    naive = sum(prompt_len + step for step in range(n))
    cached = prompt_len + n  # the prompt once, then each new token
    return naive, cached"""


@dataclass
class Demo:
    """The wrong function and what is said of it.

    lines    (number in the file, HTML) of the function; its name carries the squiggle
    command  what the learner typed
    verdict  the answer, word for word
    meaning  the mistake that it names
    """

    file: str
    lines: list[tuple[int, str]]
    command: str
    verdict: str
    meaning: str


def demonstration() -> Demo | None:
    """The verdict on the wrong function; None where this clone has no such lab.

    Raises RuntimeError where the checks do not name the mistake any more.
    """
    try:
        lab = Lab(find(LAB))
    except NotUsable:
        return None
    shipped = lab.definition(FUNCTION)
    if shipped is None:
        return None
    source = stub.generate(lab, shipped, STAGE).rpartition("    # TODO(you)")[0] + BODY
    wrong = lab.splice(FUNCTION, source)
    (verdict,) = sandbox.run(sandbox.Job(wrong, [STAGE]))
    if len(verdict.diagnosis) != 1:
        raise RuntimeError(
            f"publish/site/demo.py: {LAB} stage {STAGE} no longer names the mistake in {FUNCTION}: "
            f"{verdict.message or verdict.state}; choose another wrong function there"
        )
    squiggle = f'<span class="squiggle">{escape(FUNCTION)}</span>'
    marked = text.code(source).replace(FUNCTION, squiggle, 1)
    return Demo(
        lab.relative,
        list(enumerate(marked.split("\n"), verdict.line)),
        f"python3 -m checks {lab.number} {STAGE}",
        report.text(verdict, wrong),
        verdict.diagnosis[0],
    )
