"""What is kept of a participant's run in ``OUT/logs``: all that was said, and how it ended."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neuro_field.cohort.derivatives import LOGS, keep_text
from neuro_field.cohort.entities import Who
from neuro_field.cohort.job import Job, Outcome
from neuro_field.field.solver import peak_memory
from neuro_field.io.json_text import record_in

#: The logger of the whole package.
ROOT = "neuro_field"

SCHEMA, VERSION, LARGEST = "neuro_field/cohort-status", 1, 1_000_000


@contextmanager
def said_in_log(job: Job) -> Iterator[None]:
    """All that the package logs meanwhile goes to the participant's log, behind what earlier runs said."""
    path = job.output / LOGS / f"{job.who.label}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger(ROOT)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(before, logging.INFO) if before else logging.INFO)
    try:
        logger.info("%s on %s", job.who.label, socket.gethostname())
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
        handler.close()


def status_path(out: Path, who: Who) -> Path:
    """Where the status of a participant is told."""
    return out / LOGS / f"{who.label}.json"


def write_status(job: Job, outcome: Outcome) -> None:
    """Keep how a participant ended; date, seconds, peak_memory and host differ from run to run, all else does not.

    What was done before keeps its record.
    """
    path = status_path(job.output, job.who)
    if outcome.kept and read_status(path).get("status") == outcome.status:
        return
    record = {
        "schema": SCHEMA, "version": VERSION, "participant": job.who.participant, "session": job.who.session,
        "status": outcome.status, "reason": outcome.reason, "presets": list(job.options.presets),
        "coils": list(job.options.coils), "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "seconds": round(outcome.seconds, 1), "peak_memory": peak_memory(), "host": socket.gethostname(),
    }  # fmt: skip
    keep_text(path, json.dumps(record, indent=1) + "\n")


def read_status(path: Path) -> dict[str, Any]:
    """The status of a participant; empty where there is none, or a damaged one."""
    told = record_in(path, LARGEST)
    return told if (told.get("schema"), told.get("version")) == (SCHEMA, VERSION) else {}
