"""How layers are numbered, and blocks named, from the paths of attentions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz import AttentionTrace, extract
from bertviz.extractor.blocks import _decodes, _indices, _is_causal, _numbers, _once
from bertviz.extractor.records import Record, numbers_in, tower
from bertviz.extractor.skips import Skip
from bertviz.trace import Formula


def capture_of(model: nn.Module | None = None, skipped: list[Skip] | None = None) -> Any:
    names = {} if model is None else dict(model.named_modules())
    return SimpleNamespace(module=names.get, skipped=skipped or [])


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["h.0.attn", "h.1.attn"], [0, 1]),
        (["h.2.attn", "h.5.attn"], [2, 5]),
        (["block.0.layer.0.a", "block.1.layer.0.a"], [0, 1]),
        (["stage.0.layer.0", "stage.0.layer.3"], [0, 3]),
        (["stage.0.layer.0", "stage.0.layer.1", "stage.1.layer.0"], [0, 1, 2]),
        (["shared.0", "shared.0", "shared.0"], [0, 1, 2]),
        (["attention", "attention"], [0, 1]),
        (["a.3", "b"], [0, 1]),
    ],
)
def test_numbers_from_paths(paths: list[str], expected: list[int]) -> None:
    assert _indices(paths, capture_of()) == expected


def test_the_only_attention_is_numbered_by_the_list_that_counts() -> None:
    def listed(*counts: int) -> nn.Module:
        module: nn.Module = nn.Identity()
        for count in reversed(counts):
            module = nn.ModuleList([module, *(nn.Identity() for _ in range(count - 1))])
        return module

    for counts, path, number in (
        ((3,), "2", 2),
        ((1, 3), "0.2", 2),
        ((3, 2), "2.1", 2),
        ((1,), "0", 0),
        ((2,), "1", 1),
    ):
        assert _indices([path], capture_of(listed(*counts))) == [number]
    assert _indices(["attention"], capture_of()) == [0]
    assert _indices(["gone.4"], capture_of()) == [4], "a list that is not there counts"


def record(path: str, place: int = 0, shape: tuple[int, int] = (3, 3), **changes: Any) -> Record:
    terms = {name: changes.pop(name) for name in ("mask", "position_bias") if name in changes}
    causal = changes.pop("causal", False)
    formula = Formula(torch.ones(1, shape[0], 2), torch.ones(1, shape[1], 2), 1.0, **terms)
    formula = Formula(formula.queries, formula.keys, 1.0, causal=causal, **terms)
    return Record(path, 1, (0,), shape, formula, place=place, **changes)


def test_attentions_that_were_skipped_keep_their_numbers() -> None:
    def numbers(*skips: Skip) -> list[int]:
        records = [record("h", 0), record("h", 2)]
        return _numbers(records, capture_of(skipped=list(skips)))

    assert numbers() == [0, 1]
    assert numbers(Skip("h", "", False, 1, 1)) == [0, 2]
    assert numbers(Skip("h", "", False, 1, 1, (3, 3))) == [0, 2]
    assert numbers(Skip("h", "", False, 1, 1, (3, 4))) == [0, 1], "of another block"
    assert numbers(Skip("h", "", True, 1, 1)) == [0, 1], "cross-attention"
    assert numbers(Skip("g", "", False, 1, 1)) == [0, 1], "another tower"
    twice = [Skip("h", "", False, 1, 1), Skip("h", "", False, 1, 3)]
    assert numbers(*twice) == [0, 2]
    assert [skip.place for skip in _once(twice)] == [1]


def test_two_skips_in_one_module_are_one_layer() -> None:
    def numbers(*paths: str) -> list[int]:
        """Of the layers at paths that do not end in "?", where those are skipped."""
        records = [record(path, i) for i, path in enumerate(paths) if path[-1] != "?"]
        skips = [Skip(p[:-1], "", False, i, i) for i, p in enumerate(paths) if p[-1] == "?"]
        return _numbers(records, capture_of(skipped=skips))

    assert numbers("h.0?", "h.0?", "h.1") == [1]
    assert numbers("h.0", "h.1?", "h.1?", "h.2") == [0, 2]
    assert numbers("h.0", "h.0?", "h.1") == [0, 1]
    assert numbers("h?", "h") == [1], "one module for all layers"


def lower(queries: int, keys: int) -> Tensor:
    return torch.ones(1, queries, keys, dtype=torch.bool).tril(keys - queries)


@pytest.mark.parametrize(("queries", "keys"), [(3, 3), (2, 5)])
def test_causality_with_any_number_of_keys(queries: int, keys: int) -> None:
    """The last query sees all keys, in whichever term that is written."""
    shape, mask = (queries, keys), lower(queries, keys)
    additive = torch.zeros(1, queries, keys).masked_fill(~mask, -1e9)
    open_mask = torch.ones_like(mask)
    assert _is_causal(record("a", shape=shape, causal=True))
    assert _is_causal(record("a", shape=shape, mask=mask))
    assert _is_causal(record("a", shape=shape, mask=additive))
    assert _is_causal(record("a", shape=shape, position_bias=additive))
    assert _is_causal(record("a", shape=shape, mask=open_mask, position_bias=additive))
    assert not _is_causal(record("a", shape=shape))
    assert not _is_causal(record("a", shape=shape, mask=open_mask))
    wider = lower(queries, keys)
    wider[0, 0, -1] = True
    assert not _is_causal(record("a", shape=shape, mask=wider)), "one key after its query"
    assert not _is_causal(record("a", shape=shape, mask=mask[:, :1])), "the same for all queries"
    assert not _is_causal(record("a", shape=shape, mask=open_mask, module_is_causal=True))


@pytest.mark.parametrize("own", [True, False])
def test_of_a_single_query_the_module_says_whether_it_is_causal(own: bool) -> None:
    one = record("a", shape=(1, 4), mask=lower(1, 4), module_is_causal=own)
    assert _is_causal(one) is own
    assert _is_causal(record("a", shape=(1, 4), causal=True, module_is_causal=own))


def test_towers_and_numbers_of_paths() -> None:
    assert tower("encoder.layer.3.attention.4.self") == "encoder.layer"
    assert tower("attention") == "attention"
    assert tower("3.attention") == ""
    assert numbers_in("a.3.b.12.c7") == [3, 12]


class Attention(nn.Module):
    def __init__(self, causal: bool = False) -> None:
        super().__init__()
        self.q, self.k, self.causal = nn.Linear(8, 8), nn.Linear(8, 8), causal

    def forward(self, x: Tensor) -> Tensor:
        scores = self.q(x) @ self.k(x).mT
        if self.causal:
            scores = scores.masked_fill(~lower(*scores.shape[-2:]), -1e9)
        return scores.softmax(-1) @ x


class Stacks(nn.Module):
    """Stacks of attentions by name, which read inputs of their own."""

    def __init__(self, **stacks: list[nn.Module]) -> None:
        super().__init__()
        for name, layers in stacks.items():
            self.add_module(name, nn.ModuleDict({"layers": nn.ModuleList(layers)}))

    def forward(self, **inputs: Tensor) -> Tensor:
        for name, x in inputs.items():
            for layer in getattr(self, name.partition("_")[0])["layers"]:
                x = layer(x)
        return x


def read(model: nn.Module, **lengths: int) -> AttentionTrace:
    torch.manual_seed(0)
    inputs = {name: torch.randn(1, length, 8) for name, length in lengths.items()}
    return extract(model, inputs=inputs)


def test_stacks_that_have_nothing_to_do_with_each_other_are_named_by_their_path() -> None:
    model = Stacks(text=[Attention(True), Attention(True)], image=[Attention(), Attention()])
    trace = read(model, text=4, image=6)
    assert {name: block.kind for name, block in trace.blocks.items()} == {
        "image": "encoder",
        "text": "decoder",
    }
    assert list(trace.blocks) == ["image", "text"], "encoders come first"
    for name, block in trace.blocks.items():
        assert [layer.index for layer in block.layers] == [0, 1]
        assert [layer.name for layer in block.layers] == [f"{name}.layers.{i}" for i in (0, 1)]


def test_a_stack_of_two_kinds_or_sizes_has_a_block_for_each() -> None:
    model = Stacks(text=[Attention(), Attention(True)], image=[Attention()])
    names = {name: block.kind for name, block in read(model, text=4, image=6).blocks.items()}
    assert names == {
        "text encoder 4x4": "encoder",
        "text decoder 4x4": "decoder",
        "image": "encoder",
    }
    twice = Stacks(text=[Attention(), Attention()])
    trace = read(twice, text=4, text_again=5)
    assert list(trace.blocks) == ["text encoder 4x4", "text encoder 5x5"]
    one = read(Stacks(text=[Attention(), Attention(True)]), text=4)
    assert list(one.blocks) == ["encoder", "decoder"]
    assert [[layer.index for layer in b.layers] for b in one.blocks.values()] == [[0], [1]]


def test_layers_that_are_not_wanted_leave_the_numbers_of_the_others() -> None:
    torch.manual_seed(0)
    model = Stacks(text=[Attention() for _ in range(4)])
    inputs = {"text": torch.randn(1, 4, 8)}
    every = extract(model, inputs=inputs).blocks["encoder"].layers
    for wanted in ([2], [0, 3], [1, 2, 3]):
        some = extract(model, inputs=inputs, layers=wanted).blocks["encoder"].layers
        assert [layer.index for layer in some] == wanted
        for layer in some:
            assert torch.equal(layer.weights(), every[layer.index].weights())
    with pytest.raises(ValueError, match="layers holds 4, which the model does not have: it has 4"):
        extract(model, inputs=inputs, layers=[0, 4])
    with pytest.raises(ValueError, match=r"heads holds 1, which .* it has heads 0"):
        extract(model, inputs=inputs, heads=[0, 1])


def test_a_decoder_is_known_by_the_name_of_its_stack() -> None:
    one: Any = SimpleNamespace(two_stacks=False)
    assert _decodes(record("model.theDecoder.layers.0"), one)
    assert not _decodes(record("model.layers.0.decoder"), one), "its stack, not what is below it"
    two: Any = SimpleNamespace(two_stacks=True)
    assert _decodes(record("layers.0"), two)


def test_blocks_of_a_model_without_names_are_named_by_their_kind() -> None:
    class Listed(nn.ModuleList):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            self[0](x)
            return self[1](y)

    inputs = {"x": torch.randn(1, 4, 8), "y": torch.randn(1, 5, 8)}
    trace = extract(Listed([Attention(), Attention()]), inputs=inputs)
    assert list(trace.blocks) == ["encoder encoder 4x4", "encoder encoder 5x5"]
