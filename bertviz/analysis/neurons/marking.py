"""Which query–key pairs of a head are explained, and how much each of them counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertviz.analysis.lookup import check_name
from bertviz.analysis.patterns.known import check_window, known_patterns
from bertviz.analysis.patterns.own import as_matrix
from bertviz.analysis.patterns.pattern import Unavailable
from bertviz.analysis.patterns.text import Text
from bertviz.arguments import as_index, as_items, as_numbers, offers
from bertviz.arrays.conversion import as_tensor
from bertviz.trace import AttentionBlock, LayerAttention

if TYPE_CHECKING:
    from torch import Tensor

STRONGEST = "its strongest keys"
GIVEN = "the given query–key pairs"


@dataclass(frozen=True, eq=False)
class Marked:
    """The query–key pairs of a head that are explained.

    Attributes:
        what: Their name, for readers.
        weights: (query, key): the head's attention.
        unmasked: (query, key) bool.
        pairs: (query, key) bool: the pairs in question, all of them unmasked.
        exists: (query) bool: the queries that have such pairs, and other unmasked keys beside them.
        lifts: (query, key): how much each key counts, minus the mean over the unmasked keys;
            anything equal for all keys of a query cancels out.
    """

    what: str
    weights: Tensor
    unmasked: Tensor
    pairs: Tensor
    exists: Tensor
    lifts: Tensor

    @property
    def queries(self) -> int:
        """How many queries count."""
        return int(self.exists.sum())

    def mass(self, weights: Tensor) -> float:
        """The weight on the pairs, (query, key), averaged over the queries that count."""
        return float((weights * self.pairs).sum(1)[self.exists].mean())

    @property
    def uniform(self) -> float:
        """The mass under uniform attention."""
        shares = self.pairs.sum(1).float() / self.unmasked.sum(1).clamp_min(1)
        return float(shares[self.exists].mean())


def marked(
    block: AttentionBlock,
    layer: LayerAttention,
    head: int,
    pattern: str | None,
    cells: Any,
    window: int,
) -> Marked:
    """The query–key pairs of a head that follow a pattern, or were given, or are its strongest.

    Args:
        block: The head's block.
        layer: The head's layer.
        head: The model's own number.
        pattern: The name of a known pattern.
        cells: The pairs, in place of a pattern.
        window: How many tokens "local window" reaches in each direction.

    Raises:
        TypeError: Both a pattern and pairs were given.
        ValueError: There are no such pairs.
    """
    import torch

    if pattern is not None and cells is not None:
        raise TypeError("explain_head got pattern and cells: pass one of them.")
    check_window(window)
    window = min(as_index("window", window), max(layer.shape))  # nothing is farther away
    text = Text.of(block)
    weights = layer.weights(head)[0].cpu()
    visible = layer.visible(head)
    every = torch.ones(layer.shape, dtype=torch.bool, device="cpu")
    unmasked = every if visible is None else visible[0]
    if cells is not None:
        what, pairs = GIVEN, as_matrix("cells", _items(cells), layer.shape)
    elif pattern is not None:
        what, pairs = pattern, _of_pattern(text, pattern, window)
    else:
        what, pairs = STRONGEST, _strongest(weights, unmasked)
    pairs = pairs & unmasked
    exists = pairs.any(1) & (unmasked & ~pairs).any(1)
    if text.shared:  # padding that was kept
        exists &= ~layer.unseen_keys()[text.shape[1] - text.shape[0] :]
    if not bool(exists.any()):
        raise ValueError(
            f"{what} exists for no query of this text: expected a pattern or cells with unmasked"
            " pairs, beside other unmasked keys of the same query."
        )
    even = pairs.float() / pairs.sum(1, True).clamp_min(1)
    counts = (weights if what == STRONGEST else even) * exists[:, None]
    mean = counts.sum(1, keepdim=True) * unmasked / unmasked.sum(1, keepdim=True).clamp_min(1)
    return Marked(what, weights, unmasked, pairs, exists, lifts=counts - mean)


def _items(cells: Any) -> Any:
    """A matrix as a tensor, or pairs as a list of two ints each."""
    if offers(cells, "shape"):
        return as_tensor("cells", cells)
    items = as_items("cells", cells, "expected a matrix (query, key), or tuples", sets=True)
    if all(isinstance(item, tuple) and len(item) == 2 for item in items):
        return [tuple(as_numbers("cells", list(item), "positions of tokens")) for item in items]
    return as_tensor("cells", items)


def _strongest(weights: Tensor, unmasked: Tensor) -> Tensor:
    """Each query's strongest key."""
    import torch

    strongest = weights.masked_fill(~unmasked, -1).argmax(1)
    return torch.nn.functional.one_hot(strongest, weights.shape[1]).bool()


def _of_pattern(text: Text, name: str, window: int) -> Tensor:
    known = {pattern.name: pattern for pattern in known_patterns(window)}
    check_name("pattern", name, known, "; for others pass cells=")
    try:
        return known[name].pairs_in(text, slice(0, text.shape[0])).expand(text.shape)
    except Unavailable as reason:
        raise ValueError(
            f"pattern={name!r} does not exist in this text: {reason}. Pass cells= instead."
        ) from None
