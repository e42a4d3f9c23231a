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
    "terminal.stages": "Stages: {stages!s}",
    "terminal.refused": "{message!s}",
    "terminal.field": "Field written to {path!s}.",
    "terminal.map": "Map written to {path!s}.",
    "terminal.live": "Live field: {path!s}",
    "terminal.no-live": "Without --live the field at every move is a guess, that of a sphere: see neuro-field live.",
    "terminal.kept": "Saved poses go to {path!s}.",
    "terminal.kept-session": "Saved poses and the session go to {path!s}.",
    "terminal.registration": "Registration: the landmarks miss one another by {miss:.1f} mm.",
    "terminal.scan-damaged": "Left out: {damaged} DICOM files whose headers are damaged; copy them again if they "
    "matter.",
    "terminal.scan-taken": "Taken: {series!s}, {kind!s}. No name, date or number of the patient is kept.",
    "terminal.scan-beside": "Beside it: {series!s}.",
    "terminal.labels-found": "Labels found: {path!s}, log {log!s}.",
    "terminal.labels-made": "Labels made: {path!s}, log {log!s}.",
}
