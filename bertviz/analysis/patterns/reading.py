"""What ``find_patterns`` is given, one text after the other: traces, or a model and texts.

The problem. Of two hundred texts the sixty-first is too long, after ten minutes. So all texts are
checked before the first is read; an error says which text it is about, and keeps what was read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from bertviz.analysis.patterns.arguments import check_text, told
from bertviz.analysis.patterns.pattern import Unavailable
from bertviz.analysis.patterns.pooling import Predictive
from bertviz.errors import a_type, short, suggestion, unwarned
from bertviz.trace import AttentionTrace, check_attention

EXAMPLE = "find_patterns(model, tokenizer, ['One text.', ('A sentence.', 'Another.')])"
FROM = "pass the attention that the values were made from"
PAIR = "a string, or a pair of strings"
NOT_OPTIONS = ("model", "tokenizer", "text", "text_pair", "inputs", "tokens", "batch_index")


@dataclass(frozen=True)
class Item:
    """One text to read.

    Attributes:
        name: What errors call it, such as "texts[3]"; empty if it is the only one.
        read: Gives its trace, and which of its words predict which.
    """

    name: str
    read: Callable[[], tuple[AttentionTrace, Predictive]]


@dataclass(frozen=True)
class Items:
    """All texts to read.

    Attributes:
        each: The texts.
        total: How many there are; None if that is not known yet.
    """

    each: Iterable[Item]
    total: int | None


def items_of(
    source: Any,
    tokenizer: Any,
    texts: Any,
    predictive_words: int,
    options: Mapping[str, Any],
    *,
    skips: bool,
    progress: bool,
) -> Items:
    """The texts, each to be read when its turn comes.

    Args:
        source: A trace, several, or a model.
        tokenizer: With a model: its tokenizer.
        texts: With a model: its texts.
        predictive_words: With a model: the longest text, in words, to look for predictive words in.
        options: With a model: further keywords of ``extract``.
        skips: Whether texts that cannot be read are skipped; otherwise all are checked here.
        progress: Whether to show a bar for the parts of a single text.

    Raises:
        TypeError: The source or a text is none of these.
        ValueError: There is no text, or one that the model cannot read.
    """
    if not _is_model(source):
        if tokenizer is not None or texts is not None or options:
            named = "tokenizer" if tokenizer is not None else next(iter({"texts": 0, **options}))
            raise TypeError(
                f"find_patterns got {named} and no model: expected find_patterns(trace) or"
                " find_patterns(model, tokenizer, texts)."
            )
        return _traces(source)

    from bertviz.extractor import extract

    check_options(extract, options)
    single = _is_single(texts)
    given = [texts] if single else _listed(texts, skips)
    if not skips:
        _check_all(source, tokenizer, given, single, options)

    def item(place: int) -> Item:
        name = "" if single else f"texts[{place}]"

        def read() -> tuple[AttentionTrace, Predictive]:
            # A reason for skipping has no place: places move when results are added.
            text, pair = _pair("text" if skips else name or "texts", given[place])
            trace = extract(source, tokenizer, text, pair, progress=progress and single, **options)
            return trace, _predictive(source, tokenizer, text, pair, trace, predictive_words)

        return Item(name, read)

    return Items(map(item, range(len(given))), len(given))


def _is_model(source: Any) -> bool:
    try:
        return hasattr(source, "forward")
    except Exception:  # of an object that fails whatever it is asked
        return False


def _traces(source: Any) -> Items:
    """One trace, or several, which may be made one by one as they are asked for."""
    if isinstance(source, AttentionTrace):
        check_attention("find_patterns", source, FROM)
        return Items([Item("", lambda: (source, None))], 1)
    wanted = "expected an AttentionTrace, a list of traces, or a model, its tokenizer and texts"
    try:
        if isinstance(source, str | bytes | Mapping):
            raise TypeError
        each = iter(source)
        total = len(source) if isinstance(source, Sequence) else None
    except Exception:
        raise TypeError(f"source is {a_type(source)} that holds no traces: {wanted}.") from None
    first = next(each, None)
    if first is None:
        raise TypeError(f"source is {a_type(source)} that holds no traces: {wanted}.")

    def item(place: int, trace: object) -> Item:
        def read() -> tuple[AttentionTrace, Predictive]:
            if not isinstance(trace, AttentionTrace):
                raise TypeError(f"it is {a_type(trace)}: expected an AttentionTrace.")
            check_attention("find_patterns", trace, FROM)
            return trace, None

        return Item(f"source[{place}]", read)

    def items() -> Iterator[Item]:
        yield item(0, first)
        for place, trace in enumerate(each, 1):
            yield item(place, trace)

    return Items(items(), total)


def _predictive(*arguments: Any) -> Predictive:
    from bertviz.analysis.patterns.predictive import predictive

    try:
        return predictive(*arguments)
    except Unavailable as reason:
        return str(reason)


def _is_single(texts: Any) -> bool:
    """Whether it is one text or pair, and not several."""
    if isinstance(texts, str):
        return True
    return isinstance(texts, tuple) and len(texts) == 2 and all(isinstance(x, str) for x in texts)


def _listed(texts: Any, skips: bool) -> list[Any]:
    """Several texts; all of them strings or pairs, unless others are to be skipped."""
    wanted = f"expected a text, a pair as a tuple, or a list of these, as in {EXAMPLE}"
    try:
        if isinstance(texts, bytes | Mapping):
            raise TypeError
        each = iter(texts)
    except Exception:
        raise TypeError(f"texts is {a_type(texts)}: {wanted}.") from None
    found: list[Any] = []
    for given in each:
        if not skips:
            _pair(f"texts[{len(found)}]", given)
        found.append(given)
    if not found:
        raise ValueError(f"texts={short(texts)} holds no text: {wanted}.")
    return found


def _pair(name: str, given: Any) -> tuple[str, str | None]:
    """A text as (text, text_pair)."""
    if isinstance(given, tuple | list):
        if len(given) != 2:
            raise TypeError(f"{name} is {a_type(given)} of {len(given)}: expected {PAIR}.")
        for place, part in enumerate(given):
            check_text(f"{name}[{place}]", part)
        return given[0], given[1]
    check_text(name, given, PAIR)
    return given, None


def _check_all(
    model: Any, tokenizer: Any, texts: Sequence[Any], single: bool, options: Mapping[str, Any]
) -> None:
    """Refuse texts that the model cannot read, before the first is read."""
    from bertviz.extractor.inputs import Reading

    for place, given in enumerate(texts):
        name = "texts" if single else f"texts[{place}]"
        text, pair = _pair(name, given)
        if single:
            continue  # extract says it
        read = partial(Reading.of, model, tokenizer, text, pair, writes="generate" in options)
        try:
            unwarned(read)  # extract warns
        except Exception as error:
            raise_located(error, name)


def check_options(extract: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Refuse keywords that ``extract`` does not take, or not for each of several texts."""
    known = set(inspect.signature(extract).parameters) - set(NOT_OPTIONS)
    for name in options:
        if name in NOT_OPTIONS:
            raise TypeError(
                f"find_patterns got {name}, which belongs to one text: make the traces yourself,"
                f" find_patterns([extract(model, tokenizer, {name}=...), ...])."
            )
        if name not in known:
            raise TypeError(
                f"find_patterns got {name}, which it does not take: {suggestion(name, known)}"
            )


def raise_located(error: Exception, name: str, more: str = "") -> NoReturn:
    """Raise the same error, with a message that begins with the text that it is about.

    Args:
        error: The error. One whose message is not its only argument is left as it is, and a
            ``RuntimeError`` is raised from it.
        name: What the text is called; empty if it is the only one.
        more: A sentence to end the message with.
    """
    if not name:
        raise error
    message = error.args[0] if len(error.args) == 1 else None
    plain = isinstance(message, str)
    message = message if isinstance(message, str) else told(error)
    begun = message if message.startswith(name) else f"{name}: {message}"
    begun = begun if begun.endswith((".", "!", "?")) else f"{begun}."
    begun = f"{begun} {more}" if more else begun
    if not plain:
        raise RuntimeError(begun) from error
    error.args = (begun,)
    raise error
