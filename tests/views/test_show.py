"""``bertviz.neuron_view.show``, as code written for BertViz 1.x calls it."""

from __future__ import annotations

import pytest
import torch
from transformers import BertModel, BertTokenizer, GPT2Config, GPT2Model

from bertviz import NeuronView, extract
from bertviz.neuron_view import show
from tests.views.texts import A, B, same


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", [1]),
        ("sentence_a", [A]),
        ("sentence_b", torch.ones(2)),
        ("sentence_b", 0),
    ],
)
def test_show_names_what_is_wrong(
    model: BertModel, tokenizer: BertTokenizer, name: str, value: object
) -> None:
    arguments = {"model": model, "sentence_a": A, "sentence_b": B, name: value}
    with pytest.raises(TypeError, match=rf"^{name}.* is an? "):
        show(model_type="bert", tokenizer=tokenizer, **arguments)  # type: ignore[call-overload]
