"""The settings under which results are the same on every machine.

One thread (two are 7 to 10 times slower for models this small), and instruction
sets that every x86-64-v3 machine has. Set before NumPy or PyTorch is imported;
what the caller has set already stays.
"""

from __future__ import annotations

import os

THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "COMPATIBLE",
}


def has_avx2() -> bool:
    """Whether this CPU can run what AVX2 forces; forcing it elsewhere is an illegal instruction."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("flags"):
                    return " avx2 " in f"{line.strip()} "
    except OSError:
        pass
    return False


def pins() -> dict[str, str]:
    """The variables that fit this machine."""
    return {**THREADS, **AVX2} if has_avx2() else dict(THREADS)


def apply() -> None:
    """Set the pins in this process, where nothing else is set."""
    for name, value in pins().items():
        os.environ.setdefault(name, value)
