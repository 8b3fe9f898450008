"""The gallery, `python docs/gallery.py`: figures as `save` makes them, and the calls for them.

All are of one captured text, the quickstart's pair in all-MiniLM-L6-v2, kept in
`tests/fixtures/quickstart.npz` (weights of all heads in steps of 1/65535, queries and keys of head
(0, 2) in float16), so that the figures do not depend on a machine's arithmetic. They double as
golden pictures: `tests/web/test_gallery.py` draws them again and compares. `--capture` makes
the file anew.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertviz import AttentionTrace, HeadView, ModelView, NeuronView, extract
from bertviz.views.view import View

ROOT = Path(__file__).parents[1]
FIXTURE = ROOT / "tests" / "fixtures" / "quickstart.npz"
FOLDER = ROOT / "docs" / "gallery"


class Figure(NamedTuple):
    """One picture."""

    name: str
    title: str
    view: Callable[[], View]
    call: str  # as a reader would write it
    state: dict[str, Any]


def weights_only() -> AttentionTrace:
    """All heads' weights."""
    with np.load(FIXTURE) as kept:
        weights = kept["weights"].astype(np.float64) / 65535
        return AttentionTrace.from_arrays(kept["tokens"].tolist(), weights, sentence_b_start=8)


def one_head() -> AttentionTrace:
    """Queries and keys of head (0, 2)."""
    with np.load(FIXTURE) as kept:
        queries, keys = (kept[name].astype(np.float32) for name in ("queries", "keys"))
        tokens = kept["tokens"].tolist()
    trace = AttentionTrace.from_arrays(
        tokens, queries=queries[None, None], keys=keys[None, None], sentence_b_start=8
    )
    block = trace.blocks["encoder"]
    layer = dataclasses.replace(block.layers[0], heads=(2,))
    block = dataclasses.replace(block, layers=(layer,))
    return dataclasses.replace(trace, blocks={"encoder": block})


FIGURES = [
    Figure(
        "head-selected",
        "Head view: four heads, two tokens selected; boxes are means over both",
        lambda: HeadView(weights_only(), layer=2, heads=[0, 3, 5, 9]),
        "HeadView(trace, layer=2, heads=[0, 3, 5, 9])",
        {"query": 12, "also": [10], "locked": True},
    ),
    Figure(
        "head-words",
        "Words instead of pieces, without special tokens, all heads as their mean",
        lambda: HeadView(weights_only(), layer=2),
        "HeadView(trace, layer=2)",
        {"words": True, "hide": "special", "combine": "mean", "renormalize": True},
    ),
    Figure(
        "head-dark",
        "Dark: the strongest lines that hold half of each row",
        lambda: HeadView(weights_only(), layer=2, display_mode="dark"),
        'HeadView(trace, layer=2, display_mode="dark")',
        {"mass": 0.5},
    ),
    Figure(
        "head-matrix",
        "The same weights as a matrix: the previous-token head",
        lambda: HeadView(weights_only(), layer=0, heads=[2]),
        "HeadView(trace, layer=0, heads=[2])",
        {"mode": "matrix"},
    ),
    Figure(
        "model",
        "Model view: two layers, the head that looks at the previous token opened",
        lambda: ModelView(weights_only(), include_layers=[0, 1]),
        "ModelView(trace, include_layers=[0, 1])",
        {"cell": [0, 2], "query": 9, "locked": True},
    ),
    Figure(
        "neuron",
        "Neuron view: how head (0, 2) comes to look at the previous token",
        lambda: NeuronView(one_head()),
        "NeuronView(trace, layer=0, head=2)",
        {"query": 9},
    ),
    Figure(
        "neuron-what-if",
        "What if: without its four strongest neurons for this query, in order of contribution",
        lambda: NeuronView(one_head()),
        "NeuronView(trace, layer=0, head=2)",
        {"query": 9, "sort": "contribution", "off": [3, 24, 27, 31]},
    ),
]


def capture() -> None:
    """Make the fixture."""
    from bertviz.demo import SENTENCE_A, SENTENCE_B, load_demo_model

    trace = extract(*load_demo_model(), SENTENCE_A, SENTENCE_B)
    block = trace.blocks["encoder"]
    weights = np.stack([layer.weights().numpy() for layer in block.layers])
    first = block.layers[0]
    assert first.queries is not None
    assert first.keys is not None
    np.savez_compressed(
        FIXTURE,
        tokens=np.array(block.query_tokens),
        weights=np.rint(weights * 65535).astype(np.uint16),
        queries=first.queries[2].numpy().astype(np.float16),
        keys=first.keys[2].numpy().astype(np.float16),
    )


def main() -> None:
    """Draw all, and write the page that shows them."""
    if "--capture" in sys.argv:
        capture()
    FOLDER.mkdir(exist_ok=True)
    page = [
        "# Gallery",
        "",
        "Figures as `save` writes them, drawn from one captured text by `python docs/gallery.py`.",
    ]
    for figure in FIGURES:
        figure.view().save(FOLDER / f"{figure.name}.svg", **figure.state)
        state = "".join(f", {name}={value!r}" for name, value in figure.state.items())
        page += [
            *("", f"## {figure.title}", "", f"![{figure.title}](gallery/{figure.name}.svg)", ""),
            *("```python", f'{figure.call}.save("{figure.name}.svg"{state})', "```"),
        ]
    (ROOT / "docs" / "gallery.md").write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
