"""Tokens as BertViz took them: letters, integers, and what is ignored."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import AttentionTrace, head_view
from tests.campaigns.material import Refusing
from tests.helpers import a_head_view, a_model_view
from tests.views.texts import TOKENS


def uniform(queries: int, keys: int) -> torch.Tensor:
    return torch.full((1, 2, queries, keys), 1 / keys)


def tokens_of(view: Any, block: str = "encoder") -> list[str]:
    return list(view.trace.blocks[block].query_tokens)


ATTENTIONS: dict[str, Any] = {
    "a layer": [uniform(3, 3)],
    "a tensor": uniform(3, 3),
    "an array": uniform(3, 3).numpy(),
    "nested lists": [uniform(3, 3).tolist()],
    "a matrix": uniform(3, 3)[0, 0].tolist(),
}


@pytest.mark.parametrize("attention", ATTENTIONS.values(), ids=ATTENTIONS)
def test_one_string_is_as_many_tokens_as_letters(attention: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tokens_of(a_head_view(attention, "ACG")) == ["A", "C", "G"]


@pytest.mark.parametrize("attention", ATTENTIONS.values(), ids=ATTENTIONS)
@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_a_text_is_refused(attention: Any, error: type[Exception]) -> None:
    message = "tokens is one string of 11 letters, attention has 3 positions: expected a list of 3"
    with pytest.raises(error, match=message):
        a_model_view(attention, "the cat sat")


@pytest.mark.parametrize(
    "ids",
    [[101, 7, 102], (101, 7, 102), np.array([101, 7, 102]), torch.tensor([101, 7, 102])],
    ids=lambda ids: type(ids).__name__,
)
def test_integers_are_shown_and_said(ids: Any) -> None:
    with pytest.warns(UserWarning, match=r"tokens holds integers.*convert_ids_to_tokens") as said:
        view = a_head_view([uniform(3, 3)], ids)
    assert said[0].filename == __file__
    assert tokens_of(view) == ["101", "7", "102"]


@pytest.mark.parametrize("wrong", [[1.5, 2.5, 3.5], [True, False, True], [None] * 3, [b"a"] * 3])
def test_other_tokens_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"tokens\[0\] is"):
        a_head_view([uniform(3, 3)], wrong)


@pytest.mark.filterwarnings("ignore:tokens holds integers")
def test_tokens_without_end_are_not_read_to_it() -> None:
    with pytest.raises(ValueError, match="tokens holds more than"):
        a_head_view([uniform(3, 3)], range(10**8))  # a list of them would take gigabytes


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_named() -> None:
    nested = torch.nested.nested_tensor([torch.ones(1, 1), torch.ones(2, 2)])
    with pytest.raises(TypeError, match="attention is a nested tensor"):
        a_head_view(nested, TOKENS)
    with pytest.raises(TypeError, match="attention is a list that is not an array of numbers"):
        a_head_view([nested], "the cat")


def test_letters_of_both_sides() -> None:
    view = a_head_view(
        decoder_attention=[uniform(2, 2)],
        cross_attention=[uniform(2, 3)],
        encoder_tokens="ACG",
        decoder_tokens="xy",
    )
    assert tokens_of(view, "cross") == ["x", "y"]
    assert view.trace.blocks["cross"].key_tokens == ("A", "C", "G")
    with pytest.raises(ValueError, match="decoder_tokens is one string of 3 letters, cross_att"):
        a_head_view(cross_attention=[uniform(2, 3)], encoder_tokens="ACG", decoder_tokens="xyz")


@pytest.mark.parametrize("ignored", [{"tokens": TOKENS}, {"sentence_b_start": 1}])
def test_what_is_ignored_beside_parts_is_said(ignored: dict[str, Any]) -> None:
    [name] = ignored
    with pytest.warns(UserWarning, match=f"{name} is ignored beside encoder_attention") as said:
        view = head_view(
            encoder_attention=[uniform(3, 3)],
            encoder_tokens=["a", "b", "c"],
            html_action="return",
            **ignored,
        )
    assert said[0].filename == __file__
    assert tokens_of(view) == ["a", "b", "c"]


def test_arguments_that_do_not_go_together_are_both_errors() -> None:
    """BertViz raised ValueError, this package TypeError: code that catches either still does."""
    for error in (TypeError, ValueError):
        with pytest.raises(error, match="takes no encoder_tokens with attention"):
            a_head_view([uniform(3, 3)], TOKENS, encoder_tokens=TOKENS)


@pytest.mark.parametrize("empty", [(), []])
def test_empty_attention_names_outputs(empty: Any) -> None:
    """``outputs[-1]`` of BERT, RoBERTa and GPT-2 is an empty tuple in transformers 5."""
    for call in (
        lambda: a_head_view(empty, TOKENS),
        lambda: a_model_view(attention=empty, tokens=TOKENS),
        lambda: a_head_view(encoder_attention=empty, encoder_tokens=TOKENS),
        lambda: AttentionTrace.from_arrays(TOKENS, empty),
    ):
        with pytest.raises(
            ValueError, match=r"is empty: outputs\[-1\] .* pass outputs\.attentions"
        ):
            call()


def test_a_sentence_may_be_counted_from_the_end() -> None:
    for start in (-2, np.int64(-2), torch.tensor(1)):
        view = a_head_view([uniform(3, 3)], TOKENS, start)
        assert view.trace.blocks["encoder"].query.sentences == (0, 1, 1)
    with pytest.raises(ValueError, match="sentence_b_start=-3 is out of range"):
        a_head_view([uniform(3, 3)], TOKENS, -3)


def test_more_tokens_than_there_can_be_are_not_read_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bertviz.arguments.MOST_ITEMS", 5)

    class Long:
        def __len__(self) -> int:
            return 10**12

        def __getitem__(self, place: int) -> int:
            assert place < 10, "it fills the memory"
            return place

        def __iter__(self) -> Any:
            return map(self.__getitem__, range(len(self)))

    with pytest.raises(ValueError, match="tokens holds more than 5 items"):
        head_view(uniform(3, 3), Long(), html_action="return")


@pytest.mark.parametrize(
    "given",
    [
        {"attention": uniform(3, 3), "tokens": torch.arange(3).as_subclass(Refusing)},
        {"attention": torch.nested.nested_tensor([torch.ones(1, 2), torch.ones(1, 3)])},
    ],
    ids=["tokens", "nested"],
)
def test_a_tensor_that_does_not_tell_its_shape_is_a_named_error(given: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=list(given)[-1]):
        head_view(**{"tokens": ["a", "b", "c"], **given}, html_action="return")


def test_a_tensor_that_refuses_functions_is_read() -> None:
    view = a_head_view(uniform(3, 3).as_subclass(Refusing), ["a", "b", "c"])
    assert tokens_of(view) == ["a", "b", "c"]
