"""What does capturing cost on top of a forward pass? `python benchmarks/extraction.py`.

BERT-base and a Llama of the same size, with random weights and one thread. Time: the median ratio
of extraction to forward pass, run alternately. Memory: what a trace keeps, compared with the size
of its queries and keys; masks and biases are counted separately.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel

from bertviz import AttentionTrace, extract


def models() -> dict[str, Callable[[], Any]]:
    """Functions that build the models, by name."""
    return {
        "BERT-base": lambda: BertModel(BertConfig(max_position_embeddings=4096)),
        "Llama, 12 x 12 heads, 4 key heads": lambda: LlamaModel(
            LlamaConfig(
                hidden_size=768,
                num_hidden_layers=12,
                num_attention_heads=12,
                num_key_value_heads=4,
                intermediate_size=2048,
                vocab_size=30_000,
                max_position_embeddings=4096,
            )
        ),
    }


def ratio(
    forward: Callable[[], Any], capture: Callable[[], Any], rounds: int
) -> tuple[float, float]:
    """Seconds of a forward pass, and the median ratio of capture to forward, run alternately."""
    forward(), capture()
    seconds, ratios = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        forward()
        middle = time.perf_counter()
        capture()
        seconds.append(middle - start)
        ratios.append((time.perf_counter() - middle) / (middle - start))
    return statistics.median(seconds), statistics.median(ratios)


def kept(trace: AttentionTrace) -> tuple[int, int, int]:
    """Bytes of queries and keys, of the memory that holds them, and of masks and biases."""
    layers = [layer for block in trace.blocks.values() for layer in block.layers]
    vectors = [x for layer in layers for x in (layer.queries, layer.keys) if x is not None]
    memory = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in vectors}
    formulas = [layer.explained for layer in layers]
    terms = [x for f in formulas for x in (f.mask, f.position_bias) if x is not None]
    others = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in terms}
    return (
        sum(x.numel() * x.element_size() for x in vectors),
        sum(memory.values()),
        sum(others.values()),
    )


def main() -> None:
    """Print a line per model and length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", nargs="*", type=int, default=[128, 512, 1024, 2048, 4096])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name, make in models().items():
        torch.manual_seed(0)
        model = make().eval()
        for tokens in options.tokens:
            batch = {"input_ids": torch.randint(5, 30_000, (1, tokens))}

            def forward(model: Any = model, batch: Any = batch) -> None:
                with torch.no_grad():
                    model(**batch)

            rounds = options.rounds if tokens < 2048 else max(3, options.rounds // 2)
            capture = functools.partial(extract, model, inputs=batch, progress=False)
            seconds, times = ratio(forward, capture, rounds)
            own, memory, others = kept(capture())
            whole = 12 * 12 * tokens * tokens * 4
            print(
                f"{name}, {tokens} tokens: forward {seconds:.2f} s, extract {times:.2f} x;"
                f" kept {memory / 1e6:.1f} MB = {memory / own:.2f} x queries and keys,"
                f" masks and biases {others / 1e6:.1f} MB (all weights: {whole / 1e6:.0f} MB)",
                flush=True,
            )


if __name__ == "__main__":
    main()
