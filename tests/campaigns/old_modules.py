"""Old import paths, the functions behind the views, and the objects they return."""

from __future__ import annotations

from tests.campaigns.old_code import Old
from tests.campaigns.old_views import BERT

PAIR = """
from bertviz.transformers_neuron_view import BertModel, BertTokenizer
from bertviz.neuron_view import show, get_attention
model_type = 'bert'
model_version = 'bert-base-uncased'
model = BertModel.from_pretrained(model_version, output_attentions=True)
tokenizer = BertTokenizer.from_pretrained(model_version, do_lower_case=True)
sentence_a = "The cat sat on the mat"
sentence_b = "The cat lay on the rug"
"""
VIEW = BERT + "view = head_view(attention, tokens, html_action='return')\n"

MODULES = {
    "show a pair": Old(
        PAIR + "show(model, model_type, tokenizer, sentence_a, sentence_b, layer=2, head=0)"
    ),
    "show one": Old(
        PAIR + "show(model, 'bert', tokenizer, 'time flies like an arrow',"
        " display_mode='light', layer=0, head=8)"
    ),
    "show another tokenizer": Old("""
from transformers import AutoTokenizer
from bertviz.transformers_neuron_view import BertModel
from bertviz.neuron_view import show
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
model = BertModel.from_pretrained("bert-base-uncased")
show(model, "bert", tokenizer, "I read a good novel.", display_mode="light", head=11)
"""),
    "show gpt2": Old("""
from bertviz.transformers_neuron_view import GPT2Model, GPT2Tokenizer
from bertviz.neuron_view import show
model = GPT2Model.from_pretrained('gpt2', output_attentions=True)
tokenizer = GPT2Tokenizer.from_pretrained('gpt2', do_lower_case=True)
show(model, 'gpt2', tokenizer, "The quick brown fox", layer=4, head=3, display_mode='dark')
"""),
    "show roberta": Old("""
from bertviz.transformers_neuron_view import RobertaModel as RM, RobertaTokenizer as RT
from bertviz.neuron_view import show
show(RM.from_pretrained('roberta-base', output_attentions=True), 'roberta',
     RT.from_pretrained('roberta-base'), "The cat sat on the mat", "The cat lay on the rug")
"""),
    "show and write": Old(
        PAIR
        + """
html = show(model, model_type, tokenizer, sentence_a, None, 'dark', 2, 0, 'return')
with open("neuron.html", "w", encoding="utf-8") as f:
    f.write(html.data)
""",
        shown=0,
    ),
    "config from a submodule": Old("""
from transformers import BertTokenizer, BertConfig
from bertviz.neuron_view import show
from bertviz.transformers_neuron_view.modeling_bert import BertModel
config = BertConfig.from_pretrained('bert-base-uncased', output_attentions=True)
model = BertModel.from_pretrained('bert-base-uncased', config=config)
tokenizer = BertTokenizer.from_pretrained('bert-base-uncased')
show(model, 'bert', tokenizer, "The cat sat")
"""),
    "submodules": Old(
        """
import bertviz.transformers_neuron_view.modeling_gpt2 as gpt2
from bertviz.transformers_neuron_view import modeling_roberta
from bertviz.transformers_neuron_view.tokenization_bert import BertTokenizer, BasicTokenizer
from bertviz.transformers_neuron_view.modeling_bert import BertEmbeddings, BertSelfAttention
from bertviz.transformers_neuron_view.modeling_xlnet import XLNetModel, XLNetConfig
from bertviz.transformers_neuron_view.modeling_utils import PreTrainedModel, Conv1D
import transformers
assert gpt2.GPT2LMHeadModel is transformers.GPT2LMHeadModel
assert modeling_roberta.RobertaConfig is transformers.RobertaConfig
""",
        shown=0,
    ),
    "the names of all families": Old(
        """
from bertviz.transformers_neuron_view import (BertConfig, BertForSequenceClassification,
    BertForQuestionAnswering, XLNetModel, XLNetTokenizer, XLMModel, OpenAIGPTModel,
    RobertaForSequenceClassification, GPT2LMHeadModel, PreTrainedTokenizer, WEIGHTS_NAME)
assert BertForQuestionAnswering(BertConfig(hidden_size=24, num_attention_heads=2,
    num_hidden_layers=1, intermediate_size=24)).config.num_hidden_layers == 1
""",
        shown=0,
    ),
    "star of the model classes": Old(
        "from bertviz.transformers_neuron_view import *\nassert XLMModel and XLNetConfig", shown=0
    ),
    "a name that is gone": Old(
        "from bertviz.transformers_neuron_view import TransfoXLModel",
        error=ImportError,
        says="TransfoXLModel is gone from transformers: use another model",
    ),
    "attention of a pair": Old(
        PAIR
        + """
import numpy as np
data = get_attention(model, model_type, tokenizer, sentence_a, sentence_b,
                     include_queries_and_keys=False)['ba']
assert np.array(data['attn']).shape == (12, 12, 7, 8)
assert data['left_text'][-1] == '[SEP]' and data['right_text'][0] == '[CLS]'
""",
        shown=0,
    ),
    "attention, queries and keys": Old(
        """
from bertviz import neuron_view as nv
from bertviz.transformers_neuron_view import GPT2Model, GPT2Tokenizer
model = GPT2Model.from_pretrained('gpt2')
tokenizer = GPT2Tokenizer.from_pretrained('gpt2')
data = nv.get_attention(model, 'gpt2', tokenizer, "The quick brown fox",
                        include_queries_and_keys=True)
assert list(data) == ['all'] and data['all']['left_text'][1] == ' quick'
assert len(data['all']['queries']) == 12 and len(data['all']['keys'][0][0][0]) == 2
""",
        shown=0,
    ),
    "attention of xlnet": Old(
        """
import bertviz.neuron_view as nv
from bertviz.transformers_neuron_view import XLNetModel, XLNetTokenizer
tokenizer = XLNetTokenizer.from_pretrained('xlnet-base-cased')
model = XLNetModel.from_pretrained('xlnet-base-cased')
data = nv.get_attention(model, 'xlnet', tokenizer, 'The cat sat', include_queries_and_keys=False)
assert data['all']['left_text'] == [' The', ' cat', ' sat', '[SEP]', '[CLS]']
""",
        shown=0,
    ),
    "from attention to the head view": Old("""
from torch import FloatTensor
from bertviz.transformers_neuron_view import RobertaModel as RM, RobertaTokenizer as RT
from bertviz.head_view import head_view
from bertviz.neuron_view import show, get_attention
data = get_attention(RM.from_pretrained("roberta-base", output_attentions=True), "roberta",
    RT.from_pretrained("roberta-base", do_lower_case=True), "The cat", "The rug")
tokens = data["ba"]["right_text"] + data["ba"]["left_text"]
layers = [FloatTensor(layer).unsqueeze(0) for layer in data["all"]["attn"]]
head_view(layers, tokens, len(data["ba"]["right_text"]), include_layers=[11])
"""),
    "util": Old(
        BERT
        + """
from bertviz.util import format_special_chars, format_attention, num_layers, num_heads
assert num_layers(attention) == num_heads(attention) == 12
assert format_attention(attention, list(range(num_layers(attention))),
                        list(range(num_heads(attention)))).tolist()
assert format_attention(attention, [1, 2], [3]).shape == (2, 1, len(tokens), len(tokens))
assert format_special_chars(['Ġa', '▁b', 'c</w>']) == [' a', ' b', 'c']
""",
        shown=0,
    ),
    "util of empty outputs": Old(
        BERT + "from bertviz.util import num_heads\nnum_heads(outputs[-1])",
        error=ValueError,
        says=r"outputs\.attentions",
        shown=0,
    ),
    "star of the head view": Old(
        BERT
        + """
from bertviz.head_view import *
formatted = format_attention(attention, list(range(num_layers(attention))))
name = 'bertviz-%s' % uuid.uuid4().hex
params = json.dumps({'attention': formatted.tolist(), 'tokens': format_special_chars(tokens)})
assert os.path.realpath(os.getcwd()) and len(params) > 1000
display(HTML(f'<div id={name}>own view</div>'))
display(Javascript('window.own = 1'))
"""
    ),
    "star of the model view": Old(
        BERT + "from bertviz.model_view import *\nassert num_heads(attention) == 12\n"
        "model_view(attention, format_special_chars(tokens))"
    ),
    "star of the neuron view": Old(
        PAIR + "from bertviz.neuron_view import *\nassert defaultdict and torch and HTML\n"
        "show(model, model_type, tokenizer, sentence_a)"
    ),
    "module and function": Old(
        BERT + "import bertviz\nbertviz.head_view(attention, tokens)\n"
        "from bertviz.head_view import head_view as h\nh(attention, tokens)",
        shown=2,
    ),
    "data that stays": Old(VIEW + "assert view.data == view.data and view.data is view.data", 0),
    "data that is set": Old(
        VIEW
        + "view.data = '<h1>BERT</h1>' + view.data\nassert view._repr_html_().startswith('<h1>')\n"
        "assert view._repr_mimebundle_()['text/html'].startswith('<h1>')",
        0,
    ),
    "markup": Old(
        VIEW + "import markupsafe, jinja2\nassert '<script>' in markupsafe.escape(view)\n"
        "page = jinja2.Environment(autoescape=True).from_string('<p>{{ view }}</p>')\n"
        "assert '<script>' in page.render(view=view)",
        0,
    ),
    "as IPython's object": Old(
        VIEW + "from IPython.display import HTML\nassert '<script>' in HTML(view.data).data\n"
        "assert view.metadata == {} and view.url is None and view.filename is None\nview.reload()",
        0,
    ),
    "displayed by hand": Old(VIEW + "from IPython.display import display\ndisplay(view)"),
}
