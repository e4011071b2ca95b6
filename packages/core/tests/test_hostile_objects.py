"""Objects that lie about themselves, or change while they are read: an exception, and no memory but the tensor's own."""

from __future__ import annotations

import ctypes
import inspect
import io
from typing import Any

import numpy as np
import pytest

import taeda


def told(kind: type, length: int) -> type:
    """A class of lists or tuples that say a length of their own."""
    return type(kind.__name__, (kind,), {"__len__": lambda self: length})


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("length", [1, 100])
def test_a_sequence_that_lies_about_its_length(kind: type, length: int) -> None:
    lying = told(kind, length)
    for items in ([1.5] * 50_000, [1] * 50_000, [True] * 50_000, [1j] * 50_000, [[1.0]] * 50_000):
        with pytest.raises(ValueError, match=r"^\[tensor\] 50000 numbers for sequences that say that they have shape"):
            taeda.tensor(lying(items))
    with pytest.raises(ValueError, match=r"^\[tensor\] 6 numbers"):
        taeda.tensor([lying([1, 2, 3]), lying([1, 2, 3])])
    with pytest.raises((ValueError, IndexError)):
        taeda.ones(3, 3)[told(list, 100)([told(kind, 100)([0, 1])] * 2)]
    assert taeda.tensor(told(kind, 0)([1.0])).shape == (0,)


class Emptying:
    """A number that empties a list when it is asked for its dtype, as NumPy's are."""

    __array_interface__: Any = None

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    @property
    def dtype(self) -> Any:
        self.rows[-1].clear()
        return np.dtype("float64")


def test_a_list_that_changes_while_it_is_read() -> None:
    rows: list[Any] = [[1.0, 2.0], [3.0, 4.0]]
    rows[0][1] = Emptying(rows)
    with pytest.raises((ValueError, RuntimeError), match=r"^\[tensor\]"):
        taeda.tensor(rows)


class Endless:
    """Has an item at every position, and says that it has three."""

    def __init__(self, item: Any) -> None:
        self.item = item

    def __len__(self) -> int:
        return 3

    def __getitem__(self, k: int) -> Any:
        assert k < 1000, "read without an end"
        return self.item


def endless(self: Any) -> Any:
    for _ in range(1000):
        yield 2.5
    raise AssertionError("read without an end")


def test_a_sequence_that_has_no_end() -> None:
    assert taeda.tensor(Endless(1.5)).tolist() == [1.5] * 3
    assert taeda.tensor(Endless([1, 2])).tolist() == [[1, 2]] * 3
    assert taeda.tensor([Endless(True)]).tolist() == [[True] * 3]
    kind = type("Lasting", (list,), {"__iter__": endless})
    assert taeda.tensor(kind([1.0, 2.0])).tolist() == [2.5, 2.5]
    assert taeda.tensor([kind([1.0])]).tolist() == [[2.5]]


class Growing:
    """A number that lengthens a list each time it is asked for its dtype."""

    __array_interface__: Any = None

    def __init__(self, rows: list[Any], wrap: bool) -> None:
        self.rows, self.wrap = rows, wrap

    @property
    def dtype(self) -> Any:
        assert len(self.rows) < 1000, "read without an end"
        self.rows.append([self] if self.wrap else self)
        return np.dtype("float64")


@pytest.mark.parametrize("wrap", [False, True])
def test_a_list_that_grows_while_it_is_read(wrap: bool) -> None:
    rows: list[Any] = [[1.0]] if wrap else [1.0]
    growing = Growing(rows, wrap)
    rows.append([growing] if wrap else growing)
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        taeda.tensor(rows)


def test_sizes_without_a_product_are_refused_before_items_are_read() -> None:
    huge = type("Huge", (Endless,), {"__len__": lambda self: 1 << 62})
    for make in (taeda.tensor, taeda.Tensor, taeda.LongTensor, taeda.as_tensor):
        with pytest.raises(RuntimeError, match="Storage size calculation overflowed"):
            make(huge(1))


@pytest.mark.parametrize("number", [int, float, complex])
def test_a_number_with_dlpack_is_a_number(number: type) -> None:
    kind = type("Number", (number,), {"__dlpack__": lambda self, **options: 1 / 0})
    assert taeda.tensor(kind(3)).tolist() == taeda.as_tensor(kind(3)).tolist() == 3
    assert taeda.asarray([kind(3)]).tolist() == [3]


def test_sequences_that_hold_themselves_or_are_nested_without_end() -> None:
    deep: list[Any] = []
    deep.append(deep)
    nested: list[Any] = []
    for _ in range(300_000):
        nested = [nested]
    for data in (deep, [[], deep], [[], [1], nested], nested):
        with pytest.raises(ValueError, match=r"^\[tensor\] too many dimensions 'list'"):
            taeda.tensor(data)


class Lent(ctypes.Structure):
    """DLPack's managed tensor."""

    _fields_ = (
        ("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("ndim", ctypes.c_int32), ("kind", ctypes.c_uint8),
        ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)), ("offset", ctypes.c_uint64), ("context", ctypes.c_void_p), ("free", ctypes.c_void_p),
    )  # fmt: skip


def capsule(address: int, shape: Any, strides: Any) -> Any:
    """A capsule of float32 numbers."""
    sizes = [(ctypes.c_int64 * len(numbers))(*numbers) if numbers else None for numbers in (shape, strides)]
    lent = Lent(address, (ctypes.c_int32 * 2)(1, 0), 3 if shape is None else len(shape), 2, 32, 1, *sizes, 0, None, None)
    kept.append(lent)
    make = ctypes.pythonapi.PyCapsule_New
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return make(ctypes.addressof(lent), b"dltensor", None)


kept: list[Any] = []             # what capsules point at


@pytest.mark.parametrize(
    ("shape", "strides"),
    [((2**62, 2**62), (0, 0)), ((2**62, 2**62), None), ((2**32, 2**31), None), ((2, 3), (2**62, 1)), ((3, 3), (2**62, 2**62))],
)
def test_a_capsule_of_sizes_beyond_64_bits(shape: Any, strides: Any) -> None:
    memory = (ctypes.c_float * 16)()
    with pytest.raises(BufferError, match=r"^\[from_dlpack\] the sizes have more than 64 bits"):
        taeda.from_dlpack(capsule(ctypes.addressof(memory), shape, strides))


def test_a_capsule_of_no_memory() -> None:
    with pytest.raises(BufferError, match=r"^\[from_dlpack\] 6 elements lie at address 0"):
        taeda.from_dlpack(capsule(0, (2, 3), None))
    assert taeda.from_dlpack(capsule(0, (2, 0), None)).shape == (2, 0)


def test_a_capsule_of_dimensions_without_sizes() -> None:
    memory = (ctypes.c_float * 16)()
    with pytest.raises(BufferError, match=r"^\[from_dlpack\] 3 dimensions without sizes"):
        taeda.from_dlpack(capsule(ctypes.addressof(memory), None, None))
    assert taeda.from_dlpack(capsule(ctypes.addressof(memory), (), None)).shape == ()


class Relaying(int):
    """A number that moves a tensor to other memory when it is asked for its value."""

    x: taeda.Tensor
    shape: tuple[int, ...]

    def relaid(self) -> None:
        self.x.set_(taeda.zeros(self.shape))

    def __float__(self) -> float:
        self.relaid()
        return 1.0


class Index:
    def __init__(self, number: Relaying) -> None:
        self.number = number

    def __index__(self) -> int:
        self.number.relaid()
        return 0


@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_a_slice_that_changes_the_tensor_it_is_an_index_of(shape: tuple[int, ...]) -> None:
    number = Relaying(0)
    for write in (False, True):
        number.x, number.shape = taeda.zeros(100, 100), shape
        with pytest.raises((RuntimeError, IndexError), match=r"^\[(getitem|setitem)\] (too many indices|an object in the index changed)"):
            if write:
                number.x[5, Index(number) : 90] = 1.0  # type: ignore[misc]
            else:
                number.x[5, Index(number) : 90]  # type: ignore[misc]


def test_a_number_that_changes_the_tensor_it_is_assigned_to() -> None:
    number = Relaying(1)
    number.x, number.shape = taeda.zeros(100, 100), (1, 1)
    with pytest.raises(IndexError, match=r"^\[setitem\] index 5 is out of bounds"):
        number.x[5, 7] = number


def test_a_list_of_strides_that_empties_itself() -> None:
    strides: list[Any] = []

    class Last:
        def __index__(self) -> int:
            strides.clear()
            return 1

    strides += [Last(), 1]
    assert taeda.conv2d(taeda.ones(1, 1, 4, 4), taeda.ones(1, 1, 2, 2), stride=strides).shape == (1, 1, 3, 3)


def test_indices_that_are_no_sequence_are_refused_before_they_are_looked_at() -> None:
    for indices in ("a", {0: 1}, taeda.tensor([1])):
        with pytest.raises(TypeError, match=r"^\[index_put_\] argument 'indices' \(position 1\) must be tuple of Tensors"):
            taeda.zeros(2).index_put_(indices, taeda.tensor(1))  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.bfloat16])
@pytest.mark.parametrize("draw", [1e9, -1e9, 1e30, float("nan"), float("inf")])
def test_draws_outside_of_their_range_lead_to_no_window_outside(dtype: taeda.dtype, draw: float) -> None:
    x = taeda.arange(80.0 * 80, dtype=taeda.float32).to(dtype).view(1, 1, 80, 80)
    y, at = taeda.ops.fractional_max_pool2d(x, 2, 40, taeda.full((1, 1, 2), draw, dtype=dtype))
    assert 0 <= at.min() <= at.max() < 6400 and y.equal(x.flatten()[at.flatten()].view(1, 1, 40, 40))


class Float:
    """A number that moves a tensor to other memory when it is asked for its value."""

    def __init__(self, x: taeda.Tensor) -> None:
        self.x = x

    def __float__(self) -> float:
        self.x.set_(taeda.zeros(1))
        return 1.0

    def __lt__(self, other: float) -> bool:
        return False


@pytest.mark.parametrize("name", ["attention", "addmm", "scatter", "batch_norm", "lstsq"])
def test_a_number_that_moves_an_operand_is_asked_before_that_is_checked(name: str) -> None:
    ops, x, y = taeda.ops, taeda.zeros(50, 50), taeda.zeros(50, 50)
    number: Any = Float(x)
    calls = {
        "attention": lambda: ops.scaled_dot_product_attention(x, y, y, scale=number),
        "addmm": lambda: taeda.addmm(y, x, y, beta=number),
        "scatter": lambda: x.scatter_(0, y.long(), value=number),
        "batch_norm": lambda: ops.batch_norm(x, y[0], y[1], training=False, eps=number),
        "lstsq": lambda: taeda.linalg.lstsq(x, y, rcond=number),
    }
    with pytest.raises(RuntimeError, match="imension|matrix|larger|no larger"):
        calls[name]()


@pytest.mark.parametrize("says", [-7, 1 << 30])
def test_a_file_that_lies_about_what_it_has_read(says: int) -> None:
    """A negative number led back to the same place without an end; one too large left memory as it was."""
    asked = []

    def readinto(self: Any, block: memoryview) -> int:
        asked.append(len(block))
        assert len(asked) < 100, "read without an end"
        return says

    file = type("Lying", (io.BytesIO,), {"readinto": readinto})()
    taeda.save({"a": taeda.ones(1000)}, file)
    file.seek(0)
    with pytest.raises(RuntimeError, match=rf"its object says that it has read {says} bytes of \d+"):
        taeda.load(file)


def test_requires_grad_of_what_is_no_tensor_is_refused() -> None:
    for other in (None, 1.0, [taeda.ones(2)]):
        with pytest.raises(TypeError, match=r"\[requires_grad_\] the method of a Tensor was given"):
            taeda.Tensor.requires_grad_(other)


@pytest.mark.parametrize("owner", [taeda.Generator, taeda.UntypedStorage, taeda.dtype, type(taeda.ones(1, requires_grad=True).exp().grad_fn)])
def test_methods_of_the_classes_beside_tensor_refuse_what_is_not_theirs(owner: type) -> None:
    """Called through the class, some read the other object's memory as if it were theirs."""
    methods = {name: f for k in owner.__mro__ if k is not object for name, f in vars(k).items() if inspect.ismethoddescriptor(f)}
    methods = {name: f for name, f in methods.items() if not name.startswith("__") and not isinstance(f, staticmethod | classmethod)}
    assert len(methods) > 1
    for name, f in methods.items():
        for other in ("x", 3, object()):
            with pytest.raises(TypeError, match=f"descriptor '{name}'.*doesn't apply to|requires a"):
                f(other)
        assert str(inspect.signature(f)).startswith("(self, /")
