"""Tokens as people read them.

The problem. A tokenizer's own strings carry its marks: ``Ġstore`` (a space, in byte-level BPE),
``▁store`` (a space, in SentencePiece), ``store</w>`` (the end of a word), ``Ċ`` (a newline), and,
in byte-level vocabularies, every character beyond ASCII as two or three others (``é`` is ``Ã©``).
And some tokens are invisible. A picture shows what a reader would recognize; the tokenizer's own
string stays beside it.

Two more things are read off a tokenizer's strings: which subword tokens make up a word, and which
tokens are special, that is, added around the text.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Hashable, Sequence
from typing import Any

# What would be invisible: control characters have pictures of their own from U+2400 on.
VISIBLE = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}
VISIBLE |= {ord("\n"): "⏎", ord("\t"): "⇥"}

# SentencePiece's name of a byte that it has no character for.
BYTE = re.compile(r"<0x([0-9A-F]{2})>")

# Tokens around a text, for when no tokenizer names them: [CLS], <s>, <bos>, <|endoftext|>.
AROUND = re.compile(
    r"\[(CLS|SEP|PAD|BOS|EOS)\]|</?s>|<(pad|bos|eos|cls|sep|(start|end)_of_turn)>|<[|｜].+[|｜]>"
)
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a character, which no file can hold
PIECES = re.compile(r"(?:‹[0-9A-F ]+›)+")  # of characters, as display_text writes them
# Scripts that are written without spaces: every token is a word.
UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)


def display_text(tokens: Sequence[str], tokenizer: Any = None) -> tuple[str, ...]:
    r"""Readable text of each token.

    Args:
        tokens: The tokenizer's own strings.
        tokenizer: Where they come from, if known: it identifies byte-level vocabularies even in
            texts without spaces.

    Returns:
        One string per token; a space before a word and WordPiece's ``##`` are kept.

    >>> display_text(["[CLS]", "straw", "##berries"])
    ('[CLS]', 'straw', '##berries')
    >>> display_text(["I", "Ġlove", "ĠcafÃ©", "Ċ"])
    ('I', ' love', ' café', '⏎')
    >>> display_text(["▁I", "▁love", "▁"]), display_text(["photo</w>"])
    ((' I', ' love', '␣'), ('photo',))
    >>> display_text(["ðŁ", "ĺĢ", "ä½ł"])  # an emoji in two tokens, a whole character
    ('‹F0 9F›', '‹98 80›', '你')
    >>> display_text(["<0x0A>", "<0xE4>", "", "\ud83d"])
    ('⏎', '‹E4›', '∅', '‹U+D83D›')
    """
    byte_level = _is_byte_level(tokens, tokenizer)
    whole = _added(tokenizer)
    return tuple(_readable(token, byte_level and token not in whole) for token in tokens)


def special_tokens(tokens: Sequence[str], tokenizer: Any = None) -> tuple[bool, ...]:
    """Which tokens were added around the text.

    Args:
        tokens: The tokenizer's own strings.
        tokenizer: Where they come from; without it they are recognized by the usual names. Its
            tokens for unknown and for masked words stand for a part of the text, so they don't
            count.

    >>> special_tokens(["[CLS]", "a", "[MASK]", "[SEP]"]), special_tokens(["<|endoftext|>", "<b>"])
    ((True, False, False, True), (True, False))
    """
    if tokenizer is None or not hasattr(tokenizer, "all_special_tokens"):
        return tuple(AROUND.fullmatch(token) is not None for token in tokens)
    added = getattr(tokenizer, "added_tokens_decoder", {})
    known = set(tokenizer.all_special_tokens)
    known |= {str(token) for token in added.values() if getattr(token, "special", False)}
    known -= {getattr(tokenizer, name, None) for name in ("unk_token", "mask_token")}
    return tuple(token in known for token in tokens)


def words_of(
    tokens: Sequence[str],
    special: Sequence[bool],
    tokenizer: Any = None,
    word_ids: Sequence[Hashable | None] | None = None,
) -> tuple[int, ...]:
    """Which tokens make up a word together.

    A fast tokenizer says so itself, unless it does not split at spaces. Without it, the tokenizer's
    marks decide; where there are none, every token is a word. In vocabularies that mark spaces,
    letters and digits without a space between them are one word, and a punctuation mark is a word
    of its own. In scripts without spaces every token is a word.

    Args:
        tokens: The tokenizer's own strings.
        special: Whether each is special; special tokens are never joined.
        tokenizer: Where they come from, if known.
        word_ids: What a fast tokenizer gave, equal for tokens of one word, None for special ones.

    Returns:
        The number of each token's word, from 0, in ascending order.

    >>> words_of(["[CLS]", "straw", "##berries", ".", "[SEP]"], [True, False, False, False, True])
    (0, 1, 1, 2, 3)
    >>> words_of(["I", "Ġlove", "Ġstraw", "berries", "."], [False] * 5)
    (0, 1, 2, 2, 3)
    >>> words_of(["photo", "graph</w>", "a</w>"], [False] * 3), words_of(["to", "day"], [False] * 2)
    ((0, 0, 1), (0, 1))
    """
    byte_level = _is_byte_level(tokens, tokenizer)
    wordpiece = any(token.startswith("##") for token in tokens)
    suffixed = any(token.endswith("</w>") for token in tokens)
    spaced = byte_level or any(token.startswith("▁") for token in tokens)
    text = display_text(tokens, tokenizer)
    ids = word_ids if _split_at_spaces(word_ids, text) else None

    def joined(i: int) -> bool:
        """Whether a token continues the word of the one before."""
        if special[i] or special[i - 1]:
            return False
        if ids is not None and ids[i] != ids[i - 1]:
            return False
        if wordpiece:
            return tokens[i].startswith("##")
        if suffixed:
            return not tokens[i - 1].endswith("</w>")
        if not spaced and ids is None:
            return False
        last, first = text[i - 1][-1:], text[i][:1]
        if last == "›" and first == "‹":
            return True
        if UNSPACED.match(last) or UNSPACED.match(first):
            return False
        if ids is not None:
            return True
        return all(c.isalnum() or unicodedata.category(c).startswith("M") for c in (last, first))

    words: list[int] = []
    for i in range(len(tokens)):
        words.append(words[-1] + (not joined(i)) if words else 0)
    return tuple(words)


def _split_at_spaces(ids: Sequence[Hashable | None] | None, text: Sequence[str]) -> bool:
    """Whether a tokenizer's word ids can be trusted: none spans a space."""
    if ids is None or len(ids) != len(text):
        return False
    return not any(
        ids[i] is not None and ids[i] == ids[i - 1] and text[i].startswith(" ")
        for i in range(1, len(text))
    )


def word_text(text: Sequence[str], words: Sequence[int]) -> tuple[str, ...]:
    """Display text of each word, from that of its tokens.

    >>> word_text(["[CLS]", "straw", "##berries"], [0, 1, 1]), word_text(["‹F0 9F›", "‹98 80›"], [0, 0])
    (('[CLS]', 'strawberries'), ('😀',))
    """  # noqa: E501
    whole: list[str] = []
    for place, part in zip(words, text, strict=True):
        if place < len(whole):
            whole[place] += part.removeprefix("##")
        else:
            whole.append(part)
    return tuple(PIECES.sub(_whole_character, word) for word in whole)


def _whole_character(pieces: re.Match[str]) -> str:
    data = bytes.fromhex(re.sub("[‹›]", " ", pieces[0]))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _of_bytes(data)


def _readable(token: str, byte_level: bool) -> str:
    byte = BYTE.fullmatch(token)
    if byte is not None:
        text = _of_bytes(bytes([int(byte[1], 16)]))
    else:
        text = _decoded(token) if byte_level else token
    text = SURROGATE.sub(lambda half: f"‹U+{ord(half[0]):04X}›", text)
    text = text.removesuffix("</w>").replace("▁", " ").translate(VISIBLE)
    if not text:
        return "∅"
    if not text.strip():
        return "␣" * len(text)
    if all(unicodedata.category(c) in ("Cf", "Cn", "Co", "Mn", "Zs") for c in text):
        # Joiners, direction marks, variation selectors: by their numbers.
        return " ".join(f"U+{ord(c):04X}" for c in text if c != " ")
    return text


def _added(tokenizer: Any) -> Collection[str]:
    """Tokens stored verbatim in the vocabulary, however the others are encoded."""
    get = getattr(tokenizer, "get_added_vocab", None)
    return set(get()) if callable(get) else ()


def _is_byte_level(tokens: Sequence[str], tokenizer: Any) -> bool:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        return "ByteLevel" in f"{backend.decoder!r} {backend.pre_tokenizer!r}"
    if hasattr(tokenizer, "byte_decoder"):
        return True
    # Ġ and Ċ are what byte-level vocabularies write for a space and a newline; a text without
    # spaces (Chinese, say) is byte-level if all its characters stand for bytes.
    if any(token.startswith(("Ġ", "Ċ")) for token in tokens):
        return True
    foreign = [token for token in tokens if not token.isascii()]
    return any(_decoded(t) != t and "‹" not in _decoded(t) for t in foreign) and all(
        character in _bytes_of_characters() for token in foreign for character in token
    )


def _decoded(token: str) -> str:
    table = _bytes_of_characters()
    if any(character not in table for character in token):
        return token  # a token that was added to the vocabulary as it is
    data = bytes(table[character] for character in token)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _of_bytes(data)


def _of_bytes(data: bytes) -> str:
    """A part of a character, written as its bytes."""
    return "".join(chr(byte) if byte < 0x80 else f"‹{byte:02X}›" for byte in data).replace(
        "›‹", " "
    )


@functools.cache
def _bytes_of_characters() -> dict[str, int]:
    """The inverse of byte-level BPE's alphabet.

    Printable bytes of Latin-1 stand for themselves, the others for the characters from U+0100 on
    (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(byte): byte for byte in printable}
    others = [byte for byte in range(0x100) if byte not in set(printable)]
    table.update({chr(0x100 + place): byte for place, byte in enumerate(others)})
    return table
