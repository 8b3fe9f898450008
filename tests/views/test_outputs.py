"""What a model or ``generate`` returned, in place of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import BertModel, BertTokenizer

from tests.helpers import a_head_view
from tests.views.texts import A


def test_what_a_fast_kernel_returns(model: BertModel, tokenizer: BertTokenizer) -> None:
    assert model.config._attn_implementation == "sdpa"
    output = model(**tokenizer(A, return_tensors="pt"), output_attentions=True)
    with pytest.raises(ValueError, match=r"head_view\(model, tokenizer, text\)"):
        a_head_view(output.attentions, ["the", "cat", "sat"])
    with pytest.raises(ValueError, match="attention is an output without attentions"):
        a_head_view(output, ["the", "cat", "sat"])


@pytest.mark.parametrize("architecture", ["bert", "gpt2", "distilbert", "t5"])
def test_what_a_model_returned_last(build: Callable[[str], Any], architecture: str) -> None:
    """Without ``output_attentions=True`` outputs[-1] is a hidden state, or a cache."""
    model, ids = build(architecture), torch.tensor([[2, 7, 8, 3]])
    more = {"decoder_input_ids": ids} if architecture == "t5" else {}
    outputs = model(input_ids=ids, **more)
    hidden = model(input_ids=ids, output_hidden_states=True, **more)
    for wrong in (outputs[-1], hidden.get("hidden_states") or hidden.decoder_hidden_states):
        with pytest.raises((TypeError, ValueError), match=r"^attention .* outputs\.attentions"):
            a_head_view(wrong, list("abcd"))


def test_what_a_model_returned(build: Callable[[str], Any]) -> None:
    model = build("bert")
    model.set_attn_implementation("eager")
    ids = torch.tensor([[2, 7, 8, 3], [2, 9, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    output = model(input_ids=ids, attention_mask=mask, output_attentions=True)
    trace = a_head_view(output, list("abcd"), batch_index=1, attention_mask=mask).trace
    [block] = trace.blocks.values()
    assert block.query_tokens == ("a", "b", "c")
    expected = output.attentions[2][1][:, :3, :3]
    torch.testing.assert_close(block.layers[2].weights(), expected)
    whole = a_head_view(
        output, list("abcd"), batch_index=1, attention_mask=mask, drop_padding=False
    ).trace
    assert len(whole.blocks["encoder"].query_tokens) == 4


def test_what_an_encoder_decoder_returned(build: Callable[[str], Any]) -> None:
    model = build("bart")
    model.set_attn_implementation("eager")
    ids = torch.tensor([[2, 7, 8, 3]])
    output = model(input_ids=ids, decoder_input_ids=ids[:, :2], output_attentions=True)
    trace = a_head_view(output, encoder_tokens=list("abcd"), decoder_tokens=["x", "y"]).trace
    assert list(trace.blocks) == ["encoder", "decoder", "cross"]
    expected = output.cross_attentions[2][0]
    torch.testing.assert_close(trace.blocks["cross"].layers[2].weights(), expected)
    with pytest.raises(TypeError, match="got cross_attention twice, also in the output"):
        a_head_view(output, cross_attention=output.cross_attentions)


@pytest.mark.parametrize("cache", ["dynamic", "static"])
@pytest.mark.parametrize("architecture", ["gpt2", "mistral", "bart", "t5"])
def test_what_generate_returned(architecture: str, cache: str, build: Callable[[str], Any]) -> None:
    model = build(architecture)
    model.set_attn_implementation("eager")
    prompt = torch.tensor([[2, 7, 8, 9, 10]])
    output = model.generate(
        input_ids=prompt,
        output_attentions=True,
        return_dict_in_generate=True,
        max_new_tokens=5,
        min_new_tokens=5,
        do_sample=False,
        cache_implementation=cache,
    )
    ids = output.sequences
    tokens = [str(int(number)) for number in ids[0]]
    if architecture in ("bart", "t5"):
        trace = a_head_view(output, encoder_tokens=list("abcde"), decoder_tokens=tokens[:-1]).trace
        parts = {
            "encoder_attention": output.encoder_attentions,
            "decoder_attention": output.decoder_attentions,
            "cross_attention": output.cross_attentions,
        }
        apart = a_head_view(**parts, encoder_tokens=list("abcde"), decoder_tokens=tokens).trace
        for name in ("encoder", "decoder", "cross"):
            assert apart.blocks[name].query_tokens == trace.blocks[name].query_tokens
            for one, other in zip(
                apart.blocks[name].layers, trace.blocks[name].layers, strict=True
            ):
                assert torch.equal(one.weights(), other.weights())
        once = model(input_ids=prompt, decoder_input_ids=ids[:, :-1], output_attentions=True)
        own = {"decoder": once.decoder_attentions, "cross": once.cross_attentions}
    else:
        trace = a_head_view(output, tokens).trace  # the last one was never read
        own = {"decoder": model(input_ids=ids[:, :-1], output_attentions=True).attentions}
    for name, layers in own.items():
        for layer, reference in zip(trace.blocks[name].layers, layers, strict=True):
            torch.testing.assert_close(layer.weights(), reference[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("architecture", ["gpt2", "t5"])
def test_beams_are_refused(architecture: str, build: Callable[[str], Any]) -> None:
    """Step by step they change places, so that one row would be of several texts."""
    model = build(architecture)
    model.set_attn_implementation("eager")
    output = model.generate(
        input_ids=torch.tensor([[2, 7, 8]]),
        output_attentions=True,
        return_dict_in_generate=True,
        max_new_tokens=3,
        num_beams=3,
    )
    with pytest.raises(ValueError, match=r"beam search .* num_beams=1"):
        a_head_view(output, list("abcd"), batch_index=0)
    if architecture == "t5":
        with pytest.raises(ValueError, match=r"cross_attention holds the steps .* num_beams=1"):
            a_head_view(
                cross_attention=output.cross_attentions,
                encoder_tokens=list("abc"),
                decoder_tokens=list("abcd"),
            )


def test_one_text_of_a_batch_in_parts() -> None:
    torch.manual_seed(0)
    batch = torch.rand(2, 3, 4, 4).softmax(-1)
    tokens = {"encoder_tokens": list("abcd"), "decoder_tokens": list("wxyz")}
    view = a_head_view(
        encoder_attention=[batch], cross_attention=[batch.flip(0)], batch_index=1, **tokens
    )
    blocks = view.trace.blocks
    assert torch.equal(blocks["encoder"].layers[0].weights(), batch[1])
    assert torch.equal(blocks["cross"].layers[0].weights(), batch[0])
    with pytest.raises(ValueError, match="a batch of 2 texts: say which one with batch_index"):
        a_head_view(encoder_attention=[batch], encoder_tokens=list("abcd"))
