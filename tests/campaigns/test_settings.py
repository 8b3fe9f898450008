"""Whatever torch's settings are, everything says the same as under the default ones."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import torch

from tests.campaigns.torch_settings import OF_A_MODEL, OF_A_TRACE, difference, drawn, under
from tests.models import (
    DECODERS,
    ENCODERS,
    TWO_STACKS,
    architectures,
    architectures_by_operations,
    batch_of,
)

FEW = ["bert", "gemma2", "bart", "bloom"]
MANY = [*ENCODERS, *DECODERS, *TWO_STACKS, *architectures_by_operations()]


def built(name: str) -> Any:
    """A model with weights that make sharp attention."""
    torch.manual_seed(0)
    model = {**architectures(), **architectures_by_operations()}[name]()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def runs(model: Any, batch: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Whether the model itself runs under these settings."""
    try:
        with torch.no_grad(), under(names):
            model(**batch)
    except Exception:
        return False
    return True


def test_nothing_depends_on_torch_settings(
    rounds: Callable[[int, int], int],
    seed: int,
    random: np.random.Generator,
) -> None:
    from bertviz import extract

    warnings.simplefilter("ignore")
    known = FEW if rounds(0, 1) == 0 else MANY

    @cache
    def made(name: str) -> tuple[Any, dict[str, Any], Any, dict[str, Any]]:
        model, batch = built(name), batch_of(name)
        trace = extract(model, inputs=batch, batch_index=1)
        expected = {what: do(trace) for what, do in OF_A_TRACE.items()}
        expected |= {what: do(model, batch) for what, do in OF_A_MODEL.items()}
        return model, batch, trace, expected

    count, failures = 0, []
    for _ in range(rounds(10, 200)):
        name = known[int(random.integers(len(known)))]
        model, batch, trace, expected = made(name)
        names = drawn(random)
        own = "autocast" in " ".join(names)
        doings = {what: partial(do, trace) for what, do in OF_A_TRACE.items()}
        if runs(model, batch, names):
            doings |= {what: partial(do, model, batch) for what, do in OF_A_MODEL.items()}
        for what, do in doings.items():
            count += 1
            try:
                with under(names):
                    found = do()
            except Exception as error:
                failures.append((what, names, name, f"{type(error).__name__}: {error}"[:150]))
                continue
            off = difference(expected[what], found)
            allowed = (2.0 if own else 1e-5) if what in OF_A_MODEL else 0.0
            if not off <= allowed:
                failures.append((what, names, name, f"differs by {off:.1e}"))
    print(f"\nsettings: {len(failures)} of {count} failed (seed {seed})", end=" ")
    print(dict(Counter(what for what, *_ in failures)) or "")
    assert not failures, (seed, failures[:10])
