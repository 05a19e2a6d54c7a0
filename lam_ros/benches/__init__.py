"""Benches: figures, ratios against a peer or a physical limit in the same run, and the machine."""
