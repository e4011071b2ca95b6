"""The same bits for one thread and for two."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import ops

OPS = {
    "add": lambda x: x + x.flip(0), "exp": lambda x: x.exp(), "sum": lambda x: x.sum(), "sum of rows": lambda x: x.sum(1), "sum of columns": lambda x: x.sum(0),
    "mean": lambda x: x.mean(), "var": lambda x: x.var(0), "softmax": lambda x: x.softmax(1), "log_softmax": lambda x: x.log_softmax(0), "matmul": lambda x: x @ x.T,
    "cumsum": lambda x: x.cumsum(0), "sort": lambda x: x.sort(1)[0], "norm": lambda x: x.norm(), "logsumexp": lambda x: x.logsumexp(1), "max": lambda x: x.max(1)[0],
    "index_add": lambda x: taeda.zeros(7, x.shape[1]).index_add(0, taeda.arange(x.shape[0]) % 7, x), "argmax": lambda x: x.argmax(0),
    "roll": lambda x: x.roll((5, -3), (0, 1)), "pad": lambda x: ops.pad(x, (3, 1, 0, 2), value=2.0), "cat": lambda x: taeda.cat([x, x.flip(1)], 1),
    "unique": lambda x: (x * 9).long().unique(return_counts=True)[1], "isin": lambda x: taeda.isin((x * 9).long(), taeda.arange(-40, 40, 3)),
    "searchsorted": lambda x: taeda.searchsorted(taeda.linspace(-2, 2, 99), x), "cummax": lambda x: x.cummax(1)[1],
    "glu": lambda x: ops.glu(x[:, 1:]), "prelu": lambda x: taeda.prelu(x, x[0]), "linspace": lambda x: taeda.linspace(0, 1, 99_999),
    "layer_norm": lambda x: ops.layer_norm(x, (x.shape[1],)), "transpose": lambda x: x.T.contiguous(), "prod": lambda x: (1 + x / 1e4).prod(),
    "cdist": lambda x: taeda.cdist(x, x[:71], 3.0), "pdist": lambda x: taeda.pdist(x),
}  # fmt: skip


@pytest.mark.parametrize("name", OPS)
def test_large_results_have_the_same_bits(name: str) -> None:
    taeda.manual_seed(1)
    x = taeda.randn(300, 517)
    assert_same_for_any_threads(lambda: OPS[name](x))


def test_gradients_of_prelu_have_the_same_bits() -> None:
    taeda.manual_seed(1)
    x = taeda.randn(40, 7, 333)

    def step(weights: int) -> tuple[taeda.Tensor, ...]:
        leaves = [x.clone().requires_grad_(), taeda.full((weights,), 0.3, requires_grad=True)]
        return taeda.autograd.grad(taeda.prelu(*leaves).square().sum(), leaves)

    for weights in (1, 7):
        assert_same_for_any_threads(lambda: step(weights), (1, 2))


def test_convolution_and_batch_norm_with_their_gradients_have_the_same_bits() -> None:
    taeda.manual_seed(1)
    x, w, b = taeda.randn(8, 6, 20, 20), taeda.randn(12, 6, 3, 3), taeda.randn(12)

    def step() -> list[taeda.Tensor]:
        leaves = [t.clone().requires_grad_() for t in (x, w, b)]
        y = ops.conv2d(*leaves, padding=1)
        y = ops.batch_norm(y, None, None, training=True)
        loss = (ops.max_pool2d(y, 2) ** 2).mean()
        return [y.detach(), loss.detach(), *taeda.autograd.grad(loss, leaves)]

    assert_same_for_any_threads(step, (1, 2))


@pytest.mark.parametrize("bad", [0, -1, 2.0, True])
def test_at_least_one_thread(bad: int) -> None:
    with pytest.raises(RuntimeError):
        taeda.set_num_threads(bad)


@pytest.mark.parametrize(("n", "kind"), [(0, RuntimeError), (-1, RuntimeError), (2**65, ValueError)])
def test_a_number_of_threads_that_cannot_be_is_refused(n: int, kind: type[Exception]) -> None:
    before = taeda.get_num_threads()
    with pytest.raises(kind, match=r"^\[set_num_threads\]"):
        taeda.set_num_threads(n)
    assert taeda.get_num_threads() == before


@pytest.mark.parametrize("given", ["0", "-1", "many", "3.5", "", "99999999999999999999", "9" * 5000])
def test_a_number_of_threads_in_the_environment_that_cannot_be_is_passed_over(given: str) -> None:
    code = "import taeda; print(taeda.get_num_threads())"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": given}, capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("given", [{}, {"GOMP_SPINCOUNT": "77"}])
def test_threads_that_wait_soon_sleep_unless_the_environment_says_otherwise(given: dict[str, str]) -> None:
    code = "import os, taeda; print(os.environ.get('GOMP_SPINCOUNT'))"
    rest = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run([sys.executable, "-c", code], env={**rest, **given, "OMP_DISPLAY_ENV": "VERBOSE"}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == given.get("GOMP_SPINCOUNT", "None")          # what it set is gone again
    spins = [line.split("'")[1] for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]      # of GCC's library alone
    assert set(spins) <= {given.get("GOMP_SPINCOUNT", "10000")}


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="this system does not list a process's threads")
@pytest.mark.parametrize("given", [{}, {"OPENBLAS_NUM_THREADS": "3"}])
def test_no_thread_is_started_before_there_is_work(given: dict[str, str]) -> None:
    """OpenBLAS's would spin at the start, on a processor that others may want, and never be asked for anything."""
    code = "import os, taeda; print(len(os.listdir('/proc/self/task')), os.environ.get('OPENBLAS_NUM_THREADS'))"
    rest = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", code], env={**rest, **given}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", given.get("OPENBLAS_NUM_THREADS", "None")]


CHANGED_MEANWHILE = """
import sys, threading
import taeda
sys.setswitchinterval(1e-6)
taeda.set_num_threads(2)
x = taeda.ones(200, 600)
changes = {"resize": lambda: (x.resize_(0), x.resize_(200, 600)), "data": lambda: (setattr(x, "data", taeda.ones(3)), setattr(x, "data", taeda.ones(200, 600)))}
calls = {"cat": lambda: taeda.cat([x] * 200), "mul_": lambda: x.mul_(1.0), "sum": lambda: x.sum(), "half": lambda: x.half()}
stop = False

def change():
    while not stop:
        try:
            changes[sys.argv[1]]()
        except RuntimeError:
            pass

thread = threading.Thread(target=change)
thread.start()
for call in calls.values():
    for _ in range(40):
        try:
            call()
        except (RuntimeError, IndexError):                    # of sizes that had changed before the kernel began
            pass
stop = True
thread.join()
x.resize_(200, 600).fill_(1)
print(x.sum().item(), taeda.cat([x, x]).shape)
"""


@pytest.mark.parametrize("change", ["resize", "data"])
def test_a_kernel_does_not_see_what_another_thread_makes_of_its_tensor(change: str) -> None:
    """Sizes that changed while cat divided by them ended the process in one of 100,000 calls or so."""
    found = subprocess.run([sys.executable, "-X", "faulthandler", "-c", CHANGED_MEANWHILE, change], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout.strip()) == (0, "120000.0 taeda.Size([400, 600])"), found.stderr[-2000:]
