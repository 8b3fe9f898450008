"""What runs is a copy of every module, whichever way it is reached; parameters are shared."""

from __future__ import annotations

import collections
import functools
import types
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor import extract
from bertviz.extractor.mirror import Mirror, tensors
from tests.campaigns.left import differences, state
from tests.models import DECODERS, ENCODERS, TWO_STACKS, batch_of


class Layer(nn.Module):
    """Says which object ran."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.calls = 0

    def forward(self, x: Tensor) -> Any:
        self.calls += 1
        return self


class Holder:
    def __init__(self, layer: nn.Module) -> None:
        self.layer = layer

    def run(self, x: Tensor) -> Any:
        return self.layer(x)


def ways() -> dict[str, Callable[[nn.Module, Layer], Callable[[Tensor], Any]]]:
    """Ways to hold a layer: each gives what the model calls to run it."""

    def closed_over(model: nn.Module, layer: Layer) -> Any:
        return lambda x: layer(x)

    def nested(model: nn.Module, layer: Layer) -> Any:
        inner = layer.forward

        def outer(x: Tensor, _again: bool = True) -> Any:
            return outer(x, False) if _again else inner(x)

        return outer

    def in_list(model: nn.Module, layer: Layer) -> Any:
        layers = [layer]
        return lambda x: layers[0](x)

    def proxied(model: nn.Module, layer: Layer) -> Any:
        model.kept = [layer]
        return weakref.proxy(layer)

    def referred(model: nn.Module, layer: Layer) -> Any:
        model.kept = [layer]
        return functools.partial(lambda reference, x: reference()(x), weakref.ref(layer))

    return {
        "bound method": lambda model, layer: layer.forward,
        "partial": lambda model, layer: functools.partial(Layer.forward, layer),
        "partial of a bound method": lambda model, layer: functools.partial(layer.forward),
        "closure": closed_over,
        "nested closures": nested,
        "list in a closure": in_list,
        "default": lambda model, layer: lambda x, layer=layer: layer(x),
        "object": lambda model, layer: Holder(layer).run,
        "cached": lambda model, layer: functools.lru_cache(layer.forward),
        "proxy": proxied,
        "weak reference": referred,
        "compiled": lambda model, layer: torch.compile(layer, backend="eager"),
        "patched method": lambda model, layer: types.MethodType(Layer.forward, layer),
    }


class Model(nn.Module):
    def __init__(self, way: Callable[..., Any]) -> None:
        super().__init__()
        self.layer = Layer()
        self.held = {"way": way(self, self.layer)}

    def forward(self, x: Tensor) -> Any:
        return self.held["way"](x)


@pytest.mark.parametrize("name", list(ways()))
def test_the_copy_runs(name: str) -> None:
    model = Model(ways()[name])
    before = state(model)
    mirror = Mirror(model)
    if name == "compiled":
        from bertviz.extractor.surroundings import Surroundings

        ran = Surroundings().kept(lambda: mirror.model(torch.ones(2)))
    else:
        ran = mirror.model(torch.ones(2))
    assert ran is mirror.model.layer
    assert ran is mirror.of(model.layer)
    assert ran is not model.layer
    assert ran.linear.weight is model.layer.linear.weight
    assert not ran.training
    assert model.layer.calls == 0
    assert differences(before, state(model)) == []


def test_what_is_tied_stays_tied() -> None:
    layer = Layer()
    model = nn.ModuleDict({"a": layer, "b": nn.ModuleList([layer])})
    model.back = [model]
    model.register_buffer("whole", torch.arange(6.0))
    model.register_buffer("part", model.whole[2:4])
    model.register_buffer("repeated", torch.zeros(1).expand(1000, 1000))
    copy = Mirror(model).model
    assert copy["a"] is copy["b"][0]
    assert copy.back[0] is copy
    copy.whole.fill_(7.0)
    assert copy.part.tolist() == [7.0, 7.0]
    assert model.part.tolist() == [2.0, 3.0]
    assert copy.repeated.untyped_storage().nbytes() == 4


class Counting(nn.Module):
    """Changes all that a forward may change."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.number = 0
        self.history: list[int] = []
        self.cache = collections.OrderedDict(last=torch.zeros(2))
        self.stats = types.SimpleNamespace(count=0, total=torch.zeros(2))
        self.random = torch.Generator().manual_seed(3)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True, dropout=0.5)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.number += 1
        self.history.append(self.number)
        self.cache["last"].add_(1)
        self.cache["more"] = x
        self.stats.count += 1
        self.stats.total += 1
        x[:, 0] = torch.rand(8, generator=self.random)
        out: Tensor = self.attention(x, x, x)[0]
        return out


def test_what_a_forward_changes_ends_with_the_mirror() -> None:
    model, x = Counting().train(), torch.ones(1, 3, 8)
    seed = model.random.get_state()
    before = state(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extract(model, inputs={"x": x})
    assert differences(before, state(model)) == []
    assert (model.history, list(model.cache), model.stats.count) == ([], ["last"], 0)
    assert not model.stats.total.any()
    assert torch.equal(model.random.get_state(), seed)
    assert torch.equal(x, torch.ones(1, 3, 8))


class Written(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.scale = nn.Parameter(torch.ones(8))
        self.register_buffer("table", torch.ones(8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        getattr(self, self.name).mul_(0.5)
        out: Tensor = self.attention(x, x, x)[0]
        return out


@pytest.mark.parametrize("name", ["scale", "table"])
def test_what_is_shared_and_changed_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "MOST_BYTES", 8)
    model = Written(name)
    with pytest.warns(UserWarning, match=f"^{name} of the model changed while it ran"):
        extract(model, inputs={"x": torch.ones(1, 3, 8)})


def test_hooks_of_the_user_run_and_reach_what_is_theirs(build: Callable[..., Any]) -> None:
    model, seen, count = build("bert"), [], 0

    def hook(module: nn.Module, args: Any, output: Any) -> None:
        nonlocal count
        count += 1
        seen.append(module)

    class Recorder:
        def __init__(self) -> None:
            self.model, self.outputs = model, []

        def note(self, module: nn.Module, args: Any, output: Any) -> None:
            self.outputs.append(output)

    recorder = Recorder()
    model.encoder.layer[0].register_forward_hook(hook)
    model.encoder.layer[1].register_forward_hook(recorder.note)
    extract(model, inputs=batch_of("bert"), batch_index=0)
    assert (count, len(seen), len(recorder.outputs)) == (1, 1, 1)
    assert not any(seen[0] is module for module in model.modules())


def test_a_handle_removes_the_hook_of_the_copy() -> None:
    class Once(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.MultiheadAttention(8, 2, batch_first=True)
            self.handle = self.inner.register_forward_hook(lambda *_: None)

        def forward(self, x: Tensor) -> Any:
            self.handle.remove()
            return self.inner(x, x, x)[0]

    model = Once()
    extract(model, inputs={"x": torch.ones(1, 3, 8)})
    assert len(model.inner._forward_hooks) == 1


def test_a_lazy_model_stays_lazy() -> None:
    class Lazy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.LazyLinear(8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Tensor) -> Any:
            x = self.first(x)
            return self.attention(x, x, x)[0]

    model = Lazy()
    assert extract(model, inputs={"x": torch.ones(1, 3, 5)}).num_layers == 1
    assert type(model.first) is nn.LazyLinear
    assert isinstance(model.first.weight, nn.UninitializedParameter)
    assert len(model.first._forward_pre_hooks) == 1


def test_parametrized_and_normed_weights() -> None:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = torch.nn.utils.weight_norm(nn.Linear(8, 8))
    new = torch.nn.utils.parametrizations.spectral_norm(nn.Linear(8, 8))
    model = nn.Sequential(old, new).train()
    x = torch.randn(3, 8)
    with torch.no_grad():
        before = state(model)
        out = Mirror(model).model(x)
        assert differences(before, state(model)) == []
        torch.testing.assert_close(out, model.eval()(x))


def test_a_script_in_train_mode_is_told() -> None:
    class Scripted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.jit.script(nn.Dropout(0.5))
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Tensor) -> Any:
            x = self.first(x)
            return self.attention(x, x, x)[0]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model = Scripted()
        with pytest.warns(UserWarning, match="cannot be copied, so they ran in train mode"):
            extract(model.train(), inputs={"x": torch.ones(1, 3, 8)})
        warnings.simplefilter("error", UserWarning)
        extract(model.eval(), inputs={"x": torch.ones(1, 3, 8)})


@pytest.mark.parametrize("architecture", [*ENCODERS, *DECODERS, *TWO_STACKS, "vit", "clip"])
def test_a_mirror_computes_the_same(architecture: str, build: Callable[..., Any]) -> None:
    model, batch = build(architecture), batch_of(architecture)
    with torch.no_grad():
        right = model(**batch)[0]
        mirror = Mirror(model.train()).model
        assert torch.equal(mirror(**batch)[0], right)
    assert not {*map(id, model.modules())} & {*map(id, mirror.modules())}
    assert [n for n, _ in mirror.named_modules()] == [n for n, _ in model.named_modules()]
    assert all(module.training for module in model.modules())
    configs = [module.config for module in mirror.modules() if hasattr(module, "config")]
    own = {id(module.config) for module in model.modules() if hasattr(module, "config")}
    assert configs
    assert not own & {*map(id, configs)}
