"""Hostile calls: an exception or a result, never a crash, a hang, a leak, a changed input or a view outside of its memory."""

from __future__ import annotations

import gc
from typing import Any

import pytest

import fuzz
import taeda

CALLS = 2500


def test_hostile_calls_raise_sensible_errors_and_leave_their_inputs_alone() -> None:
    found = [f"{number}: {complaint}\n    {call}" for number, call, complaint in fuzz.run(taeda, fuzz.Source(taeda, seed=2026), 0, CALLS)]
    assert not found, "\n".join(found)


class Resizes:
    """A number that lays a tensor out anew when it is read."""

    def __init__(self, tensor: taeda.Tensor, number: int = 1, how: str = "set") -> None:
        self.tensor, self.number, self.how = tensor, number, how

    def __index__(self) -> int:
        if self.how == "set":
            self.tensor.set_(taeda.tensor(1.0))
        elif self.how == "resize":
            self.tensor.resize_(())
        elif self.how == "data":
            self.tensor.data = taeda.tensor(1.0)
        else:
            self.tensor.squeeze_()
        return self.number


@pytest.mark.parametrize("how", ["set", "resize", "data", "squeeze"])
@pytest.mark.parametrize("call", [
    lambda x, n: x.select(n, 0), lambda x, n: x.select(2, n), lambda x, n: x.unbind(n), lambda x, n: x.unflatten(n, (1, 1)), lambda x, n: x.sum(n),
    lambda x, n: x[..., n], lambda x, n: x.view(n, 1, 1), lambda x, n: taeda.ops.adaptive_avg_pool1d(x, n),
    lambda x, n: taeda.ops.max_pool1d(x, n), lambda x, n: taeda.ops.pad(x, [n, 0]), lambda x, n: x.narrow(2, 0, n),
    lambda x, n: taeda.cat([x, x], n), lambda x, n: taeda.stack([x, x], n), lambda x, n: taeda.ops.conv1d(x, taeda.ones(1, 1, 1), padding=n)])
def test_an_index_that_changes_a_layout_in_the_middle_of_a_call_is_refused(call: Any, how: str) -> None:
    x = taeda.ones(1, 1, 1)
    with pytest.raises(RuntimeError, match=r"^\[\w+\] the __index__ of Resizes changed a tensor's layout in the middle of a call"):
        call(x, Resizes(x, how=how))
    assert x.shape == () and x.item() == 1.0


def test_a_list_that_lies_about_its_length_is_read_by_its_elements() -> None:
    class Lies(list):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 0

    for join in (taeda.cat, taeda.concat, taeda.stack, taeda.hstack, taeda.block_diag):
        with pytest.raises(TypeError):
            join(Lies([1, 2]))
    assert taeda.cat(Lies([taeda.ones(2), taeda.zeros(1)])).tolist() == [1.0, 1.0, 0.0]


def test_the_fuzzer_sees_a_crash_a_hang_and_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import signal
    import time

    monkeypatch.setattr(fuzz, "PATIENCE", 0.5)

    def visit(lib: object, call: fuzz.Call) -> str | None:
        number = int(call.args[0])
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)          # a sanitizer would take its time to report a SIGSEGV
        if number == 3:
            time.sleep(60)
        return "wrong" if number == 4 else None

    calls = [fuzz.Call("exp", [str(i)]) for i in range(6)]
    found = [(number, complaint) for number, _, complaint in fuzz.run(taeda, calls, 0, len(calls), visit)]
    assert found == [(1, "died: signal SIGKILL"), (3, "hangs: longer than 0 s"), (4, "wrong")]


class Broken:
    """A stand-in for the library, with functions that break the rules."""

    Tensor = taeda.Tensor
    held: list[object] = []

    def __getattr__(self, name: str) -> object:
        return getattr(taeda, name)

    def changes_its_input(self, x: taeda.Tensor) -> taeda.Tensor:
        return x.add_(1)

    def fails_half_way_(self, x: taeda.Tensor) -> None:
        x.add_(1)
        raise RuntimeError("too late")

    def keeps_memory(self, x: taeda.Tensor) -> None:
        self.held.append(x.clone())

    def trips(self, x: taeda.Tensor) -> None:
        x.no_such_method()


@pytest.mark.parametrize(("name", "complaint"), [
    ("changes_its_input", "was changed"), ("fails_half_way_", "by a call that failed"), ("keeps_memory", "still held"), ("trips", "AttributeError"),
])
def test_the_judge_sees_a_broken_function(name: str, complaint: str) -> None:
    gc.collect()                              # what other tests left must not be freed in the middle of the count
    said = fuzz.judge(Broken(), fuzz.Call(name, ["lib.ones(3)"]))
    assert said is not None and complaint in said
    Broken.held.clear()


# what the fuzzer has found, one by one
def test_unflatten_of_a_scalar_is_refused() -> None:
    with pytest.raises(RuntimeError, match="without dimensions"):
        taeda.tensor(1).unflatten(0, (1,))


def test_elements_are_counted_without_overflow() -> None:
    for make in (lambda: taeda.ones(1).expand(2**62, 2), lambda: taeda.ones(1).as_strided((2**62, 4), (0, 0)), lambda: taeda.ones(1, 1).broadcast_to((2**63 - 1, 2))):
        with pytest.raises(RuntimeError, match="multiplication overflow"):
            make()
    assert taeda.ones(0, 1).expand(0, 2**62).numel() == 0


def test_a_meta_index_of_real_data_is_refused() -> None:
    x = taeda.zeros(3)
    with pytest.raises(RuntimeError, match="same device"):
        x.index_put_([taeda.tensor([1], device="meta")], taeda.ones(1))
    assert x.tolist() == [0, 0, 0]


def test_masked_scatter_leaves_an_input_that_only_gains_dimensions() -> None:
    x = taeda.zeros(3)
    y = taeda.masked_scatter(x, taeda.tensor([[True, False, True]]), taeda.tensor([1.0, 2.0]))
    assert y.tolist() == [[1, 0, 2]] and x.tolist() == [0, 0, 0]


def test_dims_are_ints_of_64_bits() -> None:
    x = taeda.ones(2, 3)
    for call in (lambda: x.sum(1.0), lambda: x.transpose(0, 1.0), lambda: x.topk(1.0), lambda: x.triu(0.5), lambda: x.unbind(0.0), lambda: x.unfold(0, 1.0, 1)):
        with pytest.raises(TypeError, match="int"):
            call()
    for call in (lambda: x.sum(2**63), lambda: x.select(0, -2**70), lambda: x.topk(2**64)):
        with pytest.raises(ValueError, match="Overflow when unpacking"):
            call()


def test_what_is_no_tensor_is_a_type_error() -> None:
    x = taeda.ones(2)
    for call in (lambda: x.expand_as(2), lambda: x.view_as(2), lambda: x.type_as(2), lambda: x.resize_as_(2), lambda: taeda.dropout(2, 0.5), lambda: taeda.fill(2, 1),
                 lambda: taeda.zeros(2, out=3), lambda: taeda.zeros_like(x, memory_format=3), lambda: taeda.broadcast_tensors(2, 3), lambda: taeda.rot90(taeda.ones(2, 2), 1.5)):
        with pytest.raises(TypeError):
            call()


def test_a_large_unsigned_number_beside_floats_keeps_its_value() -> None:
    assert (taeda.tensor(-1.5) + 2**63).item() == float(2**63)
    assert (taeda.tensor(1) + 2**63).item() == 1 - 2**63


def test_out_of_a_creating_function_must_have_the_dtype_and_device_asked_for() -> None:
    with pytest.raises(RuntimeError, match="does not match dtype of out"):
        taeda.zeros(2, out=taeda.empty(0), dtype=taeda.int64)
    with pytest.raises(RuntimeError, match="does not match device type of out"):
        taeda.eye(2, out=taeda.empty(0), device="meta")
