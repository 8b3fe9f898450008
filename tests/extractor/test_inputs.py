"""Models, tokenizers, texts and inputs that extract refuses, and what it then says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor import NothingCaptured, extract
from bertviz.extractor.checks import check_ids
from bertviz.extractor.inputs import Reading, _shifted, batch_size, has_two_stacks
from tests.models import A, B, batch_of, texts


def test_what_is_no_model(word_tokenizer: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"model is a str: .*from_pretrained\('bert-base'\)"):
        extract("bert-base", word_tokenizer(), A)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"model is an int: expected a torch.nn.Module"):
        extract(7, word_tokenizer(), A)  # type: ignore[arg-type]


def test_what_is_no_tokenizer(build: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"tokenizer is a str: .* A text comes third"):
        extract(build("bert"), A)
    with pytest.raises(TypeError, match=r"tokenizer is None, and text needs one"):
        extract(build("bert"), text=A)


BAD_TEXTS: dict[str, tuple[Any, type[Exception], str]] = {
    "none": ({}, TypeError, r"got no text: pass extract\(model, tokenizer, text\)"),
    "empty": ({"text": "  "}, ValueError, r"text='  ' is empty"),
    "empty pair": ({"text": A, "text_pair": ""}, ValueError, r"text_pair='' is empty"),
    "list": ({"text": [A, B]}, TypeError, r"text is a list: .* batch_index"),
    "both": ({"text": A, "inputs": {}}, TypeError, r"got text and inputs: pass one"),
    "too long": (
        {"text": "store " * 31},
        ValueError,
        r"text has 33 tokens, special tokens included; BertModel takes at most 32\..*max_length=32",
    ),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_bad_texts(
    name: str, build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    arguments, error, message = BAD_TEXTS[name]
    with pytest.raises(error, match=message):
        extract(build("bert"), word_tokenizer(), **arguments)


def test_a_text_as_long_as_the_model_takes(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    for architecture in ("bert", "roberta", "gpt2", "bart"):
        trace = extract(build(architecture), word_tokenizer(), "store " * 30)
        assert len(next(iter(trace.blocks.values())).query_tokens) == 32
        with pytest.raises(ValueError, match=r"at most 32"):
            extract(build(architecture), word_tokenizer(), "store " * 31)


BAD_INPUTS: dict[str, tuple[Any, type[Exception], str]] = {
    "a list": ([1, 2], TypeError, r"inputs is a list: expected a BatchEncoding or a dict"),
    "no tensors": ({"x": None}, ValueError, r"inputs holds no tensors"),
    "a ragged list": ({"input_ids": [[1], [1, 2]]}, TypeError, r"inputs\['input_ids'\] is a list"),
    "a batch": ({"input_ids": torch.ones(3, 4).long()}, ValueError, r"batch_index"),
    "unknown ids": (
        {"input_ids": torch.tensor([[1, 400]])},
        ValueError,
        r"input_ids holds 400, but the model has embeddings for ids 0 to 98: the tokenizer",
    ),
    "too long": ({"input_ids": torch.ones(1, 40).long()}, ValueError, r"has 40 tokens.*at most 32"),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_inputs(name: str, build: Callable[..., Any]) -> None:
    inputs, error, message = BAD_INPUTS[name]
    with pytest.raises(error, match=message):
        extract(build("bert"), inputs=inputs)


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (2, ValueError, r"batch_index=2 is out of range: inputs holds 2 texts, 0 to 1"),
        (-3, ValueError, r"batch_index=-3 is out of range"),
        ("0", TypeError, r"batch_index"),
        (True, TypeError, r"batch_index"),
    ],
)
def test_bad_batch_index(
    index: Any, error: type[Exception], message: str, build: Callable[..., Any]
) -> None:
    with pytest.raises(error, match=message):
        extract(build("bert"), inputs=batch_of("bert"), batch_index=index)


def test_a_model_without_attention_says_what_was_seen() -> None:
    class Mlp(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x)

    with pytest.raises(NothingCaptured, match=r"Mlp ran once and no attention was captured"):
        extract(Mlp(), inputs={"x": torch.ones(1, 4)})


def test_a_model_that_fails_gives_its_own_error(build: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of input_ids or inputs_embeds"):
        extract(build("bert"), inputs={"input_ids": texts(rows=1), "inputs_embeds": torch.ones(1)})


BAD_ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"text": "a \ud83d"}, ValueError, r"text holds '\\ud83d' at position 2, half of a character"),
    ({"text": A, "verify": "yes"}, TypeError, "verify='yes' is a str: expected True or False"),
    ({"text": A, "progress": 1}, TypeError, "progress=1 is an int"),
    ({"text": A, "drop_padding": None}, TypeError, "drop_padding=None is a NoneType"),
    ({"text": A, "device": 1.5}, TypeError, "device=1.5 is a float"),
    ({"text": A, "device": "gpu"}, ValueError, "device='gpu' cannot be used"),
    ({"text": A, "device": "meta"}, ValueError, "device='meta' holds no numbers"),
    ({"text": A, "layers": "01"}, TypeError, "layers='01' is a str: expected a list of numbers"),
    ({"text": A, "heads": [0.5]}, TypeError, "heads holds 0.5, a float"),
    ({"text": A, "heads": [10**400]}, ValueError, "heads holds 1000.*, which is out of range"),
]


@pytest.mark.parametrize(
    ("arguments", "error", "message"), BAD_ARGUMENTS, ids=range(len(BAD_ARGUMENTS))
)
def test_bad_arguments(
    arguments: dict[str, Any],
    error: type[Exception],
    message: str,
    build: Callable[..., Any],
    word_tokenizer: Callable[..., Any],
) -> None:
    with pytest.raises(error, match=message):
        extract(build("bert"), word_tokenizer(), **arguments)


IDS = torch.tensor([[5, 6, 7]])
BAD_BATCHES: list[tuple[dict[Any, Any], type[Exception], str]] = [
    ({"input_ids": IDS.float()}, TypeError, r"inputs\['input_ids'\] is torch.float32: expected"),
    ({"input_ids": "a b", "attention_mask": IDS}, TypeError, r"inputs\['input_ids'\] is a str"),
    ({"input_ids": IDS[:, :0]}, ValueError, r"inputs\['input_ids'\] has shape \(1, 0\)"),
    ({"input_ids": IDS[:0]}, ValueError, r"inputs\['input_ids'\] has shape \(0, 3\)"),
    ({"input_ids": IDS.to("meta")}, ValueError, r"inputs\['input_ids'\] is on the meta"),
    ({"input_ids": IDS, 3: IDS}, TypeError, "inputs has the key 3, an int"),
    (
        {"input_ids": IDS, "attention_mask": IDS[:, :2]},
        ValueError,
        r"inputs\['attention_mask'\] has shape \(1, 2\), input_ids has \(1, 3\)",
    ),
    (
        {"input_ids": IDS, "token_type_ids": IDS * 9},
        ValueError,
        r"inputs\['token_type_ids'\] holds 63: BertModel has embeddings for 0 to 1",
    ),
]


@pytest.mark.parametrize(("inputs", "error", "message"), BAD_BATCHES, ids=range(len(BAD_BATCHES)))
def test_bad_batches(
    inputs: dict[Any, Any], error: type[Exception], message: str, build: Callable[..., Any]
) -> None:
    with pytest.raises(error, match=message):
        extract(build("bert"), inputs=inputs)


def test_inputs_of_numpy_are_tensors(build: Callable[..., Any]) -> None:
    model = build("bert")
    expected = extract(model, inputs={"input_ids": IDS}).blocks["encoder"].layers[0].weights()
    found = extract(model, inputs={"input_ids": IDS.numpy()}, batch_index=np.int64(0))
    assert torch.equal(found.blocks["encoder"].layers[0].weights(), expected)


def test_a_name_that_the_model_does_not_take() -> None:
    class Plain(nn.Module):
        def forward(self, ids: Tensor) -> Tensor:
            return ids

    with pytest.raises(TypeError, match="inputs has the key 'idz', which Plain's forward does not"):
        extract(Plain(), inputs={"idz": IDS})


@pytest.mark.skipif(sys.version_info < (3, 11), reason="errors have no notes")
def test_a_model_that_fails_is_noted_with_its_inputs(build: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of input_ids or inputs_embeds") as caught:
        extract(build("bert"), inputs={"input_ids": IDS, "inputs_embeds": torch.ones(1)})
    [note] = caught.value.__notes__
    assert note == (
        "BertModel was running on inputs: input_ids (1, 3) int64, inputs_embeds (1,) float32."
    )


def test_layers_and_heads_are_any_collection_of_numbers(build: Callable[..., Any]) -> None:
    model = build("bert")
    for made in (list, tuple, set, frozenset, np.array, iter):
        trace = extract(model, inputs={"input_ids": IDS}, layers=made([0, 2]), heads=made([1]))
        layers = trace.blocks["encoder"].layers
        assert [layer.index for layer in layers] == [0, 2]
        assert {layer.heads for layer in layers} == {(1,)}
    with pytest.raises(ValueError, match="layers is empty: name at least one"):
        extract(model, inputs={"input_ids": IDS}, layers=[])
    with pytest.raises(
        ValueError, match=r"layers holds 3, which .* does not have: it has 3 layers"
    ):
        extract(model, inputs={"input_ids": IDS}, layers=[3])
    with pytest.raises(ValueError, match=r"heads holds 4, which .* it has heads 0 to 3"):
        extract(model, inputs={"input_ids": IDS}, heads=[0, 4])


def test_embeddings_take_the_place_of_ids(build: Callable[..., Any]) -> None:
    model, mask = build("bert"), torch.tensor([[1, 1, 0], [1, 1, 1]])
    embedded = model.embeddings.word_embeddings(IDS).detach().expand(2, -1, -1)
    own = extract(
        model, inputs={"input_ids": IDS.expand(2, -1), "attention_mask": mask}, batch_index=0
    )
    trace = extract(
        model, inputs={"inputs_embeds": embedded, "attention_mask": mask}, batch_index=0
    )
    for one, other in zip(
        own.blocks["encoder"].layers, trace.blocks["encoder"].layers, strict=True
    ):
        assert one.shape == (2, 2)
        torch.testing.assert_close(one.weights(), other.weights())


MORE_BATCHES: list[tuple[dict[Any, Any], type[Exception], str]] = [
    (
        {"input_ids": IDS[0]},
        ValueError,
        r"inputs\['input_ids'\] has shape \(3,\): expected \(texts",
    ),
    (
        {"input_ids": IDS, "token_type_ids": IDS * 0 - 1},
        ValueError,
        r"inputs\['token_type_ids'\] holds -1: BertModel",
    ),
    (
        {"input_ids": IDS, "token_type_ids": IDS * 0 + 2},
        ValueError,
        r"inputs\['token_type_ids'\] holds 2: BertModel has embeddings for 0 to 1",
    ),
    ({"input_ids": IDS * 0 - 1}, ValueError, r"input_ids holds -1, but"),
    ({"input_ids": IDS * 0 + 99}, ValueError, r"input_ids holds 99, but .* ids 0 to 98"),
    (
        {"input_ids": IDS, "attention_mask": [[1, 1]]},
        ValueError,
        r"inputs\['attention_mask'\] has shape \(1, 2\)",
    ),
    (
        {"input_ids": IDS, "attention_mask": "111"},
        TypeError,
        r"inputs\['attention_mask'\] is '111': expected a tensor of the shape of input_ids",
    ),
    (
        {"input_ids": IDS, "position_ids": IDS.float()},
        TypeError,
        r"inputs\['position_ids'\] is torch",
    ),
]


@pytest.mark.parametrize(("inputs", "error", "message"), MORE_BATCHES, ids=range(len(MORE_BATCHES)))
def test_numbers_at_the_ends_of_what_a_model_takes(
    inputs: dict[Any, Any], error: type[Exception], message: str, build: Callable[..., Any]
) -> None:
    model = build("bert")
    with pytest.raises(error, match=message):
        extract(model, inputs=inputs)
    for ids in (IDS.int(), IDS * 0, IDS * 0 + 98):  # these are all right
        extract(model, inputs={"input_ids": ids, "token_type_ids": torch.tensor([[0, 1, 1]])})


def test_a_text_within_a_batch_is_counted_from_either_end(build: Callable[..., Any]) -> None:
    ids = torch.tensor([[5, 6, 7], [8, 9, 10], [11, 12, 13]])
    model = build("bert")
    for index in (-3, -1, 0, 2):
        one = extract(model, inputs={"input_ids": ids[index][None]}).blocks["encoder"]
        found = extract(model, inputs={"input_ids": ids}, batch_index=index).blocks["encoder"]
        torch.testing.assert_close(found.layers[2].weights(), one.layers[2].weights())
    with pytest.raises(ValueError, match=r"a batch of 3 texts: pass batch_index=0 to 2"):
        extract(model, inputs={"input_ids": ids})
    with pytest.raises(ValueError, match=r"batch_index=3 is out of range: .* 3 texts, 0 to 2"):
        extract(model, inputs={"input_ids": ids}, batch_index=3)


def test_which_models_are_encoder_decoders(build: Callable[..., Any]) -> None:
    assert has_two_stacks(build("t5"))
    assert not has_two_stacks(build("t5").encoder), "its encoder alone has the same configuration"
    assert not has_two_stacks(build("bert"))
    own: Any = nn.Linear(1, 1)
    assert not has_two_stacks(own)
    own.config = build("t5").config
    assert has_two_stacks(own), "a model of one's own is believed"


def test_what_a_decoder_lacks(build: Callable[..., Any]) -> None:
    reading = Reading.of(build("t5"), inputs={"input_ids": texts(rows=2)}, batch_index=1)
    assert reading.lacks_decoder_inputs
    for name in ("decoder_input_ids", "decoder_inputs_embeds", "labels"):
        assert not reading.with_inputs(**{name: texts(rows=2)}).lacks_decoder_inputs
    started = reading.starting_decoder()
    assert started.batch["decoder_input_ids"].tolist() == [[0], [0]]
    assert not started.lacks_decoder_inputs
    assert reading.lacks_decoder_inputs, "the first reading is as it was"
    assert not Reading.of(build("bert"), inputs={"input_ids": IDS}).lacks_decoder_inputs


def test_ids_are_those_of_the_stack_that_reads_them() -> None:
    class Stack(nn.Module):
        def __init__(self, size: int) -> None:
            super().__init__()
            self.table = nn.Embedding(size, 2)

        def get_input_embeddings(self) -> nn.Module:
            return self.table

    def check(**batch: list[list[int]]) -> None:
        ids = {name: torch.tensor(numbers) for name, numbers in batch.items()}
        check_ids(SimpleNamespace(model=Stack(10), decoder=Stack(5), batch=ids), given=True)  # type: ignore[arg-type]

    check(input_ids=[[0, 9]], decoder_input_ids=[[0, 4]])
    with pytest.raises(ValueError, match=r"input_ids holds 10, .* ids 0 to 9"):
        check(input_ids=[[1, 10]])
    with pytest.raises(ValueError, match=r"decoder_input_ids holds 5, .* ids 0 to 4"):
        check(input_ids=[[9]], decoder_input_ids=[[5]])
    with pytest.raises(ValueError, match=r"decoder_input_ids holds -1, .* ids 0 to 4"):
        check(decoder_input_ids=[[-1, 5]])


def test_a_decoder_reads_its_start_and_all_but_the_last() -> None:
    model: Any = nn.Linear(1, 1)
    model.config = SimpleNamespace(decoder_start_token_id=7)
    labels = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert _shifted(model, labels).tolist() == [[7, 1, 2, 3], [7, 5, 6, 7]]
    model.prepare_decoder_input_ids_from_labels = lambda labels: labels + 1
    assert torch.equal(_shifted(model, labels), labels + 1), "the model's own way"


def test_a_mask_of_one_text_does_not_count_the_texts() -> None:
    model = nn.Linear(1, 1)
    assert batch_size(model, {"x": torch.ones(2, 5), "attention_mask": torch.ones(5)}) == 2
    assert batch_size(model, {"x": torch.ones(3, 5), "attention_mask": torch.ones(2, 5)}) == 2
