"""Queries, keys and biases as arrays, from which the page computes scores and weights itself.

The problem. What a neuron view shows is exact only if the page has the numbers that the model had,
and they are large: float32 where that is affordable, float16 above, and what layers share (a mask,
relative positions) is shipped once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from bertviz.trace.masks import is_causal, lowest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bertviz.trace import Formula, LayerAttention
    from bertviz.web.payload.chunks import Chunks

# Queries and keys below this many bytes travel as float32, so that what a short text shows is
# exact; above it float16 halves them (weights then differ by less than 0.001 as measured in
# tests/web/payload/test_vectors.py).
FLOAT32_BYTES = 1_500_000

# A bias travels as float16 where that changes no score by more than this, so no weight by more than
# a two-hundredth of itself.
ROUNDING = 0.005

# Queries and keys of a whole model, as float16, that the model view takes along.
BESIDE_BYTES = 1_000_000

# float16 ends at 65,504: larger numbers keep float32.
LARGEST_FLOAT16 = 60_000


class Bias(NamedTuple):
    """What is added to the scores of a layer: an array, a causal mask alone, or nothing."""

    array: dict[str, Any] | None
    causal: bool


class Vectors:
    """Ships the queries, keys and biases of layers; biases that layers share are shipped once."""

    def __init__(self, chunks: Chunks, large: bool) -> None:
        """Decide on the precision.

        Args:
            chunks: Where the numbers go.
            large: Whether there are enough to ship them as float16.
        """
        self._chunks = chunks
        self._large = large
        self._shared: dict[tuple[object, ...], Bias] = {}
        self._kept_alive: list[object] = []  # ids in _shared stay valid

    def neurons(self, layer: LayerAttention, heads: list[int]) -> dict[str, Any]:
        """A layer's "neurons" in the schema.

        Raises:
            ValueError: The layer has no queries and keys.
        """
        formula = layer.formula
        if formula is None:
            raise ValueError(
                f"Layer {layer.index} of this trace has no queries and keys, which the neuron view"
                " needs. Pass the model itself, neuron_view(model, tokenizer, text), or"
                " AttentionTrace.from_arrays(queries=..., keys=...)."
            )
        rows = layer.places(heads)
        key_heads = sorted({layer.key_head(head) for head in heads})
        queries = formula.queries[rows].float().numpy()
        keys = formula.keys[key_heads].float().numpy()
        largest = max(abs(queries).max(initial=0), abs(keys).max(initial=0))
        dtype = "f2" if self._large and largest < LARGEST_FLOAT16 else "f4"
        data = [_bytes_of(array, dtype) for array in (queries, keys)]
        chunk = self._chunks.add(b"".join(data))
        bias = self._bias(layer, formula, heads, dtype)
        return {
            "queries": _array(chunk, 0, dtype, queries.shape),
            "keys": _array(chunk, len(data[0]), dtype, keys.shape),
            "keyHead": [key_heads.index(layer.key_head(head)) for head in heads],
            "scaling": formula.scaling,
            "softcap": formula.softcap,
            "sinks": None if formula.sinks is None else formula.sinks[rows].float().tolist(),
            "causal": bias.causal,
            "rotary": formula.rotary,
            "bias": bias.array,
        }

    def _bias(self, layer: LayerAttention, formula: Formula, heads: list[int], dtype: str) -> Bias:
        if formula.mask is None and formula.position_bias is None:
            return Bias(None, formula.causal)
        terms = (formula.mask, formula.position_bias)
        key = (*map(id, terms), formula.causal, tuple(heads), dtype)
        if key not in self._shared:
            self._kept_alive += terms
            self._shared[key] = self._shipped(layer, heads, dtype)
        return self._shared[key]

    def _shipped(self, layer: LayerAttention, heads: list[int], dtype: str) -> Bias:
        """No bytes are needed where nothing is added, or a causal mask alone."""
        import numpy as np

        tensor = layer.bias(heads)
        assert tensor is not None
        hidden = lowest(tensor)
        bias, masked = tensor.numpy(), hidden.numpy()
        if not bias[~masked].any():
            if not masked.any():
                return Bias(None, causal=False)
            if bias.shape[-2:] == layer.shape and is_causal(hidden, exactly=True):
                return Bias(None, causal=True)
        with np.errstate(over="ignore"):
            rounding = abs(bias.astype(np.float16).astype(np.float32) - bias)[~masked]
        if not rounding.max(initial=0) <= ROUNDING:
            dtype = "f4"
        bias = np.where(masked, -np.inf, bias)
        chunk = self._chunks.add(_bytes_of(bias, dtype))
        return Bias(_array(chunk, 0, dtype, bias.shape), causal=False)


def size_of(layers: Iterable[tuple[LayerAttention, list[int]]]) -> int | None:
    """Bytes of all queries and keys as float32; None if a layer has none.

    Args:
        layers: The layers that are shipped, and which of their heads.
    """
    count = 0
    for layer, heads in layers:
        if layer.queries is None or layer.keys is None:
            return None
        key_heads = len({layer.key_head(head) for head in heads})
        count += len(heads) * layer.queries[0].numel() + key_heads * layer.keys[0].numel()
    return 4 * count


def _bytes_of(values: NDArray[Any], dtype: str) -> bytes:
    """An array's bytes; of float16 all low ones, then all high ones, which compress better."""
    import numpy as np

    data: bytes = values.astype("<" + dtype).tobytes()
    if dtype == "f4":
        return data
    planes: bytes = np.frombuffer(data, np.uint8).reshape(-1, 2).T.tobytes()
    return planes


def _array(chunk: int, offset: int, dtype: str, shape: tuple[int, ...]) -> dict[str, Any]:
    return {"chunk": chunk, "offset": offset, "dtype": dtype, "shape": list(shape)}
