"""Which words a model needs to predict a word: the pairs of "predictive words".

The problem. "Other words that predict a word" cannot be seen in the tokens; the model has to be
asked. A masked language model can be: how probable is a word when it is masked, and how probable
when another word is masked too? If the probability was at least 1 %, and falls to a half or less,
the other word is predictive of it. That takes one forward pass for every word, and one for every
pair of words.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.pattern import Unavailable
from bertviz.errors import unwarned
from bertviz.trace.settings import plainly

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from bertviz.trace import AttentionBlock, AttentionTrace

LEAST = 0.01  # a smaller probability is too small to fall
LOGITS_AT_ONCE = 20_000_000


def predictive(
    model: Module,
    tokenizer: Any,
    text: str,
    text_pair: str | None,
    trace: AttentionTrace,
    most_words: int,
) -> dict[str, Tensor]:
    """For each block that reads the text: (word, word) bool, which words predict the row's word.

    Args:
        model: A masked language model.
        tokenizer: Its tokenizer.
        text: As ``extract`` read it.
        text_pair: The second text, as ``extract`` read it.
        trace: The text's trace.
        most_words: The longest text, in words, for which to do this.

    Raises:
        Unavailable: The model does not predict masked words, or the text has too many words.
    """
    found = {}
    both = probabilities(model, tokenizer, text, text_pair, trace, most_words)
    for name, probability in both.items():
        alone = probability.diagonal()[:, None]
        found[name] = (alone >= LEAST) & (probability <= alone / 2)
    return found


def probabilities(
    model: Module,
    tokenizer: Any,
    text: str,
    text_pair: str | None,
    trace: AttentionTrace,
    most_words: int,
) -> dict[str, Tensor]:
    """For each block that reads the text: (word, also masked), how probable the masked word is.

    On the diagonal the word alone is masked. The probability of a word of several subword tokens is
    the product of theirs, all masked. Special tokens have NaN.

    Args:
        model: A masked language model.
        tokenizer: Its tokenizer.
        text: As ``extract`` read it.
        text_pair: The second text, as ``extract`` read it.
        trace: The text's trace.
        most_words: The longest text, in words, for which to do this.

    Raises:
        Unavailable: The model does not predict masked words, or the text has too many words.
    """
    import torch

    from bertviz.extractor.inputs import Reading

    reading = unwarned(partial(Reading.of, model, tokenizer, text, text_pair))  # extract warned
    vocabulary = _vocabulary(model, tokenizer, reading.two_stacks)
    batch = reading.batch
    ids = batch["input_ids"][0]
    blocks = [
        block
        for block in trace.blocks.values()
        if block.kind != "cross" and len(block.query) == len(ids)
    ]
    if not blocks:
        raise Unavailable("no block reads the text in which words would be masked")
    places, real = _words(blocks[0], ids.device)
    pairs = list(combinations(real, 2))
    if len(real) > most_words:
        raise Unavailable(
            f"a text has {len(real)} words, which takes {len(real) + len(pairs)} forward passes:"
            f" pass predictive_words={len(real)} to do it"
        )
    found = torch.full((len(places), len(places)), torch.nan, dtype=torch.float64, device="cpu")
    runs = [(word, word) for word in real] + pairs
    step = max(1, LOGITS_AT_ONCE // (len(ids) * vocabulary))
    for first in range(0, len(runs), step):
        some = runs[first : first + step]
        logits = _masked(model, batch, tokenizer.mask_token_id, places, some)
        for row, (one, other) in enumerate(some):
            for word, also in {(one, other), (other, one)}:
                found[word, also] = _probability(logits[row], ids, places[word])
    return {block.name: found for block in blocks if block.query.words == blocks[0].query.words}


@plainly()
def _probability(logits: Tensor, ids: Tensor, at: Tensor) -> float:
    """How probable a word is whose tokens are at some positions."""
    import torch

    logs = torch.log_softmax(logits[at].float(), -1)
    return float(logs.gather(1, ids[at, None]).sum().exp())


def _vocabulary(model: Module, tokenizer: Any, two_stacks: bool) -> int:
    """How many tokens a masked language model chooses from."""
    if getattr(tokenizer, "mask_token_id", None) is None:
        raise Unavailable("the tokenizer has no mask token, so this is not a masked language model")
    head = getattr(model, "get_output_embeddings", lambda: None)()
    if head is None or two_stacks:
        raise Unavailable(
            f"{type(model).__name__} does not predict masked words: load it with"
            " AutoModelForMaskedLM if it can"
        )
    return int(head.weight.shape[0])


@plainly()
def _words(block: AttentionBlock, device: Any) -> tuple[list[Tensor], list[int]]:
    """The positions of each word's tokens, and which words are not special tokens."""
    import torch

    words = torch.tensor(block.query.words, dtype=torch.int64, device="cpu")
    places = [(words == word).nonzero().flatten().to(device) for word in range(int(words[-1]) + 1)]
    special = block.query.special
    return places, [word for word, tokens in enumerate(places) if not special[int(tokens[0])]]


def _masked(
    model: Module, batch: Any, mask: int, places: list[Tensor], runs: list[tuple[int, int]]
) -> Tensor:
    """(runs, token, vocabulary): the logits with some words masked in each run."""
    import torch

    from bertviz.extractor.running import evaluated

    count = len(runs)
    masked = batch["input_ids"][0].repeat(count, 1)
    for row, words in enumerate(runs):
        for word in words:
            masked[row, places[word]] = mask
    repeated = {
        key: value.expand(count, *value.shape[1:])
        if isinstance(value, torch.Tensor) and value.ndim and value.shape[0] == 1
        else value
        for key, value in batch.items()
    }
    logits: Tensor = evaluated(model, {**repeated, "input_ids": masked}).logits
    return logits
