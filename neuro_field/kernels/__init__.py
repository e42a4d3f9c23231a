"""The inner loops: flat functions on arrays, in SI or plain numbers; no noun of the house is known here."""
