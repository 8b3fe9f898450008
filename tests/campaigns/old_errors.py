"""Old calls that were an error and are one: code that catches ValueError still does."""

from __future__ import annotations

from tests.campaigns.old_code import Old
from tests.campaigns.old_modules import PAIR
from tests.campaigns.old_views import BERT, SEQ2SEQ


def wrong(code: str, says: str, error: type[Exception] = ValueError) -> Old:
    return Old(code, shown=0, error=error, says=says)


ERRORS = {
    "attention and parts": wrong(
        BERT + "head_view(attention, tokens, encoder_attention=attention)", "encoder_attention"
    ),
    "attention and an encoder's tokens": wrong(
        BERT + "model_view(attention, tokens, encoder_tokens=tokens)", "encoder_tokens"
    ),
    "nothing": wrong("import bertviz\nbertviz.head_view()", "attention"),
    "a fast kernel's outputs": wrong(
        """
from transformers import AutoModel, AutoTokenizer
from bertviz import head_view
model = AutoModel.from_pretrained("bert-base-uncased")
batch = AutoTokenizer.from_pretrained("bert-base-uncased")("The cat", return_tensors="pt")
head_view(model(**batch, output_attentions=True).attentions, ["[CLS]", "the", "cat", "[SEP]"])
""",
        "eager",
    ),
    "too few tokens": wrong(BERT + "head_view(attention, tokens[:-1])", "tokens"),
    "a sentence for tokens": wrong(BERT + "head_view(attention, sentence_a)", "tokens"),
    "hidden states": wrong(BERT + "head_view(outputs[0], tokens)", "attention"),
    "layer outside": wrong(
        BERT + "head_view(attention, tokens, layer=0, include_layers=[1])", "layer"
    ),
    "action": wrong(BERT + "head_view(attention, tokens, html_action='show')", "html_action"),
    "an encoder's tokens missing": wrong(
        SEQ2SEQ + "head_view(encoder_attention=outputs.encoder_attentions)", "encoder_tokens"
    ),
    "a decoder's tokens missing": wrong(
        SEQ2SEQ + "parts.pop('decoder_tokens')\nmodel_view(**parts)", "decoder_tokens"
    ),
    "show no type": wrong(PAIR + "show(model, tokenizer, sentence_a, sentence_b)", "model_type"),
    "show nothing": wrong(PAIR + "show(model, 'bert', tokenizer, '')", "sentence_a"),
    "show action": wrong(
        PAIR + "show(model, 'bert', tokenizer, 'The cat', html_action='x')", "html_action"
    ),
    "attention of another type": wrong(
        PAIR + "get_attention(model, 'llama', tokenizer, sentence_a)", "model_type"
    ),
    "attention of nothing": wrong(
        PAIR + "get_attention(model, 'bert', tokenizer, '')", "sentence_a"
    ),
    "attention of a pair for gpt2": wrong(
        PAIR + "get_attention(model, 'gpt2', tokenizer, sentence_a, sentence_b)", "sentence_b"
    ),
    "attention of a pair for xlnet": wrong(
        PAIR + "get_attention(model, 'xlnet', tokenizer, sentence_a, sentence_b)",
        "sentence_b",
        NotImplementedError,
    ),
    "three axes for util": wrong(
        BERT + "from bertviz.util import format_attention\nformat_attention(outputs[0])",
        "attention",
    ),
}
