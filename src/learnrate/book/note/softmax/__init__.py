"""Softmax regression: classes, cross-entropy, and rates for them."""
