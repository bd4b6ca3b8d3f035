"""Record what MXNet 1.9.1 answers to `mxnet_cases`.

Run it from the repository in an environment of its own (Python 3.11)::

    python -m pip install "numpy==1.23.5" mxnet==1.9.1
    python tests/compat/record_mxnet.py

and commit the file that it writes, ``tests/compat/data/mxnet-1.9.1.json``. The tests read that file only.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

ANSWERS = Path(__file__).parent / "data" / "mxnet-1.9.1.json"


def main() -> None:
    """Ask MXNet, and write its answers down."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    mx = importlib.import_module("mxnet")
    plain = importlib.import_module("tests.nd.mxnet_cases").plain
    cases = importlib.import_module("tests.compat.mxnet_cases")
    mx.random.seed(0)
    answers = {
        "trajectories": [cases.trajectory(mx, *case) for case in cases.OPTIMISERS],
        "snippets": {s: cases.answer(mx, s, plain) for s in cases.SNIPPETS},
        "initialisers": [cases.statistics(mx, *case) for case in cases.INITIALISERS],
    }
    parts = (
        f"{json.dumps(part)}: " + json.dumps(found).replace("]], [[", "]],\n[[")
        for part, found in answers.items()
    )
    ANSWERS.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
