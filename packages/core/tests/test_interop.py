"""NumPy and DLPack: one memory, both ways."""

from __future__ import annotations

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
