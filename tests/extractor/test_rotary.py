"""Which attentions rotate their queries and keys, from the modules that they hold or are given."""

from __future__ import annotations

from typing import Any

from torch import nn

from bertviz.extractor.rotary import rotates


class SomeRotaryEmbedding(nn.Module):
    pass


class Given(nn.Module):
    def forward(self, x: Any, position_embeddings: Any) -> Any:
        return x


class Plain(nn.Module):
    def forward(self, x: Any) -> Any:
        return x


def answer(attention: nn.Module, angles: bool = False, path: str = "attention", **own: Any) -> bool:
    for name, value in own.items():
        setattr(attention, name, value)
    modules = {"attention": attention, **({"angles": SomeRotaryEmbedding()} if angles else {})}
    return rotates(nn.ModuleDict(modules), path)


def test_an_attention_rotates_where_it_has_angles_or_is_given_them() -> None:
    assert answer(Given(), angles=True) is True
    assert answer(Given()) is False, "the model makes no angles"
    assert answer(Plain(), angles=True) is False, "it is not given them"
    assert answer(Plain(), own=SomeRotaryEmbedding()) is True
    assert answer(Plain(), rotary_dim=4) is True, "a table"
    assert answer(Plain(), rotary_dim=None) is False
    assert answer(Given(), angles=True, use_rope=False) is False
    assert answer(Given(), angles=True, use_rope=True) is True
    assert answer(Plain(), rotary_dim=4, use_rope=False) is False
    assert answer(Given(), angles=True, path="attention.gone") is False
