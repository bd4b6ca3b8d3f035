"""Operators of `learnrate.nd.operators` and their gradients as text.

``{0}``, ``{1}``, … are the inputs, ``{out}`` is the result, ``{g}`` its gradient, and ``{n}`` the number of input elements for
each element of the result. ``[…]`` is 1 where the condition is true, else 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from learnrate.autograd import Node

__all__ = ["expression", "gradient_rule"]

_EXPRESSIONS = {
    "add": "{0} + {1}",
    "subtract": "{0} − {1}",
    "multiply": "{0} × {1}",
    "divide": "{0} / {1}",
    "power": "{0}^{1}",
    "dot": "{0}·{1}",
    "transpose": "{0}ᵀ",
    "negative": "−{0}",
    "square": "{0}²",
    "sum": "Σ {0}",
    "pick": "{0}[i, {1}]",
    "clip": "clip({0}, {1}, {2})",
}
"""Others are written ``operator(…)`` with the input arrays."""

_RULES: dict[str, tuple[str, ...]] = {
    "add": ("{g} × 1", "{g} × 1"),
    "subtract": ("{g} × 1", "−{g}"),
    "multiply": ("{g} × {1}", "{g} × {0}"),
    "divide": ("{g} / {1}", "−{g} × {out} / {1}"),
    "power": ("{g} × {1} × {0}^({1} − 1)", "{g} × {out} × log({0})"),
    "maximum": ("{g} × [{0} ≥ {1}]", "{g} × [{0} < {1}]"),
    "minimum": ("{g} × [{0} ≤ {1}]", "{g} × [{0} > {1}]"),
    "where": ("{g} × {2}", "{g} × (1 − {2})"),
    "dot": ("{g} · {1}ᵀ", "{0}ᵀ · {g}"),
    "transpose": ("{g}ᵀ",),
    "reshape": ("reshape({g})",),
    "abs": ("{g} × sign({0})",),
    "clip": ("{g} × [{1} ≤ {0} ≤ {2}]",),
    "cos": ("−{g} × sin({0})",),
    "exp": ("{g} × {out}",),
    "log": ("{g} / {0}",),
    "negative": ("−{g}",),
    "reciprocal": ("−{g} × {out}²",),
    "relu": ("{g} × [{0} > 0]",),
    "sigmoid": ("{g} × {out} × (1 − {out})",),
    "sin": ("{g} × cos({0})",),
    "softrelu": ("{g} × sigmoid({0})",),
    "sqrt": ("{g} / (2{out})",),
    "square": ("{g} × 2{0}",),
    "tanh": ("{g} × (1 − {out}²)",),
    "softmax": ("{out} × ({g} − Σ ({g} × {out}))",),
    "log_softmax": ("{g} − exp({out}) × Σ {g}",),
    "sum": ("{g} × 1",),
    "mean": ("{g} / {n}",),
    "max": ("{g} × [{0} = {out}]",),
    "min": ("{g} × [{0} = {out}]",),
    "pick": ("{g} × [j = {1}]",),
    "copy": ("{g} × 1",),
    "astype": ("{g} × 1",),
}
"""For each operator, the rule for each input. Without a rule the derivative is only named: ``{g} × ∂{out}/∂{0}``."""

_BROADCAST = {"add", "subtract", "multiply", "divide", "power", "maximum", "minimum"}
"""Operators that broadcast a smaller input, whose gradient is summed over the copies."""


def expression(node: Node, texts: Sequence[str], arrays: Sequence[int]) -> str:
    """The expression that a node computes.

    Parameters
    ----------
    node : Node
        The node.
    texts : sequence of str
        The names of its inputs.
    arrays : sequence of int
        Which of the inputs are arrays.
    """
    name = node.operator.name
    if _is_square(node):
        return "{0} × {0}".format(*texts)
    if name in _EXPRESSIONS:
        return _EXPRESSIONS[name].format(*texts)
    return f"{name}({', '.join(texts[i] for i in arrays)})"


def gradient_rule(node: Node, position: int, texts: Sequence[str], out: str) -> str:
    """The rule that computes the gradient of an input from the gradient of the result, whose name is ``out``."""
    name = node.operator.name
    g = f"grad({out})"
    rules = _RULES.get(name, ())
    rule = rules[position] if position < len(rules) else f"{{g}} × ∂{{out}}/∂{{{position}}}"
    if _is_square(node):
        rule = "{g} × 2{0}"
    value = node.values[position]
    n = value.size // max(node.output.size, 1)
    if name == "mean" and n == 1:
        rule = "{g} × 1"
    if name in _BROADCAST and value.shape != node.output.shape:
        rule = rule.removesuffix(" × 1")
        rule = f"Σ {rule}" if rule == "{g}" else f"Σ ({rule})"
    return rule.format(*texts, g=g, out=out, n=n)


def _is_square(node: Node) -> bool:
    power = node.operator.name == "power" and node.values[1]
    return type(power) is int and power == 2
