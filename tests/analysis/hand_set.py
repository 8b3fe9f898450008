"""A BERT whose weights are set by hand, so that what each head does is known and not guessed.

The vectors hold features of ±1: the bits of a token's number, of its place and of the places beside
it, whether it is a delimiter, its sentence. Every feature stands there twice, with both signs, so
each vector has a mean of zero, and all have one length; BERT's LayerNorm, which cannot be taken
out, then divides all by the same number, and its weight multiplies by it again (a test checks that
nothing else happens). The feed-forward layers are zero.

A head compares features: its query holds one side of a comparison in some neurons, its key the
other in the same ones. Which neurons these are is drawn; the others get small random weights.

In layer 0 two heads also write. "previous token" copies the number of the token it looks at, which
the induction head of layer 1 compares with its own. "bag of words" adds up what the words of its
sentence predict, of which the model's head makes its guess at a masked word, so that "predictive
words" has a ground truth too. The other heads of layer 1 have small random weights alone.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] . , salt pepper king queen sun moon river bank straw ##berries"
    " the a saw and with i went to store bought fresh cat dog sat on"
)
TOKENS = WORDS.split()
NUMBERS = {token: number for number, token in enumerate(TOKENS)}
PARTNERS = {"salt": "pepper", "king": "queen", "sun": "moon", "river": "bank"}
PARTNERS |= {second: first for first, second in PARTNERS.items()}
PREDICTABLE = list(PARTNERS)

BITS = 5  # 32 tokens, 32 places
PLACES = 32
HEADS, HEAD_DIM = 12, 16
HIDDEN = HEADS * HEAD_DIM

# What heads compare: (feature of the query, feature of the key, what a match lifts a score by, in
# nats, per neuron). "one" is always 1.
HEADS_0: dict[str, list[tuple[str, str, float]]] = {
    "next token": [("after", "place", 4)],
    "previous token": [("before", "place", 4)],
    "same token": [("token", "token", 4)],
    "same token elsewhere": [("token", "token", 15), ("place", "place", -3)],
    "same token in the other sentence": [("token", "token", 4), ("sentence", "sentence", -4)],
    "same word": [("family", "family", 15), ("place", "place", -3), ("sentence", "sentence", 15)],
    "predictive words": [("partner", "token", 4), ("sentence", "sentence", 4)],
    "delimiters": [("one", "delimiter", 4)],
    "first token": [("one", "first", 4)],
    "bag of words": [
        ("sentence", "sentence", 4),
        ("one", "special", -4),
        ("one", "delimiter", -4),
    ],
    "self": [("place", "place", 4)],
    "local window": [("circle", "circle", 60)],
}
# Of the tokens that follow one like this the earliest: the arc falls by 5 nats from place to place.
# Without it a head that sees all of the text finds the next token, which follows one like this too.
HEAD_1 = [("token", "copied", 110.0), ("one", "arc", 145.0)]
INDUCTION = 3
WHERE = {name: (0, head) for head, name in enumerate(HEADS_0)} | {"induction": (1, INDUCTION)}

TEXTS: list[str | tuple[str, str]] = [
    ("the king saw the strawberries .", "the queen saw a king and strawberries ."),
    ("salt and pepper , sun and moon , river and bank .", "the moon saw the sun , with pepper ."),
    ("i went to the store and the cat sat on the dog .", "the dog went to the store , i sat ."),
    ("fresh strawberries , the cat bought salt .", "the cat bought pepper with a queen and king ."),
]

SIZES = dict.fromkeys(("token", "family", "partner", "place", "before", "after", "copied"), BITS)
SIZES |= dict.fromkeys(("delimiter", "special", "first", "sentence"), 1)
SIZES |= {"circle": 2, "arc": 2, "predicts": len(PREDICTABLE) + 1, "guess": len(PREDICTABLE)}


def at(name: str) -> Tensor:
    """Where a feature stands in a vector; its negative stands behind it."""
    start = 0
    for other, size in SIZES.items():
        if other == name:
            return torch.arange(start, start + size)
        start += 2 * size
    raise KeyError(name)


def write(vector: Tensor, name: str, values: Tensor) -> None:
    vector[at(name)] = values
    vector[at(name) + SIZES[name]] = -values


def bits(number: int) -> Tensor:
    return torch.tensor([1.0 if number >> bit & 1 else -1.0 for bit in range(BITS)])


def sign(is_so: bool) -> Tensor:
    return torch.tensor([1.0 if is_so else -1.0])


def word_vector(token: str) -> Tensor:
    vector = torch.zeros(HIDDEN)
    number = NUMBERS[token]
    write(vector, "token", bits(number))
    write(vector, "family", bits(NUMBERS["straw"] if token == "##berries" else number))
    write(vector, "partner", bits(NUMBERS[PARTNERS.get(token, token)]))
    write(vector, "delimiter", sign(token in (".", ",", "[SEP]")))
    write(vector, "special", sign(token in ("[CLS]", "[SEP]", "[PAD]")))
    predicts = torch.zeros(len(PREDICTABLE) + 1)
    predicts[PREDICTABLE.index(PARTNERS[token]) if token in PARTNERS else -1] = 1
    write(vector, "predicts", predicts)
    return vector


def place_vector(place: int) -> Tensor:
    vector = torch.zeros(HIDDEN)
    write(vector, "place", bits(place))
    write(vector, "before", bits(max(place - 1, 0)))
    write(vector, "after", bits((place + 1) % PLACES))
    write(vector, "first", sign(place == 0))
    angle = torch.tensor(2 * math.pi * place / PLACES)
    write(vector, "circle", torch.stack([angle.cos(), angle.sin()]))
    angle = torch.tensor(math.pi / 4 + math.pi / 2 * place / PLACES)
    write(vector, "arc", torch.stack([angle.cos(), angle.sin()]))
    return vector


def set_head(attention: Any, head: int, compared: list[tuple[str, str, float]]) -> list[int]:
    """Let a head compare features; gives the neurons that do it."""
    first = head * HEAD_DIM
    free = (first + torch.randperm(HEAD_DIM)).tolist()
    known = []
    for query, key, nats in compared:
        strength = math.sqrt(abs(nats) * math.sqrt(HEAD_DIM))
        for place in range(1 if (query, key) == ("one", "arc") else SIZES[key]):
            neuron = free.pop()
            known.append(neuron - first)
            for layer, name, factor in (
                (attention.query, query, strength),
                (attention.key, key, math.copysign(strength, nats)),
            ):
                layer.weight[neuron] = 0
                if name == "one":
                    layer.bias[neuron] = factor
                else:
                    layer.weight[neuron, at(name)[place]] = factor
    return sorted(known)


def hand_set(
    seed: int = 0,
) -> tuple[BertForMaskedLM, PreTrainedTokenizerFast, dict[str, list[int]]]:
    """The model, its tokenizer, and the neurons that make each pattern's head."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(TOKENS),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        intermediate_size=8,
        max_position_embeddings=PLACES,
        tie_word_embeddings=False,
    )
    model = BertForMaskedLM(config).eval()
    known: dict[str, list[int]] = {}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        bert = model.bert
        table = bert.embeddings
        table.word_embeddings.weight.copy_(torch.stack([word_vector(token) for token in TOKENS]))
        table.position_embeddings.weight.copy_(
            torch.stack([place_vector(place) for place in range(PLACES)])
        )
        for sentence in (0, 1):
            write(table.token_type_embeddings.weight[sentence], "sentence", sign(sentence == 1))

        one = word_vector("the") + place_vector(1) + table.token_type_embeddings.weight[0]
        table.LayerNorm.weight.fill_(one.square().mean().sqrt())
        copied = (one.square().sum() + 2 * BITS) / HIDDEN  # with what "previous token" copies
        for layer in bert.encoder.layer:
            for norm in (layer.attention.output.LayerNorm, layer.output.LayerNorm):
                norm.weight.fill_(copied.sqrt())
            for projection in (layer.attention.self.query, layer.attention.self.key):
                torch.nn.init.normal_(projection.weight, std=0.05)

        attention = bert.encoder.layer[0].attention
        for head, (name, compared) in enumerate(HEADS_0.items()):
            known[name] = set_head(attention.self, head, compared)
        induction = bert.encoder.layer[1].attention.self
        known["induction"] = set_head(induction, INDUCTION, HEAD_1)

        for name, read, written in (
            ("previous token", "token", "copied"),
            ("bag of words", "predicts", "guess"),
        ):
            for place in range(SIZES[written]):
                value = WHERE[name][1] * HEAD_DIM + place
                attention.self.value.weight[value, at(read)[place]] = 1
                write(attention.output.dense.weight[:, value], written, _one(place, SIZES[written]))

        head = model.cls.predictions
        for place, token in enumerate(PREDICTABLE):
            head.transform.dense.weight[place, at("guess")[place]] = 20
            head.decoder.weight[NUMBERS[token], place] = 1
        head.transform.dense.bias[len(PREDICTABLE)] = 0.3  # outweighs what is hardly a guess
        head.transform.LayerNorm.weight.fill_(1)
    return model, tokenizer(), known


def _one(place: int, size: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(place), size).float()


def tokenizer() -> PreTrainedTokenizerFast:
    """WordPiece over the vocabulary, with BERT's template."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    backend = Tokenizer(models.WordPiece(NUMBERS, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, NUMBERS[name]) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
