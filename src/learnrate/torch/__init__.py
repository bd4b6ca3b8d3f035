"""Any PyTorch model under many learning rates, in one vectorised run."""

from __future__ import annotations

from learnrate._extras import require

require("torch", extra="torch", purpose="sweeps of PyTorch models")

from learnrate.torch.losses import LOSSES, METRICS  # noqa: E402
from learnrate.torch.result import TorchSweepResult  # noqa: E402
from learnrate.torch.run import sweep  # noqa: E402
from learnrate.torch.tables import sweep_table  # noqa: E402
from learnrate.training.optimizers import OPTIMIZERS  # noqa: E402

__all__ = ["LOSSES", "METRICS", "OPTIMIZERS", "TorchSweepResult", "sweep", "sweep_table"]
