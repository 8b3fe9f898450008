"""Attention written at random is exact, or skipped with a reason: never wrong or just missing."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch

from bertviz import AttentionTrace, NothingCaptured, extract
from bertviz.trace.masks import MASKED
from tests.campaigns.programs import DIM, Program, Tower


def test_attention_written_at_random(
    rounds: Callable[[int, int], int], seed: int, random: np.random.Generator
) -> None:
    counts: Counter[str] = Counter()
    bad: list[str] = []
    for number in range(rounds(120, 3000)):
        torch.manual_seed(number)
        heads, tokens = int(random.choice([1, 2, 3, 6])), int(random.integers(4, 8))
        model = Tower([Program.drawn(random) for _ in range(3)], heads)
        x = torch.randn(int(random.choice([1, 1, 2])), tokens, heads * DIM)
        index = len(x) - 1
        try:  # some programs do not run at all
            with torch.no_grad():
                model(x)
        except (RuntimeError, IndexError, TypeError):
            counts["invalid"] += 1
            continue
        trace, reason = _extracted(model, x, index)
        for place, layer in enumerate(model.layers):
            verdict = reason or _verdict(trace, place, layer.weights[index])
            counts[verdict.split(":")[0]] += 1
            if verdict == "missing" and layer.program.softmax == "over heads":
                continue  # shares of heads are not attention, told or not
            if verdict.split(":")[0] not in ("exact", "told"):
                bad.append(f"round {number}, layer {place}: {verdict}\n  {layer.program}")
    print(f"hand-written attention, seed {seed}: {dict(counts)}")
    assert not bad, f"seed {seed}, {len(bad)} of {counts.total()}:\n" + "\n".join(bad[:12])
    assert counts["exact"] > counts.total() / 5, "most programs are ordinary ones"


def _extracted(
    model: Tower, x: torch.Tensor, index: int
) -> tuple[AttentionTrace | None, str | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return extract(model, inputs={"x": x}, batch_index=index), None
        except NothingCaptured as error:
            told = "not understood" in str(error)
            return None, "told: nothing" if told else f"missing: {error}"
        except Exception as error:
            return None, f"error: {type(error).__name__}: {error}"


def _verdict(trace: AttentionTrace | None, place: int, own: torch.Tensor) -> str:
    """What became of one layer, whose own weights are (heads, query, key)."""
    assert trace is not None
    path = f"layers.{place}"
    found = [x for block in trace.blocks.values() for x in block.layers if x.name == path]
    if not found:
        return "told" if path in getattr(trace, "skipped", {}) else "missing"
    [layer] = found
    if layer.index != place:
        return f"misnumbered: {layer.index}"
    try:
        weights = layer.weights()
    except RuntimeError as error:
        return f"wrong: {error}"
    if weights.shape != own.shape:
        return f"wrong: {tuple(weights.shape)} for {tuple(own.shape)}"
    # What a softmax gives where every key is masked is arbitrary, NaN for instance.
    bias = layer.explained.bias(list(range(layer.num_heads)))
    blind = torch.tensor(False) if bias is None else (bias <= MASKED).all(-1, keepdim=True)
    difference = (weights - own.float()).masked_fill(blind, 0.0).abs().max()
    return "exact" if bool(difference < 1e-5) else f"wrong: by {float(difference):.2g}"
