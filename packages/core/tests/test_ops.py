"""Every row of every op: forward, derivatives, layouts, forms, meta device, errors."""

from __future__ import annotations

import pytest

import harness
import taeda
from opinfo import Call, Row

ROWS = harness.load_rows()
IDS = harness.row_ids(ROWS)
rows = pytest.mark.parametrize("row", ROWS, ids=IDS)


@pytest.mark.parametrize(
    ("row", "dtype"),
    [pytest.param(r, d, id=f"{i}-{d}") for r, i in zip(ROWS, IDS, strict=True) for d in r.dtypes],
)
def test_forward_agrees_with_the_reference(row: Row, dtype: str) -> None:
    assert harness.check_forward(taeda, row, dtype) > 0


@rows
def test_first_derivative(row: Row) -> None:
    if not row.grad:
        pytest.skip("not differentiable")
    assert harness.check_gradient(taeda, row, 1) > 0


@rows
def test_second_derivative(row: Row) -> None:
    if not (row.grad and row.gradgrad):
        pytest.skip("not twice differentiable")
    harness.check_gradient(taeda, row, 2)


@rows
def test_layout_of_inputs_changes_no_value(row: Row) -> None:
    if not row.layout:
        pytest.skip("the op is about the layout")
    assert harness.check_strided(taeda, row) > 0


@rows
def test_expanded_inputs_change_no_value(row: Row) -> None:
    if not row.layout or row.torch is None and row.reference is None:
        pytest.skip("the op is about the layout, or draws at random")
    harness.check_expanded(taeda, row)


@pytest.mark.parametrize("row", [r for r in ROWS if r.out], ids=[i for r, i in zip(ROWS, IDS, strict=True) if r.out])
def test_out_is_resized_or_refused(row: Row) -> None:
    assert harness.check_out(taeda, row) > 0


@rows
def test_method_in_place_and_out_agree(row: Row) -> None:
    harness.check_forms(taeda, row)


IN_PLACE = [(row, name) for row, name in zip(ROWS, IDS, strict=True) if row.inplace and row.grad]


@pytest.mark.parametrize("row", [row for row, _ in IN_PLACE], ids=[name for _, name in IN_PLACE])
def test_derivative_in_place(row: Row) -> None:
    harness.check_gradient_in_place(taeda, row)


@rows
def test_meta_device_gives_shapes(row: Row) -> None:
    harness.check_meta(taeda, row)


ERRORS = [pytest.param(r, *e, id=f"{i}-{n}") for r, i in zip(ROWS, IDS, strict=True) for n, e in enumerate(r.errors)]


@pytest.mark.parametrize(("row", "call", "error", "text"), ERRORS)
def test_errors_say_what_is_wrong(row: Row, call: Call, error: type[BaseException], text: str) -> None:
    args, kwargs, _ = harness.tensors(taeda, call)
    with pytest.raises(error, match=text) as caught:
        harness.run_quietly(harness.find(taeda, row.name), *args, **kwargs)
    assert str(caught.value).startswith("["), f"the message must name the op: {caught.value}"


def test_every_public_function_with_a_derivative_has_a_row() -> None:
    named = {row.name for row in ROWS} | {row.inplace for row in ROWS}
    aliases = {id(f) for name, f in taeda.ops.__dict__.items() if name in named}
    missing = sorted(
        name
        for name, f in taeda.ops.PUBLIC.items()
        if not name.endswith("_") and name not in named and id(f) not in aliases and name not in WITHOUT_ROW
    )
    assert missing == [], f"no row for {missing}"


# what has no values to compare, and conversions of other libraries' objects: tested by files of their own
WITHOUT_ROW: set[str] = {
    "rand", "rand_like", "randint", "randn", "randn_like", "randperm", "empty", "empty_like", "empty_strided", "tensor", "as_tensor",
    "asarray", "from_numpy", "frombuffer", "broadcast_shapes", "broadcast_tensors", "empty_permuted",
    "is_distributed", "is_neg", "is_signed",
    "native_dropout",                   # random: test_dropout.py
    "istft",                            # of complex tensors: test_fft.py
    "dsmm", "hspmm", "smm", "spmm", "sspaddmm",        # of sparse matrices: test_sparse.py
    # of complex tensors: test_complex.py
    "angle", "complex", "conj", "conj_physical", "imag", "polar", "real", "resolve_conj", "resolve_neg", "sgn", "view_as_complex",
    "view_as_real", "view_as_complex_copy", "view_as_real_copy",
}


@pytest.mark.parametrize("dtype", [taeda.bool, taeda.uint8, taeda.int64])
def test_what_leaves_integers_as_they_are_writes_to_out_too(dtype: taeda.dtype) -> None:
    x = taeda.tensor([0, 1, 1]).to(dtype)
    for f in (taeda.nan_to_num, taeda.signbit, taeda.round, taeda.floor, taeda.isneginf):
        try:
            wanted = f(x)
        except NotImplementedError:  # of bool
            continue
        for out in (taeda.empty(0, dtype=wanted.dtype), taeda.ones(3, 2, dtype=wanted.dtype)[:, 0]):
            assert f(x, out=out) is out and out.tolist() == wanted.tolist(), f


def test_threshold_takes_whole_numbers_for_integers_and_refuses_other_dtypes() -> None:
    x = taeda.tensor([-1, 1, 2])
    assert taeda.threshold(x, 1.5, 9.0).tolist() == [9, 9, 2]
    for bad in (1e30, float("nan"), float("inf")):
        for call in (lambda: taeda.threshold(x, bad, 0), lambda: taeda.threshold_(x, 0, bad)):
            with pytest.raises(RuntimeError, match="without overflow"):
                call()
    for dtype in (taeda.complex64, taeda.bool):
        with pytest.raises(NotImplementedError, match="threshold"):
            taeda.threshold(x.to(dtype), 0.5, 1.5)
