"""Examples: made, read from tables, scaled, and the order in which training visits them.

`learnrate.data.prepare.prepare` is not repeated here, where it would hide its module.
"""

from learnrate.data.arrays import from_arrays
from learnrate.data.builtin import BUILT_IN, load_diabetes
from learnrate.data.columns import LeftOut
from learnrate.data.frames import is_frame
from learnrate.data.missing import Missing
from learnrate.data.order import Sampling, epoch_order, initial_weights, steps_per_epoch
from learnrate.data.prepare import default_target
from learnrate.data.prepared import Prepared, Scaling
from learnrate.data.synthetic import note_data, synthetic_data
from learnrate.data.tables import FORMATS, read_table

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
