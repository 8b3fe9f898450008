"""What extract gives equals what the model itself computes, and the model is as before."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bertviz.extractor import NothingCaptured, extract
from bertviz.trace import AttentionTrace
from tests.models import DECODERS, ENCODERS, TOLERANCE, TWO_STACKS, batch_of, state_of, texts

A = "I went to the store."
B = "At the store, I bought fresh strawberries."
PAIR = ["[CLS]", "i", "went", "to", "the", "store", ".", "[SEP]"]
PAIR += ["at", "the", "store", ",", "i", "bought", "fresh", "straw", "##berries", ".", "[SEP]"]


def largest_difference(
    model: nn.Module, trace: AttentionTrace, own: Mapping[str, Any], row: int, kept: list[int]
) -> float:
    """To the model's own attention; shapes, paths and numbers are checked on the way."""
    worst = 0.0
    for name, layers in own.items():
        block = next(iter(trace.blocks.values())) if name == "self" else trace.blocks[name]
        assert [layer.index for layer in block.layers] == list(range(len(layers)))
        for layer, reference in zip(block.layers, layers, strict=True):
            assert isinstance(model.get_submodule(layer.name), nn.Module)
            reference = reference[row].float()
            if name in ("self", "encoder", "text_model.encoder"):
                reference = reference[:, kept][:, :, kept]
            elif name == "cross":
                reference = reference[:, :, kept]
            weights = layer.weights()
            assert weights.shape == reference.shape
            assert weights.shape[1:] == (len(block.query_tokens), len(block.key_tokens))
            worst = max(worst, float((weights - reference).abs().max()))
    return worst


@pytest.mark.parametrize("padding", ["none", "right", "left"])
@pytest.mark.parametrize("architecture", [*ENCODERS, *DECODERS, *TWO_STACKS])
def test_weights_are_the_models_own(
    architecture: str, padding: str, build: Callable[..., Any], own_attention: Callable[..., Any]
) -> None:
    model = build(architecture)
    assert model.config._attn_implementation == "sdpa" or architecture in ("gpt_oss", "gemma2")
    batch = batch_of(architecture, padding)
    own = own_attention(model, **batch)
    for row in range(2):
        trace = extract(model, inputs=batch, batch_index=row)
        kept = [i for i, seen in enumerate(batch["attention_mask"][row].tolist()) if seen]
        assert largest_difference(model, trace, own, row, kept) <= TOLERANCE


@pytest.mark.parametrize("architecture", ["vit", "clip"])
def test_towers_and_patches(
    architecture: str, build: Callable[..., Any], own_attention: Callable[..., Any]
) -> None:
    model = build(architecture)
    batch = batch_of(architecture)
    trace = extract(model, inputs=batch, batch_index=1)
    own = own_attention(model, **batch)
    kept = list(range(17 if architecture == "vit" else 9))  # 4 × 4 patches and the class
    assert largest_difference(model, trace, own, 1, kept) <= TOLERANCE
    towers = (
        ["encoder"] if architecture == "vit" else ["text_model.encoder", "vision_model.encoder"]
    )
    assert sorted(trace.blocks) == towers


@pytest.mark.parametrize("architecture", ["bert", "llama", "t5"])
def test_eager_kernel_gives_the_same_numbers_bit_for_bit(
    architecture: str, build: Callable[..., Any], own_attention: Callable[..., Any]
) -> None:
    model = build(architecture)
    model.set_attn_implementation("eager")
    batch = batch_of(architecture)
    trace = extract(model, inputs=batch, batch_index=0)
    own = own_attention(model, **batch)
    assert largest_difference(model, trace, own, 0, list(range(9))) <= 1e-6


@pytest.mark.parametrize("padding", ["right", "left"])
def test_padding_is_dropped_or_kept(padding: str, build: Callable[..., Any]) -> None:
    model = build("bert")
    batch = batch_of("bert", padding)
    dropped = extract(model, inputs=batch, batch_index=1).blocks["encoder"]
    whole = extract(model, inputs=batch, batch_index=1, drop_padding=False).blocks["encoder"]
    kept = list(range(6)) if padding == "right" else list(range(3, 9))
    assert dropped.query_tokens == tuple(map(str, kept)), "positions keep their numbers"
    assert len(whole.query_tokens) == 9
    for small, large in zip(dropped.layers, whole.layers, strict=True):
        padded = [i for i in range(9) if i not in kept]
        weights = large.weights()
        assert weights[:, kept][:, :, padded].max() == 0
        torch.testing.assert_close(weights[:, kept][:, :, kept], small.weights())


def test_what_a_model_loaded_from_a_folder_gives(
    build: Callable[..., Any], own_attention: Callable[..., Any], tmp_path: Any
) -> None:
    from transformers import AutoModel

    build("bert").save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path).eval()
    batch = batch_of("bert")
    trace = extract(model, inputs=batch, batch_index=0)
    own = own_attention(model, **batch)
    assert largest_difference(model, trace, own, 0, list(range(9))) <= TOLERANCE
    assert trace.model_name == "BertModel"


def test_grouped_keys_are_kept_once(build: Callable[..., Any]) -> None:
    layer = extract(build("llama"), inputs={"input_ids": texts(rows=1)}).blocks["decoder"].layers[0]
    assert (layer.num_heads, layer.num_key_value_heads) == (4, 2)
    assert layer.keys is not None
    assert layer.keys.shape == (2, 9, 8)


def test_what_enters_the_softmax_is_kept(build: Callable[..., Any]) -> None:
    gemma = extract(build("gemma2"), inputs={"input_ids": texts(rows=1)}).blocks["decoder"]
    assert {layer.formula.softcap for layer in gemma.layers} == {2.0}
    seen = (gemma.layers[0].weights()[0] > 0).sum(-1).tolist()
    assert seen == [1, 2, 3, 3, 3, 3, 3, 3, 3], "a sliding window of three"
    oss = extract(build("gpt_oss"), inputs={"input_ids": texts(rows=1)}).blocks["decoder"]
    assert oss.layers[0].formula.sinks is not None
    assert (oss.layers[0].weights().sum(-1) < 0.9999).any(), "a sink takes its part"
    t5 = extract(build("t5"), inputs=batch_of("t5"), batch_index=0).blocks["encoder"]
    assert t5.layers[0].scaling == 1.0
    assert t5.layers[0].formula.position_bias is not None
    assert t5.layers[0].formula.position_bias is t5.layers[1].formula.position_bias, (
        "shared, kept once"
    )


def test_kinds_come_from_what_is_read(build: Callable[..., Any]) -> None:
    def kinds(architecture: str) -> list[str]:
        trace = extract(build(architecture), inputs=batch_of(architecture), batch_index=0)
        return [block.kind for block in trace.blocks.values()]

    assert kinds("bert") == ["encoder"]
    assert kinds("gpt2") == ["decoder"]
    assert kinds("t5") == ["encoder", "decoder", "cross"]


# --- tokens ----------------------------------------------------------------------------------


def test_a_pair_of_sentences(build: Callable[..., Any], word_tokenizer: Callable[..., Any]) -> None:
    block = extract(build("bert"), word_tokenizer(), A, B).blocks["encoder"]
    assert list(block.query_tokens) == PAIR
    assert block.key_tokens == block.query_tokens
    second = PAIR.index("at")
    assert block.query.sentences == tuple(int(i >= second) for i in range(len(PAIR)))


def test_a_pair_without_token_types(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    tokenizer = word_tokenizer(
        "[CLS] $A [SEP] [SEP] $B [SEP]", model_input_names=["input_ids", "attention_mask"]
    )
    block = extract(build("roberta"), tokenizer, A, B).blocks["encoder"]
    assert block.query.sentences is not None
    second = block.query_tokens.index("at")
    # Of the two separators in the middle the first closes a sentence, the second opens the next.
    assert block.query.sentences.index(1) == second - 1


def test_a_pair_that_is_padded(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    tokenizer = word_tokenizer()
    batch = tokenizer([A, A], [B, "The store."], padding=True, return_tensors="pt")
    block = extract(build("bert"), tokenizer, inputs=batch, batch_index=1).blocks["encoder"]
    assert "[PAD]" not in block.query_tokens
    assert block.query.sentences is not None
    assert block.query.sentences.index(1) == block.query_tokens.index("[SEP]") + 1


def test_the_decoder_reads_the_second_text_shifted(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    trace = extract(build("bart"), word_tokenizer(), A, B)
    assert list(trace.blocks) == ["encoder", "decoder", "cross"]
    cross = trace.blocks["cross"]
    assert cross.key_tokens == trace.blocks["encoder"].query_tokens
    assert cross.query_tokens == trace.blocks["decoder"].query_tokens
    assert cross.query_tokens[:3] == ("[CLS]", "[CLS]", "at"), "the start token, then the text"
    alone = extract(build("bart"), word_tokenizer(), A)
    assert alone.blocks["cross"].query_tokens == ("[CLS]",)


def test_without_a_tokenizer_positions_name_tokens(build: Callable[..., Any]) -> None:
    trace = extract(build("bert"), inputs={"input_ids": [2, 7, 8, 3]})
    assert trace.blocks["encoder"].query_tokens == ("0", "1", "2", "3")


# --- the model is borrowed -------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["bert", "llama", "t5"])
def test_the_model_is_as_before(architecture: str, build: Callable[..., Any]) -> None:
    model = build(architecture).train()
    model.get_submodule(next(n for n, m in model.named_modules() if "layer" in n)).eval()
    batch = batch_of(architecture)
    before = state_of(model)
    extract(model, inputs=batch, batch_index=0)
    assert state_of(model) == before
    assert {k: v.tolist() for k, v in batch.items()} == {
        k: v.tolist() for k, v in batch_of(architecture).items()
    }


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_in_the_middle_leaves_nothing_behind(
    error: type[BaseException], build: Callable[..., Any]
) -> None:
    model = build("bert").train()
    before_hook = model.encoder.layer[1].register_forward_hook(_raise(error))
    batch = {"input_ids": texts(rows=1)}
    before = state_of(model)
    with pytest.raises(error, match="in the middle"):
        extract(model, inputs=batch)
    assert state_of(model) == before
    before_hook.remove()
    assert len(extract(model, inputs={"input_ids": texts(rows=1)}).blocks["encoder"].layers) == 3


def _raise(error: type[BaseException]) -> Callable[..., None]:
    def hook(*_: object) -> None:
        raise error("in the middle")

    return hook


def test_dropout_is_not_in_the_weights(build: Callable[..., Any]) -> None:
    model = build("bert").train()
    weights = [
        extract(model, inputs={"input_ids": texts(rows=1)}).blocks["encoder"].layers[0].weights()
        for _ in range(2)
    ]
    assert torch.equal(*weights)
    torch.testing.assert_close(weights[0].sum(-1), torch.ones(4, 9))


def test_a_trace_stays_when_the_model_changes(build: Callable[..., Any]) -> None:
    for architecture in ("bert", "gpt_oss", "t5"):
        model = build(architecture)
        trace = extract(model, inputs=batch_of(architecture), batch_index=0)
        layers = [layer for block in trace.blocks.values() for layer in block.layers]
        before = [layer.weights() for layer in layers]
        with torch.no_grad():
            for tensor in (*model.parameters(), *model.buffers()):
                if tensor.is_floating_point():
                    tensor.fill_(0.7)
        assert all(torch.equal(a.weights(), b) for a, b in zip(layers, before, strict=True))


def test_a_trace_does_not_keep_the_model_alive(build: Callable[..., Any]) -> None:
    model = build("bert")
    seen = weakref.ref(model)
    trace = extract(model, inputs={"input_ids": texts(rows=1)})
    del model
    gc.collect()
    assert seen() is None
    assert trace.num_layers == 3


def test_a_fused_projection_is_not_kept_whole(build: Callable[..., Any]) -> None:
    trace = extract(build("gpt2"), inputs={"input_ids": texts(rows=1)})
    for layer in trace.blocks["decoder"].layers:
        for tensor in (layer.queries, layer.keys):
            assert tensor is not None
            assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    mask = extract(build("bert"), inputs=batch_of("bert", "right"), batch_index=1)
    held = {id(layer.formula.mask) for layer in mask.blocks["encoder"].layers}
    assert len(held) == 1, "layers share their mask"


def test_gradients_of_the_users_own_forward_still_flow(build: Callable[..., Any]) -> None:
    model = build("bert")
    out = model(input_ids=texts(rows=1)).last_hidden_state
    extract(model, inputs={"input_ids": texts(rows=1)})
    out.sum().backward()
    assert all(p.grad is not None for n, p in model.named_parameters() if "pooler" not in n)


def test_another_thread_is_not_concerned(build: Callable[..., Any]) -> None:
    model, other = build("bert"), build("gpt2")
    started, finished = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        started.set()
        assert finished.wait(60)

    handle = model.encoder.layer[1].register_forward_pre_hook(wait)
    found: list[AttentionTrace] = []
    thread = threading.Thread(
        target=lambda: found.append(extract(model, inputs={"input_ids": texts(rows=1)}))
    )
    thread.start()
    assert started.wait(60)
    with torch.no_grad():
        other(input_ids=texts(rows=1))
        model.embeddings(input_ids=texts(rows=1))
    mine = extract(other, inputs={"input_ids": texts(rows=1)})
    finished.set()
    thread.join()
    handle.remove()
    assert list(found[0].blocks) == ["encoder"]
    assert len(found[0].blocks["encoder"].layers) == 3
    assert list(mine.blocks) == ["decoder"]


# --- bad input -------------------------------------------------------------------------------


def test_what_is_no_model(word_tokenizer: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"model is a str: .*from_pretrained\('bert-base'\)"):
        extract("bert-base", word_tokenizer(), A)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"model is an int: expected a torch.nn.Module"):
        extract(7, word_tokenizer(), A)  # type: ignore[arg-type]


def test_what_is_no_tokenizer(build: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"tokenizer is a str: .* A text comes third"):
        extract(build("bert"), A)
    with pytest.raises(TypeError, match=r"tokenizer is None, and text needs one"):
        extract(build("bert"), text=A)


BAD_TEXTS: dict[str, tuple[Any, type[Exception], str]] = {
    "none": ({}, TypeError, r"got no text: pass extract\(model, tokenizer, text\)"),
    "empty": ({"text": "  "}, ValueError, r"text='  ' is empty"),
    "empty pair": ({"text": A, "text_pair": ""}, ValueError, r"text_pair='' is empty"),
    "list": ({"text": [A, B]}, TypeError, r"text is a list: .* batch_index"),
    "both": ({"text": A, "inputs": {}}, TypeError, r"got text and inputs: pass one"),
    "too long": (
        {"text": "store " * 31},
        ValueError,
        r"text has 33 tokens, special tokens included; BertModel takes at most 32\..*max_length=32",
    ),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_bad_texts(
    name: str, build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    arguments, error, message = BAD_TEXTS[name]
    with pytest.raises(error, match=message):
        extract(build("bert"), word_tokenizer(), **arguments)


def test_a_text_as_long_as_the_model_takes(
    build: Callable[..., Any], word_tokenizer: Callable[..., Any]
) -> None:
    for architecture in ("bert", "roberta", "gpt2", "bart"):
        trace = extract(build(architecture), word_tokenizer(), "store " * 30)
        assert len(next(iter(trace.blocks.values())).query_tokens) == 32
        with pytest.raises(ValueError, match=r"at most 32"):
            extract(build(architecture), word_tokenizer(), "store " * 31)


BAD_INPUTS: dict[str, tuple[Any, type[Exception], str]] = {
    "a list": ([1, 2], TypeError, r"inputs is a list: expected a BatchEncoding or a dict"),
    "no tensors": ({"x": None}, ValueError, r"inputs holds no tensors"),
    "a ragged list": ({"input_ids": [[1], [1, 2]]}, TypeError, r"inputs\['input_ids'\] is a list"),
    "a batch": ({"input_ids": torch.ones(3, 4).long()}, ValueError, r"batch_index"),
    "unknown ids": (
        {"input_ids": torch.tensor([[1, 400]])},
        ValueError,
        r"input_ids holds 400, but the model has embeddings for ids 0 to 98: the tokenizer",
    ),
    "too long": ({"input_ids": torch.ones(1, 40).long()}, ValueError, r"has 40 tokens.*at most 32"),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_inputs(name: str, build: Callable[..., Any]) -> None:
    inputs, error, message = BAD_INPUTS[name]
    with pytest.raises(error, match=message):
        extract(build("bert"), inputs=inputs)


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (2, ValueError, r"batch_index=2 is out of range: inputs holds 2 texts, 0 to 1"),
        (-3, ValueError, r"batch_index=-3 is out of range"),
        ("0", TypeError, r"batch_index"),
        (True, TypeError, r"batch_index"),
    ],
)
def test_bad_batch_index(
    index: Any, error: type[Exception], message: str, build: Callable[..., Any]
) -> None:
    with pytest.raises(error, match=message):
        extract(build("bert"), inputs=batch_of("bert"), batch_index=index)


def test_a_model_without_attention_says_what_was_seen() -> None:
    class Mlp(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x)

    with pytest.raises(NothingCaptured, match=r"Mlp ran once and no attention was captured"):
        extract(Mlp(), inputs={"x": torch.ones(1, 4)})


def test_a_model_that_fails_gives_its_own_error(build: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of input_ids or inputs_embeds"):
        extract(build("bert"), inputs={"input_ids": texts(rows=1), "inputs_embeds": torch.ones(1)})


@pytest.mark.parametrize(
    ("architecture", "rotary"),
    [("bert", False), ("gpt2", False), ("t5", False), ("vit", False), ("gpt_oss", True)]
    + [(name, True) for name in ("llama", "gemma2", "mistral", "qwen3", "modernbert")],
)
def test_rotary_models_are_told(
    build: Callable[[str], Any], architecture: str, rotary: bool
) -> None:
    model = build(architecture)
    trace = extract(model, inputs=batch_of(architecture), batch_index=0)
    layers = [layer for block in trace.blocks.values() for layer in block.layers]
    assert {layer.formula.rotary for layer in layers} == {rotary}


def test_a_table_of_angles_and_layers_without_are_told() -> None:
    import transformers as t

    size = {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4}
    table = t.GPTJModel(t.GPTJConfig(**size)).eval()
    ids = torch.tensor([[5, 6, 7]])
    layers = extract(table, inputs={"input_ids": ids}).blocks["decoder"].layers
    assert [layer.formula.rotary for layer in layers] == [True, True]
    some = t.SmolLM3Model(
        t.SmolLM3Config(
            hidden_size=32,
            intermediate_size=37,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            vocab_size=99,
            no_rope_layers=[1, 1, 1, 0],
            pad_token_id=0,
        )
    ).eval()
    layers = extract(some, inputs={"input_ids": ids}).blocks["decoder"].layers
    assert [layer.formula.rotary for layer in layers] == [True, True, True, False]


def test_words_as_a_fast_tokenizer_says(build: Callable[..., Any]) -> None:
    """Its vocabulary marks neither spaces nor subword tokens, so its strings alone say nothing."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = {letter: number for number, letter in enumerate("[strawbei.]")}
    vocabulary = {**letters, "st": 20, "be": 21}
    backend = Tokenizer(models.BPE(vocabulary, [("s", "t"), ("b", "e")]))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    block = extract(build("bert"), tokenizer, "straw be.", "is be").blocks["encoder"]
    assert block.query_tokens == ("st", "r", "a", "w", "be", ".", "i", "s", "be")
    assert block.query.words == (0, 0, 0, 0, 1, 2, 3, 3, 4)
