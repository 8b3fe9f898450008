"""Which tokens stand on a side: whose stack reads the text, what is padding, which sentence."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bertviz.extractor.records import Record
from bertviz.extractor.sides import Sides, _filled, _kept, _readers, _sentence_ids
from bertviz.trace import Formula


def sides(
    *, two: bool = False, paths: Any = ("h.0",), readers: Any = (), drop: bool = True, **more: Any
) -> Sides:
    names, tokenizer = more.pop("names", None), more.pop("tokenizer", None)
    decoder_ids, encoding = more.pop("decoder_ids", None), more.pop("encoding", {})
    row = more.pop("row", 0)
    formula = Formula(torch.ones(1, 2, 2), torch.ones(1, 2, 2), 1.0)
    records = [Record(path, 1, (0,), (2, 2), formula) for path in paths]
    reading: Any = SimpleNamespace(
        batch=more, row=row, model=None, two_stacks=two, encoding=encoding
    )
    capture: Any = SimpleNamespace(records=records, readers=readers, decoder_ids=decoder_ids)
    return Sides(reading, tokenizer, capture, drop, names)


def ids(*numbers: int) -> torch.Tensor:
    return torch.tensor([numbers, [9] * len(numbers)])


def test_the_sides_of_an_encoder_decoder() -> None:
    found = sides(two=True)
    assert found.stack("", "encoder", "query") == found.stack("", "encoder", "key") == "encoder"
    assert found.stack("", "decoder", "query") == found.stack("", "decoder", "key") == "decoder"
    assert (found.stack("", "cross", "query"), found.stack("", "cross", "key")) == (
        "decoder",
        "encoder",
    )


def test_the_sides_of_other_models() -> None:
    found = sides(paths=("text.0", "image.0"), readers=["text.embed"])
    assert found.stack("text", "encoder", "query") == "encoder"
    assert found.stack("text", "cross", "query") == "encoder"
    assert found.stack("text", "cross", "key") == "other"
    assert found.stack("text", "decoder", "key") == "encoder"
    assert found.stack("image", "encoder", "query") == "other"


def test_the_stack_nearest_to_an_embedding_reads_the_text() -> None:
    towers = {"model.language.layers", "model.vision.layers", "model.other.blocks"}
    assert _readers(towers, ["model.language.embed"]) == {"model.language.layers"}
    assert _readers(towers, ["model.embed"]) == towers
    assert _readers(towers, []) == towers
    assert _readers({"a"}, ["b.c"]) == {"a"}
    both = _readers(towers, ["model.language.embed", "model.vision.embed"])
    assert both == {"model.language.layers", "model.vision.layers"}
    assert _readers({"a.b", "c.b"}, ["a.x.b"]) == {"a.b"}, "what comes after a difference is not it"
    assert _readers({"a", "a.b.c"}, ["a.b.c.d"]) == {"a.b.c"}


@pytest.mark.parametrize(
    ("mask", "length", "expected"),
    [
        ([1, 1, 0], 3, [0, 1]),
        ([0, 1, 1], 3, [1, 2]),
        ([0, 0, 0], 3, [0, 1, 2]),
        ([1, 1, 0], 4, [0, 1, 2, 3]),
    ],
)
def test_padding(mask: list[int], length: int, expected: list[int]) -> None:
    given = torch.tensor([mask, [1] * len(mask)])
    for stack, name in (
        ("encoder", "attention_mask"),
        ("decoder", "decoder_attention_mask"),
        ("other", "encoder_attention_mask"),
    ):
        assert sides(**{name: given}).kept(stack, length) == expected
        assert sides(drop=False, **{name: given}).kept(stack, length) == list(range(length))
        assert sides(**{name: given[:, None]}).kept(stack, length) == list(range(length))
        assert sides(row=1, **{name: given}).kept(stack, length) == list(range(length))
    assert sides().kept("other", 2) == [0, 1]


class Tokenizer:
    """Words for numbers; of byte tokenizers bytes, of unknown ones nothing."""

    all_special_tokens: tuple[str, ...] = ()

    def convert_ids_to_tokens(self, numbers: list[int]) -> list[Any]:
        return [{7: b"\xc3\xa9", 8: None, 6: b"\xff"}.get(n, f"w{n}") for n in numbers]


def test_strings_of_every_stack() -> None:
    found = sides(tokenizer=Tokenizer(), input_ids=ids(5, 7, 8, 6), decoder_ids=ids(1, 2))
    assert found._strings("encoder", 4) == (("w5", "é", "<8>", "�"), True)
    assert found._strings("encoder", 3) == (("0", "1", "2"), False), "of another length"
    assert found._strings("decoder", 2) == (("w1", "w2"), True), "those that the decoder read"
    assert found._strings("other", 2) == (("0", "1"), False)
    given = sides(tokenizer=Tokenizer(), decoder_input_ids=ids(3, 4), decoder_ids=ids(1, 2))
    assert given._strings("decoder", 2) == (("w3", "w4"), True)
    assert sides(input_ids=ids(5, 6))._strings("encoder", 2) == (("0", "1"), False)
    second = sides(tokenizer=Tokenizer(), input_ids=ids(5, 6), row=1)
    assert second._strings("encoder", 2) == (("w9", "w9"), True)


def test_names_that_were_given() -> None:
    found = sides(names={"encoder": ("a", "b")}, input_ids=ids(5, 6))
    assert found._strings("encoder", 2) == (("a", "b"), True)
    assert found._strings("decoder", 2) == (("0", "1"), False)
    found.check_named()
    unused = sides(names={"encoder": ("a", "b")})
    assert unused._strings("encoder", 3) == (("0", "1", "2"), False)
    assert unused._strings("encoder", 1) == (("0",), False)
    with pytest.raises(ValueError, match="tokens has 2 strings, but the model reads 3 tokens"):
        unused.check_named()
    sides().check_named()


def test_values_of_the_kept_positions() -> None:
    assert _kept([4, 5, 6], 3, [0, 2]) == [4, 6]
    assert _kept([4, 5], 3, [0]) is None
    assert _kept(None, 3, [0]) is None


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        ([0, 0, 1], (0, 0, 1)),
        ([None, 0, None, 1, None], (0, 0, 0, 1, 1)),
        ([None, 0, None, None, None, 1], (0, 0, 0, 1, 1, 1)),
        ([None, 1, None, 0, None], (1, 1, 1, 0, 0)),
        ([0, 1, None, None], (0, 1, 1, 1)),
        ([None, 0, 0], None),
        ([1, None], None),
        ([None], None),
        ([0, 1, 2], None),
    ],
)
def test_special_tokens_belong_to_a_sentence(sentences: Any, expected: Any) -> None:
    assert _filled(sentences) == expected


class Fast(dict):  # type: ignore[type-arg]
    is_fast = True

    def sequence_ids(self, row: int) -> list[int | None]:
        return [None, 0, 1][row:]


def test_sentences_from_types_or_from_a_fast_tokenizer() -> None:
    types = torch.tensor([[0, 0, 1, 1, 0], [0, 0, 0, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])
    assert _sentence_ids({}, {"token_type_ids": types}, 0) == (0, 0, 1, 1, 0)
    both = {"token_type_ids": types, "attention_mask": mask}
    assert _sentence_ids({}, both, 0) == (0, 0, 1, 1, 1), "padding says nothing"
    assert _sentence_ids({}, both, 1) is None, "one sentence"
    other = {"token_type_ids": types, "attention_mask": mask[:, :4]}
    assert _sentence_ids({}, other, 0) is None
    assert _sentence_ids({}, {}, 0) is None
    choices = {"token_type_ids": types[:, None], "attention_mask": mask[:, None]}
    assert _sentence_ids({}, choices, 0) is None, "not one number per token"
    assert _sentence_ids(Fast(), {}, 0) == (0, 0, 1)
    assert _sentence_ids(Fast(), {"token_type_ids": types * 0}, 0) == (0, 0, 1)
    slow = Fast()
    slow.is_fast = False
    assert _sentence_ids(slow, {}, 0) is None
