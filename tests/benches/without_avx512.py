"""Copies a program or library so that it believes to run on a processor without AVX-512.

    python3 without_avx512.py LIBRARY COPY

To measure what a rival does with AVX2 alone where only a newer processor is at hand. Programs ask the
processor (`cpuid`) what it has and the system (`xgetbv`) which registers it saves; without the second
nobody may use AVX-512, whatever the first says. So each `xgetbv` of the copy is replaced by an answer: the
registers of x87, SSE and AVX. For ONNX Runtime copy the whole virtual environment, then let this rewrite
`onnxruntime/capi/onnxruntime_pybind11_state*.so` in it; for `rten-rival` the program. Needs `objdump` and
`readelf`.
"""

import os
import subprocess
import sys
from pathlib import Path

ASK = bytes([0x0F, 0x01, 0xD0])  # xgetbv
ANSWER = bytes([0x6A, 0x07, 0x58])  # push 7; pop rax


def lines(*command):
    """What a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main():
    """Writes the copy and says how many questions were answered."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, copy = sys.argv[1:]
    code = bytearray(Path(source).read_bytes())
    segments = [
        [int(word, 16) for word in line.split()[1:5]]
        for line in lines("readelf", "--program-headers", "--wide", source)
        if line.strip().startswith("LOAD")
    ]
    found = [line for line in lines("objdump", "-d", source) if line.rstrip().endswith("xgetbv")]
    for line in found:
        address = int(line.split(":")[0], 16)
        offset, start = next((o, v) for o, v, _, size in segments if v <= address < v + size)
        at = address - start + offset
        if code[at : at + 3] != ASK:
            sys.exit(f"{source}: no xgetbv at {at:#x}, where the disassembly has one")
        code[at : at + 3] = ANSWER
    if not found:
        sys.exit(f"{source} never asks: there is nothing to answer")
    Path(copy).write_bytes(code)
    os.chmod(copy, os.stat(source).st_mode)
    print(f"{copy}: {len(found)} questions answered")


if __name__ == "__main__":
    main()
