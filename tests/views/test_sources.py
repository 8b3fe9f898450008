"""A model or a trace in the first place of a view function, and what goes with each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import BertModel, BertTokenizer

from bertviz import HeadView, extract
from tests.helpers import a_head_view, a_model_view, a_neuron_view
from tests.views.texts import A, B, same

# --- a model ------------------------------------------------------------------------------------


@pytest.mark.parametrize("view_of", [a_head_view, a_model_view, a_neuron_view])
def test_model_in_one_call(view_of: Any, model: BertModel, tokenizer: BertTokenizer) -> None:
    expected = extract(model, tokenizer, A, B)
    calls = [
        view_of(model, tokenizer, A, B),
        view_of(model, tokenizer, A, text_pair=B),
        view_of(model, tokenizer, text=A, text_pair=B),
        view_of(model=model, tokenizer=tokenizer, text=A, text_pair=B),
        view_of(attention=model, tokenizer=tokenizer, text=A, text_pair=B),
        view_of(model, inputs=tokenizer(A, B, return_tensors="pt"), tokenizer=tokenizer),
    ]
    for view in calls:
        same(view.trace, expected)
        assert view.trace.model_name == "BertModel"


def test_model_with_one_text(model: BertModel, tokenizer: BertTokenizer) -> None:
    expected = extract(model, tokenizer, A)
    same(a_head_view(model, tokenizer, A).trace, expected)
    same(a_head_view(model, tokenizer, A, None).trace, expected)


def test_options_of_the_view_go_beside_a_model(model: BertModel, tokenizer: BertTokenizer) -> None:
    view = a_head_view(model, tokenizer, A, B, layer=2, heads=[0, 3])
    assert view._payload["state"] == {"block": "encoder", "layer": 2, "heads": [0, 3]}


def test_further_keywords_reach_extract(model: BertModel, tokenizer: BertTokenizer) -> None:
    batch = tokenizer([A, B], padding=True, return_tensors="pt")
    view = a_head_view(model, tokenizer, inputs=batch, batch_index=0)
    assert len(view.trace.blocks["encoder"].query_tokens) == 8
    view = a_head_view(model, tokenizer, inputs=batch, batch_index=0, drop_padding=False)
    assert len(view.trace.blocks["encoder"].query_tokens) == 12


def test_raw_tokens_of_a_model_and_a_trace(model: BertModel, tokenizer: BertTokenizer) -> None:
    trace = extract(model, tokenizer, B)
    for view in (
        a_head_view(model, tokenizer, B, prettify_tokens=False),
        a_head_view(trace, prettify_tokens=False),
        HeadView(trace, prettify_tokens=False),
    ):
        block = view.trace.blocks["encoder"]
        assert "##berries" in block.query.text
        assert block.key.text == block.key_tokens


MODEL_MISTAKES: list[tuple[Callable[[Any, Any], Any], str]] = [
    (
        lambda m, t: a_head_view(m),
        r"needs a tokenizer and a text: pass head_view\(model",
    ),
    (lambda m, t: a_head_view(m, t), r"head_view\(\) with a model needs the text"),
    (lambda m, t: a_neuron_view(m, text=A), r"neuron_view\(\) got a text and no tokenizer"),
    (lambda m, t: a_head_view(m, t, 8), r"text=8 is an int: .* sentence_b_start goes with arrays"),
    (lambda m, t: a_head_view(m, t, A, False), r"text_pair=False is a bool: .* passed by name"),
    (
        lambda m, t: a_head_view(m, t, A, B, 2),
        r"with a model takes 4 arguments by position \(model, tokenizer, text, text_pair\), got 5",
    ),
    (lambda m, t: a_head_view(m, t, A, tokenizer=t), "got tokenizer twice"),
    (lambda m, t: a_head_view(m, t, A, text=A), "got text twice"),
    (lambda m, t: a_head_view(m, t, A, model=m), r"got attention and model: pass one of them"),
    (
        lambda m, t: a_head_view(m, t, A, encoder_tokens=["a"]),
        "no encoder_tokens with a model",
    ),
    (lambda m, t: a_head_view(m, t, A, queries=[1]), r"takes no queries with a model"),
    (lambda m, t: a_head_view(m, t, A, layers=[1]), r"takes no layers .*: did you mean layer\?"),
    (lambda m, t: a_head_view(m, t, A, head=1), r"takes no head .*: did you mean heads\?"),
    (
        lambda m, t: a_model_view(m, t, A, layer=1),
        r"takes no layer .*: .* include_layers",
    ),
    (lambda m, t: a_head_view(m, A), r"tokenizer='I went to the store.' is a str: .* second place"),
    (lambda m, t: a_head_view(m, t, A, zzzzz=1), r"takes no zzzzz .*: it takes .*heads"),
    (lambda m, t: a_head_view(t, m, A), r"is a tokenizer \(BertTokenizer\): the model comes first"),
    (lambda m, t: a_head_view("bert-base-uncased", t, A), r"is a string: .*from_pretrained"),
    (lambda m, t: a_head_view(SimpleNamespace(model=m, tokenizer=t), A), "pass the one it holds"),
    (lambda m, t: a_head_view(model=t), "model is a BertTokenizer: expected a torch.nn.Module"),
    (lambda m, t: a_head_view(trace=m), "trace is a BertModel: expected an AttentionTrace"),
]


@pytest.mark.parametrize(("call", "message"), MODEL_MISTAKES)
def test_mistakes_with_a_model(
    call: Callable[[Any, Any], Any], message: str, model: BertModel, tokenizer: BertTokenizer
) -> None:
    with pytest.raises(TypeError, match=message):
        call(model, tokenizer)


def test_what_is_none_is_left_out(model: BertModel, tokenizer: BertTokenizer) -> None:
    """A wrapper passes on all it has."""
    view = a_head_view(model, tokenizer, A, tokens=None, encoder_attention=None, queries=None)
    same(view.trace, extract(model, tokenizer, A))
    assert a_head_view(view.trace, text_pair=None, inputs=None).trace is view.trace
    with pytest.raises(TypeError, match="takes no zzz with a model"):
        a_head_view(model, tokenizer, A, zzz=None)


def test_errors_of_extract_come_through(model: BertModel, tokenizer: BertTokenizer) -> None:
    with pytest.raises(ValueError, match="text"):
        a_head_view(model, tokenizer, "")
    with pytest.raises(ValueError, match="layer=3 is out of range: the model has layers 0 to 2"):
        a_head_view(model, tokenizer, A, layer=3)


def test_saved_file_of_a_model(model: BertModel, tokenizer: BertTokenizer, tmp_path: Path) -> None:
    a_head_view(model, tokenizer, A, B).save(tmp_path / "x.html")
    assert "<title>BertModel: head view</title>" in (tmp_path / "x.html").read_text("utf-8")


# --- a trace ------------------------------------------------------------------------------------


def test_a_trace_is_shown_as_it_is(model: BertModel, tokenizer: BertTokenizer) -> None:
    trace = extract(model, tokenizer, A, B)
    assert a_head_view(trace).trace is trace
    assert a_head_view(trace=trace).trace is trace
    assert a_neuron_view(attention=trace).trace is trace


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
        a_head_view(trace, **{name: value})
    with pytest.raises(TypeError, match=r"takes no head with a trace: did you mean heads\?"):
        a_head_view(trace, head=1)
