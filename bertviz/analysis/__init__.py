"""From a trace to numbers: patterns, neurons, comparisons, and the tables that show them."""
