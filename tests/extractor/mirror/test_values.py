"""What modules hold is copied where it is part of the model, and shared where it is not."""

from __future__ import annotations

import collections
import functools
import random
import threading
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor.mirror import Mirror, values


class Layer(nn.Module):
    """Says which object ran."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.calls = 0

    def forward(self, x: Tensor) -> Any:
        self.calls += 1
        return self


def outside() -> Any:
    """Callables that hold nothing of a model."""
    items = [1, 2]

    class Service:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        def run(self) -> list[int]:
            return items

    service = Service()
    return {
        "function": lambda: items,
        "default": lambda more=items: more,
        "partial": functools.partial(int, "3", base=8),
        "method": service.run,
        "cached": functools.lru_cache(lambda: items),
        "reference": weakref.ref(service),
        "proxy": weakref.proxy(service),
        "builtin": "text".upper,
        "service": service,
    }


def test_callables_that_hold_nothing_of_the_model_are_shared() -> None:
    model = nn.Linear(2, 2)
    held = outside()
    model.held = held
    model.register_forward_hook(held["function"])
    mirror = Mirror(model).model
    assert mirror.held is not held
    for name, value in held.items():
        assert mirror.held[name] is value, name
    assert next(iter(mirror._forward_hooks.values())) is held["function"]


def test_a_partial_is_copied_with_all_that_it_was_given() -> None:
    model = Layer()

    def called(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    partial = functools.partial(called, 1, model, 2, key=model, other=3)
    partial.note = "kept"
    model.held = {"partial": partial}
    copy = Mirror(model).model
    assert copy.held["partial"](4) == ((1, copy, 2, 4), {"key": copy, "other": 3})
    assert copy.held["partial"].note == "kept"
    assert partial(4)[0][1] is model


def test_a_function_is_copied_with_its_defaults_and_attributes() -> None:
    model = Layer()

    def function(x: int, y: int = 2, *, layer: Any = model, z: int = 3) -> Any:
        return x, y, layer, z

    function.note = "kept"
    model.held = {"function": function}
    copy = Mirror(model).model
    made = copy.held["function"]
    assert made(1) == (1, 2, copy, 3)
    assert (made.note, made.__name__, made.__qualname__, made.__module__) == (
        *("kept", function.__name__, function.__qualname__, function.__module__),
    )
    assert function(1)[2] is model


def test_a_hook_of_two_modules_is_copied_once() -> None:
    model = nn.Sequential(Layer(), Layer())

    def hook(*_: Any) -> Any:
        return model

    for layer in model:
        layer.register_forward_hook(hook)
    copy = Mirror(model).model
    one, other = (next(iter(layer._forward_hooks.values())) for layer in copy)
    assert one is other
    assert (one(), hook()) == (copy, model)


def test_a_hook_notes_where_the_user_reads() -> None:
    class Notes:
        def __init__(self) -> None:
            self.outputs: list[Any] = []

        def note(self, *given: Any) -> None:
            self.outputs.append(given)

    model, notes = Layer(), Notes()
    model.register_forward_hook(notes.note)
    copy = Mirror(model).model
    copy(torch.ones(2))
    assert len(notes.outputs) == 1


def test_a_method_of_a_container_changes_the_copy_of_it() -> None:
    model = Layer()
    model.seen = []
    model.add = model.seen.append
    copy = Mirror(model).model
    copy.add(1)
    assert (copy.seen, model.seen) == ([1], [])


def test_containers_keep_their_kind_and_what_they_know() -> None:
    class Own(dict):  # type: ignore[type-arg]
        pass

    Point = collections.namedtuple("Point", "x y")
    model = Layer()
    kept = {
        "default": collections.defaultdict(list, a=[1]),
        "deque": collections.deque([1, 2], maxlen=2),
        "ordered": collections.OrderedDict(b=1, a=2),
        "own": Own(a=[1]),
        "set": {1, 2},
        "frozen": frozenset({1, model}),
        "point": Point([1], model),
        "plain": (1, 2),
    }
    kept["own"].note = ["kept"]
    model.kept = kept
    copy = Mirror(model).model
    assert copy.kept["default"] == {"a": [1]}
    assert copy.kept["default"]["new"] == []
    copy.kept["default"]["a"].append(2)
    copy.kept["deque"].append(3)
    assert list(copy.kept["deque"]) == [2, 3]
    assert list(kept["deque"]) == [1, 2]
    assert list(copy.kept["ordered"]) == ["b", "a"]
    assert (type(copy.kept["own"]), copy.kept["own"], copy.kept["own"].note) == (
        *(Own, {"a": [1]}, ["kept"]),
    )
    assert copy.kept["own"].note is not kept["own"].note
    copy.kept["set"].add(3)
    assert kept["set"] == {1, 2}
    assert kept["default"] == {"a": [1]}
    assert copy.kept["frozen"] == {1, copy}
    assert (type(copy.kept["point"]), copy.kept["point"].y) == (Point, copy)
    assert copy.kept["point"].x is not kept["point"].x
    assert copy.kept["plain"] is kept["plain"], "nothing in it could change"


def test_what_is_part_of_a_model_and_what_is_a_service() -> None:
    class Data:
        def __init__(self) -> None:
            self.count, self.values = 0, [1, torch.zeros(2)]

    class Slotted:
        __slots__ = ("__dict__", "count", "unset")

        def __init__(self) -> None:
            self.count = [0]

    class Keeper:
        def __init__(self, layer: Any) -> None:
            self.layers, self.lock = {"a": layer}, threading.Lock()

    class Service:
        def __init__(self) -> None:
            self.lock, self.count = threading.Lock(), 0

    model = Layer()
    model.parts = {"data": Data(), "slotted": Slotted(), "keeper": Keeper(model)}
    model.service = Service()
    model.array = np.zeros(2)
    model.random = random.Random(3)
    copy = Mirror(model).model
    for name, value in model.parts.items():
        assert copy.parts[name] is not value, name
        assert type(copy.parts[name]) is type(value)
    assert copy.parts["slotted"].count == [0]
    assert copy.parts["slotted"].count is not model.parts["slotted"].count
    assert not hasattr(copy.parts["slotted"], "unset")
    assert copy.parts["data"].values[1] is not model.parts["data"].values[1]
    assert copy.parts["keeper"].layers["a"] is copy
    assert copy.parts["keeper"].lock is model.parts["keeper"].lock
    assert copy.service is model.service
    copy.array += 1
    copy.random.random()
    assert not model.array.any()
    assert model.random.getstate() == random.Random(3).getstate()


def test_data_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond them an object is a service: it might hold anything."""

    class Data:
        def __init__(self, value: Any) -> None:
            self.value = value

    def nested(depth: int) -> Any:
        value: Any = 1
        for _ in range(depth):
            value = [value]
        return value

    def is_copied(value: Any) -> bool:
        model = Layer()
        model.data = Data(value)
        return Mirror(model).model.data is not model.data

    for plain in (slice(0, 2), range(3), torch.Size([1]), torch.finfo(torch.float32)):
        assert is_copied(plain), plain
    assert not is_copied([].append)
    assert is_copied(nested(values.MOST_DEPTH - 1))
    assert not is_copied(nested(values.MOST_DEPTH + 2))
    assert is_copied(list(range(100)))
    monkeypatch.setattr(values, "MOST_VALUES", 50)
    assert is_copied(list(range(48)))
    assert not is_copied(list(range(51)))


def test_long_containers_hold_what_they_held() -> None:
    model, count = Layer(), values.MOST_ITEMS + 1
    model.held = {"tuple": tuple(range(count)), "list": list(range(count)), "set": {*range(count)}}
    copy = Mirror(model).model
    assert copy.held == model.held
    copy.held["list"].append(1)
    assert len(model.held["list"]) == count


def test_what_a_long_container_holds_is_copied_up_to_a_length() -> None:
    model = Layer()
    for count in (values.MOST_ITEMS, values.MOST_ITEMS + 1):
        model.held = [Tensor()] * count, (Tensor(),) * count, dict.fromkeys(range(count), Tensor())
        copy = Mirror(model).model
        held, copied = ([x[0] for x in one.held] for one in (model, copy))
        same = [one is other for one, other in zip(held, copied, strict=True)]
        assert same == [count > values.MOST_ITEMS] * 3


def test_a_module_that_cannot_be_made_anew_is_shared_and_told() -> None:
    class Both(nn.Module, dict):  # type: ignore[type-arg]
        """A module that is a dictionary as well."""

        __hash__ = object.__hash__

    model = nn.Sequential(nn.Linear(2, 2), Both())
    mirror = Mirror(model)
    assert mirror.model[1] is model[1]
    assert not mirror.is_copy(model[1])
    assert mirror.is_copy(mirror.model[0])
    with pytest.warns(UserWarning, match="1 modules \\(Both\\) cannot be copied"):
        mirror.warn()


def test_a_buffer_in_the_memory_of_a_parameter_stays_there() -> None:
    model = nn.Linear(3, 3)
    model.register_buffer("row", model.weight.detach()[0])
    model.register_buffer("own", torch.ones(3))
    copy = Mirror(model).model
    assert copy.row.data_ptr() == model.weight.data_ptr()
    assert copy.own.data_ptr() != model.own.data_ptr()


def test_large_arrays_are_shared_as_large_buffers_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MOST_BYTES", 16)
    model = Layer()
    model.small, model.large = np.zeros(2), np.zeros(3)
    copy = Mirror(model).model
    assert copy.small is not model.small
    assert copy.large is model.large


def test_generators_go_on_where_they_are_and_the_models_own_stay_there() -> None:
    model = Layer()
    model.random = random.Random(3)
    model.numpy = np.random.default_rng(3)
    model.torch = torch.Generator().manual_seed(3)
    copy = Mirror(model).model

    def draw(held: Any) -> list[Any]:
        return [held.random.random(), held.numpy.random(), *torch.rand(2, generator=held.torch)]

    assert draw(copy) == draw(model), "from the same place, and neither took from the other"


def test_dictionaries_that_hold_weakly_are_copied_with_what_they_hold() -> None:
    model = Layer()
    model.by_key = weakref.WeakKeyDictionary({model.linear: [1]})
    model.by_value = weakref.WeakValueDictionary({"linear": model.linear})
    copy = Mirror(model).model
    assert copy.by_value["linear"] is copy.linear
    copy.by_key[copy.linear].append(2)
    assert model.by_key[model.linear] == [1]


def test_containers_of_ones_own_keep_their_attributes() -> None:
    class Listed(list):  # type: ignore[type-arg]
        pass

    class Slots:
        __slots__ = "only"

        def __init__(self, only: Any) -> None:
            self.only = only

    model = Layer()
    model.listed, model.slots = Listed([1]), Slots(model)
    model.listed.owner = model
    copy = Mirror(model).model
    assert (type(copy.listed), copy.listed, copy.listed.owner) == (Listed, [1], copy)
    assert copy.slots.only is model.slots.only, "without a dictionary it is a service"
