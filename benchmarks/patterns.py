"""What does finding patterns cost? `python benchmarks/patterns.py`.

A BERT-base (12 layers of 12 heads, random weights) on two threads: the time for all patterns of all
heads, next to the model's own forward pass at the same length, run alternately; and the memory it
takes on top of the trace, next to the weights of one layer. Then the time to explain one head and
to compare two traces.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertModel

from bertviz import compare, explain_head, extract, find_patterns


class Tokens:
    """A tokenizer that only names tokens, so that some of them repeat."""

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        """One name per id."""
        return [f"w{number}" for number in ids]


def in_turns(actions: list[Callable[[], Any]], rounds: int) -> list[float]:
    """The median time of each action in seconds; they take turns, after one untimed round."""
    for action in actions:
        action()
    seconds: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, times in zip(actions, seconds, strict=True):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in seconds]


def resident() -> int:
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def peak(action: Callable[[], Any]) -> int:
    """Peak memory in bytes on top of what was used before, sampled every millisecond."""
    before, highest, done = resident(), 0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.is_set():
            highest = max(highest, resident())
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    action()
    done.set()
    watcher.join()
    return max(0, highest - before)


def main() -> None:
    """Print a line per length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", nargs="*", type=int, default=[128, 512])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    model = BertModel(BertConfig(max_position_embeddings=4096)).eval()
    for tokens in options.tokens:
        ids = torch.randint(1000, 1000 + tokens // 3, (1, tokens))  # tokens repeat
        types = torch.arange(tokens)[None] * 2 // tokens
        batch = {"input_ids": ids, "token_type_ids": types}
        trace = extract(model, Tokens(), inputs=batch, progress=False)

        def forward(batch: Any = batch) -> None:
            with torch.no_grad():
                model(**batch)

        rounds = options.rounds if tokens <= 512 else 3
        plain, found, explained, compared = in_turns(
            [
                forward,
                lambda trace=trace: find_patterns(trace),
                lambda trace=trace: explain_head(trace, 5, 5, "previous token"),
                lambda trace=trace: compare(trace, trace),
            ],
            rounds,
        )
        extra = peak(lambda trace=trace: find_patterns(trace))
        layer = 12 * tokens * tokens * 4
        print(
            f"{tokens} tokens: forward {plain:.3f} s, all patterns {found:.3f} s"
            f" ({found / plain:.2f} x forward), {extra / 1e6:.0f} MB on top (weights of one layer"
            f" {layer / 1e6:.0f} MB, of all {12 * layer / 1e6:.0f} MB); one head explained"
            f" {explained:.3f} s, two traces compared {compared:.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
