"""What a payload is: the one place that defines it.

The problem. All weights of a BERT-sized model are 144 matrices of query × key numbers. Written as
decimals they take 31 MB at 128 tokens and 472 MB at 512, and a browser skips a script that long
without a word. Dropping the small weights makes them fit, but then a head that spreads its
attention evenly seems to look nowhere. So weights are *listed* (sparse, in fixed steps) where they
are visible, and what is not listed is one number per row, its *hidden mass*: listed + hidden is the
row. Queries and keys, which the neuron view needs, are shipped instead of weights, and the page
computes scores and weights from them by the same formula as the trace. Only the model view of a
short text has both: a head that stands out there is a click away from its neurons, and as long as
all queries and keys together stay below a megabyte this costs little.

The schema, version 1. The page's decoder (``js/data/payload.js``) changes together with it::

    {
      "version": 1,
      "view": "head" | "model" | "neuron",
      "kind": "attention" | "signed" | "unnormalized",   what the numbers are
      "theme": "auto" | "light" | "dark",       auto follows the notebook
      "model": {"name": str | null, "dtype": str, "exactness": null | {...},
                "skipped": {path: reason, ...}},    left out where everything was captured
      "blocks": [{
        "name": str, "kind": "encoder" | "decoder" | "cross",
        "query": Tokens, "key": Tokens | null,  null: the same as query
        "layers": [{
          "index": int, "name": str, "heads": [int, ...],   the model's own numbers and path
          "weights": Sparse | null,             head and model view; in a comparison, by how much
                                                a weight of b is larger than that of a
          "less": Sparse | null,                comparison: by how much it is smaller, as weights
                                                above zero
          "scale": float,                       only of values that are not attention: the largest
                                                |value| of the layer, in which weights and less (of
                                                signed values, those below zero) are counted
          "missing": {"chunk": int, "count": int} | null,    likewise: a bit for every (head, query,
                                                key), the lowest of a byte first, 1 where there is
                                                no value; count of these
          "neurons": Neurons | null             neuron view; model view of a short text
        }, ...]
      }, ...],
      "difference": bool,                       weights of b minus weights of a, of two traces
      "names": [str, str],                      only then: what a and b are called
      "measures": [Measure, ...],               model view: what is measured of heads
      "explanation": null | {"block": str, "layer": int, "head": int, "what": str,
                             "contributions": [float, ...]},   neuron view: of each neuron
      "neurons": "here" | "left out" | "none",  none: the trace has no queries and keys
      "state": {...},                           where the view starts (state.py); the page's
                                                js/state.js fills in the rest
      "chunks": [str, ...]                      base64(gzip(bytes)), each decoded when needed
    }

    Tokens  = {"text": [str, ...], "raw": [str, ...] | null, "sentences": [int, ...] | null,
               "words": {"of": [int, ...], "text": [str, ...]} | null, "special": [int, ...]}
              text is for display; raw, the tokenizer's own strings, only where they differ; words
              (each token's word, and the words' texts) only where a word has several subword
              tokens; special: positions
    Sparse  = {"chunk": int, "listed": n, "steps": int}, rows ordered by head, then query:
              float32 hidden[rows], uint32 counts[rows], then four byte planes of length n:
              key deltas low and high byte (the first of a row counts from 0), values low and high
              byte; weight = value / steps
    Neurons = {"queries": Array, "keys": Array, (heads, query, d) and (key heads, key, d)
               "keyHead": [int, ...],           per head, which row of keys it uses
               "scaling": float, "softcap": float | null,
               "sinks": [float, ...] | [[float, ...], ...] | null,   per head, or per head and query
               "causal": bool, "rotary": bool, "bias": Array | null}
    Measure = {"name": str, "diverging": bool, "values": Values, "null": Values | null}
              null is what a head has by chance; "labels" (of the same form), if there, the word for
              what its number is that of
    Values  = [[[float | null, ...], ...], ...] per block, layer and head, as they are above
    Array   = {"chunk": int, "offset": bytes, "dtype": "f2" | "f4", "shape": [int, ...]}
              little-endian; of "f2" the low bytes of all numbers, then the high bytes; masked pairs
              of a bias are -inf

Every matrix is shipped once: sentence pairs and filters are index ranges, made in the page, and a
bias that several layers share is one chunk.
"""

from __future__ import annotations

from typing import Literal

VERSION = 1
ViewName = Literal["head", "model", "neuron"]
Theme = Literal["auto", "light", "dark"]
