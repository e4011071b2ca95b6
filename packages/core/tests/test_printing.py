"""Printing: the texts that PyTorch 2.13 writes for the same tensors, and that no more is read than is shown."""

from __future__ import annotations

from typing import Any

import pytest

import taeda
from taeda import printing

# what is printed -> PyTorch's text (its dtypes are spelled taeda.x here)
TEXTS = [
    ("t.tensor([1., 2.])", "tensor([1., 2.])"),
    ("t.tensor([1.5, -2.25, 1000.])", "tensor([   1.5000,   -2.2500, 1000.0000])"),
    ("t.tensor([1e-5, 1.])", "tensor([1.0000e-05, 1.0000e+00])"),
    ("t.tensor([1e9])", "tensor([1.0000e+09])"),
    ("t.tensor([0.00001])", "tensor([1.0000e-05])"),
    ('t.tensor([float("nan"), 1.0])', "tensor([nan, 1.])"),
    ('t.tensor([float("nan"), 1.5, -float("inf")])', "tensor([   nan, 1.5000,   -inf])"),
    ("t.tensor([])", "tensor([])"),
    ("t.zeros(0, 3)", "tensor([], size=(0, 3))"),
    ("t.zeros(0, dtype=t.int64)", "tensor([], dtype=taeda.int64)"),
    ("t.tensor(3.25)", "tensor(3.2500)"),
    ("t.tensor(7)", "tensor(7)"),
    ("t.tensor(True)", "tensor(True)"),
    ("t.tensor([True, False])", "tensor([ True, False])"),
    ("t.tensor([-1, 200])", "tensor([ -1, 200])"),
    ("t.tensor([1, 255], dtype=t.uint8)", "tensor([  1, 255], dtype=taeda.uint8)"),
    ("t.tensor([1, -1], dtype=t.int32)", "tensor([ 1, -1], dtype=taeda.int32)"),
    ("t.tensor([1.5], dtype=t.float64)", "tensor([1.5000], dtype=taeda.float64)"),
    ("t.arange(6.).reshape(2, 3)", "tensor([[0., 1., 2.],\n        [3., 4., 5.]])"),
    ("t.arange(8).reshape(2, 2, 2)", "tensor([[[0, 1],\n         [2, 3]],\n\n        [[4, 5],\n         [6, 7]]])"),
    ("t.arange(1001)", "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (
        "t.zeros(40, 40)",
        "tensor([[0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0.,  ..., 0., 0., 0.],\n        ...,\n        [0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0.,  ..., 0., 0., 0.]])",  # noqa: E501
    ),
    (
        "t.zeros(11, 10, 10)",
        "tensor([[[0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         ...,\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.]],\n\n        [[0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         ...,\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.]],\n\n        [[0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         ...,\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.]],\n\n        ...,\n\n        [[0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         ...,\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.]],\n\n        [[0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         ...,\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.]],\n\n        [[0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         ...,\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.],\n         [0., 0., 0.,  ..., 0., 0., 0.]]])",  # noqa: E501
    ),
    (
        "t.arange(30.)",
        "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,\n        28., 29.])",  # noqa: E501
    ),
    ("t.ones(2, requires_grad=True)", "tensor([1., 1.], requires_grad=True)"),
    ("t.ones(2, requires_grad=True) + 1", "tensor([2., 2.], grad_fn=<AddBackward0>)"),
    ("t.ones(1, 3, dtype=t.float64, requires_grad=True)", "tensor([[1., 1., 1.]], dtype=taeda.float64, requires_grad=True)"),
    ('t.empty(2, 3, device="meta")', "tensor(..., device='meta', size=(2, 3))"),
    ('t.empty(2, device="meta", dtype=t.int64)', "tensor(..., device='meta', size=(2,), dtype=taeda.int64)"),
    ("t.arange(4.).reshape(2, 2).t()", "tensor([[0., 2.],\n        [1., 3.]])"),
    ("t.tensor([1e-8, 1.0, 1e8], dtype=t.float64)", "tensor([1.0000e-08, 1.0000e+00, 1.0000e+08], dtype=taeda.float64)"),
    ("t.zeros(2, 0, 5)", "tensor([], size=(2, 0, 5))"),
    ("t.tensor([0.1, 100000.])", "tensor([1.0000e-01, 1.0000e+05])"),
    ("t.full((3,), 123456789.)", "tensor([1.2346e+08, 1.2346e+08, 1.2346e+08])"),
    (
        "t.arange(20.) / 7",
        "tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,\n        1.2857, 1.4286, 1.5714, 1.7143, 1.8571, 2.0000, 2.1429, 2.2857, 2.4286,\n        2.5714, 2.7143])",  # noqa: E501
    ),
    ("t.tensor([1.5, -2.25]).half()", "tensor([ 1.5000, -2.2500], dtype=taeda.float16)"),
    ("t.tensor([65504.0, 1e-3]).half()", "tensor([6.5504e+04, 1.0004e-03], dtype=taeda.float16)"),
    ("t.tensor([1e-7]).half()", "tensor([1.1921e-07], dtype=taeda.float16)"),
    ("t.tensor([1 / 3, 1e30]).bfloat16()", "tensor([3.3398e-01, 1.0003e+30], dtype=taeda.bfloat16)"),
    ("t.tensor([0.1, 0.2]).bfloat16()", "tensor([0.1001, 0.2002], dtype=taeda.bfloat16)"),
    ("t.tensor([1, -128], dtype=t.int8)", "tensor([   1, -128], dtype=taeda.int8)"),
    ("t.tensor(5, dtype=t.int16)", "tensor(5, dtype=taeda.int16)"),
    ("t.tensor([65535], dtype=t.uint16)", "tensor([65535], dtype=taeda.uint16)"),
    ("t.tensor([2**32 - 1], dtype=t.uint32)", "tensor([4294967295], dtype=taeda.uint32)"),
    ("t.tensor([2**64 - 1], dtype=t.uint64)", "tensor([18446744073709551615], dtype=taeda.uint64)"),
    ("t.tensor(1 + 2j)", "tensor(1.+2.j)"),
    ("t.tensor([1 + 2j, 3 + 0j])", "tensor([1.+2.j, 3.+0.j])"),
    ("t.tensor([1 + 2j, -0.5 - 3e5j])", "tensor([ 1.0000+2.0000e+00j, -0.5000-3.0000e+05j])"),
    ("t.tensor([complex('nan'), complex('inf+nanj')])", "tensor([nan+0.j, inf+nanj])"),
    ("t.tensor([1 + 2j], dtype=t.complex128)", "tensor([1.+2.j], dtype=taeda.complex128)"),
    ("t.empty(0, 3, dtype=t.complex64)", "tensor([], size=(0, 3), dtype=taeda.complex64)"),
    ("t.empty(2, dtype=t.complex64, device='meta')", "tensor(..., device='meta', size=(2,), dtype=taeda.complex64)"),
    ("t.ones(2, dtype=t.complex64, requires_grad=True)", "tensor([1.+0.j, 1.+0.j], requires_grad=True)"),
    ("t.arange(1001).to(t.complex64)", "tensor([   0.+0.j,    1.+0.j,    2.+0.j,  ...,  998.+0.j,  999.+0.j, 1000.+0.j])"),
    ("t.zeros((2, 0), dtype=t.float16)", "tensor([], size=(2, 0), dtype=taeda.float16)"),
    (
        "t.tensor([[1 + 0.5j, -20.25j], [0, 1e3]])",
        "tensor([[   1.+0.5000j,   -0.-20.2500j],\n"
        "        [   0.+0.0000j, 1000.+0.0000j]])",
    ),
    ("t.tensor([-0.0, 0.0])", "tensor([-0., 0.])"),
    (
        "t.arange(12.0).to(t.complex128).reshape(3, 4).t()",
        "tensor([[ 0.+0.j,  4.+0.j,  8.+0.j],\n"
        "        [ 1.+0.j,  5.+0.j,  9.+0.j],\n"
        "        [ 2.+0.j,  6.+0.j, 10.+0.j],\n"
        "        [ 3.+0.j,  7.+0.j, 11.+0.j]], dtype=taeda.complex128)",
    ),
]


@pytest.fixture(autouse=True)
def default_options():
    taeda.set_printoptions(profile="default")
    yield
    taeda.set_printoptions(profile="default")


@pytest.mark.parametrize(("made", "text"), TEXTS, ids=[made for made, _ in TEXTS])
def test_prints_as_pytorch(made: str, text: str) -> None:
    t = eval(made, {"t": taeda})
    assert repr(t) == text
    assert str(t) == text


def test_options() -> None:
    x = taeda.tensor([1 / 3, 1000.0])
    taeda.set_printoptions(precision=2)
    assert repr(x) == "tensor([3.33e-01, 1.00e+03])"
    taeda.set_printoptions(precision=2, sci_mode=False)
    assert repr(x) == "tensor([   0.33, 1000.00])"
    taeda.set_printoptions(profile="short", threshold=5)
    assert repr(taeda.arange(9)) == "tensor([0, 1,  ..., 7, 8])"
    taeda.set_printoptions(profile="default", linewidth=20)
    assert repr(taeda.arange(9)) == "tensor([0, 1, 2, 3,\n        4, 5, 6, 7,\n        8])"
    taeda.set_printoptions(profile="full")
    assert repr(taeda.zeros(2000)).count("0.") == 2000
    taeda.set_printoptions(profile="long", precision=3)                 # unknown, so nothing but what is given
    assert repr(taeda.tensor([0.5])) == "tensor([0.500])" and repr(taeda.zeros(2000)).count("0.") == 2000
    taeda.set_printoptions(profile="Default")


def test_printoptions_are_put_back() -> None:
    before = printing.get_printoptions()
    with pytest.raises(KeyError), printing.printoptions(precision=1, sci_mode=True):
        assert repr(taeda.tensor([0.25])) == "tensor([2.5e-01])"
        raise KeyError
    assert printing.get_printoptions() == before


def test_a_suffix_that_does_not_fit_goes_to_the_next_line() -> None:
    x = taeda.arange(9, dtype=taeda.float64, requires_grad=True)
    assert repr(x) == ("tensor([0., 1., 2., 3., 4., 5., 6., 7., 8.], dtype=taeda.float64,\n       requires_grad=True)")


class Counting:
    """A tensor that counts what is read of it."""

    def __init__(self, t: Any, read: list[int]) -> None:
        self.t, self.read = t, read

    def __getattr__(self, name: str) -> Any:
        return getattr(self.t, name)

    def detach(self) -> Counting:
        return self

    def __getitem__(self, index: Any) -> Counting:
        return Counting(self.t[index], self.read)

    def tolist(self) -> Any:
        self.read[0] += self.t.numel()
        return self.t.tolist()


def test_of_a_large_tensor_only_what_is_shown_is_read() -> None:
    read = [0]
    printing.tensor_str(Counting(taeda.zeros(300, 400, 5), read))
    assert read[0] == 6 * 6 * 5


def test_default_dtype_goes_without_saying() -> None:
    taeda.set_default_dtype(taeda.float64)
    assert repr(taeda.tensor([1.5])) == "tensor([1.5000])"
    assert repr(taeda.tensor([1.5], dtype=taeda.float32)) == "tensor([1.5000], dtype=taeda.float32)"


def test_a_subclass_is_named_and_contents_can_be_given() -> None:
    class Mine(taeda.Tensor):
        pass

    assert printing.tensor_str(taeda.tensor([1.0]).as_subclass(Mine)) == "Mine([1.])"
    assert printing.tensor_str(taeda.tensor([1.0]), tensor_contents="...") == "tensor(...)"

    class Told(taeda.Tensor):
        def __repr__(self):
            return super().__repr__(tensor_contents="secret")

    assert repr(taeda.ones(2).as_subclass(Told)) == "Told(secret)"
    assert taeda.ones(1).__repr__(tensor_contents="x") == "tensor(x)" and str(taeda.ones(1)) == "tensor([1.])"


def test_printing_records_nothing_and_changes_nothing() -> None:
    x = taeda.ones(3, requires_grad=True) * 2
    version = x._version
    repr(x)
    assert x._version == version and x.grad_fn.name() == "MulBackward0"


def test_the_default_dtype_decides_which_complex_one_goes_without_saying() -> None:
    x = taeda.tensor([1 + 2j], dtype=taeda.complex128)
    taeda.set_default_dtype(taeda.float64)
    assert repr(x) == "tensor([1.+2.j])"
    assert repr(x.to(taeda.complex64)) == "tensor([1.+2.j], dtype=taeda.complex64)"
    assert repr(x[:0]) == "tensor([], dtype=taeda.complex128)"


def test_a_scalar_is_formatted_as_its_number() -> None:
    assert f"{taeda.tensor(3.14159, requires_grad=True):.2f}" == "3.14"
    assert f"{taeda.tensor(7)} {taeda.tensor(3.25)} {taeda.tensor(True)}" == "7 3.25 True"
    assert f"{taeda.tensor(1 + 2j):.1f}" == "1.0+2.0j" and f"{taeda.tensor(1.5).half():8.3e}" == "1.500e+00"
    assert f"{taeda.tensor([1.0])}" == "tensor([1.])" and format(float(taeda.tensor(2.5)), ".3f") == "2.500"
    with pytest.raises(TypeError, match="unsupported format string"):
        f"{taeda.tensor([1.0]):.2f}"


def test_parts_of_a_complex_tensor_have_their_own_notation() -> None:
    x = taeda.tensor([1 + 1e-9j, 2 + 1j])
    assert repr(x) == "tensor([1.+1.0000e-09j, 2.+1.0000e+00j])"
    with printing.printoptions(sci_mode=False, precision=2):
        assert repr(x) == "tensor([1.+0.00j, 2.+1.00j])"
    with printing.printoptions(linewidth=20):
        assert repr(taeda.full((2,), 1 + 1j)) == "tensor([1.+1.j,\n        1.+1.j])"
