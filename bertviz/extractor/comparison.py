"""How far what was captured is from what the model computed in the same run.

The problem. A capture that misread a model gives weights that look like attention. So every record
is compared with the model's own numbers before it is shown: with its weights, where there are any,
or else with what the attention returned for its values. For short texts all rows are compared, for
long ones a sample: computing all weights of a long text would cost more than the model itself.
`verify` compares all rows, whatever it costs.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor

from bertviz.trace import Formula
from bertviz.trace.masks import MASKED

# The largest difference of weights that rounding explains, by what the model computes in. Kernels
# in half precision round what they sum up; T5, whose scores are large, differs by 4e-6 in float32.
TOLERANCE = {"float64": 1e-4, "float32": 1e-4, "float16": 1e-2, "bfloat16": 6e-2}
ROWS = 32  # of a long text that are compared with what the attention returned
WEIGHTS = 1 << 26  # how many are compared with the model's own weights
AT_ONCE = 1 << 18  # weights that are computed at a time: as many as stay in a processor's cache
AT_ONCE_AFAR = 1 << 24  # likewise elsewhere, where each step costs more than its numbers
FEWEST_ROWS = 16  # at a time, as products of few rows are slow

Compare = Callable[[list[int], slice | list[int], Tensor], Tensor]


def sample(count: int, most: int) -> list[int] | None:
    """Which rows to compare: None for all; of more than ``most``, some, with the first and last.

    >>> sample(9, 64), len(sample(1000, 64)), sample(1000, 64)[0]
    (None, 64, 0)
    """
    if count <= most:
        return None
    inner = random.Random(count).sample(range(1, count - 1), max(most, 3) - 2)
    return [0, *sorted(inner), count - 1]


def largest(formula: Formula, rows: list[int] | None, compare: Compare) -> Tensor:
    """The largest difference over all heads, as a tensor; infinite where one is not a number.

    Rows that see nothing, those of padding, are left out: kernels fill them arbitrarily.

    Args:
        formula: What was captured, on the model's device.
        rows: Which queries; all by default.
        compare: Given places of heads, rows and their weights, (heads, rows, key), which it may
            write over, gives the differences, (heads, rows, anything).
    """
    queries, keys = formula.shape
    count = queries if rows is None else len(rows)
    most = most_at_once(formula.queries)
    height = min(count, max(FEWEST_ROWS, most // max(1, keys)))
    step = max(1, most // max(1, height * keys))
    # Where heads share their mask, it is read once.
    shared = all(x is None or x.shape[0] == 1 for x in (formula.mask, formula.position_bias))
    found = []
    for start in range(0, count, height):
        end = min(start + height, count)
        part = slice(start, end) if rows is None else rows[start:end]
        bias = blind = None
        for first in range(0, formula.num_heads, step):
            places = list(range(first, min(first + step, formula.num_heads)))
            if bias is None or not shared:
                bias = formula.bias(places, part)
                blind = None if bias is None else bias.amax(-1) <= MASKED  # NaN is no mask
            weights = formula.weights_with(bias, places, part)
            off = compare(places, part, weights).abs_().amax(-1)
            off = torch.where(off.isnan(), torch.inf, off)
            found.append((off if blind is None else off.masked_fill(blind, 0.0)).amax())
    return torch.stack(found).amax().float()


def most_at_once(tensor: Tensor) -> int:
    """How many weights to compute at a time where a tensor is."""
    return AT_ONCE if tensor.device.type == "cpu" else AT_ONCE_AFAR


def overflows(formula: Formula) -> bool:
    """Whether a row that sees something has weights that are not numbers."""
    return bool(largest(formula, None, lambda _, __, ours: ours).isinf())


def reach(queries: Tensor, keys: Tensor) -> float:
    """A bound on all products of queries and keys; NaN if one is not a number."""
    lengths = []
    for tensor in (queries, keys):
        wide = torch.promote_types(tensor.dtype, torch.float32)
        lengths.append(torch.linalg.vector_norm(tensor, dim=-1, dtype=wide).amax().double())
    return float(lengths[0] * lengths[1])


def tolerated(dtype: torch.dtype, scores: float) -> float:
    """The largest difference that rounding explains.

    Args:
        dtype: What the model multiplies in, see `multiplied_in`.
        scores: A bound on the size of the scores. Rounding them in half precision moves a weight by
            the rounding error of its score.

    >>> round(tolerated(torch.float32, 10.0), 6), round(tolerated(torch.bfloat16, 1000.0), 2)
    (0.000101, 0.16)
    """
    rounding = torch.finfo(dtype).eps * scores
    base = TOLERANCE.get(str(dtype).removeprefix("torch."), 1e-4)
    return base + (0.1 if rounding != rounding else min(0.1, rounding))


def multiplied_in(dtype: torch.dtype, device: torch.device) -> torch.dtype:
    """The precision of matrix products here and now: the user may allow less than the dtype's."""
    if dtype != torch.float32 or device.type == "meta":
        return dtype
    if torch.is_autocast_enabled(device.type):
        return torch.get_autocast_dtype(device.type)
    return dtype if _precision(device) in ("none", "ieee") else torch.bfloat16


def _precision(device: torch.device) -> str:
    """The precision that the user allows for products in float32: "ieee" is all of it.

    torch's settings of old cannot be read once a new one was made, but the new ones always can.
    """
    backend = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    found = getattr(getattr(backend, "matmul", None), "fp32_precision", None)
    if found is None:  # torch < 2.9
        found = {"highest": "ieee", "high": "tf32"}.get(
            torch.get_float32_matmul_precision(), "bf16"
        )
    return str(found)


def coarser(one: torch.dtype, other: torch.dtype) -> torch.dtype:
    """The dtype that rounds more.

    >>> coarser(torch.float32, torch.float16), coarser(torch.bfloat16, torch.float16)
    (torch.float16, torch.bfloat16)
    """
    return max(one, other, key=lambda dtype: torch.finfo(dtype).eps)
