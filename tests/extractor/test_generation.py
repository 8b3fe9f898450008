"""What a model looked at while it wrote equals what it looks at when it reads the same at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import extract
from tests.models import TOLERANCE, state_of, texts

DECODERS = ["gpt2", "llama", "mistral", "gemma2", "qwen3", "gpt_oss"]
SEQ2SEQ = ["bart", "marian", "t5"]
NEW = 6
LONG = {"max_new_tokens": NEW, "min_new_tokens": NEW, "do_sample": False}


def read_at_once(model: Any, own: Any, prompt: Any, ids: torch.Tensor) -> Any:
    """The model's own attention on what it wrote, without the last token."""
    name = "decoder_input_ids" if model.config.is_encoder_decoder else "input_ids"
    return own(model, **{**prompt, name: ids[:, :-1]})


def compare(trace: Any, own: Any) -> None:
    for name, layers in own.items():
        block = next(iter(trace.blocks.values())) if name == "self" else trace.blocks[name]
        assert len(block.layers) == len(layers)
        for layer, reference in zip(block.layers, layers, strict=True):
            weights = layer.weights()
            assert weights.shape == reference[0].shape
            assert weights.shape[1:] == (len(block.query_tokens), len(block.key_tokens))
            assert float((weights - reference[0]).abs().max()) <= TOLERANCE


@pytest.mark.parametrize("cache", [None, "dynamic", "static"])
@pytest.mark.parametrize("architecture", [*DECODERS, *SEQ2SEQ])
def test_rows_are_whole(
    architecture: str,
    cache: str | None,
    build: Callable[..., Any],
    own_attention: Callable[..., Any],
) -> None:
    model = build(architecture)
    prompt = {"input_ids": texts(7, 1)}
    options: dict[str, Any] = dict(LONG)
    if cache:
        options["cache_implementation"] = cache
    trace = extract(model, inputs=prompt, generate=options)
    ids = model.generate(**prompt, **options)
    compare(trace, read_at_once(model, own_attention, prompt, ids))


def test_sampling_keeps_the_users_random_state(
    build: Callable[..., Any], own_attention: Callable[..., Any]
) -> None:
    model = build("gpt2")
    prompt = {"input_ids": texts(5, 1)}
    options = {"max_new_tokens": NEW, "min_new_tokens": NEW, "do_sample": True, "top_k": 0}
    torch.manual_seed(3)
    before = state_of(model)
    trace = extract(model, inputs=prompt, generate=options)
    assert state_of(model) == before
    ids = model.generate(**prompt, **options)
    compare(trace, read_at_once(model, own_attention, prompt, ids))


def test_a_batch_with_padding_that_ends_early(
    build: Callable[..., Any], own_attention: Callable[..., Any]
) -> None:
    model = build("llama")
    ids = texts(7)
    mask = torch.ones_like(ids)
    mask[1, :3] = 0
    ids[1, :3] = 0
    written = model.generate(input_ids=ids, attention_mask=mask, **LONG)[1]
    stop = int(written[7 + 2])  # a token that the second text writes, so that it ends there
    options = {"max_new_tokens": NEW, "do_sample": False, "eos_token_id": stop}
    if stop in written[7:9].tolist():
        pytest.fail("choose another seed: the stop comes earlier")
    trace = extract(
        model, inputs={"input_ids": ids, "attention_mask": mask}, batch_index=1, generate=options
    )
    block = trace.blocks["decoder"]
    assert len(block.query_tokens) == 4 + 3, "without padding before and after"
    own = own_attention(model, input_ids=written[None, 3:10])
    compare(trace, own)


def test_tokens_and_causality(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    tokenizer = word_tokenizer()
    trace = extract(build("gpt2"), tokenizer, "I went to the store.", generate=LONG)
    [block] = trace.blocks.values()
    assert block.kind == "decoder"
    assert block.query_tokens[:4] == ("[CLS]", "i", "went", "to")
    assert len(block.query_tokens) == 8 + NEW - 1
    assert all(layer.formula.causal and layer.formula.mask is None for layer in block.layers)


def test_heads_and_layers_can_be_chosen(build: Callable[..., Any]) -> None:
    model = build("llama")
    whole = extract(model, inputs={"input_ids": texts(5, 1)}, generate=LONG)
    part = extract(model, inputs={"input_ids": texts(5, 1)}, generate=LONG, layers=[2], heads=[3])
    [layer] = part.blocks["decoder"].layers
    assert (layer.index, layer.heads) == (2, (3,))
    torch.testing.assert_close(layer.weights(), whole.blocks["decoder"].layers[2].weights(3))


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "beams": ({"num_beams": 2}, ValueError, r"generate has num_beams=2: the hypotheses change"),
    "several": ({"num_return_sequences": 2, "do_sample": True}, ValueError, r"num_return_seq"),
    "a number": (40, TypeError, r"generate is an int: expected a dict"),
    "no cache": ({"use_cache": False}, ValueError, r"use_cache=False"),
    "lookup": ({"prompt_lookup_num_tokens": 2}, ValueError, r"guessed and taken back"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, build: Callable[..., Any]) -> None:
    options, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        extract(build("gpt2"), inputs={"input_ids": texts(5, 1)}, generate=options)


def test_a_model_that_cannot_write(build: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="BertModel cannot generate"):
        extract(build("bert"), inputs={"input_ids": texts(5, 1)}, generate=LONG)
