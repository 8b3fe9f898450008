"""The three signatures of a view function: of a model, of a trace, and of arrays.

The problem. ``head_view(model, tokenizer, text, text_pair)``, ``head_view(trace)`` and BertViz's
``head_view(attention, tokens, sentence_b_start, prettify_tokens, layer, heads, ...)`` are one
function, whose second argument means something else each time. One list of parameters for all
three could only be called ``*args``, and every mixture of them would be accepted and misread.

So each of the three is an ``inspect.Signature`` of its own, made of keywords that are written once:
those of the view's class, those of ``extract`` and those of ``AttentionTrace.from_arrays``. Python
binds the arguments; what does not bind is explained in terms of the call that was probably meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import BoundArguments, Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from bertviz.errors import suggestion
from bertviz.views.options import DEFAULTS

if TYPE_CHECKING:
    from bertviz.trace import Kind, TraceKind
    from bertviz.views.view import View

Source: TypeAlias = Literal["model", "trace", "arrays"]


class ExtractOptions(TypedDict, total=False):
    """Keywords of ``extract`` that a view passes on.

    Its ``layers`` and ``heads`` are not among them: a view's own say where it starts.
    """

    inputs: Mapping[str, Any] | None
    tokens: Any
    batch_index: int | None
    drop_padding: bool
    device: Any
    generate: Mapping[str, Any] | None
    verify: bool
    progress: bool


class ArrayOptions(TypedDict, total=False):
    """Keywords of ``AttentionTrace.from_arrays`` that a view passes on, beside BertViz's own."""

    queries: Any
    keys: Any
    scaling: float | Sequence[float] | None
    query_tokens: Sequence[str] | None
    key_tokens: Sequence[str] | None
    kind: Kind | TraceKind | None
    batch_index: int | None
    attention_mask: Any
    drop_padding: bool


class SourceOptions(ExtractOptions, ArrayOptions, total=False):
    """Everything that says what to show, by name."""

    model: Any
    tokenizer: Any
    text: str | None
    text_pair: str | None
    trace: Any
    attention: Any
    sentence_b_start: Any
    encoder_attention: Any
    decoder_attention: Any
    cross_attention: Any
    encoder_tokens: Any
    decoder_tokens: Any


# The names under which the first argument may come.
FIRST: Mapping[str, Source] = {"model": "model", "trace": "trace", "attention": "arrays"}
MODEL = ("model", "tokenizer", "text", "text_pair")
PARTS = (
    *("encoder_attention", "decoder_attention", "cross_attention"),
    *("encoder_tokens", "decoder_tokens"),
)
MODEL_ONLY = {*MODEL, *ExtractOptions.__annotations__} - {"tokens", *ArrayOptions.__annotations__}
ARRAYS_ONLY = {"attention", "sentence_b_start", *PARTS, *ArrayOptions.__annotations__} - {
    *ExtractOptions.__annotations__
}
# Defaults of keywords; all others are None.
VALUES = {
    **DEFAULTS,
    "html_action": "view",
    "drop_padding": True,
    "device": "cpu",
    "verify": False,
    "progress": True,
}


@dataclass(frozen=True)
class Signatures:
    """The signatures of one view function.

    Attributes:
        call: The function's name.
        options: The keywords of the view's class.
        model: ``(model, tokenizer, text, text_pair, *, ...)``, which is what the function shows.
        trace: ``(trace, *, ...)``, also for a comparison.
        arrays: BertViz's order of arguments, then the keywords that BertViz does not have.
    """

    call: str
    options: frozenset[str]
    model: Signature
    trace: Signature
    arrays: Signature

    @staticmethod
    def of(view: type[View], order: Iterable[str]) -> Signatures:
        """The signatures of the function that makes such views.

        Args:
            view: The class.
            order: The arguments that arrays may come with by position, in BertViz's order.
        """
        shown = [name for name in signature(view).parameters if name != "trace"]
        own = (*shown, "html_action")
        order = tuple(order)
        return Signatures(
            call=f"{view.kind}_view",
            options=frozenset(shown),
            model=_signature(MODEL, (*own, *ExtractOptions.__annotations__), required=True),
            trace=_signature(("trace",), own, required=True),
            arrays=_signature(order, (*own, *ArrayOptions.__annotations__)),
        )

    def bind(
        self, source: Source, arguments: Sequence[Any], keywords: Mapping[str, Any]
    ) -> BoundArguments:
        """Give the arguments their names.

        A keyword that goes with another source is ignored if it is None, since wrappers pass on all
        they have.

        Args:
            source: What the view is to be made from, which chooses the signature.
            arguments: What came by position.
            keywords: What came by name.

        Raises:
            TypeError: They do not fit the signature.
        """
        chosen: Signature = getattr(self, source)
        elsewhere = {*SourceOptions.__annotations__} - {*chosen.parameters}
        given = {k: v for k, v in keywords.items() if v is not None or k not in elsewhere}
        try:
            return chosen.bind(*arguments, **given)
        except TypeError as error:
            problem = self._problem(source, chosen, arguments, given)
            raise TypeError(problem or f"{self.call}(): {error}.") from None

    def _problem(
        self,
        source: Source,
        chosen: Signature,
        arguments: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> str | None:
        """Why arguments do not fit the signature, and what would."""
        call, known = self.call, chosen.parameters
        places = [name for name in known if known[name].kind is Parameter.POSITIONAL_OR_KEYWORD]
        twice = [name for name in places[: len(arguments)] if name in keywords]
        if twice:
            return f"{call}() got {twice[0]} twice, by position and by name: pass it once."
        article = {"model": "a model", "trace": "a trace", "arrays": "arrays"}[source]
        stray = next((name for name in keywords if name not in known), None)
        if stray is None and len(arguments) > len(places):
            return (
                f"{call}() with {article} takes {_count(len(places))} by position"
                f" ({', '.join(places)}), got {len(arguments)}: pass the others by name."
            )
        if stray is None:
            return None
        if source == "arrays" and stray in MODEL_ONLY:
            return (
                f"{call}() got {stray} and no model: {stray} goes with a model,"
                f" {call}(model, tokenizer, text)."
            )
        return f"{call}() takes no {stray} with {article}: {_fix(source, stray, known)}"


def _fix(source: Source, stray: str, known: Collection[str]) -> str:
    if source == "model" and stray in ARRAYS_ONLY:
        return "its attention is captured, every block of it."
    if source == "trace" and stray in SourceOptions.__annotations__:
        return "it holds tokens and attention already."
    return suggestion(stray, known)


def _signature(
    places: Iterable[str], by_name: Iterable[str], *, required: bool = False
) -> Signature:
    """A signature of some parameters by position or by name, and others by name alone.

    Args:
        places: The former, in order.
        by_name: The latter; those that are also among ``places`` are left out here.
        required: Whether the first must be given.
    """
    order = tuple(places)
    rest = tuple(name for name in dict.fromkeys(by_name) if name not in order)
    parameters = []
    for index, name in enumerate((*order, *rest)):
        kind = Parameter.POSITIONAL_OR_KEYWORD if index < len(order) else Parameter.KEYWORD_ONLY
        default = Parameter.empty if required and index == 0 else VALUES.get(name)
        parameters.append(Parameter(name, kind, default=default))
    return Signature(parameters)


def _count(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"
