"""What can be predicted before training: limits of the learning rate, loss curves, floors, verdicts.

The input is plain arrays, the output numbers; each number says whether it is exact, a bound or an estimate. The model
is linear, ``ŷ = X·w + b``, with the loss ``½(ŷ − y)²`` averaged over the examples. Start with `analyse`.
"""

from learnrate.theory.quantity import Kind, Prediction, Quantity
from learnrate.theory.summary import Theory, analyse
from learnrate.theory.verdict import Judgement, Verdict

__all__ = ["Judgement", "Kind", "Prediction", "Quantity", "Theory", "Verdict", "analyse"]
