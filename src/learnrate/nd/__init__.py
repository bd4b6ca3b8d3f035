"""Arrays with automatic gradients, compatible with MXNet's ``nd``: float32 on the CPU, explicit dtypes, no 0-d results.

It has what the first edition of *Dive into Deep Learning* (《动手学深度学习》, MXNet) uses in its chapters on NDArray,
autograd, linear and softmax regression, multilayer perceptrons, overfitting, weight decay, dropout and optimisation.
Where the book does not define a behaviour, it is that of MXNet 1.9.1.
"""

from learnrate._missing import missing
from learnrate.nd import creation, random
from learnrate.nd.checking import check_gradient
from learnrate.nd.context import Context, cpu, gpu
from learnrate.nd.creation import *
from learnrate.nd.files import load, save
from learnrate.nd.functions import (
    arithmetic,
    choosing,
    elementwise,
    layers,
    products,
    reductions,
    shaping,
)
from learnrate.nd.functions.arithmetic import *
from learnrate.nd.functions.choosing import *
from learnrate.nd.functions.elementwise import *
from learnrate.nd.functions.layers import *
from learnrate.nd.functions.products import *
from learnrate.nd.functions.reductions import *
from learnrate.nd.functions.shaping import *
from learnrate.nd.ndarray import NDArray, waitall
from learnrate.nd.random import normal, uniform
from learnrate.nd.random import normal as random_normal
from learnrate.nd.random import uniform as random_uniform

__all__ = [
    "Context",
    "NDArray",
    "check_gradient",
    "cpu",
    "gpu",
    "load",
    "normal",
    "random",
    "random_normal",
    "random_uniform",
    "save",
    "uniform",
    "waitall",
]
__all__ += creation.__all__
__all__ += arithmetic.__all__
__all__ += choosing.__all__
__all__ += elementwise.__all__
__all__ += layers.__all__
__all__ += products.__all__
__all__ += reductions.__all__
__all__ += shaping.__all__

__getattr__ = missing("nd", __all__)
