"""What old code imports is there: the model classes, their submodules, what a star brings."""

from __future__ import annotations

import importlib
import sys
import types

import IPython.display
import pytest
import transformers

import bertviz
import bertviz.transformers_neuron_view as old_path
from bertviz import util
from bertviz.transformers_neuron_view.submodules import SUBMODULES
from tests.house.test_public_api import run

# What BertViz 1.4.1 had in each submodule and transformers 5 still has.
STILL_THERE = {
    "modeling_bert": "BertConfig BertModel BertLayer BertEmbeddings BertSelfAttention gelu ACT2FN",
    "modeling_gpt2": "GPT2Config GPT2Model GPT2LMHeadModel gelu",
    "modeling_openai": "OpenAIGPTModel OpenAIGPTLMHeadModel Attention MLP Block",
    "modeling_roberta": "RobertaModel RobertaEmbeddings RobertaLMHead RobertaClassificationHead",
    "modeling_utils": "PreTrainedModel PretrainedConfig Conv1D WEIGHTS_NAME prune_linear_layer",
    "modeling_xlm": "XLMModel XLMWithLMHeadModel XLMPredLayer get_masks TransformerFFN",
    "modeling_xlnet": "XLNetModel XLNetLMHeadModel XLNetRelativeAttention XLNetLayer",
    "tokenization_bert": "BertTokenizer BasicTokenizer WordpieceTokenizer load_vocab",
    "tokenization_gpt2": "GPT2Tokenizer",
    "tokenization_openai": "OpenAIGPTTokenizer",
    "tokenization_roberta": "RobertaTokenizer",
    "tokenization_utils": "PreTrainedTokenizer SPECIAL_TOKENS_MAP_FILE",
    "tokenization_xlm": "XLMTokenizer get_pairs",
    "tokenization_xlnet": "XLNetTokenizer SPIECE_UNDERLINE",
}
GONE = {
    "TransfoXLModel": "TransfoXLModel is gone from transformers: use another model",
    "BERT_PRETRAINED_MODEL_ARCHIVE_MAP": "from_pretrained takes the model's name",
    "load_tf_weights_in_bert": "convert the checkpoint",
    "cached_path": "hf_hub_download",
    "prune_layer": "no longer prunes",
}


@pytest.mark.parametrize("name", old_path.__all__)
def test_every_name_is_that_of_transformers(name: str) -> None:
    found = getattr(old_path, name)
    assert found is getattr(transformers, name)
    assert name in dir(old_path)


def test_all_51_names_are_there() -> None:
    assert len(old_path.__all__) == len(set(old_path.__all__)) == 51


@pytest.mark.parametrize("submodule", STILL_THERE)
def test_submodules_have_their_names(submodule: str) -> None:
    module = importlib.import_module(f"bertviz.transformers_neuron_view.{submodule}")
    assert getattr(old_path, submodule) is module
    for name in STILL_THERE[submodule].split():
        found = getattr(module, name)
        assert getattr(found, "__module__", "transformers.").startswith("transformers.")


@pytest.mark.parametrize("name", GONE)
@pytest.mark.parametrize("module", ["", ".modeling_bert", ".modeling_transfo_xl"])
def test_names_that_are_gone_say_what_to_use(module: str, name: str) -> None:
    with pytest.raises(ImportError, match=GONE[name]):
        exec(f"from bertviz.transformers_neuron_view{module} import {name}")


@pytest.mark.parametrize("name", ["zzz", "__zzz__", "_zzz"])
def test_names_that_never_were_are_not_there(name: str) -> None:
    for module in (old_path, old_path.modeling_bert):
        assert not hasattr(module, name)
        with pytest.raises(AttributeError, match=f"has no attribute {name!r}"):
            getattr(module, name)
    with pytest.raises(ImportError, match=name):
        exec(f"from bertviz.transformers_neuron_view.modeling_bert import {name}")


@pytest.mark.parametrize("name", ["modeling_bart", "bert"])
def test_other_submodules_are_not_there(name: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"bertviz.transformers_neuron_view.{name}")


def test_submodules_are_imported_cheaply() -> None:
    submodules = "; ".join(f"import bertviz.transformers_neuron_view.{name}" for name in SUBMODULES)
    heavy = "[name for name in ('torch', 'transformers') if name in sys.modules]"
    assert run(f"import sys; {submodules}; print({heavy})") == "[]"


STARS = {
    "head_view": "HTML Javascript display format_attention format_special_chars head_view json"
    " num_layers os uuid",
    "model_view": "HTML Javascript display format_attention format_special_chars json model_view"
    " num_heads num_layers os uuid",
    "neuron_view": "HTML Javascript defaultdict display format_delimiters format_special_chars"
    " get_attention json neuron_view os show torch uuid",
}


@pytest.mark.parametrize("module", STARS)
def test_what_a_star_brings(module: str) -> None:
    names: dict[str, object] = {}
    exec(f"from bertviz.{module} import *", names)
    names.pop("__builtins__")
    assert sorted(names, key=str.lower) == sorted(STARS[module].split(), key=str.lower)
    assert names["HTML"] is IPython.display.HTML
    assert names["display"] is IPython.display.display
    assert isinstance(names["json"], types.ModuleType)
    assert names["format_special_chars"] is util.format_special_chars
    assert names[module] is getattr(bertviz, module)


@pytest.mark.parametrize("module", STARS)
def test_nothing_else_is_made_up(module: str) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'zzz'"):
        _ = sys.modules[f"bertviz.{module}"].zzz


def test_the_neuron_view_is_also_its_module() -> None:
    module = sys.modules["bertviz.neuron_view"]
    for name in ("show", "get_attention", "format_special_chars", "format_delimiters"):
        assert getattr(bertviz.neuron_view, name) is getattr(module, name)
