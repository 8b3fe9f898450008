"""What was captured: tokens, and per layer what its attention is computed from.

The problem. The weights of all heads grow with the square of the text, and a model gives them only
under its slowest kernel. Queries and keys grow with the text alone, and every kernel has them. So a
trace keeps queries, keys and what else the formula needs, by value, and computes weights for the
layer and the heads that somebody asks for. It holds no module: what happens to the model afterwards
changes nothing here.

Vocabulary and axis order, everywhere the same (Python, JavaScript, docs):

    queries   (heads, query, head_dim)          as they enter the dot product: after bias, norm,
                                                rotary embedding
    keys      (key_value_heads, key, head_dim)  likewise; grouped-query models keep their key heads,
                                                head h uses key head h // (heads / key_value_heads)
    scaling   float                             the factor on q·k, the model's own
    bias      broadcastable to                  everything added before the softmax: mask, relative
              (heads, query, key)               positions; masked cells hold the smallest float32
    scores    (heads, query, key)               softcap(scaling · q·k) + bias: what softmax sees
    weights   (heads, query, key)               softmax of the scores over keys: the attention; with
                                                a sink, rows sum to less than one
    block     layers that share their query and key tokens; its kind is "encoder" (attends to
              itself), "decoder" (likewise, causally masked) or "cross" (attends to another stack)

Numbers of layers and heads are the model's own, also in a part of it. Everything is a torch tensor;
what is computed is float32, on the device where queries and keys are.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["encoder", "decoder", "cross"]
Heads = SupportsIndex | Iterable[SupportsIndex] | None
Rows = slice | list[int] | None


@dataclass(frozen=True, eq=False)
class LayerAttention:
    """The attention of one layer.

    Attributes:
        index: The model's own number of the layer, from 0.
        name: Path of the attention module, for ``model.get_submodule``; "" for one's own arrays.
        heads: The model's own numbers of the heads held here, in order.
        queries: (heads, query, head_dim), in the model's dtype; None if only weights were given.
        keys: (key_value_heads, key, head_dim), likewise.
        scaling: The factor on q·k; None without queries.
        softcap: Scores are softcap · tanh(scaling · q·k / softcap), if not None.
        sinks: (heads,) or (heads, query): one more score in the softmax's denominator, if not
            None.
        causal: Keys after the query are masked, without a stored mask. With more keys than
            queries the last query sees all keys.
        mask: Additive, or bool with True for what may be seen; broadcastable to (heads, query,
            key). Layers that share a mask share the tensor.
        position_bias: Added to the scores, broadcastable likewise; shared likewise.
        given_weights: (heads, query, key), the user's own; then weights are not computed.
        key_heads: For each of ``heads`` the row of ``keys`` it uses; by default they are shared
            evenly, in order.
        rotary: Queries and keys were turned by their positions (rotary embedding) before they
            enter the dot product; they are kept as turned.
    """

    index: int
    name: str
    heads: tuple[int, ...]
    queries: Tensor | None = None
    keys: Tensor | None = None
    scaling: float | None = None
    softcap: float | None = None
    sinks: Tensor | None = None
    causal: bool = False
    mask: Tensor | None = None
    position_bias: Tensor | None = None
    given_weights: Tensor | None = None
    key_heads: tuple[int, ...] | None = None
    rotary: bool = False

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
        """Neurons per head; None without queries."""
        return None if self.queries is None else int(self.queries.shape[-1])

    @property
    def dtype(self) -> str:
        """What the model computed in, such as "bfloat16"."""
        tensor = self.queries if self.queries is not None else self.given_weights
        assert tensor is not None
        return str(tensor.dtype).removeprefix("torch.")

    @property
    def shape(self) -> tuple[int, int]:
        """(query, key): how many tokens attend, and to how many."""
        if self.given_weights is not None:
            return int(self.given_weights.shape[-2]), int(self.given_weights.shape[-1])
        assert self.queries is not None
        assert self.keys is not None
        return int(self.queries.shape[-2]), int(self.keys.shape[-2])

    def key_head(self, head: int) -> int:
        """The row of ``keys`` that a head uses.

        Args:
            head: The model's own number of the head.
        """
        row = self._rows([head])[0]
        if self.key_heads is not None:
            return self.key_heads[row]
        return row * self.num_key_value_heads // self.num_heads

    def weights(self, heads: Heads = None, queries: Rows = None) -> Tensor:
        """The attention of some heads, computed now.

        Args:
            heads: The model's own head numbers, one or several; all by default.
            queries: The rows to compute, all by default: of a long text a few at a time.

        Returns:
            (heads, query, key), float32.

        >>> import torch
        >>> layer = LayerAttention(index=0, name="", heads=(0,), queries=torch.eye(2)[None],
        ...                        keys=torch.eye(2)[None], scaling=1.0, causal=True)
        >>> layer.weights()
        tensor([[[1.0000, 0.0000],
                 [0.2689, 0.7311]]])
        """
        import torch

        rows = self._rows(heads)
        if self.given_weights is not None:
            return self.given_weights[rows][:, queries or slice(None)].float()
        scores = self.scores(heads, queries)
        if self.sinks is None:
            return torch.softmax(scores, -1)
        sink = self.sinks[rows].to(scores)
        if sink.ndim == 2:
            sink = sink[:, queries or slice(None)]
        sink = sink.view(len(rows), -1, 1).expand(-1, scores.shape[1], 1)
        return torch.softmax(torch.cat([scores, sink], -1), -1)[..., :-1]

    def scores(self, heads: Heads = None, queries: Rows = None) -> Tensor:
        """What the softmax of some heads sees, computed now.

        Args:
            heads: The model's own head numbers, one or several; all by default.
            queries: The rows to compute; all by default.

        Returns:
            (heads, query, key), float32; masked cells hold about the smallest float32.

        Raises:
            ValueError: The trace holds weights only.
        """
        import torch

        if self.queries is None or self.keys is None or self.scaling is None:
            raise ValueError(
                f"Layer {self.index} holds weights but no queries and keys, so it has no scores."
                " Capture them with extract(model, tokenizer, text), or pass queries= and keys= to"
                " AttentionTrace.from_arrays."
            )
        rows = self._rows(heads)
        vectors = self.queries[rows][:, queries or slice(None)].float()
        keys = self.keys[[self.key_head(self.heads[row]) for row in rows]].float()
        scores = vectors @ keys.transpose(-1, -2) * self.scaling
        if self.softcap is not None:
            scores = torch.tanh(scores / self.softcap) * self.softcap
        bias = self.bias(heads, queries)
        if bias is None:
            return scores
        # Masks and biases may add up to less than float32 holds; a row of −∞ alone has no softmax.
        return (scores + bias).clamp_min(torch.finfo(torch.float32).min)

    def bias(self, heads: Heads = None, queries: Rows = None) -> Tensor | None:
        """Everything that is added to the scaled, softcapped q·k of some heads.

        Args:
            heads: The model's own head numbers, one or several; all by default.
            queries: The rows to compute; all by default.

        Returns:
            float32, broadcastable to (heads, query, key), masked cells at the smallest float32; or
            None if nothing is added.
        """
        import torch

        rows = self._rows(heads)
        lowest = torch.finfo(torch.float32).min
        total: Tensor | None = None
        for term in (self.position_bias, self.mask):
            if term is None:
                continue
            term = term[rows] if term.shape[0] > 1 else term
            if term.shape[1] > 1 and queries is not None:
                term = term[:, queries]
            if term.dtype == torch.bool:
                term = torch.where(term, 0.0, lowest)
            else:  # a mask in half precision cannot go as low
                masked = term <= torch.finfo(term.dtype).min / 2
                term = term.float().masked_fill(masked, lowest)
            total = term if total is None else total + term
        if self.causal:
            count, keys = self.shape
            device = (self.queries if self.queries is not None else self.given_weights).device  # type: ignore[union-attr]
            last = torch.arange(count, device=device)[queries or slice(None)] + keys - count
            seen = torch.arange(keys, device=device) <= last[:, None]
            seen = seen[None]
            zero = torch.zeros((), device=device)
            total = torch.where(seen, zero if total is None else total, lowest)
        return None if total is None else total.clamp_min(lowest)

    def _rows(self, heads: Heads) -> list[int]:
        """Places of the heads in what is held."""
        if heads is None:
            return list(range(len(self.heads)))
        wanted: Sequence[SupportsIndex]
        wanted = list(heads) if isinstance(heads, Iterable) else [heads]
        rows = []
        for head in wanted:
            number = operator.index(head)
            if number not in self.heads:
                raise ValueError(
                    f"heads holds {number}, which layer {self.index} does not have: it has heads"
                    f" {_ranges(self.heads)}."
                )
            rows.append(self.heads.index(number))
        return rows


@dataclass(frozen=True, eq=False)
class AttentionBlock:
    """Layers that share their query and key tokens.

    Attributes:
        name: Its key in ``AttentionTrace.blocks``.
        kind: "encoder", "decoder" or "cross".
        query_tokens: The tokenizer's own strings of the tokens that attend.
        key_tokens: Of those attended to.
        query_text: The same for display.
        key_text: Likewise.
        query_sentences: Number of the sentence each token belongs to, if there are two.
        key_sentences: Likewise.
        query_words: Number of the word each token is a piece of, from 0 and never falling.
        key_words: Likewise.
        query_special: Whether a token stands around the text and is no part of it, as [CLS] does.
        key_special: Likewise.
        layers: From the first to the last.
    """

    name: str
    kind: Kind
    query_tokens: tuple[str, ...]
    key_tokens: tuple[str, ...]
    query_text: tuple[str, ...]
    key_text: tuple[str, ...]
    query_sentences: tuple[int, ...] | None
    key_sentences: tuple[int, ...] | None
    query_words: tuple[int, ...]
    key_words: tuple[int, ...]
    query_special: tuple[bool, ...]
    key_special: tuple[bool, ...]
    layers: tuple[LayerAttention, ...]


@dataclass(frozen=True, eq=False)
class AttentionTrace:
    """Where every head of a model looked, for one text, and how it came to look there.

    ``extract`` makes one from a model, ``from_arrays`` from one's own arrays.

    Attributes:
        blocks: In the model's order, by name; in ordinary models the name is the kind.
        model_name: Class of the model, None for arrays.
        dtype: What the model computed in, such as "float32".
        exactness: The report of a comparison with the model's own attention; None if there was
            none.
    """

    blocks: Mapping[str, AttentionBlock]
    model_name: str | None = None
    dtype: str = "float32"
    exactness: Mapping[str, Any] | None = None

    @property
    def num_layers(self) -> int:
        """Layers of the longest block."""
        return max(len(block.layers) for block in self.blocks.values())

    @property
    def num_heads(self) -> int:
        """Heads of the widest layer."""
        return max(layer.num_heads for block in self.blocks.values() for layer in block.layers)

    def window(self, start: int, stop: int) -> AttentionTrace:
        """The part of a long text between two positions, with the weights of the whole.

        Tokens outside it are not shown, but they keep their part of every row: one more score in
        the softmax stands for all of them, so rows sum to less than one. ``exactness`` stays.

        >>> trace = AttentionTrace.from_arrays(["a", "b", "c"], queries=[[[1.0], [2.0], [0.5]]],
        ...                                    keys=[[[1.0], [-1.0], [2.0]]])
        >>> part = trace.window(1, 3).blocks["encoder"]
        >>> part.query_tokens, part.layers[0].weights()
        (('b', 'c'), tensor([[[0.0022, 0.8789],
                 [0.1220, 0.5465]]]))

        Args:
            start: Position of the first token, from 0; of queries and keys alike. In a block whose
                keys are others (cross-attention), all keys stay.
            stop: Position after the last token.

        Raises:
            ValueError: There are no such positions, or the trace holds weights only.
        """
        from bertviz.trace.windows import window

        return window(self, start, stop)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trace as one safetensors file, which ``load`` reads, also on another machine.

        >>> trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "trace.safetensors"
        ...     trace.save(path)
        ...     AttentionTrace.load(path).blocks["encoder"].layers[0].weights()
        tensor([[[0.2500, 0.7500],
                 [1.0000, 0.0000]]])

        Args:
            path: Where to; ends in ``.safetensors``. An existing file is replaced.

        Raises:
            ValueError: The path ends in something else.
        """
        from bertviz.trace.files import save

        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> AttentionTrace:
        """Read a trace that ``save`` wrote. Nothing in the file is run.

        Args:
            path: The file.

        Raises:
            FileNotFoundError: There is none.
            ValueError: It is no trace, or one of a later version.
        """
        from bertviz.trace.files import load

        return load(path)

    def verify(
        self,
        model: Any,
        inputs: Mapping[str, Any],
        *,
        batch_index: int | None = None,
        drop_padding: bool = True,
    ) -> AttentionTrace:
        """Compare with what a model computes for the same inputs, now.

        What each attention returns in a run of the model, and a separate run on its eager kernel
        where it has one, are compared with what is shown.

        Args:
            model: The model that the trace is of.
            inputs: What it read: a BatchEncoding or a dict of tensors.
            batch_index: Which text of ``inputs`` it is, where there are several.
            drop_padding: Whether the trace leaves out padding.

        Returns:
            The same trace with ``exactness``: a mapping with ``max_difference``, ``dtype``,
            ``layers`` (the largest difference of each layer, per block), ``terms`` (what enters the
            scores beside q·k), ``compared_with`` and ``note``. Views show it.

        Raises:
            ValueError: The trace is of another model or other inputs.
            NotReproduced: It differs from what the model computes.
        """
        from bertviz.extractor import verified

        return verified(self, model, inputs, batch_index=batch_index, drop_padding=drop_padding)

    def __repr__(self) -> str:
        parts = [
            f"{block.name}: {len(block.layers)} layers, {len(block.query_tokens)} x"
            f" {len(block.key_tokens)} tokens"
            for block in self.blocks.values()
        ]
        name = f"{self.model_name}, " if self.model_name else ""
        return f"AttentionTrace({name}{'; '.join(parts)})"

    @classmethod
    def from_arrays(
        cls,
        tokens: Sequence[str] | None = None,
        weights: Any = None,
        queries: Any = None,
        keys: Any = None,
        scaling: float | Sequence[float] | None = None,
        *,
        query_tokens: Sequence[str] | None = None,
        key_tokens: Sequence[str] | None = None,
        kind: Kind | None = None,
        sentence_b_start: int | None = None,
        prettify_tokens: bool = True,
        batch_index: int | None = None,
        attention_mask: Any = None,
        drop_padding: bool = True,
    ) -> AttentionTrace:
        """Make a trace of one's own arrays: weights, queries and keys, or both.

        Arrays are torch tensors, NumPy arrays or nested lists; either a list with one array per
        layer, each (heads, query, key), or one array, (layers, heads, query, key). A batch
        dimension of one may stand before the heads; heads and layers may be missing where there is
        one. Queries are (heads, query, head_dim), keys (key_value_heads, key, head_dim), likewise.

        >>> trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
        >>> trace.num_layers, trace.num_heads, trace.blocks["encoder"].query_tokens
        (1, 1, ('a', 'b'))

        Args:
            tokens: The tokens, where queries and keys are the same ones; positions name them by
                default.
            weights: Attention weights, in 0..1.
            queries: Query vectors; need ``keys``.
            keys: Key vectors; need ``queries``.
            scaling: The factor on q·k, one or one per layer; 1/√head_dim by default.
            query_tokens: The tokens that attend, where they are not those attended to.
            key_tokens: The tokens attended to.
            kind: "encoder", "decoder" or "cross"; by default "cross" where query and key tokens
                are given apart, "decoder" where no weight lies above the diagonal, else "encoder".
                With queries and keys alone, "decoder" computes causally masked weights.
            sentence_b_start: Position of the second sentence's first token, if there are two.
            prettify_tokens: Show tokens without the tokenizer's own marks.
            batch_index: Which text, where the arrays hold several: (batch, heads, query, key).
            attention_mask: 1 for tokens, 0 for padding, (tokens,) or (batch, tokens); padding is
                left out.
            drop_padding: False keeps it.

        Raises:
            TypeError: Something that is no array.
            ValueError: Shapes that do not fit the tokens or each other, more than one text, NaN,
                weights outside 0..1.
        """
        from bertviz.arrays import from_arrays

        return from_arrays(
            tokens,
            weights,
            queries,
            keys,
            scaling,
            query_tokens=query_tokens,
            key_tokens=key_tokens,
            kind=kind,
            sentence_b_start=sentence_b_start,
            prettify_tokens=prettify_tokens,
            batch_index=batch_index,
            attention_mask=attention_mask,
            drop_padding=drop_padding,
        )


def _ranges(numbers: Sequence[int]) -> str:
    """Numbers for a message: "0 to 11", or one by one where there are gaps."""
    if len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
