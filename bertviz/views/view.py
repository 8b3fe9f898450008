"""The object behind a picture: what to show, checked, and the ways it leaves Python.

The problem. A view is displayed in the middle of a cell, in a loop, twice, in a terminal, in a
script without any notebook, in a notebook that does not run inline scripts, or written to a file;
and a wrong layer number must be an error in the cell that made it, not a blank picture below it.

So a view checks all of its options and makes its payload when it is created. Every way out renders
that payload again, as an output of its own: two displays of one view share nothing in the page.
"""

from __future__ import annotations

import importlib
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, ClassVar

from bertviz.analysis.measures import measures_of
from bertviz.analysis.tables import as_frame, as_rows
from bertviz.errors import a_type
from bertviz.views import saving
from bertviz.views.costs import check_cost
from bertviz.views.display import warn_if_large
from bertviz.views.lookalikes import trace_and_comparison
from bertviz.views.options import (
    DEFAULTS,
    ViewOptions,
    included,
    read_options,
    starting_state,
    with_raw_tokens,
)
from bertviz.views.rows import columns_of
from bertviz.web import figures, page, payload
from bertviz.web.policy import check_nonce

if TYPE_CHECKING:
    from typing import SupportsIndex

    from bertviz.analysis.comparison import Comparison
    from bertviz.trace import AttentionTrace
    from bertviz.views.options import Numbers


class View:
    """A picture of a trace; a notebook shows it when it is the last expression of a cell.

    ``HeadView``, ``ModelView`` and ``NeuronView`` are the views; this is what they share.

    Beside what is described here it has what code expects of IPython's ``HTML``, which BertViz
    returned: ``data``, ``metadata``, ``url``, ``filename``, ``reload()`` and ``__html__``.

    Attributes:
        trace: The trace that is shown; for a comparison, its second trace.
        metadata: What is displayed with it as the metadata of its HTML; empty at first.
    """

    kind: ClassVar[payload.ViewName]
    # It was neither loaded from an address nor from a file.
    url: ClassVar[None] = None
    filename: ClassVar[None] = None
    _data: str | None = None  # once somebody asked for it
    _set: str | None = None  # once somebody set it

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
            measures: Numbers per head to show; see ``measures.measures_of``.
            explanation: What ``explain_head`` gave for the head that the view starts with.

        Raises:
            TypeError: An option is of the wrong type, or unknown.
            ValueError: An option names what the trace does not have.
        """
        chosen = read_options(type(self).__name__, options, signature(type(self)).parameters)
        trace, comparison = trace_and_comparison(type(self).__name__, shown)
        if not chosen.get("prettify_tokens", True):
            trace = with_raw_tokens(trace)
        layers, kept = included(trace, chosen.get("include_layers"), chosen.get("include_heads"))
        state = starting_state(trace, layer, heads, layers, kept, heads_name)
        check_cost(self.kind, trace, layers, kept, state.get("layer"))
        self.trace = trace
        self.nonce = chosen.get("nonce")
        self.metadata: dict[str, Any] = {}
        self._comparison = comparison
        self._payload = payload.build(
            trace,
            self.kind,
            state=state,
            include_layers=layers,
            include_heads=kept,
            display_mode=chosen.get("display_mode", "auto"),
            measures=measures_of(measures, trace),
            comparison=comparison,
            explanation=explanation,
        )

    @property
    def nonce(self) -> str | None:
        """What the script of its outputs carries, for a page whose Content-Security-Policy asks.

        Pages ask for another each time, so it may be set: ``data`` then is another, too.
        """
        return self._nonce

    @nonce.setter
    def nonce(self, value: str | None) -> None:
        self._nonce, self._data = check_nonce(value), self._set

    @property
    def data(self) -> str:
        """The picture as an HTML fragment, to be put into a page or an HTML output.

        It stays the same for one view. It can be set, as that of IPython's ``HTML``: the view then
        displays what it was set to, and ``save`` still writes the picture itself.

        Raises:
            TypeError: It is set to something else than a string.
        """
        if self._data is None:
            self._data = self._fragment()
        return self._data

    @data.setter
    def data(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"data is {a_type(value)}: expected a string of HTML.")
        self._data = self._set = value

    def save(
        self,
        path: saving.Target,
        *,
        width: saving.Width = None,
        font_size: float | None = None,
        title: str | None = None,
        legend: bool = True,
        mark: bool = True,
        format: saving.Format = None,
        **state: Any,
    ) -> None:
        """Write the picture as a file of its own.

        ``.html`` is interactive and needs no network and no Python. The others are figures, as the
        page's own "Save" makes them: ``.svg`` with text as text, drawn by the page's own code
        without a browser; ``.png`` and ``.pdf`` are made from it. They need the ``figures`` extra.
        Beyond 6,000 lines (10,000 in the thumbnails of a model view) the lines are an image under
        the text.

        >>> import pathlib, tempfile
        >>> from bertviz import AttentionTrace, HeadView
        >>> view = HeadView(AttentionTrace.from_arrays(["a", "b"], [[[0.25, 0.75], [1.0, 0.0]]]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "figure.svg"
        ...     view.save(path, query=0)
        ...     path.read_text(encoding="utf-8").count("<path")  # a line for every weight of "a"
        2

        Args:
            path: The file to write; its suffix chooses the format. An existing file is replaced.
                Or a binary file object, with ``format``.
            width: How wide a figure is: CSS pixels (96 to the inch), or a string with a unit (px,
                in, cm, mm, pt) such as "3.25in". By default as wide as what is drawn, up to 760
                (head view), 1,000 (model view) or 1,100 (neuron view) pixels and a margin.
            font_size: How large the tokens are in a figure, in points; other text and the distances
                follow. By default 10, or smaller where a narrow ``width`` asks for it.
            title: What is written above a figure in place of what it says itself, "" for nothing;
                of an HTML file, its title.
            legend: Whether a figure says what its colors mean and what it leaves out.
            mark: Whether a figure names the model, and how exactly its attention is shown.
            format: "html", "svg", "png" or "pdf", for a file object.
            **state: What to show, where it differs from the view's initial state: ``query=3``,
                ``key=3``, ``also=[5]``, ``mode="matrix"``, ``words=True``, ``combine="mean"``,
                ``hide="special"``, ``mass=0.5``, ``pair="A→B"``, ``zoom=[0, 50, 0, 50]``,
                ``cell=[2, 0]``, ``off=[4, 5]`` and so on: see ``HeadState``, ``ModelState`` and
                ``NeuronState`` in ``bertviz.web.payload.state``. A figure shows it, an HTML file
                starts with it.

        Raises:
            OSError: The file could not be written; an existing one is as it was.
            TypeError: A key of the state is unknown, or a value is of the wrong type.
            ValueError: The suffix is not one that is offered, the view cannot show that state, or
                text of that size does not fit into the width.
            ModuleNotFoundError: The extra is not installed.
        """
        saving.save(
            self._payload,
            path,
            form=format,
            name=self._title(),
            look={"width": width, "font_size": font_size, "title": title, "legend": legend}
            | {"mark": mark},
            state=state,
        )

    def svg(
        self,
        *,
        width: saving.Width = None,
        font_size: float | None = None,
        title: str | None = None,
        legend: bool = True,
        mark: bool = True,
        **state: Any,
    ) -> str:
        """The figure as SVG: what ``save("x.svg")`` writes, with the same arguments.

        A notebook shows a view interactively; ``IPython.display.SVG(view.svg())`` shows this.

        Raises:
            TypeError: A key of the state is unknown, or a value is of the wrong type.
            ValueError: The view cannot show that state, or text of that size does not fit.
            ModuleNotFoundError: The ``figures`` extra is not installed.
        """
        look = saving.look_of(width, font_size, title, legend, mark)
        return figures.svg(saving.with_state(self._payload, state), look)

    def rows(
        self,
        *,
        query: SupportsIndex | None = None,
        key: SupportsIndex | None = None,
        top: SupportsIndex | None = None,
    ) -> list[dict[str, Any]]:
        """The exact numbers that the picture starts with, one dict for every weight.

        The head view gives its layer and heads, the neuron view its head (with the scores beside
        the weights), the model view all layers and heads it shows.

        >>> from bertviz import AttentionTrace, HeadView
        >>> view = HeadView(AttentionTrace.from_arrays(["a", "b"], [[[0.25, 0.75], [1.0, 0.0]]]))
        >>> [(row["key_token"], row["weight"]) for row in view.rows(query=0, top=1)]
        [('b', 0.75)]

        Args:
            query: The position of one query; all by default.
            key: The position of one key; all by default.
            top: How many weights to keep of each head and query, the largest first; all by default.
                For a comparison, the largest in either direction.

        Returns:
            Dicts with block, layer, head, query, key (positions), query_token, key_token, weight
            (of a comparison b minus a), and in the neuron view score. Of values that are not
            attention, value in place of weight; NaN where it is missing.

        Raises:
            TypeError: An argument is not an integer.
            ValueError: A position is out of range, ``top`` is below 1, or there would be over ten
                million rows.
        """
        return as_rows(columns_of(self, query, key, top))

    def to_pandas(
        self,
        *,
        query: SupportsIndex | None = None,
        key: SupportsIndex | None = None,
        top: SupportsIndex | None = None,
    ) -> Any:
        """The same as ``rows``, as a pandas DataFrame.

        Args:
            query: The position of one query; all by default.
            key: The position of one key; all by default.
            top: How many weights to keep of each head and query, the largest first; all by default.

        Raises:
            ModuleNotFoundError: pandas is not installed.
            TypeError: An argument is not an integer.
            ValueError: A position is out of range, ``top`` is below 1, or there would be over ten
                million rows.
        """
        return as_frame(columns_of(self, query, key, top))

    def _title(self) -> str:
        name = page.NAMES[self.kind]
        return f"{self.trace.model_name}: {name}" if self.trace.model_name else name.capitalize()

    def reload(self) -> None:
        """Do nothing: a view has no file or address to be loaded from again."""

    def _fragment(self) -> str:
        """An output of its own, or what ``data`` was set to."""
        if self._set is not None:
            return self._set
        fragment = page.render(self._payload, self._nonce)
        warn_if_large(self, len(fragment))  # ASCII: as many bytes
        return fragment

    def _document(self) -> str:
        """A whole HTML page."""
        fragment = page.render(self._payload) if self._set is None else self._set
        return page.document(fragment, self._title())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        """IPython's protocol: the forms it can be shown in, and their metadata if there are any."""
        forms = {"text/html": self._fragment(), "text/plain": repr(self)}
        return (forms, {"text/html": dict(self.metadata)}) if self.metadata else forms

    def _repr_html_(self) -> str:  # for what asks for HTML alone: documentation tools, servers
        return self._fragment()

    def __html__(self) -> str:  # for template engines: it is markup and needs no escaping
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
        values = "" if self.trace.kind == "attention" else f"{self.trace.kind} values, "
        return f"{type(self).__name__}({model}{values}{'; '.join(shown)})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
