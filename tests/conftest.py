"""The pins, and what children fork from: NumPy and PyTorch are loaded once, here."""

import sys

from checks.runner import pins

pins.apply()

from checks.runner.lab import Lab, discover  # noqa: E402  the pins come before NumPy

if sys.platform != "win32":
    import numpy as np

    np.random.default_rng(0)  # loads the lazy submodule that every fork would pay for
    if any("torch" in Lab(path).definitions for path in discover()):
        import torch

        torch.set_num_threads(1)
