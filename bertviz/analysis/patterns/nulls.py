"""The distance null: what a head would put on a pattern's pairs if it only looked at distances.

The problem. A head that looks 19 tokens back seems to follow every pattern whose keys happen to lie
19 tokens back. What it does at that distance elsewhere tells the two apart, if there is an
elsewhere: in a text of random tokens that is repeated every 20 tokens, nearly all pairs at that
distance are pairs of "induction", so the text's own mean is the score itself.

So the mean at a distance comes from the other texts. For text t, in each head,

    null = Σ_t Σ_q Σ_{k ∈ C(q)} m_t(k - q) / Σ_t n_t

    m_t(d) = Σ_{u ≠ t} W_u(d) / Σ_{u ≠ t} V_u(d)    if the other texts have pairs at distance d
           = W_t(d) / V_t(d)                        if not: a single text, or the longest one

W_u(d) is the weight of all unmasked query–key pairs of text u at distance d, V_u(d) how many there
are, and n_t the number of queries for which the pattern exists.

**Overlap** says how far that can be trusted: the share of the pairs behind m_t that are the
pattern's own, averaged over the pattern's pairs like m_t itself, but for pairs of a token with
itself, which are the same token in any text. At 1, distance and content cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bertviz.analysis.patterns.sums import Sums

if TYPE_CHECKING:
    from torch import Tensor


def distance_null(texts: Sequence[Sums]) -> tuple[Tensor, Tensor]:
    """The null summed over the queries of all texts, and the overlap.

    Args:
        texts: The sums of at least one text; all of the same heads and patterns.

    Returns:
        (heads, content columns) float64, twice.
    """
    import torch

    heads, content = len(texts[0].mass), texts[0].pairs.shape[1]
    null, own, total = (
        torch.zeros(heads, content, dtype=torch.float64, device="cpu") for _ in range(3)
    )
    for some, masks in _by_masks(texts):
        everything = _Profile.over(texts, some, masks)
        for text, mask in zip(texts, masks, strict=True):
            profile = _Profile.of(text, some, mask)
            weight, share = profile.without(everything)
            if text.shared:
                share[:, profile.itself] = 0
            pairs = profile.pairs
            for half in (0, 1):  # as it is, and renormalized
                columns = slice(half * content // 2, (half + 1) * content // 2)
                null[some, columns] += weight[half] @ pairs[columns].T
            own[some] += (pairs * share).sum(-1)
            total[some] += pairs.sum(-1)
    return null, own / total.clamp_min(1)


def _by_masks(texts: Sequence[Sums]) -> Iterator[tuple[Tensor, list[int]]]:
    """Heads that have the same mask in every text, and which one that is in each."""
    import torch

    masks = torch.stack([text.mask for text in texts], 1)  # (heads, texts)
    kinds, kind = torch.unique(masks, dim=0, return_inverse=True)
    for number, row in enumerate(kinds.tolist()):
        yield (kind == number).nonzero().flatten(), row


class _Profile:
    """Weights and pairs of some heads by distance, from one text or all.

    Attributes:
        first: The first distance.
        weight: (2, heads, distances): as it is, and renormalized.
        visible: (2, distances).
        pairs: (content columns, distances).
    """

    def __init__(self, first: int, weight: Tensor, visible: Tensor, pairs: Tensor) -> None:
        self.first, self.weight, self.visible, self.pairs = first, weight, visible, pairs

    @property
    def itself(self) -> int:
        """Where distance 0 is."""
        return -self.first

    @classmethod
    def of(cls, text: Sums, heads: Tensor, mask: int) -> _Profile:
        """One text."""
        return cls(
            text.first,
            text.weight[:, heads].double(),
            text.visible[:, mask].double(),
            text.pairs[mask].double(),
        )

    @classmethod
    def over(cls, texts: Sequence[Sums], heads: Tensor, masks: Sequence[int]) -> _Profile:
        """All texts together."""
        import torch

        first = min(text.first for text in texts)
        span = max(text.first + text.distances for text in texts) - first
        weight, visible, pairs = (
            torch.zeros(*shape, span, dtype=torch.float64, device="cpu")
            for shape in ((2, len(heads)), (2,), (texts[0].pairs.shape[1],))
        )
        for text, mask in zip(texts, masks, strict=True):
            at = slice(text.first - first, text.first - first + text.distances)
            weight[..., at] += text.weight[:, heads]
            visible[:, at] += text.visible[:, mask]
            pairs[:, at] += text.pairs[mask]
        return cls(first, weight, visible, pairs)

    def without(self, everything: _Profile) -> tuple[Tensor, Tensor]:
        """The mean weight at each distance in the other texts, or else in this one.

        Args:
            everything: All texts together.

        Returns:
            (2, heads, distances), and (content columns, distances): which share of the pairs
            behind it is the pattern's.
        """
        import torch

        start, count = self.first - everything.first, self.weight.shape[-1]
        at = slice(start, start + count)
        visible = everything.visible[:, at] - self.visible
        alone = visible <= 0
        pairs = torch.where(alone, self.visible, visible).clamp_min(1)
        weight = torch.where(
            alone[:, None], self.weight, everything.weight[..., at] - self.weight
        ).clamp_min(0)
        half = len(self.pairs) // 2
        single = alone.repeat_interleave(half, 0)
        own = torch.where(single, self.pairs, everything.pairs[:, at] - self.pairs)
        return weight / pairs[:, None], own / pairs.repeat_interleave(half, 0)
