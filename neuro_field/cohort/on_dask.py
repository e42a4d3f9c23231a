"""Everybody on a Dask cluster: one that is there, or one made here for as long as it takes."""

import asyncio
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neuro_field.cohort.job import Job, Outcome
from neuro_field.cohort.one_by_one import died, done_in_worker
from neuro_field.errors import InputError
from neuro_field.nouns import noun
from neuro_field.threads import VARIABLE, threads

#: What a participant at full size is given at least, bytes: twice what one solve of 900,000 nodes takes.
PER_WORKER = 7e9

#: Seconds to wait for a scheduler.
_PATIENCE = 30

#: Kernels and pictures are not for two threads at once: a worker that was started with several does one job at a time.
_ALONE = threading.Lock()


class LostError(RuntimeError):
    """The scheduler is lost; what was finished is kept, and the same command goes on from there."""

    def __str__(self) -> str:
        return "The Dask scheduler was lost; what was finished is kept: start one, and give the same command again."


@noun
class Cluster:
    """A cluster that answers: Dask's ``client``; ``workers`` there are now, of ``memory`` bytes each (0: not limited),
    and the address of its ``dashboard``."""

    client: Any
    workers: int
    memory: int
    dashboard: str


@contextmanager
def cluster(where: str, workers: int | None = None, memory: float | None = None) -> Iterator[Cluster]:
    """A cluster: "local", the address of a scheduler, or the .json file it wrote.

    Parameters
    ----------
    where : str
    workers : int, optional
        Of a local one; as many as memory and processors allow when omitted.
    memory : float, optional
        Of each worker of a local one, bytes; an equal share of nine tenths of what is free when omitted.

    Raises
    ------
    InputError
        If Dask is not installed or the scheduler does not answer.
    """
    try:
        import dask
        import distributed
    except ImportError:
        raise InputError("Option --dask needs Dask; install it with: pip install neuro_field[dask]") from None
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}), _quiet():
        local = None
        if where == "local":
            number, share = _shares(workers, memory)
            alone = {VARIABLE: str(max(1, threads() // number)), "OMP_NUM_THREADS": "1"}
            local = distributed.LocalCluster(
                n_workers=number, threads_per_worker=1, processes=True, memory_limit=int(share), env=alone,
                dashboard_address="127.0.0.1:0", silence_logs=50,
            )  # fmt: skip
            client = distributed.Client(local)
        else:
            client = _client_of(distributed, where)
        try:
            there = list(client.scheduler_info(n_workers=-1)["workers"].values())
            least = min((int(each["memory_limit"] or 0) for each in there), default=0)
            yield Cluster(client, len(there), least, str(client.dashboard_link))
        finally:
            client.close()
            if local is not None:
                local.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask tells of lost connections by tracebacks; who it is of is told by the outcomes."""
    named = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("distributed", "tornado")]
    loggers = {logging.getLogger(name): logging.getLogger(name).level for name in (*named, "distributed")}
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in loggers.items():
            logger.setLevel(level)


def _client_of(distributed: Any, where: str) -> Any:
    """A client of a scheduler that exists."""
    if where.endswith(".json") and not Path(where).is_file():
        raise InputError(f"The scheduler file {where} does not exist; start one: dask scheduler --scheduler-file FILE.")
    try:
        if where.endswith(".json"):
            return distributed.Client(scheduler_file=where, timeout=_PATIENCE)
        return distributed.Client(where, timeout=_PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"No Dask scheduler answers at {where} ({str(error) or type(error).__name__:.80}); give local, its address "
            "such as tcp://10.0.0.1:8786, or its scheduler.json."
        ) from None


def _shares(workers: int | None, memory: float | None) -> tuple[int, float]:
    """How many workers, and how much memory each, bytes."""
    from distributed.system import MEMORY_LIMIT  # what the machine or its control group has

    whole = 0.9 * MEMORY_LIMIT
    number = workers or max(1, min(threads(), int(whole // (memory or PER_WORKER))))
    return number, memory or whole / number


def on_dask(jobs: Sequence[Job], there: Cluster) -> Iterator[Outcome]:
    """Hand jobs to a cluster, and give each outcome as it comes.

    Raises
    ------
    LostError
        If the scheduler is lost.
    """
    from distributed import CancelledError, KilledWorker, as_completed

    by_key = {f"{os.path.basename(os.path.abspath(job.out))}-{job.who.label}": job for job in jobs}
    futures = [
        there.client.submit(_on_worker, job.plain(), key=key, pure=False, retries=0) for key, job in by_key.items()
    ]
    for future in as_completed(futures):
        job = by_key[future.key]
        try:
            yield Outcome.of_plain(future.result())
        except KilledWorker:
            yield died(job)
        except (CancelledError, OSError, TimeoutError, asyncio.CancelledError):
            raise LostError from None
        except Exception as error:  # a worker that lacks this program, or has another version of it
            yield died(job, f"The worker could not do it: {type(error).__name__}: {str(error)[:200]}")
        finally:
            future.release()


def _on_worker(told: dict[str, Any]) -> dict[str, Any]:
    """One job on a worker."""
    with _ALONE:
        return done_in_worker(told)
