"""Mutants that change nothing anybody could see, with the reason; a run leaves them out."""

from __future__ import annotations

# (path, what the mutant replaces, what stands there instead): why nothing changes
EQUIVALENT: dict[tuple[str, str, str], str] = {}
