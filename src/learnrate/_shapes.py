"""Array annotations with shapes: ``Float[Array, "n d"]``.

A type checker reads them as plain arrays. Under the tests jaxtyping is already imported and beartype
checks every shape; for users they cost nothing and jaxtyping need not be installed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Bool", "Float", "Int"]

if TYPE_CHECKING:
    from typing import Annotated as Bool
    from typing import Annotated as Float
    from typing import Annotated as Int

    Array = npt.NDArray[Any]
else:
    Array = np.ndarray
    if "jaxtyping" in sys.modules:
        from jaxtyping import Bool, Float, Int
    else:

        class _Unchecked:
            """Stands for jaxtyping's Float, Int and Bool: the array type, shape unread."""

            def __class_getitem__(cls, item):
                return item[0]

        Bool = Float = Int = _Unchecked
