"""Record what MXNet 1.9.1 answers to the snippets of `mxnet_cases`.

Run it from the repository in an environment of its own (Python 3.11)::

    python -m pip install "numpy==1.23.5" mxnet==1.9.1
    python tests/nd/record_mxnet.py

and commit the file that it writes, ``tests/nd/data/mxnet-1.9.1.json``. The tests read that file only.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

ANSWERS = Path(__file__).parent / "data" / "mxnet-1.9.1.json"


def main() -> None:
    """Ask MXNet, and write its answers one per line."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    mxnet = importlib.import_module("mxnet")
    cases = importlib.import_module("tests.nd.mxnet_cases")
    lines = [
        f"{json.dumps(snippet)}: {json.dumps(cases.answer(snippet, mxnet.nd, mxnet.autograd))}"
        for snippets in cases.SNIPPETS.values()
        for snippet in snippets
    ]
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
