"""The settings under which results are the same on every machine.

One thread (two are 7 to 10 times slower for models this small), and instruction
sets that every x86-64-v3 machine has. Set before NumPy or PyTorch is imported;
what the caller has set already stays.

Run as a script, it installs itself into the interpreter that runs it, so that the
cells of a notebook are pinned as the checks are. It imports nothing of the engine:
the container's build takes this file alone.
"""

from __future__ import annotations

import os
import sys

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
        with open("/proc/cpuinfo", "rb") as file:
            for line in file:
                if line.startswith(b"flags"):
                    return b" avx2 " in line.rstrip() + b" "
    except OSError:
        pass
    return False


def pins() -> dict[str, str]:
    """The variables that fit this machine."""
    return {**THREADS, **AVX2} if has_avx2() else dict(THREADS)


def apply() -> None:
    """Set the pins in this process, where nothing else is set."""
    if "OPENBLAS_CORETYPE" in os.environ:  # inherited from a process that was pinned
        return
    for name, value in pins().items():
        os.environ.setdefault(name, value)


def install() -> None:
    """Copy this file beside the installed packages, and have it applied at each start."""
    import shutil
    import sysconfig

    folder = sysconfig.get_path("purelib")
    os.makedirs(folder, exist_ok=True)
    shutil.copyfile(os.path.abspath(__file__), os.path.join(folder, "ml_mini_labs_pins.py"))
    with open(os.path.join(folder, "ml_mini_labs.pth"), "w", encoding="ascii") as file:
        file.write("import ml_mini_labs_pins; ml_mini_labs_pins.apply()\n")
    print(f"pinned {sys.executable}")


if __name__ == "__main__":
    install()
