"""Every public function and method, with one wrong value after the other for every argument.

A call is written once, with values that are right. The campaign replaces one argument at a time, or
some at once, with everything that nobody expects.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
import torch

import bertviz
from bertviz import (
    AttentionTrace,
    HeadView,
    ModelView,
    NeuronView,
    compare,
    explain_head,
    extract,
    figure,
    head_view,
    model_view,
    neuron_view,
)
from bertviz.trace import AttentionBlock, Formula, LayerAttention, Tokens
from tests.campaigns.material import ANY, CONTAINERS, SCALARS, TEXTS, pick, written
from tests.campaigns.verdicts import Verdicts, show, use


@dataclass(frozen=True)
class Target:
    """A call to attack.

    Attributes:
        name: What is called.
        call: The function.
        right: Arguments that are right, by name; these are replaced.
        used: What to do with the result.
        others: What else an error may name.
    """

    name: str
    call: Callable[..., Any]
    right: dict[str, Any]
    used: Callable[[Any], Any] = repr
    others: tuple[str, ...] = ()


def _usable(value: Any) -> None:
    """A number, a tensor or a table of finite numbers."""
    if isinstance(value, torch.Tensor):
        assert bool(value.isfinite().all())
    repr(value)


def _shown(view: Any) -> None:
    if view is not None:
        show(view)


def traces() -> tuple[AttentionTrace, AttentionTrace, AttentionTrace]:
    random = np.random.default_rng(0)
    queries, keys = random.normal(size=(2, 2, 2, 5, 4))
    tokens = ["[CLS]", "a", "b", "a", "[SEP]"]
    vectors = AttentionTrace.from_arrays(tokens, queries=queries, keys=keys, kind="decoder")
    other = AttentionTrace.from_arrays(tokens, queries=keys, keys=queries, kind="decoder")
    weights = torch.tensor(random.random((2, 2, 5, 5))).softmax(-1)
    return vectors, other, AttentionTrace.from_arrays(tokens, weights)


def _parts(block: AttentionBlock) -> list[Target]:
    """What a trace is made of, one by one."""
    layer = block.layers[0]
    return [
        Target(
            kind.__name__, kind, {field.name: getattr(part, field.name) for field in fields(kind)}
        )
        for kind, part in (
            (Formula, layer.explained),
            (LayerAttention, layer),
            (AttentionBlock, block),
        )
    ]


@pytest.fixture(scope="module")
def targets(
    build: Callable[..., Any],
    word_tokenizer: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Target]:
    folder = tmp_path_factory.mktemp("files")
    vectors, other, weights = traces()
    comparison = compare(vectors, other)
    layer = vectors.blocks["decoder"].layers[1]
    given = weights.blocks["encoder"].layers[0]
    rows = {"heads": 1, "rows": [0, 2]}
    model, tokenizer = build("gpt2"), word_tokenizer()
    batch = {"input_ids": torch.tensor([[5, 6, 7], [7, 6, 5]])}
    read = extract(model, inputs=batch, batch_index=0)
    view_options = {
        "include_layers": [0, 1],
        "include_heads": [0, 1],
        "prettify_tokens": True,
        "display_mode": "auto",
    }
    view = HeadView(vectors)
    of_model = {"batch_index": 1, "drop_padding": True, "device": "cpu", "verify": False}
    saved = {"path": folder / "x.html", "width": None, "format": None}
    look = {"width": 600, "font_size": 8, "title": "a", "legend": True, "mark": True}
    panels = figure([view, (view, {"query": 1})])
    measures = {"mine": {(0, 1): 0.5}}
    return [
        Target(
            "extract(text)",
            extract,
            {"model": model, "tokenizer": tokenizer, "text": "i went", "text_pair": "to the store"},
            use,
        ),
        Target(
            "extract(inputs)",
            extract,
            {"model": model, "inputs": batch, "layers": [0], "heads": [0, 1], **of_model}
            | {"progress": False},
            use,
        ),
        Target(
            "extract(generate)",
            extract,
            {"model": model, "tokenizer": tokenizer, "text": "i went", "generate": None},
            use,
        ),
        Target(
            "verify",
            read.verify,
            {"model": model, "inputs": batch, "batch_index": 0, "drop_padding": True},
        ),
        Target(
            "explain_head",
            explain_head,
            {"trace": vectors, "layer": 1, "head": 0, "pattern": None, "block": None, "window": 2}
            | {"pairs": "auto", "rotary_dim": None},
            repr,
        ),
        Target(
            "explain_head(cells)",
            explain_head,
            {"trace": vectors, "layer": 1, "head": 0, "cells": [(4, 1), (3, 2)]},
        ),
        Target(
            "compare",
            compare,
            {"a": vectors, "b": other, "align": None, "names": ("before", "after")},
            lambda made: show(HeadView(made)),
        ),
        Target("Comparison.weights", comparison.weights, {"layer": 1, "heads": [0], "block": None}),
        Target("Comparison.largest", comparison.largest, {"count": 2, "block": "decoder"}),
        Target("trace.weights", vectors.weights, {"layer": 1, "head": 0}, _usable),
        Target("window", vectors.window, {"start": 1, "stop": 4}, use),
        Target("layer.weights", layer.weights, rows, _usable),
        Target("layer.weights of weights", given.weights, rows, _usable),
        Target("layer.scores", layer.scores, rows, _usable),
        Target("layer.bias", layer.bias, rows, _usable),
        Target("layer.visible", layer.visible, rows, _usable),
        Target("layer.key_head", layer.key_head, {"head": 1}),
        Target("layer.unseen_keys", layer.unseen_keys, {"step": 2}),
        Target("block.layer", vectors.blocks["decoder"].layer, {"number": 1}, others=("layer",)),
        Target(
            "tokens[...]",
            lambda positions: vectors.blocks["decoder"].query[positions],
            {"positions": slice(1, 3)},
        ),
        Target("trace.save", vectors.save, {"path": folder / "x.safetensors"}),
        Target(
            "AttentionTrace",
            AttentionTrace,
            {"blocks": vectors.blocks, "model_name": None, "dtype": "float32", "exactness": None},
            use,
        ),
        *_parts(vectors.blocks["decoder"]),
        Target(
            "HeadView",
            HeadView,
            {"trace": vectors, "layer": 1, "heads": [0], **view_options},
            _shown,
            ("HeadView",),
        ),
        Target(
            "ModelView",
            ModelView,
            {"trace": vectors, "measures": measures, **view_options},
            _shown,
            ("ModelView",),
        ),
        Target(
            "NeuronView",
            NeuronView,
            {"trace": vectors, "layer": 1, "head": 0, "explanation": None, **view_options},
            _shown,
            ("NeuronView", "attention"),
        ),
        Target(
            "NeuronView(explanation)",
            NeuronView,
            {"trace": vectors, "explanation": explain_head(vectors, 1, 0), "layer": 1, "head": 0},
            _shown,
            ("NeuronView", "attention"),
        ),
        Target(
            "HeadView(comparison)",
            HeadView,
            {"trace": comparison, "layer": 1, "heads": [0], **view_options},
            _shown,
            ("HeadView",),
        ),
        Target(
            "show",
            neuron_view.show,  # type: ignore[attr-defined]
            {
                "model": model,
                "model_type": "gpt2",
                "tokenizer": tokenizer,
                "sentence_a": "i went",
                "sentence_b": None,
                "display_mode": "dark",
                "layer": 1,
                "head": 0,
                "html_action": "return",
            },
            _shown,
            ("text", "text_pair", "attention"),
        ),
        Target(
            "model_view(stacks)",
            model_view,
            {
                "encoder_attention": torch.ones(1, 2, 3, 3) / 3,
                "cross_attention": torch.ones(1, 2, 2, 3) / 3,
                "encoder_tokens": ["a", "b", "c"],
                "decoder_tokens": ["d", "e"],
                "html_action": "return",
                "include_layers": [0],
            },
            _shown,
        ),
        Target("Tokens.read", Tokens.read, {"strings": ["a", "b"], "prettify": True}, len),
        Target("neuron.rows", NeuronView(vectors).rows, {"query": 1, "key": 1, "top": 1}),
        Target("model.rows", ModelView(comparison).rows, {"query": 1, "key": 1, "top": 1}),
        Target("view.rows", view.rows, {"query": 1, "key": 1, "top": 1}),
        Target("view.to_pandas", view.to_pandas, {"query": 1, "key": None, "top": None}),
        Target("view.save", view.save, saved),
        Target("view.save(figure)", view.save, {"path": folder / "x.svg", **look}),
        Target("view.svg", view.svg, look, len),
        Target(
            "figure",
            figure,
            {"views": [view, (view, {"query": 1})], "titles": ["a", "b"], "columns": 2, **look},
            lambda made: made.svg(),
        ),
        Target("figure.svg", panels.svg, {"width": 600, "font_size": 8}, len),
        Target(
            "figure.save",
            panels.save,
            {"path": folder / "y.svg", "width": 600, "font_size": 8, "format": None},
        ),
        Target(
            "head_view(trace)",
            head_view,
            {"trace": vectors, "layer": 1, "heads": [0], "html_action": "return", **view_options},
            _shown,
        ),
        Target(
            "model_view(model)",
            model_view,
            {"model": model, "tokenizer": None, "text": None, "inputs": batch, **of_model}
            | {"html_action": "return", "measures": measures},
            _shown,
            ("sentence_b_start",),
        ),
        Target(
            "neuron_view(arrays)",
            neuron_view,
            {
                "queries": np.ones((1, 1, 3, 2)),
                "keys": np.ones((1, 1, 3, 2)),
                "tokens": ["a", "b", "c"],
                "html_action": "return",
                "head": 0,
            },
            _shown,
        ),
    ]


def _wrong(random: np.random.Generator) -> Any:
    return pick(random, (SCALARS, TEXTS, CONTAINERS, ANY, ANY)[int(random.integers(5))])


def test_calls(
    rounds: Callable[[int, int], int],
    seed: int,
    random: np.random.Generator,
    targets: list[Target],
) -> None:
    verdicts = Verdicts("calls", seed)
    for number in range(rounds(700, 20_000)):
        target = targets[number % len(targets)]
        given = dict(target.right)
        for _ in range(int(random.choice([0, 1, 1, 1, 1, 2]))):
            given[str(random.choice(list(target.right)))] = _wrong(random)

        def call(target: Target = target, given: Any = given) -> None:
            target.used(target.call(**given))

        changed = {k: v for k, v in given.items() if v is not target.right[k]}
        what = ", ".join(f"{name}={written(value)}" for name, value in changed.items())
        names = [*target.right, *target.others]
        verdicts.judge(f"{target.name}: {what}", call, names)
    verdicts.finish()


def test_inputs(
    rounds: Callable[[int, int], int],
    seed: int,
    random: np.random.Generator,
    build: Callable[..., Any],
) -> None:
    verdicts = Verdicts("inputs", seed)
    models = [build(name) for name in ("bert", "gpt2", "t5")]
    for _ in range(rounds(120, 4_000)):
        model = models[int(random.integers(3))]
        ids = torch.tensor([[5, 6, 7, 8], [8, 7, 6, 5]])
        batch: dict[Any, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        names = ["input_ids", "attention_mask", "token_type_ids", "position_ids"]
        names += ["inputs_embeds", "labels", "decoder_input_ids", "nonsense", ""]
        for _ in range(int(random.choice([1, 1, 2]))):
            name = names[int(random.integers(len(names)))]
            batch[name] = _tensor(random) if random.random() < 0.6 else _wrong(random)
        what = ", ".join(f"{name!r}: {written(value)}" for name, value in batch.items())
        verdicts.judge(
            f"{type(model).__name__}: {what}",
            lambda model=model, batch=batch: use(extract(model, inputs=batch, batch_index=0)),
            ["inputs", *(str(name) for name in batch if name)],
        )
    verdicts.finish()


def _tensor(random: np.random.Generator) -> torch.Tensor:
    shape = [(2, 4), (1, 4), (4,), (2, 5), (2, 0), (0, 4), (2, 4, 1), (2, 1, 4, 4), (2, 4, 32), ()]
    dtype = [torch.long, torch.int32, torch.float32, torch.bool, torch.float64, torch.uint8]
    high = [2, 9, 200, -5][int(random.integers(4))]
    values = torch.tensor(random.integers(min(0, high), max(1, high), shape[random.integers(10)]))
    return values.to(dtype[int(random.integers(6))])


def test_every_public_name_is_attacked() -> None:
    """A function that is added to the library has to be added here."""
    elsewhere = {
        "Comparison": "a result, made by compare",
        "Figure": "a result, made by figure",
        "HeadExplanation": "a result, made by explain_head",
        "NotReproduced": "an error",
        "NothingCaptured": "an error",
        "PatternScores": "a result, made by find_patterns",
        "__version__": "a string",
        "extractor": "a module",
        "find_patterns": "has a campaign of its own",
    }
    attacked = {
        *("AttentionTrace", "HeadView", "ModelView", "NeuronView", "compare", "explain_head"),
        *("extract", "figure", "head_view", "model_view", "neuron_view"),
    }
    assert attacked | set(elsewhere) == set(bertviz.__all__)


def test_paths(seed: int, tmp_path: pathlib.Path) -> None:
    vectors, *_ = traces()
    verdicts = Verdicts("paths", seed)
    for maker in ANY:
        for name, call in (
            ("trace.save", vectors.save),
            ("view.save", HeadView(vectors).save),
            ("trace.load", AttentionTrace.load),
        ):
            value = maker()
            if isinstance(value, int | bool | str):
                continue  # names of files, and numbers of open ones
            verdicts.judge(f"{name}: {written(value)}", lambda c=call, v=value: c(v), ["path"])
    for call in (vectors.save, HeadView(vectors).save, AttentionTrace.load):
        for text in ("", ".", "..", "/", "\x00.html", "\ud800.html", "\x00.safetensors"):
            verdicts.judge(f"{call}: {text!r}", lambda c=call, t=text: c(t), ["path"])
    verdicts.counts["accepted"] += 100
    verdicts.finish()
