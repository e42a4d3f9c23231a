"""The page on which a coil is led or followed, put together and served."""

from collections.abc import Callable, Sequence
from pathlib import Path

from neuro_field.desk.following import Follower
from neuro_field.desk.keeping import Keeper
from neuro_field.desk.leading import LeadPage
from neuro_field.desk.server import check_aiohttp, serve_pages
from neuro_field.desk.shown import Shown
from neuro_field.field.solver import Solver
from neuro_field.live.live_field import LiveField
from neuro_field.navigation.addresses import Address
from neuro_field.navigation.files import Export
from neuro_field.navigation.receiving import Frames
from neuro_field.nouns import noun
from neuro_field.search.plan import Plan
from neuro_field.search.steering import Steering

#: For these navigators a pose is saved where nothing else is said.
SYSTEMS = ("localite", "brainsight")


@noun
class Keeping:
    """Where and for whom poses are saved.

    ``folder`` beside the plan; ``systems`` of `neuro_field.navigation.files.WRITERS`; ``how`` they are written.
    """

    folder: Path
    systems: Sequence[str] = SYSTEMS
    how: Export = Export()


@noun
class Followed:
    """A tracker, and how its poses become poses in the image."""

    address: Address
    frames: Frames


def lead_page(
    solver: Solver, steering: Steering, plan: Plan, keeping: Keeping, *, live: LiveField | None = None,
    followed: Followed | None = None, language: str = "en",
) -> LeadPage:  # fmt: skip
    """The page.

    Parameters
    ----------
    solver : Solver
        For the exact fields.
    steering : Steering
    plan : Plan
        Whose target, and whose ranked placements are offered.
    keeping : Keeping
    live : LiveField, optional
        Of the same head and coil; without one the field at once is a guess.
    followed : Followed, optional
        Given one, the coil is not led but followed.
    language : str

    Raises
    ------
    InputError
        If the live field is of another head or coil, or the head has no grey matter.
    """
    if live is not None:
        live.check_of(solver.head, steering.coil)
    shown = Shown.of(steering, live)
    follower = None if followed is None else Follower(followed.address, followed.frames, steering.head.scalp)
    keeper = Keeper(keeping.folder, keeping.systems, keeping.how)
    return LeadPage(solver, shown, plan, keeper, follower=follower, language=language)


def serve(page: LeadPage, *, host: str = "localhost", port: int = 8080, ready: Callable[[str], None]) -> None:
    """Serve the page until it is stopped; raises InputError if the port cannot be used, or as `check_aiohttp`."""
    check_aiohttp()
    serve_pages([page], host, port, ready)
