"""Scripts written for MXNet: its modules by learnrate, and what runs a script with them.

>>> from learnrate.compat import mxnet as mx
>>> mx.nd.ones((2, 2)).sum().asscalar()
np.float32(4.0)
"""

__all__ = ["mxnet"]
