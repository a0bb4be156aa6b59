"""The settings under which labs are compared: instruction sets, threads, hash seeds, time zones.

Standard library only: a child reads this before NumPy or PyTorch is loaded.
"""

from __future__ import annotations

import os
import shutil

from checks.runner import pins

LEVELS = {  # what is set besides the threads; a level that this machine lacks is left out
    "SSE4.2": {
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "SSE4_2",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
    "AVX": {
        "OPENBLAS_CORETYPE": "Sandybridge",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "AVX",
        "ONEDNN_MAX_CPU_ISA": "AVX",
    },
    "AVX2": {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
    "AVX-512": {
        "OPENBLAS_CORETYPE": "SkylakeX",
        "NPY_DISABLE_CPU_FEATURES": "AVX512_ICL AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "avx512",
        "MKL_CBWR": "AVX512",
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
    },
    "as it comes": {},  # each library takes the newest that it finds
}
VARIABLES = [*pins.THREADS, *pins.AVX2]
MARK = b"\n--- result ---\n"  # between what a container says and what the child gives
PLACES = [("0", "UTC"), ("1", "Asia/Kathmandu"), ("4294967295", "America/St_Johns")]
CPUS = ("Haswell", "Broadwell", "Skylake-Client", "EPYC")
EMULATORS = {cpu: ("qemu-x86_64", "-cpu", cpu) for cpu in CPUS}
EMULATORS |= {"by valgrind": ("valgrind", "--tool=none", "-q")}

PROBES = {  # what must come through before a setting is used: NumPy, and PyTorch after it
    "numpy": """
import os
import numpy as np
x = np.random.default_rng(0).normal(size=(70, 50))
sums = [x @ x.T, np.linalg.svd(x)[1], np.exp(x), np.sort(x, axis=0), x.sum()]
child = os.fork() if hasattr(os, "fork") else 0  # what gathers wrongly may reach anywhere
if not child:
    errs = any((np.diff(row[np.argsort(row)]) < 0).any() for row in (x[0], x.T[0], x.ravel()[:64]))
    if hasattr(os, "fork"):
        os._exit(errs)
elif os.waitpid(child, 0)[1]:
    print("its argsort errs")
""",
}
PROBES["torch"] = f"""{PROBES["numpy"]}
import torch
t = torch.from_numpy(x).float()
sums += [t @ t.T, torch.nn.functional.gelu(t), torch.nn.functional.linear(t, t)]
"""


class Setting:
    """One way to run a lab.

    variables  what is set of VARIABLES, the rest being unset; None leaves the environment alone
    seed, zone PYTHONHASHSEED and TZ
    prefix     the command that starts Python elsewhere: an emulated CPU, a container
    exact      every bit is promised, not only verdicts and printed figures
    errs       the emulator computes wrongly: what differs under it is its own fault. QEMU 7.2
               gathers by a wrong register (its issue 2474), so np.argsort does not sort there
    """

    errs = False

    def __init__(
        self,
        name: str,
        variables: dict[str, str] | None,
        place: tuple[str, str] = PLACES[0],
        prefix: tuple[str, ...] = (),
        exact: bool = False,
    ) -> None:
        self.name, self.variables, self.prefix, self.exact = name, variables, prefix, exact
        self.seed, self.zone = place

    @property
    def is_elsewhere(self) -> bool:
        """Whether another CPU, or what passes for one, does the sums."""
        return bool(self.prefix)

    @property
    def threads(self) -> int:
        """How many threads a child of this setting computes in."""
        return int((self.variables or {}).get("OMP_NUM_THREADS", "1"))

    def environment(self) -> dict[str, str]:
        """The environment in which the child is started."""
        return {**os.environ, "PYTHONHASHSEED": self.seed, "TZ": self.zone, "PYTHONUTF8": "1"}


def _threads(count: int) -> dict[str, str]:
    return dict.fromkeys(pins.THREADS, str(count))


def base() -> Setting:
    """The pins, on this machine: what all others are compared with."""
    return Setting("the pins", pins.pins(), exact=True)


def native(quick: bool = False) -> list[Setting]:
    """Hash seeds and time zones under the pins, then levels of instructions by 1 and 2 threads."""
    found = [
        Setting(f"the pins, hash seed {seed}, {zone}", pins.pins(), (seed, zone), exact=True)
        for seed, zone in PLACES[1:]
    ]
    levels = {name: LEVELS[name] for name in ("SSE4.2", "as it comes")} if quick else LEVELS
    if not pins.has_avx2():  # not of this family: what it has by itself is all there is
        levels = {"as it comes": {}}
    for count in [2] if quick else [1, 2]:
        for name, variables in levels.items():
            label = f"{name}, {count} thread{'s' if count > 1 else ''}"
            found.append(Setting(label, {**variables, **_threads(count)}, PLACES[count]))
    return found


def emulated() -> list[Setting]:
    """The pins on CPUs that the emulators here play; bit for bit what this machine gives."""
    return [
        Setting(f"the pins, emulated {name}", pins.pins(), prefix=prefix, exact=True)
        for name, prefix in EMULATORS.items()
        if shutil.which(prefix[0])
    ]
