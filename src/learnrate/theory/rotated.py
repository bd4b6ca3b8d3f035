"""Examples in the coordinates of the Hessian's eigenvectors, in blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from learnrate._shapes import Array, Float, Int
from learnrate.theory.examples import Examples

__all__ = ["Rotated"]


class Rotated:
    """``z_i = Qᵀ x̃_i`` of all or some examples, computed block by block.

    All ``z_i`` at once would take as much memory as the examples, and for many examples it takes longer to write and
    read them than to compute them.

    Parameters
    ----------
    examples : Examples
        X̃.
    vectors : array, shape (D, r)
        Q.
    chosen : array, shape (rows,), or None
        Which examples; None for all.
    residuals : callable
        Returns ``ε_i`` of all examples; called when they are needed.
    """

    def __init__(
        self,
        examples: Examples,
        vectors: Float[Array, "D r"],
        chosen: Int[Array, " rows"] | None,
        residuals: Callable[[], Float[Array, " n"]],
    ) -> None:
        self._examples = examples
        self._vectors = vectors
        self._chosen = chosen
        self._residuals = residuals
        self.rows = examples.shape[0] if chosen is None else len(chosen)

    def blocks(
        self, *, most: int | None = None, residuals: bool = False
    ) -> Iterator[tuple[Float[Array, "rows r"], Float[Array, " rows"] | None]]:
        """Yield blocks of at most ``most`` rows ``z_i``, each with its ``ε_i`` if ``residuals``, else with None."""
        eps, at = self._residuals() if residuals else None, 0
        if eps is not None and self._chosen is not None:
            eps = eps[self._chosen]
        for rows in self._examples.blocks(self._chosen, most=most):
            yield rows @ self._vectors, None if eps is None else eps[at : at + len(rows)]
            at += len(rows)
