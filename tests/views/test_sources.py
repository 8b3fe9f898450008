"""One resolver for all views: models, traces and arrays in BertViz's order of arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BartConfig,
    BartModel,
    BertConfig,
    BertModel,
    BertTokenizer,
    GPT2Config,
    GPT2Model,
)

import bertviz
from bertviz import AttentionTrace, HeadView, ModelView, NeuronView, extract
from bertviz.arrays import from_arrays
from bertviz.neuron_view import show
from bertviz.views.sources import ARRAYS_ONLY, EITHER, MODEL_ONLY, resolve

VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] i went to the store . at , bought fresh straw ##berries"
)
A = "I went to the store."
B = "At the store, I bought fresh strawberries."
READ = "[CLS] i went to the store . [SEP] at the store , i bought fresh straw ##berries . [SEP]"
TOKENS_AB = READ.split()


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> BertTokenizer:
    vocabulary = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    vocabulary.write_text("\n".join(VOCABULARY.split()))
    return BertTokenizer(str(vocabulary))


@pytest.fixture(scope="module")
def model() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=17,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=32,
    )
    return BertModel(config).eval()


@pytest.fixture(scope="module")
def attention(model: BertModel, tokenizer: BertTokenizer) -> tuple[torch.Tensor, ...]:
    """What the model itself returns under eager, batch dimension included."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.no_grad():
        output = model(**tokenizer(A, B, return_tensors="pt"), output_attentions=True)
    model.set_attn_implementation(before)
    found: tuple[torch.Tensor, ...] = output.attentions
    return found


def weights(trace: AttentionTrace, layer: int = 1, block: str = "encoder") -> torch.Tensor:
    return trace.blocks[block].layers[layer].weights()


def same(one: AttentionTrace, other: AttentionTrace) -> None:
    assert list(one.blocks) == list(other.blocks)
    for name, block in one.blocks.items():
        assert block.query_tokens == other.blocks[name].query_tokens
        assert block.query.sentences == other.blocks[name].query.sentences
        for layer in range(len(block.layers)):
            torch.testing.assert_close(
                weights(one, layer, name), weights(other, layer, name), atol=1e-5, rtol=0
            )


# --- a model ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [HeadView, ModelView, NeuronView])
def test_model_in_one_call(cls: Any, model: BertModel, tokenizer: BertTokenizer) -> None:
    expected = extract(model, tokenizer, A, B)
    calls = [
        cls(model, tokenizer, A, B),
        cls(model, tokenizer, A, text_pair=B),
        cls(model, tokenizer, text=A, text_pair=B),
        cls(model=model, tokenizer=tokenizer, text=A, text_pair=B),
        cls(attention=model, tokenizer=tokenizer, text=A, text_pair=B),
        cls(model, inputs=tokenizer(A, B, return_tensors="pt"), tokenizer=tokenizer),
    ]
    for view in calls:
        same(view.trace, expected)
        assert view.trace.model_name == "BertModel"


def test_model_with_one_text(model: BertModel, tokenizer: BertTokenizer) -> None:
    expected = extract(model, tokenizer, A)
    same(HeadView(model, tokenizer, A).trace, expected)
    same(HeadView(model, tokenizer, A, None).trace, expected)


def test_options_of_the_view_go_beside_a_model(model: BertModel, tokenizer: BertTokenizer) -> None:
    view = HeadView(model, tokenizer, A, B, layer=2, heads=[0, 3])
    assert view._payload["state"] == {"block": "encoder", "layer": 2, "heads": [0, 3]}
    view = HeadView(model, tokenizer, A, B, 2, [0, 3])  # BertViz's places
    assert view._payload["state"]["layer"] == 2


def test_further_keywords_reach_extract(model: BertModel, tokenizer: BertTokenizer) -> None:
    batch = tokenizer([A, B], padding=True, return_tensors="pt")
    view = HeadView(model, tokenizer, inputs=batch, batch_index=0)
    assert len(view.trace.blocks["encoder"].query_tokens) == 8
    view = HeadView(model, tokenizer, inputs=batch, batch_index=0, drop_padding=False)
    assert len(view.trace.blocks["encoder"].query_tokens) == 12


def test_raw_tokens_of_a_model_and_a_trace(model: BertModel, tokenizer: BertTokenizer) -> None:
    for trace in (
        HeadView(model, tokenizer, B, prettify_tokens=False).trace,
        resolve("head_view", model, tokenizer, B, False),
        resolve("head_view", extract(model, tokenizer, B), prettify_tokens=False),
    ):
        block = trace.blocks["encoder"]
        assert "##berries" in block.query.text
        assert block.key.text == block.key_tokens


MODEL_MISTAKES: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda m, t: HeadView(m), r"needs a tokenizer and a text: pass head_view\(model, tokenizer"),
    (lambda m, t: HeadView(m, t), r"head_view\(\) with a model needs the text"),
    (lambda m, t: NeuronView(m, text=A), r"neuron_view\(\) got a text and no tokenizer"),
    (lambda m, t: HeadView(m, t, 8), r"text=8 is an int: .* sentence_b_start .* go with arrays"),
    (lambda m, t: HeadView(m, t, A, tokenizer=t), "got tokenizer twice"),
    (lambda m, t: HeadView(m, t, A, text=A), "got text twice"),
    (lambda m, t: HeadView(m, t, A, model=m), r"got attention and model: pass one of them"),
    (lambda m, t: HeadView(m, t, A, encoder_tokens=["a"]), "takes no encoder_tokens with a model"),
    (lambda m, t: HeadView(m, t, A, queries=[1]), r"takes no queries with a model"),
    (lambda m, t: HeadView(m, t, A, layers=[1]), r"takes no layers .*: did you mean layer\?"),
    (lambda m, t: HeadView(m, t, A, head=1), r"takes no head .*: did you mean heads\?"),
    (lambda m, t: ModelView(m, t, A, layer=1), r"takes no layer .*: did you mean include_layers"),
    (lambda m, t: HeadView(m, A), r"tokenizer='I went to the store.' is a str: .* second place"),
    (lambda m, t: HeadView(m, t, A, zzzzz=1), r"takes no zzzzz .*: it takes .*heads"),
    (lambda m, t: HeadView(t, m, A), r"is a tokenizer \(BertTokenizer\): the model comes first"),
    (lambda m, t: HeadView("bert-base-uncased", t, A), r"is a string: .*from_pretrained"),
    (lambda m, t: HeadView(SimpleNamespace(model=m, tokenizer=t), A), "pass the one it holds"),
    (lambda m, t: HeadView(model=t), "model is a BertTokenizer: expected a torch.nn.Module"),
    (lambda m, t: HeadView(trace=m), "trace is a BertModel: expected an AttentionTrace"),
]


@pytest.mark.parametrize(("call", "message"), MODEL_MISTAKES)
def test_mistakes_with_a_model(
    call: Callable[[Any, Any], Any], message: str, model: BertModel, tokenizer: BertTokenizer
) -> None:
    with pytest.raises(TypeError, match=message):
        call(model, tokenizer)


def test_errors_of_extract_come_through(model: BertModel, tokenizer: BertTokenizer) -> None:
    with pytest.raises(ValueError, match="text"):
        HeadView(model, tokenizer, "")
    with pytest.raises(ValueError, match="layer=3 is out of range: the model has layers 0 to 2"):
        HeadView(model, tokenizer, A, layer=3)


# --- a trace ------------------------------------------------------------------------------------


def test_a_trace_is_shown_as_it_is(model: BertModel, tokenizer: BertTokenizer) -> None:
    trace = extract(model, tokenizer, A, B)
    assert HeadView(trace).trace is trace
    assert HeadView(trace=trace).trace is trace
    assert NeuronView(attention=trace).trace is trace


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tokens", ["a"]),
        ("sentence_b_start", 3),
        ("encoder_attention", 1),
        ("tokenizer", 1),
        ("queries", 1),
        ("batch_index", 1),
        ("zzzzz", 1),
    ],
)
def test_a_trace_takes_nothing_beside_it(
    model: BertModel, tokenizer: BertTokenizer, name: str, value: Any
) -> None:
    trace = extract(model, tokenizer, A)
    with pytest.raises(TypeError, match=rf"head_view\(\) takes no {name} with a trace"):
        HeadView(trace, **{name: value})
    with pytest.raises(TypeError, match=r"takes no head with a trace: did you mean heads\?"):
        HeadView(trace, head=1)


# --- arrays -------------------------------------------------------------------------------------


def test_attentions_of_a_model_as_bertviz_took_them(
    model: BertModel, tokenizer: BertTokenizer, attention: tuple[torch.Tensor, ...]
) -> None:
    start = TOKENS_AB.index("at")
    expected = extract(model, tokenizer, A, B)
    for given in (attention, list(attention), [layer[0].numpy() for layer in attention]):
        trace = HeadView(given, TOKENS_AB, start).trace
        same(trace, expected)
        trace = ModelView(given, TOKENS_AB, sentence_b_start=start).trace
        same(trace, expected)
    sentences = trace.blocks["encoder"].query.sentences
    assert sentences == (0,) * start + (1,) * (len(TOKENS_AB) - start)


def test_without_a_second_sentence_there_is_no_pair(attention: tuple[torch.Tensor, ...]) -> None:
    sentences = HeadView(attention, TOKENS_AB).trace.blocks["encoder"].query.sentences
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
    view = HeadView(attention, TOKENS_AB, include_layers=[0, 2], layer=2)
    assert [layer["index"] for layer in view._payload["blocks"][0]["layers"]] == [0, 2]


def test_prettify_tokens() -> None:
    uniform = torch.full((1, 1, 2, 2), 0.5)
    tokens = ["Hello", "Ġworld"]
    assert HeadView(uniform, tokens).trace.blocks["encoder"].query.text[1].strip() == "world"
    block = HeadView(uniform, tokens, prettify_tokens=False).trace.blocks["encoder"]
    assert block.query.text == block.key.text == ("Hello", "Ġworld")


def test_queries_and_keys_by_name() -> None:
    torch.manual_seed(0)
    q, k = torch.randn(2, 3, 4, 8), torch.randn(2, 3, 4, 8)
    tokens = ["a", "b", "c", "d"]
    view = NeuronView(queries=q, keys=k, tokens=tokens, layer=1, head=2)
    expected = torch.softmax(q[1] @ k[1].transpose(-1, -2) / 8**0.5, -1)
    torch.testing.assert_close(weights(view.trace), expected, atol=1e-6, rtol=0)
    view = NeuronView(queries=q, keys=k, tokens=tokens, scaling=0.5, sentence_b_start=2)
    assert view.trace.blocks["encoder"].layers[0].scaling == 0.5
    assert view.trace.blocks["encoder"].query.sentences == (0, 0, 1, 1)
    same(
        HeadView(queries=q, keys=k, tokens=tokens, scaling=0.5, sentence_b_start=2).trace,
        view.trace,
    )


def uniform(queries: int, keys: int, layers: int = 2) -> list[torch.Tensor]:
    return [torch.full((1, 4, queries, keys), 1 / keys) for _ in range(layers)]


LEFT, RIGHT = ["the", "cat", "sat"], ["le", "chat"]


def test_encoder_decoder_arrays() -> None:
    trace = HeadView(
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
    for cls in (HeadView, ModelView):
        view = cls(
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
    assert HeadView(**parts, layer=2)._payload["state"] == {"block": "decoder", "layer": 2}
    assert HeadView(**parts, layer=0)._payload["state"] == {"block": "encoder", "layer": 0}


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
    trace = ModelView(
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
        {"encoder_attention": uniform(3, 3), "tokens": LEFT},
        TypeError,
        "takes no tokens .*: the tokens are called encoder_tokens and decoder_tokens",
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
        HeadView(**arguments)


def test_a_batch_needs_a_choice() -> None:
    batch = np.full((2, 5, 4, 3, 3), 1 / 3)
    with pytest.raises(
        ValueError, match="a batch of 5 texts: say which one with batch_index=0 to 4"
    ):
        HeadView(list(batch), LEFT)


def test_without_tokens_positions_name_them() -> None:
    assert HeadView(uniform(3, 3)).trace.blocks["encoder"].query_tokens == ("0", "1", "2")


@pytest.mark.parametrize("start", [np.int64(1), torch.tensor(1), 1])
def test_sentence_b_start_from_other_libraries(start: Any) -> None:
    block = HeadView(uniform(3, 3), LEFT, start).trace.blocks["encoder"]
    assert block.query.sentences == (0, 1, 1)


def test_what_a_fast_kernel_returns(model: BertModel, tokenizer: BertTokenizer) -> None:
    assert model.config._attn_implementation == "sdpa"
    output = model(**tokenizer(A, return_tensors="pt"), output_attentions=True)
    with pytest.raises(ValueError, match=r"head_view\(model, tokenizer, text\)"):
        HeadView(output.attentions, LEFT)
    with pytest.raises(ValueError, match="attention is an output without attentions"):
        HeadView(output, LEFT)


def test_what_a_model_returned(build: Callable[[str], Any]) -> None:
    model = build("bert")
    model.set_attn_implementation("eager")
    ids = torch.tensor([[2, 7, 8, 3], [2, 9, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    output = model(input_ids=ids, attention_mask=mask, output_attentions=True)
    trace = HeadView(output, list("abcd"), batch_index=1, attention_mask=mask).trace
    [block] = trace.blocks.values()
    assert block.query_tokens == ("a", "b", "c")
    expected = output.attentions[2][1][:, :3, :3]
    torch.testing.assert_close(block.layers[2].weights(), expected)
    whole = HeadView(
        output, list("abcd"), batch_index=1, attention_mask=mask, drop_padding=False
    ).trace
    assert len(whole.blocks["encoder"].query_tokens) == 4


def test_what_an_encoder_decoder_returned(build: Callable[[str], Any]) -> None:
    model = build("bart")
    model.set_attn_implementation("eager")
    ids = torch.tensor([[2, 7, 8, 3]])
    output = model(input_ids=ids, decoder_input_ids=ids[:, :2], output_attentions=True)
    trace = HeadView(output, encoder_tokens=list("abcd"), decoder_tokens=["x", "y"]).trace
    assert list(trace.blocks) == ["encoder", "decoder", "cross"]
    expected = output.cross_attentions[2][0]
    torch.testing.assert_close(trace.blocks["cross"].layers[2].weights(), expected)
    with pytest.raises(TypeError, match="got cross_attention twice, also in the output"):
        HeadView(output, cross_attention=output.cross_attentions)


@pytest.mark.parametrize("cache", ["dynamic", "static"])
@pytest.mark.parametrize("architecture", ["gpt2", "mistral", "bart"])
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
    if architecture == "bart":
        trace = HeadView(output, encoder_tokens=list("abcde"), decoder_tokens=tokens[:-1]).trace
        once = model(input_ids=prompt, decoder_input_ids=ids[:, :-1], output_attentions=True)
        own = {"decoder": once.decoder_attentions, "cross": once.cross_attentions}
    else:
        trace = HeadView(output, tokens).trace  # the last one was never read
        own = {"decoder": model(input_ids=ids[:, :-1], output_attentions=True).attentions}
    for name, layers in own.items():
        for layer, reference in zip(trace.blocks[name].layers, layers, strict=True):
            torch.testing.assert_close(layer.weights(), reference[0], atol=1e-5, rtol=0)


# --- show ---------------------------------------------------------------------------------------


def test_show_as_bertviz_called_it(model: BertModel, tokenizer: BertTokenizer) -> None:
    view = show(
        model,
        "bert",
        tokenizer,
        A,
        B,
        layer=2,
        head=1,
        display_mode="dark",
        html_action="return",
    )
    assert isinstance(view, NeuronView)
    assert view._payload["state"] == {"block": "encoder", "layer": 2, "heads": [1]}
    assert view._payload["theme"] == "dark"
    same(view.trace, extract(model, tokenizer, A, B))
    positional = show(model, "bert", tokenizer, A, B, "light", 2, 1, "return")  # type: ignore[call-overload]
    assert positional._payload["theme"] == "light"


def test_show_with_an_empty_second_sentence(model: BertModel, tokenizer: BertTokenizer) -> None:
    view = show(model, "bert", tokenizer, A, "", html_action="return")
    same(view.trace, extract(model, tokenizer, A))


@pytest.mark.parametrize("model_type", ["bert", "llama", "", None])
def test_show_needs_no_model_type(model_type: str | None, tokenizer: BertTokenizer) -> None:
    torch.manual_seed(0)
    gpt2 = GPT2Model(GPT2Config(vocab_size=17, n_embd=16, n_layer=2, n_head=2)).eval()
    view = show(gpt2, model_type, tokenizer, A, html_action="return")
    assert list(view.trace.blocks) == ["decoder"]


def test_show_without_a_model_type_says_so(model: BertModel, tokenizer: BertTokenizer) -> None:
    with pytest.raises(TypeError, match=r"model_type is a BertTokenizer: .* neuron_view\(model"):
        show(model, tokenizer, A, B)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="html_action"):
        show(model, "bert", tokenizer, A, html_action="x")  # type: ignore[call-overload]


def test_saved_file_of_a_model(model: BertModel, tokenizer: BertTokenizer, tmp_path: Path) -> None:
    HeadView(model, tokenizer, A, B).save(tmp_path / "x.html")
    assert "<title>BertModel: head view</title>" in (tmp_path / "x.html").read_text("utf-8")


def test_the_named_keywords_are_those_that_are_passed_on() -> None:
    own = {"tokens", "weights", "sentence_b_start", "prettify_tokens", "name"}
    assert {*ARRAYS_ONLY, *EITHER} == set(inspect.signature(from_arrays).parameters) - own
    views_own = {"model", "layers", "heads"}
    assert {*MODEL_ONLY, *EITHER} == set(inspect.signature(extract).parameters) - views_own
