"""Which words a model needs to believe in a word: the cells of "predictive words".

The problem. "Other words that predict a word" cannot be seen in the tokens; the model has to be
asked. A model that fills gaps is: how much does it believe in a word when that word is masked, and
how much when another word is masked too? If it believed at all (with 1 % or more), and the belief
falls to a half or less, the other word is predictive of it. One forward for every pair of words,
and one for every word.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from bertviz.analysis.patterns.cells import NoCells

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from bertviz.trace import AttentionTrace

BELIEVED = 0.01  # less is no belief that could fall
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
        model: Fills gaps.
        tokenizer: Its.
        text: As ``extract`` read it.
        text_pair: Likewise.
        trace: Of it.
        most_words: Up to how many words are masked.

    Raises:
        NoCells: The model fills no gaps, or the text has too many words.
    """
    found = {}
    for name, belief in beliefs(model, tokenizer, text, text_pair, trace, most_words).items():
        alone = belief.diagonal()[:, None]
        found[name] = (alone >= BELIEVED) & (belief <= alone / 2)
    return found


def beliefs(
    model: Module,
    tokenizer: Any,
    text: str,
    text_pair: str | None,
    trace: AttentionTrace,
    most_words: int,
) -> dict[str, Tensor]:
    """For each block that reads the text: (word, also masked), how much the model believes.

    On the diagonal the word alone is masked. Belief in a word of several pieces is the product of
    the beliefs in its pieces, all masked. Special tokens have none, NaN.

    Args:
        model: See ``predictive``.
        tokenizer: Likewise.
        text: Likewise.
        text_pair: Likewise.
        trace: Likewise.
        most_words: Likewise.

    Raises:
        NoCells: Likewise.
    """
    import torch

    from bertviz.extractor.inputs import Reading
    from bertviz.extractor.running import borrowed

    name = type(model).__name__
    mask = getattr(tokenizer, "mask_token_id", None)
    if mask is None:
        raise NoCells("the tokenizer has no mask token, so the model does not fill gaps")
    head = getattr(model, "get_output_embeddings", lambda: None)()
    reading = Reading.of(model, tokenizer, text, text_pair)
    if head is None or reading.two_stacks:
        raise NoCells(
            f"{name} does not predict masked words: load it with AutoModelForMaskedLM if it can"
        )
    batch = reading.batch
    ids = batch["input_ids"][0]
    blocks = [
        b for b in trace.blocks.values() if b.kind != "cross" and len(b.query_tokens) == len(ids)
    ]
    if not blocks:
        raise NoCells("no block reads the text that words would be masked in")
    words = torch.tensor(blocks[0].query.words)
    places = [
        (words == word).nonzero().flatten().to(ids.device) for word in range(int(words[-1]) + 1)
    ]
    special = blocks[0].query.special
    real = [word for word, pieces in enumerate(places) if not special[int(pieces[0])]]
    pairs = [(a, b) for a, b in combinations(real, 2)]
    if len(real) > most_words:
        raise NoCells(
            f"a text has {len(real)} words, which takes {len(real) + len(pairs)} forwards: pass"
            f" predictive_words={len(real)} to do it"
        )

    found = torch.full((len(places), len(places)), torch.nan, dtype=torch.float64)
    runs = [(word, word) for word in real] + pairs
    step = max(1, LOGITS_AT_ONCE // (len(ids) * int(head.weight.shape[0])))
    for first in range(0, len(runs), step):
        some = runs[first : first + step]
        masked = ids.repeat(len(some), 1)
        for row, both in enumerate(some):
            for word in both:
                masked[row, places[word]] = mask
        repeated = {
            key: value.expand(len(some), *value.shape[1:])
            if isinstance(value, torch.Tensor) and value.ndim and value.shape[0] == 1
            else value
            for key, value in batch.items()
        }
        with borrowed(model):
            logits = model(**{**repeated, "input_ids": masked}).logits
        for row, (one, other) in enumerate(some):
            for word, also in {(one, other), (other, one)}:
                at = places[word]
                logs = torch.log_softmax(logits[row, at].float(), -1)
                found[word, also] = float(logs.gather(1, ids[at, None]).sum().exp())
    return {block.name: found for block in blocks if block.query.words == blocks[0].query.words}
