"""Promotion of the six dtypes, limits, the default dtype, names."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest

import taeda

ORDER = ("bool", "uint8", "int32", "int64", "float32", "float64")
PAIRS = list(itertools.product(ORDER, ORDER))
KIND = {"bool": 0, "uint8": 1, "int32": 1, "int64": 1, "float32": 2, "float64": 2}


def dtype(name: str) -> taeda.dtype:
    return getattr(taeda, name)


def one(name: str, dims: int) -> taeda.Tensor:
    return taeda.ones((1,) * dims, dtype=dtype(name))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_two_tensors_of_dimensions_give_the_later_dtype_in_the_order(a: str, b: str) -> None:
    wanted = dtype(ORDER[max(ORDER.index(a), ORDER.index(b))])
    assert taeda.promote_types(dtype(a), dtype(b)) is wanted
    assert (one(a, 1) * one(b, 1)).dtype is wanted
    assert taeda.result_type(one(a, 1), one(b, 2)) is wanted


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_a_0d_tensor_counts_only_by_a_higher_kind(a: str, b: str) -> None:
    wanted = dtype(b) if KIND[b] > KIND[a] else dtype(a)
    assert (one(a, 1) * one(b, 0)).dtype is wanted
    assert (one(b, 0) * one(a, 1)).dtype is wanted


@pytest.mark.parametrize("a", ORDER)
@pytest.mark.parametrize(("number", "kind", "result"), [(True, 0, "bool"), (2, 1, "int64"), (2.5, 2, "float32")])
@pytest.mark.parametrize("dims", [0, 1])
def test_a_python_number_counts_only_by_a_higher_kind(a: str, number: float, kind: int, result: str, dims: int) -> None:
    wanted = dtype(result) if kind > KIND[a] else dtype(a)
    assert (one(a, dims) * number).dtype is wanted
    assert (number * one(a, dims)).dtype is wanted


def test_division_of_integers_is_in_the_default_float_dtype() -> None:
    assert (one("int64", 1) / 2).dtype is taeda.float32
    taeda.set_default_dtype(taeda.float64)
    assert (one("int64", 1) / 2).dtype is taeda.float64
    assert taeda.tensor(1.5).dtype is taeda.float64 is taeda.get_default_dtype()


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float64"])
def test_whole_numbers_with_a_float_and_legacy_tensors_have_the_default_dtype(name: str) -> None:
    taeda.set_default_dtype(dtype(name))
    x = one("int64", 1)
    found = x / 2, x * 1.5, 1.5 - x, x.add(1.5), taeda.Tensor([1, 2]), taeda.Tensor(2)
    assert {t.dtype for t in found} == {dtype(name)}


@pytest.mark.parametrize("bad", [taeda.int64, taeda.bool])
def test_only_a_floating_point_dtype_can_be_the_default(bad: taeda.dtype) -> None:
    with pytest.raises(TypeError, match=r"^\[set_default_dtype\] only floating-point"):
        taeda.set_default_dtype(bad)


def test_a_result_is_never_stored_in_a_lower_kind() -> None:
    assert [taeda.can_cast(dtype(a), dtype(b)) for a, b in (("int64", "uint8"), ("float64", "float32"), ("float32", "int64"), ("int32", "bool"))] == [
        True, True, False, False]  # fmt: skip
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        one("int64", 1).add_(1.5)


def test_limits_of_floats_and_integers() -> None:
    f = taeda.finfo(taeda.float32)
    assert (f.bits, f.eps, f.max, f.min, f.tiny) == (32, 2.0**-23, 3.4028234663852886e38, -3.4028234663852886e38, 2.0**-126)
    assert taeda.finfo(taeda.float64).eps == 2.0**-52
    i = taeda.iinfo(taeda.int32)
    assert (i.bits, i.min, i.max) == (32, -(2**31), 2**31 - 1)
    assert taeda.iinfo(taeda.uint8).max == 255
    with pytest.raises(TypeError, match="needs a floating-point dtype"):
        taeda.finfo(taeda.int32)
    with pytest.raises(TypeError, match="needs an integer dtype"):
        taeda.iinfo(taeda.float32)


def test_dtypes_are_single_objects_with_names() -> None:
    assert (repr(taeda.float32), str(taeda.bool), taeda.float, taeda.long) == ("taeda.float32", "taeda.bool", taeda.float32, taeda.int64)
    assert pickle.loads(pickle.dumps(taeda.int32)) is taeda.int32 is copy.deepcopy(taeda.int32)
    assert [dtype(n).itemsize for n in ORDER] == [1, 1, 4, 8, 4, 8]
    assert [dtype(n).is_floating_point for n in ORDER] == [False] * 4 + [True] * 2
    assert taeda.float32 != "float32"
    with pytest.raises(TypeError):
        taeda.dtype()


@pytest.mark.parametrize(
    ("name", "legacy"), [("float32", "Float"), ("float64", "Double"), ("int64", "Long"), ("int32", "Int"), ("uint8", "Byte"), ("bool", "Bool")]
)
def test_legacy_type_names_go_both_ways(name: str, legacy: str) -> None:
    x = one(name, 1)
    assert x.type() == f"taeda.{legacy}Tensor"
    assert one("int64", 1).type(f"torch.{legacy}Tensor").dtype is dtype(name)


@pytest.mark.parametrize(("bad", "error"), [("foo", ValueError), (3, TypeError)])
def test_an_unknown_type_is_refused(bad: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^\[type\]"):
        one("int64", 1).type(bad)


@pytest.mark.parametrize("name, largest, eps", [
    ("float8_e4m3fn", 448.0, 0.125), ("float8_e5m2", 57344.0, 0.25), ("float8_e4m3fnuz", 240.0, 0.125),
    ("float8_e5m2fnuz", 57344.0, 0.125), ("float8_e8m0fnu", 2.0**127, 1.0),
])  # fmt: skip
def test_limits_of_eight_bit_floats(name: str, largest: float, eps: float) -> None:
    d = getattr(taeda, name)
    assert repr(d) == f"taeda.{name}" and d.itemsize == 1 and d.is_floating_point and not d.is_complex
    assert d.is_signed == (name != "float8_e8m0fnu") and d.to_real() is d and pickle.loads(pickle.dumps(d)) is d and d != taeda.float16
    info = taeda.finfo(d)
    assert (info.bits, info.max, info.eps, info.min) == (8, largest, eps, -largest if d.is_signed else info.tiny)


def test_four_bit_floats_and_quantised_numbers_are_names_that_no_tensor_has() -> None:
    for d in (taeda.float4_e2m1fn_x2, taeda.qint8):
        for call in (lambda: taeda.ones(2, dtype=d), lambda: taeda.ones(2).to(d), lambda: taeda.promote_types(d, taeda.float32)):
            with pytest.raises(NotImplementedError, match=f"{d.name} is a name only"):
                call()
        with pytest.raises(NotImplementedError, match="name only"):
            taeda.set_autocast_dtype("cpu", d)
    for bits in range(1, 8):
        for d, signed in ((getattr(taeda, f"int{bits}"), True), (getattr(taeda, f"uint{bits}"), False)):
            assert (d.is_signed, d.itemsize, d.is_floating_point) == (signed, 1, False) and pickle.loads(pickle.dumps(d)) is d
            with pytest.raises(NotImplementedError, match=f"{d.name} is a name only"):
                taeda.zeros(2, dtype=d)


def test_limits_are_one_object_a_dtype_that_cannot_be_changed():
    limits = taeda.finfo(taeda.float32)
    assert limits is taeda.finfo(taeda.float32) and limits is not taeda.finfo(taeda.float64) and limits == taeda.finfo(taeda.complex64)
    with pytest.raises(AttributeError, match=r"\[finfo\] attribute 'eps'"):
        limits.eps = 1.0
    assert taeda.finfo(taeda.float32).eps == 2.0**-23 and taeda.iinfo(taeda.int8).max == 127
    taeda.set_default_dtype(taeda.float64)
    try:
        assert taeda.finfo().bits == 64
    finally:
        taeda.set_default_dtype(taeda.float32)
    assert taeda.finfo().bits == 32


def test_result_type_asks_ints_for_their_kind_alone() -> None:
    assert taeda.result_type(taeda.ones(2, dtype=taeda.uint8), 2**63) == taeda.uint8
    assert taeda.result_type(2**64 - 1, taeda.ones(2)) == taeda.float32
    for x in (2**64, -(2**63) - 1):
        with pytest.raises(OverflowError, match="too big"):
            taeda.result_type(taeda.ones(2), x)


def test_float_power_writes_into_its_own_dtype_only() -> None:
    x = taeda.tensor([4.0, 9.0])
    assert taeda.float_power(x, 0.5, out=taeda.empty(2, dtype=taeda.float64)).tolist() == [2.0, 3.0]
    for out, exponent in ((taeda.float32, 2), (taeda.complex128, 2), (taeda.complex64, 2j), (taeda.float64, 2j)):
        with pytest.raises(RuntimeError, match="requires dtype"):
            taeda.float_power(x, exponent, out=taeda.empty(2, dtype=out))
    z = taeda.tensor([2j], dtype=taeda.complex128)
    assert z.float_power_(2).real.tolist() == [-4.0]
    for exponent in (2j, taeda.tensor(2j)):
        with pytest.raises(RuntimeError, match="requires dtype complex128"):
            taeda.ones(1, dtype=taeda.float64).float_power_(exponent)


@pytest.mark.parametrize(("number", "dtype", "found"), [
    (float("inf"), taeda.int32, -(2**31)), (float("nan"), taeda.int64, -(2**63)), (3e9, taeda.int32, -(2**31)), (300, taeda.uint8, 44),
    (-1, taeda.uint8, 255), (2**40, taeda.int32, 0), (2**63, taeda.int64, -(2**63)), (2**63, taeda.uint64, 2**63), (2.9, taeda.int8, 2),
    (0.5, taeda.bool, True), (True, taeda.float32, 1.0), (1j, taeda.complex64, 1j), (np.float32(1.5), taeda.float32, 1.5),
    (np.float64(300), taeda.int8, 44), (np.int64(3), taeda.int64, 3), (1e9, taeda.float16, float("inf")),
])  # fmt: skip
def test_copy_of_a_number_converts_as_an_element_does(number: Any, dtype: Any, found: Any) -> None:
    assert taeda.zeros(2, dtype=dtype).copy_(number).tolist() == [found, found]


def test_copy_of_a_number_beyond_64_bits_is_refused() -> None:
    for number in (2**64, -(2**63) - 1):
        with pytest.raises(OverflowError, match=r"\[copy_\]"):
            taeda.zeros(2).copy_(number)
    with pytest.raises(TypeError, match=r"\[copy_\] argument must be Tensor, not str"):
        taeda.zeros(2).copy_("1")


def test_short_names_of_listings() -> None:
    names = ["float32", "int64", "bool", "bfloat16", "complex32", "uint8", "float8_e5m2", "float8_e4m3fnuz", "float8_e8m0fnu", "qint8", "uint3"]
    assert [getattr(taeda, n).abbr for n in names] == "f32 i64 b8 bf16 c32 u8 f8e5m2 f8e4m3fnuz f8e8m0fnu qint8 uint3".split()
    assert taeda.float4_e2m1fn_x2.abbr == "f4e2m1fnx2"
