"""Many people: a BIDS data set in, one resumable process a participant, tables and maps of the group out."""
