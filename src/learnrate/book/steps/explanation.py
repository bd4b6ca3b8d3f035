"""Explanations as users hold them: the numbers of a ``backward()``, which can be printed and saved."""

from __future__ import annotations

from pathlib import Path

from learnrate.book.steps.files import save_explanation
from learnrate.book.steps.opened import Opened
from learnrate.book.steps.opened_script import OpenedScript
from learnrate.book.steps.opened_step import OpenedStep
from learnrate.book.steps.terminal import render_text

__all__ = ["Explanation", "Readable", "ScriptExplanation"]


class Readable(Opened):
    """A ``backward()`` that can be printed and saved."""

    def save(self, path: str | Path, *, lang: str = "en") -> Path:
        """Write it as html, svg, mmd (Mermaid) or json: the suffix decides.

        Parameters
        ----------
        path : str or Path
            Output file.
        lang : {"en", "zh"}
            Language of the text.

        Raises
        ------
        OutputError
            If the suffix is not known or the file cannot be written; no incomplete file is left.
        """
        return save_explanation(self, path, lang=lang)

    def __str__(self) -> str:
        """The text that ``learnrate explain`` prints."""
        return render_text(self)


class Explanation(OpenedStep, Readable):
    """One step of minibatch SGD on ``X·w + b``, number by number.

    Attributes
    ----------
    loss : str
        ``squared``, or for classes ``logistic`` or ``softmax``.
    lr : float
        Learning rate η.
    batch_size : int
        Nominal ``|B|``, by which the update is divided; a short last minibatch has fewer rows.
    seed : int
        Decides the initial parameters and the order of the examples, as in a sweep.
    step, epoch : int
        The number of the step and of its epoch, from 1.
    minibatch, minibatches : int
        The number of the step in its epoch, from 1, and the number of steps in an epoch.
    n : int
        Number of training examples.
    feature_names : tuple of str
        One name per feature.
    target_name : str
        The name of the target.
    classes : tuple of str
        Names of the classes, in the order of their numbers; empty if the target is a number.
    standardized : bool
        Whether the features were scaled to mean 0 and standard deviation 1.
    left_out : tuple of str
        Columns of the table that are not used, each with the reason.
    notes : tuple of str
        Sentences that say how the rows of the table were changed.
    indices : int64 array, shape (batch,)
        The indices of the minibatch's examples, from 0.
    X, y : float64 arrays, shapes (batch, d) and (batch,)
        Features and labels as the model gets them; a class is its number.
    attached : tuple of Attached
        The gradients that ``attach_grad()`` allocated before training.
    nodes : tuple of GraphNode
        The recorded graph in forward order; the last node is the loss.
    updates : tuple of Update
        The updates of w and b.
    check : GradientCheck
        The gradient by hand and by finite differences.
    loss_before, loss_after : float
        Mean loss over this minibatch before and after the update.
    """


class ScriptExplanation(OpenedScript, Readable):
    """One ``backward()`` of a script, which can be printed and saved; `OpenedScript` describes the numbers."""
