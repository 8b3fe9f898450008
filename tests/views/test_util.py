"""The helper functions of ``bertviz.util``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bertviz.util import format_attention, format_special_chars, num_heads, num_layers


def layers(count: int = 3, batch: int = 1, heads: int = 4) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    return tuple(torch.randn(batch, heads, 5, 5).softmax(-1) for _ in range(count))


def test_all_layers_are_one_tensor() -> None:
    attention = layers()
    whole = format_attention(attention)
    assert torch.equal(whole, torch.cat(attention))
    assert torch.equal(format_attention(attention, [2, 0], [1]), whole[[2, 0]][:, [1]])
    assert torch.equal(format_attention(attention, [], []), whole)
    assert torch.equal(format_attention(attention, np.array([-1]), range(2)), whole[[-1], :2])
    assert torch.equal(format_attention(torch.stack(attention)), whole)
    assert (num_layers(attention), num_heads(attention)) == (3, 4)


def test_several_texts_keep_their_dimension() -> None:
    attention = layers(batch=2)
    assert format_attention(attention).shape == (3, 2, 4, 5, 5)
    assert torch.equal(format_attention(attention, heads=[3]), torch.stack(attention)[:, :, [3]])
    assert num_heads(attention) == 4


def test_type_and_gradients_stay() -> None:
    attention = [layer.half().requires_grad_() for layer in layers()]
    whole = format_attention(attention)
    assert whole.dtype is torch.float16
    assert whole.requires_grad


@pytest.mark.parametrize(
    ("attention", "options", "error", "message"),
    [
        ((), {}, ValueError, r"pass outputs\.attentions"),
        ((None, None), {}, ValueError, r"attention\[0\] is a NoneType.*eager"),
        (None, {}, TypeError, "attention is a NoneType"),
        ("abc", {}, TypeError, "attention is a str"),
        ([1, 2], {}, TypeError, r"attention\[0\] is an int"),
        (torch.zeros(1, 5, 8), {}, ValueError, r"attention\[0\] has shape \(5, 8\)"),
        (layers(), {"layers": [3]}, ValueError, "layers holds 3, .* out of range"),
        (layers(), {"heads": [4]}, ValueError, "heads holds 4, .* out of range"),
        (layers(), {"heads": ["a"]}, TypeError, "heads='a' is a str"),
        ((*layers(1), *layers(1, heads=2)), {}, ValueError, "which cannot be one tensor"),
    ],
)
def test_mistakes_are_named(
    attention: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        format_attention(attention, **options)


def test_counts_of_nothing() -> None:
    for count in (num_layers, num_heads):
        with pytest.raises(ValueError, match=r"pass outputs\.attentions"):
            count(())
    with pytest.raises(ValueError, match=r"attention\[0\] has shape \(5,\)"):
        num_heads([torch.zeros(5)])


def test_marks_become_spaces() -> None:
    assert format_special_chars(("Ġa", "▁b", "c</w>", "##d")) == [" a", " b", "c", "##d"]
    with pytest.raises(TypeError, match="one string"):
        format_special_chars("Ġa")
    with pytest.raises(TypeError, match=r"tokens\[1\] is an int"):
        format_special_chars(["a", 1])  # type: ignore[list-item]
