"""Sphinx settings of the site; ``make docs`` calls `docs/make_site.py`, which builds each language with them.

Nothing is fetched while building, and no page loads anything from elsewhere.
"""

from __future__ import annotations

import gettext
import importlib
import os
import re
import types
from typing import Any

import jieba
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.autodoc import SLOTSATTR
from sphinx.util import logging

import learnrate
from learnrate.book.note.tex import mathml

CHINESE = os.environ.get("LEARNRATE_DOCS_LANGUAGE") == "zh_CN"

project = "learnrate"
author = "The learnrate developers"
project_copyright = "the learnrate developers"
version = release = learnrate.__version__
language = "zh_CN" if CHINESE else "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
myst_heading_anchors = 3
myst_fence_as_directive = ["math"]
html_math_renderer = "mathml"  # what browsers show by themselves, without a script
# `site:` is a page of the other language, by its place in the built site.
myst_url_schemes = {"http": None, "https": None, "mailto": None, "site": "{{path}}"}
suppress_warnings = ["misc.highlighting_failure"]

# Docstrings use single backquotes for names of this package; what they name is found or left as code.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the shapes stand in the docstrings, in words
autodoc_default_options = {"members": True, "undoc-members": True}
numpydoc_show_class_members = False  # autodoc lists them

html_theme = "furo"
html_title = "learnrate：看清学习率" if CHINESE else "learnrate"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#3b528b", "color-brand-content": "#2c6fa8"},
    "dark_css_variables": {"color-brand-primary": "#8fb4e8", "color-brand-content": "#7cb7ea"},
}

if CHINESE:  # splits Chinese text into words for the search; it would tell of its dictionary
    jieba.setLogLevel("WARNING")
    jieba.dt.tmp_dir = os.environ.get("LEARNRATE_DOCS_CACHE")

FURO = {
    "Next": "下一页",
    "Previous": "上一页",
    "Home": "首页",
    "On this page": "本页内容",
    "Back to top": "回到顶部",
    "Index": "索引",
}
"""What the theme says, and Sphinx has no Chinese for."""


class FuroInChinese(gettext.NullTranslations):
    """Asked for what is not in Sphinx's own catalogue."""

    def gettext(self, message: str) -> str:
        """The Chinese of a text of the theme."""
        return FURO.get(message.strip(), message)


log = logging.getLogger(__name__)


def docstring_is_there(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """A public name without a docstring is a warning, and a warning stops the build.

    A source named after the last section gets a section of its own, before numpydoc reads the lines.
    """
    at = next((k for k, line in enumerate(lines) if line.startswith("Source: ")), None)
    if at is not None:
        lines[at : at + 1] = ["Notes", "-----", lines[at]]
    if what not in ("attribute", "data") and not any(line.strip() for line in lines):
        log.warning("%s has no docstring", name)


def is_no_entry(
    app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Fields of a class are told of in its docstring, and ``set_…_request`` is scikit-learn's own."""
    field = isinstance(obj, types.MemberDescriptorType) or obj is SLOTSATTR
    return True if field or (name.startswith("set_") and name.endswith("_request")) else None


def formula(translator: Any, node: Any) -> None:
    """A formula as MathML, on a line of its own or within one."""
    block = isinstance(node, nodes.math_block)
    text = mathml(node.astext(), block=block)
    translator.body.append(f'<div class="formula">{text}</div>' if block else text)
    raise nodes.SkipNode


SYMBOLS = re.compile(
    r"[\u0370-\u03ff\u2070-\u209f\u2202\u2207\u221a\u2190½ŷ²³ᵀ‖]|\u0303|\b[a-z]\*(?!\*)|^[A-Z]_\w$"
)
"""What formulas have and code has not: Greek letters, ∂, ∇, √, ←, ½, ŷ, exponents, a tilde above, w*, H_t."""


def short_formulas(app: Sphinx, doctree: nodes.document) -> None:
    """Formulas within a line, which the pages write as code, are set in the letters of formulas."""
    for node in doctree.findall(nodes.literal):
        if SYMBOLS.search(node.astext()):
            node["classes"].append("short-formula")


def setup(app: Sphinx) -> None:
    """Sphinx calls this once."""
    app.connect("doctree-read", short_formulas)
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("autodoc-process-docstring", docstring_is_there, priority=400)
    app.connect("autodoc-skip-member", is_no_entry)
    if CHINESE:
        app.translator.add_fallback(FuroInChinese())
    # Names that learnrate fetches on first use must be there when autodoc asks what a module holds.
    for name in learnrate.__all__:
        getattr(learnrate, name)
    importlib.import_module("learnrate.torch")
