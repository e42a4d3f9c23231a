"""The inner loops: flat functions on arrays, in SI or plain numbers; no noun of the house is known here."""

from neuro_field.kernels.compiling import set_up

set_up()  # before the first kernel is defined
