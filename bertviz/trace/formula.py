"""What the attention of a layer is computed from, by value.

scores = softcap(scaling · q·k) + position bias + mask
weights = softmax of the scores over the keys (and the sink, if there is one)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertviz.arguments import as_flag
from bertviz.trace.checked import check_formula
from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor

Rows = slice | list[int] | None


@dataclass(frozen=True, eq=False)
class Formula:
    """Queries, keys, and everything else that enters the softmax.

    Attributes:
        queries: (heads, query, head_dim), in the model's dtype.
        keys: (key_value_heads, key, head_dim), in the model's dtype.
        scaling: The factor on q·k.
        softcap: Scores are softcap · tanh(scaling · q·k / softcap), if not None.
        sinks: (heads,) or (heads, query): one more score in the softmax's denominator, if not None.
        mask: Additive, or bool with True for what is unmasked; broadcastable to (heads, query,
            key). Layers with the same mask share the tensor.
        position_bias: Added to the scores, broadcastable to (heads, query, key); shared as masks
            are.
        causal: Keys after the query are masked, without a stored mask. With more keys than queries
            the last query sees all keys.
        key_heads: For each head the row of ``keys`` it uses; by default heads share them evenly, in
            order.
        rotary: Queries and keys were rotated by their positions (rotary embedding) before the dot
            product; they are kept as rotated.
    """

    queries: Tensor
    keys: Tensor
    scaling: float
    softcap: float | None = None
    sinks: Tensor | None = None
    mask: Tensor | None = None
    position_bias: Tensor | None = None
    causal: bool = False
    key_heads: tuple[int, ...] | None = None
    rotary: bool = False

    def __post_init__(self) -> None:
        """Check what the formula is made of.

        Raises:
            TypeError: An argument is of another type.
            ValueError: One does not fit the others.
        """
        check_formula(self)
        for name in ("causal", "rotary"):
            object.__setattr__(self, name, as_flag(name, getattr(self, name)))

    @property
    def num_heads(self) -> int:
        """How many heads there are."""
        return int(self.queries.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """(query, key): how many tokens attend, and to how many."""
        return int(self.queries.shape[-2]), int(self.keys.shape[-2])

    def key_rows(self) -> tuple[int, ...]:
        """For each head the row of ``keys`` it uses."""
        if self.key_heads is not None:
            return self.key_heads
        count = int(self.keys.shape[0])
        return tuple(place * count // self.num_heads for place in range(self.num_heads))

    @plainly()
    def scores(self, places: list[int], rows: Rows = None) -> Tensor:
        """(heads, query, key), float32: what the softmax sees.

        Args:
            places: Which heads, by their place in ``queries``.
            rows: Which queries; all by default.
        """
        return self._scores(places, rows, self.bias(places, rows))

    def _scores(self, places: list[int], rows: Rows, bias: Tensor | None) -> Tensor:
        import torch

        used = self.key_rows()
        queries = self.queries[together(places)][:, _every(rows)].float()
        keys = self.keys[together([used[place] for place in places])].float()
        # In place from here on: new memory costs more than the arithmetic.
        scores = (queries @ keys.transpose(-1, -2)).mul_(self.scaling)
        if self.softcap is not None:
            scores.div_(self.softcap).tanh_().mul_(self.softcap)
        if bias is None:
            return scores
        # Masks and biases may add up to less than float32 holds; a row of -inf has no softmax.
        return scores.add_(bias).clamp_min_(torch.finfo(torch.float32).min)

    @plainly()
    def weights(self, places: list[int], rows: Rows = None) -> Tensor:
        """(heads, query, key), float32: the softmax of the scores."""
        return self.weights_with(self.bias(places, rows), places, rows)

    @plainly()
    def weights_with(self, bias: Tensor | None, places: list[int], rows: Rows = None) -> Tensor:
        """The weights, with what ``bias`` gives for these heads and queries known already."""
        import torch

        scores = self._scores(places, rows, bias)
        if self.sinks is None:
            return torch.softmax(scores, -1)
        sink = self.sinks[places].to(scores)
        if sink.ndim == 2:
            sink = sink[:, _every(rows)]
        sink = sink.view(len(places), -1, 1).expand(-1, scores.shape[1], 1)
        return torch.softmax(torch.cat([scores, sink], -1), -1)[..., :-1]

    @plainly()
    def bias(self, places: list[int], rows: Rows = None) -> Tensor | None:
        """What is added to the softcapped scores; None if nothing is.

        float32, broadcastable to (heads, query, key), masked pairs at the smallest float32.
        """
        import torch

        from bertviz.trace.masks import causal_mask, lowest

        smallest = torch.finfo(torch.float32).min
        zero = torch.zeros((), dtype=torch.float32, device=self.queries.device)
        total: Tensor | None = None
        for term in (self.position_bias, self.mask):
            if term is None:
                continue
            term = term[together(places)] if term.shape[0] > 1 else term
            if term.shape[1] > 1 and rows is not None:
                term = term[:, rows]
            if term.dtype == torch.bool:
                term = torch.where(term, zero, smallest)
            else:  # a mask in half precision cannot go as low
                term = torch.where(lowest(term), smallest, term.float())
            total = term if total is None else total + term
        if self.causal:
            seen = causal_mask(*self.shape, rows).to(self.queries.device)[None]
            total = torch.where(seen, zero if total is None else total, smallest)
        return None if total is None else total.clamp_min(smallest)

    def cut(self, cut: Cut) -> Formula:
        """A copy for some of the queries and keys; what the other keys add is left out.

        ``causal`` stays as it is, which is right where both are cut at the same ends.
        """
        return replace(
            self,
            queries=self.queries[:, cut.rows],
            keys=self.keys[:, cut.columns],
            sinks=cut.sinks(self.sinks),
            mask=cut.term(self.mask),
            position_bias=cut.term(self.position_bias),
        )


class Cut:
    """Takes rows and columns out of masks, biases and sinks; shared tensors stay shared."""

    def __init__(self, rows: slice | list[int], columns: slice | list[int]) -> None:
        self.rows = rows
        self.columns = columns
        self._known: dict[int, tuple[Tensor, Tensor]] = {}  # keeps the tensors, so ids stay valid

    def term(self, term: Tensor | None) -> Tensor | None:
        """A mask or bias, (heads or 1, query or 1, key or 1), cut."""
        if term is None:
            return None
        if id(term) not in self._known:
            part = term[:, self.rows] if term.shape[1] > 1 else term
            part = part[..., self.columns] if part.shape[2] > 1 else part
            self._known[id(term)] = (term, part)
        return self._known[id(term)][1]

    def sinks(self, sinks: Tensor | None) -> Tensor | None:
        """Sinks, (heads,) or (heads, query), cut."""
        return sinks if sinks is None or sinks.ndim == 1 else sinks[:, self.rows]


def together(places: list[int]) -> slice | list[int]:
    """The same index as a slice if places follow each other: a view where a list makes a copy.

    >>> together([2, 3, 4]), together([2, 4])
    (slice(2, 5, None), [2, 4])
    """
    first, count = (places[0] if places else 0), len(places)
    run = first >= 0 and places == list(range(first, first + count))
    return slice(first, first + count) if run else places


def _every(rows: Rows) -> slice | list[int]:
    return slice(None) if rows is None else rows
