"""Attention as BertViz's ``get_attention`` returned it: a dict of nested lists.

The problem. Projects compute with that dict: which sentence attends to which, token by token, with
the tokens as BertViz split them. BertViz read queries and keys from copies of three models; here
any model is captured, and only the tokens follow BertViz's rules for its four families.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bertviz.errors import ArgumentError, a_type, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor
    from torch.nn import Module

    from bertviz.trace import AttentionTrace, LayerAttention

FAMILIES = ("bert", "gpt2", "xlnet", "roberta")
INSTEAD = "extract(model, tokenizer, text, text_pair) reads any model"


class Sentences(NamedTuple):
    """The tokens of one or two sentences, special tokens included."""

    a: list[str]
    b: list[str]


def attention_lists(
    model: Module,
    model_type: str,
    tokenizer: Any,
    sentence_a: str,
    sentence_b: str | None,
    include_queries_and_keys: bool,
) -> dict[str, dict[str, Any]]:
    """See ``bertviz.neuron_view.get_attention``."""
    from bertviz.extractor import extract

    check_model_type(model_type, "get_attention")
    check_sentence("sentence_a", sentence_a)
    if sentence_b:
        check_sentence("sentence_b", sentence_b)
    if model_type not in FAMILIES:
        raise ValueError(
            f"model_type={short(model_type)} is unknown: expected 'bert', 'gpt2', 'xlnet' or"
            f" 'roberta', which say where special tokens are; {INSTEAD}."
        )
    if sentence_b and model_type == "gpt2":
        raise ValueError(
            "sentence_b was given and model_type is 'gpt2', which has no sentence pairs: pass one"
            f" text, sentence_a; {INSTEAD}."
        )
    if sentence_b and model_type == "xlnet":
        raise NotImplementedError(
            "sentence_b was given and model_type is 'xlnet': get_attention reads pairs of BERT and"
            f" RoBERTa only; {INSTEAD}."
        )
    sentences = split(model_type, tokenizer, sentence_a, sentence_b)
    trace = extract(model, inputs=_inputs(model_type, tokenizer, sentences), progress=False)
    layers = _layers(trace)
    start, end = len(sentences.a), len(sentences.a) + len(sentences.b)
    spans = {"a": slice(0, start), "b": slice(start, end), "all": slice(0, end)}
    texts = _displayed(model_type, tokenizer, sentences)
    kinds = {"all": ("all", "all")}
    if sentence_b:
        kinds |= {pair: (pair[0], pair[1]) for pair in ("aa", "bb", "ab", "ba")}
    result: dict[str, dict[str, Any]] = {
        kind: {"attn": [], "left_text": texts[left], "right_text": texts[right]}
        for kind, (left, right) in kinds.items()
    }
    for layer in layers:
        weights = layer.weights()
        queries, keys = _vectors(layer) if include_queries_and_keys else (None, None)
        for kind, (left, right) in kinds.items():
            rows, columns, entry = spans[left], spans[right], result[kind]
            entry["attn"].append(weights[:, rows, columns].tolist())
            if queries is not None and keys is not None:
                entry.setdefault("queries", []).append(queries[:, rows].tolist())
                entry.setdefault("keys", []).append(keys[:, columns].tolist())
    return result


def check_model_type(model_type: object, call: str) -> None:
    """Refuse what is not a string, often because it was left out.

    Raises:
        ArgumentError: It is something else.
    """
    if not isinstance(model_type, str):
        instead = {"show": "neuron_view", "get_attention": "extract"}[call]
        raise ArgumentError(
            f"model_type is {a_type(model_type)}: expected a string such as 'bert', as in"
            f" {call}(model, 'bert', tokenizer, sentence_a). Without it, call"
            f" {instead}(model, tokenizer, sentence_a, sentence_b)."
        )


def check_sentence(name: str, sentence: object) -> None:
    """Refuse a sentence that is empty or no string.

    Raises:
        ValueError: It is empty or None.
        TypeError: It is something else than a string.
    """
    if sentence is None or (isinstance(sentence, str) and sentence == ""):
        raise ValueError(f"{name} is {sentence!r}: expected the text, such as 'The cat sat.'")
    if not isinstance(sentence, str):
        raise TypeError(f"{name} is {a_type(sentence)}: expected the text as one string.")


def split(model_type: str, tokenizer: Any, sentence_a: str, sentence_b: str | None) -> Sentences:
    """The tokens of both sentences, with special tokens where each family has them.

    RoBERTa has a separator before its second sentence too, XLNet has both after the text, and GPT-2
    has none.
    """
    _check_tokenizer(model_type, tokenizer)
    cls, sep = [tokenizer.cls_token], [tokenizer.sep_token]
    a = list(tokenizer.tokenize(sentence_a))
    if model_type == "gpt2":
        return Sentences(a, [])
    if model_type == "xlnet":
        return Sentences([*a, *sep, *cls], [])
    if not sentence_b:
        return Sentences([*cls, *a, *sep], [])
    b = [*tokenizer.tokenize(sentence_b), *sep]
    return Sentences([*cls, *a, *sep], [*sep, *b] if model_type == "roberta" else b)


def _check_tokenizer(model_type: str, tokenizer: Any) -> None:
    """Refuse what is no tokenizer, or lacks the special tokens of the family."""
    for method in ("tokenize", "convert_tokens_to_ids"):
        if not callable(getattr(tokenizer, method, None)):
            raise TypeError(
                f"tokenizer is {a_type(tokenizer)}: expected the model's tokenizer, which"
                " AutoTokenizer.from_pretrained(...) gives."
            )
    missing = [x for x in ("cls_token", "sep_token") if getattr(tokenizer, x, None) is None]
    if missing and model_type != "gpt2":
        raise ValueError(
            f"tokenizer has no {missing[0]}, which model_type={model_type!r} needs: pass the"
            f" model's own tokenizer, or another model_type; {INSTEAD}."
        )


def _inputs(model_type: str, tokenizer: Any, sentences: Sentences) -> dict[str, Tensor]:
    """What the model reads: ids, and for a pair of BERT's the sentence of each."""
    import torch

    ids = tokenizer.convert_tokens_to_ids([*sentences.a, *sentences.b])
    if None in ids:
        unknown = [*sentences.a, *sentences.b][ids.index(None)]
        raise ValueError(f"tokenizer has no id for {unknown!r}, a token of the text.")
    inputs = {"input_ids": torch.tensor([ids], dtype=torch.long, device="cpu")}
    if sentences.b and model_type == "bert":
        numbers = [0] * len(sentences.a) + [1] * len(sentences.b)
        inputs["token_type_ids"] = torch.tensor([numbers], device="cpu")
    return inputs


def _layers(trace: AttentionTrace) -> tuple[LayerAttention, ...]:
    """The layers of the model's only block."""
    if len(trace.blocks) != 1:
        raise ValueError(
            f"model has {len(trace.blocks)} stacks of attention, {', '.join(trace.blocks)}:"
            " get_attention gives one. extract(model, tokenizer, text).blocks has all."
        )
    [block] = trace.blocks.values()
    return block.layers


def _vectors(layer: LayerAttention) -> tuple[Tensor, Tensor]:
    """A layer's queries and keys, one key vector for every head."""
    queries, keys = layer.queries, layer.keys
    if queries is None or keys is None:
        raise ValueError(
            f"include_queries_and_keys=True, and layer {layer.index} has no queries and keys: leave"
            " it out."
        )
    return queries, keys.repeat_interleave(len(queries) // len(keys), 0)


def with_delimiters(tokens: Iterable[str], tokenizer: Any) -> list[str]:
    """See ``bertviz.neuron_view.format_delimiters``."""
    shown = list(tokens)
    for own, common in ((tokenizer.sep_token, "[SEP]"), (tokenizer.cls_token, "[CLS]")):
        if own:
            shown = [token.replace(own, common) for token in shown]
    return shown


def _displayed(model_type: str, tokenizer: Any, sentences: Sentences) -> dict[str, list[str]]:
    """The tokens as BertViz showed them, of each sentence and of both."""
    a, b = ([t.replace("Ġ", " ").replace("▁", " ") for t in tokens] for tokens in sentences)
    if model_type != "gpt2":
        a, b = with_delimiters(a, tokenizer), with_delimiters(b, tokenizer)
    return {"a": a, "b": b, "all": [*a, *b]}
