"""Synthetic examples with the shapes of the book's data sets, for machines without the real ones.

A linear model classifies 80 to 90 % of the images correctly, as with the real ones. They are not similar otherwise.
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array

__all__ = ["airfoil", "images"]

_SIDE = 28
Box = tuple[int, int, int, int, float]
"""A rectangle: first and last row, first and last column, brightness."""

_SLEEVES: list[Box] = [(4, 8, 3, 24, 1), (4, 23, 2, 6, 1), (4, 23, 21, 25, 1)]
_CLOTHES: list[list[Box]] = [
    [(4, 25, 8, 19, 1), (4, 11, 2, 25, 1)],  # t-shirt
    [(2, 8, 8, 19, 1), (2, 26, 8, 12, 1), (2, 26, 15, 19, 1)],  # trouser
    [(4, 25, 8, 19, 1), *_SLEEVES],  # pullover
    [(2, 12, 11, 16, 1), (12, 19, 10, 17, 1), (19, 26, 8, 19, 1)],  # dress
    [(4, 27, 7, 20, 1), *_SLEEVES, (5, 27, 13, 14, 0.2)],  # coat
    [(20, 22, 2, 25, 1), (12, 20, 5, 7, 1), (14, 20, 12, 14, 1), (8, 20, 20, 22, 1)],  # sandal
    [(4, 25, 8, 19, 1), (4, 16, 3, 24, 1), (5, 25, 13, 14, 0.5)],  # shirt
    [(17, 22, 2, 25, 1), (13, 17, 10, 25, 1)],  # sneaker
    [(10, 24, 4, 23, 1), (5, 10, 8, 10, 0.7), (5, 10, 17, 19, 0.7), (4, 6, 8, 19, 0.7)],  # bag
    [(5, 23, 14, 23, 1), (15, 23, 3, 24, 1)],  # ankle boot
]
_SEGMENTS: dict[str, Box] = {
    "a": (4, 6, 9, 18, 1),
    "b": (4, 14, 16, 18, 1),
    "c": (14, 23, 16, 18, 1),
    "d": (21, 23, 9, 18, 1),
    "e": (14, 23, 9, 11, 1),
    "f": (4, 14, 9, 11, 1),
    "g": (13, 15, 9, 18, 1),
}
"""The seven segments of a digit, as on a pocket calculator."""
_DIGITS = ["abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"]


def _templates(shapes: list[list[Box]]) -> Array:
    """One image for each class, with smoothed edges. Shape (10, 28, 28)."""
    pictures: Array = np.zeros((len(shapes), _SIDE, _SIDE), np.float32)
    for picture, boxes in zip(pictures, shapes, strict=True):
        for top, bottom, left, right, brightness in boxes:
            picture[top : bottom + 1, left : right + 1] = brightness
    for axis in (1, 2):
        pictures = (np.roll(pictures, 1, axis) + 2 * pictures + np.roll(pictures, -1, axis)) / 4
    return pictures


def images(name: str, train: bool) -> tuple[Array, Array]:
    """Images of ten classes, as many as in the real data set.

    Each is the simple image of its class, shifted by up to two pixels and mixed with that of another class, with a random
    pattern, brightness and noise.

    Returns
    -------
    images : array of uint8, shape (n, 28, 28, 1)
    labels : array of int32, shape (n,)
    """
    n = 60_000 if train else 10_000
    rng = np.random.default_rng([28, train])
    digits = [[_SEGMENTS[segment] for segment in strokes] for strokes in _DIGITS]
    plain = _templates(digits if name == "mnist" else _CLOTHES)
    moved = np.stack(
        [np.roll(plain, (down, right), (1, 2)) for down in range(-2, 3) for right in range(-2, 3)]
    )
    labels = rng.integers(0, 10, n).astype(np.int32)
    pictures = np.empty((n, _SIDE, _SIDE, 1), np.uint8)
    for start in range(0, n, 2000):
        part = labels[start : start + 2000]
        count = len(part)
        move, other = rng.integers(0, len(moved), count), rng.integers(0, 10, count)
        share = (0.62 * rng.random((count, 1, 1), np.float32)).astype(np.float32)
        mixed = moved[move, part]
        mixed += share * (moved[move, other] - mixed)
        weave = 1 - 0.5 * rng.random((count, 7, 7), np.float32)
        mixed *= np.repeat(np.repeat(weave, 4, 1), 4, 2)
        mixed *= 255 * (0.4 + 0.6 * rng.random((count, 1, 1), np.float32))
        mixed += 40 * rng.random(mixed.shape, np.float32) * (mixed > 8)
        pictures[start : start + 2000, ..., 0] = np.clip(mixed, 0, 255)
    return pictures, labels


def airfoil() -> Array:
    """A synthetic table like NASA's of wing noise: five features, and a sound level that is a linear function of them.

    Columns: frequency (Hz), angle of attack (degrees), chord length (m), air speed (m/s), thickness of the boundary layer
    (m), sound level (dB). Shape (1503, 6).
    """
    rng = np.random.default_rng(1503)
    n = 1503
    frequency = np.round(200 * 10 ** (rng.integers(0, 18, n) / 10), -1)
    angle = np.round(rng.uniform(0, 22, n) * rng.integers(0, 2, n), 1)
    chord = rng.choice([0.0254, 0.0508, 0.1016, 0.1524, 0.2286, 0.3048], n)
    speed = rng.choice([31.7, 39.6, 55.5, 71.3], n)
    thickness = 0.004 * np.exp(0.1 * angle) * chord**0.5 * rng.uniform(0.7, 1.3, n)
    level = 132.8 - 0.0013 * frequency - 0.42 * angle - 36 * chord + 0.1 * speed - 147 * thickness
    level += rng.normal(0, 5.8, n)
    return np.column_stack([frequency, angle, chord, speed, thickness, level])
