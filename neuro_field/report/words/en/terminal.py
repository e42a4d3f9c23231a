"""Of what a command has written, and what comes next."""

PHRASES = {
    "terminal.report": "Report: {path!s}",
    "terminal.card": "Card: {path!s}",
    "terminal.reports": "Reports and index.tsv: {path!s}",
    "terminal.no-pictures": "The report has no pictures; its page says why.",
    "terminal.face": "{path!s} shows the patient's face, as a T1 does: treat the folder as patient data.",
    "terminal.look": "Look at {path!s} before you plan on this head.",
    "terminal.unanswered": "Head written to {path!s}, to be looked at: nothing is planned on it before that is "
    "answered.",
    "terminal.next": "Head written to {path!s}. Next: neuro-field plan {path!s} {aim!s} -o PLAN",
    "terminal.signed": "{path!s} is signed off by {signed!s}. Plans made from now on say so; a head that is changed "
    "is unsigned again.",
    "terminal.sign": 'If it is right, sign it: neuro-field head {path!s} --sign "Your name"',
    "terminal.ledger": "Ledger written to {path!s}.",
    "terminal.page": "Page: {path!s}",
    "terminal.table": "Table: {path!s}",
    "terminal.open": "Open {address!s}\nStop with Ctrl-C. The address is a key: who has it sees the head. Nothing "
    "between is encrypted.",
}
