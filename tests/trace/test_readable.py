"""Tokens read as people read them, whatever the tokenizer writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from bertviz.trace.readable import display_text, special_tokens, word_text, words_of

TEXT = "Zwölf Boxkämpfer jagen Viktor 🙂\n你好 مرحبا naïve\t"


def byte_level() -> PreTrainedTokenizerFast:
    """Every byte a token: what byte-level BPE falls back to."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|é|>"]})
    return tokenizer


def test_every_byte_is_readable() -> None:
    tokenizer = byte_level()
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(TEXT)["input_ids"])
    shown = display_text(tokens, tokenizer)
    assert len(shown) == len(tokens)
    assert "".join(text for text in shown if "‹" not in text and "␣" not in text) == (
        "ZwlfBoxkmpferjagenViktor⏎nave⇥"
    )
    pieces = [text.strip("‹›") for text in shown if "‹" in text]
    foreign = "".join(c for c in TEXT if not c.isascii())
    assert bytes.fromhex("".join(pieces)).decode() == foreign


def test_an_added_token_stays_as_it_is() -> None:
    tokenizer = byte_level()
    assert display_text(["<|é|>"], tokenizer) == ("<|é|>",)


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("##ing", "##ing"),
        ("Ġ", "␣"),
        ("ĠĠ", "␣␣"),
        ("▁▁▁", "␣␣␣"),
        ("Ċ", "⏎"),
        ("ĉ", "⇥"),
        ("\u200d", "U+200D"),
        ("\ufeff", "U+FEFF"),
        ("\u0301", "U+0301"),
        ("\x00", "␀"),
        ("", "∅"),
        ("<0x20>", "␣"),
        ("مرحبا", "مرحبا"),
        ("</script>", "</script>"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_nothing_is_invisible(token: str, shown: str) -> None:
    marks = ["Ġthe"] if token.startswith(("Ġ", "Ċ", "ĉ")) else []
    assert display_text([token, *marks])[0] == shown


def test_chinese_in_a_vocabulary_of_characters_stays() -> None:
    assert display_text(["[CLS]", "你", "好", "ä"]) == ("[CLS]", "你", "好", "ä")


def test_lone_surrogates_have_a_text_that_files_can_hold() -> None:
    assert display_text(["\ud800", "a\udfffb"]) == ("‹U+D800›", "a‹U+DFFF›b")


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ("[CLS] straw ##berr ##ies , 你 好 [SEP]", "[CLS] strawberries , 你 好 [SEP]"),
        ("I Ġbought Ġstraw berries , Ġ3 0 !", "I| bought| strawberries|,| 30|!"),
        ("▁Un believ able ... ▁caf é s", " Unbelievable|...| cafés"),
        ("<s> ▁ 你 好 吗 </s>", "<s>|␣|你|好|吗|</s>"),
        ("ĠðŁĺ Ģ Ġok ay", " 😀| okay"),
        ("photo graph er</w> of</w> a</w>", "photographer of a"),
        ("to day is", "to day is"),
    ],
)
def test_pieces_are_joined_to_words(tokens: str, words: str) -> None:
    pieces = tokens.split(" ")
    numbers = words_of(pieces, special_tokens(pieces))
    assert word_text(display_text(pieces), numbers) == tuple(
        words.split("|" if "|" in words else " ")
    )


def test_a_byte_level_tokenizer_tells_pieces_without_a_space() -> None:
    assert words_of(["straw", "berries"], [False, False], byte_level()) == (0, 0)


def test_a_tokenizer_says_what_is_special(word_tokenizer: Callable[..., Any]) -> None:
    tokenizer = word_tokenizer(additional_special_tokens=["<here>"])
    tokens = ["[CLS]", "store", "<here>", "<s>", "[UNK]", "[MASK]", "[PAD]"]
    assert special_tokens(tokens, tokenizer) == (True, False, True, False, False, False, True)


@pytest.mark.parametrize(
    "token", ["<s>", "</s>", "<bos>", "<|im_start|>", "<｜begin▁of▁sentence｜>"]
)
def test_the_usual_special_tokens_are_known(token: str) -> None:
    assert special_tokens([token, "<", "s"]) == (True, False, False)
