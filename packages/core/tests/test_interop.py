"""NumPy, buffers and DLPack: one memory, both ways."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest

import taeda


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "bool"])
def test_numpy_and_back_is_the_same_memory(dtype: str) -> None:
    x = taeda.ones(2, 3, dtype=getattr(taeda, dtype))
    a = x.numpy()
    assert (a.dtype.name, a.shape, a.ctypes.data) == (dtype, (2, 3), x.data_ptr())
    a[0, 0] = 0
    back = taeda.from_numpy(a)
    assert not x[0, 0].item() and back.data_ptr() == x.data_ptr() and back.dtype is x.dtype


def test_a_capsule_is_taken_by_asarray() -> None:
    x = taeda.arange(3.0)
    shared = taeda.asarray(x.__dlpack__())
    assert shared.data_ptr() == x.data_ptr() and taeda.asarray(x.__dlpack__(), copy=True).data_ptr() != x.data_ptr()
    assert taeda.asarray(x.__dlpack__(), dtype=taeda.int32).tolist() == [0, 1, 2]


def test_layout_goes_along() -> None:
    x = taeda.arange(6.0).reshape(2, 3)
    assert x.T.numpy().strides == (4, 12) and x[:, 1:].numpy().tolist() == [[1, 2], [4, 5]]
    assert taeda.empty(0, 3).numpy().shape == (0, 3) and taeda.tensor(2.0).numpy().shape == ()
    assert taeda.ones(3).expand(2, 3).numpy().strides == (0, 4)


def test_asarray_and_array_convert() -> None:
    x = taeda.tensor([1.0, 2.0])
    assert np.asarray(x).ctypes.data == x.data_ptr() != np.array(x).ctypes.data
    assert np.asarray(x, dtype=np.float64).dtype == np.float64 and np.stack([x, x]).shape == (2, 2)
    assert np.allclose(x, [1, 2]) and np.array([taeda.tensor(1.0), taeda.tensor(2.0)]).tolist() == [1, 2]


def test_numbers_and_arrays_mix_with_tensors() -> None:
    x, i = taeda.tensor([1.0, 2.0]), taeda.tensor([1, 2])
    assert (x * np.float32(2)).dtype is taeda.float32 and (np.float64(2) * x).tolist() == [2, 4]
    assert (i + np.float64(2.5)).dtype is taeda.float32 and (i * np.int32(3)).tolist() == [3, 6]
    assert (x + np.ones(2)).dtype is taeda.float64 and (x == np.array([1.0, 3.0])).tolist() == [True, False]
    assert (x @ np.ones((2, 1), "f4")).tolist() == [3]


def test_a_tensor_with_gradient_must_be_detached_first() -> None:
    g = taeda.ones(2, requires_grad=True)
    for use in (g.numpy, lambda: np.asarray(g)):
        with pytest.raises(RuntimeError, match="requires grad"):
            use()
    assert g.detach().numpy().sum() == 2 == g.numpy(force=True).sum()
    with pytest.raises((RuntimeError, BufferError), match="requires? grad"):
        np.from_dlpack(g)


def test_meta_tensors_have_no_array() -> None:
    with pytest.raises(TypeError, match="meta"):
        taeda.empty(2, device="meta").numpy()


def test_dlpack_shares_both_ways() -> None:
    a = np.arange(3.0)
    t = taeda.from_dlpack(a)
    t[0] = 9
    assert a[0] == 9 and t.dtype is taeda.float64
    x = taeda.arange(6.0).reshape(2, 3).T
    b = np.from_dlpack(x)
    assert b.tolist() == x.tolist() and b.strides == (4, 12) and x.__dlpack_device__() == (1, 0)
    y = taeda.from_dlpack(x)
    y[0, 0] = 7
    assert x[0, 0].item() == 7


def test_a_capsule_is_taken_once() -> None:
    capsule = taeda.to_dlpack(taeda.ones(2))
    assert taeda.from_dlpack(capsule).tolist() == [1, 1]
    with pytest.raises((RuntimeError, ValueError)):
        taeda.from_dlpack(capsule)


def test_the_array_keeps_the_memory_alive() -> None:
    a = taeda.full((1000,), 5.0).numpy()
    for _ in range(10):
        taeda.zeros(1000)
    assert (a == 5).all()
    t = taeda.from_numpy(np.full(1000, 3.0))
    assert t.sum().item() == 3000


# -- the buffer protocol and NumPy's description -----------------------------------------------------

NUMERIC = ["bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", NUMERIC)
def test_every_dtype_goes_and_comes_back(dtype: str) -> None:
    x = taeda.ones(2, 3, dtype=getattr(taeda, dtype))
    for a in (x.numpy(), np.asarray(x), np.from_dlpack(x), np.asarray(memoryview(x)) if dtype[0] != "c" else np.asarray(x)):
        assert (a.dtype.name, a.shape, a.ctypes.data, a.all()) == (dtype, (2, 3), x.data_ptr(), True)
        assert a.dtype.type is np.dtype(dtype).type
        for y in (taeda.from_numpy(a), taeda.from_dlpack(a), taeda.asarray(a), taeda.as_tensor(a)):
            assert y.dtype is x.dtype and y.data_ptr() == x.data_ptr()
    assert taeda.frombuffer(bytearray(a.tobytes()), dtype=x.dtype).tolist() == [1] * 6
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert y.dtype is x.dtype and y.tolist() == x.tolist() and y.data_ptr() != x.data_ptr()
    assert copy.copy(x).data_ptr() == x.data_ptr()


def test_bfloat16_has_no_array_but_a_capsule() -> None:
    x = taeda.ones(2, dtype=taeda.bfloat16)
    with pytest.raises(TypeError, match=r"\[numpy\] Got unsupported ScalarType BFloat16"):
        np.asarray(x)
    with pytest.raises(BufferError, match=r"\[buffer\] a bfloat16 tensor on cpu has no buffer"):
        memoryview(x)
    assert taeda.from_dlpack(x).data_ptr() == x.data_ptr()
    assert pickle.loads(pickle.dumps(x)).tolist() == [1, 1]


def test_a_memoryview_is_the_memory() -> None:
    x = taeda.arange(6.0).reshape(2, 3)
    m = memoryview(x)
    assert (m.format, m.shape, m.strides, m.readonly, m.tolist()) == ("f", (2, 3), (12, 4), False, x.tolist())
    m[1, 2] = 9
    assert x[1, 2].item() == 9 and memoryview(x.T).strides == (4, 12) and memoryview(taeda.tensor(2)).tolist() == 2
    assert bytes(memoryview(taeda.tensor([1, 2], dtype=taeda.uint8))) == b"\x01\x02" and memoryview(taeda.empty(0, 2)).shape == (0, 2)


def test_a_buffer_outlives_what_the_tensor_becomes() -> None:
    x = taeda.full((1000,), 5.0)
    m = memoryview(x)
    x.data = taeda.zeros(3)
    del x
    for _ in range(10):
        taeda.zeros(1000)
    assert m[999] == 5 and m.nbytes == 4000


def test_buffers_are_refused_where_they_would_lie() -> None:
    for x, text in (
        (taeda.ones(2, requires_grad=True), r"\[buffer\] a tensor that requires grad has no buffer"),
        (taeda.ones(2, device="meta"), r"\[buffer\] a float32 tensor on meta has no buffer"),
    ):
        with pytest.raises(BufferError, match=text):
            memoryview(x)
    with pytest.raises(BufferError, match=r"\[buffer\] the tensor is not contiguous: shape \(3, 2\), strides \(1, 3\)"):
        io.BytesIO().write(taeda.ones(2, 3).T)
    assert io.BytesIO().write(taeda.ones(2, 3)) == 24


def test_a_tensor_is_not_taken_for_an_array() -> None:
    """Libraries ask for NumPy's interface where they tell arrays from PyTorch's tensors, which have none; NumPy itself asks for the buffer."""
    x = taeda.arange(6.0).reshape(2, 3)[:, 1:]
    assert not hasattr(x, "__array_interface__") and not hasattr(x, "__array_struct__")
    a = np.asarray(x)
    assert (a.shape, a.strides, a.dtype, a.ctypes.data) == ((2, 2), (12, 4), np.float32, x.data_ptr())


# -- read-only memory, copies ------------------------------------------------------------------------


def test_read_only_memory_stays_unwritten() -> None:
    a = np.arange(3.0)
    a.flags.writeable = False
    with pytest.warns(UserWarning, match=r"^The given NumPy array is not writable"):
        t = taeda.from_numpy(a)
    with pytest.warns(UserWarning, match=r"^The given buffer is not writable"):
        b = taeda.frombuffer(bytes(8), dtype=taeda.float64)
    for x in (t, b, taeda.from_dlpack(a)):
        with pytest.raises(RuntimeError, match="read-only memory"):
            x.zero_()
        assert memoryview(x).readonly and not np.asarray(x).flags.writeable
    assert taeda.as_tensor(a).zero_().sum() == 0 and a.tolist() == [0, 1, 2]
    with pytest.raises(BufferError, match="read-only memory can be exported to consumers of DLPack 1.0 only"):
        t.__dlpack__()


@pytest.mark.parametrize(
    "write",
    [
        lambda s: s.fill_(1), lambda s: s[8:16].fill_(1), lambda s: s.copy_(taeda.zeros(24, dtype=taeda.uint8).untyped_storage()),
        lambda s: s.__setitem__(0, 1), lambda s: memoryview(s).__setitem__(0, 1), lambda s: s.byteswap(taeda.float64), lambda s: s.resize_(99),
        lambda s: taeda.empty(0, dtype=taeda.float64).set_(s).zero_(),
    ],
)  # fmt: skip
def test_the_storage_of_read_only_memory_is_not_written_to_either(write: Any) -> None:
    a = np.ones(3)
    a.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        x = taeda.from_numpy(a)
    with pytest.raises((RuntimeError, TypeError), match=r"read-only|cannot be resized"):
        write(x.untyped_storage())
    assert a.tolist() == [1, 1, 1]


def test_arrays_that_tensors_cannot_share() -> None:
    a = np.arange(6.0).reshape(2, 3)
    with pytest.raises(ValueError, match="At least one stride in the given array is negative"):
        taeda.from_numpy(a[::-1])
    with pytest.raises(ValueError, match="byte order different from the native"):
        taeda.from_numpy(a.astype(">f8"))
    with pytest.raises(ValueError, match="strides not a multiple of the element byte size"):
        taeda.from_numpy(np.zeros(5, "i1,f8")["f1"])
    for other in (np.array([None]), np.array(["a"]), np.array(["2020"], "M8[Y]"), np.zeros(2, "i4,i4"), [1], np.float32(1)):
        with pytest.raises(TypeError, match=r"\[from_numpy\]"):
            taeda.from_numpy(other)
    assert taeda.from_numpy(np.array(3.0)).shape == () and taeda.from_numpy(a[:, ::2]).stride() == (3, 2)
    assert taeda.from_numpy(np.broadcast_to(np.ones(3), (2, 3)).copy()).shape == (2, 3)


def test_asarray_copies_as_told() -> None:
    x, a = taeda.ones(2), np.ones(2)
    assert taeda.asarray(x, copy=False) is x and taeda.asarray(a, copy=False).data_ptr() == a.ctypes.data
    assert taeda.asarray(x, copy=True).data_ptr() != x.data_ptr() and taeda.asarray(a, copy=True).data_ptr() != a.ctypes.data
    for refused in (
        lambda: taeda.asarray([1], copy=False), lambda: taeda.asarray(x, dtype=taeda.float64, copy=False), lambda: taeda.asarray({}, copy=False),
        lambda: taeda.asarray(a, dtype=taeda.float32, copy=False), lambda: taeda.asarray(x, device="meta", copy=False),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"\[asarray\] can't alias"):
            refused()
    with pytest.raises(RuntimeError, match=r"\[asarray\] can't alias NumPy scalars"):
        taeda.asarray(np.float64(1), copy=False)


def test_asarray_keeps_or_cuts_history() -> None:
    g = taeda.ones(2, requires_grad=True)
    assert taeda.asarray(g) is g and taeda.asarray(g * 2, copy=True).grad_fn is not None and taeda.asarray(g, dtype=taeda.float64).requires_grad
    assert not taeda.asarray(g, requires_grad=False).requires_grad and taeda.asarray([1.0], requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="can require gradients"):
        taeda.asarray([1], requires_grad=True)


# -- DLPack ------------------------------------------------------------------------------------------


def test_capsules_have_the_version_that_was_asked_for() -> None:
    x = taeda.ones(2)
    for version, name in ((None, "dltensor"), ((0, 8), "dltensor"), ((1, 0), "dltensor_versioned"), ((2, 0), "dltensor_versioned")):
        assert f'"{name}"' in repr(x.__dlpack__(max_version=version))
    assert taeda.from_dlpack(x.__dlpack__(max_version=(1, 0), copy=True)).data_ptr() != x.data_ptr()
    assert taeda.from_dlpack(x.__dlpack__(dl_device=(1, 0))).data_ptr() == x.data_ptr()


def test_capsules_are_for_the_cpu() -> None:
    x = taeda.ones(2)
    with pytest.raises(AssertionError, match=r"\[dlpack\] stream should be None on cpu, got 1"):
        x.__dlpack__(stream=1)
    with pytest.raises(TypeError, match=r"\[dlpack\] stream must be int or None, got object"):
        x.__dlpack__(stream=object())
    with pytest.raises(BufferError, match=r"\[dlpack\] a tensor on the cpu cannot be exported to device \(2, 0\)"):
        x.__dlpack__(dl_device=(2, 0))
    m = taeda.ones(2, device="meta")
    with pytest.raises(BufferError, match="meta tensor has no data"):
        m.__dlpack__()
    with pytest.raises(ValueError, match="Unknown device type meta"):
        m.__dlpack_device__()


def test_from_dlpack_copies_and_moves() -> None:
    a = np.arange(3.0)
    assert taeda.from_dlpack(a, copy=True).data_ptr() != a.ctypes.data == taeda.from_dlpack(a, copy=False, device="cpu").data_ptr()
    assert taeda.from_dlpack(a, device="meta").device.type == "meta"
    with pytest.raises(BufferError, match=r"\[from_dlpack\] a copy is needed"):
        taeda.from_dlpack(a, device="meta", copy=False)
    with pytest.raises(BufferError, match="negative sizes and strides"):
        taeda.from_dlpack(a[::-1])


# -- NumPy's functions and operators -----------------------------------------------------------------


def test_numpys_functions_give_tensors() -> None:
    x = taeda.tensor([[0.0, 1.0], [2.0, 3.0]])
    for found, wanted in (
        (np.sin(x), x.sin()), (np.add(x, x), x + x), (np.sum(x, axis=0), x.sum(0)), (np.matmul(x, x), x @ x), (np.clip(x, 0, 1), x.clamp(0, 1)),
        (np.ones((2, 2)) * x, x.double()), (np.float32(2) - x, 2 - x), (np.greater(x, 1), x > 1),
    ):  # fmt: skip
        assert isinstance(found, taeda.Tensor) and found.dtype is wanted.dtype and found.allclose(wanted) if found.dtype is not taeda.bool else found.equal(wanted)
    i = taeda.tensor([1, 2])
    assert (i & np.array([3, 3])).tolist() == [1, 2] == (np.array([3, 3]) & i).tolist() and (i | np.int64(4)).tolist() == [5, 6]
    with pytest.raises(TypeError, match="unsupported operand"):
        np.float32(2) @ x


@pytest.mark.parametrize("nbytes", [0, 8])
def test_deepcopy_refuses_a_tensor_that_reaches_beyond_its_storage(nbytes: int) -> None:
    x = taeda.ones(1000)
    y = x[500:]
    x.untyped_storage().resize_(nbytes)
    with pytest.raises(RuntimeError, match=rf"^\[deepcopy\].* out of bounds for storage of size {nbytes}$"):
        copy.deepcopy(y)
    assert copy.deepcopy(x[:nbytes // 4]).tolist() == [1.0] * (nbytes // 4)


def test_deepcopy_of_a_meta_tensor() -> None:
    x = copy.deepcopy(taeda.ones(2, 3, device="meta"))
    assert x.device.type == "meta" and x.shape == (2, 3)
