"""Differences of two traces: known ones, aligned texts, and what does not fit."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, Comparison, compare, extract
from bertviz.analysis.measures import measures_of
from bertviz.trace.windows import pick
from tests.helpers import no_pandas


def distributions(seed: int, queries: int = 4, keys: int = 4) -> torch.Tensor:
    torch.manual_seed(seed)
    return (2 * torch.randn(2, 3, queries, keys)).softmax(-1)


@pytest.fixture
def both() -> tuple[AttentionTrace, AttentionTrace]:
    tokens = ["a", "b", "c", "<d>"]
    one, other = (AttentionTrace.from_arrays(tokens, weights=distributions(x)) for x in (0, 1))
    return one, other


def plainly(a: list[float], b: list[float]) -> tuple[float, float, float]:
    """Total variation, Jensen-Shannon and difference in entropy of two rows, in loops."""
    a, b = [*a, max(0.0, 1 - sum(a))], [*b, max(0.0, 1 - sum(b))]

    def entropy(row: list[float]) -> float:
        return -sum(p * math.log2(p) for p in row if p > 0)

    middle = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
    variation = sum(abs(x - y) for x, y in zip(a, b, strict=True)) / 2
    return variation, entropy(middle) - (entropy(a) + entropy(b)) / 2, entropy(b) - entropy(a)


def test_measures_as_plain_loops_say(
    both: tuple[AttentionTrace, AttentionTrace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertviz.analysis.comparison.AT_ONCE", 24)  # two rows at a time
    for row in compare(*both).differences:
        weights = [
            trace.blocks["encoder"].layers[row.layer].weights(row.head)[0].tolist()
            for trace in both
        ]
        values = [plainly(a, b) for a, b in zip(*weights, strict=True)]
        means = [sum(column) / len(column) for column in zip(*values, strict=True)]
        found = (row.total_variation, row.jensen_shannon, row.entropy)
        assert found == pytest.approx(tuple(means), abs=1e-5)


def test_nothing_differs_from_itself(both: tuple[AttentionTrace, AttentionTrace]) -> None:
    comparison = compare(both[0], both[0])
    assert all(dataclasses.astuple(row)[3:] == (0, 0, 0) for row in comparison.differences)
    assert float(comparison.weights(1).abs().max()) == 0


def test_weights_are_those_of_b_minus_those_of_a(
    both: tuple[AttentionTrace, AttentionTrace],
) -> None:
    comparison = compare(*both)
    difference = distributions(1)[1, [2]] - distributions(0)[1, [2]]
    torch.testing.assert_close(comparison.weights(1, 2), difference)
    assert comparison.weights(0, block="encoder").shape == (3, 4, 4)
    assert comparison.blocks["encoder"].query_tokens == ("a", "b", "c", "<d>")
    assert (comparison.a, comparison.b) == both


def test_a_head_that_was_changed_comes_first(
    build: Callable[[str], Any], word_tokenizer: Callable[..., Any]
) -> None:
    model, tokenizer = build("bert"), word_tokenizer()
    before = extract(model, tokenizer, "i went to the store .")
    with torch.no_grad():  # head 2 of the last layer: neurons 16 to 23 of its query
        model.encoder.layer[2].attention.self.query.weight[16:24] *= -1
    after = extract(model, tokenizer, "i went to the store .")
    comparison = compare(before, after)
    best = comparison.best()
    assert best[0][:2] == (2, 2)
    assert best[0][2] > 1e-3
    assert all(other[2] < 1e-5 for other in best[1:])
    assert comparison.best(1) == best[:1]
    assert [type(value) for value in best[0]] == [int, int, float, float]


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


def test_measures(both: tuple[AttentionTrace, AttentionTrace]) -> None:
    comparison = compare(*both)
    measures = {measure["name"]: measure for measure in comparison.measures()}
    assert [m["diverging"] for m in measures.values()] == [False, False, True]
    values = measures["total variation"]["values"]
    for row in comparison.differences:
        assert values["encoder"][row.layer][row.head] == row.total_variation
    assert all(measure["null"] is None for measure in measures.values())
    assert measures_of(comparison, comparison.a) == comparison.measures()
    assert any(row.entropy < 0 for row in comparison.differences)


def test_table_and_summaries(
    both: tuple[AttentionTrace, AttentionTrace], monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison = compare(*both)
    monkeypatch.setattr("bertviz.analysis.tables.importlib.import_module", no_pandas)
    rows = comparison.table()
    assert len(rows) == 6
    assert rows[5] == dataclasses.asdict(comparison.differences[5])
    assert "arrays (a) and arrays (b): 6 heads" in str(comparison)
    assert repr(comparison) == str(comparison)
    html = dataclasses.replace(comparison, left_out={"encoder": (("<d>",), ())})._repr_html_()
    assert "&lt;d&gt;" in html
    assert "<d>" not in html
    assert "script" not in html


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
    "block": (
        lambda: compare(made(), made()).best(block="x"),  # type: ignore[return-value]
        ValueError,
        "block='x' is unknown: expected one of encoder",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_the_first_difference(name: str) -> None:
    call, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        call()
