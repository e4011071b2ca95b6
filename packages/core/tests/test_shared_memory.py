"""share_memory_: what moves, who sees a write, and what taeda.multiprocessing sends."""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import operator
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import pytest

import taeda
import taeda.multiprocessing as mp


def in_a_child(function: Callable[[], Any]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            function()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def test_a_tensor_that_reaches_beyond_its_storage_is_not_shared() -> None:
    x = taeda.ones(1000)
    y = x[500:]
    x.untyped_storage().resize_(8)
    with pytest.raises(RuntimeError, match=r"^\[share_memory_\].* out of bounds for storage of size 8$"):
        x[:2].share_memory_()
    assert y.sum().item() == 500.0 and not x.is_shared()
    del x, y
    z = taeda.ones(3)
    z.untyped_storage().resize_(0)
    with pytest.raises(RuntimeError, match="storage of size 0"):
        z.share_memory_()


def test_a_write_of_a_child_is_seen_through_every_tensor_on_the_storage() -> None:
    t = taeda.arange(6.0)
    view, matrix = t[2:], t.reshape(2, 3)
    with_history = taeda.ones(3, requires_grad=True)
    out = with_history * view[:3]
    assert t.share_memory_() is t
    assert t.is_shared() and view.is_shared() and t.untyped_storage().is_shared()
    assert view.data_ptr() - t.data_ptr() == 8 and matrix.data_ptr() == t.data_ptr()
    assert t.tolist() == [0, 1, 2, 3, 4, 5]
    in_a_child(lambda: view.fill_(9))
    assert t.tolist() == [0, 1, 9, 9, 9, 9] == matrix.flatten().tolist()
    out.sum().backward()                               # the graph's alias of the view has moved too
    assert with_history.grad.tolist() == [9, 9, 9]


def test_a_tensor_alone_moves_without_a_walk_over_all_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[Any] = []
    monkeypatch.setattr("gc.get_referrers", lambda *objects: walks.append(objects) or [])
    t = taeda.arange(3.0)
    assert t.share_memory_().tolist() == [0, 1, 2] and not walks
    monkeypatch.undo()
    u = taeda.arange(4.0)
    view, saved = u[2:], u.untyped_storage()
    del view
    assert u.share_memory_().tolist() == [0, 1, 2, 3] and saved.is_shared() and saved.data_ptr() == u.data_ptr()


def test_an_array_made_before_keeps_the_old_memory() -> None:
    t = taeda.ones(1000)
    array = t.numpy()
    t.share_memory_().fill_(2)
    assert array.sum() == 1000 and t.numpy().sum() == 2000
    assert t.share_memory_().untyped_storage().share_memory_().is_shared()      # again: nothing happens


def test_sizes_and_dtypes() -> None:
    for n in (0, 1, 3, 4096, 100_003):
        t = taeda.arange(n, dtype=taeda.int16).share_memory_()
        assert t.is_shared() and t.tolist() == taeda.arange(n, dtype=taeda.int16).tolist()
    assert not taeda.ones(3).is_shared()
    assert not taeda.ones(3).share_memory_().clone().is_shared()


def test_memory_of_others_cannot_move() -> None:
    with pytest.raises(RuntimeError, match="another library"):
        taeda.from_numpy(np.ones(3)).share_memory_()
    with pytest.raises(RuntimeError, match="no data"):
        taeda.ones(3, device="meta").share_memory_()
    t = taeda.ones(3).share_memory_()
    with pytest.raises(RuntimeError, match="cannot be resized"):
        t.untyped_storage().resize_(100)


def test_blocks_are_given_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        taeda.ones(1000).share_memory_()
    assert len(os.listdir("/proc/self/fd")) == before


def echo(inbox: Any, outbox: Any) -> None:
    first = inbox.get()
    first[0] = 7.0
    again = inbox.get()
    outbox.put((first.untyped_storage().data_ptr() == again.untyped_storage().data_ptr(), taeda.ones(2, requires_grad=True)))
    inbox.get()


def test_a_queue_shares_and_does_not_copy() -> None:
    context = multiprocessing.get_context("fork")
    inbox, outbox = context.Queue(), context.Queue()
    process = context.Process(target=echo, args=(inbox, outbox))
    process.start()
    t = taeda.zeros(4)
    inbox.put(t)
    inbox.put(t[1:])
    same, ones = outbox.get()
    assert same and ones.tolist() == [1, 1] and ones.requires_grad and ones.is_shared()
    assert t.is_shared() and t.tolist() == [7, 0, 0, 0]
    inbox.put(None)
    process.join()
    assert process.exitcode == 0


def test_a_tensor_with_a_history_is_not_sent() -> None:
    x = taeda.ones(2, requires_grad=True)
    assert ForkingPickler.loads(ForkingPickler.dumps(x)).requires_grad
    with pytest.raises(RuntimeError, match="autograd does not cross processes"):
        ForkingPickler.dumps(x * 2)


def fill(i: int, t: taeda.Tensor) -> None:
    t[i] = i + 1


def fail(i: int) -> None:
    if i == 1:
        raise ValueError("no")
    time.sleep(60)


def fail_at_length(i: int) -> None:
    raise ValueError("no" * 200_000)


def leave(i: int) -> None:
    os._exit(3)


def test_spawned_processes_write_into_the_tensor_they_were_given() -> None:
    t = taeda.zeros(3)
    assert mp.start_processes(fill, (t,), nprocs=3, start_method="fork") is None
    assert t.tolist() == [0, 0, 0]                     # a fork pickles nothing: not shared
    mp.start_processes(fill, (t.share_memory_(),), nprocs=3, start_method="fork")
    assert t.tolist() == [1, 2, 3]
    write = functools.partial(operator.setitem, t.zero_())         # a new interpreter cannot import this file's functions
    context = mp.spawn(write, (1.0,), nprocs=1, join=False)
    assert context is not None and len(context.pids()) == 1
    while not context.join(10):
        pass
    assert t.tolist() == [1, 0, 0]


def test_a_failure_of_one_ends_the_others_and_is_told() -> None:
    with pytest.raises(mp.ProcessRaisedException, match=r"Process 1 terminated(.|\n)*ValueError: no") as caught:
        mp.start_processes(fail, nprocs=2, start_method="fork")
    assert caught.value.error_index == 1 and caught.value.error_pid > 0 and caught.value.msg == str(caught.value)
    with pytest.raises(mp.ProcessRaisedException, match="(no){200000}"):                   # more than a pipe holds
        mp.start_processes(fail_at_length, start_method="fork")
    with pytest.raises(mp.ProcessExitedException, match="exit code 3") as gone:
        mp.start_processes(leave, start_method="fork")
    assert gone.value.exit_code == 3 and gone.value.signal_name is None
    with pytest.raises(AssertionError, match="file_descriptor"):
        mp.set_sharing_strategy("carrier pigeons")
    assert mp.get_all_sharing_strategies() == {"file_descriptor", "file_system"} and mp.get_sharing_strategy() == "file_descriptor"
    mp.set_sharing_strategy("file_system")
    assert mp.get_sharing_strategy() == "file_system"
    mp.set_sharing_strategy("file_descriptor")


def stay(i: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if i:
        raise ValueError("no")
    time.sleep(60)


def finish(i: int) -> None:
    if i:
        raise ValueError("no")
    time.sleep(0.3)


def test_those_that_do_not_end_when_they_are_told_to_are_killed_after_the_time_of_grace() -> None:
    for function, ended in ((stay, -signal.SIGKILL), (finish, 0)):
        context = mp.start_processes(function, nprocs=2, join=False, start_method="fork")
        with pytest.raises(mp.ProcessRaisedException, match="Process 1"):
            while not context.join(grace_period=0.8):
                pass
        assert [p.exitcode for p in context.processes] == [ended, 1]


def test_spawn_starts_new_interpreters_whatever_it_is_told() -> None:
    with pytest.warns(FutureWarning, match="This method only supports start_method=spawn .got: fork."):
        context = mp.spawn(abs, nprocs=1, join=False, start_method="fork")
    assert type(context.processes[0]).__name__ == "SpawnProcess"
    while not context.join():
        pass


def test_failures_of_processes_are_pickled() -> None:
    raised = pickle.loads(pickle.dumps(mp.ProcessRaisedException("no", 1, 77)))
    assert (str(raised), raised.msg, raised.error_index, raised.error_pid) == ("no", "no", 1, 77)
    gone = pickle.loads(pickle.dumps(mp.ProcessExitedException("gone", 1, 77, -9, "SIGKILL")))
    assert (gone.error_pid, gone.exit_code, gone.signal_name) == (77, -9, "SIGKILL")


def test_spawn_is_a_function_and_its_room_a_module() -> None:
    room = importlib.import_module("taeda.multiprocessing.spawn")
    assert mp.spawn is room.spawn and room.ProcessRaisedException is mp.ProcessRaisedException


def test_memory_that_is_short_is_told_and_leaves_the_tensor_as_it_was() -> None:
    code = (
        "import os, resource, taeda\n"
        "x = taeda.ones(25_000_000)\n"
        "descriptors = len(os.listdir('/proc/self/fd'))\n"
        "used = 4096 * int(open('/proc/self/statm').read().split()[0])\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (50 << 20),) * 2)\n"
        "try:\n"
        "    x.share_memory_()\n"
        "except taeda.OutOfMemoryError as error:\n"
        "    print(error)\n"
        "print(x.is_shared(), x.sum().item(), len(os.listdir('/proc/self/fd')) - descriptors)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[share_memory_] out of memory: 100000000 bytes cannot be mapped\nFalse 25000000.0 0\n"
