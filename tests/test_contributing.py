"""What CONTRIBUTING.md says of the way of the examples is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

FOLLOW = """
import sys
from pathlib import Path
import learnrate
from learnrate.cli import main

root, seen = Path(learnrate.__file__).parent, {}

def follow(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(str(root)):
        seen.setdefault((Path(code.co_filename).relative_to(root).as_posix(), code.co_name))

sys.setprofile(follow)
try:
    main(["sweep", "houses", "--target", "price", "--missing", "mean", "--engine", "gram", "--save", "sweep.png"])
finally:
    sys.setprofile(None)
    print("FOLLOWED")
    for file, function in seen:
        print(file, function)
"""


def ways(page: str) -> list[str]:
    return [
        f"{file} {function}"
        for file, function in re.findall(
            r"^\| `(\S+\.py)` \| `(\w+)` \|",
            (ROOT / page).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    ]


def test_the_way_of_the_examples(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FOLLOW], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    followed = done.stdout.partition("FOLLOWED\n")[2].splitlines()
    told = ways("CONTRIBUTING.md")
    assert len(told) > 10
    assert [step for step in followed if step in told] == told
    assert ways("docs/contributing.zh-CN.md") == told
