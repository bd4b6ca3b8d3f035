"""One training step, number by number: what ``learnrate explain`` shows.

`one_step` takes the step and keeps every number in an `Explanation`, which is plain data. `sections` and
`tables` turn it into words (`english`, `chinese`) and tables once; `terminal`, `html`, `svg` and `mermaid` only
draw those.
"""

from learnrate.book.steps.explanation import Explanation
from learnrate.book.steps.front import explain

__all__ = ["Explanation", "explain"]
