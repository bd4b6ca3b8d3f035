"""What a training reaches that is not part of it: seen in the graph of its loss, and in what its functions refer to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from learnrate.errors import OptionError
from learnrate.torch.kept import variables_of
from learnrate.torch.whole import Whole

__all__ = ["check_functions", "check_graph", "leaves"]

_ADVICE = "write the training as step=lambda model, batch: …, whose model is the lane's own"


def leaves(value: Tensor) -> dict[int, Tensor]:
    """The tensors that a gradient of the value would go to, by `id`."""
    found: dict[int, Tensor] = {}
    waiting = [value.grad_fn] if value.grad_fn is not None else []
    seen = set(waiting)
    while waiting:
        node: Any = waiting.pop()
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, Tensor):
            found[id(leaf)] = leaf
        for parent, _ in node.next_functions:
            if parent is not None and parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return found


def check_graph(whole: Whole, reached: Iterable[Tensor], source: Any) -> None:
    """Refuse a loss whose gradient goes to tensors that are not the lane's.

    Parameters
    ----------
    whole : Whole
        The lane.
    reached : tensors
        What gradients go to in every pass.
    source : nn.Module or callable
        The user's own model, for its parameters' names.

    Raises
    ------
    OptionError
        That names them.
    """
    own = {id(p) for p in whole.parameters()}
    outside = [t for t in reached if id(t) not in own]
    if not outside:
        return
    names = {}
    if isinstance(source, nn.Module):
        names = {id(p): name for name, p in source.named_parameters()}
    of_model = [names[id(t)] for t in outside if id(t) in names]
    if of_model:
        raise OptionError(
            "The loss must depend on the model by its output. Got one that reaches into the model that was given "
            f"(its parameter {of_model[0]!r}), which the lanes' own copies replace; {_ADVICE}."
        )
    advice = "give a loss with parameters as a module"
    if hasattr(whole, "step"):
        advice = "make it a part of the model (an nn.ModuleDict can hold several)"
    raise OptionError(
        "The loss must depend on no parameters but the model's. Got one that depends on a tensor of shape "
        f"{tuple(outside[0].shape)} that is outside of the model and would not be trained; {advice}, or detach "
        "what is fixed."
    )


def check_functions(functions: Iterable[Any], source: Any) -> None:
    """Refuse a function that refers to the user's own model, whose place the lanes' copies take.

    Raises
    ------
    OptionError
        That names the variable.
    """
    if not isinstance(source, nn.Module):
        return
    original = getattr(source, "_orig_mod", source)
    own = {id(source), *(id(part) for part in original.modules())}
    own |= {id(p) for p in [*original.parameters(), *original.buffers()]}
    for function in functions:
        for name, value in variables_of(function).items():
            inside = [value]
            if isinstance(value, list | tuple):
                inside = list(value)
            elif isinstance(value, dict):
                inside = list(value.values())
            if any(id(v) in own for v in inside):
                raise OptionError(
                    "The loss and the metrics must take all they need from the model's output. Got a function that "
                    f"refers to the model that was given (by {name!r}), which the lanes' own copies replace; "
                    f"{_ADVICE}."
                )
