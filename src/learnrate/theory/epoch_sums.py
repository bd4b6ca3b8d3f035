"""Sums of powers over an epoch of shuffled minibatches; `learnrate.theory.epoch_noise` defines the symbols."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["EpochSums", "epoch_sums", "pair_sums", "uneven_sums"]


class EpochSums(NamedTuple):
    """Sums over an epoch, for each rate and direction.

    Attributes
    ----------
    K, rho, average : arrays, shape (K, r)
        ``K``, ``ρ`` and ``ā`` of `learnrate.theory.epoch_noise`.
    K_drawn, rho_drawn : arrays, shape (K, r)
        ``K°`` and ``ρ°``: K and ρ for minibatches drawn independently, where nothing cancels.
    """

    K: Float[Array, "K r"]
    rho: Float[Array, "K r"]
    average: Float[Array, "K r"]
    K_drawn: Float[Array, "K r"]
    rho_drawn: Float[Array, "K r"]


def epoch_sums(x: Float[Array, "K r"], m: int) -> EpochSums:
    """The sums for an epoch of m minibatches of the same size, with ``x = ηλ = 1 − a``, in closed form.

    With ``A_j = Σ_{k<m} a^{jk}``: ``K = m/(m−1) (A_2 − A_1²/m)``, ``ā = A_2/m``, and ρ is the mean over t < m of
    ``m/(m−1) [Σ_{k<t} a^{2k} − (1/m)(Σ_{k<t} a^k)²]``. For ``mx ≪ 1``, where the differences would lose
    their digits, the leading terms in x are used.
    """
    if m == 1:
        zero, one = np.zeros_like(x), np.ones_like(x)
        return EpochSums(zero, zero, one, one, zero)
    with np.errstate(all="ignore"):
        log = np.where(x < 0.5, np.log1p(-x), np.log(np.abs(1 - x)))
        A1 = np.where(x < 1, -np.expm1(m * log), 1 - (1 - x) ** m) / x
        A2 = -np.expm1(2 * m * log) / (x * (2 - x))
        K = m / (m - 1) * (A2 - A1**2 / m)
        drawn = (m - A2) / (x * (2 - x))
        twice = drawn - (m - 2 * A1 + A2) / (m * x**2)
    small = m * x < 1e-3
    K = np.where(small, m**2 * (m + 1) / 12 * x**2, K)
    rho = np.where(small, (m + 1) / 6, twice / (m - 1))
    return EpochSums(K, rho, A2 / m, A2, np.where(small, (m - 1) / 2, drawn / m))


def uneven_sums(x: Float[Array, "K r"], full: int, short: float) -> EpochSums:
    """The sums for ``full`` minibatches of size B and a last one of size ``short · B``, step by step.

    The noise of minibatch t is a sum over ``β_t B`` examples, where ``β_t`` is 1 or ``short``; over the whole epoch the
    noise adds up to zero. Let ``M = Σβ = n/B``. If the noise of minibatch t is multiplied by ``c_t``, the variance of the
    sum is, in units of p, ``M/(M − 1) [Σ c_t² β_t − (1/M) (Σ c_t β_t)²]``. At the end of the epoch ``c_t`` is the product
    of the factors ``a`` of the steps after t. Since the noise adds up to zero, ``c_t − 1`` gives the same variance with
    less rounding.
    """
    beta = np.append(np.ones(full), short)
    M = float(beta.sum())
    scale = M / (M - 1)
    squares, sums = np.zeros_like(x), np.zeros_like(x)  # Σ (c − 1)² β and Σ (c − 1) β
    begun, met = np.zeros_like(x), np.zeros_like(x)  # Σ c² β and Σ c β
    rho, average, drawn, kept = *np.zeros((3, *x.shape)), np.ones_like(x)
    visited = 0.0
    for part in beta:
        a = 1 - part * x
        rho += part * scale * np.maximum(begun - met**2 / M, 0.0)
        drawn += part * begun
        average += part * kept**2
        # This minibatch has c = 1, and for those before c' = a c: (c' − 1) = a (c − 1) − part · x.
        drop = part * x
        squares = a**2 * squares - 2 * a * drop * sums + drop**2 * visited
        sums = a * sums - drop * visited
        begun, met = a**2 * begun + part, a * met + part
        visited += part
        kept *= a
    K = scale * np.maximum(squares - sums**2 / M, 0.0)
    return EpochSums(K, rho / M, average / M, begun, drawn / M)


def pair_sums(x: Float[Array, " r"], m: int) -> Float[Array, "r r"]:
    """``Σ_{s<t<m} a_a^{m−1−t} a_b^{t−1−s}`` for all pairs (a, b) of directions, in closed form; ``a = 1 − x``."""
    if m == 1:
        return np.zeros((x.size, x.size))
    a = 1 - x
    power = a**m
    once = np.where(m * x < 1e-6, m, (1 - power) / x)
    apart = a[:, None] - a
    same = np.abs(apart) < 1e-9
    mixed = np.where(same, (m * a ** (m - 1))[:, None], power[:, None] - power)
    mixed /= np.where(same, 1.0, apart)
    slow = m * np.maximum(x[:, None], x) < 1e-5
    return np.where(slow, 0.5 * m * (m - 1), (once[:, None] - mixed) / x)
