from __future__ import annotations

import numpy as np

from learnrate.data.fingerprint import fingerprint

X = np.arange(6.0).reshape(3, 2)
Y = np.array([1.0, 2.0, 3.0])


def test_it_is_a_name_of_the_numbers() -> None:
    assert fingerprint(X, Y) == fingerprint(X.copy(order="F"), Y.astype(">f8"))
    assert len(fingerprint(X, Y)) == 16
    assert fingerprint(X, Y) == "d03c3709818e67af"


def test_any_change_gives_another() -> None:
    changed = X.copy()
    changed[2, 1] = np.nextafter(5.0, 6.0)
    others = [
        fingerprint(changed, Y),
        fingerprint(Y, X),
        fingerprint(X.reshape(2, 3), Y),
        fingerprint(X.astype(np.float32), Y),
        fingerprint(X, Y, None),
        fingerprint(X),
    ]
    assert len({*others, fingerprint(X, Y)}) == 7
