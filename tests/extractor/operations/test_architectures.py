"""Attention seen in torch operations, in architectures that do not use the kernel interface."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bertviz import extract
from tests.models import TOLERANCE, architectures_by_operations, state_of

DECODERS = ("bloom", "falcon", "falcon alibi", "gptj", "mpt", "openai-gpt")


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("architecture", architectures_by_operations())
def test_architectures_without_the_interface(architecture: str, row: int, verify: bool) -> None:
    torch.manual_seed(0)
    maker = architectures_by_operations()[architecture]
    model = maker().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    ids = torch.randint(5, 99, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    batch = {"input_ids": ids, "attention_mask": mask}
    before = state_of(model)
    trace = extract(model, inputs=batch, batch_index=row, drop_padding=False, verify=verify)
    assert state_of(model) == before
    eager = type(model)._from_config(model.config, attn_implementation="eager").eval()
    eager.load_state_dict(model.state_dict())
    with torch.no_grad():
        own = eager(**batch, output_attentions=True).attentions
    [block] = trace.blocks.values()
    assert block.kind == (
        "decoder" if "a" in architecture[:2] or architecture in DECODERS else "encoder"
    )
    assert [layer.index for layer in block.layers] == [0, 1]
    for layer, reference in zip(block.layers, own, strict=True):
        assert isinstance(model.get_submodule(layer.name), nn.Module)
        difference = (layer.weights() - reference[row]).abs().amax((0, 2))
        assert float(difference[mask[row].bool()].max()) <= TOLERANCE
    if architecture.startswith("falcon"):
        assert block.layers[0].num_key_value_heads == 1
