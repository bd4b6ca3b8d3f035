"""Compiled kernels of the fused engine. Importing a module of this folder imports Numba."""
