"""Making tensors: inferred dtypes, sizes, counted values, memory of other libraries, and the errors of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(("data", "dtype", "shape"), [
    (1, "int64", ()), (1.5, "float32", ()), (True, "bool", ()), ([], "float32", (0,)), ([[], []], "float32", (2, 0)), ([[], [1]], "float32", (2, 0)),
    ([1, 2.5], "float32", (2,)), ([True, 2], "int64", (2,)), ([(1, 2), [3, 4]], "int64", (2, 2)), (range(3), "int64", (3,)), (bytearray(b"ab"), "int64", (2,)),
    (np.float32(1.5), "float32", ()), (np.float64(1.5), "float64", ()), (np.int32(1), "int32", ()), (np.bool_(True), "bool", ()),
    ([np.float64(1), 2], "float64", (2,)), ([np.int32(1), 2], "int64", (2,)), (np.zeros((2, 3)), "float64", (2, 3)), (np.array(3), "int64", ()),
    ([np.zeros(2, "f4"), [1, 2]], "float32", (2, 2)), ([taeda.tensor(1), taeda.tensor(2)], "int64", (2,)), ([taeda.zeros(1, 1), 2.0], "float32", (2,)),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy.ndarrays")
def test_the_dtype_and_shape_of_data(data: object, dtype: str, shape: tuple[int, ...]) -> None:
    t = taeda.tensor(data)
    assert (t.dtype, tuple(t.shape)) == (getattr(taeda, dtype), shape)


@pytest.mark.parametrize(("data", "error", "text"), [
    ([[1, 2], [3]], ValueError, "expected sequence of length 2 at dim 1 .got 1."), ([[1], []], ValueError, "got 0"), ([1, [2]], TypeError, "list"),
    ([[1], 2], TypeError, "not a sequence"), ("a", TypeError, "invalid data type 'str'"), (["a"], ValueError, "too many dimensions 'str'"),
    (None, RuntimeError, "Could not infer dtype of NoneType"), ([None], RuntimeError, "NoneType"), ({}, RuntimeError, "dict"), ({1}, RuntimeError, "set"),
    (object(), RuntimeError, "object"), (2**63, ValueError, "Overflow"), ([2**64], ValueError, "Overflow"),
    ([taeda.tensor([1, 2])], TypeError, "single element"), (np.array(["a"]), TypeError, "can't convert"), (np.arange(3)[::-1], ValueError, "negative"),
])  # fmt: skip
def test_data_that_is_no_tensor(data: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        taeda.tensor(data)


class ByName:
    """A sequence by other keys than 0, 1, ..., as a table of columns is."""

    def __init__(self, *items: float) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: object) -> float:
        raise KeyError(key)


class Column:
    """What a table's column is: by position it gives NumPy's numbers, in turn Python's."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, key: int) -> np.generic:
        return self.values[key]

    def __iter__(self) -> Iterator[float]:
        return iter(self.values.tolist())


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int32", "uint8", "bool", "complex128"])
def test_a_column_of_a_table_keeps_its_dtype(dtype: str) -> None:
    column = Column(np.array([1, 0], dtype))
    for x, shape in ((taeda.tensor(column), (2,)), (taeda.as_tensor([column, column]), (2, 2))):
        assert x.dtype is getattr(taeda, dtype) and x.shape == shape and x.flatten().tolist()[:2] == [1, 0]
    assert taeda.tensor(column, dtype=taeda.complex64).tolist() == [1, 0]


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list")
def test_rows_may_be_arrays_of_any_strides_and_tensors_among_lists() -> None:
    a = np.array([[1, 2], [3, 4]], dtype=np.int16)
    x = taeda.tensor([a[:, ::-1], a.T])
    assert x.dtype is taeda.int16 and x.tolist() == [[[2, 1], [4, 3]], [[1, 3], [2, 4]]]
    assert taeda.tensor([np.array([1, 2.5], dtype=">f4")]).tolist() == [[1, 2.5]]
    x = taeda.tensor([[True, 2], taeda.tensor([3, 4.5]), (5, taeda.tensor(6))])
    assert x.dtype is taeda.float32 and x.tolist() == [[1, 2], [3, 4.5], [5, 6]]
    with pytest.raises(TypeError, match="not a sequence"):
        taeda.tensor([[1, 2], taeda.tensor([3])])


def test_sequences_without_a_first_item_have_no_shape() -> None:
    for data in (ByName(1.0, 2.0), [ByName(1.0)]):
        with pytest.raises(ValueError, match="could not determine the shape of object type 'ByName'"):
            taeda.tensor(data)
    assert taeda.tensor(ByName()).shape == (0,) and taeda.tensor([ByName()]).shape == (1, 0)


@pytest.mark.parametrize(("data", "dtype", "wanted"), [
    ([1.9, -2.9], "int64", [1, -2]), ([-1], "uint8", [255]), ([0.5, 0.0, NAN], "bool", [True, False, True]), ([1, 2], "float64", [1.0, 2.0]), ([1e40], "float32", [INF]),
])  # fmt: skip
def test_data_in_another_dtype(data: list[float], dtype: str, wanted: list[float]) -> None:
    assert taeda.tensor(data, dtype=getattr(taeda, dtype)).tolist() == wanted


@pytest.mark.parametrize(("data", "dtype"), [([300], "uint8"), (2**40, "int32"), (NAN, "int64"), (INF, "int64"), (-INF, "int32")])
def test_a_value_outside_of_its_dtype_is_a_runtime_error(data: object, dtype: str) -> None:
    with pytest.raises(RuntimeError, match="cannot be converted to type"):
        taeda.tensor(data, dtype=getattr(taeda, dtype))


@pytest.mark.parametrize("make", [taeda.zeros, taeda.ones, taeda.empty, taeda.tensor([1.0]).new_zeros, taeda.tensor([1.0]).new_ones])
def test_sizes_in_every_form_and_every_bad_one(make) -> None:
    for t in (make(2, 3), make((2, 3)), make([2, 3]), make(taeda.Size([2, 3])), make(size=(2, 3)), make(taeda.tensor(2), np.int64(3))):
        assert t.shape == (2, 3)
    assert make(()).shape == () and make(0, 3).shape == (0, 3)
    for bad, error in (((-1,), RuntimeError), (((2, -1),), RuntimeError), ((2.0,), TypeError), (("a",), TypeError), ((None,), TypeError), ((), TypeError),
                       ((2**40, 2**40), RuntimeError), ((2**62,), RuntimeError), ((taeda.tensor([2, 3]),), TypeError), ((2, (3,)), TypeError)):  # fmt: skip
        with pytest.raises(error):
            make(*bad)


def test_makers_take_dtype_device_requires_grad_and_out() -> None:
    assert taeda.zeros(2, dtype=taeda.int64).dtype is taeda.int64 and taeda.ones(2, device="meta").is_meta
    assert taeda.ones(2, requires_grad=True).requires_grad
    out = taeda.ones(3)
    assert taeda.zeros(2, out=out) is out and out.tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="floating point"):
        taeda.zeros(2, dtype=taeda.int64, requires_grad=True)
    with pytest.raises(TypeError, match="dtype must be"):
        taeda.zeros(2, dtype="int")


@pytest.mark.parametrize(("value", "dtype"), [(1, "int64"), (1.5, "float32"), (True, "bool"), (np.int64(2), "int64"), (taeda.tensor(3), "int64")])
def test_full_has_the_dtype_of_its_value(value: object, dtype: str) -> None:
    t = taeda.full((2,), value)
    assert t.dtype is getattr(taeda, dtype) and t.tolist() == [value, value]


def test_full_refuses_what_its_dtype_cannot_hold() -> None:
    with pytest.raises(RuntimeError, match="without overflow"):
        taeda.full((2,), 300, dtype=taeda.uint8)
    with pytest.raises(RuntimeError, match="without overflow"):
        taeda.full((2,), NAN, dtype=taeda.int64)
    with pytest.raises(TypeError, match="tuple of ints"):
        taeda.full(2, 1)


@pytest.mark.parametrize(("args", "wanted"), [
    ((5,), [0, 1, 2, 3, 4]), ((1, 5, 2), [1, 3]), ((5, 1, -1), [5, 4, 3, 2]), ((0,), []), ((1, 1), []), ((0, 1, 0.25), [0, 0.25, 0.5, 0.75]), ((2.5,), [0.0, 1.0, 2.0]),
])  # fmt: skip
def test_arange_counts(args: tuple[float, ...], wanted: list[float]) -> None:
    t = taeda.arange(*args)
    assert t.tolist() == wanted and t.dtype is (taeda.int64 if all(isinstance(a, int) for a in args) else taeda.float32)


def test_arange_of_floats_in_an_integer_dtype_counts_in_integers() -> None:
    assert taeda.arange(2.5, dtype=taeda.int64).tolist() == [0, 1]
    assert taeda.arange(0.5, 5, 1.5, dtype=taeda.int64).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="step"):
        taeda.arange(0, 5, 0.5, dtype=taeda.int64)


@pytest.mark.parametrize(("args", "error"), [
    ((5, 1), RuntimeError), ((1, 5, 0), RuntimeError), ((0, NAN), RuntimeError), ((0, INF), RuntimeError), (("a",), TypeError), ((taeda.zeros(3),), TypeError), ((2**63,), RuntimeError),
])  # fmt: skip
def test_arange_without_an_end_is_an_error(args: tuple[object, ...], error: type[Exception]) -> None:
    with pytest.raises((error, MemoryError)):
        taeda.arange(*args)


def test_linspace_and_logspace_hit_both_ends() -> None:
    assert taeda.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert taeda.linspace(3, 10, 1).tolist() == [3] and taeda.linspace(0, 1, 0).tolist() == []
    assert taeda.linspace(0, 10, 4, dtype=taeda.int64).tolist() == [0, 3, 6, 10]
    assert taeda.logspace(0, 2, 3).tolist() == [1, 10, 100]
    with pytest.raises(RuntimeError, match="non-negative"):
        taeda.linspace(0, 1, -1)
    with pytest.raises(TypeError, match="steps must be an int"):
        taeda.linspace(0, 1, 2.5)


def test_eye_is_the_identity() -> None:
    assert taeda.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]] and taeda.eye(0).shape == (0, 0)
    with pytest.raises(RuntimeError, match="greater or equal to 0"):
        taeda.eye(-1)


def test_likes_keep_dtype_and_dense_strides() -> None:
    x = taeda.zeros(2, 3, 4, dtype=taeda.float64).permute(2, 0, 1)
    assert (taeda.ones_like(x).stride(), taeda.ones_like(x).dtype) == (x.stride(), taeda.float64)
    assert taeda.zeros_like(taeda.zeros(3).expand(2, 3)).stride() == (3, 1)
    assert taeda.full_like(x, 2.5, dtype=taeda.int64).unique().tolist() == [2]
    assert taeda.empty(2, 3, 4, 5, memory_format=taeda.channels_last).stride() == (60, 1, 15, 3)
    with pytest.raises(TypeError, match="must be Tensor, not"):
        taeda.zeros_like([1])


def test_arrays_share_their_memory() -> None:
    a = np.zeros((2, 3))
    for t in (taeda.from_numpy(a), taeda.as_tensor(a), taeda.asarray(a)):
        t[0, 0] += 1
    assert a[0, 0] == 3 and taeda.from_numpy(a.T).stride() == (1, 3)
    assert taeda.tensor(a)[0, 0].add_(1).item() == 4 and a[0, 0] == 3


@pytest.mark.parametrize(("a", "error", "text"), [
    (np.arange(3)[::-1], ValueError, "negative"), (np.array(["a"]), TypeError, "can't convert"), (np.array([None]), TypeError, "can't convert"),
    (np.zeros(3, ">f4"), ValueError, "byte order"), (np.zeros(3, "datetime64[s]"), TypeError, "can't convert"), (np.float32(1), TypeError, "expected np.ndarray"),
    ([1], TypeError, "expected np.ndarray"), (None, TypeError, "expected np.ndarray"), (np.zeros(3, [("a", "u1"), ("b", "f4")])["b"], ValueError, "multiple of the element"),
])  # fmt: skip
def test_arrays_that_cannot_be_shared(a: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        taeda.from_numpy(a)


def test_read_only_memory_is_read_and_never_written() -> None:
    a = np.zeros(3)
    a.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        t = taeda.from_numpy(a)
    assert t.sum().item() == 0 and taeda.as_tensor(a).add_(1).tolist() == [1, 1, 1]
    with pytest.raises(RuntimeError, match="read-only memory"):
        t.add_(1)


def test_frombuffer_looks_at_part_of_a_buffer() -> None:
    b = bytearray(b"abcdefgh")
    t = taeda.frombuffer(b, dtype=taeda.uint8, offset=2, count=3)
    b[2] = 0
    assert t.tolist() == [0, ord("d"), ord("e")]
    for options in ({"offset": 3}, {"count": 3}, {"offset": 8}, {"offset": -1}, {"count": 0}):
        with pytest.raises(ValueError, match=r"^\[frombuffer\]"):
            taeda.frombuffer(b, dtype=taeda.int32, **options)
    for bad in ("abc", 3, bytearray()):
        with pytest.raises(ValueError, match=r"^\[frombuffer\]"):
            taeda.frombuffer(bad, dtype=taeda.uint8)


SIZES = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 127, 1000, 65535, 65536, 65537, 65536 + 31, 200003]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ["float32", "float64", "float16", "bfloat16"])
def test_numbers_in_even_steps_stay_on_the_line(n: int, name: str) -> None:
    dtype = getattr(taeda, name)
    eps = taeda.finfo(dtype).eps
    start, step = 0.7, 0.37
    for got, wanted in ((taeda.arange(start, start + step * (n - 0.5), step, dtype=dtype), start + step * np.arange(n)),
                        (taeda.linspace(start, -3.1, n, dtype=dtype), np.linspace(start, -3.1, n) if n > 1 else np.array([start]))):
        assert got.shape == (n,) and got.dtype is dtype
        found = got.to(taeda.float64).numpy()
        if name in ("float32", "float64"):       # linspace cancels near 0: an error of the ends' size
            assert np.abs(found - wanted).max() <= 2 * eps * np.abs(wanted).max()
        if n > 1 and np.abs(wanted).max() < taeda.finfo(dtype).max:
            ends = taeda.tensor([wanted[0], wanted[-1]], dtype=taeda.float64).to(dtype).to(taeda.float64)
            assert np.abs(found[[0, -1]] - ends.numpy()).max() <= eps * np.abs(wanted).max()


@pytest.mark.parametrize("n", [2, 9, 16, 31, 500])
def test_linspace_of_float32_is_one_fused_product_from_the_nearer_end(n: int) -> None:
    a, b = np.float32(-1.3), np.float32(2.9)
    step, i = np.float64((b - a) / np.float32(n - 1)), np.arange(n)
    wanted = np.where(i < n // 2, a.astype(np.float64) + step * i, b.astype(np.float64) - step * (n - 1 - i)).astype(np.float32)
    assert taeda.linspace(float(a), float(b), n).numpy().tobytes() == wanted.tobytes()
    z = taeda.linspace(complex(a, b), complex(b, 1), n, dtype=taeda.complex64)
    assert taeda.equal(z.real, taeda.linspace(float(a), float(b), n)) and taeda.equal(z.imag, taeda.linspace(float(b), 1, n))


def test_numbers_in_even_steps_do_not_depend_on_threads() -> None:
    assert_same_for_any_threads(
        lambda: [taeda.arange(0.1, 60000, 0.3), taeda.linspace(-1, 1, 200001), taeda.arange(0, 400, 0.002, dtype=taeda.float64)]
    )


def test_a_layout_is_given_or_refused_never_ignored() -> None:
    x, coo = taeda.ones(2, dtype=taeda.float64), taeda.sparse_coo
    for make in (taeda.zeros_like, lambda x, layout: x.new_zeros(2, layout=layout), lambda x, layout: x.new_empty(2, layout=layout)):
        found = make(x, layout=coo)
        assert found.layout is coo and found.dtype == taeda.float64 and found.to_dense().tolist() == [0, 0]
    refused = {
        "ones": lambda k: taeda.ones(2, layout=k), "full": lambda k: taeda.full((2,), 1.0, layout=k), "eye": lambda k: taeda.eye(2, layout=k),
        "arange": lambda k: taeda.arange(2, layout=k), "linspace": lambda k: taeda.linspace(0, 1, 2, layout=k),
        "logspace": lambda k: taeda.logspace(0, 1, 2, layout=k), "ones_like": lambda k: taeda.ones_like(x, layout=k),
        "full_like": lambda k: taeda.full_like(x, 2, layout=k), "empty_like": lambda k: taeda.empty_like(x, layout=k),
        "new_ones": lambda k: x.new_ones(2, layout=k), "new_full": lambda k: x.new_full((2,), 2, layout=k),
        "rand": lambda k: taeda.rand(2, layout=k), "randint": lambda k: taeda.randint(2, (2,), layout=k),
        "empty_strided": lambda k: taeda.empty_strided((2,), (1,), layout=k),
    }  # fmt: skip
    for name, make in refused.items():
        with pytest.raises(NotImplementedError, match=rf"^\[{name}\] the result is dense"):
            make(coo)
        with pytest.raises(TypeError, match=rf"^\[{name}\] argument 'layout' must be taeda.layout, not str"):
            make("strided")
        assert make(taeda.strided).layout is taeda.strided
    with pytest.raises(TypeError, match="must be taeda.layout"):
        taeda.zeros(2, layout="sparse_coo")


def test_an_empty_tensor_may_have_a_huge_dimension():
    assert taeda.zeros(0, 2**62).shape == (0, 2**62)
    for shape in ((2**62,), (1, 2**62), (0, 2**63)):
        with pytest.raises(RuntimeError, match="Storage size calculation overflowed"):
            taeda.zeros(shape)


def test_empty_strided_has_memory_of_its_own_as_far_as_the_strides_reach():
    x = taeda.empty_strided((2, 3), (1, 4), dtype=taeda.int16)
    assert x.stride() == (1, 4) and x.untyped_storage().nbytes() == 20 and x._base is None and not x._is_view()
    y = x.new_empty_strided((3,), (0,), requires_grad=False)
    assert y.dtype == taeda.int16 and y.untyped_storage().nbytes() == 2 and taeda.empty_strided((0, 5), (7, 9)).untyped_storage().nbytes() == 0
    assert taeda.empty_strided((), ()).shape == () and taeda.empty_strided((2,), (3,), device="meta").stride() == (3,)
    assert taeda.empty_strided((1,) * 9, (2,) * 9, requires_grad=True).requires_grad
    for size, stride in (((2**40, 2**40), (0, 0)), ((2**40,), (2**40,))):
        with pytest.raises(RuntimeError, match="overflowed"):
            taeda.empty_strided(size, stride)
    with pytest.raises(RuntimeError, match="mismatch in length"):
        x.new_empty_strided((2,), (1, 1))


@pytest.mark.parametrize(("data", "dtype"), [
    ([[], 1j], "complex64"), ([[], [1j]], "complex64"), ([[[]], [[1j]]], "complex64"), ([[], [[], 1j]], "complex64"), ([[], np.float64(1)], "float64"),
    ([[], True], "float32"), ([[], taeda.ones(2, dtype=taeda.float64)], "float64"),
])  # fmt: skip
def test_what_lies_beside_an_empty_sequence_has_its_say_in_the_dtype(data: object, dtype: str) -> None:
    t = taeda.tensor(data)
    assert t.dtype == getattr(taeda, dtype)
    assert t.numel() == 0
    with pytest.raises(TypeError, match="invalid data type"):
        taeda.tensor([[], "a"])


def test_arange_takes_complex_numbers_that_are_real() -> None:
    assert taeda.arange(3 + 0j).tolist() == [0.0, 1.0, 2.0]
    assert taeda.arange(0, 3 + 0j, dtype=taeda.int64).tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="imaginary part"):
        taeda.arange(3j)


@pytest.mark.parametrize("make", [taeda.linspace, taeda.logspace])
def test_ends_that_the_dtype_cannot_hold_are_refused(make) -> None:
    for start, end, dtype in ((NAN, 3, taeda.int64), (0, INF, taeda.uint8), (0, 300, taeda.uint8), (0, 1e5, taeda.float16), (1e39, 0, taeda.float32)):
        with pytest.raises(RuntimeError, match="without overflow"):
            make(start, end, 3, dtype=dtype)
    with pytest.raises(NotImplementedError, match="Bool"):
        make(0, 1, 2, dtype=taeda.bool)


def test_linspace_of_one_value_asks_for_the_start_alone() -> None:
    assert taeda.linspace(0, 300, 1, dtype=taeda.uint8).tolist() == [0]
    assert taeda.linspace(NAN, 1, 1, dtype=taeda.bool).tolist() == [True]
    assert taeda.linspace(0, NAN, 0, dtype=taeda.int64).tolist() == []
    assert taeda.linspace(-1, 5, 3, dtype=taeda.uint8).tolist() == [255, 130, 5]          # a negative end wraps around first


@pytest.mark.parametrize("make", [
    lambda out: taeda.linspace(1, 4, 4, out=out), lambda out: taeda.arange(1, 5, out=out), lambda out: taeda.range(1, 4, out=out),
    lambda out: taeda.logspace(0, 2, 4, out=out, base=2).floor_(),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:taeda.range")
def test_a_target_with_as_many_elements_keeps_its_shape(make) -> None:
    x = taeda.zeros(2, 3)
    out = x[:, 1:]
    assert make(out) is out and out.shape == (2, 2) and x[:, 0].tolist() == [0, 0]
    assert out.flatten().tolist() == make(taeda.empty(0)).tolist()


def test_values_in_a_target_are_counted_in_its_dtype() -> None:
    out = taeda.empty(90, 100, dtype=taeda.int32)
    assert taeda.equal(taeda.linspace(0, 9000, 9000, out=out).flatten(), taeda.linspace(0, 9000, 9000, dtype=taeda.int32))
    with pytest.warns(UserWarning, match=r"^The number of elements in the out tensor of shape \[3\] is 3"):
        assert taeda.arange(2, out=taeda.ones(3)).tolist() == [0, 1]


def test_complex_values_are_complex64_beside_a_narrow_default() -> None:
    before = taeda.get_default_dtype()
    try:
        for name, wanted in (("float16", "complex64"), ("float32", "complex64"), ("float64", "complex128")):
            taeda.set_default_dtype(getattr(taeda, name))
            assert taeda.full((2,), 1 + 1j).dtype is getattr(taeda, wanted)
    finally:
        taeda.set_default_dtype(before)


def test_sizes_whose_strides_overflow_are_refused() -> None:
    x = taeda.ones(2)
    with pytest.raises(RuntimeError, match="Stride calculation overflowed"):
        x.resize_(0, 4, 1 << 61)
    assert x.shape == (2,)
    with pytest.raises(RuntimeError, match="does not match layout of out"):
        taeda.zeros(2, layout=taeda.sparse_coo, out=x)


@pytest.mark.parametrize("make", [
    lambda **k: taeda.empty(3, **k), lambda **k: taeda.zeros(3, **k), lambda **k: taeda.ones(3, **k), lambda **k: taeda.full((3,), 2.0, **k),
    lambda **k: taeda.full((3,), 2, **k), lambda **k: taeda.eye(3, **k), lambda **k: taeda.arange(3.0, **k), lambda **k: taeda.linspace(0, 1, 3, **k),
])  # fmt: skip
def test_what_out_gives_is_the_leaf_that_requires_grad(make) -> None:
    out = taeda.ones(0)
    x = make(out=out, requires_grad=True)
    assert x is out and x.requires_grad and x.is_leaf
    x.sum().backward()
    assert x.grad is not None and not make(out=taeda.ones(0)).requires_grad
    with pytest.raises(RuntimeError, match="can require gradients, got int64"):
        taeda.full((3,), 2.0, out=taeda.ones(0, dtype=taeda.int64), requires_grad=True)


def test_grids_are_of_one_device() -> None:
    with pytest.raises(RuntimeError, match="expects all tensors to have the same device, got cpu, meta"):
        taeda.meshgrid(taeda.ones(1), taeda.ones(1, device="meta"), indexing="ij")


FILLED = {
    "arange": lambda out: taeda.arange(1, 4, out=out), "zeros": lambda out: taeda.zeros(3, out=out), "full": lambda out: taeda.full((3,), 2.0, out=out),
    "linspace": lambda out: taeda.linspace(0, 1, 3, out=out), "eye": lambda out: taeda.eye(3, out=out), "rand": lambda out: taeda.rand(3, out=out),
    "randint": lambda out: taeda.randint(0, 5, (3,), out=out), "randperm": lambda out: taeda.randperm(3, out=out),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:The number of elements in the out tensor", "ignore:An output with one or more elements was resized")
@pytest.mark.parametrize("name", FILLED)
def test_out_may_be_a_leaf_where_nothing_is_recorded_and_requires_no_grad_afterwards(name) -> None:
    for sizes in ((3, 3) if name == "eye" else (3,)), (2,):
        leaf = taeda.full(sizes, 5.0).requires_grad_()
        with pytest.raises(RuntimeError, match=rf"\[{name}\] functions with out=... arguments don't support automatic differentiation"):
            FILLED[name](leaf)
        assert leaf.requires_grad and leaf.tolist() == taeda.full(sizes, 5.0).tolist()
        taeda.manual_seed(0)
        wanted = FILLED[name](None)
        taeda.manual_seed(0)
        with taeda.no_grad():
            assert FILLED[name](leaf) is leaf
        assert not leaf.requires_grad and leaf.tolist() == wanted.tolist()


def test_normal_of_a_tensor_leaves_out_a_leaf_that_requires_grad() -> None:
    leaf = taeda.zeros(3, requires_grad=True)
    with taeda.no_grad():
        taeda.normal(taeda.full((3,), 4.0), 0.0, out=leaf)
    assert leaf.requires_grad and leaf.tolist() == [4, 4, 4]


def test_combinations_of_more_than_there_are_come_at_once() -> None:
    assert taeda.combinations(taeda.arange(3), 2**63 - 1).shape == (0, 2**63 - 1)
    with pytest.raises(RuntimeError):
        taeda.combinations(taeda.ones(1), 2**40, True)


def test_full_takes_a_number_or_a_tensor_without_dimensions_and_empty_knows_no_order_to_preserve() -> None:
    assert taeda.full((2,), taeda.tensor(3)).tolist() == [3, 3]
    with pytest.raises(TypeError, match="must be Number, not Tensor"):
        taeda.full((2,), taeda.tensor([3]))
    with pytest.raises(RuntimeError, match="unsupported memory format Preserve"):
        taeda.empty(2, 3, memory_format=taeda.preserve_format)
    with pytest.raises(RuntimeError, match="only accept 1D vector as repeat"):
        taeda.repeat_interleave(taeda.tensor(3))
