"""The trace of one text: blocks of layers, and where it came from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from bertviz.arguments import as_index, check_among
from bertviz.errors import a_type, short
from bertviz.trace.block import AttentionBlock, Kind
from bertviz.trace.frozen import Frozen
from bertviz.trace.held import check_blocks, check_exactness, check_skipped
from bertviz.trace.kinds import TraceKind, check_attention

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class AttentionTrace:
    """Where every head of a model looks in one text, and what its attention is computed from.

    ``extract`` makes one from a model, ``from_arrays`` from arrays of your own.

    Attributes:
        blocks: The blocks by name, in the model's order; in ordinary models the name is the kind.
        model_name: Class of the model, None for arrays.
        dtype: The dtype that the model computed in, such as "float32".
        exactness: The report of a comparison with the model's own attention; None if it was not
            compared.
        kind: What the numbers are: "attention", or values that are not, "signed" or "unnormalized";
            then ``weights()`` of a layer gives those values, and NaN stands for missing ones.
        skipped: Attention that the model computed and that is not in ``blocks``: the module's path
            and the reason. Empty where everything was captured. Layers keep the model's numbers.
    """

    blocks: Mapping[str, AttentionBlock]
    model_name: str | None = None
    dtype: str = "float32"
    exactness: Mapping[str, Any] | None = None
    kind: TraceKind = "attention"
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what the trace is made of; views rely on it.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: There are no blocks.
        """
        check_blocks(self.blocks)
        for name, value in (("model_name", self.model_name), ("dtype", self.dtype)):
            optional = name == "model_name" and value is None
            if not optional and not isinstance(value, str):
                raise TypeError(f"{name}={short(value)} is {a_type(value)}: expected a string.")
        if self.exactness is not None:
            check_exactness(self.exactness)
        check_skipped(self.skipped)
        self._check_kind()
        for name in ("blocks", "exactness", "skipped"):
            held = getattr(self, name)
            if held is not None and not isinstance(held, Frozen):
                object.__setattr__(self, name, Frozen(held))

    def _check_kind(self) -> None:
        known = get_args(TraceKind)
        if self.kind not in known:
            raise ValueError(
                f"kind={self.kind!r} is unknown: expected {', '.join(map(repr, known[:-1]))} or"
                f" {known[-1]!r}."
            )
        layers = [layer for block in self.blocks.values() for layer in block.layers]
        if self.kind != "attention" and any(layer.formula is not None for layer in layers):
            raise ValueError(
                f"kind={self.kind!r} does not go with queries and keys, from which attention is"
                " computed: pass values alone."
            )

    @property
    def num_layers(self) -> int:
        """Layers of the longest block."""
        return max(len(block.layers) for block in self.blocks.values())

    @property
    def num_heads(self) -> int:
        """Heads of the widest layer."""
        return max(layer.num_heads for block in self.blocks.values() for layer in block.layers)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokenizer's own strings, where there is one text.

        Raises:
            ValueError: There are several: queries and keys are different tokens, or there are
                several blocks; the message says how to get each.
        """
        found = {side.strings for b in self.blocks.values() for side in (b.query, b.key)}
        if len(found) > 1:
            name = next(iter(self.blocks))
            raise ValueError(
                f"tokens: this trace has {len(found)} lists of tokens. Use"
                f" trace.blocks[{name!r}].query_tokens or .key_tokens; its blocks are"
                f" {', '.join(map(repr, self.blocks))}."
            )
        return found.pop()

    def weights(self, layer: int, head: int) -> Tensor:
        """The weights of one head, computed now.

        >>> trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
        >>> trace.weights(0, 0)
        tensor([[0.2500, 0.7500],
                [1.0000, 0.0000]])

        Args:
            layer: The model's own number.
            head: The model's own number.

        Returns:
            (query, key).

        Raises:
            TypeError: A number is not an integer.
            ValueError: There is no such layer or head, or several blocks have that layer; the
                message says how to get each.
        """
        layer, head = as_index("layer", layer, "layer"), as_index("head", head, "head")
        having = [b for b in self.blocks.values() if any(x.index == layer for x in b.layers)]
        if len(having) > 1:
            raise ValueError(
                f"layer={layer} is in several blocks, {', '.join(repr(b.name) for b in having)}:"
                f" use trace.blocks[{having[0].name!r}].layer({layer}).weights({head})[0]."
            )
        block = having[0] if having else next(iter(self.blocks.values()))
        found = block.layer(layer)
        check_among("head", head, found.heads, "head", f"layer {layer}")
        weights: Tensor = found.weights(head)[0]
        return weights

    def measures(self) -> list[dict[str, Any]]:
        """Numbers that say what kind of head each is, as the model view colors heads by them.

        They are means over the queries: the entropy of a row in bits, how far the keys are away,
        weighted, and the weight on the first key.

        >>> trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.5, 0.5], [1.0, 0.0]]])
        >>> {measure["name"]: measure["values"]["encoder"][0][0] for measure in trace.measures()}
        {'entropy (bits)': 0.5, 'mean distance (tokens)': 0.75, 'weight on the first token': 0.75}

        Returns:
            Dicts with "name", "values": block → layer → head → number, "null": None, and
            "diverging": False. ``model_view(trace, measures=...)`` takes the same form.

        Raises:
            ValueError: The trace holds values that are not attention.
        """
        from bertviz.trace.per_head import measures_of_heads

        check_attention("measures", self, "their rows have no entropy")
        return measures_of_heads(self)

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
            start: Position of the first token, from 0, for both queries and keys. All keys of
                cross-attention stay.
            stop: Position after the last token.

        Raises:
            TypeError: A position is not an integer.
            ValueError: There are no such positions, or the trace holds attention weights only. (Of
                values of another kind a part is a part.)
        """
        from bertviz.trace.windows import window

        return window(self, start, stop)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trace as one safetensors file, which ``load`` reads on any machine.

        >>> trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "trace.safetensors"
        ...     trace.save(path)
        ...     AttentionTrace.load(path).blocks["encoder"].layers[0].weights()
        tensor([[[0.2500, 0.7500],
                 [1.0000, 0.0000]]])

        Args:
            path: The file to write; ends in ``.safetensors``. An existing file is replaced.

        Raises:
            OSError: The file could not be written; an existing one is as it was.
            TypeError: The path is neither a string nor a ``pathlib.Path``.
            ValueError: The path ends in something else, or parts of the trace do not fit each
                other, so that it could not be loaded again.
        """
        from bertviz.trace.files import save

        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> AttentionTrace:
        """Read a trace that ``save`` wrote. Nothing in the file is run.

        The trace is held in memory: what happens to the file later changes nothing in it.

        Args:
            path: The file.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is not a trace, was written by another version, or was changed so that
                its parts no longer fit each other; the message says what is wrong.
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

        check_attention("verify", self, "call it on a trace that extract(...) gave")

        return verified(self, model, inputs, batch_index=batch_index, drop_padding=drop_padding)

    def __repr__(self) -> str:
        parts = [
            f"{block.name}: {len(block.layers)} layers, {len(block.query)} x"
            f" {len(block.key)} tokens"
            for block in self.blocks.values()
        ]
        name = f"{self.model_name}, " if self.model_name else ""
        values = "" if self.kind == "attention" else f"{self.kind} values, "
        skipped = f"; {len(self.skipped)} not captured" if self.skipped else ""
        return f"AttentionTrace({name}{values}{'; '.join(parts)}{skipped})"

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
        kind: Kind | TraceKind | None = None,
        sentence_b_start: int | None = None,
        prettify_tokens: bool = True,
        batch_index: int | None = None,
        attention_mask: Any = None,
        drop_padding: bool = True,
    ) -> AttentionTrace:
        """Make a trace of your own arrays: weights, queries and keys, or both.

        Arrays are torch tensors, NumPy arrays or nested lists; either a list with one array per
        layer, each (heads, query, key), or one array, (layers, heads, query, key). A batch
        dimension of one may stand before the heads; the axis of heads or layers may be missing
        where there is only one. The same holds for queries, (heads, query, head_dim), and keys,
        (key_value_heads, key, head_dim).

        >>> trace = AttentionTrace.from_arrays(["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
        >>> trace.num_layers, trace.num_heads, trace.blocks["encoder"].query_tokens
        (1, 1, ('a', 'b'))

        Args:
            tokens: The tokens, where queries and keys are the same ones; positions name them by
                default.
            weights: Attention weights, in 0..1, or values of another ``kind``.
            queries: Query vectors; need ``keys``.
            keys: Key vectors; need ``queries``.
            scaling: The factor on q·k, one or one per layer; 1/√head_dim by default.
            query_tokens: The tokens that attend, where they differ from those attended to.
            key_tokens: The tokens attended to.
            kind: Of attention, the kind of its block: "encoder", "decoder" or "cross"; by default
                "cross" where query and key tokens are given apart, "decoder" where no weight lies
                above the diagonal, else "encoder". With queries and keys alone, "decoder" computes
                causally masked weights. "attention" is the same as the default, without the warning
                about rows that do not sum to one. Of values that are not attention: "signed" (any
                finite numbers: attention × gradient, differences) or "unnormalized" (none below
                zero: sums over heads, saliency); NaN stands for a missing one.
            sentence_b_start: Position of the second sentence's first token, if there are two.
            prettify_tokens: Whether to show tokens without the tokenizer's own marks.
            batch_index: Which text, where the arrays hold several: (batch, heads, query, key).
            attention_mask: 1 for tokens, 0 for padding, (tokens,) or (batch, tokens); padding is
                left out.
            drop_padding: Whether to leave it out.

        Raises:
            TypeError: A value is not an array.
            ValueError: Shapes that do not fit the tokens or each other, more than one text, NaN,
                weights outside 0..1; numbers that do not go with ``kind``.

        Warns:
            UserWarning: Rows of attention do not sum to one; the message names the worst of them.
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
