"""Over which axis of a tensor an operation sums up products.

The problem. ``weights @ values`` ends an attention, a mixture of heads does not; both may be the
same function of torch, and differ only in the axis that is summed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import Any

from torch import Tensor

# Operations that are linear in a product, with the place of the product's left operand.
PRODUCTS = {
    **dict.fromkeys(("matmul", "rmatmul", "bmm", "mm", "mv"), 0),
    **dict.fromkeys(("baddbmm", "addmm", "addbmm"), 1),
}
# What scores and weights do not survive as such.
ENDS = frozenset(
    (
        *PRODUCTS,
        *("einsum", "linear", "bilinear", "tensordot", "inner", "dot", "embedding"),
        *("conv1d", "conv2d", "conv3d", "lstm", "gru"),
        *("layer_norm", "rms_norm", "group_norm", "batch_norm", "instance_norm"),
        *("scaled_dot_product_attention", "multi_head_attention_forward"),
        *("softmax", "cross_entropy", "nll_loss"),
        *("sum", "mean", "amax", "amin", "norm", "vector_norm", "logsumexp", "std", "var", "prod"),
        *("median", "nansum", "nanmean"),
    )
)


def summed(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], tensor: Tensor
) -> tuple[int, Any] | None:
    """The axis of a tensor that an operation sums over, and the other factor.

    Args:
        name: The operation's name, without underscores.
        args: Its arguments.
        kwargs: Its arguments by name.
        tensor: One of them.

    Returns:
        None if the operation is not a sum of products with one other factor.

    >>> import torch
    >>> weights, values = torch.ones(4, 5), torch.ones(5, 3)
    >>> summed("matmul", (weights, values), {}, weights)[0]
    1
    >>> summed("einsum", ("hi,hg->gi", weights, torch.ones(4, 4)), {}, weights)[0]
    0
    """
    values = [*args, *kwargs.values()]
    if name in PRODUCTS:
        factors = values[PRODUCTS[name] :][:2]
        if name == "rmatmul":
            factors.reverse()
        if len(factors) == 2 and factors[0] is tensor:
            return tensor.ndim - 1, factors[1]
        if len(factors) == 2 and factors[1] is tensor:
            return max(0, tensor.ndim - 2), factors[0]
    if name == "linear" and len(values) > 1 and values[0] is tensor:
        return tensor.ndim - 1, values[1]
    if name == "conv2d" and values[0] is tensor and tensor.ndim == 4:
        return 1, values[1]
    if name == "einsum" and isinstance(values[0], str):
        given = values[1] if isinstance(values[1], list | tuple) else values[1:]
        return _of_letters(values[0], given, tensor)
    return None


def spelled_out(equation: str, operands: Sequence[Tensor]) -> tuple[str, str, str] | None:
    """The letters of two operands and of their product, with letters in place of each ellipsis.

    Returns:
        None if the product is not written out, or there are not two operands.

    >>> import torch
    >>> spelled_out("...id, ...jd -> ...ij", (torch.ones(2, 3, 4), torch.ones(2, 5, 4)))
    ('Zid', 'Zjd', 'Zij')
    """
    left, arrow, out = equation.replace(" ", "").partition("->")
    names = left.split(",")
    if not arrow or len(names) != 2 or len(operands) != 2:
        return None
    free = "".join(c for c in ascii_letters if c not in equation)
    rest = [
        free[len(free) - max(0, x.ndim - len(name.replace("...", ""))) :]
        for name, x in zip(names, operands, strict=True)
    ]
    first, second = (
        name.replace("...", letters) for name, letters in zip(names, rest, strict=True)
    )
    return first, second, out.replace("...", max(rest, key=len))


def _of_letters(equation: str, operands: Sequence[Any], tensor: Tensor) -> tuple[int, Any] | None:
    spelled = spelled_out(equation, operands)
    if spelled is None:
        return None
    place = 0 if operands[0] is tensor else 1
    gone = [axis for axis, letter in enumerate(spelled[place]) if letter not in spelled[2]]
    return (gone[0], operands[1 - place]) if len(gone) == 1 else None
