"""Which optimizer is trained with: a name, a class or a factory; and its rule for each parameter, for stacked lanes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from learnrate.errors import OptionError
from learnrate.sweeps.options import Optimizer as Named
from learnrate.torch.failures import in_one_line
from learnrate.torch.optimizers import RuleOptimizer, build
from learnrate.torch.whole import Whole
from learnrate.training.optimizers import (
    OPTIMIZERS,
    Optimizer,
    all_options,
    check_options,
    get_optimizer,
)

__all__ = ["Chosen", "Rule", "as_optimizer", "held_by", "needs_closure", "rules_of"]

_USUAL = (1e-5, 0.1)
"""Ends of the grid of rates where nothing is known of an optimizer."""
_WITHOUT_EFFECT = ("foreach", "capturable", "differentiable", "fused", "params", "lr", "initial_lr")


@dataclass(frozen=True, eq=False)
class Chosen:
    """An optimizer that can be built for any lane.

    Attributes
    ----------
    name : str
        For display.
    row : Optimizer or None
        The row of the table that was named.
    options : mapping
        Its options, or those of a class.
    make : callable or None
        The class, or a factory of the model and the rate.
    of_model : bool
        Whether ``make`` takes the model.
    tried : pair of float
        A rate and its double, at which optimizers and schedulers are built to see what depends on it.
    """

    name: str
    row: Optimizer | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    make: Callable[..., Any] | None = None
    of_model: bool = False
    tried: tuple[float, float] = (1e-3, 2e-3)

    @property
    def grid(self) -> tuple[float, float]:
        """Ends of the grid of usual rates."""
        row = self.row
        if row is None and not self.of_model:
            row = next((r for r in OPTIMIZERS.values() if r.equals == self.name), None)
        return _USUAL if row is None else row.grid

    def build(self, whole: Whole, lr: float) -> torch.optim.Optimizer:
        """The optimizer of a lane.

        Raises
        ------
        OptionError
            If that fails.
        """
        if self.of_model:
            assert self.make is not None
            with in_one_line("optimizer must be a function of the model and the learning rate."):
                made = self.make(whole.model, lr)
            if not isinstance(made, torch.optim.Optimizer):
                raise OptionError(
                    "optimizer must return a torch.optim.Optimizer, given the model and the learning rate. "
                    f"Got {type(made).__name__} instead; give the parameters of several networks as groups, or let further "
                    "optimizers make their steps inside of step=."
                )
            return made
        parameters = [p for p in whole.parameters() if p.requires_grad]
        if self.row is not None:
            return build(self.row, parameters, lr, self.options)
        assert self.make is not None
        with in_one_line(
            f"{self.name} must be made of parameters, a rate and the options that are given."
        ):
            found: torch.optim.Optimizer = self.make(parameters, lr=lr, **self.options)
        return found


def as_optimizer(optimizer: Any, options: Mapping[str, Any] | None) -> Chosen:
    """The optimizer of a name, with options in a `learnrate.Optimizer`, a class of torch's, or a factory ``(model, lr) -> optimizer``.

    Raises
    ------
    OptionError
        For what is none of these.
    """
    if isinstance(optimizer, Named):
        if options:
            raise OptionError(
                "optimizer_options must be left out where optimizer is a learnrate.Optimizer, which has them itself. Got both."
            )
        given = optimizer.options, optimizer.momentum, optimizer.weight_decay
        row = get_optimizer(optimizer.name)
        return Chosen(optimizer.name, row, all_options(optimizer.name, *given))
    if isinstance(options, Mapping) and "lr" in options:
        raise OptionError(
            "optimizer_options must leave lr out, since lrs are the learning rates. Got lr."
        )
    if isinstance(optimizer, str):
        row = get_optimizer(optimizer)
        return Chosen(optimizer, row, check_options(optimizer, options or {}))
    if isinstance(optimizer, type) and issubclass(optimizer, torch.optim.Optimizer):
        return Chosen(optimizer.__name__, None, dict(options or {}), optimizer)
    if not callable(optimizer) or isinstance(optimizer, torch.optim.Optimizer):
        raise OptionError(
            "optimizer must be a name, a class of torch.optim, or a function of the model and the learning rate that "
            f"returns an optimizer. Got {type(optimizer).__name__} instead; such as lambda model, lr: "
            "torch.optim.AdamW(model.parameters(), lr=lr)."
        )
    if options:
        raise OptionError(
            "optimizer_options must be left out where optimizer is a function, which sets them itself. Got both."
        )
    return Chosen(getattr(optimizer, "__name__", "own"), None, {}, optimizer, of_model=True)


@dataclass(frozen=True)
class Rule:
    """How stacked lanes move one parameter.

    Attributes
    ----------
    row : Optimizer
        The rule.
    options : mapping
        All its options.
    ratio : float
        Of its rate to the lane's.
    """

    row: Optimizer
    options: Mapping[str, Any]
    ratio: float = 1.0


def held_by(optimizer: torch.optim.Optimizer, whole: Whole) -> list[str]:
    """Names of the parameters that an optimizer moves."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    names = [n for n, p in whole.named_parameters() if id(p) in held and p.requires_grad]
    if not names:
        raise OptionError(
            "optimizer must be given parameters of the model that it is called with. Got none of them instead; such as "
            "lambda model, lr: torch.optim.AdamW(model.parameters(), lr=lr)."
        )
    return names


def rules_of(chosen: Chosen, whole: Whole, names: Iterable[str]) -> list[Rule] | None:
    """The rule of each parameter, by what the optimizer is built like at two rates; None where there is none.

    Raises
    ------
    OptionError
        If the optimizer does not depend on the rate.
    """
    found: dict[str, list[tuple[Rule, float]]] = {}
    of = {id(p): name for name, p in whole.named_parameters()}
    built = [chosen.build(whole, lr) for lr in chosen.tried]
    if _settings(built[0]) == _settings(built[1]):
        raise OptionError(
            "optimizer must use the learning rate that it is given. Got the same at the rates "
            f"{chosen.tried[0]:g} and {chosen.tried[1]:g} instead; such as lambda model, lr: torch.optim.AdamW(model.parameters(), lr=lr)."
        )
    for optimizer in built:
        for group in optimizer.param_groups:
            rule = _rule(optimizer, group)
            if rule is None:
                return None
            for p in group["params"]:
                if id(p) in of:
                    found.setdefault(of[id(p)], []).append((rule, float(group["lr"])))
    rules = []
    for name in names:
        (rule, at), (other, twice) = found[name]
        if rule != other or abs(twice - 2 * at) > 1e-9 * abs(at):
            return None
        rules.append(Rule(rule.row, rule.options, at / chosen.tried[0]))
    return rules


def _settings(optimizer: torch.optim.Optimizer) -> list[str]:
    """All that an optimizer is told besides its parameters."""
    own = {k: v for k, v in vars(optimizer).items() if isinstance(v, int | float)}
    groups = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
    return [repr(part) for part in (own, optimizer.defaults, *groups)]


def _rule(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> Rule | None:
    """The rule that a group of parameters is moved by; None where there is none."""
    kind = type(optimizer)
    if isinstance(optimizer, RuleOptimizer):
        return Rule(optimizer.row, optimizer.options)
    name = (
        "AdamW"
        if kind is torch.optim.Adam and group.get("decoupled_weight_decay")
        else kind.__name__
    )
    row = next((r for r in OPTIMIZERS.values() if r.equals == name), None)
    if row is None or kind is not getattr(torch.optim, kind.__name__, None):
        return None
    options = {key: group[key] for key in row.defaults if key in group}
    ignored = (
        *_WITHOUT_EFFECT,
        *(() if "decoupled_weight_decay" in row.defaults else ("decoupled_weight_decay",)),
    )
    rest = [key for key, v in group.items() if key not in options and key not in ignored and v]
    tensors = any(isinstance(value, torch.Tensor) for value in (group["lr"], *options.values()))
    if rest or set(options) != set(row.defaults) or tensors:
        return None
    return Rule(row, options)


def needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    """Whether a step must be given a function that computes the loss once more.

    A class tells so by the signature of its step; one of third parties perhaps by an error: it makes a step with gradients of
    0, which may change its parameters.
    """
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    if closure is None or closure.default is inspect.Parameter.empty:
        return closure is not None
    if type(optimizer).__module__.split(".")[0] in ("torch", "learnrate"):
        return False
    own = [p for group in optimizer.param_groups for p in group["params"]]

    def gives(*closure: Any) -> bool:
        for p in own:
            p.grad = torch.zeros_like(p)
        try:
            optimizer.step(*closure)
        except Exception:  # the user's own code can raise anything
            return False
        finally:
            for p in own:
                p.grad = None
        return True

    return not gives() and gives(lambda: torch.zeros(()))
