"""learnrate's engines beside JAX, PyTorch, scikit-learn and MXNet: ``python -m benchmarks.engines --help``."""
