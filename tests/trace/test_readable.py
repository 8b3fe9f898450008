"""Tokens read as people read them, whatever the tokenizer writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

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


class Slow:
    """A tokenizer without a backend, as far as tokens are read off it."""

    all_special_tokens = ("<s>", "<unk>", "<mask>")
    unk_token, mask_token = "<unk>", "<mask>"


def test_a_slow_tokenizer_says_what_is_special() -> None:
    class Token:
        def __init__(self, text: str, special: bool) -> None:
            self.text, self.special = text, special

        def __str__(self) -> str:
            return self.text

    tokenizer = Slow()
    tokenizer.added_tokens_decoder = {5: Token("<here>", True), 6: Token("more", False)}  # type: ignore[attr-defined]
    tokens = ["<s>", "<unk>", "<mask>", "<here>", "more", "[CLS]"]
    assert special_tokens(tokens, tokenizer) == (True, False, False, True, False, False)
    assert special_tokens(tokens, object()) == (True, False, False, False, False, True)


@pytest.mark.parametrize(
    "token",
    [
        *["[SEP]", "[PAD]", "[BOS]", "[EOS]", "<pad>", "<eos>", "<cls>", "<sep>"],
        *["<start_of_turn>", "<end_of_turn>", "<|eot_id|>"],
    ],
)
def test_more_of_the_usual_special_tokens(token: str) -> None:
    assert special_tokens([token, f"a{token}", f"{token}a"]) == (True, False, False)


def test_byte_level_vocabularies_are_recognized() -> None:
    class Bytes:
        byte_decoder: ClassVar = {}

    assert display_text(["Ã©"]) == ("é",), "all of it stands for bytes"
    assert display_text(["Ã©", "Ġa"]) == ("é", " a")
    assert display_text(["a"], Bytes()) == ("a",)
    assert display_text(["Ã", "a"]) == ("Ã", "a"), "a part of a character alone does not tell"
    assert display_text(["Ã"], Bytes()) == ("‹C3›",)
    assert display_text(["Ã©", "你"]) == ("Ã©", "你"), "a vocabulary of characters"
    assert display_text(["é"]) == ("é",)
    assert display_text(["Ġ你"]) == ("Ġ你",), "added as it is"
    assert display_text(["a", "Ċ"]) == ("a", "⏎")
    assert display_text(["x" + "Ã", "Ġ"]) == ("x‹C3›", "␣")


def test_pieces_of_characters_are_written_as_their_bytes() -> None:
    assert display_text(["<0xF0>", "<0x9F>", "<0x41>", "<0x7F>"]) == ("‹F0›", "‹9F›", "A", "␡")
    assert word_text(["‹F0 9F›", "‹98›"], [0, 0]) == ("‹F0 9F 98›",)
    assert word_text(["‹E4›", "‹BD A0›", "x"], [0, 0, 0]) == ("你x",)
    assert word_text(["a", "‹E4›", "b"], [0, 1, 2]) == ("a", "‹E4›", "b")
    assert word_text(["##a", "##b"], [0, 0]) == ("##ab",), "the first of a text keeps its mark"


def test_what_is_partly_invisible_is_shown_as_it_is() -> None:
    assert display_text(["\u200d a"]) == ("\u200d a",)
    assert display_text([" \u200d"]) == ("U+200D",)
    assert display_text(["\u200d\ufeff"]) == ("U+200D U+FEFF",)
    assert display_text(["\u00a0\u00a0"]) == ("␣␣",)
    assert display_text(["\x1f", "\x7f", " a\tb"]) == ("␟", "␡", " a⇥b")


@pytest.mark.parametrize(
    ("tokens", "special", "ids", "expected"),
    [
        # A tokenizer's own word ids, unless one of them spans a space.
        (["a", "b", "c"], [0, 0, 0], [0, 0, 1], (0, 0, 1)),
        (["▁a", "b", "▁c"], [0, 0, 0], [0, 0, 1], (0, 0, 1)),
        (["▁a", "b", "▁c"], [0, 0, 0], [0, 0, 0], (0, 0, 1)),
        (["a", "b"], [0, 0], [0, 0, 0], (0, 1)),
        (["a", "'", "b"], [0, 0, 0], [0, 0, 0], (0, 0, 0)),
        (["a", "b"], [0, 0], [0, 1], (0, 1)),
        # Special tokens stand alone, on either side.
        (["a", "##b", "##c"], [0, 1, 0], None, (0, 1, 2)),
        (["<s>", "x", "y"], [1, 0, 0], [None, 0, 0], (0, 1, 1)),
        (["<s>", "<s>"], [1, 1], [None, None], (0, 1)),
        # Marks of the vocabulary.
        (["a", "##b", "c"], [0, 0, 0], [0, 0, 0], (0, 0, 1)),
        (["▁a", "1", ",", "b", "e\u0301"], [0] * 5, None, (0, 0, 1, 2, 2)),
        (["▁a", "\u0301"], [0, 0], None, (0, 0)),
        (["▁你", "好"], [0, 0], [0, 0], (0, 1)),
        (["▁a", "好"], [0, 0], [0, 0], (0, 1)),
        (["▁好", "a"], [0, 0], [0, 0], (0, 1)),
        (["Ġa", "ðŁ", "ĺĢ"], [0, 0, 0], None, (0, 1, 1)),
        ([], [], None, ()),
    ],
)
def test_which_tokens_make_a_word(
    tokens: list[str], special: list[int], ids: Any, expected: tuple[int, ...]
) -> None:
    assert words_of(tokens, [bool(x) for x in special], word_ids=ids) == expected
