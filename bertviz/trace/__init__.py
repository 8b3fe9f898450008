"""What was captured: tokens, and per layer what its attention is computed from.

The problem. The weights of all heads grow with the square of the text's length, and a model returns
them only on its slowest kernel. Queries and keys grow linearly, and every kernel has them. So a
trace keeps copies of queries, keys and whatever else the formula needs, and computes the weights of
a layer and its heads when they are asked for. It holds no module: what happens to the model later
changes nothing here.

Vocabulary and axis order, everywhere the same (Python, JavaScript, docs):

    queries   (heads, query, head_dim)          as they enter the dot product: after bias, norm,
                                                rotary embedding
    keys      (key_value_heads, key, head_dim)  as they enter the dot product; grouped-query models
                                                keep their key heads: head h uses key head
                                                h // (heads / key_value_heads)
    scaling   float                             the factor on q·k, the model's own
    bias      broadcastable to                  everything added before the softmax: mask, relative
              (heads, query, key)               positions; masked pairs hold the smallest float32
    scores    (heads, query, key)               softcap(scaling · q·k) + bias: what softmax sees
    weights   (heads, query, key)               softmax of the scores over keys: the attention; with
                                                a sink, rows sum to less than one
    block     layers that share their query and key tokens; its kind is "encoder" (self-attention),
              "decoder" (causally masked self-attention) or "cross" (attends to another stack)

Numbers of layers and heads are always the model's own, even in a part of a trace. Everything is a
torch tensor; what is computed is float32, on the device where queries and keys are.
"""

from bertviz.trace.attention_trace import AttentionTrace
from bertviz.trace.block import AttentionBlock, Kind
from bertviz.trace.formula import Formula
from bertviz.trace.frozen import Frozen
from bertviz.trace.kinds import TraceKind, check_attention
from bertviz.trace.layer import Heads, LayerAttention
from bertviz.trace.tokens import Tokens

__all__ = [
    "AttentionBlock",
    "AttentionTrace",
    "Formula",
    "Frozen",
    "Heads",
    "Kind",
    "LayerAttention",
    "Tokens",
    "TraceKind",
    "check_attention",
]
