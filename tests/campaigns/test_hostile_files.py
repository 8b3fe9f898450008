"""A file from a stranger is a named error, or a trace of which everything works."""

from __future__ import annotations

import collections
import pickle
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import (
    AttentionTrace,
    HeadView,
    ModelView,
    NeuronView,
    compare,
    explain_head,
    extract,
    find_patterns,
)
from tests.campaigns.hostile import MUTATIONS, pick
from tests.models import batch_of

ARCHITECTURES = ["bert", "t5", "gemma2", "gpt_oss", "llama"]


@pytest.fixture(scope="module")
def good(build: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Good files of every kind of trace: cross-attention, sinks, softcap, masks, weights alone."""
    torch.manual_seed(0)
    traces = [
        AttentionTrace.from_arrays(["a", "##b", "c"], torch.rand(2, 3, 3, 3).softmax(-1)),
        AttentionTrace.from_arrays(
            ["a", "b", "c", "d"],
            queries=torch.randn(2, 4, 4, 6),
            keys=torch.randn(2, 2, 4, 6),
            kind="decoder",
            sentence_b_start=2,
        ),
    ]
    for name in ARCHITECTURES:
        batch = batch_of(name, "none" if name == "t5" else "left")
        options = {"drop_padding": name != "gpt_oss", "verify": name == "bert"}
        traces.append(extract(build(name), inputs=batch, batch_index=1, **options))
    traces.append(traces[-1].window(1, 4))
    path = tmp_path_factory.mktemp("good") / "x.safetensors"
    files = []
    for trace in traces:
        trace.save(path)
        files.append(path.read_bytes())
    return files


def use(trace: AttentionTrace, path: Path, thoroughly: bool) -> None:
    """Everything that is offered for a trace."""
    repr(trace), trace.num_layers, trace.num_heads
    with_formula = True
    for block in trace.blocks.values():
        repr(block), block.shares_tokens
        assert len(block.query.word_text) == len(block.query.in_words())
        block.key.unprettified()
        for layer in block.layers:
            repr(layer)
            assert block.layer(layer.index) is layer
            weights = layer.weights()
            assert weights.shape == (len(layer.heads), len(block.query), len(block.key))
            assert bool(weights.isfinite().all())
            assert float(weights.sum(-1).max()) < 1.1 or layer.given_weights is not None
            assert float(weights.min()) >= -0.01
            assert float(weights.max()) < 1.01
            layer.visible(), layer.unseen_keys(), layer.mask_identity
            first = layer.weights(layer.heads[0], rows=[0])[0, 0]
            torch.testing.assert_close(first, weights[0, 0])
            if layer.formula is None:
                with_formula = False
                continue
            scores = layer.scores()
            assert bool(scores.isfinite().all())
            assert scores.shape == weights.shape
            layer.bias()
            layer.key_head(layer.heads[-1])
    views = [HeadView(trace), ModelView(trace), *([NeuronView(trace)] if with_formula else [])]
    for view in views:
        repr(view)
        assert "data-view" in view.data
        assert view.rows(top=1)
    if thoroughly:
        for view in views:
            view.save(path.with_suffix(".svg"))
            view.save(path.with_suffix(".html"))
    longest = max(len(block.query) for block in trace.blocks.values())
    if with_formula:
        for start, stop in ((0, 1), (longest // 2, longest)):
            part = trace.window(start, stop)
            assert all(
                bool(layer.weights().isfinite().all())
                for block in part.blocks.values()
                for layer in block.layers
            )
        [block, *_] = trace.blocks.values()
        layer = block.layers[0]
        str(explain_head(trace, layer.index, layer.heads[0], block=block.name))
    str(find_patterns(trace))
    HeadView(compare(trace, trace)).data  # noqa: B018
    pickle.loads(pickle.dumps(trace))
    again = path.with_name("again.safetensors")
    trace.save(again)
    back = AttentionTrace.load(again)
    assert (back.model_name, back.exactness) == (trace.model_name, trace.exactness)
    for one, other in zip(trace.blocks.values(), back.blocks.values(), strict=True):
        assert (one.name, one.kind, one.query, one.key) == (
            other.name,
            other.kind,
            other.query,
            other.key,
        )


def test_every_hostile_file_is_a_named_error_or_a_trace_that_works(
    good: list[bytes],
    rounds: Callable[[int, int], int],
    random: np.random.Generator,
    seed: int,
    tmp_path: Path,
) -> None:
    path = tmp_path / "hostile.safetensors"
    counts: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    for number in range(rounds(150, 2000)):
        mutation = MUTATIONS[number % len(MUTATIONS)]
        path.write_bytes(mutation(pick(random, good), random))
        what = f"seed {seed}, round {number}, {mutation.__name__}"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                trace = AttentionTrace.load(path)
            except ValueError as error:
                named = type(error) is ValueError and f"path={str(path)!r}" in str(error)
                counts["named" if named else "unnamed"] += 1
                if not named:
                    failures.append(f"{what}: {error!r}")
                continue
            except BaseException as error:
                counts["raw at load"] += 1
                failures.append(f"{what}: {error!r}")
                continue
            try:
                use(trace, path, thoroughly=number % 40 == 0)
                counts["usable"] += 1
            except BaseException as error:
                counts["accepted, then failed"] += 1
                last = traceback.extract_tb(error.__traceback__)[-1]
                failures.append(f"{what}: {error!r} at {last.filename}:{last.lineno}"[:400])
    print(f"\nhostile files, seed {seed}: {dict(counts)}")
    assert not failures, "\n".join(failures)


def test_the_good_files_work(good: list[bytes], tmp_path: Path) -> None:
    for number, data in enumerate(good):
        (tmp_path / "x.safetensors").write_bytes(data)
        trace = AttentionTrace.load(tmp_path / "x.safetensors")
        use(trace, tmp_path / "x.safetensors", thoroughly=number % 3 == 0)
