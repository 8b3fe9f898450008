"""The import path of BertViz 1.x's own model classes, now the real ones of ``transformers``.

BertViz's neuron view needed modified copies of models, and old notebooks import them from here or
from a submodule, ``modeling_bert`` and so on. The views read unmodified models, so each name is
what ``transformers`` has under it; new code imports it from there. ``submodules`` says where.
"""

from __future__ import annotations

from typing import Any

from bertviz.transformers_neuron_view.submodules import add_submodules, find

# What BertViz had here and transformers still has.
__all__ = [
    "CONFIG_NAME",
    "SPIECE_UNDERLINE",
    "WEIGHTS_NAME",
    "BasicTokenizer",
    "BertConfig",
    "BertForMaskedLM",
    "BertForMultipleChoice",
    "BertForNextSentencePrediction",
    "BertForPreTraining",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertModel",
    "BertPreTrainedModel",
    "BertTokenizer",
    "Conv1D",
    "GPT2Config",
    "GPT2DoubleHeadsModel",
    "GPT2LMHeadModel",
    "GPT2Model",
    "GPT2PreTrainedModel",
    "GPT2Tokenizer",
    "OpenAIGPTConfig",
    "OpenAIGPTDoubleHeadsModel",
    "OpenAIGPTLMHeadModel",
    "OpenAIGPTModel",
    "OpenAIGPTPreTrainedModel",
    "OpenAIGPTTokenizer",
    "PreTrainedModel",
    "PreTrainedTokenizer",
    "PretrainedConfig",
    "RobertaConfig",
    "RobertaForMaskedLM",
    "RobertaForSequenceClassification",
    "RobertaModel",
    "RobertaTokenizer",
    "WordpieceTokenizer",
    "XLMConfig",
    "XLMForQuestionAnswering",
    "XLMForSequenceClassification",
    "XLMModel",
    "XLMPreTrainedModel",
    "XLMTokenizer",
    "XLMWithLMHeadModel",
    "XLNetConfig",
    "XLNetForQuestionAnswering",
    "XLNetForSequenceClassification",
    "XLNetLMHeadModel",
    "XLNetModel",
    "XLNetPreTrainedModel",
    "XLNetTokenizer",
]

add_submodules(__name__)


def __getattr__(name: str) -> Any:
    return find(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
