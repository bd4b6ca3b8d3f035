"""Examples: reading tables, preparing and scaling them, synthetic examples, and the order of minibatches."""

from learnrate.data.arrays import from_arrays
from learnrate.data.builtin import BUILT_IN, load_diabetes
from learnrate.data.columns import LeftOut
from learnrate.data.frames import is_frame
from learnrate.data.missing import Missing
from learnrate.data.order import Sampling, epoch_order, initial_weights, steps_per_epoch
from learnrate.data.prepared import Prepared, Scaling
from learnrate.data.synthetic import note_data, synthetic_data
from learnrate.data.tables import FORMATS, read_table
from learnrate.data.target import default_target

__all__ = [
    "BUILT_IN",
    "FORMATS",
    "LeftOut",
    "Missing",
    "Prepared",
    "Sampling",
    "Scaling",
    "default_target",
    "epoch_order",
    "from_arrays",
    "initial_weights",
    "is_frame",
    "load_diabetes",
    "note_data",
    "read_table",
    "steps_per_epoch",
    "synthetic_data",
]
