"""How everybody of a cohort is computed: one set of options, plain enough to be sent to another machine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from neuro_field.coil.coil import Coil
from neuro_field.errors import InputError
from neuro_field.search.candidates import Grid
from neuro_field.shelf.coils import is_coil_file, load_coil, read_coil


@dataclass(frozen=True)
class Options:
    """What is asked of everybody.

    ``presets`` and ``coils`` (none: each preset's own) as `neuro-field plan` takes them; ``edge`` and ``rim`` of the
    mesh, mm; ``radius``, ``spacing``, ``angle_step`` and ``gap`` of the search; ``draws`` for stability and doses;
    ``nonlinear`` map to MNI; ``segmenter`` where there are no labels; ``faceless`` pages; ``language`` of the pages.
    """

    presets: tuple[str, ...]
    coils: tuple[str, ...] = ()
    edge: float = 1.9
    rim: float = 0.0
    radius: float = 30.0
    spacing: float = 5.0
    angle_step: float = 15.0
    gap: float = 4.0
    draws: int = 500
    nonlinear: bool = True
    segmenter: str = "samseg"
    faceless: bool = False
    language: str = "en"

    def __post_init__(self) -> None:
        if not self.presets:
            raise InputError("A cohort needs at least one --preset; `neuro-field presets` lists them.")

    @property
    def grid(self) -> Grid:
        """Extent and steps of the search."""
        return Grid(self.radius, self.spacing, self.angle_step, self.gap)

    def opened_coils(self) -> list[Coil]:
        """The coils, each once; raises UnknownNameError for one that is not known."""
        return [read_coil(name) if is_coil_file(name) else load_coil(name) for name in dict.fromkeys(self.coils)]

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def of_plain(cls, record: Mapping[str, Any]) -> "Options":
        """What `plain` gave."""
        values: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in record.items()}
        return cls(**values)
