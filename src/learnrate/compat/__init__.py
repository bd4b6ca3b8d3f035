"""Running scripts written for MXNet: learnrate's versions of MXNet's modules, and the code that runs a script with them.

>>> from learnrate.compat import mxnet as mx
>>> mx.nd.ones((2, 2)).sum().asscalar()
np.float32(4.0)
"""

__all__ = ["mxnet"]
