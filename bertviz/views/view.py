"""The object behind a picture: what to show, checked, and the ways it leaves Python.

The problem. A view is displayed in the middle of a cell, in a loop, twice, in a terminal, in a
script without any notebook, in a notebook that does not run inline scripts, or written to a file;
and a wrong layer number must be an error in the cell that made it, not a blank picture below it.

So a view checks all of its options and makes its payload when it is created. Every way out renders
that payload again, as an output of its own: two displays of one view share nothing in the page.
"""

from __future__ import annotations

import importlib
import os
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bertviz.analysis.measures import measures_of
from bertviz.analysis.tables import as_table
from bertviz.views.display import warn_if_large
from bertviz.views.lookalikes import trace_and_comparison
from bertviz.views.options import (
    DEFAULTS,
    ViewOptions,
    check_options,
    included,
    starting_state,
    with_raw_tokens,
)
from bertviz.web import figures, page, payload

if TYPE_CHECKING:
    from typing import SupportsIndex

    from torch import Tensor

    from bertviz.analysis.comparison import Comparison
    from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention
    from bertviz.views.options import Numbers

OFFERED_SUFFIXES = (".html", *figures.SUFFIXES)


class View:
    """A picture of a trace; a notebook shows it when it is the last expression of a cell.

    ``HeadView``, ``ModelView`` and ``NeuronView`` are the views; this is what they share.

    Attributes:
        trace: What is shown; of a comparison its second trace.
    """

    kind: ClassVar[payload.ViewName]

    def __init_subclass__(cls) -> None:
        """Show a view's own keywords and, in place of ``**options``, those of every view."""
        own = list(signature(cls.__init__).parameters.values())[1:]  # without self
        named = [
            parameter.replace(annotation=Parameter.empty)
            for parameter in own
            if parameter.kind is not Parameter.VAR_KEYWORD
        ]
        shared = [Parameter(n, Parameter.KEYWORD_ONLY, default=d) for n, d in DEFAULTS.items()]
        cls.__signature__ = Signature([*named, *shared])  # type: ignore[attr-defined]

    def __init__(
        self,
        shown: AttentionTrace | Comparison,
        options: ViewOptions,
        *,
        layer: SupportsIndex | None = None,
        heads: Numbers | None = None,
        heads_name: str = "heads",
        measures: Any = None,
        explanation: Any = None,
    ) -> None:
        """Check the options and make the payload.

        Args:
            shown: A trace, or a comparison, whose differences are shown in place of weights.
            options: The keywords of every view.
            layer: The model's own number of the layer the view starts with.
            heads: The model's own numbers of the heads the view starts with.
            heads_name: What the caller's argument for ``heads`` is called, for errors.
            measures: Numbers per head to color by; see ``measures.measures_of``.
            explanation: Which neurons make the head that the view starts with.

        Raises:
            TypeError: An option is of the wrong type, or unknown.
            ValueError: An option names what the trace does not have.
        """
        check_options(type(self).__name__, options, signature(type(self)).parameters)
        trace, comparison = trace_and_comparison(type(self).__name__, shown)
        if not options.get("prettify_tokens", True):
            trace = with_raw_tokens(trace)
        layers, kept = included(trace, options.get("include_layers"), options.get("include_heads"))
        state = starting_state(trace, layer, heads, layers, kept, heads_name)
        self.trace = trace
        self._comparison = comparison
        self._payload = payload.build(
            trace,
            self.kind,
            state=state,
            include_layers=layers,
            include_heads=kept,
            display_mode=options.get("display_mode", "auto"),
            measures=measures_of(measures, trace),
            comparison=comparison,
            explanation=explanation,
        )

    @property
    def data(self) -> str:
        """The picture as an HTML fragment, to be put into a page or an HTML output.

        Every reading gives an output with an id of its own.
        """
        fragment = page.render(self._payload)
        warn_if_large(self, len(fragment))  # ASCII: as many bytes
        return fragment

    def save(self, path: str | os.PathLike[str], *, width: int | None = None, **state: Any) -> None:
        """Write the picture as a file of its own.

        ``.html`` is alive and needs no network and no Python. The others are figures, as the page's
        own "Save" makes them: ``.svg`` with text as text, drawn by the page's own code without a
        browser; ``.png`` and ``.pdf`` are made of it. They need the ``figures`` extra. Beyond 6,000
        lines (10,000 in the thumbnails of a model view) they are an image under the text.

        >>> import pathlib, tempfile
        >>> from bertviz import AttentionTrace, HeadView
        >>> weights = [[[0.25, 0.75], [1.0, 0.0]]]
        >>> view = HeadView(AttentionTrace.from_arrays(["a", "b"], weights))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "figure.svg"
        ...     view.save(path, query=0)
        ...     path.read_text(encoding="utf-8").count("<path")  # a line for every weight of "a"
        2

        Args:
            path: Where to; the suffix says what. An existing file is replaced.
            width: CSS pixels to draw a figure in; by default 760 (head view), 1,000 (model view)
                or 1,100 (neuron view). Figures are as wide as their content, up to about this.
            **state: What a figure shows, where it is not what the view starts with: state keys of
                the page, such as ``query=3``, ``key=3``, ``also=[5]``, ``mode="matrix"``,
                ``words=True``, ``combine="mean"``, ``hide="special"``, ``mass=0.5``,
                ``pair="A→B"``, ``zoom=[0, 50, 0, 50]``, ``cell=[2, 0]``, ``off=[4, 5]``. An HTML
                file begins so.

        Raises:
            ValueError: The suffix is not one that is offered, or there is no such state.
            ModuleNotFoundError: The extra is not installed.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix not in OFFERED_SUFFIXES:
            found = f"ends in {target.suffix!r}" if target.suffix else "has no suffix"
            raise ValueError(
                f"path={str(target)!r} {found}: offered is {', '.join(OFFERED_SUFFIXES)}; save as"
                f" {target.with_suffix(OFFERED_SUFFIXES[0]).name!r}, say."
            )
        unknown = sorted(set(state) - set(payload.STATE[self.kind]))
        if unknown:
            raise ValueError(
                f"{unknown[0]} is no part of what a {page.NAMES[self.kind]} shows: expected some of"
                f" {', '.join(payload.STATE[self.kind])}."
            )
        shown = {**self._payload, "state": {**self._payload["state"], **state}}
        if suffix == ".html":
            data = page.document(page.render(shown), self._title()).encode()
        else:
            data = figures.rendered(figures.svg(shown, width), suffix)
        target.write_bytes(data)

    def table(self) -> Any:
        """The numbers that the picture starts with, exact, a row for every weight.

        The head view gives its layer and heads, the neuron view its head (with the scores beside
        the weights), the model view all layers and heads it shows.

        >>> from bertviz import AttentionTrace, HeadView
        >>> weights = [[[0.25, 0.75], [1.0, 0.0]]]
        >>> rows = HeadView(AttentionTrace.from_arrays(["a", "b"], weights)).table()
        >>> len(rows)
        4

        Returns:
            A pandas DataFrame where pandas is installed, else a list of dicts. The columns: block,
            layer, head, query, key (positions), query_token, key_token, weight (of a comparison b
            minus a), and score.
        """
        import numpy as np

        parts: list[dict[str, Any]] = []
        for block, layer, heads in self._shown():
            queries, keys = layer.shape
            query, key = (x.ravel() for x in np.indices((queries, keys)))
            names = [np.array(x, dtype=object) for x in (block.query.text, block.key.text)]
            for head in heads:
                part = {
                    "block": np.full(query.shape, block.name, dtype=object),
                    "layer": np.full(query.shape, layer.index),
                    "head": np.full(query.shape, head),
                    "query": query,
                    "key": key,
                    "query_token": names[0][query],
                    "key_token": names[1][key],
                    "weight": self._weights(block, layer, head).cpu().numpy().ravel(),
                }
                if self.kind == "neuron":
                    part["score"] = layer.scores(head)[0].cpu().numpy().ravel()
                parts.append(part)
        return as_table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})

    def _weights(self, block: AttentionBlock, layer: LayerAttention, head: int) -> Tensor:
        if self._comparison is None:
            return layer.weights(head)[0]
        difference: Tensor = self._comparison.weights(layer.index, [head], block.name)[0]
        return difference

    def _shown(self) -> list[tuple[AttentionBlock, LayerAttention, list[int]]]:
        """What the picture starts with."""
        state = self._payload["state"]
        found = []
        for sent in self._payload["blocks"]:
            block = self.trace.blocks[sent["name"]]
            layers = {layer.index: layer for layer in block.layers}
            found += [(block, layers[row["index"]], list(row["heads"])) for row in sent["layers"]]
        if self.kind == "model":
            return found
        block, layer, heads = next(
            (
                (block, layer, heads)
                for block, layer, heads in found
                if (block.name, layer.index)
                == (state.get("block", block.name), state.get("layer", layer.index))
            ),
            found[0],
        )
        chosen = [head for head in heads if head in state.get("heads", heads)]
        return [(block, layer, chosen[:1] if self.kind == "neuron" else chosen)]

    def _title(self) -> str:
        name = page.NAMES[self.kind]
        return f"{self.trace.model_name}: {name}" if self.trace.model_name else name.capitalize()

    def _document(self) -> str:
        """A whole HTML page."""
        return page.document(page.render(self._payload), self._title())

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:  # IPython's protocol
        return {"text/html": self.data, "text/plain": repr(self)}

    def _repr_html_(self) -> str:  # for what asks for HTML alone: documentation tools, servers
        return self.data

    def _display_(self) -> Any:  # marimo's protocol; it does not run scripts of HTML outputs
        return importlib.import_module("marimo").iframe(self._document())

    def __repr__(self) -> str:
        """One line: the view, the model and how much is shown.

        >>> from bertviz import AttentionTrace, HeadView
        >>> HeadView(AttentionTrace.from_arrays(["a", "b"], [[[0.25, 0.75], [1.0, 0.0]]]))
        HeadView(1 layer, 1 head, 2 tokens)
        """
        blocks = self._payload["blocks"]
        shown = []
        for block in blocks:
            heads = max(len(layer["heads"]) for layer in block["layers"])
            queries = len(block["query"]["text"])
            keys = queries if block["key"] is None else len(block["key"]["text"])
            name = f"{block['name']} " if len(blocks) > 1 else ""
            tokens = _count(queries, "token") if keys == queries else f"{queries} x {keys} tokens"
            layers = _count(len(block["layers"]), "layer")
            shown.append(f"{name}{layers}, {_count(heads, 'head')}, {tokens}")
        model = f"{self.trace.model_name}: " if self.trace.model_name else ""
        return f"{type(self).__name__}({model}{'; '.join(shown)})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
