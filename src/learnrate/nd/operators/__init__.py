"""Operators, each beside its gradient."""
