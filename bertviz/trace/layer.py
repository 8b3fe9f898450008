"""The attention of one layer: weights and scores, computed on demand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsIndex

from bertviz.arguments import as_flag, as_index, as_numbers
from bertviz.errors import numbers_in_words, short
from bertviz.trace.checked import (
    check_heads,
    check_held,
    check_instance,
    check_number,
    check_part,
    check_tensor,
)
from bertviz.trace.formula import Formula, Rows
from bertviz.trace.masks import MASKED, causal_mask
from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor

Heads = SupportsIndex | Iterable[SupportsIndex] | None


@dataclass(frozen=True, eq=False, repr=False)
class LayerAttention:
    """The attention of one layer.

    Attributes:
        index: The model's own number of the layer, from 0.
        name: Path of the attention module, for ``model.get_submodule``; "" for your own arrays.
        heads: The model's own numbers of the heads held here, in order.
        formula: What the attention is computed from; None if only weights were given.
        given_weights: (heads, query, key), the user's own, or values of another kind; then weights
            are not computed.
        given_causal: Whether the given weights are causally masked.
    """

    index: int
    name: str
    heads: tuple[int, ...]
    formula: Formula | None = None
    given_weights: Tensor | None = None
    given_causal: bool = False

    def __post_init__(self) -> None:
        """Check what the layer is made of.

        Raises:
            TypeError: An argument is of another type.
            ValueError: One does not fit the others.
        """
        object.__setattr__(self, "index", check_number("index", self.index))
        check_instance("name", self.name, str, "a module's path, or an empty string")
        object.__setattr__(self, "name", str.__str__(self.name))
        object.__setattr__(self, "heads", check_heads(self.heads))
        causal = as_flag("given_causal", self.given_causal)
        object.__setattr__(self, "given_causal", causal)
        if self.formula is None and self.given_weights is None:
            raise ValueError(
                f"formula and given_weights of layer {self.index} are both None: pass one."
            )
        counts = {}
        if self.formula is not None:
            check_instance("formula", self.formula, Formula, "a Formula(queries, keys, scaling)")
            check_part(self.formula)
            counts["formula"] = self.formula.num_heads
        if self.given_weights is not None:
            check_tensor("given_weights", self.given_weights, (3,), "(heads, query, key)")
            check_held("given_weights", self.given_weights)
            counts["given_weights"] = int(self.given_weights.shape[0])
            if self.formula is not None and self.formula.shape != self.given_weights.shape[1:]:
                raise ValueError(
                    f"given_weights has shape {tuple(self.given_weights.shape)}, but formula"
                    f" {self.formula.shape}, (query, key): expected the same."
                )
        for part, count in counts.items():
            if count != len(self.heads):
                raise ValueError(
                    f"heads={short(list(self.heads))} holds {len(self.heads)} numbers, but {part}"
                    f" has {count} heads: expected one number for each."
                )

    def __repr__(self) -> str:
        queries, keys = self.shape
        held = "weights" if self.formula is None else "queries and keys"
        return (
            f"LayerAttention({self.index}, {self.name!r}, {self.num_heads} heads,"
            f" {queries} x {keys} tokens, {held})"
        )

    @property
    def queries(self) -> Tensor | None:
        """(heads, query, head_dim), in the model's dtype; None if only weights were given."""
        return None if self.formula is None else self.formula.queries

    @property
    def keys(self) -> Tensor | None:
        """(key_value_heads, key, head_dim), in the model's dtype; None for weights alone."""
        return None if self.formula is None else self.formula.keys

    @property
    def scaling(self) -> float | None:
        """The factor on q·k; None if only weights were given."""
        return None if self.formula is None else self.formula.scaling

    @property
    def num_heads(self) -> int:
        """How many heads are held."""
        return len(self.heads)

    @property
    def num_key_value_heads(self) -> int:
        """How many key heads the heads share; as many as heads where nothing is shared."""
        return self.num_heads if self.keys is None else int(self.keys.shape[0])

    @property
    def head_dim(self) -> int | None:
        """Neurons per head; None if only weights were given."""
        return None if self.queries is None else int(self.queries.shape[-1])

    @property
    def dtype(self) -> str:
        """The dtype that the model computed in, such as "bfloat16"."""
        return str(self._any.dtype).removeprefix("torch.")

    @property
    def shape(self) -> tuple[int, int]:
        """(query, key): how many tokens attend, and to how many."""
        if self.given_weights is not None:
            return int(self.given_weights.shape[-2]), int(self.given_weights.shape[-1])
        return self.explained.shape

    @property
    def explained(self) -> Formula:
        """The formula.

        Raises:
            ValueError: Only weights were given.
        """
        if self.formula is None:
            raise ValueError(
                f"Layer {self.index} holds weights but no queries and keys, so it has no scores and"
                " no neurons. Capture them with extract(model, tokenizer, text), or pass queries="
                " and keys= to AttentionTrace.from_arrays."
            )
        return self.formula

    def key_head(self, head: int) -> int:
        """The row of ``keys`` that a head uses.

        Args:
            head: The model's own number of the head.
        """
        place = self.places([head])[0]
        return place if self.formula is None else self.formula.key_rows()[place]

    @plainly()
    def weights(self, heads: Heads = None, rows: Rows = None) -> Tensor:
        """The attention of some heads, computed now.

        Args:
            heads: The model's own head numbers, one or several; all by default.
            rows: The queries to compute; all by default. For a long text, pass a few at a time.

        Returns:
            (heads, query, key), float32.

        >>> import torch
        >>> formula = Formula(torch.eye(2)[None], torch.eye(2)[None], scaling=1.0, causal=True)
        >>> LayerAttention(index=0, name="", heads=(0,), formula=formula).weights()
        tensor([[[1.0000, 0.0000],
                 [0.2689, 0.7311]]])
        """
        places = self.places(heads)
        chosen = self._rows(rows)
        if self.given_weights is not None:
            part = slice(None) if chosen is None else chosen
            return self.given_weights[places][:, part].float()
        return self.explained.weights(places, chosen)

    @plainly()
    def scores(self, heads: Heads = None, rows: Rows = None) -> Tensor:
        """What the softmax of some heads sees, computed now.

        Args:
            heads: The model's own head numbers, one or several; all by default.
            rows: The queries to compute; all by default.

        Returns:
            (heads, query, key), float32; masked pairs hold about the smallest float32.

        Raises:
            ValueError: The layer holds weights only.
        """
        return self.explained.scores(self.places(heads), self._rows(rows))

    @plainly()
    def bias(self, heads: Heads = None, rows: Rows = None) -> Tensor | None:
        """Everything that is added to the scaled, softcapped q·k of some heads.

        Args:
            heads: The model's own head numbers, one or several; all by default.
            rows: The queries to compute; all by default.

        Returns:
            float32, broadcastable to (heads, query, key), masked pairs at the smallest float32; or
            None if nothing is added or only weights were given.
        """
        places, rows = self.places(heads), self._rows(rows)
        return None if self.formula is None else self.formula.bias(places, rows)

    @plainly()
    def visible(self, heads: Heads = None, rows: Rows = None) -> Tensor | None:
        """Which keys are not masked.

        Weights alone do not tell their mask: they count as causally masked or not masked at all.

        Args:
            heads: The model's own head numbers, one or several; all by default.
            rows: The queries; all by default.

        Returns:
            (heads, query, key) bool, with 1 in place of heads where all have the same mask; None
            where nothing is masked. On the CPU.
        """
        self.places(heads)
        rows = self._rows(rows)
        if self.formula is None:
            return causal_mask(*self.shape, rows)[None] if self.given_causal else None
        bias = self.bias(heads, rows)
        if bias is None:
            return None
        queries = len(range(self.shape[0])[rows]) if isinstance(rows, slice) else self.shape[0]
        queries = len(rows) if isinstance(rows, list) else queries
        seen = (bias > MASKED).expand(-1, queries, self.shape[1]).cpu()
        if bool(seen.all()):
            return None
        return seen[:1] if bool((seen == seen[:1]).all()) else seen

    @plainly()
    def unseen_keys(self, step: int = 512) -> Tensor:
        """(key) bool: keys that are masked for every query, such as padding that was kept.

        Args:
            step: How many queries to read at a time.
        """
        import torch

        step = as_index("step", step)
        if step < 1:
            raise ValueError(f"step={step} reads nothing: expected an integer of at least 1.")
        queries, keys = self.shape
        seen = torch.zeros(keys, dtype=torch.bool, device="cpu")
        for start in range(0, queries, step):
            part = self.visible(rows=slice(start, min(start + step, queries)))
            if part is None:
                return torch.zeros(keys, dtype=torch.bool, device="cpu")
            seen |= part.any(0).any(0)
        return ~seen

    @property
    def mask_identity(self) -> tuple[object, ...]:
        """Equal for layers whose masks and biases are the same tensors."""
        formula = self.formula
        if formula is None:
            return (self.given_causal, self.num_heads)
        terms = (id(formula.mask), id(formula.position_bias))
        return (*terms, formula.causal, self.num_heads)

    def places(self, heads: Heads) -> list[int]:
        """Positions of some heads among those held.

        Raises:
            ValueError: A head is not held here.
        """
        if heads is None:
            return list(range(len(self.heads)))
        places = []
        for number in as_numbers("heads", heads, "head numbers"):
            if number not in self.heads:
                raise ValueError(
                    f"heads holds {number}, which layer {self.index} does not have: it has heads"
                    f" {numbers_in_words(self.heads)}."
                )
            places.append(self.heads.index(number))
        return places

    def _rows(self, rows: Rows) -> slice | list[int] | None:
        """The queries to compute, as an index that torch takes.

        Raises:
            TypeError: They are neither a slice nor positions.
            ValueError: A position is out of range.
        """
        if rows is None:
            return None
        count = self.shape[0]
        if isinstance(rows, slice):
            try:
                start, stop, step = rows.indices(count)
            except Exception:
                raise TypeError(
                    f"rows={short(rows)} is a slice of something else: expected positions of"
                    " queries, such as rows=slice(0, 10)."
                ) from None
            return slice(start, stop, step) if step > 0 else list(range(start, stop, step))
        positions = as_numbers("rows", rows, "positions of queries")
        for position in positions:
            if not -count <= position < count:
                raise ValueError(
                    f"rows holds {position}, which is out of range: there are {count} queries, 0 to"
                    f" {count - 1}."
                )
        return positions

    @property
    def _any(self) -> Tensor:
        """A tensor that says which dtype and device the model used."""
        return self.given_weights if self.given_weights is not None else self.explained.queries
