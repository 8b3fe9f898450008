"""One bad text of many does not lose the others, and says which it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, PatternScores, extract, find_patterns
from bertviz.extractor.inputs import Reading

TEXTS = ["the store", "i went to the store", "i bought the strawberries"]


@pytest.fixture
def model(build: Callable[[str], Any]) -> Any:
    return build("bert")


@pytest.fixture
def tokenizer(word_tokenizer: Callable[..., Any]) -> Any:
    return word_tokenizer()


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "too long": ("the store " * 400, ValueError, r"texts\[2\]: text has \d+ tokens"),
    "empty": ("", ValueError, r"texts\[2\]='' is empty"),
    "blank": (" \n", ValueError, r"texts\[2\]=' \\n' is empty"),
    "no text": (None, TypeError, r"texts\[2\] is a NoneType: expected a string, or a pair"),
    "missing": (float("nan"), TypeError, r"texts\[2\] is a float"),
    "half a pair": (("a", None), TypeError, r"texts\[2\]\[1\] is a NoneType"),
    "an empty pair": (("a", ""), ValueError, r"texts\[2\]\[1\]='' is empty"),
    "three": (("a", "b", "c"), TypeError, r"texts\[2\] is a tuple of 3"),
    "a surrogate": ("the \ud83d store", ValueError, r"texts\[2\] holds '\\ud83d' at position 4"),
}


@pytest.mark.parametrize("name", BAD)
def test_the_place_is_named_before_anything_is_read(
    model: Any, tokenizer: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, kind, message = BAD[name]
    monkeypatch.setattr("bertviz.extractor.extract", lambda *_, **__: pytest.fail("was read"))
    with pytest.raises(kind, match=message):
        find_patterns(model, tokenizer, [*TEXTS[:2], text, TEXTS[2]])


def test_checking_warns_of_nothing_and_changes_no_filter(
    build: Callable[[str], Any], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build("llama")
    model.config.max_position_embeddings = 2
    check, filters = Reading.of, list[Any]()

    def watched(*args: Any, **kwargs: Any) -> Any:
        filters.append(list(warnings.filters))
        return check(*args, **kwargs)

    monkeypatch.setattr(Reading, "of", watched)
    with pytest.warns(UserWarning, match="positions") as given:
        find_patterns(model, tokenizer, TEXTS[1:])
    assert len(given) == 2  # one for each text, although each is looked at several times
    assert len(filters) >= 4
    assert filters[1:] == filters[:-1]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_text_is_skipped_and_told(model: Any, tokenizer: Any, name: str) -> None:
    text = BAD[name][0]
    scores = find_patterns(model, tokenizer, [*TEXTS[:2], text, TEXTS[2]], on_error="skip")
    assert scores.texts == 3
    assert [skipped.place for skipped in scores.skipped] == [2]
    assert scores.rows() == find_patterns(model, tokenizer, TEXTS).rows()
    assert "over 3 texts (1 skipped)" in str(scores)
    assert "Skipped: text 2, " in str(scores)
    assert scores.skipped[0].reason in str(scores)
    str(scores).encode()


def test_nothing_but_bad_texts(model: Any, tokenizer: Any) -> None:
    with pytest.raises(
        ValueError, match=r"None of the 2 texts could be read.*ValueError: text='' is em"
    ):
        find_patterns(model, tokenizer, ["", " "], on_error="skip")


def test_a_single_text_has_no_place(model: Any, tokenizer: Any) -> None:
    with pytest.raises(ValueError, match=r"^text has \d+ tokens"):
        find_patterns(model, tokenizer, "the store " * 400)


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), KeyboardInterrupt()], ids=repr)
def test_what_was_read_is_not_lost(
    model: Any, tokenizer: Any, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    def failing(*arguments: Any, **options: Any) -> AttentionTrace:
        nonlocal count
        count += 1
        if count == 3:
            raise error
        return extract(*arguments, **options)

    monkeypatch.setattr("bertviz.extractor.extract", failing)
    with pytest.raises(type(error)) as caught:
        find_patterns(model, tokenizer, TEXTS)
    if isinstance(error, Exception):
        assert str(caught.value).startswith("texts[2]: out of memory. Pass on_error='skip'")
    partial: PatternScores = caught.value.partial  # type: ignore[attr-defined]
    assert partial.texts == 2
    rest = find_patterns(model, tokenizer, TEXTS[2:])
    monkeypatch.undo()
    assert (partial + rest).rows() == find_patterns(model, tokenizer, TEXTS).rows()


def test_traces_may_be_made_one_by_one(model: Any, tokenizer: Any) -> None:
    alive = 0

    def traces() -> Iterator[AttentionTrace]:
        nonlocal alive
        for text in TEXTS:
            alive += 1
            yield extract(model, tokenizer, text)

    scores = find_patterns(traces())
    assert alive == 3
    assert scores.rows() == find_patterns(model, tokenizer, TEXTS).rows()
    with pytest.raises(TypeError, match=r"source\[1\]: it is an int") as caught:
        find_patterns([extract(model, tokenizer, TEXTS[0]), 3])  # type: ignore[list-item]
    assert caught.value.partial.texts == 1  # type: ignore[attr-defined]


def test_progress_counts_texts(
    model: Any,
    tokenizer: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("bertviz.progress.SECONDS", 0.0)
    find_patterns(model, tokenizer, TEXTS)
    shown = capfd.readouterr().err
    assert "finding patterns" in shown
    assert "/3" in shown
    assert "reading" not in shown
    find_patterns(model, tokenizer, TEXTS, progress=False)
    assert capfd.readouterr().err == ""


def test_weights_that_are_not_attention_are_refused() -> None:
    good = torch.rand(2, 3, 5, 5).softmax(-1)
    for wrong in (float("nan"), 2.0):
        weights = good.clone()
        weights[1, 2, 3] *= wrong * 3
        trace = AttentionTrace.from_arrays(list("abcab"), weights=good)
        layer = trace.blocks["encoder"].layers[1]
        object.__setattr__(layer, "given_weights", weights[1])
        with pytest.raises(ValueError, match=r"weights of layer 1, head 2 .* are not attention"):
            find_patterns(trace)


def test_keywords_that_belong_to_one_text_or_to_none(model: Any, tokenizer: Any) -> None:
    with pytest.raises(TypeError, match=r"find_patterns got layer, .* did you mean layers\?"):
        find_patterns(model, tokenizer, TEXTS, layer=[0])
    with pytest.raises(TypeError, match="find_patterns got inputs, which belongs to one text"):
        find_patterns(model, tokenizer, TEXTS, inputs={})
    assert {row.layer for row in find_patterns(model, tokenizer, TEXTS, layers=[1]).scores} == {1}


def test_an_error_that_is_no_sentence_has_a_place_too(model: Any, tokenizer: Any) -> None:
    class Fails:
        convert_ids_to_tokens = None

        def __call__(self, text: str, *_: Any, **__: Any) -> Any:
            if text == TEXTS[1]:
                raise OSError(5, "no vocabulary")
            return tokenizer(text, return_tensors="pt")

    with pytest.raises(RuntimeError, match=r"texts\[1\]: OSError: \[Errno 5\] no vocabulary"):
        find_patterns(model, Fails(), TEXTS)
