"""The `torch.optim` classes that the optimizers of `learnrate.training.optimizers` equal."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten, treespec_dumps, treespec_loads

from learnrate._shapes import Array
from learnrate.training.optimizers import Optimizer
from learnrate.training.optimizers.adam import product_of_momenta
from learnrate.training.optimizers.arrays import Step, TorchOperations

__all__ = [
    "RuleOptimizer",
    "build",
    "default_lr",
    "equal_class",
    "load_state",
    "stacked_states",
    "state_of",
]

_SLOTS: dict[str, dict[str, str]] = {
    "SGD": {"momentum_buffer": "velocity"},
    "RMSprop": {"square_avg": "v", "grad_avg": "mean", "momentum_buffer": "velocity"},
    "Adagrad": {"sum": "sum"},
    "Adamax": {"exp_avg": "m", "exp_inf": "u"},
}
_ADAM = {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "largest", "mu_product": "product"}
"""Names of state in `torch.optim`, and those of the same arrays in the rules; Adam's where a class is not named here."""
_OPERATIONS = TorchOperations()
_GROUP, _RATES = "group", ("lr", "initial_lr")
_NUMBER = "()"
"""Ends the name of state that is a number of Python's."""
_NONE, _LEAF = "?", "~"
"""Ends the name of state that is None, and stands before the number of a leaf of a list or the like."""
_OWN = "'"
"""Ends the name of state that is called like a part of a lane."""


def equal_class(optimizer: Optimizer) -> type[torch.optim.Optimizer]:
    """The class of `torch.optim` that gives each lane's parameters when it trains that lane alone."""
    if optimizer.equals is None:
        raise LookupError("no class of torch.optim has this rule")
    found: type[torch.optim.Optimizer] = getattr(torch.optim, optimizer.equals)
    return found


def default_lr(optimizer: Optimizer) -> float:
    """The learning rate that its class in `torch.optim` takes where none is given."""
    return float(inspect.signature(equal_class(optimizer)).parameters["lr"].default)


class RuleOptimizer(torch.optim.Optimizer):
    """A rule of the table as a class of `torch.optim`, for the rules that have none there.

    Parameters
    ----------
    params : parameters
    lr : float
    optimizer : Optimizer
        The row of the table.
    options : mapping
        All its options.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        optimizer: Optimizer,
        options: Mapping[str, Any],
    ) -> None:
        self.row, self.options, self._slots = optimizer, options, optimizer.slots(options)
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step of every parameter that has a gradient."""
        for group in self.param_groups:
            for p in (p for p in group["params"] if p.grad is not None):
                state = self.state[p]
                if not state:
                    state["step"] = torch.tensor(0.0)
                    state.update({slot: torch.zeros_like(p) for slot in self._slots})
                state["step"] += 1
                rows = {slot: state[slot][None] for slot in self._slots}
                lr = torch.full((1,) * (p.ndim + 1), group["lr"], dtype=p.dtype, device=p.device)
                step = Step(rows, lr, int(state["step"]), self.options)
                self.row.rule(_OPERATIONS, p[None], p.grad[None], step)


def build(
    optimizer: Optimizer, params: Iterable[nn.Parameter], lr: float, options: Mapping[str, Any]
) -> torch.optim.Optimizer:
    """The real thing: the class of `torch.optim` that a rule equals."""
    if optimizer.equals is None:
        return RuleOptimizer(params, lr, optimizer, options)
    return equal_class(optimizer)(params, lr=lr, **options)  # type: ignore[call-arg]


def _names_of(optimizer: torch.optim.Optimizer) -> dict[str, str]:
    """The rules' names for its state; classes that are not of `torch.optim` keep their own."""
    kind = type(optimizer)
    if kind is not getattr(torch.optim, kind.__name__, None):
        return {}
    return _SLOTS.get(kind.__name__, _ADAM)


def state_of(
    optimizer: torch.optim.Optimizer, parameters: Mapping[str, nn.Parameter], without: Set[str]
) -> dict[str, Array]:
    """An optimizer's state as arrays ``SLOT NAME``, and ``step NAME``: 0 for those ``without`` a gradient so far.

    Numbers of the groups, which some classes count in, are ``group0 NAME`` and so on; rates are left to the schedule. They
    may be the optimizer's own memory.
    """
    names = _names_of(optimizer)
    arrays: dict[str, Array] = {
        f"{_GROUP}{number} {key}": np.array(value)
        for number, group in enumerate(optimizer.param_groups)
        for key, value in group.items()
        if isinstance(value, int | float) and key not in _RATES
    }
    for name, parameter in parameters.items():
        state = optimizer.state.get(parameter, {})
        arrays[f"step {name}"] = np.array(name not in without, np.float32)
        for key, value in state.items():
            for kind, part in _parts(names.get(key, key), value):
                arrays[f"{kind} {name}"] = part
    return arrays


def _parts(key: str, value: Any) -> Iterator[tuple[str, Array]]:
    """A part of the state as arrays with names: one, or as many as a list or the like has leaves."""
    if isinstance(value, Tensor):
        yield f"{key}{_OWN}" if key in _NOT_STATE else key, value.detach().cpu().numpy()
    elif isinstance(value, int | float):
        yield f"{key}{_NUMBER}", np.array(value)
    elif value is None:
        yield f"{key}{_NONE}", np.zeros(0)
    elif isinstance(value, list | tuple | dict):
        leaves, structure = tree_flatten(value)
        within = f"{key}\n{treespec_dumps(structure)}".encode().hex()  # without blanks
        for number, leaf in enumerate(leaves or [None]):
            yield from _parts(f"{within}{_LEAF}{number}", leaf)


def stacked_states(states: Sequence[Mapping[str, Array]]) -> Iterator[tuple[str, list[Array]]]:
    """What `state_of` gave for some lanes, one part after another; 0 where a lane has none of it."""
    for key in dict.fromkeys(key for state in states for key in state):
        like = next(state[key] for state in states if key in state)
        yield key, [state.get(key, np.zeros_like(like)) for state in states]


def load_state(
    optimizer: torch.optim.Optimizer,
    parameters: Mapping[str, nn.Parameter],
    kinds: Mapping[str, Mapping[str, Array]],
) -> None:
    """Put back what `state_of` gave, or what a rule kept in its place."""
    keys = {slot: key for key, slot in _names_of(optimizer).items()}
    for number, group in enumerate(optimizer.param_groups):
        group.update({k: v.item() for k, v in kinds.get(f"{_GROUP}{number}", {}).items()})
    for name, parameter in parameters.items():
        taken = float(kinds["step"][name])
        if not taken:
            continue
        state, leaves = optimizer.state[parameter], dict[str, dict[int, Any]]()
        for kind, named in kinds.items():
            if name not in named or kind in _NOT_STATE:
                continue
            tensor = torch.from_numpy(np.array(named[name]))
            value: Any = tensor.to(parameter.device) if tensor.ndim else tensor
            if kind.endswith(_NUMBER):
                kind, value = kind.removesuffix(_NUMBER), tensor.item()
            elif kind.endswith(_NONE):
                kind, value = kind.removesuffix(_NONE), None
            within, is_leaf, place = kind.rpartition(_LEAF)
            if is_leaf:
                leaves.setdefault(within, {})[int(place)] = value
            else:
                state[keys.get(kind, kind).removesuffix(_OWN)] = value
        for within, values in leaves.items():
            key, _, structure = bytes.fromhex(within).decode().partition("\n")
            spec = treespec_loads(structure)
            state[key] = tree_unflatten([values[i] for i in range(spec.num_leaves)], spec)
        if isinstance(optimizer, torch.optim.NAdam) and "mu_product" not in state:
            group = optimizer.param_groups[0]
            product = product_of_momenta(group["betas"][0], group["momentum_decay"], int(taken))
            state["mu_product"] = torch.tensor(product)


_NOT_STATE = ("parameter", "fixed", "buffer", "average")
