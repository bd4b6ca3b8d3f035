"""Formulas in LaTeX as MathML, which browsers show without any script: what the notes and the site use of LaTeX."""

from __future__ import annotations

import re
from html import escape

__all__ = ["mathml"]

_TOKENS = re.compile(r"\\[A-Za-z]+|\\.|[{}^_&]|\d+(?:\.\d+)?|\S", re.DOTALL)
_LETTERS = {
    "alpha": "α", "beta": "β", "delta": "δ", "ell": "ℓ", "eta": "η", "kappa": "κ", "lambda": "λ", "mu": "μ", "theta": "θ", "phi": "φ",
    "varepsilon": "ε", "Lambda": "Λ", "Sigma": "Σ", "partial": "∂", "nabla": "∇", "infty": "∞",
}  # fmt: skip
_SIGNS = {"leftarrow": "←", "to": "→", "in": "∈", "odot": "⊙", "cdot": "·", "top": "⊤", "|": "‖"}
_WORDS = ("ln", "log", "max", "min")
_LARGE = (r"\sum", r"\lim")
_ACCENTS = {"hat": "^", "tilde": "~", "bar": "¯"}
_SPACES = {",": 0.17, " ": 0.33, "quad": 1.0, "qquad": 2.0}
_SCRIPT_B = "ℬ"


def mathml(text: str, *, block: bool = False) -> str:
    """The formula as an element ``<math>``, on a line of its own with ``block``.

    Raises
    ------
    ValueError
        For a command that is not known here.
    """
    reader = _Reader(_TOKENS.findall(text), block)
    inside = reader.row(())
    return f'<math display="block">{inside}</math>' if block else f"<math>{inside}</math>"


class _Reader:
    def __init__(self, tokens: list[str], block: bool) -> None:
        self._tokens, self._at, self._block = tokens, 0, block

    def row(self, ends: tuple[str, ...]) -> str:
        """What stands before one of the ends, or before the end of all."""
        found = []
        while self._at < len(self._tokens) and self._tokens[self._at] not in ends:
            found.append(self._with_scripts())
        return "".join(found)

    def _with_scripts(self) -> str:
        large = self._tokens[self._at] in _LARGE
        base, scripts = self._one(), {}
        while self._at < len(self._tokens) and self._tokens[self._at] in "^_'":
            kind = self._next()
            if kind == "'":  # the sign is a raised one already
                base = f'<mrow>{base}<mo lspace="0" rspace="0">′</mo></mrow>'
            else:
                scripts[kind] = self._one()
        below, above = ("munder", "mover") if large and self._block else ("msub", "msup")
        both = "munderover" if large and self._block else "msubsup"
        down, up = scripts.get("_"), scripts.get("^")
        if down and up:
            return f"<{both}>{base}{down}{up}</{both}>"
        if down:
            return f"<{below}>{base}{down}</{below}>"
        return f"<{above}>{base}{up}</{above}>" if up else base

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _one(self) -> str:
        """What stands in braces, or a single token."""
        token = self._next()
        if token == "{":
            inside = self.row(("}",))
            self._at += 1
            return f"<mrow>{inside}</mrow>"
        if token.startswith("\\"):
            return self._command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        sign = {"-": "−", "*": "∗"}.get(token, token)
        stretchy = ' stretchy="false"' if token in "()[]|/" else ""
        return f"<mo{stretchy}>{escape(sign)}</mo>"

    def _command(self, name: str) -> str:
        if name in _LETTERS:
            return f"<mi>{_LETTERS[name]}</mi>"
        if name in _SIGNS:
            return f"<mo>{_SIGNS[name]}</mo>"
        if name in _WORDS:
            return f"<mi>{name}</mi><mo>&#8289;</mo>"
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}em"/>'
        match name:
            case "sum":
                return "<mo>∑</mo>"
            case "lim":
                return '<mo movablelimits="false" rspace=".17em">lim</mo>'
            case "hat" | "tilde" | "bar":
                sign = f'<mo stretchy="false">{_ACCENTS[name]}</mo>'
                return f'<mover accent="true">{self._one()}{sign}</mover>'
            case "mathrm":
                return f"<mi mathvariant='normal'>{self._letters()}</mi>"
            case "mathbf" | "boldsymbol":
                return f'<mrow style="font-weight:bold">{self._one()}</mrow>'
            case "mathcal":
                self._one()
                return f"<mi>{_SCRIPT_B}</mi>"
            case "sqrt":
                return f"<msqrt>{self._one()}</msqrt>"
            case "frac":
                return f"<mfrac>{self._one()}{self._one()}</mfrac>"
            case "tfrac":
                above, below = list(self._next())
                return f"<mfrac displaystyle='false'><mn>{above}</mn><mn>{below}</mn></mfrac>"
            case "begin":
                return self._aligned()
        raise ValueError(f"The formula has the command \\{name}, which is not known here.")

    def _letters(self) -> str:
        """What stands in braces, as one word."""
        self._next()
        word = ""
        while (token := self._next()) != "}":
            word += token
        return word

    def _aligned(self) -> str:
        """Rows that end in ``\\\\``, with cells that ``&`` parts: by turns right and left."""
        self._one()
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(self.row(("&", r"\\", r"\end")))
            end = self._next()
            if end == r"\end":
                break
            if end == r"\\":
                rows.append([])
        self._one()
        sides = ("right", "left")
        lines = (
            "".join(f'<mtd style="text-align:{sides[i % 2]}">{c}</mtd>' for i, c in enumerate(row))
            for row in rows
        )
        table = "".join(f"<mtr>{line}</mtr>" for line in lines)
        return f'<mtable displaystyle="true">{table}</mtable>'
