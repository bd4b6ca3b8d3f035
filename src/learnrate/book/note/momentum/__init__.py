"""Momentum and Adam: paths over a bowl that the reader stretches."""
