"""One piece of old code, and what it should do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Old:
    """Code written for BertViz 1.x.

    Attributes:
        code: What is run, in a folder where models can be loaded by name.
        shown: How many views it displays.
        error: What its last line raises, also under BertViz.
        says: A pattern in that error.
        warns: A word of the one warning it gives, where it hides a mistake.
    """

    code: str
    shown: int = 1
    error: type[Exception] | None = None
    says: str = ""
    warns: str | None = None
