"""Models whose parameters are no ordinary tensors: quantized, distributed, or without numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz import extract, head_view, neuron_view
from tests.extractor.operations.own import DIM, HEADS, LENGTH, Own
from tests.models import batch_of, state_of


class Int8(Tensor):
    """A weight in eight bits, as torchao and optimum-quanto write theirs."""

    @staticmethod
    def __new__(cls, numbers: Tensor, scale: Tensor) -> Int8:
        return Tensor._make_wrapper_subclass(cls, numbers.shape, dtype=scale.dtype)

    def __init__(self, numbers: Tensor, scale: Tensor) -> None:
        self.numbers, self.scale = numbers, scale

    def __repr__(self) -> str:
        return f"Int8({tuple(self.shape)})"

    def dequantize(self) -> Tensor:
        return self.numbers.to(self.scale.dtype) * self.scale

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.detach.default:
            return cls(args[0].numbers, args[0].scale)
        args = [x.dequantize() if isinstance(x, Int8) else x for x in args]
        return func(*args, **(kwargs or {}))


class Flattened(Int8):
    """The same, with torch's protocol for what is inside."""

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["numbers", "scale"], None


def quantized(model: nn.Module, kind: type[Int8]) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            scale = module.weight.detach().abs().amax() / 127
            numbers = (module.weight.detach() / scale).round().to(torch.int8)
            module.weight = nn.Parameter(kind(numbers, scale), requires_grad=False)
    return model


@pytest.mark.parametrize("kind", [Int8, Flattened])
@pytest.mark.parametrize("architecture", ["bert", "llama", "t5"])
def test_quantized_weights(
    architecture: str, kind: type[Int8], build: Callable[[str], Any]
) -> None:
    model, batch = quantized(build(architecture), kind), batch_of(architecture)
    before = state_of(model)
    trace = extract(model, inputs=batch, batch_index=1, verify=True)
    assert state_of(model) == before
    assert trace.exactness is not None
    assert trace.exactness["max_difference"] < 1e-5
    for block in trace.blocks.values():
        for layer in block.layers:
            assert type(layer.queries) is Tensor
            assert type(layer.weights()) is Tensor
    assert head_view(trace, html_action="return").data
    assert neuron_view(trace, html_action="return").data


def test_a_product_with_a_wrapped_parameter_is_no_attention() -> None:
    model = Own(lambda q, k: (q @ k.mT).softmax(-1))
    codes = nn.Parameter(Int8(torch.ones(DIM, 5).to(torch.int8), torch.ones(())), False)
    model.register_parameter("codes", codes)
    plain = model.how
    model.how = lambda q, k: ((q @ model.codes).softmax(-1), plain(q, k))[1]
    trace = extract(model, inputs={"x": torch.randn(1, LENGTH, HEADS * DIM)})
    assert [len(block.layers) for block in trace.blocks.values()] == [1]


# --- distributed -----------------------------------------------------------------------------


@pytest.fixture
def processes() -> Iterator[Callable[[int], Any]]:
    """A mesh of one process, or of two of which the other does not exist."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh

    if not dist.is_available():
        pytest.skip("this build of torch is not distributed")

    def start(count: int) -> Any:
        if count == 1:
            dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
        else:
            from torch.testing._internal.distributed.fake_pg import FakeStore

            dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=count)
        return init_device_mesh("cpu", (count,))

    yield start
    if dist.is_initialized():
        dist.destroy_process_group()


def parallel(model: Any, mesh: Any) -> Any:
    from torch.distributed.tensor.parallel import (
        ColwiseParallel,
        RowwiseParallel,
        parallelize_module,
    )

    plan: dict[str, Any] = {}
    for name, _ in model.named_modules():
        if name.endswith(("q_proj", "k_proj", "v_proj")):
            plan[name] = ColwiseParallel()
        elif name.endswith("o_proj"):
            plan[name] = RowwiseParallel()
    return parallelize_module(model, mesh, plan)


def test_tensor_parallel(build: Callable[[str], Any], processes: Callable[[int], Any]) -> None:
    whole = extract(build("llama"), inputs=batch_of("llama"), batch_index=1)
    model = parallel(build("llama"), processes(1))
    trace = extract(model, inputs=batch_of("llama"), batch_index=1, verify=True)
    for layer, same in zip(*(t.blocks["decoder"].layers for t in (trace, whole)), strict=True):
        torch.testing.assert_close(layer.weights(), same.weights())
        assert type(layer.queries) is Tensor


class Distributed(nn.Module):
    """An attention whose queries and keys are distributed tensors themselves."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.query, self.key = (nn.Linear(8, 8) for _ in range(2))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        q, k = (f(x).unflatten(-1, (2, 4)).transpose(1, 2) for f in (self.query, self.key))
        if self.function == "sdpa":
            return F.scaled_dot_product_attention(q, k, k)
        return (q @ k.mT).softmax(-1) @ k


@pytest.mark.parametrize("function", ["sdpa", "matmul"])
def test_distributed_queries_and_keys(function: str, processes: Callable[[int], Any]) -> None:
    from torch.distributed.tensor import Replicate, distribute_module, distribute_tensor

    mesh = processes(1)
    torch.manual_seed(0)
    model, x = Distributed(function), torch.randn(1, 5, 8)
    expected = next(iter(extract(model, inputs={"x": x}).blocks.values())).layers[0].weights()
    distribute_module(model, mesh)
    spread = distribute_tensor(x, mesh, [Replicate()])
    try:
        model(spread)
    except NotImplementedError as error:
        pytest.skip(f"this version of torch does not distribute it: {error}")
    trace = extract(model, inputs={"x": spread}, verify=True)
    [layer] = next(iter(trace.blocks.values())).layers
    assert type(layer.queries) is Tensor
    torch.testing.assert_close(layer.weights(), expected)


def test_a_model_split_over_processes_is_refused(
    build: Callable[[str], Any], processes: Callable[[int], Any]
) -> None:
    model = parallel(build("llama"), processes(2))
    with pytest.raises(ValueError, match=r"split over 2 processes .* Load the model whole"):
        extract(model, inputs=batch_of("llama"), batch_index=1)


# --- without numbers -------------------------------------------------------------------------


def test_a_model_on_the_meta_device_is_refused(build: Callable[[str], Any]) -> None:
    model = build("bert").to("meta")
    with pytest.raises(ValueError, match=r"BertModel is on the meta device.*from_pretrained"):
        extract(model, inputs=batch_of("bert"), batch_index=0)


def test_inputs_on_the_meta_device_are_refused(build: Callable[[str], Any]) -> None:
    batch = {name: x.to("meta") for name, x in batch_of("bert").items()}
    with pytest.raises(ValueError, match=r"inputs\['input_ids'\] is on the meta device"):
        extract(build("bert"), inputs=batch, batch_index=0)


def test_a_fake_model_is_refused(build: Callable[[str], Any]) -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        model = nn.MultiheadAttention(8, 2)
    with pytest.raises(ValueError, match=r"MultiheadAttention was made in a FakeTensorMode"):
        extract(model, inputs={"query": torch.zeros(3, 1, 8)})
