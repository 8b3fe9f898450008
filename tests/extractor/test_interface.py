"""What an attention function of transformers is given, and what it computes from that.

The values are an identity matrix, so what the function returns is its weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from bertviz import NothingCaptured, extract

HEADS, DIM = 4, 8


def eager(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,
    scaling: float | None = None,
    softcap: float | None = None,
    position_bias: Tensor | None = None,
    **sinks: Any,
) -> tuple[Tensor, None]:
    """A kernel with everything that a model's own may have."""
    key, value = (x.repeat_interleave(HEADS // x.shape[1], 1) for x in (key, value))
    scores = query @ key.mT * (DIM**-0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    for term in (position_bias, attention_mask):
        scores = scores if term is None else scores + term[..., : key.shape[2]]
    sink = sinks.get("s_aux", sinks.get("sinks", getattr(module, "sinks", None)))
    if sink is None:
        return (scores.softmax(-1) @ value).transpose(1, 2), None
    sink = (sink if sink.ndim == 4 else sink.view(1, -1, 1, 1)).expand(*scores.shape[:3], 1)
    weights = torch.cat([scores, sink], -1).softmax(-1)[..., :-1]
    return (weights @ value).transpose(1, 2), None


class Attends(nn.Module):
    """One attention through the interface, with keywords of its kernel."""

    def __init__(self, implementation: str, key_heads: int, **keywords: Any) -> None:
        super().__init__()
        self.implementation, self.keywords = implementation, keywords
        self.num_key_value_groups = HEADS // key_heads
        seen: list[Tensor] = []
        self.note, self.last = lambda x: seen.append(x), lambda: seen[-1]

    def forward(self, query: Tensor, key: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        function = ALL_ATTENTION_FUNCTIONS.get_interface(self.implementation, eager)
        value = torch.eye(key.shape[2]).expand(*key.shape[:2], -1, -1)
        out = function(self, query, key, value, attention_mask, **self.keywords)[0]
        self.note(out.transpose(1, 2).detach())
        return out


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def check(
    model: Attends, mask: Tensor | None = None, *, queries: int = 5, keys: int = 5, key_heads: int
) -> Any:
    """Every text of a batch and any choice of heads has the weights that the kernel used."""
    batch = {
        "query": numbers(3, HEADS, queries, DIM) * 2,
        "key": numbers(3, key_heads, keys, DIM, seed=1) * 2,
    }
    if mask is not None:
        batch["attention_mask"] = mask
    for row in range(3):
        for heads in (None, [2], [0, 3], [1, 2, 3]):
            trace = extract(model, inputs=batch, batch_index=row, heads=heads, drop_padding=False)
            [block] = trace.blocks.values()
            [layer] = block.layers
            own = model.last()[row][list(layer.heads)]
            shown = layer.shape[1]
            torch.testing.assert_close(layer.weights(), own[..., :shown], atol=2e-6, rtol=0)
            assert own[..., shown:].sum() == 0, "keys that no query sees"
            assert layer.heads == (tuple(range(HEADS)) if heads is None else tuple(heads))
    return layer


@pytest.mark.parametrize("key_heads", [1, 2, 4])
@pytest.mark.parametrize(("queries", "keys"), [(5, 5), (3, 7), (6, 4), (2, 2), (2, 5), (1, 4)])
@pytest.mark.parametrize("causal", [True, False, None])
def test_causal_or_not_with_any_number_of_keys(
    key_heads: int, queries: int, keys: int, causal: bool | None
) -> None:
    keywords = {} if causal is None else {"is_causal": causal}
    model = Attends("sdpa", key_heads, **keywords)
    layer = check(model, queries=queries, keys=keys, key_heads=key_heads)
    assert layer.scaling == pytest.approx(DIM**-0.5)
    assert layer.formula.causal is (causal is not False and 1 < queries <= keys)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_what_a_call_says_of_causality_comes_before_what_its_module_says(
    own: bool, asked: bool
) -> None:
    model = Attends("sdpa", HEADS, is_causal=asked)
    model.is_causal = own
    assert check(model, key_heads=HEADS).formula.causal is asked
    model = Attends("sdpa", HEADS)
    model.is_causal = own
    assert check(model, key_heads=HEADS).formula.causal is own


LOW = torch.finfo(torch.float32).min
MASKS: dict[str, Callable[[], Tensor]] = {
    "of every text": lambda: torch.where(numbers(3, 1, 5, 5, seed=2) > 1, LOW, 0.0),
    "of every head": lambda: numbers(1, HEADS, 5, 5, seed=3).expand(3, -1, -1, -1),
    "of every text and head": lambda: numbers(3, HEADS, 5, 5, seed=4),
    "one for all": lambda: torch.ones(5, 5).triu(1).mul(LOW).expand(3, 1, 5, 5),
    "of keys": lambda: numbers(3, 1, 1, 5, seed=5),
    "longer than the keys": lambda: numbers(3, HEADS, 5, 9, seed=6),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_masks_of_texts_and_heads(mask: str, implementation: str) -> None:
    if mask == "longer than the keys" and implementation == "sdpa":
        pytest.skip("sdpa takes no such mask")
    layer = check(Attends(implementation, 2), MASKS[mask](), key_heads=2)
    assert layer.formula.causal is False


KERNELS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "scaling": {"scaling": 0.7},
    "softcap": {"softcap": 1.5},
    "s_aux": {"s_aux": numbers(HEADS, seed=7)},
    "sinks": {"sinks": numbers(HEADS, seed=8)},
    "a sink with all axes": {"s_aux": numbers(1, HEADS, 1, 1, seed=16)},
    "a sink of every query": {"s_aux": numbers(1, HEADS, 5, 1, seed=9)},
    "a sink of every text and query": {"s_aux": numbers(3, HEADS, 5, 1, seed=10)},
    "a bias": {"position_bias": numbers(1, HEADS, 5, 5, seed=11)},
    "a bias of every text": {"position_bias": numbers(3, HEADS, 5, 5, seed=12)},
    "everything": {
        "scaling": 0.4,
        "softcap": 2.0,
        "sinks": numbers(HEADS, seed=13),
        "position_bias": numbers(1, HEADS, 5, 5, seed=14),
    },
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_whatever_enters_the_softmax_of_a_kernel(kernel: str) -> None:
    """Every term is kept, for each head its own; "eager" is never causal by itself."""
    keywords = KERNELS[kernel]
    layer = check(Attends("eager", 2, **keywords), MASKS["of every text"](), key_heads=2)
    assert layer.scaling == pytest.approx(keywords.get("scaling", DIM**-0.5))
    assert layer.formula.softcap == keywords.get("softcap")
    assert check(Attends("eager", 2, **keywords), key_heads=2).formula.causal is False


def test_sinks_that_belong_to_the_module() -> None:
    model = Attends("eager", HEADS)
    model.sinks = numbers(HEADS, seed=15)
    assert check(model, key_heads=HEADS).formula.sinks is not None


@pytest.mark.parametrize("shape", [(3, 5, DIM), (2, HEADS, 5, DIM)])
def test_queries_that_are_not_one_text_per_row_are_told(shape: tuple[int, ...]) -> None:
    class Reshaped(Attends):
        def forward(self, input_ids: Tensor, key: Tensor) -> Tensor:
            function = ALL_ATTENTION_FUNCTIONS.get_interface("eager", lambda *given: (given[1],))
            return function(self, numbers(*shape), key, key)[0]

    inputs = {"input_ids": torch.ones(3, 5, dtype=torch.int64), "key": numbers(3, HEADS, 5, DIM)}
    with pytest.raises(NothingCaptured, match=r"its queries have the shape \(\d, .*, not one text"):
        extract(Reshaped("eager", HEADS), inputs=inputs, batch_index=2)


def test_a_function_inside_another_is_part_of_it() -> None:
    """A kernel that calls another through the interface is one attention."""
    made: list[Any] = []

    def outer(
        module: Any, query: Tensor, key: Tensor, value: Tensor, *given: Any, **kw: Any
    ) -> Any:
        inner = ALL_ATTENTION_FUNCTIONS.get_interface("eager", eager)
        return inner(module, query, key, value, *given, **kw)

    class Outer(Attends):
        def forward(self, query: Tensor, key: Tensor) -> Tensor:
            function = ALL_ATTENTION_FUNCTIONS.get_interface("eager", outer)
            value = torch.eye(5).expand(1, HEADS, -1, -1)
            made.append(function)
            out: Tensor = function(self, query, key, value)[0]
            return out

    inputs = {"query": numbers(1, HEADS, 5, DIM), "key": numbers(1, HEADS, 5, DIM, seed=1)}
    model = Outer("eager", HEADS)
    trace = extract(model, inputs=inputs)
    [block] = trace.blocks.values()
    [layer] = block.layers
    # After its run, a capture notes nothing any more, whoever has kept its function.
    seen = layer.weights()
    value = torch.eye(5).expand(1, HEADS, -1, -1)
    out = made[0](model, inputs["query"], inputs["key"], value)[0]
    torch.testing.assert_close(out[0].transpose(0, 1), seen, atol=2e-6, rtol=0)
    assert trace.skipped == {}


def test_of_one_query_nothing_is_causal_unless_the_module_says_so() -> None:
    batch = {"query": numbers(1, HEADS, 1, DIM), "key": numbers(1, HEADS, 4, DIM)}
    model = Attends("eager", HEADS)
    assert list(extract(model, inputs=batch).blocks) == ["cross"]
    batch["key"] = batch["query"]
    for own, kind in ((None, "encoder"), (False, "encoder"), (True, "decoder")):
        if own is not None:
            model.is_causal = own
        assert list(extract(model, inputs=batch).blocks) == [kind]
