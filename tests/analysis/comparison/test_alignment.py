"""Texts that differ are aligned, and traces that do not fit are refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, Comparison, compare, extract
from bertviz.trace.windows import pick
from tests.analysis.comparison.traces import distributions, plainly

TEXTS = ("i went to the store .", "i went , to the fresh store .")


@pytest.mark.parametrize("architecture", ["bert", "llama", "mistral", "gpt_oss", "t5"])
def test_aligned_texts_keep_the_mass_of_what_is_left_out(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any], architecture: str
) -> None:
    model, tokenizer = build(architecture), word_tokenizer()
    if architecture == "t5":
        model = model.encoder
    traces = [extract(model, tokenizer, text) for text in TEXTS]
    comparison = compare(*traces, align="tokens")
    name = next(iter(comparison.blocks))
    assert comparison.left_out[name] == ((), (",", "fresh"))
    kept = [0, 1, 2, 4, 5, 7, 8, 9]
    for index in (0, 2):
        whole = traces[1].blocks[name].layers[index].weights()
        part = comparison.b.blocks[name].layers[index].weights()
        torch.testing.assert_close(part, whole[:, kept][:, :, kept], atol=1e-6, rtol=0)
        own = traces[0].blocks[name].layers[index].weights()
        torch.testing.assert_close(comparison.weights(index), part - own, atol=1e-6, rtol=0)
    assert comparison.b.blocks[name].query_tokens == comparison.a.blocks[name].query_tokens
    row = comparison.differences[0]
    rows = zip(
        traces[0].blocks[name].layers[0].weights(0)[0].tolist(),
        comparison.b.blocks[name].layers[0].weights(0)[0].tolist(),
        strict=True,
    )
    values = [plainly(a, b) for a, b in rows]
    assert row.total_variation == pytest.approx(sum(v[0] for v in values) / len(values), abs=1e-5)
    assert "Left out in" in str(comparison)


def test_aligned_words_stay_words(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    tokenizer = word_tokenizer()
    trace = extract(build("bert"), tokenizer, "i bought strawberries")
    block = pick(trace.blocks["encoder"], [0, 3, 4], [0, 3, 4])
    assert block.query_tokens == ("[CLS]", "straw", "##berries")
    assert block.query.words == (0, 1, 1)
    assert block.query.special == (True, False, False)


def test_aligned_weights_are_cut(both: tuple[AttentionTrace, AttentionTrace]) -> None:
    shorter = AttentionTrace.from_arrays(["a", "c"], weights=distributions(2, 2, 2))
    comparison = compare(both[0], shorter, align="tokens")
    torch.testing.assert_close(
        comparison.a.blocks["encoder"].layers[1].weights(),
        distributions(0)[1][:, [0, 2]][:, :, [0, 2]],
    )
    assert comparison.left_out["encoder"] == (("b", "<d>"), ())


def test_cross_attention_is_aligned_on_both_sides(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    model, tokenizer = build("bart"), word_tokenizer(pair="")
    traces = [
        extract(model, tokenizer, "the store", "i , bought"),
        extract(model, tokenizer, "the fresh store", "i bought"),
    ]
    comparison = compare(*traces, align="tokens")
    assert comparison.blocks["cross"].key_tokens == ("the", "store")
    whole = traces[1].blocks["cross"].layers[1].weights()
    rows = [
        traces[1].blocks["cross"].query_tokens.index(token)
        for token in comparison.blocks["cross"].query_tokens
    ]
    part = comparison.b.blocks["cross"].layers[1].weights()
    torch.testing.assert_close(part, whole[:, rows][:, :, [0, 2]], atol=1e-6, rtol=0)


def made(tokens: list[str] | None = None, layers: int = 1, heads: int = 1) -> AttentionTrace:
    tokens = tokens or ["a", "b"]
    count = len(tokens)
    return AttentionTrace.from_arrays(
        tokens, weights=torch.full((layers, heads, count, count), 1 / count)
    )


def with_heads(trace: AttentionTrace, numbers: tuple[int, ...]) -> AttentionTrace:
    block = trace.blocks["encoder"]
    layer = dataclasses.replace(block.layers[0], heads=numbers)
    return dataclasses.replace(
        trace, blocks={"encoder": dataclasses.replace(block, layers=(layer,))}
    )


WRONG: dict[str, tuple[Callable[[], Comparison], type[Exception], str]] = {
    "type": (
        lambda: compare(made(), "text"),  # type: ignore[arg-type]
        TypeError,
        "b is a str: expected an AttentionTrace",
    ),
    "align": (
        lambda: compare(made(), made(), align="words"),  # type: ignore[arg-type]
        ValueError,
        "align='words' is unknown: expected 'tokens' or None",
    ),
    "blocks": (
        lambda: compare(
            made(), AttentionTrace.from_arrays(["a", "b"], weights=torch.eye(2)[None], kind="cross")
        ),
        ValueError,
        "different blocks: a has encoder; b has cross",
    ),
    "layers": (
        lambda: compare(made(), made(layers=2)),
        ValueError,
        r"Block 'encoder' has layers \[0\] in a and \[0, 1\] in b",
    ),
    "heads": (
        lambda: compare(made(), with_heads(made(), (3,))),
        ValueError,
        r"Layer 0 of block 'encoder' has heads \[0\] in a and \[3\] in b",
    ),
    "tokens": (
        lambda: compare(made(["a", "b", "c"]), made(["a", "x", "c"])),
        ValueError,
        "The query tokens of block 'encoder' differ from position 1 on: 'b' in a, 'x' in b",
    ),
    "length": (
        lambda: compare(made(["a", "b", "c"]), made(["a", "b"])),
        ValueError,
        "from position 2 on: 'c' in a, nothing in b",
    ),
    "nothing in common": (
        lambda: compare(made(["a", "b"]), made(["x", "y"]), align="tokens"),
        ValueError,
        "no token in common in block 'encoder'",
    ),
    "layer": (
        lambda: compare(made(), made()).weights(4),  # type: ignore[return-value]
        ValueError,
        "layer=4 is not in block 'encoder': expected one of its layers, 0",
    ),
    "count": (
        lambda: compare(made(), made()).largest("3"),  # type: ignore[arg-type,return-value]
        TypeError,
        "count='3' is a str: expected an integer, such as count=3",
    ),
    "no count": (
        lambda: compare(made(), made()).largest(-1),  # type: ignore[return-value]
        ValueError,
        "count=-1 gives nothing: expected an integer of at least 1",
    ),
    "a list as align": (
        lambda: compare(made(), made(), align=["tokens"]),  # type: ignore[arg-type]
        TypeError,
        r"align=\['tokens'\] is a list: expected 'tokens' or None",
    ),
    "block": (
        lambda: compare(made(), made()).largest(block="x"),  # type: ignore[return-value]
        ValueError,
        "block='x' is unknown: expected one of encoder",
    ),
}


def test_heads_may_come_from_an_iterator() -> None:
    assert compare(made(), made()).weights(0, iter([0])).shape == (1, 2, 2)


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_the_first_difference(name: str) -> None:
    call, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        call()
