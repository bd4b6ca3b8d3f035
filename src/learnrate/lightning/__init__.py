"""Sweeps of a `LightningModule`, with its training step, optimizer, schedule and logged metrics."""

from __future__ import annotations

from learnrate._extras import require

require("lightning", extra="lightning", purpose="sweeps of a LightningModule")

from learnrate.lightning.front import sweep  # noqa: E402

__all__ = ["sweep"]
