"""Write what a Raspberry Pi's kernel says about its processor, as plain files for enter.sh.

    python3 cpu_files.py pi4|pi5 FOLDER

FOLDER/cpuinfo is laid over /proc/cpuinfo and FOLDER/cpu over /sys/devices/system/cpu: an emulated
process otherwise reads the host's, and libraries choose their kernels by it. Standard library only.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

CORES = 4


@dataclass(frozen=True)
class Board:
    """A board's name and its processor, as /proc/cpuinfo has them.

    Attributes:
        model: the device tree's name.
        variant, part, revision: fields of the processor's MIDR_EL1 (Arm's technical reference).
        features: names of Linux' arm64 HWCAP bits.
        slowest, fastest: clock in kHz.
    """

    model: str
    variant: int
    part: int
    revision: int
    features: str
    slowest: int
    fastest: int

    @property
    def midr(self) -> int:
        """Main ID register: implementer, variant, architecture, part, revision."""
        return 0x41 << 24 | self.variant << 20 | 0xF << 16 | self.part << 4 | self.revision


BOARDS = {
    "pi4": Board(
        model="Raspberry Pi 4 Model B Rev 1.4",
        variant=0x0,
        part=0xD08,  # Cortex-A72
        revision=3,
        features="fp asimd evtstrm crc32 cpuid",
        slowest=600_000,
        fastest=1_800_000,
    ),
    "pi5": Board(
        model="Raspberry Pi 5 Model B Rev 1.0",
        variant=0x4,
        part=0xD0B,  # Cortex-A76
        revision=1,
        features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm "
        "lrcpc dcpop asimddp",
        slowest=1_500_000,
        fastest=2_400_000,
    ),
}


def cpuinfo(board: Board) -> str:
    """Text of /proc/cpuinfo, in the form of arch/arm64/kernel/cpuinfo.c."""
    core = (
        "processor\t: {}\n"
        "BogoMIPS\t: 108.00\n"
        f"Features\t: {board.features}\n"
        "CPU implementer\t: 0x41\n"  # Arm
        "CPU architecture: 8\n"
        f"CPU variant\t: {board.variant:#x}\n"
        f"CPU part\t: {board.part:#x}\n"
        f"CPU revision\t: {board.revision}\n\n"
    )
    return "".join(core.format(i) for i in range(CORES)) + f"Model\t\t: {board.model}\n"


def cpu_folder(board: Board) -> dict[str, str]:
    """Files of /sys/devices/system/cpu by path, as Documentation/ABI/testing has them."""
    cores = f"0-{CORES - 1}"
    files = dict.fromkeys(("possible", "present", "online"), cores)
    files["kernel_max"] = "255"
    for i in range(CORES):
        files |= {
            f"cpu{i}/cpufreq/cpuinfo_min_freq": str(board.slowest),
            f"cpu{i}/cpufreq/cpuinfo_max_freq": str(board.fastest),
            f"cpu{i}/online": "1",
            f"cpu{i}/regs/identification/midr_el1": f"{board.midr:#018x}",
            f"cpu{i}/topology/core_id": str(i),
            f"cpu{i}/topology/physical_package_id": "0",
        }
        for name in ("core_siblings", "package_cpus"):
            files[f"cpu{i}/topology/{name}"] = f"{2**CORES - 1:x}"
            files[f"cpu{i}/topology/{name}_list"] = cores
        for name in ("thread_siblings", "core_cpus"):
            files[f"cpu{i}/topology/{name}"] = f"{1 << i:x}"
            files[f"cpu{i}/topology/{name}_list"] = str(i)
    return files


def main(name: str, folder: Path) -> None:
    """Write both for the board called ``name``."""
    board = BOARDS[name]
    files = {"cpuinfo": cpuinfo(board)}
    files |= {f"cpu/{path}": text + "\n" for path, text in cpu_folder(board).items()}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
