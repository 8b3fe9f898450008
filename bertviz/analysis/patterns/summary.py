"""What ``find_patterns`` found, for readers: a sentence, the best heads, and what to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.score import label_of

if TYPE_CHECKING:
    from bertviz.analysis.patterns.scores import PatternScores

HEAD = (
    "pattern",
    "block",
    "best heads: (layer, head) score over null",
    "heads labelled",
)


def lines(scores: PatternScores) -> list[list[Any]]:
    """A line for each pattern and block that has it: its best heads."""
    labels: dict[tuple[str, str], list[bool | None]] = {}
    for row in scores.scores:
        if row.whole is not None:
            labels.setdefault((row.pattern, row.block), []).append(
                label_of(row.whole, scores.level)
            )
    lines = []
    for pattern in scores.patterns:
        for block in scores.heads:
            found = labels.get((pattern, block))
            if found is None:
                continue
            heads = [
                f"({best.layer}, {best.head}) {best.score:.2f} over {best.null:.2f}"
                for best in scores.best(pattern, 3, block=block)
            ]
            sure, open_ = found.count(True), found.count(None)
            count = f"{sure}, {open_} undecided" if open_ else sure
            lines.append([pattern, block, "; ".join(heads), count])
    return lines


def caption(scores: PatternScores) -> str:
    """What was read: the model, how many heads and texts."""
    heads = sum(len(some) for layers in scores.heads.values() for _, some in layers)
    texts = f"{scores.texts} text{'s' if scores.texts > 1 else ''}"
    model = f"{scores.model_name}: " if scores.model_name else ""
    skipped = f" ({len(scores.skipped)} skipped)" if scores.skipped else ""
    return f"{model}patterns in {heads} heads, over {texts}{skipped}"


def notes(scores: PatternScores) -> str:
    """What to know of the numbers: undecided heads, missing patterns, skipped texts."""
    notes = [
        "A null is the score of a head that does not care; heads surely above it are labelled"
        f" (level {scores.level:g} for each head and pattern)."
    ]
    undecided = {
        row.pattern
        for row in scores.scores
        if row.whole is not None and row.whole.is_undecided(scores.level)
    }
    if undecided:
        names = ", ".join(name for name in scores.patterns if name in undecided)
        notes.append(
            f"Undecided: {names}. The keys lie at the same distances throughout these texts, so"
            " a head that looks a fixed number of tokens back would have the same score; add"
            " texts in which they lie at other distances."
        )
    if scores.unavailable:
        missing = [f"{name}: {reason}." for name, reason in scores.unavailable.items()]
        notes.append("Not available: " + " ".join(missing))
    if scores.skipped:
        first, more = scores.skipped[0], len(scores.skipped) - 1
        others = f"; and {more} more" if more else ""
        notes.append(f"Skipped: text {first.place}, {first.reason}{others}")
    return " ".join(notes)
