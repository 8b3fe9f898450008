"""trace → numbers: patterns, neurons, comparisons, and the tables that show them."""
