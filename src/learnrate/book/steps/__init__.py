"""One training step, number by number: what ``learnrate explain`` shows.

`one_step` takes the step and stores every number in an `Explanation`, which is plain data. `sections` and `tables` make
paragraphs (from the texts in ``texts.toml``) and tables from it; `terminal`, `files` and `mermaid` only draw those.
"""

from learnrate.book.steps.explanation import Explanation
from learnrate.book.steps.front import explain

__all__ = ["Explanation", "explain"]
