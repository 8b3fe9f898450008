"""What the benchmark against BertViz 1.4.1 is made of."""
