"""Everybody one after another on this machine, in a process of their own, so that one that dies ends no other."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from neuro_field.cohort.job import FAILED, Job, Outcome
from neuro_field.cohort.keeping_log import write_status
from neuro_field.cohort.participant import run_participant

#: Why a participant failed whose process cannot say it any more.
_DIED = (
    "The process that worked on it ended before it was done, as one does that is killed or takes more memory than "
    "there is; run again: what was finished is kept."
)


def one_by_one(jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Do jobs in their order, and give each outcome as it is there.

    The process is kept from one to the next; where it dies, by lack of memory for example, that is the outcome of its
    participant, and the next begins in a new one.
    """
    pool = None
    try:
        for job in jobs:
            pool = pool or ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            try:
                yield Outcome.of_plain(pool.submit(done_in_worker, job.plain()).result())
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = None
                yield died(job)
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def done_in_worker(told: dict[str, Any]) -> dict[str, Any]:
    """One job in another process, where it is built from files: what goes there and back are labels and options."""
    return run_participant(Job.of_plain(told)).plain()


def died(job: Job, reason: str = _DIED) -> Outcome:
    """The outcome of a participant whose process ended without one, as it is written."""
    outcome = Outcome(job.who, FAILED, reason)
    write_status(job, outcome)
    return outcome
