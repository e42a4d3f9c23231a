"""How many threads a computation may use: what it was told, and no more than its share of the machine."""

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

#: Says it outright, for numba and so for us.
VARIABLE = "NUMBA_NUM_THREADS"

#: What a cluster's job was given.
_JOB = "SLURM_CPUS_PER_TASK"

_ROOT = Path("/")


def threads(variables: Mapping[str, str] = os.environ, root: Path = _ROOT) -> int:
    """Threads to compute with: $NUMBA_NUM_THREADS, or the least of what the system, a job and a container allow.

    Parameters
    ----------
    variables : mapping of str to str
        Of the environment.
    root : Path
        Of the file system: where /proc and /sys tell of containers' shares (cgroups, versions 1 and 2).

    Examples
    --------
    >>> threads({"NUMBA_NUM_THREADS": "3"})
    3
    """
    told = _whole(variables.get(VARIABLE))
    if told:
        return told
    allowed = [_processors(), *(math.ceil(share) for share in _shares(root))]
    job = _whole(variables.get(_JOB))
    return max(1, min([*allowed, job] if job else allowed))


def _processors() -> int:
    """Processors this process may run on; Windows and macOS tell the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _whole(text: str | None) -> int:
    """A whole number above 0, or 0 where a text is none."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _shares(root: Path) -> Iterator[float]:
    """Processors' worth of time that each control group around this process may use, where one is limited."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        group = Path(place.lstrip("/"))
        for above in (group, *group.parents):  # a container may not see its own group, but sees what limits it
            if number == "0" and not controllers:
                yield from _share(*_text(root / "sys/fs/cgroup" / above / "cpu.max").split()[:2])
            elif "cpu" in controllers.split(","):
                for mount in {controllers, "cpu"}:
                    folder = root / "sys/fs/cgroup" / mount / above
                    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
                    yield from _share(*(_text(folder / name).strip() for name in names))


def _share(quota: str = "", period: str = "") -> Iterator[float]:
    """Time over period; nothing where there is no limit ("max", "-1") or no such file."""
    if _whole(quota) and _whole(period):
        yield _whole(quota) / _whole(period)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
