"""The state of a view: every key, its type and its values, in one place.

The problem. The page repairs a state that it cannot draw, which is right for a click and wrong for
a figure: ``save("x.svg", mode="matrx")`` would silently draw lines. So a state that comes
from Python is checked (``check_state``) before anything is drawn or written.

The types below are the one list of keys; ``STATE`` is read off them, ``View.save`` is typed with
them, and a test compares them with the page's own list (``STATE`` in ``js/state.js``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, get_args, get_origin, get_type_hints

from bertviz.web.payload.schema import ViewName

Pair = Literal["All", "A→A", "B→B", "A→B", "B→A"]


class CommonState(TypedDict, total=False):
    """The state keys of every view.

    Attributes:
        block: The name of the block.
        layer: The model's own number of the layer.
        heads: The model's own numbers of the heads; the neuron view shows one.
        query: The position of the selected query token, or None.
        key: The position of the selected key token, or None.
        also: Positions of further selected tokens, on the same side.
        locked: Whether the selection stays when the pointer moves.
        pair: Which sentences attend to which, of a text with two.
    """

    block: str
    layer: int
    heads: Sequence[int]
    query: int | None
    key: int | None
    also: Sequence[int]
    locked: bool
    pair: Pair


class HeadState(CommonState, total=False):
    """The state keys of a head view.

    Attributes:
        mode: Lines between tokens, or a matrix.
        words: Whether words stand in place of their subword tokens.
        combine: Heads one by one, or as their mean or sum.
        hide: Which tokens are left out: special tokens, the first one, or both.
        mass: The part of each row that the lines at rest show, the strongest first.
        renormalize: Whether the rows that ``pair`` or ``hide`` leaves are scaled to sum to one.
        panel: What the reading panel shows: the text, or the same row in all heads of the model.
        zoom: A window: the first query and the one after the last, and the same for keys.
    """

    mode: Literal["lines", "matrix"]
    words: bool
    combine: Literal["each", "mean", "sum"]
    hide: Literal["nothing", "special", "first", "both"]
    mass: float
    renormalize: bool
    panel: Literal["text", "model"]
    zoom: Sequence[int] | None


class ModelState(CommonState, total=False):
    """The state keys of a model view.

    Attributes:
        cell: The [layer, head] that is shown in large, or None.
        measure: The name of the number that is shown below each head, or None.
        sorted: Whether heads are sorted by that number.
    """

    cell: Sequence[int] | None
    measure: str | None
    sorted: bool


class NeuronState(CommonState, total=False):
    """The state keys of a neuron view.

    Attributes:
        detail: Whether the columns of neurons are open.
        off: Numbers of neurons that are switched off.
        temperature: What scores are divided by before softmax, from 0.1 to 10.
        sort: The order of the neurons.
    """

    detail: bool
    off: Sequence[int]
    temperature: float
    sort: Literal["model", "contribution", "explanation"]


STATES: Mapping[ViewName, type] = {"head": HeadState, "model": ModelState, "neuron": NeuronState}

# What the page itself can measure (js/data/measures.js); others come with a payload.
PAGE_MEASURES = ("entropy", "distance", "first")

# With more squares than this, the page starts by coloring them by entropy, otherwise with a bar for
# the weight on the first token.
DENSE = 1500


def _values(hint: object) -> tuple[Any, ...] | None:
    """All values of a type, if it names them."""
    if hint is bool:
        return (False, True)
    return get_args(hint) if get_origin(hint) is Literal else None


#: By view and key: the values there are, or None where what is shown decides.
STATE: Mapping[ViewName, Mapping[str, tuple[Any, ...] | None]] = {
    view: {key: _values(hint) for key, hint in get_type_hints(state).items()}
    for view, state in STATES.items()
}
