"""What an operator wrote on a card: where a coil stood by tape, and which way by the clock, as a pose on the head."""

import numpy as np

from neuro_field.aim.scalp import anatomical_axes
from neuro_field.aim.tape import HeadTape, TapePlace
from neuro_field.clinic.tape_spot import located
from neuro_field.coil.clock import direction_at
from neuro_field.coil.coil import Coil
from neuro_field.coil.marker import Marker
from neuro_field.coil.placement import Placement
from neuro_field.errors import InputError
from neuro_field.findings import Finding, Value
from neuro_field.head.model import HeadModel
from neuro_field.nouns import noun
from neuro_field.search.plan import Plan

#: The gap of a plan that does not tell its own, mm.
_GAP = 4.0

#: What is told of a tape whose error is not known, mm.
_BY_TAPE = 15.0


@noun
class FilledCard:
    """One line of a filled-in card.

    Parameters
    ----------
    place : TapePlace
    degrees : float, optional
        Of the handle by the clock on the scalp, 0 towards the nose; None where nothing was written.
    output : float, optional
        % of maximum.
    session : str
        Its name.
    """

    place: TapePlace
    degrees: float | None
    output: float | None
    session: str

    def marker(self, head: HeadModel, tape: HeadTape | None, plan: Plan, coil: Coil) -> Marker:
        """The pose that was written, the coil flat on the scalp at the plan's gap.

        Parameters
        ----------
        head : HeadModel
        tape : HeadTape, optional
            That the card's steps were printed by; None of a head without landmarks.
        plan : Plan
            Of the card; of a coil that is the same all round it lends its handle.
        coil : Coil

        Raises
        ------
        Refusal
            If the steps lead off the scalp, or the head has no landmarks.
        InputError
            If the handle was left out of a coil with one, or the scalp there has no clock.
        """
        point = located(self.place, tape, "delivered_at")
        if self.degrees is None:
            if not plan.handle_free:
                raise InputError(f"The card of {self.session!r} must name the handle by the clock; instead none.")
            handle = plan.best.placement.handle_direction
        else:
            found = direction_at(self.degrees, head.scalp.smoothed_normal(point), anatomical_axes(head)[1])
            if found is None:
                raise InputError(f"The place of {self.session!r} faces straight to the front or back: no clock there.")
            handle = found
        placed = Placement.on(head.scalp, point, point + 50.0 * np.asarray(handle), gap_of(plan), coil=coil)
        return Marker(self.session, placed, recorded=True, session=self.session, output=self.output)


def gap_of(plan: Plan) -> float:
    """From scalp to casing as planned, mm."""
    return plan.search.grid.gap if plan.search is not None else _GAP


def by_tape_finding(plan: Plan, poses: int) -> Finding:
    """How well poses are known that were typed from cards."""
    doubt = next((finding.values["place"] for finding in plan.tape if finding.code == "tape-doubt"), _BY_TAPE)
    values: dict[str, Value] = {"poses": poses, "place": doubt, "gap": gap_of(plan)}
    return Finding("plan-delivered-by-tape", "note", values)
