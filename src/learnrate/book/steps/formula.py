"""Formulas written as text, such as ``v ← μ·v − η·g / √(s + ε)``: parsed, then typeset, computed, or shown with numbers.

A terminal shows the text. A page shows MathML, in which ``_`` and ``₁`` are subscripts and, in formulas on a line of their
own, ``/`` between two simple parts is a fraction. Text that cannot be parsed as a formula stays text.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, NamedTuple

import numpy as np

__all__ = ["evaluate", "mathml", "with_numbers"]


class _Part(NamedTuple):
    """A piece of a formula: its kind, its sign or name, and its parts."""

    kind: str
    text: str
    parts: tuple[_Part, ...] = ()


_TOKENS = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?|½|∞|…)|(?P<name>\|\w+\||[^\W\d_ᵀ²Σ½][^\Wᵀ²]*)|(?P<sign>\S))"
)
_LEVELS = (("←", "="), (">", "<", "≥", "≤"), ("+", "−"), ("·", "×", "/"))
"""Signs between two parts, from the lowest precedence to the highest."""

_POSTFIX = {"ᵀ": "T", "²": "2"}
_PREFIX = "−Σ∂"


class _Reader:
    """A recursive descent parser."""

    def __init__(self, text: str) -> None:
        self.tokens = [(m.lastgroup or "", m[m.lastgroup or 0]) for m in _TOKENS.finditer(text)]
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        text = self.peek()
        if not text or (wanted and text != wanted):
            raise ValueError(f"{wanted or 'more'} must come, not {text!r}")
        self.at += 1
        return text

    def whole(self) -> _Part:
        found = self.level(0)
        if self.peek():
            raise ValueError(f"nothing may follow, not {self.peek()!r}")
        return found

    def level(self, level: int) -> _Part:
        if level == len(_LEVELS):
            return self.prefixed()
        left = self.level(level + 1)
        while self.peek() in _LEVELS[level]:
            sign = self.take()
            left = _Part("between", sign, (left, self.level(level + 1)))
        return left

    def prefixed(self) -> _Part:
        if self.peek() and self.peek() in _PREFIX:
            return _Part("prefix", self.take(), (self.prefixed(),))
        return self.postfixed()

    def postfixed(self) -> _Part:
        found = self.atom()
        while True:
            sign = self.peek()
            if sign in _POSTFIX:
                found = _Part("postfix", self.take(), (found,))
            elif sign == "^":
                self.take()
                found = _Part("power", "^", (found, self.atom()))
            elif sign == "[":
                found = _Part("index", "", (found, *self.listed("[", "]")))
            elif found.kind == "number" and (self.kind() == "name" or sign == "("):  # 2r, ½(…)
                return _Part("between", "", (found, self.postfixed()))
            else:
                return found

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def atom(self) -> _Part:
        kind = self.kind()
        if kind in ("number", "name"):
            text = self.take()
            if kind == "name" and self.peek() == "(":
                return _Part("call", text, self.listed("(", ")"))
            return _Part(kind, text)
        if self.peek() == "√":
            self.take()
            return _Part("root", "√", (self.atom(),))
        if self.peek() == "[":
            return _Part("bracket", "", self.listed("[", "]"))
        self.take("(")
        inside = self.level(0)
        self.take(")")
        return _Part("group", "", (inside,))

    def listed(self, opening: str, closing: str) -> tuple[_Part, ...]:
        self.take(opening)
        parts = [self.level(0)]
        while self.peek() == ",":
            self.take()
            parts.append(self.level(0))
        self.take(closing)
        return tuple(parts)


def mathml(text: str, *, block: bool = False) -> str:
    """The formula as an element ``<math>``; with ``block`` on a line of its own."""
    try:
        inside = _typeset(_Reader(text).whole(), block)
    except (ValueError, RecursionError):
        inside = f"<mtext>{escape(text)}</mtext>"
    return f'<math display="block">{inside}</math>' if block else f"<math>{inside}</math>"


def _typeset(part: _Part, tall: bool) -> str:
    inside = [_typeset(p, tall) for p in part.parts]
    bare = [_typeset(_bare(p), tall) for p in part.parts]
    match part.kind:
        case "number":
            return _typeset_number(part.text)
        case "name":
            return _typeset_name(part.text)
        case "between" if part.text == "/" and tall and _is_simple(part):
            return f"<mfrac><mrow>{bare[0]}</mrow><mrow>{bare[1]}</mrow></mfrac>"
        case "between":
            sign = f"<mo>{escape(part.text)}</mo>" if part.text else ""
            return inside[0] + sign + inside[1]
        case "prefix":
            return f'<mo form="prefix">{part.text}</mo>{inside[0]}'
        case "postfix":
            return f"<msup><mrow>{inside[0]}</mrow><mi>{_POSTFIX[part.text]}</mi></msup>"
        case "power":
            return f"<msup><mrow>{inside[0]}</mrow><mrow>{bare[1]}</mrow></msup>"
        case "root":
            return f"<msqrt>{bare[0]}</msqrt>"
        case "index":
            return f"{inside[0]}<mo>[</mo>{'<mo>,</mo>'.join(inside[1:])}<mo>]</mo>"
        case "call":
            return f"{_typeset_name(part.text)}<mo>(</mo>{'<mo>,</mo>'.join(inside)}<mo>)</mo>"
        case "bracket":
            return f"<mo>[</mo>{'<mo>,</mo>'.join(inside)}<mo>]</mo>"
        case _:
            return f"<mrow><mo>(</mo>{inside[0]}<mo>)</mo></mrow>"


def _typeset_number(text: str) -> str:
    """``1e-05`` as a power of ten."""
    digits, e, exponent = text.partition("e")
    if not e:
        return f"<mn>{text}</mn>"
    power = f"{int(exponent)}".replace("-", "−")
    first = "" if digits == "1" else f"<mn>{digits}</mn><mo>·</mo>"
    return f"<mrow>{first}<msup><mn>10</mn><mn>{power}</mn></msup></mrow>"


def _typeset_name(name: str) -> str:
    """A letter with a subscript, such as ``β₁`` and ``η_t``, or a whole word."""
    base = name.rstrip("₀₁₂₃₄₅₆₇₈₉")
    below = "".join(str(ord(c) - ord("₀")) for c in name[len(base) :])
    if re.fullmatch(r"\w_\w", base) and not below:
        base, below = base[0], base[2]
    letter = f"<mi>{escape(base)}</mi>"
    return f"<msub>{letter}<mi>{below}</mi></msub>" if below else letter


def _bare(part: _Part) -> _Part:
    """The part without its brackets, which a fraction, a root or a power does not need."""
    return part.parts[0] if part.kind == "group" else part


def _is_simple(part: _Part) -> bool:
    """Whether there is no fraction inside the part, so that it can be a fraction itself."""
    return not any((p.kind == "between" and p.text == "/") or not _is_simple(p) for p in part.parts)


_COMPUTE: dict[str, Callable[..., Any]] = {
    "": operator.mul,
    "·": operator.mul,
    "×": operator.mul,
    "/": operator.truediv,
    "+": operator.add,
    "−": operator.sub,
    ">": operator.gt,
}
_CALLS: dict[str, Callable[..., Any]] = {"clip": lambda x, c: np.clip(x, -c, c)}


def evaluate(text: str, values: dict[str, Any]) -> Any:
    """The value of a formula, element by element; for ``x ← …`` it is also stored in ``values``.

    Raises
    ------
    ValueError
        If the text is not a formula that can be computed.
    KeyError
        If a name in it has no value.
    """
    part = _Reader(text).whole()
    if part.kind == "between" and part.text == "←":
        values[part.parts[0].text] = result = _compute(part.parts[1], values)
        return result
    return _compute(part, values)


def _compute(part: _Part, values: Mapping[str, Any]) -> Any:
    if part.kind == "number":
        return 0.5 if part.text == "½" else float(part.text)
    if part.kind == "name":
        return values[part.text]
    inside = [_compute(p, values) for p in part.parts]
    match part.kind:
        case "between" if part.text in _COMPUTE:
            return _COMPUTE[part.text](*inside)
        case "prefix" if part.text == "−":
            return -inside[0]
        case "postfix" if part.text == "²":
            return inside[0] ** 2
        case "power":
            return inside[0] ** inside[1]
        case "root":
            return np.sqrt(inside[0])
        case "group":
            return inside[0]
        case "call" if part.text in _CALLS:
            return _CALLS[part.text](*inside)
    raise ValueError(f"{part.kind} {part.text} has no value")


def with_numbers(text: str, numbers: Mapping[str, str]) -> str:
    """The right side of ``x ← …`` as text, with numbers in place of names."""
    part = _Reader(text).whole()
    if part.kind == "between" and part.text == "←":
        part = part.parts[1]
    return _as_text(part, numbers)


def _as_text(part: _Part, numbers: Mapping[str, str]) -> str:
    if part.kind == "name":
        number = numbers.get(part.text, part.text)
        return f"({number})" if number.startswith("−") else number
    inside = [_as_text(p, numbers) for p in part.parts]
    match part.kind:
        case "number":
            return part.text
        case "between" if part.text in ("/", "←", "+", "−", "="):
            return f" {part.text} ".join(inside)
        case "between":
            return " × ".join(inside)
        case "prefix" | "root":
            return part.text + inside[0]
        case "postfix":
            base = inside[0]
            numeric = part.parts[0].kind == "name" and not base.startswith("(")
            return (f"({base})" if numeric and base != part.parts[0].text else base) + part.text
        case "power":
            return "^".join(inside)
        case "call":
            return f"{part.text}({', '.join(inside)})"
        case _:
            return f"({inside[0]})"
