"""What the processor can do, by the names of ``torch.cpu.get_capabilities``."""

from __future__ import annotations

import functools
import os
import pathlib
import platform

__all__ = ["processor"]

# Linux's names where they are others
_FLAGS = {
    "sse3": "pni", "fma3": "fma", "lzcnt": "abm", "bmi": "bmi1", "sha": "sha_ni", "avx512_f": "avx512f", "avx512_dq": "avx512dq",
    "avx512_cd": "avx512cd", "avx512_bw": "avx512bw", "avx512_vl": "avx512vl", "avx512_ifma": "avx512ifma", "avx512_vbmi": "avx512vbmi",
}  # fmt: skip
_SAME = (
    "sse", "sse2", "ssse3", "sse4_1", "sse4_2", "sse4a", "avx", "avx2", "avx_vnni", "avx_vnni_int8", "avx_vnni_int16",
    "avx_ne_convert", "avx10_1", "avx10_2", "avx512_vbmi2", "avx512_vnni", "avx512_bitalg", "avx512_vpopcntdq", "avx512_bf16",
    "avx512_fp16", "avx512_vp2intersect", "avx512_4vnniw", "avx512_4fmaps", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16", "fma4",
    "f16c", "bmi2", "popcnt", "aes", "clflush", "clflushopt", "clwb",
)  # fmt: skip


@functools.cache
def processor() -> dict[str, object]:
    """Return the instruction sets, True or False, the processor's name, and how many cores and sockets there are, as far as Linux tells."""
    try:
        told = pathlib.Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        told = ""
    lines = [(key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in told.splitlines())]
    first = dict(reversed(lines))
    flags = set(first.get("flags", "").split())
    packages = {value for key, value in lines if key == "physical id"}
    cores = int(first.get("cpu cores", 0)) * max(len(packages), 1)
    return {
        **{name: _FLAGS.get(name, name) in flags for name in (*_FLAGS, *_SAME)},
        "architecture": platform.machine(), "cpu_name": first.get("model name", ""), "num_sockets": max(len(packages), 1),
        "num_physical_cores": cores or os.cpu_count(), "num_logical_cores": os.cpu_count(),
    }  # fmt: skip
