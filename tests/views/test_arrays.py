"""Arrays in BertViz's order of arguments, of one stack of tokens or of two."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BartConfig, BartModel, BertModel, BertTokenizer

import bertviz
from bertviz import AttentionTrace, HeadView, ModelView, extract
from tests.helpers import a_head_view, a_model_view, a_neuron_view
from tests.views.texts import TOKENS_AB, A, B, same, weights


def test_attentions_of_a_model_as_bertviz_took_them(
    model: BertModel, tokenizer: BertTokenizer, attention: tuple[torch.Tensor, ...]
) -> None:
    start = TOKENS_AB.index("at")
    expected = extract(model, tokenizer, A, B)
    for given in (attention, list(attention), [layer[0].numpy() for layer in attention]):
        trace = a_head_view(given, TOKENS_AB, start).trace
        same(trace, expected)
        trace = a_model_view(given, TOKENS_AB, sentence_b_start=start).trace
        same(trace, expected)
    sentences = trace.blocks["encoder"].query.sentences
    assert sentences == (0,) * start + (1,) * (len(TOKENS_AB) - start)


def test_without_a_second_sentence_there_is_no_pair(attention: tuple[torch.Tensor, ...]) -> None:
    sentences = a_head_view(attention, TOKENS_AB).trace.blocks["encoder"].query.sentences
    assert not sentences or set(sentences) == {0}


def test_all_positions_of_bertviz(attention: tuple[torch.Tensor, ...]) -> None:
    view = bertviz.head_view(
        attention, TOKENS_AB, 8, True, 1, [2], None, None, None, None, None, [1, 2], "return"
    )
    assert isinstance(view, HeadView)
    assert view._payload["state"] == {"block": "encoder", "layer": 1, "heads": [2]}
    view = bertviz.model_view(
        attention, TOKENS_AB, 8, True, "light", None, None, None, None, None, [1], [2], "return"
    )
    assert isinstance(view, ModelView)
    assert view._payload["theme"] == "light"
    assert view._payload["blocks"][0]["layers"][0]["heads"] == [2]


def test_include_layers_filters_a_full_list_and_keeps_numbers(
    attention: tuple[torch.Tensor, ...],
) -> None:
    view = a_head_view(attention, TOKENS_AB, include_layers=[0, 2], layer=2)
    assert [layer["index"] for layer in view._payload["blocks"][0]["layers"]] == [0, 2]


def test_prettify_tokens() -> None:
    uniform = torch.full((1, 1, 2, 2), 0.5)
    tokens = ["Hello", "Ġworld"]
    assert a_head_view(uniform, tokens).trace.blocks["encoder"].query.text[1].strip() == "world"
    block = a_head_view(uniform, tokens, prettify_tokens=False).trace.blocks["encoder"]
    assert block.query.text == block.key.text == ("Hello", "Ġworld")
    trace = AttentionTrace.from_arrays(tokens, uniform)
    block = HeadView(trace, prettify_tokens=False).trace.blocks["encoder"]
    assert block.query.text == block.key.text == ("Hello", "Ġworld")
    assert trace.blocks["encoder"].query.text[1].strip() == "world", "the trace stays as it is"


def test_queries_and_keys_by_name() -> None:
    torch.manual_seed(0)
    q, k = torch.randn(2, 3, 4, 8), torch.randn(2, 3, 4, 8)
    tokens = ["a", "b", "c", "d"]
    view = a_neuron_view(queries=q, keys=k, tokens=tokens, layer=1, head=2)
    expected = torch.softmax(q[1] @ k[1].transpose(-1, -2) / 8**0.5, -1)
    torch.testing.assert_close(weights(view.trace), expected, atol=1e-6, rtol=0)
    view = a_neuron_view(queries=q, keys=k, tokens=tokens, scaling=0.5, sentence_b_start=2)
    assert view.trace.blocks["encoder"].layers[0].scaling == 0.5
    assert view.trace.blocks["encoder"].query.sentences == (0, 0, 1, 1)
    same(
        a_head_view(queries=q, keys=k, tokens=tokens, scaling=0.5, sentence_b_start=2).trace,
        view.trace,
    )


def uniform(queries: int, keys: int, layers: int = 2) -> list[torch.Tensor]:
    return [torch.full((1, 4, queries, keys), 1 / keys) for _ in range(layers)]


LEFT, RIGHT = ["the", "cat", "sat"], ["le", "chat"]


def test_encoder_decoder_arrays() -> None:
    trace = a_head_view(
        encoder_attention=uniform(3, 3),
        decoder_attention=uniform(2, 2),
        cross_attention=uniform(2, 3),
        encoder_tokens=LEFT,
        decoder_tokens=RIGHT,
    ).trace
    found = {
        name: (block.kind, block.query_tokens, block.key_tokens)
        for name, block in trace.blocks.items()
    }
    assert found == {
        "encoder": ("encoder", tuple(LEFT), tuple(LEFT)),
        "decoder": ("decoder", tuple(RIGHT), tuple(RIGHT)),
        "cross": ("cross", tuple(RIGHT), tuple(LEFT)),
    }
    assert weights(trace, 0, "cross").shape == (4, 2, 3)


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_one_part_alone(kind: str) -> None:
    shape = {"encoder": (3, 3), "decoder": (2, 2), "cross": (2, 3)}[kind]
    for view_of in (a_head_view, a_model_view):
        view = view_of(
            **{f"{kind}_attention": uniform(*shape)}, encoder_tokens=LEFT, decoder_tokens=RIGHT
        )
        assert list(view.trace.blocks) == [kind]


def test_a_layer_only_the_decoder_has_opens_the_decoder() -> None:
    parts = {
        "encoder_attention": uniform(3, 3, layers=1),
        "decoder_attention": uniform(2, 2, layers=3),
        "encoder_tokens": LEFT,
        "decoder_tokens": RIGHT,
    }
    assert a_head_view(**parts, layer=2)._payload["state"] == {"block": "decoder", "layer": 2}
    assert a_head_view(**parts, layer=0)._payload["state"] == {"block": "encoder", "layer": 0}


def test_encoder_decoder_attentions_of_a_model() -> None:
    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=20,
        d_model=16,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
    )
    bart = BartModel._from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        output = bart(
            input_ids=torch.tensor([[4, 5, 6]]),
            decoder_input_ids=torch.tensor([[7, 8]]),
            output_attentions=True,
        )
    trace = a_model_view(
        encoder_attention=output.encoder_attentions,
        decoder_attention=output.decoder_attentions,
        cross_attention=output.cross_attentions,
        encoder_tokens=LEFT,
        decoder_tokens=RIGHT,
    ).trace
    torch.testing.assert_close(weights(trace, 0, "cross"), output.cross_attentions[0][0])


ARRAY_MISTAKES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({}, ValueError, r"attention is None\. .*head_view\(model, tokenizer, text\)"),
    ({"tokens": LEFT}, ValueError, "attention is None"),
    ({"attention": (), "tokens": LEFT}, ValueError, "attention is empty: .* sdpa"),
    ({"attention": (None, None), "tokens": LEFT}, ValueError, "attention holds None for layer 0"),
    (
        {"cross_attention": (), "encoder_tokens": LEFT, "decoder_tokens": RIGHT},
        ValueError,
        "cross_attention is empty",
    ),
    ({"attention": uniform(3, 3), "tokens": RIGHT}, ValueError, "tokens"),
    (
        {"attention": uniform(3, 3), "tokens": LEFT, "sentence_b_start": 5},
        ValueError,
        "sentence_b_start=5",
    ),
    (
        {"attention": uniform(3, 3), "tokens": LEFT, "sentence_b_start": "x"},
        TypeError,
        "sentence_b_start='x'",
    ),
    (
        {"attention": uniform(3, 3), "tokens": LEFT, "sentence_b_start": torch.ones(2)},
        TypeError,
        "sentence_b_start=.* is a Tensor",
    ),
    (
        {"attention": uniform(3, 3), "tokens": LEFT, "inputs": {}},
        TypeError,
        "got inputs and no model",
    ),
    (
        {"attention": uniform(3, 3), "tokens": LEFT, "prettify_tokens": "B"},
        TypeError,
        r"prettify_tokens='B' is a str: .*text_pair\) goes with a model",
    ),
    (
        {"attention": uniform(3, 3), "tokens": LEFT, "encoder_tokens": LEFT},
        TypeError,
        "takes no encoder_tokens with attention",
    ),
    (
        {"encoder_attention": uniform(3, 3), "queries": uniform(3, 3)},
        TypeError,
        "takes no encoder_attention with attention",
    ),
    (
        {"encoder_attention": uniform(3, 3), "encoder_tokens": LEFT, "scaling": 1.0},
        TypeError,
        "takes no scaling with encoder_attention, decoder_attention or cross_attention",
    ),
    (
        {"encoder_attention": uniform(3, 3)},
        ValueError,
        "encoder_attention was given without encoder_tokens: pass encoder_tokens, a list of 3",
    ),
    (
        {"encoder_attention": uniform(3, 3), "decoder_tokens": LEFT},
        ValueError,
        "encoder_attention was given without encoder_tokens",
    ),
    (
        {"decoder_attention": uniform(2, 2)},
        ValueError,
        "decoder_attention was given without decoder_tokens",
    ),
    (
        {"cross_attention": uniform(2, 3), "decoder_tokens": RIGHT},
        ValueError,
        "cross_attention was given without encoder_tokens",
    ),
    ({"encoder_tokens": LEFT}, ValueError, "it got encoder_tokens, but no attention"),
    (
        {"encoder_attention": uniform(3, 3), "encoder_tokens": []},
        ValueError,
        "encoder_tokens holds 0 strings",
    ),
    ({"attention": object(), "tokens": LEFT}, TypeError, r"an object: expected a model \(torch.nn"),
    (
        {"attention": uniform(3, 3), "tokens": SimpleNamespace(convert_ids_to_tokens=1)},
        TypeError,
        "tokens is a tokenizer .*: with arrays expected a list of strings",
    ),
    (
        {"cross_attention": uniform(3, 2), "encoder_tokens": LEFT, "decoder_tokens": RIGHT},
        ValueError,
        "cross_attention",
    ),
    ({"tokenizer": 1, "text": A}, TypeError, "got tokenizer and no model"),
    ({"attention": uniform(3, 3), "tokens": LEFT, "text_pair": B}, TypeError, "got text_pair and"),
    ({"attention": uniform(3, 3), "tokens": LEFT, "zzz": B}, TypeError, "takes no zzz with arrays"),
    (
        {"attention": {"0": uniform(3, 3)}, "tokens": LEFT},
        TypeError,
        "attention is a dict: expected weights per layer; pass its arrays",
    ),
    ({"attention": 3, "tokens": LEFT}, TypeError, "attention is an int: expected a model"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), ARRAY_MISTAKES)
def test_mistakes_with_arrays(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        a_head_view(**arguments)


def test_a_batch_needs_a_choice() -> None:
    batch = np.full((2, 5, 4, 3, 3), 1 / 3)
    with pytest.raises(
        ValueError, match="a batch of 5 texts: say which one with batch_index=0 to 4"
    ):
        a_head_view(list(batch), LEFT)


def test_without_tokens_positions_name_them() -> None:
    assert a_head_view(uniform(3, 3)).trace.blocks["encoder"].query_tokens == ("0", "1", "2")


@pytest.mark.parametrize("start", [np.int64(1), torch.tensor(1), 1])
def test_sentence_b_start_from_other_libraries(start: Any) -> None:
    block = a_head_view(uniform(3, 3), LEFT, start).trace.blocks["encoder"]
    assert block.query.sentences == (0, 1, 1)
