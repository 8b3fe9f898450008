"""Whatever an operation's arguments are passed as, its rule understands it."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bertviz import NothingCaptured, extract
from bertviz.extractor.operations import table
from tests.extractor.operations.own import DIM, HEADS, LENGTH, Own
from tests.extractor.operations.spellings import OPERATIONS, others, spellings

# Methods and operators of Python, which have one spelling; tests/…/ways.py has them.
PYTHON = {"iadd", "radd", "isub", "imul", "rmul", "idiv", "itruediv", "truediv", "rmatmul"}
PYTHON |= {"mT", "T", "getitem", "setitem", "requires_grad", "half", "bfloat16", "alias", "slice"}
PYTHON |= {"data"}
# Whole attentions, and what ends the following of scores.
OTHERS = {"scaled_dot_product_attention", "multi_head_attention_forward", "einsum", "baddbmm_"}
OTHERS |= {"fill", "copy", "zero", "index_fill", "masked_scatter", "index_copy", "view_as"}
OTHERS |= {"mm", "inner", "cuda"}  # of one head alone, or for other machines
OTHERS |= {"log_softmax", "special_log_softmax"}  # of unknown scores alone
OTHERS |= {"special_softmax"}  # as torch.special.softmax calls itself


def understood(how: Callable[[Tensor, Tensor], Tensor]) -> bool | None:
    """Whether the attention is captured; None where torch itself refuses the spelling."""
    model, x = Own(how), torch.randn(1, LENGTH, HEADS * DIM)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            model(x)
    except Exception:
        return None
    try:
        [block] = extract(model, inputs={"x": x}, verify=True).blocks.values()
    except NothingCaptured:
        return False
    assert model.weights is not None
    own = model.weights[0].detach().float()
    return torch.allclose(block.layers[0].weights(), own, atol=2e-6, rtol=0)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_spelling_that_torch_accepts(name: str) -> None:
    found = {way: understood(how) for way, how in spellings(name, OPERATIONS[name])}
    legal = {way: answer for way, answer in found.items() if answer is not None}
    assert legal, f"{name}: torch accepts none of {list(found)}"
    assert not [way for way, answer in legal.items() if not answer]


@pytest.mark.parametrize(
    ("name", "how"), list(others()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_spellings_of_their_own(name: str, how: Callable[[Tensor, Tensor], Tensor]) -> None:
    assert understood(how), name


def test_every_rule_has_its_spellings_tested() -> None:
    names = {getattr(name, "__name__", name) for name in table._rules} | table._arrangements
    assert names - set(OPERATIONS) - PYTHON - OTHERS <= {"where", table.OPAQUE}
