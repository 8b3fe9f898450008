"""From the sums of texts to scores: means over the queries of all texts, with their nulls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bertviz.analysis.patterns.nulls import distance_null
from bertviz.analysis.patterns.score import HeadScore, Score
from bertviz.analysis.patterns.sums import Sums
from bertviz.trace.settings import plainly

# The model's own numbers of the layers of each block, and of the heads of each layer.
Heads = Mapping[str, Sequence[tuple[int, tuple[int, ...]]]]


def head_scores(
    patterns: Sequence[str],
    content: Sequence[str],
    heads: Heads,
    texts: Sequence[Mapping[str, Sums]],
) -> tuple[HeadScore, ...]:
    """The scores of every pattern in every head.

    Args:
        patterns: The names of the patterns.
        content: Those that have a distance null.
        heads: The heads.
        texts: The sums of every text, by block.
    """
    return tuple(
        score
        for block, layers in heads.items()
        for score in _of_block(block, layers, patterns, content, [text[block] for text in texts])
    )


def _of_block(
    block: str,
    layers: Sequence[tuple[int, tuple[int, ...]]],
    patterns: Sequence[str],
    content: Sequence[str],
    texts: Sequence[Sums],
) -> Iterator[HeadScore]:
    places = [column for column, name in enumerate(patterns) if name in content]
    means = _Means.over(texts, places + [column + len(patterns) for column in places])
    numbers = [(layer, head) for layer, some in layers for head in some]
    for row, (layer, head) in enumerate(numbers):
        for column, name in enumerate(patterns):
            nulls = places.index(column) if column in places else None
            rest = column + len(patterns)
            renormalized = means.score(row, rest, None if nulls is None else nulls + len(places))
            yield HeadScore(
                pattern=name,
                block=block,
                layer=layer,
                head=head,
                whole=means.score(row, column, nulls),
                renormalized=renormalized,
                kept=means.kept[row][rest] if renormalized else None,
            )


@dataclass(frozen=True)
class _Means:
    """Nested lists (heads, columns): sums over all texts, divided by the number of queries.

    The last two are (heads, content columns).
    """

    queries: list[list[int]]
    texts: list[list[int]]
    mass: list[list[float]]
    uniform: list[list[float]]
    kept: list[list[float]]
    spread: list[list[float]]
    by_distance: list[list[float]]
    overlap: list[list[float]]

    @classmethod
    @plainly()
    def over(cls, texts: Sequence[Sums], content: list[int]) -> _Means:
        import torch

        shape = texts[0].mass.shape
        queries, count = (torch.zeros(shape, dtype=torch.int64, device="cpu") for _ in range(2))
        mass, uniform, kept, single, squares = (
            torch.zeros(shape, dtype=torch.float64, device="cpu") for _ in range(5)
        )
        for text in texts:
            here = text.count[text.mask]
            queries += here
            count += here > 0
            mass += text.mass
            uniform += text.uniform[text.mask]
            kept += text.kept[:, None] * (here > 0)
            single += text.mass / here.clamp_min(1)
        mean = single / count.clamp_min(1)
        for text in texts if len(texts) > 1 else ():
            here = text.count[text.mask]
            squares += ((text.mass / here.clamp_min(1) - mean) * (here > 0)) ** 2
        null, overlap = distance_null(texts)
        some = queries.clamp_min(1)
        return cls(
            queries=queries.tolist(),
            texts=count.tolist(),
            mass=(mass / some).tolist(),
            uniform=(uniform / some).tolist(),
            kept=(kept / count.clamp_min(1)).tolist(),
            spread=(squares / (count - 1).clamp_min(1)).sqrt().tolist(),
            by_distance=(null / some[:, content]).tolist(),
            overlap=overlap.tolist(),
        )

    def score(self, row: int, column: int, content: int | None) -> Score | None:
        """The score of a head and pattern; None if no text has the pattern."""
        if not self.queries[row][column]:
            return None
        uniform = self.uniform[row][column]
        by_distance = None if content is None else self.by_distance[row][content]
        return Score(
            score=self.mass[row][column],
            null=max(uniform, by_distance or 0.0),
            uniform=uniform,
            by_distance=by_distance,
            overlap=None if content is None else self.overlap[row][content],
            spread=self.spread[row][column] if self.texts[row][column] > 1 else None,
            queries=self.queries[row][column],
            texts=self.texts[row][column],
        )
