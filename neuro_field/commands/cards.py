"""A filled-in card as people type it back."""

import re
from collections.abc import Sequence
from unicodedata import normalize

from neuro_field.clinic.filled_card import FilledCard
from neuro_field.commands.targets import tape_place
from neuro_field.errors import InputError

#: How it is typed.
EXAMPLE = "Cz 61 right 3 front, handle 4:00"

_SESSION = re.compile(r"(?:([^:,]+):\s*(?=[A-Za-z]))?(.*)", re.DOTALL)
_HANDLE = re.compile(r"(handle|ハンドル)", re.IGNORECASE)
_HOUR = re.compile(r"(1[0-2]|0?[1-9])(?::([0-5][0-9]))?")


def filled_cards(texts: Sequence[str], outputs: Sequence[float], *, handle_free: bool = False) -> list[FilledCard]:
    """The cards that texts name, as in "Cz 61 right 3 front, handle 4:00", with a session's name and a colon before.

    Parameters
    ----------
    texts : sequence of str
        Millimetres from a 10-10 position, then the handle by the clock.
    outputs : sequence of float
        % of maximum, of each card; or none at all.
    handle_free : bool
        Of a coil that is the same all round: the handle may be left out.

    Raises
    ------
    InputError
        If one cannot be read: with an example.
    """
    if outputs and len(outputs) != len(texts):
        raise InputError(
            f"Option --mso must be given once for each --at, or not at all; instead {len(outputs)} for {len(texts)}."
        )
    for output in outputs:
        if not 0 < output <= 100:
            raise InputError(f"Option --mso must be above 0 and at most 100 %; instead received {output:g}.")
    cards = [_card(text, i, outputs[i] if outputs else None) for i, text in enumerate(texts)]
    bare = next((text for text, card in zip(texts, cards, strict=True) if card.degrees is None), None)
    if bare is not None and not handle_free:
        raise InputError(f"Option --at must read like '{EXAMPLE}'; instead {bare.strip()!r:.60} names no handle.")
    return cards


def _card(text: str, number: int, output: float | None) -> FilledCard:
    plain = normalize("NFKC", text).replace(
        "、", ","
    )  # as Japanese keyboards have them, figures and colons may be wide
    session, written = _SESSION.fullmatch(plain).groups()  # type: ignore[union-attr]
    where, handle, hour = [*_HANDLE.split(written, maxsplit=1), "", ""][:3]
    try:
        place = tape_place(where, "--at")
    except InputError as error:
        raise InputError(f"{error} The whole reads like '{EXAMPLE}'.") from None
    degrees = _degrees(hour, text) if handle else None
    return FilledCard(place, degrees, output, (session or "").strip() or f"card {number + 1}")


def _degrees(hour: str, text: str) -> float:
    """Of the clock."""
    found = _HOUR.fullmatch(hour.strip())
    if found is None:
        raise InputError(
            f"Option --at must read like '{EXAMPLE}': the handle by the clock, 12 towards the nose, 1:00 to 12:59; "
            f"instead received {hour.strip()!r:.20} in {text.strip()!r:.60}."
        )
    return (30.0 * int(found[1]) + 0.5 * int(found[2] or 0)) % 360.0
