"""Names of tokens: the tokenizer's, the user's, or none; positions are not taken for names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, explain_head, extract, find_patterns

IDS = [2, 7, 8, 7, 8, 3]
NAMES = ["<s>", "a", "b", "a", "b", "</s>"]
OF_NAMES = [
    "same token",
    "same token elsewhere",
    "same word",
    "delimiters",
    "bag of words",
    "induction",
]


def inputs(*rows: list[int]) -> dict[str, Any]:
    return {"input_ids": torch.tensor(rows or [IDS])}


def test_names_are_given(build: Callable[[str], Any]) -> None:
    block = extract(build("bert"), inputs=inputs(), tokens=NAMES).blocks["encoder"]
    assert block.query_tokens == block.key_tokens == tuple(NAMES)
    assert block.query.special == (True, False, False, False, False, True)
    assert block.query.named
    assert block.key[1:3].named


def test_names_of_a_padded_row(build: Callable[[str], Any]) -> None:
    batch = {
        "input_ids": torch.tensor([[2, 7, 3, 0, 0, 0], IDS]),
        "attention_mask": torch.tensor([[1, 1, 1, 0, 0, 0], [1] * 6]),
    }
    names = ["<s>", "a", "</s>", "-", "-", "-"]
    trace = extract(build("bert"), inputs=batch, batch_index=0, tokens=names)
    assert trace.blocks["encoder"].query_tokens == ("<s>", "a", "</s>")


def test_names_of_embeddings_and_of_a_model_of_its_own(build: Callable[[str], Any]) -> None:
    model = build("bert")
    embeddings = model.get_input_embeddings()(torch.tensor([IDS])).detach()
    trace = extract(model, inputs={"inputs_embeds": embeddings}, tokens=tuple(NAMES))
    assert trace.blocks["encoder"].query_tokens == tuple(NAMES)
    layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
    own = {"src": torch.randn(1, 6, 8)}
    assert extract(layer, inputs=own, tokens=NAMES).blocks["encoder"].query_tokens == tuple(NAMES)
    with pytest.raises(ValueError, match="tokens has 2 strings, but the model reads 6 tokens"):
        extract(layer, inputs=own, tokens=NAMES[:2])


def test_of_an_encoder_decoder_the_encoder_is_named(build: Callable[[str], Any]) -> None:
    trace = extract(build("bart"), inputs=inputs(), tokens=NAMES)
    assert trace.blocks["encoder"].query_tokens == tuple(NAMES)
    assert trace.blocks["cross"].key.named
    assert not trace.blocks["cross"].query.named


def test_both_sides_of_an_encoder_decoder_are_named(build: Callable[[str], Any]) -> None:
    batch = {**inputs(), "decoder_input_ids": torch.tensor([[2, 9, 10]])}
    named = {"encoder": NAMES, "decoder": ["<s>", "x", "y"]}
    blocks = extract(build("bart"), inputs=batch, tokens=named).blocks
    assert blocks["encoder"].query_tokens == blocks["cross"].key_tokens == tuple(NAMES)
    assert blocks["decoder"].query_tokens == blocks["cross"].query_tokens == ("<s>", "x", "y")
    assert blocks["decoder"].query.named
    # BART makes its decoder's tokens from the text; they can be named, too.
    alone = extract(build("bart"), inputs=inputs(), tokens={"decoder": NAMES}).blocks
    assert alone["cross"].query_tokens == tuple(NAMES)
    assert not alone["cross"].key.named


OF_STACKS: dict[str, tuple[str, Any, type[Exception], str]] = {
    "another model": ("bert", {"encoder": NAMES}, TypeError, "tokens=.* is no encoder-decoder"),
    "no stack": ("bart", {}, ValueError, r"tokens={} is empty: expected lists"),
    "unknown": ("bart", {"x": NAMES}, ValueError, "a key of tokens='x' is unknown"),
    "a number": ("bart", {1: NAMES}, TypeError, "a key of tokens=1 is an int"),
    "a text": ("bart", {"decoder": "ab"}, TypeError, r"tokens\['decoder'\]='ab' is a str"),
    "None": ("bart", {"encoder": None}, TypeError, r"tokens\['encoder'\]=None is a NoneType"),
    "an item": ("bart", {"decoder": [1]}, TypeError, r"tokens\['decoder'\]\[0\]=1 is an int"),
    "few": ("bart", {"encoder": ["a"]}, ValueError, r"tokens\['encoder'\] has 1 strings, but .* 6"),
    "too few": ("bart", {"decoder": ["a"]}, ValueError, "has 1 strings, but the decoder reads 6"),
}


@pytest.mark.parametrize("name", OF_STACKS)
def test_names_of_stacks_that_are_none(build: Callable[[str], Any], name: str) -> None:
    model, tokens, kind, message = OF_STACKS[name]
    with pytest.raises(kind, match=message):
        extract(build(model), inputs=inputs(), tokens=tokens)


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "few": (NAMES[:-1], ValueError, "tokens has 5 strings, but the model reads 6 tokens"),
    "a text": ("abcdef", TypeError, "tokens='abcdef' is a str: expected a list of strings"),
    "numbers": (IDS, TypeError, r"tokens\[0\]=2 is an int: expected a list of strings"),
    "a set": (set(NAMES), TypeError, "tokens=.* is a set: expected a list"),
    "a surrogate": ([*NAMES[:5], "\ud800"], ValueError, r"tokens\[5\]='\\ud800' holds half"),
}


@pytest.mark.parametrize("name", WRONG)
def test_names_that_are_none(build: Callable[[str], Any], name: str) -> None:
    tokens, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        extract(build("bert"), inputs=inputs(), tokens=tokens)


def test_what_is_not_written_yet_has_no_names(build: Callable[[str], Any]) -> None:
    with pytest.raises(TypeError, match="tokens and generate"):
        extract(build("gpt2"), inputs=inputs(), tokens=NAMES, generate={"max_new_tokens": 2})


def test_positions_are_not_taken_for_tokens(build: Callable[[str], Any], tmp_path: Path) -> None:
    trace = extract(build("bert"), inputs=inputs())
    assert trace.blocks["encoder"].query_tokens == tuple("012345")
    assert not trace.blocks["encoder"].query.named
    trace.save(tmp_path / "x.safetensors")
    for one in (trace, trace.window(1, 5), AttentionTrace.load(tmp_path / "x.safetensors")):
        scores = find_patterns(one)
        for pattern in OF_NAMES:
            assert (
                "needs the names of tokens, and these are positions" in scores.unavailable[pattern]
            )
        assert "needs the names" in find_patterns(one, words=True).unavailable["same token"]
        assert scores.best("previous token")
        assert scores.best("first token")
    with pytest.raises(
        ValueError, match="'induction' does not exist in this text: needs the names"
    ):
        explain_head(trace, 0, 0, "induction")


def test_with_names_patterns_of_content_exist(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    given = find_patterns(extract(build("bert"), inputs=inputs(), tokens=NAMES))
    assert given.best("induction")
    assert given.best("same token elsewhere")
    # Names that happen to be numbers are names.
    numbers = [str(number) for number in IDS]
    assert find_patterns(extract(build("bert"), inputs=inputs(), tokens=numbers)).best("induction")


def test_patches_are_not_words(build: Callable[[str], Any]) -> None:
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=16,
        patch_size=8,
    )
    trace = extract(ViTModel(config).eval(), inputs={"pixel_values": torch.randn(1, 3, 16, 16)})
    assert trace.blocks["encoder"].query_tokens[1] == "patch 0,0"
    assert "same token" in find_patterns(trace).unavailable
