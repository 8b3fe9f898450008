"""What a capture notes of attentions: their places, how they are compared, which are skipped."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor.capture import Capture
from bertviz.extractor.inputs import Reading
from bertviz.extractor.provenance import Provenance
from bertviz.extractor.records import Keep, Record


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.MultiheadAttention(4, 1, batch_first=True) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return x


def capture(**options: Any) -> Capture:
    keep = {name: options.pop(name) for name in ("layers", "heads") if name in options}
    reading = Reading.of(Model(), inputs={"x": torch.ones(1, 3, 4)})
    return Capture(reading, Keep(**keep), **options)


def add(made: Capture, path: str = "layers.0", cross: bool = False) -> Record:
    record = made.add(path, torch.ones(1, 3, 2), torch.ones(1, 3, 2), cross=cross, scaling=1.0)
    assert record is not None
    return record


def test_attentions_are_counted_by_tower_and_kind() -> None:
    made = capture()
    for path, cross in (
        ("layers.0", False),
        ("layers.1", False),
        ("layers.1", True),
        ("b.0", False),
    ):
        add(made, path, cross)
    assert [(r.order, r.place) for r in made.records] == [(0, 0), (1, 1), (0, 2), (0, 3)]
    assert made.depth == 2
    made.skip("layers.2", "a reason")
    [skip] = made.skipped
    assert (skip.order, skip.place, skip.cross, skip.shape) == (2, 4, False, None)
    made.enter(made.model, (), {})
    assert add(made).order == 0, "a new forward counts from the beginning"
    assert add(made).place == 6


@pytest.mark.parametrize("generating", [True, False])
def test_while_generating_the_kind_of_the_first_step_holds(generating: bool) -> None:
    made = capture(generating=generating)
    assert add(made, "layers.0", cross=True).cross
    assert add(made, "layers.0", cross=False).cross is generating
    made.skip("layers.0", "", shape=(1, 2))
    assert made.skipped[0].cross is generating
    assert made.skipped[0].shape == (None if generating else (1, 2)), "it grows from step to step"
    made.skip("layers.0", "", cross=not generating, order=7, place=9)
    assert (made.skipped[1].cross, made.skipped[1].order) == (not generating, 7)
    assert made.skipped[1].place == 9


@pytest.mark.parametrize("check", [True, False])
def test_the_first_steps_and_then_fewer_and_fewer_are_compared(check: bool) -> None:
    made = capture(check=check, generating=True)
    compared, asked = [], []
    for step in range(40):
        record = add(made)

        def note(rows: list[int] | None, step: int = step) -> None:
            compared.append(step)
            asked.append(rows)

        made.compare(record, note)
        assert record.near is None, "it was judged"
    assert compared == (list(range(40)) if check else [0, 1, 2, 3, 4, 8, 16, 32])
    assert set(asked) == {None}, "short texts are compared whole"
    made.compare(add(made, "layers.1"), note)
    assert compared[-1] == step, "every path begins anew"


def test_layers_that_share_a_module_are_all_compared() -> None:
    made, compared = capture(), list[int]()
    for layer in range(12):
        made.compare(add(made), lambda rows, layer=layer: compared.append(layer))
    assert compared == list(range(12))


def test_a_long_text_is_sampled_unless_it_is_to_be_verified() -> None:
    for check in (True, False):
        made = capture(check=check)
        record = made.add("a", torch.ones(1, 100, 2), torch.ones(1, 3, 2), cross=False, scaling=1.0)
        assert record is not None
        asked: list[Any] = []
        made.compare(record, asked.append)
        assert (asked == [None]) is check
        assert check or len(asked[0]) == 32


def test_what_cannot_be_shown_is_skipped_with_its_place() -> None:
    made = capture()
    records = [add(made, f"layers.{number}") for number in range(3)]
    records[0].difference = 0.5
    records[1].changed = "a reason"
    records[2].changed, records[2].used = "another", True
    made.settle()
    assert [record.path for record in made.records] == ["layers.2"]
    assert [(s.path, s.place, s.order, s.shape) for s in made.skipped] == [
        ("layers.0", 0, 0, (3, 3)),
        ("layers.1", 1, 1, (3, 3)),
    ]
    assert "5.0e-01" in made.skipped[0].reason
    assert made.skipped[1].reason == "a reason"


def test_skipped_attentions_are_in_the_order_of_the_model() -> None:
    made = capture()
    late = add(made)
    made.skip("layers.1", "early to be told")
    late.changed = "late to be told"
    made.settle()
    assert [skip.place for skip in made.skipped] == [0, 1]


@pytest.mark.parametrize("generating", [True, False])
def test_a_step_that_failed_takes_its_attention_along(generating: bool) -> None:
    made = capture(generating=generating)
    for step in range(3):
        made.enter(made.model, (), {})
        for path in ("layers.0", "layers.1"):
            record = add(made, path)
            if step == 1 and path == "layers.0":
                record.difference = math.inf
        made.leave(made.model)
    made.settle()
    left = [record.path for record in made.records]
    if generating:
        assert left == ["layers.1"] * 3
    else:
        assert sorted(left) == ["layers.0"] * 2 + ["layers.1"] * 3


def test_which_skips_are_of_layers_that_are_wanted() -> None:
    made = capture(layers=frozenset({1}))
    for path in ("layers.0", "layers.1", "other.1", "plain", "plain"):
        made.skip(path, "")
    assert [(s.path, s.order) for s in made.skips_wanted()] == [
        *(("layers.1", 1), ("other.1", 0), ("plain", 1)),
    ]
    every = capture()
    every.skip("layers.0", "")
    assert len(every.skips_wanted()) == 1


def test_the_innermost_module_that_is_not_torchs_own_has_the_attention() -> None:
    made = capture()
    assert made.path() == ""
    assert made.path(nn.Linear(1, 1)) == "Linear"
    assert made.path(made.model.layers[1]) == "layers.1"
    made.enter(made.model, (), {})
    assert made.path() == ""
    made.enter(made.model.layers[2], (), {})
    assert made.path() == "layers.2"
    made.enter(made.model.layers[2].out_proj, (), {})
    assert made.path() == "layers.2"
    made.leave(made.model.layers[2])
    assert made.path() == ""
    assert [frame.path for frame in made.frames] == [""], "what an exception ended is left too"
    only = Capture(
        Reading.of(nn.Sequential(nn.Linear(4, 4)), inputs={"input": torch.ones(1, 3, 4)}), Keep()
    )
    only.enter(only.model[0], (), {})
    assert only.path() == "0", "where there is nothing else"
    assert made.module("layers.1") is made.model.layers[1]
    assert made.module("layers.9") is None


def test_calls_are_counted_and_noted_nothing_of_inside_another() -> None:
    made = capture()
    made.count("a")
    made.count("a")
    made.count("b")
    assert made.seen == {"a": 2, "b": 1}
    with made.noting_nothing():
        with made.noting_nothing():
            assert made.quiet == 2
        assert made.quiet == 1
    assert made.quiet == 0
    steps: list[int] = []
    counting = capture(progress=lambda: steps.append(1))
    add(counting)
    add(counting)
    assert len(steps) == 2


# --- provenance -------------------------------------------------------------------------------


class Layer(nn.Module):
    def forward(
        self, x: Any, y: Any = None, position_bias: Any = None, attention_mask: Any = None
    ) -> Any:
        return x


def numbers(seed: int) -> Tensor:
    return torch.randn(2, 3, generator=torch.Generator().manual_seed(seed))


def test_a_tensor_is_traced_back_to_the_arguments_of_any_module() -> None:
    made = Provenance()
    x, y = numbers(0), numbers(1)
    start, given = made.given(Layer(), (x,), {"y": y})
    assert (start, len(given)) == (0, 2)
    one, other, both = x + 1, y * 2, x + y
    made.pass_on(one, (x, 1), {})
    made.pass_on((other,), (), {"y": y})
    made.pass_on(both, ([x, y],), {})
    of_x, of_y = (made.among(t, start, given) for t in (one, other))
    assert len(of_x) == len(of_y) == 1
    assert of_x != of_y
    assert made.among(both, start, given) == of_x | of_y
    assert made.among(numbers(2), start, given) == set()
    inner, inside = made.given(Layer(), (one,), {"y": both})
    assert inner == 2
    deep = one + 3
    made.pass_on(deep, (one,), {})
    assert len(made.among(deep, inner, inside)) == 1
    assert made.among(deep, start, given) == of_x, "of the enclosing module"
    assert made.among(deep, inner, given) == set(), "not before the module began"


def test_what_is_mixed_into_all_says_nothing() -> None:
    made, x = Provenance(), numbers(0)
    named = {"position_bias": numbers(1), "mask": numbers(2)}
    for args, kwargs, count in (
        ((x,), named, 1),
        ((x, numbers(3), numbers(4)), {}, 2),
        ((x, x), {}, 1),
        ((torch.ones(2, 3).long(),), {}, 0),
        ((torch.ones(3),), {}, 0),
        ((None, 3), {"y": "y"}, 0),
    ):
        assert len(made.given(Layer(), args, kwargs)[1]) == count
    assert made.given(nn.Linear(3, 3), (x,), {})[1] == frozenset(), "an operation with weights"
    attention = nn.MultiheadAttention(3, 1)
    assert len(made.given(attention, (x, numbers(5), numbers(6)), {})[1]) == 3


def test_memory_that_is_used_again_is_another_tensor() -> None:
    made, x = Provenance(), numbers(0)
    made.given(Layer(), (x,), {})
    made._of[id(x)] = (made._of[id(x)][0], made.of(x))
    assert made.of(x)
    stale = made._of[id(x)]
    y = numbers(1)
    made._of[id(y)] = stale
    assert made.of(y) == frozenset()
    made.pass_on(3, (x,), {})
    result = numbers(2)
    made.pass_on([result, None], (x, 2), {})
    assert made.of(result) == made.of(x)
