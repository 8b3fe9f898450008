"""What differs between two traces, head by head.

The problem. Two checkpoints of a model on one text, a model before and after fine-tuning, or one
model on two texts that differ in a word: side by side, two pictures look alike. What differs are
two distributions for every query, which have measures of their own:

    total variation        TV = ½ Σₖ |b(q, k) - a(q, k)|, the weight that lies elsewhere, 0 to 1
    Jensen-Shannon         H(½a + ½b) - ½H(a) - ½H(b) in bits, 0 to 1 (Lin, "Divergence Measures
                           Based on the Shannon Entropy", 1991)
    entropy, b minus a     H(b) - H(a) in bits: more spread (above 0) or more pointed

each averaged over the queries. The weight that a row does not spend on the keys shown (sinks,
tokens left out) counts as one more key.

Heads are compared by number. In models trained separately the numbers do not correspond, so
differences say little.
"""

from bertviz.analysis.comparison.comparing import compare
from bertviz.analysis.comparison.comparison import (
    Comparison,
    HeadDifference,
    LargestDifference,
)

__all__ = ["Comparison", "HeadDifference", "LargestDifference", "compare"]
