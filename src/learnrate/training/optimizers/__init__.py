"""The optimizers. Each update rule is written once, for NumPy arrays (linear models) and PyTorch tensors."""

from learnrate.training.optimizers.table import (
    OPTIMIZERS,
    Optimizer,
    all_options,
    check_options,
    choose_optimizer,
    get_optimizer,
)

__all__ = [
    "OPTIMIZERS",
    "Optimizer",
    "all_options",
    "check_options",
    "choose_optimizer",
    "get_optimizer",
]
