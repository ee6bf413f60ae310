"""Keeps NumPy's matrix products on the processor of the thread that asks for them.

NumPy's OpenBLAS splits a product over all processors, and each part waits for the others in a busy loop. Beside
training, which wants the same processors, that is slow for both: with two busy ones the logits of a checkpoint in the
2D Fourier basis (p = 113, d_mlp = 512) took 190 to 2,090 ms on both and 100 to 310 ms on one. torch has a BLAS of its
own, which is left alone.
"""

import ctypes
from importlib import import_module

NAMES = (
    "scipy_openblas_set_num_threads64_",  # NumPy's own builds
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)


def stay_on_one_processor() -> bool:
    """From now on in this program; False, and nothing is done, where NumPy is linked to another BLAS."""
    try:
        library = ctypes.CDLL(import_module("numpy.linalg._umath_linalg").__file__)
    except (ImportError, OSError):
        return False
    for name in NAMES:
        set_threads = getattr(library, name, None)
        if set_threads is not None:
            set_threads(1)
            return True
    return False
