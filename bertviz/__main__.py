"""``python -m bertviz MODEL TEXT [TEXT_PAIR]``: a text in, a file out.

For a look without a notebook: an HTML file holds the whole picture and opens in any browser,
without a network; a figure (.svg, .png, .pdf) shows its initial state. An error is one line on
standard error, and the exit code says which kind: 2 for a malformed command (as in argparse), 1 for
anything that fails while it runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertviz import HeadView, ModelView, NeuronView, __version__, extract
from bertviz.views.saving import OFFERED_SUFFIXES
from bertviz.views.view import View

DEMO = "demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the program's name; by default the process's own.

    Returns:
        The exit code: 0 when the file was written, 1 when something failed.
    """
    options = _parse(arguments)
    try:
        model, tokenizer = _load(options.model)
        view = _make(options, model, tokenizer)
        view.save(options.output)
    except Exception as error:
        # Our own errors and those of loading a model (OSError from the hub, ImportError for a
        # missing tokenizer library) are sentences already; a traceback would hide them.
        print(f"bertviz: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(options.output)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bertviz",
        description="Show where the attention heads of a transformer look, as an HTML file.",
        epilog='example: python -m bertviz demo "The cat sat." --view neuron --layer 2 --head 0',
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a model's name on the Hugging Face hub, a local folder, or 'demo'",
    )
    parser.add_argument("text", metavar="TEXT", help="what the model reads")
    parser.add_argument("text_pair", metavar="TEXT_PAIR", nargs="?", help="the second sentence")
    parser.add_argument(
        "--view",
        choices=("head", "model", "neuron"),
        default="head",
        help="one layer's heads (default), all layers and heads, or how one head computes",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_output_path,
        metavar="FILE",
        help="the file to write: .html, .svg, .png or .pdf (default: VIEW_view.html)",
    )
    parser.add_argument("--layer", type=int, help="the layer shown first")
    parser.add_argument(
        "--heads",
        "--head",
        type=_numbers,
        metavar="HEADS",
        help="the heads shown first, such as 3 or 0,5; the neuron view shows one",
    )
    parser.add_argument("--include-layers", type=_numbers, help="the layers to write, such as 0,1")
    parser.add_argument("--include-heads", type=_numbers, help="the heads to write, such as 0,1")
    parser.add_argument("--display-mode", choices=("auto", "light", "dark"), default="auto")
    parser.add_argument("--version", action="version", version=f"bertviz {__version__}")
    options = parser.parse_args(arguments)
    if options.view == "model" and (options.layer is not None or options.heads is not None):
        parser.error(
            "--layer and --heads choose where the head and neuron views start; the model view"
            " shows all: choose with --include-layers and --include-heads"
        )
    if options.view == "neuron" and options.heads is not None and len(options.heads) > 1:
        parser.error(f"--heads: the neuron view shows one head, not {len(options.heads)}")
    if options.output is None:
        options.output = Path(f"{options.view}_view.html")
    return options


def _make(options: argparse.Namespace, model: Any, tokenizer: Any) -> View:
    trace = extract(model, tokenizer, options.text, options.text_pair)
    shared = {
        "include_layers": options.include_layers,
        "include_heads": options.include_heads,
        "display_mode": options.display_mode,
    }
    if options.view == "model":
        return ModelView(trace, **shared)
    if options.view == "neuron":
        head = None if options.heads is None else options.heads[0]
        return NeuronView(trace, layer=options.layer, head=head, **shared)
    return HeadView(trace, layer=options.layer, heads=options.heads, **shared)


def _load(name: str) -> tuple[Any, Any]:
    """The model and its tokenizer."""
    if name == DEMO:
        from bertviz.demo import load_demo_model

        return load_demo_model()
    from transformers import AutoModel, AutoTokenizer

    return AutoModel.from_pretrained(name), AutoTokenizer.from_pretrained(name)


def _output_path(text: str) -> Path:
    """The path to write to, checked before a model is loaded for nothing."""
    path = Path(text)
    if path.suffix.lower() not in OFFERED_SUFFIXES:
        raise argparse.ArgumentTypeError(f"{text!r} ends in none of {', '.join(OFFERED_SUFFIXES)}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"the folder {str(path.parent)!r} does not exist")
    return path


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of integers such as 3 or 0,5"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
