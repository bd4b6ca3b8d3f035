"""What holds for every test."""

import os
import uuid

# Ray reads these once in a process: whichever test comes first, only who has the token gets in.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_AUTH_TOKEN"] = uuid.uuid4().hex
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
