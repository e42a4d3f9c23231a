"""Where live poses come from, as a person types it: ``igtl://HOST:PORT/DEVICE?axes=simnibs``."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from neuro_field.errors import InputError, UnknownNameError
from neuro_field.names import resolved
from neuro_field.navigation.receiving import AXES, SPACES
from neuro_field.nouns import noun


@noun
class Sender:
    """A kind of sender: its usual port, its coil's axes, and what has to be said of it.

    ``axes`` is empty where they are not known and must be given; ``asks`` are options that must be given;
    ``untried`` whether it was never tried against a program that is not ours.
    """

    port: int | None
    axes: str
    asks: tuple[str, ...] = ()
    untried: bool = False


SENDERS: Mapping[str, Sender] = {
    "igtl": Sender(18944, "simnibs"),
    "navinibs": Sender(18950, "navinibs", ("reference",)),
    "invesalius": Sender(5000, "invesalius", untried=True),
    "brainsight": Sender(None, "brainsight", untried=True),
    "localite": Sender(6666, "", ("axes", "space"), untried=True),
    "replay": Sender(None, "simnibs"),
}

#: What may stand after the "?".
OPTIONS = ("axes", "space", "reference", "rate")

#: Poses a second of a recording that tells no times.
RATE = 2.0


@noun
class Address:
    """A sender, found.

    ``kind`` a name of `SENDERS`; ``path`` the device, the coil's tool, or the file of a replay; ``axes`` of `AXES`;
    ``space`` RAS or LPS; ``reference`` the head's tool, where poses are told beside it; ``rate`` of a replay, Hz.
    """

    kind: str
    host: str
    port: int
    path: str
    axes: str
    space: str
    reference: str
    rate: float

    @property
    def sender(self) -> Sender:
        """What is known of its kind."""
        return SENDERS[self.kind]


def address_of(text: str) -> Address:
    """What a person typed.

    Raises
    ------
    InputError
        If it names no sender that is known, or leaves out what cannot be guessed.

    Examples
    --------
    >>> found = address_of("igtl://localhost:18944/CoilToImage?space=lps")
    >>> found.kind, found.port, found.path, found.space
    ('igtl', 18944, 'CoilToImage', 'LPS')
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in SENDERS:
        raise UnknownNameError("sender of --follow", kind, [f"{name}:" for name in SENDERS])
    if kind == "replay":
        path, _, query = rest.partition("?") if "?" in rest else (rest, "", "")
        host, port = "", 0
        if not path:
            raise InputError("A replay needs a file of recorded poses: --follow replay:session-1.tsv")
    else:
        host, port, path, query = _parts(text, kind)
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in OPTIONS:
            raise UnknownNameError("option of --follow", name, list(OPTIONS))
    sender = SENDERS[kind]
    missing = [name for name in sender.asks if not options.get(name)]
    if missing:
        raise InputError(
            f"What {kind} sends can be read in several ways, and nothing public says which: give "
            f"{' and '.join(missing)}, as in {kind}://{host}:{port}/{path or 'TOOL'}?"
            f"{'&'.join(f'{name}=...' for name in missing)}."
        )
    if kind in ("igtl", "navinibs") and not path:
        raise InputError(f"Name the coil's device after the port: {kind}://{host}:{port}/DEVICE")
    axes = resolved("axes of --follow", options.get("axes", sender.axes), AXES)
    space = resolved("space of --follow", options.get("space", "ras").upper(), SPACES)
    return Address(kind, host, port, path, axes, space, options.get("reference", ""), _rate(options.get("rate")))


def _parts(text: str, kind: str) -> tuple[str, int, str, str]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        port, parts = -1, None
    if parts is None or (port is not None and not 0 < port < 65536):
        raise InputError(f"The port in {text!r:.80} must be a number from 1 to 65535.")
    port = port or SENDERS[kind].port
    if port is None:
        raise InputError(f"Give the port of {kind}, as it was set there: {kind}://localhost:PORT")
    return parts.hostname or "localhost", port, unquote(parts.path.strip("/")), parts.query


def _rate(text: str | None) -> float:
    try:
        rate = RATE if text is None else float(text)
    except ValueError:
        rate = -1.0
    if not 0.1 <= rate <= 60:
        raise InputError(f"The rate of a replay must be 0.1 to 60 poses a second; instead received {text!r:.20}.")
    return rate
