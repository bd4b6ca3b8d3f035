"""The functions of `nd`, by MXNet's names: arguments checked here, computed by the operators."""
