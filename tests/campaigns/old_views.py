"""Old calls of the head view and the model view, as notebooks and scripts write them."""

from __future__ import annotations

from tests.campaigns.old_code import Old

BERT = """
from transformers import AutoTokenizer, AutoModel, utils
from bertviz import head_view, model_view
utils.logging.set_verbosity_error()
model_version = 'bert-base-uncased'
model = AutoModel.from_pretrained(model_version, output_attentions=True)
tokenizer = AutoTokenizer.from_pretrained(model_version)
sentence_a = "The cat sat on the mat"
sentence_b = "The cat lay on the rug"
inputs = tokenizer(sentence_a, sentence_b, return_tensors='pt')
outputs = model(inputs['input_ids'], token_type_ids=inputs['token_type_ids'])
attention = outputs.attentions
sentence_b_start = inputs['token_type_ids'][0].tolist().index(1)
tokens = tokenizer.convert_ids_to_tokens(inputs['input_ids'][0].tolist())
"""
SEQ2SEQ = """
from transformers import AutoTokenizer, AutoModelForSeq2SeqLM
from bertviz import head_view, model_view
tokenizer = AutoTokenizer.from_pretrained("google-t5/t5-small")
model = AutoModelForSeq2SeqLM.from_pretrained("google-t5/t5-small", output_attentions=True)
encoder_input_ids = tokenizer("The house is wonderful.", return_tensors="pt").input_ids
decoder_input_ids = tokenizer("I went to the store", return_tensors="pt").input_ids
outputs = model(input_ids=encoder_input_ids, decoder_input_ids=decoder_input_ids)
encoder_text = tokenizer.convert_ids_to_tokens(encoder_input_ids[0])
decoder_text = tokenizer.convert_ids_to_tokens(decoder_input_ids[0])
parts = dict(
    encoder_attention=outputs.encoder_attentions,
    decoder_attention=outputs.decoder_attentions,
    cross_attention=outputs.cross_attentions,
    encoder_tokens=encoder_text,
    decoder_tokens=decoder_text,
)
"""

VIEWS = {
    "quick start": Old("""
from transformers import AutoTokenizer, AutoModel, utils
from bertviz import model_view
utils.logging.set_verbosity_error()
model_name = "distilbert-base-uncased"
model = AutoModel.from_pretrained(model_name, output_attentions=True)
tokenizer = AutoTokenizer.from_pretrained(model_name)
inputs = tokenizer.encode("The cat sat on the mat", return_tensors='pt')
outputs = model(inputs)
attention = outputs[-1]
tokens = tokenizer.convert_ids_to_tokens(inputs[0])
model_view(attention, tokens)
"""),
    "positional sentence": Old(BERT + "head_view(attention, tokens, sentence_b_start)"),
    "model view, pair": Old(BERT + "model_view(attention, tokens, sentence_b_start)"),
    "sentence by name": Old(BERT + "head_view(attention, tokens, sentence_b_start=None)"),
    "no sentence by position": Old(BERT + "head_view(attention, tokens, None)"),
    "preselected": Old(BERT + "head_view(attention, tokens, layer=2, heads=[3, 5])"),
    "by position to the end": Old(
        BERT + "head_view(attention, tokens, sentence_b_start, True, 2, [3, 5])"
    ),
    "light": Old(BERT + "model_view(attention, tokens, display_mode='light')"),
    "dark by position": Old(BERT + "model_view(attention, tokens, None, False, 'dark')"),
    "some layers": Old(BERT + "model_view(attention, tokens, include_layers=[5, 6])"),
    "some heads": Old(
        BERT + "model_view(attention, tokens, include_layers=range(2), include_heads=(0, 11))"
    ),
    "head view, some layers": Old(
        BERT + "head_view(attention, tokens, sentence_b_start, include_layers=[11])"
    ),
    "a loop": Old(
        BERT + "for layer in range(3):\n    head_view(attention, tokens, layer=layer)", shown=3
    ),
    "outputs[-1] that are empty": Old(
        BERT + "head_view(outputs[-1], tokens)", error=ValueError, says=r"outputs\.attentions"
    ),
    "outputs[-1] by name": Old(
        BERT + "model_view(attention=outputs[-1], tokens=tokens)",
        error=ValueError,
        says=r"outputs\.attentions",
    ),
    "outputs of gpt2": Old(
        """
from transformers import GPT2Model, GPT2Tokenizer
from bertviz import head_view
tokenizer = GPT2Tokenizer.from_pretrained("gpt2")
model = GPT2Model.from_pretrained("gpt2", output_attentions=True)
ids = tokenizer.encode("The quick brown fox", return_tensors="pt")
attention = model(ids)[-1]
head_view(attention, tokenizer.convert_ids_to_tokens(ids[0]))
""",
        error=ValueError,
        says=r"outputs\.attentions",
    ),
    "whole outputs": Old(BERT + "head_view(outputs, tokens)"),
    "return and write": Old(
        BERT
        + """
html_head_view = head_view(attention, tokens, html_action='return')
with open("head_view.html", 'w') as file:
    file.write(html_head_view.data)
html_model_view = model_view(attention, tokens, html_action='return')
with open("model_view.html", 'w') as file:
    file.write(html_model_view.data)
assert html_head_view and hasattr(html_model_view, 'data')
""",
        shown=0,
    ),
    "xlnet": Old("""
from transformers import XLNetModel, XLNetTokenizer
from bertviz import head_view
model = XLNetModel.from_pretrained("xlnet-base-cased", output_attentions=True)
tokenizer = XLNetTokenizer.from_pretrained("xlnet-base-cased")
inputs = tokenizer("The cat sat", "The cat lay", return_tensors="pt", add_special_tokens=True)
attention = model(inputs["input_ids"])[-1]
head_view(attention, tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist()))
"""),
    "albert": Old("""
from transformers import AutoTokenizer, AlbertModel
from bertviz import model_view
model = AlbertModel.from_pretrained("albert-base-v2", output_attentions=True)
tokenizer = AutoTokenizer.from_pretrained("albert-base-v2")
inputs = tokenizer("The cat sat", "The cat lay", return_tensors="pt")
attention = model(inputs["input_ids"], token_type_ids=inputs["token_type_ids"])[-1]
model_view(attention, tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]))
"""),
    "a classifier's tuple": Old("""
import torch
from transformers import BertForSequenceClassification, BertTokenizer
from bertviz import head_view
tokenizer = BertTokenizer.from_pretrained("bert-base-uncased", do_lower_case=True)
model = BertForSequenceClassification.from_pretrained("bert-base-uncased", output_attentions=True)
batch = tokenizer("The cat sat", return_tensors="pt")
loss, logits, attentions = model(**batch, labels=torch.tensor([1]), return_dict=False)
tokens = [str(t) for t in tokenizer.convert_ids_to_tokens(batch["input_ids"].numpy()[0])]
head_view(attentions, tokens, None)
"""),
    "encoder and decoder": Old(SEQ2SEQ + "head_view(**parts)\nmodel_view(**parts)", shown=2),
    "encoder alone": Old(
        SEQ2SEQ
        + "model_view(encoder_attention=outputs.encoder_attentions, encoder_tokens=encoder_text)"
    ),
    "cross alone": Old(
        SEQ2SEQ + "del parts['encoder_attention'], parts['decoder_attention']\nhead_view(**parts)"
    ),
    "parts by position": Old(
        SEQ2SEQ + "head_view(None, None, None, True, None, None, *parts.values())"
    ),
    "tokens beside the parts": Old(
        SEQ2SEQ + "model_view(tokens=encoder_text, **parts)", warns="tokens"
    ),
    "sentence beside the parts": Old(
        SEQ2SEQ + "head_view(sentence_b_start=3, **parts)", warns="sentence_b_start"
    ),
    "generate in parts": Old("""
from transformers import T5Tokenizer, T5ForConditionalGeneration
from bertviz import model_view
tokenizer = T5Tokenizer.from_pretrained("google-t5/t5-small")
model = T5ForConditionalGeneration.from_pretrained(
    "google-t5/t5-small", attn_implementation="eager"
)
text = "translate English to German: The house is wonderful."
ids = tokenizer(text, return_tensors="pt").input_ids
outputs = model.generate(
    ids, output_attentions=True, return_dict_in_generate=True, max_new_tokens=6, min_new_tokens=6
)
model_view(
    encoder_attention=outputs.encoder_attentions,
    decoder_attention=outputs.decoder_attentions,
    cross_attention=outputs.cross_attentions,
    encoder_tokens=tokenizer.convert_ids_to_tokens(ids[0]),
    decoder_tokens=tokenizer.convert_ids_to_tokens(outputs.sequences[0]),
)
"""),
    "bart by index": Old("""
from transformers import BartForConditionalGeneration, BartTokenizer
from bertviz import head_view
model = BartForConditionalGeneration.from_pretrained("facebook/bart-base", output_attentions=True)
tokenizer = BartTokenizer.from_pretrained("facebook/bart-base")
ids = tokenizer("The cat sat", return_tensors="pt").input_ids
attention = model(ids)[2]
head_view(attention, tokenizer.convert_ids_to_tokens(ids[0]))
"""),
    "empty choices": Old(
        BERT
        + """
head_view(attention, tokens, heads=[], include_layers=[])
model_view(attention, tokens, include_layers=[], include_heads=[])
""",
        shown=2,
    ),
    "numbers for switches": Old(
        BERT + "head_view(attention, tokens, prettify_tokens=0)\n"
        "model_view(attention, tokens, None, 1)\nmodel_view(attention, tokens, display_mode=None)",
        shown=3,
    ),
    "letters": Old("""
import torch
from bertviz import head_view
attention = [torch.softmax(torch.randn(1, 2, 8, 8), -1) for _ in range(3)]
head_view(attention, "MKTAYIAK")
"""),
    "integers as tokens": Old(
        BERT + "head_view(attention, inputs['input_ids'][0].tolist(), prettify_tokens=False)",
        warns="tokens",
    ),
    "a tuple of tokens": Old(BERT + "head_view(attention, tuple(tokens))"),
    "an array of tokens": Old(BERT + "import numpy\nhead_view(attention, numpy.array(tokens))"),
    "one layer": Old(BERT + "head_view((attention[4],), tokens, html_action='return')", shown=0),
    "own matrix": Old("""
import torch
from bertviz import head_view
matrix = torch.softmax(torch.randn(5, 5), -1)[:4, :4]
matrix = (matrix / matrix.sum(-1, keepdim=True)).unsqueeze(0).unsqueeze(0)
head_view(attention=[matrix], tokens=list("abcd"), sentence_b_start=None)
"""),
    "heads averaged": Old(
        BERT + "model_view([attn.mean(dim=1, keepdims=True) for attn in attention], tokens)"
    ),
    "one stacked tensor": Old(
        BERT + "import torch\nstacked = torch.stack(attention)\nassert stacked.ndim == 5\n"
        "head_view(stacked[:, :, :, :6, :6] / stacked[:, :, :, :6, :6].sum(-1, keepdim=True),"
        " tokens[:6])"
    ),
    "delimiters hidden": Old(
        BERT
        + """
for place, token in enumerate(tokens):
    if token in ("[SEP]", "[CLS]"):
        for layer in attention:
            layer[0, :, place, :] = 0
            layer[0, :, :, place] = 0
model_view(attention, tokens, sentence_b_start, display_mode="dark")
""",
        warns="do not sum to 1",
    ),
    "a part of one matrix": Old(
        BERT + "part = attention[0][0].mean(0).detach()[:6, :6]\n"
        "head_view([part.reshape(1, 1, 6, 6)], tokens[:6], sentence_b_start=None, heads=[0])",
        warns="do not sum to 1",
    ),
    "display of one's own": Old(
        BERT
        + """
import IPython.display
caught, display = [], IPython.display.display
IPython.display.display = lambda *shown, **more: caught.extend(shown)
try:
    head_view(attention, tokens)
finally:
    IPython.display.display = display
assert len(caught) == 1 and "<script" in caught[0].data
""",
        shown=0,
    ),
    "a step of a generation": Old("""
from transformers import AutoModelForCausalLM, AutoTokenizer
from bertviz import head_view
tokenizer = AutoTokenizer.from_pretrained("gpt2")
model = AutoModelForCausalLM.from_pretrained("gpt2", attn_implementation="eager")
ids = tokenizer("The quick brown", return_tensors="pt").input_ids
outputs = model.generate(ids, max_new_tokens=2, output_attentions=True,
                         return_dict_in_generate=True, pad_token_id=0)
head_view(outputs.attentions[0], tokenizer.convert_ids_to_tokens(ids[0]))
"""),
    "arrays back to tensors": Old(
        BERT + "import torch\nlayers = [a.detach().numpy() for a in attention]\n"
        "model_view([torch.from_numpy(a) for a in layers], tokens)"
    ),
}
