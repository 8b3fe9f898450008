"""Models as people have them: compiled, wrapped, quantized, offloaded, in training, in threads."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertviz import AttentionTrace, NothingCaptured, extract
from tests.models import TOLERANCE, architectures_by_operations, batch_of, state_of, texts


def same(one: AttentionTrace, other: AttentionTrace, within: float = TOLERANCE) -> None:
    assert list(one.blocks) == list(other.blocks)
    for a, b in zip(one.blocks.values(), other.blocks.values(), strict=True):
        assert len(a.layers) == len(b.layers)
        for x, y in zip(a.layers, b.layers, strict=True):
            torch.testing.assert_close(x.weights(), y.weights(), atol=within, rtol=0)


@pytest.mark.parametrize("architecture", ["bert", "gpt2", "t5"])
def test_gradient_checkpointing(architecture: str, build: Callable[..., Any]) -> None:
    model = build(architecture)
    batch = batch_of(architecture)
    plain = extract(model, inputs=batch, batch_index=0)
    model.gradient_checkpointing_enable()
    model.train()
    before = state_of(model)
    same(extract(model, inputs=batch, batch_index=0), plain)
    assert state_of(model) == before
    # The user's own step, with the forward recomputed in the backward, is not recorded either.
    out = model(**batch)[0]
    trace = extract(model, inputs=batch, batch_index=0)
    out.sum().backward()
    same(trace, plain)
    assert any(p.grad is not None for p in model.parameters())


def test_compiled(build: Callable[..., Any]) -> None:
    model = build("bert")
    batch = batch_of("bert", "right")
    compiled = torch.compile(model)
    trace = extract(compiled, inputs=batch, batch_index=1, verify=True)
    same(trace, extract(model, inputs=batch, batch_index=1))
    layer = trace.blocks["encoder"].layers[1]
    assert layer.index == 1
    assert compiled.get_submodule(layer.name) is model.encoder.layer[1].attention.self


def test_peft(build: Callable[..., Any]) -> None:
    from peft import LoraConfig, get_peft_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(
            build("llama"), LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False)
        )
    batch = batch_of("llama")
    trace = extract(model, inputs=batch, batch_index=0, verify=True)
    assert [layer.index for layer in trace.blocks["decoder"].layers] == [0, 1, 2]
    layer = trace.blocks["decoder"].layers[2]
    assert model.get_submodule(layer.name).layer_idx == 2
    with model.disable_adapter():
        plain = extract(model, inputs=batch, batch_index=0)
    with pytest.raises(AssertionError):
        same(trace, plain)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_dynamically_quantized(build: Callable[..., Any]) -> None:
    engines = [e for e in torch.backends.quantized.supported_engines if e != "none"]
    assert engines
    torch.backends.quantized.engine = engines[0]
    model = build("bert")
    try:
        quantized = torch.ao.quantization.quantize_dynamic(
            model, {torch.nn.Linear}, dtype=torch.qint8
        )
    except RuntimeError as error:
        pytest.skip(f"this build of torch cannot quantize here: {error}")
    trace = extract(quantized, inputs=batch_of("bert"), batch_index=0, verify=True)
    assert trace.exactness is not None
    assert trace.exactness["max_difference"] <= TOLERANCE
    assert len(trace.blocks["encoder"].layers) == 3


def test_offloaded(build: Callable[..., Any]) -> None:
    from accelerate import cpu_offload

    batch = batch_of("gpt2")
    plain = extract(build("gpt2"), inputs=batch, batch_index=0)
    model = cpu_offload(build("gpt2"), execution_device="cpu")
    assert {p.device.type for p in model.parameters()} == {"meta"}
    same(extract(model, inputs=batch, batch_index=0), plain)
    assert {p.device.type for p in model.parameters()} == {"meta"}


def test_flex_attention_says_what_to_do(build: Callable[..., Any]) -> None:
    model = build("llama")
    model.set_attn_implementation("flex_attention")
    with pytest.raises(ValueError, match=r"'flex_attention', .*set_attn_implementation\('sdpa'\)"):
        extract(model, inputs=batch_of("llama", "left"), batch_index=0)
    model.set_attn_implementation("sdpa")
    extract(model, inputs=batch_of("llama", "left"), batch_index=0)


def test_many_threads_and_one_that_is_not_concerned(build: Callable[..., Any]) -> None:
    names = ["bert", "gpt2", "t5"]
    models = {name: build(name) for name in names}
    plain = {n: extract(m, inputs=batch_of(n), batch_index=0) for n, m in models.items()}
    found: dict[str, list[AttentionTrace]] = {name: [] for name in names}
    batches = {name: batch_of(name) for name in names}
    bystander = build("bert")
    expected = bystander(input_ids=batches["bert"]["input_ids"]).last_hidden_state
    outputs: list[torch.Tensor] = []

    def capture(name: str) -> None:
        for _ in range(5):
            found[name].append(extract(models[name], inputs=batches[name], batch_index=0))

    def run() -> None:
        for _ in range(10):
            outputs.append(bystander(input_ids=batches["bert"]["input_ids"]).last_hidden_state)

    threads = [threading.Thread(target=capture, args=(name,)) for name in names]
    threads.append(threading.Thread(target=run))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        assert len(found[name]) == 5
        for trace in found[name]:
            same(trace, plain[name])
    assert all(torch.equal(output, expected) for output in outputs)
    assert outputs[0].requires_grad, "no_grad is a thread's own"


@pytest.mark.parametrize("inner_name", ["gpt2", "mpnet"])
def test_a_capture_inside_a_capture(inner_name: str, build: Callable[..., Any]) -> None:
    outer = build("bert")
    if inner_name == "mpnet":
        torch.manual_seed(0)
        inner = architectures_by_operations()["mpnet"]().eval()
    else:
        inner = build(inner_name)
    ids = texts(rows=1)
    alone = extract(outer, inputs={"input_ids": ids}), extract(inner, inputs={"input_ids": ids})
    inside: list[AttentionTrace] = []
    handle = outer.encoder.layer[1].register_forward_hook(
        lambda *_: inside.append(extract(inner, inputs={"input_ids": ids}))
    )
    trace = extract(outer, inputs={"input_ids": ids})
    handle.remove()
    same(trace, alone[0])
    same(inside[0], alone[1])


def test_inputs_elsewhere_are_moved(build: Callable[..., Any]) -> None:
    model = build("bert").double()
    trace = extract(model, inputs={"input_ids": [[2, 7, 3]]}, device="cpu", verify=True)
    assert trace.dtype == "float64"


def test_a_part_of_a_model_takes_little(build: Callable[..., Any]) -> None:
    whole = extract(build("llama"), inputs=batch_of("llama"), batch_index=0)
    part = extract(build("llama"), inputs=batch_of("llama"), batch_index=0, layers=[1], heads=[3])
    [layer] = part.blocks["decoder"].layers
    assert (layer.index, layer.heads) == (1, (3,))
    assert layer.queries is not None
    assert layer.queries.shape == (1, 9, 8)
    assert layer.keys is not None
    assert layer.keys.shape == (1, 9, 8)
    torch.testing.assert_close(layer.weights(), whole.blocks["decoder"].layers[1].weights(3))
    for name, value, message in (
        ("layers", [7], r"layers holds 7, .* it has 3 layers"),
        ("heads", [4], r"heads holds 4, .* it has heads 0 to 3"),
        ("layers", [], r"layers is empty"),
    ):
        with pytest.raises(ValueError, match=message):
            extract(build("llama"), inputs=batch_of("llama"), batch_index=0, **{name: value})
    with pytest.raises(TypeError, match=r"heads=3 is an int: expected a list of numbers"):
        extract(build("llama"), inputs=batch_of("llama"), batch_index=0, heads=3)  # type: ignore[arg-type]


def test_patches_are_named(build: Callable[..., Any]) -> None:
    vit = extract(build("vit"), inputs=batch_of("vit"), batch_index=0).blocks["encoder"]
    assert vit.query_tokens[:3] == ("[CLS]", "patch 0,0", "patch 0,1")
    assert vit.query_tokens[-1] == "patch 3,3"
    clip = extract(build("clip"), inputs=batch_of("clip"), batch_index=0)
    assert clip.blocks["vision_model.encoder"].query_tokens[-1] == "patch 3,3"
    assert len(clip.blocks["text_model.encoder"].query_tokens) == 9


@pytest.mark.parametrize("index", [0, 2])
def test_several_texts_beside_one_image(index: int, build: Callable[..., Any]) -> None:
    model = build("clip")
    batch = {"input_ids": texts(9, 3), "pixel_values": torch.randn(1, 3, 16, 16)}
    trace = extract(model, inputs=batch, batch_index=index, verify=True)
    one = {
        "input_ids": batch["input_ids"][index : index + 1],
        "pixel_values": batch["pixel_values"],
    }
    same(trace, extract(model, inputs=one))
    assert sorted(trace.blocks) == ["text_model.encoder", "vision_model.encoder"]


def test_a_vision_language_model(word_tokenizer: Callable[..., Any]) -> None:
    import transformers as t

    torch.manual_seed(0)
    size = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 37,
    }
    model = t.LlavaForConditionalGeneration(
        t.LlavaConfig(
            text_config=t.LlamaConfig(**size, vocab_size=99, num_key_value_heads=2),
            vision_config=t.CLIPVisionConfig(**size, image_size=16, patch_size=4),
            image_token_index=50,
            vision_feature_layer=-1,
        )
    ).eval()
    ids = torch.tensor([[2, 7, *[50] * 16, 8, 9]])
    inputs = {"input_ids": ids, "pixel_values": torch.randn(1, 3, 16, 16)}
    trace = extract(model, word_tokenizer(), inputs=inputs, verify=True)
    [text] = [block for block in trace.blocks.values() if block.kind == "decoder"]
    [image] = [block for block in trace.blocks.values() if block.kind == "encoder"]
    assert text.query_tokens[1:4] == ("to", "patch 0,0", "patch 0,1")
    assert text.query_tokens[17:] == ("patch 3,3", "the", "store")
    assert image.query_tokens[:2] == ("[CLS]", "patch 0,0")


def test_windows_of_an_image_are_no_rows_over_the_whole() -> None:
    import transformers as t

    torch.manual_seed(0)
    config = t.SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4
    )
    for batch in (1, 2):
        with pytest.raises(NothingCaptured, match="Attention was seen but not understood"):
            extract(
                t.SwinModel(config),
                inputs={"pixel_values": torch.randn(batch, 3, 64, 64)},
                batch_index=batch - 1,
            )


def test_progress_can_be_turned_off(
    build: Callable[..., Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertviz.progress.SECONDS", 0.0)
    extract(build("bert"), inputs=batch_of("bert"), batch_index=0)
    assert "reading" in capsys.readouterr().err
    extract(build("bert"), inputs=batch_of("bert"), batch_index=0, progress=False)
    assert capsys.readouterr().err == ""
