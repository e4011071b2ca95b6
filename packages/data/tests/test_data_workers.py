"""DataLoader with worker processes: order, failures, death, and that nothing is left behind."""

import gc
import multiprocessing
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections import namedtuple

import numpy as np
import pytest

import taeda
from taeda.data import DataLoader, IterableDataset, TensorDataset, get_worker_info
from taeda.data.transport import receive, send

Pair = namedtuple("Pair", ["x", "y"])


@pytest.fixture(autouse=True)
def forked():
    """Workers are forked, as they were by default before Python 3.14: the data sets here are of local functions."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("fork", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


def small(n=12):
    return TensorDataset(taeda.arange(n * 2, dtype=taeda.float32).reshape(n, 2), taeda.arange(n))


class Items:
    """A dataset from a function of the index."""

    def __init__(self, function, n=8):
        self.function, self.n = function, n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.function(i)


class Shared(IterableDataset):
    """0 ... n - 1, shared out among the workers."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = get_worker_info()
        return iter(range(info.id, self.n, info.num_workers))


def alive(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


def worker_pids(loader):
    return [int(pid) for pid in loader]


def test_workers_give_the_batches_of_one_process():
    def run(workers):
        taeda.manual_seed(4)
        loader = DataLoader(small(), batch_size=5, shuffle=True, num_workers=workers)
        return [(x.tolist(), y.tolist()) for x, y in loader], taeda.rand(1).item()

    assert run(2) == run(0)


def test_every_kind_of_value_crosses():
    big = 20_000  # beyond what goes inline

    def sample(i):
        return Pair(
            {"t": taeda.full((big,), float(i)), "b": taeda.tensor([True, False]), "e": taeda.zeros(0, 3)},
            (np.full((3, big), i, np.int32), "text", b"bytes", i),
        )

    loader = DataLoader(Items(sample, 4), batch_size=None, collate_fn=lambda s: s, num_workers=2)
    for i, got in enumerate(loader):
        assert type(got) is Pair
        assert got.x["t"].tolist()[::big] == [float(i)]
        assert got.x["t"].dtype == taeda.float32
        assert got.x["b"].tolist() == [True, False]
        assert tuple(got.x["e"].shape) == (0, 3)
        assert got.y[0].shape == (3, big)
        assert (got.y[0] == i).all()
        assert got.y[1:] == ("text", b"bytes", i)
        got.x["t"].add_(1)  # memory that may be written
        got.y[0][0, 0] = -1


def test_one_tensor_twice_in_a_batch_is_one_tensor_on_the_other_side():
    def same(batch):
        t = taeda.tensor(batch)
        return [t, t]

    for a, b in DataLoader(range(4), batch_size=2, collate_fn=same, num_workers=1):
        assert a is b


def test_many_batches_at_once_do_not_use_up_file_descriptors():
    before = len(os.listdir("/proc/self/fd"))
    loader = DataLoader(Items(lambda i: taeda.full((9000,), i), 300), batch_size=None, num_workers=1)
    batches = list(loader)
    assert len(os.listdir("/proc/self/fd")) - before < 150
    assert [int(b[8999]) for b in batches] == list(range(300))
    del batches
    assert len(os.listdir("/proc/self/fd")) - before < 10


def test_a_limit_of_open_files_that_is_reached_is_named():
    ours, theirs = multiprocessing.Pipe()
    send(ours, taeda.zeros(20_000))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(OSError, match=r"as many open files as it may.*ulimit -n"):
            receive(theirs)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert max(map(int, os.listdir("/proc/self/fd"))) == highest


def test_connections_stay_blocking_where_sockets_have_a_default_timeout():
    ours, theirs = multiprocessing.Pipe()
    socket.setdefaulttimeout(1.0)
    try:
        send(ours, taeda.ones(20_000))
        assert receive(theirs).sum() == 20_000
    finally:
        socket.setdefaulttimeout(None)
    assert os.get_blocking(ours.fileno()) and os.get_blocking(theirs.fileno())


def test_leaves_keep_requires_grad_and_other_nodes_are_refused():
    leaf = DataLoader(Items(lambda i: taeda.ones(2, requires_grad=True), 1), batch_size=None, num_workers=1)
    assert next(iter(leaf)).requires_grad
    node = DataLoader(
        Items(lambda i: taeda.ones(2, requires_grad=True) * 2, 1), batch_size=None, num_workers=1
    )
    with pytest.raises(RuntimeError, match="non-leaf tensor that requires grad"):
        next(iter(node))


def test_each_worker_knows_itself_and_has_its_seed_and_one_thread():
    def who(i):
        info = get_worker_info()
        return info.id, info.num_workers, info.seed, taeda.initial_seed(), taeda.get_num_threads()

    taeda.manual_seed(0)
    loader = DataLoader(Items(who, 4), batch_size=None, collate_fn=lambda s: s, num_workers=2)
    rows = list(loader)
    assert [row[0] for row in rows] == [0, 1, 0, 1]
    assert {row[1] for row in rows} == {2}
    assert rows[1][2] == rows[0][2] + 1
    assert all(row[2] == row[3] for row in rows)
    assert {row[4] for row in rows} == {1}
    assert get_worker_info() is None


def test_random_numbers_of_workers_differ_and_repeat():
    import random

    def draw(i):
        return taeda.rand(1).item(), random.random(), float(np.random.rand())

    def run():
        taeda.manual_seed(11)
        return list(DataLoader(Items(draw, 4), batch_size=None, collate_fn=lambda s: s, num_workers=2))

    first = run()
    assert first == run()
    assert len({row[0] for row in first}) == len({row[2] for row in first}) == 4


def test_worker_init_fn_runs_in_the_worker():
    def init(worker_id):
        os.environ["TAEDA_TEST_WORKER"] = str(worker_id)

    loader = DataLoader(
        Items(lambda i: int(os.environ["TAEDA_TEST_WORKER"])),
        batch_size=None,
        num_workers=2,
        worker_init_fn=init,
    )
    assert list(loader) == [0, 1] * 4
    assert "TAEDA_TEST_WORKER" not in os.environ


def test_a_stream_is_shared_out_and_interleaved():
    assert list(DataLoader(Shared(7), batch_size=None, num_workers=2)) == list(range(7))
    batches = [b.tolist() for b in DataLoader(Shared(10), batch_size=2, num_workers=2)]
    assert batches == [[0, 2], [1, 3], [4, 6], [5, 7], [8], [9]]
    uneven = [b.tolist() for b in DataLoader(Shared(3), batch_size=1, num_workers=2, prefetch_factor=3)]
    assert uneven == [[0], [1], [2]]


def test_an_exception_arrives_whole_and_the_loader_goes_on():
    def sample(i):
        if i == 2:
            raise ValueError("no sample two")
        return i

    batches = iter(DataLoader(Items(sample, 4), batch_size=1, num_workers=2))
    assert next(batches).tolist() == [0]
    assert next(batches).tolist() == [1]
    with pytest.raises(ValueError, match="no sample two") as caught:
        next(batches)
    text = str(caught.value)
    assert text.startswith("Caught ValueError in DataLoader worker process 0.\nOriginal Traceback")
    assert "in sample" in text  # the frame that raised
    assert next(batches).tolist() == [3]


class TwoArguments(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("k"), KeyError),
        (FileNotFoundError(2, "gone"), FileNotFoundError),
        (TwoArguments(1, 2), RuntimeError),
        (StopIteration(), RuntimeError),
        (BrokenPipeError("the dataset's own pipe"), BrokenPipeError),
    ],
)
def test_exception_types(error, kind):
    def sample(i):
        raise error

    with pytest.raises(kind) as caught:
        next(iter(DataLoader(Items(sample), num_workers=1)))
    assert f"Caught {type(error).__name__}" in str(caught.value) or kind is RuntimeError
    assert "\nOriginal Traceback" in str(caught.value)


def test_a_batch_that_cannot_be_pickled_is_reported():
    loader = DataLoader(Items(lambda i: lambda: i), batch_size=None, num_workers=1)
    with pytest.raises(Exception, match="in DataLoader worker process 0") as caught:
        next(iter(loader))
    assert "pickle" in str(caught.value)


def test_what_cannot_be_sent_to_a_worker_that_is_not_forked_is_explained():
    loader = DataLoader(Items(lambda i: i), num_workers=1, multiprocessing_context="spawn")
    with pytest.warns(UserWarning, match="Got pickle error when attempting to start a worker Process.*'spawn'.*top level"):
        with pytest.raises((AttributeError, pickle.PicklingError), match="local object"):
            next(iter(loader))


def test_a_failing_init_fn_is_reported():
    def init(worker_id):
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        next(iter(DataLoader(range(4), num_workers=1, worker_init_fn=init)))


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "was killed by SIGKILL"),
        (lambda: os._exit(3), "exited with code 3"),
    ],
)
def test_a_worker_that_dies_is_reported_in_words(end, words):
    def sample(i):
        if i == 3:
            end()
        return i

    start = time.monotonic()
    with pytest.raises(
        RuntimeError, match=rf"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly: worker 1 {words}.*fetch batch 3"
    ):
        list(DataLoader(Items(sample), batch_size=None, num_workers=2))
    assert time.monotonic() - start < 10


def test_workers_that_the_main_module_starts_anew_are_told_where_to_stand(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from taeda.data import DataLoader\n"
        "for batch in DataLoader(range(4), num_workers=1, multiprocessing_context='spawn'):\n    print(batch)\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert "exited unexpectedly: worker 0 exited with code 1 before it answered" in last
    assert "below if __name__ == '__main__'; it was to fetch batch 0" in last


def test_a_slow_worker_runs_into_the_timeout():
    loader = DataLoader(Items(lambda i: time.sleep(20)), num_workers=1, timeout=0.2)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"timed out after 0\.2 seconds"):
        next(iter(loader))
    assert time.monotonic() - start < 10


def test_workers_end_with_the_epoch_and_with_an_abandoned_one():
    def run(stop):
        pids = []
        for pid in DataLoader(Items(lambda i: os.getpid(), 20), batch_size=None, num_workers=2):
            pids.append(pid)
            if stop and len(pids) == 3:
                break
        return set(pids)

    assert not alive(run(stop=False))
    assert not alive(run(stop=True))


def test_persistent_workers_serve_several_epochs_also_after_an_abandoned_one():
    loader = DataLoader(
        Items(lambda i: (i, os.getpid()), 6),
        batch_size=None,
        num_workers=2,
        persistent_workers=True,
        collate_fn=tuple,
    )
    first = list(loader)
    for i, _ in loader:
        if i == 1:
            break
    third = list(loader)
    assert [i for i, _ in first] == [i for i, _ in third] == list(range(6))
    assert {pid for _, pid in first} == {pid for _, pid in third}
    pids = {pid for _, pid in first}
    assert len(alive(pids)) == 2
    del loader
    assert not alive(pids)


def test_an_iterator_names_its_processes_until_they_end():
    loader = DataLoader(Items(lambda i: os.getpid(), 6), batch_size=None, num_workers=2)
    batches = iter(loader)
    pids = [process.pid for process in batches._workers]
    assert [next(batches) for _ in range(2)] == pids and all(process.is_alive() for process in batches._workers)
    list(batches)
    assert batches._workers == []


def test_persistent_streams_start_anew():
    loader = DataLoader(Shared(5), batch_size=None, num_workers=2, persistent_workers=True)
    assert list(loader) == list(loader) == list(range(5))


def test_a_persistent_loader_recovers_from_a_dead_worker():
    loader = DataLoader(
        Items(lambda i: os.getpid(), 4), batch_size=None, num_workers=1, persistent_workers=True
    )
    first = worker_pids(loader)
    os.kill(first[0], signal.SIGKILL)
    with pytest.raises(RuntimeError, match="SIGKILL"):
        list(loader)
    assert set(worker_pids(loader)).isdisjoint(first)


def test_out_of_order_gives_every_batch_once():
    def sample(i):
        time.sleep(0.5 if i == 0 else 0)
        return i

    got = list(DataLoader(Items(sample, 8), batch_size=None, num_workers=2, in_order=False))
    assert sorted(got) == list(range(8))
    assert got[0] != 0


def test_large_requests_and_answers_do_not_block_one_another():
    n = 400_000
    loader = DataLoader(
        Items(lambda i: i, n),
        batch_size=100_000,
        num_workers=1,
        prefetch_factor=4,
        collate_fn=lambda b: [str(i) for i in b],
    )
    assert [batch[-1] for batch in loader] == ["99999", "199999", "299999", "399999"]


def test_more_workers_than_processors_warns():
    with pytest.warns(UserWarning, match="suggested max number of worker"):
        DataLoader(range(3), num_workers=100_000)


PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)      # a shell's background job begins with it ignored
{shim}
from taeda.data import DataLoader
class Slow:
    def __len__(self): return 100
    def __getitem__(self, i):
        time.sleep(0.05)
        return os.getpid()
pids = set()
for pid in DataLoader(Slow(), batch_size=None, num_workers=2, multiprocessing_context="fork"):
    pids.add(pid)
    if len(pids) == 2:
        print(*pids, flush=True)
        pids.add(-1)
"""


@pytest.mark.parametrize("how", ["interrupt", "kill"])
def test_no_process_outlives_the_program(how):
    program = PROGRAM.format(shim=os.environ.get("TAEDA_TEST_PRELUDE", ""))
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    pids = process.stdout.readline().split()
    assert len(pids) == 2
    process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGKILL)
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    deadline = time.monotonic() + 8
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(pids)
    if how == "interrupt":
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert errors.count("Traceback") == 1


def test_a_batch_that_was_sent_is_free_without_the_collector():
    """Its pickler was part of a cycle, which kept the batch's tensors in the worker until the collector came."""
    here, there = multiprocessing.Pipe()
    batch = [taeda.ones(3), np.arange(4.0)]
    parts = [weakref.ref(x) for x in batch]
    gc.disable()
    try:
        send(here, batch)
        del batch
        assert [x() for x in parts] == [None, None]
    finally:
        gc.enable()
    tensor, array = receive(there)
    assert tensor.tolist() == [1, 1, 1] and array.tolist() == [0, 1, 2, 3]
