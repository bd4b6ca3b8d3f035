"""Sums of powers over an epoch of shuffled minibatches, in the words of `learnrate.theory.epoch_noise`."""

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
        ``K``, ``ρ`` and ``ā`` of the equations above.
    K_drawn, rho_drawn : arrays, shape (K, r)
        What K and ρ would be if minibatches were drawn independently, so that nothing cancelled.
    """

    K: Float[Array, "K r"]
    rho: Float[Array, "K r"]
    average: Float[Array, "K r"]
    K_drawn: Float[Array, "K r"]
    rho_drawn: Float[Array, "K r"]


def epoch_sums(x: Float[Array, "K r"], m: int) -> EpochSums:
    """The sums with ``x = ηλ = 1 − a``, in closed form.

    With ``A_j = Σ_{k<m} a^{jk}``: ``K = m/(m−1) (A_2 − A_1²/m)``, ``ā = A_2/m`` and ρ, the average over t
    of ``m/(m−1) [Σ_{k<t} a^{2k} − (1/m)(Σ_{k<t} a^k)²]``. For ``mx ≪ 1``, where the differences would lose
    their digits, the leading terms in x stand in.
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
    """The same where the last minibatch is ``short``, a part of B; step by step.

    What minibatch t brings in is a sum over ``β_t B`` examples that add up to zero over the epoch, ``β_t`` being 1 or
    short, with ``M = Σβ = n/B``. A factor ``c_t`` on it gives the variance, in units of p,
    ``M/(M − 1) [Σ c_t² β_t − (1/M) (Σ c_t β_t)²]``. At the end of the epoch c is what the steps after t leave, and as a sum
    of zeros nothing changes if the same number is taken from every c: ``c_t − 1`` keeps the digits.
    """
    beta = np.append(np.ones(full), short)
    M = float(beta.sum())
    scale = M / (M - 1)
    squares, sums = np.zeros_like(x), np.zeros_like(x)  # over c − 1
    begun, rho, average, kept = (
        np.zeros_like(x),
        np.zeros_like(x),
        np.zeros_like(x),
        np.ones_like(x),
    )
    met, drawn = np.zeros_like(x), np.zeros_like(x)
    # met: Σ c β over the minibatches so far, c being what is left of each now; begun: Σ c² β
    visited = 0.0
    for part in beta:
        a = 1 - part * x
        rho += part * scale * np.maximum(begun - met**2 / M, 0.0)
        drawn += part * begun
        average += part * kept**2
        # c' = a c for those before, 1 for this one: (c' − 1) = a (c − 1) − part · x.
        drop = part * x
        squares = a**2 * squares - 2 * a * drop * sums + drop**2 * visited
        sums = a * sums - drop * visited
        begun, met = a**2 * begun + part, a * met + part
        visited += part
        kept *= a
    K = scale * np.maximum(squares - sums**2 / M, 0.0)
    return EpochSums(K, rho / M, average / M, begun, drawn / M)


def pair_sums(x: Float[Array, " r"], m: int) -> Float[Array, "r r"]:
    """``Σ_{s<t<m} a_a^{m−1−t} a_b^{t−1−s}`` for all pairs (a, b), in closed form; ``a = 1 − x``."""
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
