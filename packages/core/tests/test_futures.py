"""Results that are there later: futures, and what is forked."""

from __future__ import annotations

import pickle

import pytest

import taeda


def test_an_exception_of_a_callback_stops_neither_the_others_nor_who_sets_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    f, seen = taeda.futures.Future(), []
    f.add_done_callback(lambda f: 1 // 0)
    f.add_done_callback(seen.append)
    f.set_result(1)
    f.add_done_callback(lambda f: f.value() // 0)
    assert seen == [f] and capsys.readouterr().err.count("ZeroDivisionError") == 2


def test_futures() -> None:
    f = taeda.futures.Future()
    after = f.then(lambda f: f.value() + 1)
    failed = f.then(lambda f: 1 // 0)
    assert not f.done() and not after.done()
    with pytest.raises(RuntimeError, match="before the result was set"):
        f.value()
    f.set_result(1)
    assert f.wait() == 1 and after.wait() == 2
    with pytest.raises(RuntimeError, match="ZeroDivisionError") as caught:
        failed.wait()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(RuntimeError, match="only be set once"):
        f.set_result(2)
    for wait in (f.then, f.add_done_callback):
        with pytest.raises(TypeError, match="callable, not int"):
            wait(3)
    with pytest.raises(AssertionError, match="not an Exception"):
        taeda.futures.Future().set_exception(KeyboardInterrupt())
    with pytest.raises(RuntimeError, match="cannot pickle"):
        pickle.dumps(f)
    for wait in (taeda.jit.wait, lambda f: taeda.futures.wait_all([f]), lambda f: taeda.futures.collect_all([taeda.futures.Future(), f])):
        with pytest.raises(RuntimeError, match="can't be None"):
            wait(None)
        with pytest.raises(TypeError, match="int"):
            wait(3)
    with pytest.raises(ValueError, match="to have indices"):
        taeda.futures.Future(devices=["cpu"])
    with pytest.raises(RuntimeError, match="no accelerator"):
        taeda.futures.Future(devices=["cuda:0"])
    assert taeda.futures.wait_all([f, after]) == [1, 2] and taeda.futures.collect_all([]).wait() == []
    assert taeda.jit.wait(taeda.jit.fork(lambda x: x + 1, taeda.tensor(1))).item() == 2
    with pytest.raises(ZeroDivisionError):
        taeda.wait(taeda.fork(lambda: 1 // 0))
