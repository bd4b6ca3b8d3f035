"""How much memory is free."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["free_memory", "share_memory"]

_DEFAULT_BYTES = 4 << 30
_sharers = 1


def share_memory(processes: int) -> None:
    """From now on this process takes only its part of the memory, as one of so many workers on its machine."""
    global _sharers
    _sharers = processes


def free_memory() -> int:
    """Bytes that this process can allocate without swapping, within the limit of a container; its part of 4 GiB where unknown."""
    known = [size for size in (_of_system(), _of_container()) if size is not None]
    return min(known or [_DEFAULT_BYTES]) // _sharers


def _of_system() -> int | None:
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
        if found:
            return int(found[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        pass
    try:  # macOS gives the total only: take half of it
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return None


def _of_container(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    try:
        most = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        return None if most == "max" else max(0, int(most) - used)
    except (OSError, ValueError):
        return None
