"""One participant's work as it is sent to whoever does it, and what comes back: plain, small, nothing opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuro_field.cohort.entities import Who
from neuro_field.cohort.options import Options

#: The exit status of a participant: done, and failed.
DONE, FAILED = 0, 1


@dataclass(frozen=True)
class Job:
    """What is to be done for one participant.

    ``dataset``, ``derivatives`` and ``out`` are folders that every worker sees; ``row`` what the table says of them.
    """

    dataset: str
    out: str
    who: Who
    options: Options
    row: Mapping[str, str]
    derivatives: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As it is sent."""
        return {
            "dataset": self.dataset, "out": self.out, "participant": self.who.participant, "session": self.who.session,
            "options": self.options.plain(), "row": dict(self.row), "derivatives": list(self.derivatives),
        }  # fmt: skip

    @classmethod
    def of_plain(cls, told: Mapping[str, Any]) -> "Job":
        """What `plain` gave."""
        return cls(
            told["dataset"], told["out"], Who(told["participant"], told["session"]), Options.of_plain(told["options"]),
            told["row"], tuple(told["derivatives"]),
        )  # fmt: skip

    @property
    def output(self) -> Path:
        """The folder of the derivatives."""
        return Path(self.out)


@dataclass(frozen=True)
class Outcome:
    """How one participant ended: ``status`` 0 or 1, and if 1 why; ``kept`` where all was done before."""

    who: Who
    status: int
    reason: str = ""
    kept: bool = False
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """As it is sent back."""
        return {
            "participant": self.who.participant, "session": self.who.session, "status": self.status,
            "reason": self.reason, "kept": self.kept, "seconds": self.seconds,
        }  # fmt: skip

    @classmethod
    def of_plain(cls, told: Mapping[str, Any]) -> "Outcome":
        """What `plain` gave."""
        return cls(
            Who(told["participant"], told["session"]), told["status"], told["reason"], told["kept"], told["seconds"]
        )
