"""Examples: made, read from tables, scaled, and the order in which training visits them."""

from learnrate.data.order import Sampling, epoch_order, initial_weights, steps_per_epoch
from learnrate.data.synthetic import note_data, synthetic_data

__all__ = [
    "Sampling",
    "epoch_order",
    "initial_weights",
    "note_data",
    "steps_per_epoch",
    "synthetic_data",
]
