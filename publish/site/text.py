"""Markdown, formulas and code as HTML that needs no script and no style of another's."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from itertools import pairwise
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

LONG = 34  # characters of LaTeX from which a formula may be wider than a phone
FUNCTION = r"<mi>(?:ln|log|exp|sin|cos|tan|tanh|erf|max|min)</mi>"
AFTER = re.compile(rf"({FUNCTION})(?=<m(?:i|n|frac|sqrt|sub|sup|row><mi)\b)")
BEFORE = re.compile(rf"(</m(?:i|n|frac|sub|sup)>)(?={FUNCTION})")
THIN = '<mspace width="0.17em"/>'  # in `2 ln x`, where no operator and no bracket stands
ARROW = re.compile(r"<mi>(&#x027F[89A];)</mi>")  # the converter takes these for variables
SPACED = r'<mo lspace="0.28em" rspace="0.28em">\1</mo>'
SLASH = "<mo>&#x0002F;</mo>"
NORM = "<mo>&#x02016;</mo>"
FLAT = '<mo stretchy="false" lspace="0" rspace="0">&#x02016;</mo>'  # both bars of one height
CLOSING = re.compile(r"</math></span>([.,;:)?])")
JOINED = re.compile(r"(</math>)(?=[.,;:)?])")  # no line begins with a full stop
PYTHON = PythonLexer(stripnl=False)
SPANS = HtmlFormatter(nowrap=True)
PLAIN = re.compile(r'<span class="(?:n|p|o|w|nn|si|fm)">([^<]*)</span>')  # no colour of their own
TODO = '<span class="c1"># TODO(you)'
MARKED = '<span class="c1 todo"># TODO(you)'


def math(latex: str, block: bool = False) -> str:
    """A formula as MathML; `alttext` keeps the LaTeX for programs that read no MathML."""
    latex = " ".join(latex.split())
    known = latex.replace(r"\arg", r"\operatorname{arg}")
    tag = convert(known, display="block" if block else "inline")
    tag = ARROW.sub(SPACED, AFTER.sub(rf"\1{THIN}", BEFORE.sub(rf"\1{THIN}", tag)))
    tag = tag.replace(NORM, FLAT).replace(SLASH + SLASH, "<mo>//</mo>")
    tag = tag.replace("<math ", f'<math alttext="{escape(latex)}" ', 1)
    is_long = len(latex) > LONG
    focus = ' tabindex="0" role="group" aria-label="formula"' if is_long else ""
    if block:
        return f'<div class="formula"{focus}>{tag}</div>\n'
    return f'<span class="formula"{focus}>{tag}</span>' if is_long else tag


def _joined(html: str) -> str:
    """What closes a sentence stays with the formula before it, within it where that scrolls."""
    return JOINED.sub("\\1\u2060", CLOSING.sub(r"</math>\1</span>", html))


def code(source: str) -> str:
    """Python, coloured; the line that is yours to write is marked."""
    spans = PLAIN.sub(r"\1", highlight(source, PYTHON, SPANS))
    return spans.rstrip("\n").replace(TODO, MARKED)


def slug(text: str) -> str:
    """`What is protected, and how?` -> `what-is-protected-and-how`, as GitHub makes anchors."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


class Prose:
    """Markdown as HTML.

    prefix  stands before the anchors of `###` headings, so that a page has each once
    link    what an address of the text becomes; nothing takes the link away
    image   the attributes of an image in place of its address
    """

    def __init__(
        self,
        link: Callable[[str], str] = lambda address: address,
        image: Callable[[str], dict[str, str]] = lambda address: {"src": address},
    ) -> None:
        self.link, self.image, self.prefix = link, image, ""
        self.seen: set[str] = set()
        self.reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
        self.reader.use(dollarmath_plugin, allow_space=False, double_inline=True)
        renderer: Any = self.reader.renderer
        rules = renderer.rules
        rules["math_inline"] = lambda tokens, at, *_: math(tokens[at].content)
        rules["math_inline_double"] = lambda tokens, at, *_: math(tokens[at].content, block=True)
        rules["math_block"] = lambda tokens, at, *_: math(tokens[at].content, block=True)
        rules["fence"] = rules["code_block"] = lambda tokens, at, *_: block(
            tokens[at].content, tokens[at].info
        )
        rules["table_open"] = lambda *_: '<div class="wide" tabindex="0" role="group"><table>\n'
        rules["table_close"] = lambda *_: "</table></div>\n"

    def html(self, markdown: str) -> str:
        """Whole paragraphs."""
        tokens = self.reader.parse(markdown)
        self._anchors(tokens)
        for start, inside, end in zip(tokens, tokens[1:], tokens[2:]):
            if start.type == "th_open" and not inside.content:
                start.tag = end.tag = "td"  # an empty corner heads nothing
        for token in tokens:
            if str(token.attrGet("style") or "").endswith("right"):
                token.attrSet("class", "right")
            token.attrs.pop("style", None)  # the pages allow no style within
        for token in tokens:
            token.children = self._links(token.children or [])
        html = self.reader.renderer.render(tokens, self.reader.options, {})
        return _joined(html)

    def inline(self, markdown: str) -> str:
        """One sentence, without a paragraph around it."""
        (token,) = self.reader.parseInline(" ".join(markdown.split()))
        token.children = self._links(token.children or [])
        html = self.reader.renderer.render([token], self.reader.options, {})
        return _joined(html)

    def _anchors(self, tokens: list[Token]) -> None:
        for token, inside in pairwise(tokens):
            if token.type == "heading_open":
                name = slug(f"{self.prefix} {inside.content}")
                while name in self.seen:
                    name += "-more"
                self.seen.add(name)
                token.attrSet("id", name)

    def _links(self, children: list[Token]) -> list[Token]:
        kept: list[Token] = []
        gone: list[bool] = []
        for child in children:
            if child.type == "link_open":
                address = self.link(str(child.attrGet("href") or ""))
                gone.append(not address)
                child.attrSet("href", address)
            elif child.type == "image":
                child.attrs.update(self.image(str(child.attrs.pop("src"))))
            dropped = child.type.startswith("link_") and gone[-1]
            if child.type == "link_close":
                gone.pop()
            if not dropped:
                kept.append(child)
        return kept


def block(source: str, kind: str = "") -> str:
    """A block of code in the text: Python where it says so, else as it is."""
    shown = code(source) if kind.split()[:1] in (["python"], ["py"]) else escape(source.rstrip())
    return f'<pre tabindex="0"><code>{shown}</code></pre>\n'
