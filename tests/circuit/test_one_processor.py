"""After one call NumPy's products use one processor, whatever they used before."""

import os
import subprocess
import sys

CODE = """
import ctypes
import numpy as np
from numpy.linalg import _umath_linalg
from grokterm.circuit.one_processor import NAMES, stay_on_one_processor

library = ctypes.CDLL(_umath_linalg.__file__)
get = next((getattr(library, name.replace("set", "get"), None) for name in NAMES
            if hasattr(library, name.replace("set", "get"))), lambda: 0)
before = get()
print(before, stay_on_one_processor(), get(), (np.eye(300) @ np.ones((300, 300)) == 1).all())
"""


def test_products_stay_on_one_processor() -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() in (["2", "True", "1", "True"], ["0", "False", "0", "True"])
