"""Which neurons make a head look where it looks.

The problem. A score is a sum over neurons, scaling · Σₙ q(n) k(n), so a reader wants to know which
of them lift the keys that a head attends to. But what all keys of a query have in common changes no
weight, and a neuron can be prominent in a picture yet change nothing in the softmax.

**Contribution** of neuron n: how far it lifts the keys in question above the other keys that are
unmasked for the query,

    cₙ = mean over q of Σₖ u(q, k) · (p(q, k, n) - mean of p(q, ·, n) over the unmasked keys of q)
    p(q, k, n) = scaling · q(n) · k(n)

where u is the head's attention or, for a pattern, uniform over its keys (it sums to 1). The
contributions add up to how far q·k lifts these keys; what the model adds to scores (relative
positions, say) is reported separately, and a softcap, which comes after the sum, is left out.

**Concentration**: the fewest neurons that make up 80 % of the sum of all positive contributions.

**A causal check**: the softmax computed again without these neurons, and with only them, compared
with as many neurons drawn at random.

**What it cannot say.** Single neurons are not canonical: an orthogonal change of basis of queries
and keys (the same for both) leaves all attention unchanged but gives different neurons. Few neurons
with high contributions are a fact about this model's basis, worth knowing because its weights are
written in it. And neurons are switched off in this head alone; later layers are not run again.
"""

from bertviz.analysis.neurons.explaining import explain_head
from bertviz.analysis.neurons.explanation import HeadExplanation

__all__ = ["HeadExplanation", "explain_head"]
