"""Bytes of HTML and seconds of Python of the three views: `python benchmarks/views.py`.

A BERT-base (12 layers of 12 heads, head_dim 64) with random weights, one thread; beside each view
the model's own forward at the same length, in the same run. Random weights spread attention evenly,
which is the worst case for what is listed. The demo model's real attention follows, if it is there.
"""

import statistics
import time
from collections.abc import Callable

import torch
from transformers import BertConfig, BertModel

from bertviz import HeadView, ModelView, NeuronView, extract
from bertviz.demo import load_demo_model


def seconds(action: Callable[[], object], repeats: int = 5) -> float:
    """The median of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(name: str, model: torch.nn.Module, length: int) -> None:
    """One line per view."""
    config = model.config
    ids = torch.randint(1000, 20000, (1, length))
    with torch.no_grad():
        forward = seconds(lambda: model(input_ids=ids))
    capture = seconds(lambda: extract(model, inputs={"input_ids": ids}))
    trace = extract(model, inputs={"input_ids": ids})
    size = f"{config.num_hidden_layers} x {config.num_attention_heads} heads, {length} tokens"
    print(f"{name}, {size}: forward {forward:.3f} s, extract {capture / forward:.2f} x forward")
    for view in (HeadView, ModelView, NeuronView):
        took = seconds(lambda view=view: view(trace).data)
        megabytes = len(view(trace).data) / 1e6
        print(
            f"    {view.kind:6s} {megabytes:7.2f} MB   {took:6.3f} s of Python,"
            f" {took / forward:5.2f} x forward"
        )


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    base = BertModel(BertConfig()).eval()
    for length in (16, 128, 512):
        measure("BERT-base, random weights", base, length)
    demo, _ = load_demo_model()
    for length in (16, 128, 512):
        measure("all-MiniLM-L6-v2", demo, length)


if __name__ == "__main__":
    main()
