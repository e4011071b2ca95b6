"""Where there is no address space for OpenBLAS's buffers its callers raise MemoryError: OpenBLAS itself would end the process."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import taeda
taeda.set_num_threads(int(sys.argv[1]))
(taeda.ones(1 << 20) * 2).exp().sum()                          # what threads and large blocks take is there
one = taeda.eye(64) * 3 + 1
batch = one.expand(8, 64, 64).contiguous()
matrix, vector = taeda.eye(512) + 1, taeda.ones(512)
large = taeda.eye(400) * 2
taeda.linalg.inv(large)[:, 0].sum() if sys.argv[2] == "warm" else None
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), resource.getrlimit(resource.RLIMIT_AS)[1]))
calls = {
    "values": lambda: taeda.linalg.eigvals(one).real.max().item(),
    "product": lambda: (matrix @ vector).sum().item(),
    "batch": lambda: taeda.linalg.svdvals(batch)[:, 0].sum().item(),
    "large": lambda: taeda.linalg.inv(large).sum().item(),
}
for name, call in calls.items():
    try:
        print(name, round(call(), 2))
    except MemoryError as error:
        print(name, error)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_AS)[1]))
print("then", round(calls["batch"](), 2), round(calls["large"](), 2))
"""
ANSWERS = {"values": "67.0", "product": "262656.0", "batch": "536.0", "large": "200.0"}


@pytest.mark.skipif("TAEDA_SANITIZED" in os.environ, reason="AddressSanitizer maps terabytes")
@pytest.mark.parametrize("before", ["cold", "warm"])
@pytest.mark.parametrize(("threads", "refused"), [(1, {}), (2, {"batch": "linalg_svd", "large": "linalg_lu_factor_ex"})])
def test_linear_algebra_without_room_for_buffers(threads, before, refused):
    found = subprocess.run([sys.executable, "-c", PROGRAM, str(threads), before], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    *lines, then = found.stdout.splitlines()
    for (name, answer), line in zip(ANSWERS.items(), lines, strict=True):
        wanted = f"[{refused[name]}] no memory for the kernel's work space" if name in refused else answer
        assert line == f"{name} {wanted}"
    assert then == f"then {ANSWERS['batch']} {ANSWERS['large']}"
