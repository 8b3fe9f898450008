"""torch's own attention functions, with every convention that they have for their arguments."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz import NothingCaptured, extract
from bertviz.extractor.recording import Recorder

HEADS, DIM, TEXTS, QUERIES, KEYS = 2, 4, 3, 4, 6
WIDTH = HEADS * DIM


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- scaled_dot_product_attention ------------------------------------------------------------


class Sdpa(nn.Module):
    """The function itself, over values that make its result its weights."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__()
        self.keywords = keywords
        seen: list[Tensor] = []
        self.note, self.last = lambda x: seen.append(x), lambda: seen[-1]

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        value = torch.eye(key.shape[-2]).expand(*key.shape[:-1], -1)
        result = F.scaled_dot_product_attention(query, key, value, **self.keywords)
        self.note(result.detach())
        return result


def sdpa_layers(
    query: Tensor, key: Tensor, rows: int = TEXTS, **keywords: Any
) -> list[tuple[Any, Tensor]]:
    """The layer of every text, beside the weights that torch computed for it."""
    found = []
    for row in range(rows):
        model = Sdpa(**keywords)
        trace = extract(model, inputs={"query": query, "key": key}, batch_index=row)
        [layer] = next(iter(trace.blocks.values())).layers
        own = model.last()
        own = own[row] if own.ndim == 4 else own.view(rows, -1, *own.shape[-2:])[row]
        torch.testing.assert_close(layer.weights(), own, atol=2e-6, rtol=0)
        found.append((layer, own))
    return found


@pytest.mark.parametrize("keys", [QUERIES, KEYS, 3])
@pytest.mark.parametrize("causal", [True, False])
def test_causality_of_sdpa_begins_with_the_first_key(keys: int, causal: bool) -> None:
    query, key = numbers(TEXTS, HEADS, QUERIES, DIM), numbers(TEXTS, HEADS, keys, DIM, seed=1)
    for layer, _ in sdpa_layers(query, key, is_causal=causal):
        assert layer.scaling == pytest.approx(DIM**-0.5)
        assert layer.formula.causal is (causal and keys == QUERIES)


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_the_factor_of_sdpa_and_its_groups(scale: float) -> None:
    query, key = numbers(TEXTS, HEADS, QUERIES, DIM), numbers(TEXTS, 1, KEYS, DIM, seed=1)
    for layer, _ in sdpa_layers(query, key, scale=scale, enable_gqa=True):
        assert layer.scaling == scale
        assert layer.num_key_value_heads == 1


@pytest.mark.parametrize(
    "shape",
    [
        (QUERIES, KEYS),
        (HEADS, QUERIES, KEYS),
        (1, 1, 1, KEYS),
        (TEXTS, 1, QUERIES, KEYS),
        (TEXTS, HEADS, QUERIES, KEYS),
    ],
)
@pytest.mark.parametrize("kind", ["bool", "float"])
def test_masks_of_sdpa(shape: tuple[int, ...], kind: str) -> None:
    mask = numbers(*shape, seed=2)
    if kind == "bool":
        mask = mask > -0.5
        mask[..., 0] = True
    query, key = numbers(TEXTS, HEADS, QUERIES, DIM), numbers(TEXTS, HEADS, KEYS, DIM, seed=1)
    sdpa_layers(query, key, attn_mask=mask)


@pytest.mark.parametrize("texts", [1, TEXTS])
@pytest.mark.parametrize("heads", [1, HEADS])
@pytest.mark.parametrize("masks", ["of keys", "one", "one of all", "each"])
def test_masks_of_sdpa_with_texts_and_heads_in_one_axis(texts: int, heads: int, masks: str) -> None:
    count = texts * heads
    query, key = numbers(count, QUERIES, DIM), numbers(count, KEYS, DIM, seed=1)
    shapes = {"of keys": (1, KEYS), "one": (QUERIES, KEYS), "one of all": (1, QUERIES, KEYS)}
    shape = shapes.get(masks, (count, QUERIES, KEYS))

    class One(Sdpa):
        def forward(self, input_ids: Tensor) -> Tensor:
            return super().forward(query, key)

    model = One(attn_mask=numbers(*shape, seed=2))
    ids = {"input_ids": torch.ones(texts, QUERIES, dtype=torch.int64)}
    for row in range(texts):
        trace = extract(model, inputs=ids, batch_index=row)
        [layer] = next(iter(trace.blocks.values())).layers
        own = model.last().unflatten(0, (texts, heads))[row]
        torch.testing.assert_close(layer.weights(), own, atol=2e-6, rtol=0)


def test_one_head_of_one_text_without_any_axis_of_its_own() -> None:
    query, key = numbers(QUERIES, DIM), numbers(KEYS, DIM, seed=1)

    class One(Sdpa):
        def forward(self, input_ids: Tensor) -> Tensor:
            return super().forward(query, key)

    ids = torch.ones(1, QUERIES, dtype=torch.int64)
    model = One(attn_mask=numbers(QUERIES, KEYS, seed=2))
    [layer] = next(iter(extract(model, inputs={"input_ids": ids}).blocks.values())).layers
    torch.testing.assert_close(layer.weights(), model.last()[None], atol=2e-6, rtol=0)
    with pytest.raises(NothingCaptured, match=r"its queries have the shape \(4, 4\), not one text"):
        extract(model, inputs={"input_ids": ids.expand(2, -1)}, batch_index=0)


def test_dropout_of_sdpa_is_named() -> None:
    with pytest.raises(NothingCaptured, match=r"changed at random by dropout \(p=0\.25\)"):
        sdpa_layers(numbers(1, 1, 3, DIM), numbers(1, 1, 3, DIM), rows=1, dropout_p=0.25)


# --- multi_head_attention_forward ------------------------------------------------------------

EXTRA: dict[str, dict[str, Any]] = {
    "nothing": {},
    "bias_k": {"add_bias_kv": True},
    "add_zero_attn": {"add_zero_attn": True},
    "both": {"add_bias_kv": True, "add_zero_attn": True},
    "no bias": {"bias": False},
    "other widths": {"kdim": 5, "vdim": 5},
}
MASKS: dict[str, dict[str, Tensor]] = {
    "none": {},
    "bool": {"attn_mask": (numbers(QUERIES, KEYS, seed=3) > 0.8)},
    "float": {"attn_mask": numbers(QUERIES, KEYS, seed=4)},
    "of texts and heads": {"attn_mask": numbers(TEXTS * HEADS, QUERIES, KEYS, seed=5)},
    "padding": {"key_padding_mask": numbers(TEXTS, KEYS, seed=6) > 0.8},
    "padding in numbers": {"key_padding_mask": numbers(TEXTS, KEYS, seed=7)},
    "both": {
        "attn_mask": numbers(QUERIES, KEYS, seed=8) > 1,
        "key_padding_mask": numbers(TEXTS, KEYS, seed=9) > 1,
    },
}


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("extra", EXTRA)
@pytest.mark.parametrize("masks", MASKS)
def test_multi_head_attention(extra: str, masks: str) -> None:
    """Keys that the function adds are seen by every query, whatever is masked."""
    torch.manual_seed(0)
    model = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, **EXTRA[extra]).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.6)
    width = EXTRA[extra].get("kdim", WIDTH)
    key = numbers(TEXTS, KEYS, width, seed=1)
    batch = {"query": numbers(TEXTS, QUERIES, WIDTH), "key": key, "value": key, **MASKS[masks]}
    own = model(**batch, average_attn_weights=False)[1]
    for row in range(TEXTS):
        for check in (True, False):
            trace = extract(model, inputs=batch, batch_index=row, verify=check)
            [layer] = next(iter(trace.blocks.values())).layers
            torch.testing.assert_close(layer.weights(), own[row], atol=2e-6, rtol=0)
        one = extract(model, inputs=batch, batch_index=row, heads=[1])
        [layer] = next(iter(one.blocks.values())).layers
        torch.testing.assert_close(layer.weights(), own[row][1:], atol=2e-6, rtol=0)
    added = (extra in ("bias_k", "both")) + (extra in ("add_zero_attn", "both"))
    assert layer.shape == (QUERIES, KEYS + added)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("extra", ["nothing", "add_zero_attn"])
def test_a_hint_of_causality_is_believed_as_the_function_does(
    need_weights: bool, padded: bool, extra: str
) -> None:
    """Without weights to return or padding to add, the hint replaces the mask."""

    class Hinted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, **EXTRA[extra])

        def forward(self, x: Tensor, **masks: Tensor) -> Any:
            options = {"is_causal": True, "need_weights": need_weights}
            return self.attention(x, x, x, **masks, **options, average_attn_weights=False)

    # Not the mask that the hint promises, so that it matters which of the two is believed.
    mask = torch.ones(QUERIES, QUERIES, dtype=torch.bool).triu(2)
    batch = {"x": numbers(2, QUERIES, WIDTH) * 3, "attn_mask": mask}
    if padded:
        batch["key_padding_mask"] = torch.tensor([[False] * 4, [False, False, False, True]])
    [layer] = next(iter(extract(Hinted(), inputs=batch, batch_index=1).blocks.values())).layers
    seen = layer.weights()[..., :QUERIES] > 0
    believed = not need_weights and not padded
    wanted = torch.ones(4, 4).tril(0 if believed else 1) > 0
    if padded:
        wanted[:, 3] = False
    assert torch.equal(seen, wanted.expand(HEADS, -1, -1))


def test_static_keys_and_a_single_text() -> None:
    """The function of its own: no axis of texts, and keys that were projected before."""
    attention = nn.MultiheadAttention(WIDTH, HEADS)

    class Function(nn.Module):
        def __init__(self, **given: Any) -> None:
            super().__init__()
            self.attention, self.given = attention, given

        def forward(self, x: Tensor) -> Any:
            own = self.attention
            return F.multi_head_attention_forward(
                *(x, x, x, WIDTH, HEADS, own.in_proj_weight, own.in_proj_bias, None, None, False),
                *(0.0, own.out_proj.weight, own.out_proj.bias),
                training=False,
                average_attn_weights=False,
                **self.given,
            )

    x = numbers(5, WIDTH)
    [layer] = next(iter(extract(Function(), inputs={"x": x}).blocks.values())).layers
    own = Function()(x)[1].detach()
    torch.testing.assert_close(layer.weights(), own, atol=2e-6, rtol=0)
    given = {"static_k": numbers(2 * HEADS, 6, DIM, seed=1), "static_v": numbers(2 * HEADS, 6, DIM)}
    x = numbers(5, 2, WIDTH)

    class Texts(Function):
        def forward(self, input_ids: Tensor) -> Any:
            return super().forward(x)

    ids = {"input_ids": torch.ones(2, 5, dtype=torch.int64)}
    own = Texts(**given)(**ids)[1].detach()
    for row in range(2):
        found = extract(Texts(**given), inputs=ids, batch_index=row)
        [layer] = next(iter(found.blocks.values())).layers
        torch.testing.assert_close(layer.weights(), own[row], atol=2e-6, rtol=0)


def test_another_batch_than_the_models_is_told() -> None:
    class Folded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(WIDTH, HEADS)

        def forward(self, input_ids: Tensor) -> Any:
            x = numbers(5, 4, WIDTH)
            return self.attention(x, x, x)

    ids = torch.ones(2, 5, dtype=torch.int64)
    with pytest.raises(NothingCaptured, match="it reads a batch of 4, the model one of 2"):
        extract(Folded(), inputs={"input_ids": ids}, batch_index=1)


def test_a_layer_whose_record_fails_is_skipped_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the layers after it keep their numbers."""

    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(Layer() for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            for layer in (self.layers[0], self.layers[0], self.layers[0]):
                x = layer(x)
            return x

    class Layer(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.scaled_dot_product_attention(x, x, x)

    right = Recorder.record

    def record(self: Recorder, path: str, cross: bool, order: int, *given: Any, **more: Any) -> Any:
        if order == 0:
            raise MemoryError
        return right(self, path, cross, order, *given, **more)

    monkeypatch.setattr(Recorder, "record", record)
    with pytest.warns(UserWarning, match="1 attention module was not captured"):
        trace = extract(Layers(), inputs={"x": numbers(1, HEADS, 4, DIM)})
    [block] = trace.blocks.values()
    assert [layer.index for layer in block.layers] == [1, 2]


def test_what_goes_wrong_in_noting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("bertviz.extractor.sharing.Sharing.copy", fail)
    with pytest.raises(NothingCaptured, match="out of memory"):
        sdpa_layers(numbers(1, 1, 3, DIM), numbers(1, 1, 3, DIM), rows=1)
