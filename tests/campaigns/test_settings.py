"""Whatever torch's settings are, everything says the same as under the default ones."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch

from bertviz import extract, find_patterns
from tests.campaigns.torch_settings import (
    OF_A_MODEL,
    OF_A_TRACE,
    difference,
    drawn,
    numbers,
    plain,
    under,
)
from tests.models import (
    DECODERS,
    ENCODERS,
    TWO_STACKS,
    A,
    B,
    architectures,
    architectures_by_operations,
    batch_of,
)

FEW = ["bert", "bart", "bloom"]
MANY = [*ENCODERS, *DECODERS, *TWO_STACKS, *architectures_by_operations()]
# Inside autocast a model computes in a shorter form, and random weights make its attention sharp.
ROUNDED = 2.0

Doings = Mapping[str, Callable[[], Any]]


def built(name: str) -> Any:
    """A model with weights that make sharp attention."""
    torch.manual_seed(0)
    model = {**architectures(), **architectures_by_operations()}[name]()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def runs(call: Callable[[], Any], names: tuple[str, ...]) -> bool:
    """Whether the model itself runs under these settings."""
    try:
        with torch.no_grad(), under(names):
            call()
    except Exception:
        return False
    return True


class Tally:
    """What was tried, and what did not give the same."""

    def __init__(self) -> None:
        self.count = 0
        self.failures: list[tuple[str, tuple[str, ...], str, str]] = []

    def compare(
        self,
        doings: Doings,
        expected: Mapping[str, Any],
        names: tuple[str, ...],
        name: str,
        allowed: float,
    ) -> None:
        for what, do in doings.items():
            self.count += 1
            try:
                with under(names):
                    found = do()
            except Exception as error:
                why = f"{type(error).__name__}: {error}"[:150]
            else:
                off = difference(expected[what], found)
                why = "" if off <= allowed else f"differs by {off:.1e}"
            if why:
                self.failures.append((what, names, name, why))

    def close(self, what: str, seed: int) -> None:
        kinds = dict(Counter(each for each, *_ in self.failures))
        print(f"\n{what}: {len(self.failures)} of {self.count} failed (seed {seed})", kinds or "")
        assert not self.failures, (seed, self.failures[:10])


def test_nothing_depends_on_torch_settings(
    rounds: Callable[[int, int], int], seed: int, random: np.random.Generator
) -> None:
    warnings.simplefilter("ignore")
    known = FEW if rounds(0, 1) == 0 else MANY

    @cache
    def made(name: str) -> tuple[Any, dict[str, Any], Any, dict[str, Any]]:
        model, batch = built(name), batch_of(name)
        trace = extract(model, inputs=batch, batch_index=1)
        expected = {what: do(trace) for what, do in OF_A_TRACE.items()}
        expected |= {what: do(model, batch) for what, do in OF_A_MODEL.items()}
        return model, batch, trace, expected

    tally = Tally()
    for _ in range(rounds(3, 200)):
        name = known[int(random.integers(len(known)))]
        model, batch, trace, expected = made(name)
        names = drawn(random)
        # The trace is the same, so the answers are, to the bit.
        of_trace = {what: partial(do, trace) for what, do in OF_A_TRACE.items()}
        tally.compare(of_trace, expected, names, name, allowed=0.0)
        if runs(partial(model, **batch), names):
            allowed = ROUNDED if "autocast" in " ".join(names) else 1e-5
            of_model = {what: partial(do, model, batch) for what, do in OF_A_MODEL.items()}
            tally.compare(of_model, expected, names, name, allowed)
    tally.close("settings", seed)


@pytest.mark.parametrize("kind", ["BertForMaskedLM", "GPT2LMHeadModel"])
def test_texts_are_read_under_any_settings(
    kind: str,
    rounds: Callable[[int, int], int],
    seed: int,
    random: np.random.Generator,
    word_tokenizer: Callable[..., Any],
) -> None:
    import transformers

    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    if kind == "BertForMaskedLM":
        size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
        config: Any = transformers.BertConfig(**size, intermediate_size=37, vocab_size=99)
        tokenizer = word_tokenizer()
    else:
        config = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=99)
        tokenizer = word_tokenizer(model_input_names=["input_ids", "attention_mask"])
    model = getattr(transformers, kind)(config).eval()
    doings: dict[str, Callable[[], Any]] = {
        "a text": lambda: numbers(extract(model, tokenizer, A)),
        "a pair": lambda: numbers(extract(model, tokenizer, A, B)),
        "patterns of texts": lambda: [
            (row["block"], row["layer"], row["head"], row["pattern"])
            for row in plain(find_patterns(model, tokenizer, [A, (A, B)]))
        ],
    }
    if kind != "BertForMaskedLM":
        doings["generation"] = lambda: numbers(
            extract(model, tokenizer, A, generate={"max_new_tokens": 3, "do_sample": False})
        )
    expected = {what: do() for what, do in doings.items()}
    ids = tokenizer(A, return_tensors="pt")

    tally = Tally()
    for _ in range(rounds(4, 60)):
        names = drawn(random)
        if not runs(partial(model, **ids), names):
            continue
        cast = "autocast" in " ".join(names)  # then it may write another text
        some = dict(doings)
        if cast or not ("generation" in some and runs(partial(model.generate, **ids), names)):
            some.pop("generation", None)
        allowed = ROUNDED if cast else 1e-5
        tally.compare(some, expected, names, kind, allowed)
    tally.close(f"settings, {kind}", seed)
