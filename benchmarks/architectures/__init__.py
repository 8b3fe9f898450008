"""What the benchmark of coverage is made of."""
