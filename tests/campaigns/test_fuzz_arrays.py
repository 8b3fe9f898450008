"""Whatever is passed as arrays gives a usable trace, or an error that names the argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from bertviz import AttentionTrace, head_view
from bertviz.arrays import from_stacks
from tests.campaigns.material import ANY, ARRAYS, CONTAINERS, SCALARS, pick, written
from tests.campaigns.verdicts import Verdicts, show, use

STACKS = ("encoder_attention", "decoder_attention", "cross_attention")


def valid(random: np.random.Generator) -> dict[str, Any]:
    """Arguments of `from_arrays` that are right."""
    layers, heads, tokens = (int(n) for n in random.integers(1, 4, 3))
    names = [f"t{i}" for i in range(tokens)]
    given: dict[str, Any] = {}
    if random.random() < 0.6:
        weights = torch.tensor(random.random((layers, heads, tokens, tokens))).softmax(-1)
        given["weights"] = list(weights) if random.random() < 0.5 else weights
    if not given or random.random() < 0.3:
        given["queries"], given["keys"] = random.normal(size=(2, layers, heads, tokens, 4))
        if random.random() < 0.5:
            given["scaling"] = [0.5] * layers if random.random() < 0.5 else 0.5
    if random.random() < 0.7:
        given["tokens"] = names
    elif random.random() < 0.5:
        given["query_tokens"], given["key_tokens"] = names, names
    if random.random() < 0.2:
        given["attention_mask"] = np.ones(tokens, int)
    if random.random() < 0.2:
        given["kind"] = ("encoder", "decoder", "cross")[int(random.integers(3))]
    if random.random() < 0.2 and tokens > 1:
        given["sentence_b_start"] = 1
    return given


NAMES = (
    *("tokens", "weights", "queries", "keys", "scaling", "query_tokens", "key_tokens", "kind"),
    *("sentence_b_start", "prettify_tokens", "batch_index", "attention_mask", "drop_padding"),
)


def spoiled(random: np.random.Generator, given: dict[str, Any], names: Any) -> dict[str, Any]:
    """The same arguments with one to three wrong values."""
    given = dict(given)
    for _ in range(int(random.choice([0, 1, 1, 1, 1, 2, 3]))):
        name = str(random.choice(names))
        if name in ("weights", "attention", "queries", "keys", *STACKS) and random.random() < 0.5:
            given[name] = pick(random, ARRAYS)
        elif "tokens" in name and random.random() < 0.5:
            given[name] = pick(random, CONTAINERS)
        elif random.random() < 0.3:
            given[name] = pick(random, SCALARS)
        else:
            given[name] = pick(random, ANY)
    if "queries" in names and random.random() < 0.05:
        given["queries"] = given["keys"] = pick(random, ARRAYS)
    return given


def described(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={written(value)}" for name, value in given.items())


def test_from_arrays(
    rounds: Callable[[int, int], int], seed: int, random: np.random.Generator
) -> None:
    verdicts = Verdicts("from_arrays", seed)
    for _ in range(rounds(400, 10_000)):
        given = spoiled(random, valid(random), NAMES)
        verdicts.judge(
            described(given), lambda given=given: use(AttentionTrace.from_arrays(**given)), given
        )
    verdicts.finish()


def test_from_stacks(
    rounds: Callable[[int, int], int], seed: int, random: np.random.Generator
) -> None:
    verdicts = Verdicts("from_stacks", seed)
    names = (*STACKS, "encoder_tokens", "decoder_tokens", "prettify_tokens")
    for _ in range(rounds(150, 3_000)):
        given: dict[str, Any] = {name: torch.ones(1, 2, 3, 3) / 3 for name in STACKS}
        given |= {"encoder_tokens": ["a", "b", "c"], "decoder_tokens": ["d", "e", "f"]}
        given = spoiled(random, given, names)
        verdicts.judge(described(given), lambda given=given: use(from_stacks(**given)), given)
    verdicts.finish()


def test_head_view_of_arrays(
    rounds: Callable[[int, int], int], seed: int, random: np.random.Generator
) -> None:
    verdicts = Verdicts("head_view of arrays", seed)
    own = ("layer", "heads", "include_layers", "include_heads", "display_mode", "html_action")
    names = (*(name for name in NAMES if name != "weights"), "attention", *own, *STACKS)
    for _ in range(rounds(250, 10_000)):
        given = valid(random)
        if "weights" in given:
            given["attention"] = given.pop("weights")
        given["html_action"] = "return"
        given = spoiled(random, given, names)

        def call(given: dict[str, Any] = given) -> None:
            view = head_view(**given)
            if view is not None:
                show(view)

        verdicts.judge(described(given), call, [*given, "model", "trace"])
    verdicts.finish()
