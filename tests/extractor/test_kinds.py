"""Which kind of attention a block is told as: encoder, decoder or cross."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz import extract

SIZE = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 37}


def kinds(model: nn.Module, **batch: Tensor) -> dict[str, str]:
    trace = extract(model.eval(), inputs=batch)
    return {layer.name: block.kind for block in trace.blocks.values() for layer in block.layers}


def test_a_q_former_is_an_encoder_that_cross_attends() -> None:
    from transformers import Blip2QFormerConfig, Blip2QFormerModel

    config = Blip2QFormerConfig(**SIZE, num_hidden_layers=2, encoder_hidden_size=32)
    found = kinds(
        Blip2QFormerModel(config),
        query_embeds=torch.randn(1, 5, 32),
        encoder_hidden_states=torch.randn(1, 7, 32),
    )
    assert found == {
        "encoder.layer.0.attention.attention": "encoder",
        "encoder.layer.0.crossattention.attention": "cross",
        "encoder.layer.1.attention.attention": "encoder",
    }


def test_two_towers_that_attend_to_each_other() -> None:
    """As BridgeTower does: nothing is masked within either."""

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.crossattention = (
                nn.MultiheadAttention(8, 2, batch_first=True) for _ in range(2)
            )

        def forward(self, hidden: Tensor, others: Tensor) -> Tensor:
            hidden = self.attention(hidden, hidden, hidden)[0]
            return self.crossattention(hidden, others, others)[0]

    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.text_layers, self.image_layers = (
                nn.ModuleList([Layer(), Layer()]) for _ in range(2)
            )

        def forward(self, text: Tensor, image: Tensor) -> Tensor:
            for one, other in zip(self.text_layers, self.image_layers, strict=True):
                text, image = one(text, image), other(image, text)
            return text

    found = kinds(Towers(), text=torch.randn(1, 4, 8), image=torch.randn(1, 6, 8))
    assert set(found.values()) == {"encoder", "cross"}
    for name, kind in found.items():
        assert kind == ("cross" if "cross" in name else "encoder"), name


@pytest.mark.parametrize("length", [1, 5])
def test_a_decoder_that_masks_nothing_is_one_by_its_name(length: int) -> None:
    """As DETR's is: its queries are read at once."""
    layer = nn.TransformerDecoderLayer(8, 2, batch_first=True)

    class Detecting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.decoder = nn.TransformerDecoder(layer, 2)

        def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
            made: Tensor = self.decoder(queries, memory)
            return made

    found = kinds(Detecting(), queries=torch.randn(1, length, 8), memory=torch.randn(1, 6, 8))
    for name, kind in found.items():
        assert kind == ("cross" if "multihead" in name else "decoder"), name
    assert len(found) == 4


@pytest.mark.parametrize("length", [1, 5])
def test_a_causal_stack_with_cross_attention_is_a_decoder(length: int) -> None:
    from transformers import BertConfig, BertModel

    config: Any = BertConfig(
        **SIZE, num_hidden_layers=2, vocab_size=99, is_decoder=True, add_cross_attention=True
    )
    found = kinds(
        BertModel(config),
        input_ids=torch.randint(5, 99, (1, length)),
        encoder_hidden_states=torch.randn(1, 7, 32),
    )
    for name, kind in found.items():
        assert kind == ("cross" if "cross" in name else "decoder"), name
    assert len(found) == 4


def test_sinks_of_their_own_for_every_query_are_joined() -> None:
    """A step of generation has one query, and its sinks no axis of queries."""
    from bertviz.extractor.generation import joined
    from bertviz.extractor.records import Record
    from bertviz.trace import Formula

    def step(queries: int, offset: int, sinks: Tensor) -> Record:
        formula = Formula(torch.randn(2, queries, 4), torch.randn(2, queries, 4), 0.5, sinks=sinks)
        return Record("a", 2, (0, 1), (queries, offset + queries), formula, order=0, offset=0)

    steps = [step(3, 0, torch.arange(6.0).view(2, 3)), step(1, 3, torch.tensor([7.0, 8.0]))]
    [whole] = joined(steps)
    assert whole.formula.sinks is not None
    assert whole.formula.sinks.tolist() == [[0, 1, 2, 7], [3, 4, 5, 8]]
