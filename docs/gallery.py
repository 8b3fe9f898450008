"""Draw the gallery, `python docs/gallery.py`: the figures, and the page with their calls.

All figures show one captured text, the sentence pair of the quickstart in all-MiniLM-L6-v2. It is
kept in `tests/fixtures/quickstart.npz` (weights of all heads in steps of 1/65535, queries and keys
of head (0, 2) in float16), so that the figures do not depend on a machine's arithmetic. They are
also golden pictures: `tests/web/test_gallery.py` draws them again and compares. `--capture` makes
the fixture again.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import bertviz
from bertviz import AttentionTrace, HeadView, ModelView, NeuronView, extract
from bertviz.views.view import View

ROOT = Path(__file__).parents[1]
FIXTURE = ROOT / "tests" / "fixtures" / "quickstart.npz"
FOLDER = ROOT / "docs" / "gallery"
PAGE = ROOT / "docs" / "gallery.md"


class Figure(NamedTuple):
    """One figure of the gallery."""

    name: str
    title: str
    view: Callable[[], View | bertviz.Figure]
    call: str  # the view, as a reader would write it
    state: dict[str, Any]


def weights_only() -> AttentionTrace:
    """The trace with the weights of all heads."""
    with np.load(FIXTURE) as kept:
        weights = kept["weights"].astype(np.float64) / 65535
        return AttentionTrace.from_arrays(kept["tokens"].tolist(), weights, sentence_b_start=8)


def one_head() -> AttentionTrace:
    """The trace with queries and keys of head (0, 2) only."""
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


def layer_differences() -> AttentionTrace:
    """Weights of each layer minus those of the one before; the first has none before it."""
    with np.load(FIXTURE) as kept:
        weights = kept["weights"].astype(np.float64) / 65535
        values = np.diff(weights, axis=0, prepend=np.nan)
        return AttentionTrace.from_arrays(
            kept["tokens"].tolist(), values, sentence_b_start=8, kind="signed"
        )


def column() -> bertviz.Figure:
    """Two panels for a column of a paper."""
    trace = weights_only()
    second = {"pair": "B→B", "hide": "special"}
    return bertviz.figure(
        [
            (HeadView(trace, layer=2, heads=[8]), {**second, "query": 15, "locked": True}),
            (HeadView(trace, layer=0, heads=[2]), {**second, "mode": "matrix"}),
        ],
        ["(a) Layer 2, head 8: the rest of the word", "(b) Layer 0, head 2: the previous token"],
        mark=False,
    )


COLUMN = """\
second = {"pair": "B→B", "hide": "special"}
figure(
    [
        (HeadView(trace, layer=2, heads=[8]), {**second, "query": 15, "locked": True}),
        (HeadView(trace, layer=0, heads=[2]), {**second, "mode": "matrix"}),
    ],
    ["(a) Layer 2, head 8: the rest of the word", "(b) Layer 0, head 2: the previous token"],
    mark=False,
)"""

FIGURES = [
    Figure(
        "head-selected",
        "Head view: four heads, two tokens selected; the bars show the mean over both",
        lambda: HeadView(weights_only(), layer=2, heads=[0, 3, 5, 9]),
        "HeadView(trace, layer=2, heads=[0, 3, 5, 9])",
        {"query": 12, "also": [10], "locked": True},
    ),
    Figure(
        "head-words",
        "Words instead of subword tokens, without special tokens, mean of all heads",
        lambda: HeadView(weights_only(), layer=2),
        "HeadView(trace, layer=2)",
        {"words": True, "hide": "special", "combine": "mean", "renormalize": True},
    ),
    Figure(
        "head-dark",
        "Dark mode: the strongest lines that hold half of each row",
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
        "Model view: two layers; the head that looks at the previous token is open",
        lambda: ModelView(weights_only(), include_layers=[0, 1]),
        "ModelView(trace, include_layers=[0, 1])",
        {"cell": [0, 2], "query": 9, "locked": True},
    ),
    Figure(
        "values",
        "Values that are not attention: each layer minus the one before, six heads of each",
        lambda: ModelView(layer_differences(), include_heads=range(6)),
        "ModelView(values, include_heads=range(6))",
        {"cell": [2, 3]},
    ),
    Figure(
        "neuron",
        "Neuron view: how head (0, 2) computes its attention to the previous token",
        lambda: NeuronView(one_head()),
        "NeuronView(trace, layer=0, head=2)",
        {"query": 9},
    ),
    Figure(
        "neuron-what-if",
        "What if: without the four strongest neurons for this query; in order of contribution",
        lambda: NeuronView(one_head()),
        "NeuronView(trace, layer=0, head=2)",
        {"query": 9, "sort": "contribution", "off": [3, 24, 27, 31]},
    ),
    Figure(
        "paper-column",
        "Two panels in a paper's column: 3.25 inches wide, tokens of 8 points",
        column,
        COLUMN,
        {"width": "3.25in", "font_size": 8},
    ),
]


def capture() -> None:
    """Make the fixture from the demo model."""
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


def example(figure: Figure) -> str:
    """The call that saves a figure, as `ruff format` writes it."""
    arguments = [json.dumps(f"{figure.name}.svg")]
    for name, value in figure.state.items():
        written = json.dumps(value) if isinstance(value, str) else repr(value)
        arguments.append(f"{name}={written}")
    together = ", ".join(arguments)
    line = f"{figure.call}.save({together})"
    return line if len(line) <= 100 or "\n" in line else f"{figure.call}.save(\n    {together}\n)"


def page() -> str:
    """The text of docs/gallery.md."""
    sections = [
        "# Gallery\n\n"
        "Figures as `save` writes them, drawn from one captured text by `python docs/gallery.py`.\n"
    ]
    sections += [
        f"## {figure.title}\n\n"
        f"![{figure.title}](gallery/{figure.name}.svg)\n\n"
        f"```python\n{example(figure)}\n```\n"
        for figure in FIGURES
    ]
    return "\n".join(sections)


def main() -> None:
    """Draw all figures, and write the page that shows them."""
    if "--capture" in sys.argv:
        capture()
    FOLDER.mkdir(exist_ok=True)
    for figure in FIGURES:
        figure.view().save(FOLDER / f"{figure.name}.svg", **figure.state)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
