"""A figure on light and on dark paper; this part runs in the kernel of the lab.

`install` makes each figure that a cell shows leave as one bundle: PNG for light paper, PNG for
dark paper, the same two at the size of a card, and the words that stand in it. Nothing of the
plot itself is changed: on dark paper black and white change places, colours become lighter. A
card shows one panel, since at 360 pixels the words of two could not be read.
"""

from __future__ import annotations

import base64
import colorsys
import contextlib
import io
from collections.abc import Iterator
from typing import Any

MIME = "application/vnd.ml-mini-labs.figure+json"
DPI = 200  # two pixels for each CSS pixel
CARD = (5.3, 3.5)  # inches: small enough that the words stay readable at 360 pixels
INK, PAPER = 0.88, 0.09  # what black and white become on dark paper, as lightness
KEEP = ("none", "auto", "inherit")
LIGHT_ENOUGH = 0.62  # a colour on dark paper is at least so light


def install() -> None:
    """Show every figure of this kernel as a bundle."""
    from IPython.core.getipython import get_ipython
    from IPython.display import display
    from matplotlib.figure import Figure

    def show(figure: Any) -> None:
        display({MIME: bundle(figure)}, raw=True)

    shell: Any = get_ipython()
    shell.display_formatter.ipython_display_formatter.for_type(Figure, show)


def bundle(figure: Any) -> dict[str, Any]:
    """The figure as PNG on both papers, its panels as cards, and its words."""
    found: dict[str, Any] = {**on_both(figure), "words": words(figure), "cards": []}
    size = tuple(figure.get_size_inches())
    figure.set_size_inches(*CARD)
    for panel in panels(figure):
        with alone(figure, panel):
            found["cards"].append(on_both(figure))
    figure.set_size_inches(*size)
    return found


def on_both(figure: Any) -> dict[str, str]:
    """The figure as it is now, on light and on dark paper."""
    light = png(figure)
    with dark(figure):
        return {"light": light, "dark": png(figure)}


def panels(figure: Any) -> list[Any]:
    """What a card may show: each panel where they stand side by side, else nothing but the whole.

    Panels below one another share their x axis, so they stay together: None stands for that.
    """
    plain = [axes for axes in figure.axes if not hasattr(axes, "_colorbar")]
    columns = {round(axes.get_position().x0, 3) for axes in plain}
    return plain if 1 < len(columns) == len(plain) else [None]


@contextlib.contextmanager
def alone(figure: Any, panel: Any) -> Iterator[None]:
    """Show one panel only, as large as the figure; `None` shows all of them."""
    if panel is None:
        yield
        return
    others = [axes for axes in figure.axes if axes is not panel]
    place, spec = panel.get_position(original=True), panel.get_subplotspec()
    labels = [(label, label.get_visible()) for label in panel.get_yticklabels()]
    for axes in others:
        axes.set_visible(False)
    panel.set_position([0.125, 0.11, 0.775, 0.77])
    panel.tick_params(labelleft=True)
    try:
        yield
    finally:
        for axes in others:
            axes.set_visible(True)
        panel.set_position(place)
        if spec is not None:
            panel.set_subplotspec(spec)
        for label, visible in labels:
            label.set_visible(visible)


def png(figure: Any) -> str:
    """The figure on transparent paper, as PNG in base 64."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, bbox_inches="tight", transparent=True)
    return base64.b64encode(out.getvalue()).decode("ascii")


def words(figure: Any) -> list[dict[str, Any]]:
    """For each panel: its title, what its axes measure, its legend."""
    found: list[dict[str, Any]] = []
    for axes in figure.axes:
        legend = axes.get_legend()
        found.append(
            {
                "title": axes.get_title(),
                "x": axes.get_xlabel(),
                "y": axes.get_ylabel(),
                "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
                "scale": hasattr(axes, "_colorbar"),
            }
        )
    for legend in figure.legends:
        found[0]["legend"] += [text.get_text() for text in legend.get_texts()]
    return found


def on_dark(colour: Any) -> tuple[float, float, float, float]:
    """The colour that stands on dark paper for `colour` on light paper."""
    from matplotlib.colors import to_rgba

    red, green, blue, alpha = to_rgba(colour)
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    if saturation < 0.08:
        light = INK + (PAPER - INK) * light
    elif light > 0.85:
        light = 1 - light + PAPER
    else:
        light = max(light, LIGHT_ENOUGH)
    return (*colorsys.hls_to_rgb(hue, light, saturation), alpha)


@contextlib.contextmanager
def dark(figure: Any) -> Iterator[None]:
    """Recolour the figure for dark paper, and back afterwards."""
    old = [(artist, name, getattr(artist, f"get_{name}")()) for artist, name in colourable(figure)]
    old = [row for row in old if not isinstance(row[2], str) or row[2] not in KEEP]
    for artist, name, colour in old:  # read all first: one colour may follow another
        new = [on_dark(c) for c in colour] if is_many(colour) else on_dark(colour)
        getattr(artist, f"set_{name}")(new)
    try:
        yield
    finally:
        for artist, name, colour in old:
            getattr(artist, f"set_{name}")(colour)


def is_many(colours: Any) -> bool:
    """Whether it is an array of colours, not one colour."""
    return getattr(colours, "ndim", 1) == 2


def colourable(figure: Any) -> Iterator[tuple[Any, str]]:
    """Each artist with the names of its colours; what is drawn over an image stays as it is."""
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    over_images = {
        part for axes in figure.axes if axes.images for part in (*axes.texts, *axes.lines)
    }
    for artist in figure.findobj():
        if artist in over_images:
            continue
        if isinstance(artist, Text):
            yield artist, "color"
        elif isinstance(artist, Line2D):
            yield from ((artist, n) for n in ("color", "markerfacecolor", "markeredgecolor"))
        elif isinstance(artist, Patch) or (
            isinstance(artist, Collection) and artist.get_array() is None
        ):
            yield from ((artist, n) for n in ("facecolor", "edgecolor"))
