"""The figures and words of a coil as it stands, for a page to show; numbers are the page's to format."""

from functools import cached_property
from typing import Any

import numpy as np

from neuro_field.coil.placement import Placement
from neuro_field.nouns import noun
from neuro_field.report.directions import direction_words, offset_words, point_words, turn_words
from neuro_field.report.facts import HeadFacts
from neuro_field.report.words import phrase
from neuro_field.search.bullseye import Miss, Seat
from neuro_field.search.steering import Steering


@noun
class Teller:
    """Tells of placements in a language."""

    steering: Steering
    language: str = "en"

    @cached_property
    def facts(self) -> HeadFacts:
        """Of the head."""
        return HeadFacts.of(self.steering.head)

    @cached_property
    def seats(self) -> tuple[Seat | None, ...]:
        """Under the planned placements."""
        return tuple(Seat.of(self.steering.head.scalp, placement) for placement in self.steering.ranked)

    def told(self, placement: Placement, strength: float, planned: int, lift: float | None = None) -> dict[str, Any]:
        """Of a placement with a field in the target, V/m at 1 A/us, beside a planned one (from 0).

        ``lift`` is how much farther off it is held than the gap, where that is known.
        """
        seat = Seat.of(self.steering.head.scalp, placement)
        return {
            "pose": np.round(placement.head_from_coil, 4).tolist(),
            "strength": strength,
            "share": strength / self.steering.planned,
            "rank": self.steering.rank(strength),
            "tried": len(self.steering.tried),
            "gap": None if seat is None else seat.gap,
            "lift": lift,
            "miss": self._missed(seat, placement, planned),
            "words": self._words(placement),
        }

    def _missed(self, seat: Seat | None, placement: Placement, planned: int) -> dict[str, Any] | None:
        aimed = self.seats[planned]
        if seat is None or aimed is None:
            return None
        miss = Miss.of(aimed, self.steering.ranked[planned], seat, placement, self.facts.axes)
        names = (
            "along", "upwards", "across", "up", "right", "handle", "turned", "tilted", "gap",
        )  # fmt: skip
        return {name: getattr(miss, name) for name in names} | {"planned_gap": aimed.gap}

    def _words(self, placement: Placement) -> dict[str, str]:
        axes = self.facts.axes
        near = self.facts.near(placement.center, 1)
        place = phrase("lead.no-1010", self.language)
        if near:
            place = offset_words(near[0][2], axes, near[0][0], self.language)
        direction = direction_words(placement.handle_direction, axes, self.steering.target.side, self.language)
        return {
            "place": place,
            "handle": f"{direction} ({turn_words(placement, axes, self.language)})",
            "centre": f"{point_words(placement.center)} mm",
        }
