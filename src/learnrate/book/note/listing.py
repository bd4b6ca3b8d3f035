"""The code of a function, as a reader wants to see it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

__all__ = ["source_of"]


def source_of(function: Callable[..., Any]) -> str:
    """The code of a function without its docstring and its annotations."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    for argument in [*tree.args.args, *tree.args.kwonlyargs]:
        argument.annotation = None
    tree.returns = None
    tree.body = tree.body[ast.get_docstring(tree) is not None :]
    return ast.unparse(tree)
