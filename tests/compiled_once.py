"""Each kernel is compiled by one worker; the others wait for it and take what it kept."""

from functools import wraps

from filelock import FileLock
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher


def compile_once(folder):
    """Let processes take turns, by locks in a folder, to compile one of our functions: the second finds it kept."""
    plain = Dispatcher.compile
    folder.mkdir(exist_ok=True)

    @wraps(plain)
    def compiled(self, signature):
        function = self.py_func
        if not function.__module__.startswith("neuro_field."):
            return plain(self, signature)
        path = folder / f"{function.__module__}.{function.__qualname__}"
        with global_compiler_lock, FileLock(path, is_singleton=True):  # in this order, or threads would wait for ever
            return plain(self, signature)

    Dispatcher.compile = compiled
