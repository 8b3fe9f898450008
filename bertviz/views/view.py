"""The object behind a picture: what to show, checked, and the ways it leaves Python.

The problem. A view is displayed in the middle of a cell, in a loop, twice, in a terminal, in a
script without any notebook, in a notebook that does not run inline scripts, or written to a file;
and a wrong layer number must be an error in the cell that made it, not a blank picture below it.

So a view checks all of its options and makes its payload when it is created. Every way out renders
that payload again, as an output of its own: two displays of one view share nothing in the page.
"""

from __future__ import annotations

import importlib
import operator
import os
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypeVar, get_args

from bertviz.analysis.measures import measures_of
from bertviz.analysis.tables import as_frame, as_rows
from bertviz.errors import a_type
from bertviz.views import saving
from bertviz.views.rows import columns_of
from bertviz.web import page, payload

if TYPE_CHECKING:
    from typing import SupportsIndex

    from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention

    Numbers: TypeAlias = SupportsIndex | Iterable[SupportsIndex]

DisplayMode: TypeAlias = Literal["auto", "light", "dark"]
HtmlAction: TypeAlias = Literal["view", "return"]

# Databricks refuses an output over 10 MB by default, and Colab did at about that size.
LARGE_BYTES = 10_000_000

AnyView = TypeVar("AnyView", bound="View")


class View:
    """A picture of a trace; a notebook shows it when it is the last expression of a cell.

    ``HeadView``, ``ModelView`` and ``NeuronView`` are the views; this is what they share.

    Attributes:
        trace: What is shown.
    """

    kind: ClassVar[payload.ViewName]

    def __init__(
        self,
        trace: AttentionTrace,
        *,
        layer: SupportsIndex | None = None,
        heads: Numbers | None = None,
        include_layers: Numbers | None = None,
        include_heads: Numbers | None = None,
        display_mode: DisplayMode = "auto",
        heads_name: str = "heads",
        scores: Any = None,
        comparison: Any = None,
        explanation: Any = None,
    ) -> None:
        """Check the options and make the payload.

        Args:
            trace: What to show.
            layer: The model's own number of the layer the view starts with.
            heads: The model's own numbers of the heads the view starts with.
            include_layers: The layers to ship; all by default.
            include_heads: The heads to ship; all by default.
            display_mode: "light" and "dark" fix the theme; "auto" follows the notebook.
            heads_name: What the caller's argument for ``heads`` is called, for errors.
            scores: Numbers per head to colour by; see ``measures.measures_of``.
            explanation: Which neurons make the head that the view starts with.
            comparison: Whose differences to show in place of the weights of ``trace``, its b.

        Raises:
            TypeError: An option is of the wrong type.
            ValueError: An option names what the trace does not have.
        """
        if display_mode not in get_args(DisplayMode):
            raise ValueError(
                f"display_mode={display_mode!r} is unknown: expected 'auto' (follows the"
                " notebook), 'light' or 'dark'."
            )
        layers, kept_heads = _included(trace, include_layers, include_heads)
        state = _start(trace, layer, heads, layers, kept_heads, heads_name)
        self.trace = trace
        self._comparison = comparison
        scores = comparison if scores is None and self.kind == "model" else scores
        self._payload = payload.build(
            trace,
            self.kind,
            state=state,
            include_layers=layers,
            include_heads=kept_heads,
            display_mode=display_mode,
            measures=measures_of(scores, trace),
            comparison=comparison,
            explanation=explanation,
        )

    @property
    def data(self) -> str:
        """The picture as an HTML fragment, to be put into a page or an HTML output.

        Every reading gives an output with an id of its own.
        """
        fragment = page.render(self._payload)
        size = len(fragment)  # ASCII
        if size >= LARGE_BYTES:
            warnings.warn(
                f"This {page.NAMES[self.kind]} is {size / 1e6:.1f} MB of HTML; Colab and"
                f" Databricks may refuse an output over {LARGE_BYTES / 1e6:.0f} MB. Pass fewer"
                " layers or heads, such as include_layers=[0, 1] or include_heads=[0, 1], or a"
                ' shorter text; or .save("view.html") it, a file may be as large.',
                stacklevel=2,
            )
        return fragment

    def save(
        self, path: str | os.PathLike[str], *, width: saving.Width = None, **state: Any
    ) -> None:
        """Write the picture as a file of its own.

        ``.html`` is interactive and needs no network and no Python. The others are figures, as the
        page's own "Save" makes them: ``.svg`` with text as text, drawn by the page's own code
        without a browser; ``.png`` and ``.pdf`` are made of it. They need the ``figures`` extra.
        Beyond 6,000 lines (10,000 in the thumbnails of a model view) the lines are an image under
        the text.

        >>> import pathlib, tempfile
        >>> from bertviz import HeadView
        >>> view = HeadView([[[0.25, 0.75], [1.0, 0.0]]], ["a", "b"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "figure.svg"
        ...     view.save(path, query=0)
        ...     path.read_text(encoding="utf-8").count("<path")  # a line for every weight of "a"
        2

        Args:
            path: Where to; the suffix says what. An existing file is replaced.
            width: How wide to draw a figure: CSS pixels, or a string with a unit (px, in, cm, mm,
                pt) such as "3.25in"; by default 760 (head view), 1,000 (model view) or 1,100
                (neuron view) pixels. Figures are as wide as their content, up to about this.
            **state: What to show, where it is not what the view starts with: ``query=3``,
                ``key=3``, ``also=[5]``, ``mode="matrix"``, ``words=True``, ``combine="mean"``,
                ``hide="special"``, ``mass=0.5``, ``pair="A→B"``, ``zoom=[0, 50, 0, 50]``,
                ``cell=[2, 0]``, ``off=[4, 5]`` and so on: see ``HeadState``, ``ModelState`` and
                ``NeuronState`` in ``bertviz.web.payload.state``. A figure shows it, an HTML file
                begins with it.

        Raises:
            TypeError: A key of the state is unknown, or a value is of the wrong type.
            ValueError: The suffix is not one that is offered, or the view cannot show that state.
            ModuleNotFoundError: The extra is not installed.
        """
        saving.save(self._payload, path, title=self._title(), width=width, state=state)

    def rows(
        self,
        *,
        query: SupportsIndex | None = None,
        key: SupportsIndex | None = None,
        top: SupportsIndex | None = None,
    ) -> list[dict[str, Any]]:
        """The numbers that the picture starts with, exact, a dict for every weight.

        The head view gives its layer and heads, the neuron view its head (with the scores beside
        the weights), the model view all layers and heads it shows.

        >>> from bertviz import HeadView
        >>> view = HeadView([[[0.25, 0.75], [1.0, 0.0]]], ["a", "b"])
        >>> [(row["key_token"], row["weight"]) for row in view.rows(query=0, top=1)]
        [('b', 0.75)]

        Args:
            query: The position of one query; all by default.
            key: The position of one key; all by default.
            top: How many weights to keep of each head and query, the largest first; all by default.
                Of a comparison, the largest in either direction.

        Returns:
            Dicts with block, layer, head, query, key (positions), query_token, key_token, weight
            (of a comparison b minus a), and in the neuron view score.

        Raises:
            TypeError: An argument is not an integer.
            ValueError: A position is out of range, or ``top`` is below 1.
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
            ValueError: A position is out of range, or ``top`` is below 1.
        """
        return as_frame(columns_of(self, query, key, top))

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

        >>> from bertviz import HeadView
        >>> HeadView([[[0.25, 0.75], [1.0, 0.0]]], ["a", "b"])
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


def check_html_action(html_action: object) -> None:
    """Refuse anything but the two values; called before the work that makes the picture.

    Raises:
        ValueError: ``html_action`` is neither "view" nor "return".
    """
    if not isinstance(html_action, str) or html_action not in get_args(HtmlAction):
        raise ValueError(
            f"html_action={html_action!r} is unknown: expected 'view' (show the picture at once)"
            " or 'return' (get the view object)."
        )


def finish(view: AnyView, html_action: HtmlAction) -> AnyView | None:
    """Display a view at once and give None, or give the view.

    Where nothing can show HTML (a plain script, IPython in a terminal), a warning says what to do
    instead.
    """
    if html_action == "return":
        return view
    try:
        import IPython.display
        from IPython.core.getipython import get_ipython
    except ImportError:
        _warn_unseen(view)
        return None
    shell = get_ipython()
    # Looked up at the time of the call: marimo has no shell and puts its own `display` here, under
    # the name and module of IPython's, so only the function's globals tell whose it is.
    display = IPython.display.display
    alone = shell is None and display.__globals__["__name__"].startswith("IPython.")
    if alone or type(shell).__name__ == "TerminalInteractiveShell":
        _warn_unseen(view)
    else:
        display(view)  # type: ignore[no-untyped-call]
    return None


def _warn_unseen(view: View) -> None:
    name = page.NAMES[view.kind].replace(" ", "_")
    warnings.warn(
        f"{name} has nowhere to show its picture: this is not a notebook. Save it instead:"
        f' {name}(..., html_action="return").save("{name}.html"), and open the file in a browser.',
        stacklevel=4,
    )


def as_index(name: str, value: object, what: str) -> int:
    """A whole number from an int, a NumPy integer or the like.

    Args:
        name: The argument's name, for errors.
        value: What was passed.
        what: What the number counts, such as "layer".

    Raises:
        TypeError: ``value`` is a bool, a string, a float or anything else that is no integer.

    >>> as_index("layer", "2", "layer")
    Traceback (most recent call last):
        ...
    TypeError: layer='2' is a str: expected a layer number, such as layer=2.
    """
    example = value if isinstance(value, str) and value.isdecimal() else 0
    if isinstance(value, float) and value.is_integer():
        example = int(value)
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{name}={_short(value)} is {a_type(value)}: expected a {what} number, such"
            f" as {name}={example}."
        ) from None


def as_indices(name: str, value: object, what: str) -> list[int]:
    """Whole numbers, without repeats, from a list, tuple, range, set, array or one number.

    Args:
        name: The argument's name, for errors.
        value: What was passed.
        what: What the numbers count, such as "head".

    Raises:
        TypeError: Something in it is no integer.
        ValueError: There is nothing in it.

    >>> as_indices("heads", range(2, 5), "head"), as_indices("heads", 3, "head")
    ([2, 3, 4], [3])
    >>> as_indices("heads", [], "head")
    Traceback (most recent call last):
        ...
    ValueError: heads=[] is empty: expected at least one head number, such as heads=[0], or leave heads out for all.
    """  # noqa: E501
    if isinstance(value, str | bytes | bool | float):
        raise TypeError(
            f"{name}={_short(value)} is {a_type(value)}: expected a list of {what}"
            f" numbers, such as {name}=[0, 1]."
        )
    try:
        items = list(value)  # type: ignore[call-overload]
    except TypeError:
        return [as_index(name, value, what)]
    numbers = []
    for item in items:
        try:
            number = as_index(name, item, what)
        except TypeError:
            raise TypeError(
                f"{name} holds {_short(item)}, {a_type(item)}: expected {what} numbers,"
                f" such as {name}=[0, 1]."
            ) from None
        numbers.append(number)
    if not numbers:
        raise ValueError(
            f"{name}={_short(value)} is empty: expected at least one {what} number, such as"
            f" {name}=[0], or leave {name} out for all."
        )
    return list(dict.fromkeys(numbers))


def _included(
    trace: AttentionTrace, include_layers: Numbers | None, include_heads: Numbers | None
) -> tuple[list[int] | None, list[int] | None]:
    """The layers and heads to ship, each None for all."""
    layers = heads = None
    every = [layer for block in trace.blocks.values() for layer in block.layers]
    if include_layers is not None:
        layers = as_indices("include_layers", include_layers, "layer")
        _check_among("include_layers", layers, {layer.index for layer in every}, _who(trace))
        every = [layer for layer in every if layer.index in layers]
    if include_heads is not None:
        heads = as_indices("include_heads", include_heads, "head")
        _check_among("include_heads", heads, {h for x in every for h in x.heads}, _who(trace))
    return layers, heads


def _start(
    trace: AttentionTrace,
    layer: SupportsIndex | None,
    heads: Numbers | None,
    include_layers: Sequence[int] | None,
    include_heads: Sequence[int] | None,
    heads_name: str,
) -> dict[str, Any]:
    """The state a view starts with: block and layer, and heads, as far as they were chosen."""
    found: list[tuple[AttentionBlock, LayerAttention]] = [
        (block, row)
        for block in trace.blocks.values()
        for row in block.layers
        if include_layers is None or row.index in include_layers
    ]
    state: dict[str, Any] = {}
    if layer is not None:
        number = as_index("layer", layer, "layer")
        every = {row.index for block in trace.blocks.values() for row in block.layers}
        _check_among("layer", number, every, _who(trace))
        found = [(block, row) for block, row in found if row.index == number]
        if not found:
            included = sorted(include_layers or ())
            raise ValueError(
                f"layer={number} is not among include_layers={included}: add it there, or pass"
                f" layer={_alternatives('layer', included)}."
            )
        state = {"block": found[0][0].name, "layer": number}
    if heads is not None:
        numbers = as_indices(heads_name, heads, "head")
        single = heads_name == "head"
        row = found[0][1]
        value: int | list[int] = numbers[0] if single else numbers
        _check_among(heads_name, value, set(row.heads), f"layer {row.index}")
        missing = [n for n in numbers if include_heads is not None and n not in include_heads]
        if missing:
            included = sorted(include_heads or ())
            named = f"{heads_name}={value}"
            if not single:
                named += f": head {missing[0]}"
            raise ValueError(
                f"{named} is not among include_heads={included}: add it there, or choose"
                f" {heads_name} from those."
            )
        state["heads"] = numbers
    return state


def _check_among(name: str, value: int | list[int], known: Iterable[int], owner: str) -> None:
    """Refuse numbers that are not known, and say which are."""
    available = sorted(known)
    what = "layer" if "layer" in name else "head"
    wanted = value if isinstance(value, list) else [value]
    unknown = [number for number in wanted if number not in available]
    if not unknown:
        return
    single = not isinstance(value, list)
    subject = f"{name}={value}" if single else f"{name} holds {unknown[0]}, which"
    if unknown[0] > available[-1] or unknown[0] < 0:
        problem = "is out of range"
    else:
        problem = f"is not a {what} that is there"
    near = min(available, key=lambda number: abs(number - unknown[0]))
    if single:
        fix = f"pass {name}={near}"
        if near == available[-1] and len(available) > 1:
            fix += " or lower"
    else:
        fix = f"choose from {'it' if len(available) == 1 else 'these'}"
    raise ValueError(f"{subject} {problem}: {owner} has {_listing(what, available)}; {fix}.")


def _listing(what: str, numbers: Sequence[int]) -> str:
    """Numbers in words.

    >>> _listing("layer", [0, 1, 2]), _listing("head", [4]), _listing("layer", [0, 3])
    ('layers 0 to 2', 'head 4', 'layers 0, 3')
    """
    if len(numbers) == 1:
        return f"only {what} {numbers[0]}" if numbers[0] == 0 else f"{what} {numbers[0]}"
    if list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{what}s {numbers[0]} to {numbers[-1]}"
    return f"{what}s {', '.join(map(str, numbers))}"


def _alternatives(name: str, numbers: Sequence[int]) -> str:
    return f" or {name}=".join(map(str, numbers[:3]))


def _who(trace: AttentionTrace) -> str:
    return "the model" if trace.model_name else "the attention"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _short(value: object) -> str:
    """A repr that never fills the screen."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
