"""A lab's complete text in a form that nobody reads by accident: zlib, then base64.

It keeps an honest reader honest and nothing more: one line of Python opens it.
"""

from __future__ import annotations

import binascii
import os
import zlib

from checks.runner.places import ROOT, NotUsable

HEADER = b"# The lab with its reference, for the checks alone. Write your own first.\n"
WIDTH = 57  # bytes a line, 76 characters


def sealed(text: str) -> bytes:
    """The file to hand out beside the checks, in lines of plain ASCII."""
    packed = zlib.compress(text.encode("utf-8"), 9)
    rows = [binascii.b2a_base64(packed[at : at + WIDTH]) for at in range(0, len(packed), WIDTH)]
    return HEADER + b"".join(rows)


def opened(path: str) -> str:
    """The text in a sealed file; its line ends may have been changed on the way."""
    try:
        with open(path, "rb") as file:
            _, _, body = file.read().partition(b"\n")
        return zlib.decompress(binascii.a2b_base64(body)).decode("utf-8")
    except (OSError, binascii.Error, zlib.error, UnicodeDecodeError) as error:
        raise NotUsable(
            f"the sealed reference cannot be opened: {error}",
            "bring it back: git checkout -- checks",
            os.path.relpath(path, ROOT),
        ) from None
