"""What must hold for every row of an op, for taeda alone and side by side with another framework.

a. Calls are built anew for each check, so no check can spoil another's inputs.
b. The float64 arrays of a call are cast to the dtype under test; integer and bool arrays stay as they are.
c. Functions are found by the row's name: in the namespace, in its ``ops``, or below ``torch``.
"""

from __future__ import annotations

import functools
import importlib.util
import pathlib
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from opinfo import ATOL, RTOL, Call, Row

SAMPLES = pathlib.Path(__file__).parent / "samples"
GRADCHECK_ELEMENTS = 40                    # larger calls are checked forwards alone
GRADCHECK_CALLS = 8                        # of a row, spread over its samples
OUT_OF_ANY_DTYPE = {"sum", "bernoulli", "nansum", "prod", "cumsum", "cumprod"}    # these compute in the dtype of out=, as PyTorch's do


def load_rows() -> list[Row]:
    """Return the rows of all families, in the order of their files."""
    rows: list[Row] = []
    for path in sorted(SAMPLES.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"samples_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        rows.extend(module.ROWS)
    return rows


def row_ids(rows: list[Row]) -> list[str]:
    """Return a name for each row, numbered where an op has several."""
    seen: dict[str, int] = {}
    ids = []
    for row in rows:
        seen[row.name] = seen.get(row.name, 0) + 1
        ids.append(row.name if seen[row.name] == 1 else f"{row.name}-{seen[row.name]}")
    return ids


def calls_of(row: Row) -> list[Call]:
    """Return the row's calls, the same in every run."""
    return list(row.samples(np.random.default_rng(zlib.crc32(row.name.encode()))))


def find(lib: Any, name: str) -> Callable[..., Any]:
    """Return lib.name or lib.ops.name; a dotted name is walked."""
    for root in (lib, getattr(lib, "ops", None)):
        found = root
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
    raise AttributeError(f"{lib.__name__} has no {name}")


def graded(row: Row, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function whose gradients are checked: the op between the row's ``before`` and ``after``."""
    if row.before is None and row.after is None:
        return function

    def f(*args: Any, **kwargs: Any) -> Any:
        return judged(row, function(*(args if row.before is None else row.before(*args)), **kwargs))

    return f


def judged(row: Row, found: Any) -> Any:
    """Return what of a result is compared with others'."""
    return found if row.after is None else row.after(found)


def map_arrays(x: Any, f: Callable[[np.ndarray], Any]) -> Any:
    """Apply f to the arrays inside nested tuples, lists and dicts."""
    if isinstance(x, np.ndarray):
        return f(x)
    if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
        return type(x)([map_arrays(v, f) for v in x])
    if isinstance(x, dict):
        return {k: map_arrays(v, f) for k, v in x.items()}
    return x


def arrays_in(x: Any) -> list[np.ndarray]:
    """Return the arrays inside nested tuples, lists and dicts."""
    found: list[np.ndarray] = []
    map_arrays(x, lambda a: found.append(a))
    return found


def is_value(a: np.ndarray) -> bool:
    """Whether an array holds values (cast to the dtype under test), not indices or masks."""
    return a.dtype == np.float64


def cast(call: Call, dtype: str) -> Call:
    """Return the call with its value arrays in another dtype."""

    def one(a: np.ndarray) -> np.ndarray:
        if not is_value(a) or dtype == "float64":
            return a
        if dtype == "bool":
            return np.asarray(a > 0)
        if dtype == "bfloat16":               # NumPy has none: float32 with the low half of its bits gone
            short = a.astype(np.float32)
            return np.where(np.isfinite(short), (short.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32), short) if short.size else short
        if dtype.startswith("complex"):       # no imaginary part where a is 0, so that masks made of values stay
            return np.asarray(a + 1j * np.sin(3 * a)).astype(dtype)
        if dtype == "uint8":
            return np.asarray(np.abs(np.nan_to_num(a))).astype(dtype)
        return np.asarray(np.nan_to_num(a)).astype(dtype) if "int" in dtype else a.astype(dtype)

    with np.errstate(all="ignore"):           # extreme values overflow in narrower dtypes
        made = Call(*map_arrays(call.args, one))
        made.kwargs = map_arrays(call.kwargs, one)
    made.value_dtype = dtype if dtype == "bfloat16" else None
    return made


def strided_copy(a: np.ndarray) -> np.ndarray:
    """Copy an array with its strides, gaps included."""
    if a.size == 0 or any(s < 0 for s in a.strides):
        return a.copy()
    reach = sum((n - 1) * s for n, s in zip(a.shape, a.strides, strict=True)) // a.itemsize + 1
    flat = np.zeros(reach, a.dtype)
    b = np.lib.stride_tricks.as_strided(flat, a.shape, a.strides)
    b[...] = a
    return b


def tensors(lib: Any, call: Call, grad: bool = False, device: str | None = None) -> tuple[Any, Any, list[Any]]:
    """Return the call's arguments as tensors of ``lib`` and the list of its value tensors."""
    values: list[Any] = []

    def one(a: np.ndarray) -> Any:
        t = lib.from_numpy(strided_copy(a))
        if call.value_dtype and a.dtype == np.float32:
            t = t.to(getattr(lib, call.value_dtype))
        if device is not None:                      # with the very strides: .to() would close gaps
            t = lib.empty_strided(tuple(t.shape), t.stride(), dtype=t.dtype, device=device)
        if a.dtype.kind in "fc":
            if grad:
                t.requires_grad_()
            values.append(t)
        return t

    return map_arrays(call.args, one), map_arrays(call.kwargs, one), values


def flat_outputs(found: Any) -> list[Any]:
    """Return the tensors and numbers of a result as a list."""
    if isinstance(found, (tuple, list)):
        return [t for part in found for t in flat_outputs(part)]
    if isinstance(found, dict):
        return [t for part in found.values() for t in flat_outputs(part)]
    return [found]


def to_numpy(x: Any) -> np.ndarray:
    """Return a tensor or number as an array."""
    if not hasattr(x, "detach"):
        return np.asarray(x)
    x = x.detach().cpu()
    for settled in ("resolve_conj", "resolve_neg"):
        x = getattr(x, settled)() if hasattr(x, settled) else x
    return x.float().numpy() if str(x.dtype).endswith("bfloat16") else x.numpy()


def assert_close(got: Any, wanted: Any, rtol: float, atol: float, what: str) -> None:
    """Compare values; shapes must be equal, nan equals nan."""
    a, b = to_numpy(got), np.asarray(to_numpy(wanted))
    assert a.shape == b.shape, f"{what}: shape {a.shape}, expected {b.shape}"
    if a.dtype.kind in "fc" or b.dtype.kind in "fc":
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, equal_nan=True, err_msg=what)
    else:
        np.testing.assert_array_equal(a, b, err_msg=what)


def tolerance(row: Row, dtype: str) -> tuple[float, float]:
    """Return (rtol, atol) of a row for a dtype; integers are exact."""
    return row.rtol.get(dtype, RTOL.get(dtype, 0.0)), row.atol.get(dtype, ATOL.get(dtype, 0.0))


def run_quietly(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call f without showing its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(*args, **kwargs)


def widened(a: np.ndarray) -> np.ndarray:
    """Return an array in the precision that references compute in."""
    return a.astype(np.float64) if a.dtype.kind == "f" else a.astype(np.complex128) if a.dtype.kind == "c" else a


def check_forward(lib: Any, row: Row, dtype: str) -> int:
    """Compare with the reference in float64, and see that no input was written to; return the count of calls."""
    function = find(lib, row.name)
    count = 0
    for number, plain in enumerate(calls_of(row)):
        call = cast(plain, dtype)
        args, kwargs, _ = tensors(lib, call)
        found = judged(row, run_quietly(function, *args, **kwargs))
        count += 1
        after = [to_numpy(t) for t in tensors_in((args, kwargs))]
        for before, now in zip(arrays_in((call.args, call.kwargs)), after, strict=True):
            np.testing.assert_array_equal(before, now, err_msg=f"{row.name} call {number} changed an input")
        if row.reference is None:
            continue
        wide, wide_kwargs = map_arrays(call.args, widened), map_arrays(call.kwargs, widened)
        with np.errstate(all="ignore"):
            expected = run_quietly(row.reference, *wide, **wide_kwargs)
        rtol, atol = tolerance(row, dtype)
        outs, wanted = flat_outputs(found), flat_outputs(expected)
        assert len(outs) == len(wanted), f"{row.name} call {number} {call}: {len(outs)} results, expected {len(wanted)}"
        for a, b in zip(outs, wanted, strict=True):
            assert_close(a, b, rtol, atol, f"{row.name} call {number} {call} in {dtype}")
    return count


def tensors_in(x: Any) -> list[Any]:
    """Return the tensors inside nested tuples, lists and dicts."""
    if isinstance(x, (tuple, list)):
        return [t for v in x for t in tensors_in(v)]
    if isinstance(x, dict):
        return [t for v in x.values() for t in tensors_in(v)]
    return [x] if hasattr(x, "requires_grad") else []


def gradient_calls(row: Row) -> list[Call]:
    """Return the calls whose gradients are checked: small ones with values, spread over the samples."""
    small = []
    for call in calls_of(row):
        values = [a for a in arrays_in((call.args, call.kwargs)) if is_value(a)]
        plain = all(np.isfinite(a).all() and not any(st == 0 and n > 1 for st, n in zip(a.strides, a.shape, strict=True)) for a in values)
        if values and sum(a.size for a in values) <= GRADCHECK_ELEMENTS and plain:
            small.append(call)
    step = max(1, -(-len(small) // GRADCHECK_CALLS))
    return small[::step]


def check_gradient(lib: Any, row: Row, order: int) -> int:
    """gradcheck (order 1) or gradgradcheck (order 2) of the row's small calls; return the count."""
    function = graded(row, find(lib, row.name))
    check = lib.autograd.gradcheck if order == 1 else lib.autograd.gradgradcheck
    count = 0
    for call in gradient_calls(row):
        args, kwargs, values = tensors(lib, call, grad=True)
        f = functools.partial(_with_values, function, args, kwargs, [id(v) for v in values])
        outs = [o for o in flat_outputs(run_quietly(f, *values)) if getattr(o, "requires_grad", False)]
        if not outs:
            continue
        try:
            run_quietly(check, f, tuple(values))
        except Exception as error:
            raise AssertionError(f"{row.name} {call}: {error}") from error
        count += 1
    return count


def _with_values(function: Callable[..., Any], args: Any, kwargs: Any, ids: list[int], *values: Any) -> Any:
    """Call the function with the value tensors replaced by ``values``."""
    by_id = dict(zip(ids, values, strict=True))

    def put(x: Any) -> Any:
        if isinstance(x, (tuple, list)):
            return type(x)([put(v) for v in x])
        if isinstance(x, dict):
            return {k: put(v) for k, v in x.items()}
        return by_id.get(id(x), x)

    found = function(*put(args), **put(kwargs))
    outs = [o for o in flat_outputs(found) if hasattr(o, "is_floating_point") and (o.is_floating_point() or o.is_complex())]
    return tuple([part for o in outs for part in ((o.real, o.imag) if o.is_complex() else (o,))])


def check_strided(lib: Any, row: Row) -> int:
    """Give every value input gaps and swapped memory order: the results are those of contiguous inputs."""
    function = find(lib, row.name)
    count = 0
    for call in calls_of(row)[:6]:
        args, kwargs, _ = tensors(lib, call)
        wanted = run_quietly(function, *args, **kwargs)

        def gaps(a: np.ndarray) -> np.ndarray:
            if a.ndim == 0 or a.size == 0 or not is_value(a):
                return a
            wide = np.zeros(tuple(2 * n for n in a.shape[::-1]))
            view = wide[tuple(slice(None, None, 2) for _ in a.shape)].transpose()
            view[...] = a
            return view

        apart = Call(*map_arrays(call.args, gaps))
        apart.kwargs = map_arrays(call.kwargs, gaps)
        args, kwargs, _ = tensors(lib, apart)
        found = run_quietly(function, *args, **kwargs)
        for a, b in zip(flat_outputs(found), flat_outputs(wanted), strict=True):
            assert_close(a, b, 1e-12, 1e-12, f"{row.name} {call} with strided inputs")
        count += 1
    return count


def check_forms(lib: Any, row: Row) -> None:
    """The method, the in-place form and out= give what the function gives."""
    function = find(lib, row.name)
    for call in calls_of(row)[:4]:
        args, kwargs, _ = tensors(lib, call)
        wanted = run_quietly(function, *args, **kwargs)
        if row.method:
            args, kwargs, _ = tensors(lib, call)
            found = run_quietly(getattr(args[0], row.method), *args[1:], **kwargs)
            for a, b in zip(flat_outputs(found), flat_outputs(wanted), strict=True):
                assert_close(a, b, 0, 0, f"{row.name} {call} as method {row.method}")
        single = hasattr(wanted, "shape")
        if row.inplace and single and tuple(wanted.shape) == tuple(args[0].shape) and wanted.dtype == args[0].dtype:
            args, kwargs, _ = tensors(lib, call)
            found = run_quietly(getattr(args[0], row.inplace), *args[1:], **kwargs)
            assert found is args[0], f"{row.inplace} must return its tensor"
            assert_close(found, wanted, 0, 0, f"{row.name} {call} in place")
        if row.out and single:
            args, kwargs, _ = tensors(lib, call)
            out = lib.empty(tuple(wanted.shape), dtype=wanted.dtype)
            found = run_quietly(function, *args, **kwargs, out=out)
            assert found is out, f"{row.name} must return out"
            assert_close(out, wanted, 0, 0, f"{row.name} {call} with out=")


def check_gradient_in_place(lib: Any, row: Row) -> int:
    """The in-place form has the derivatives of the function: what the function keeps of its input is not overwritten."""
    function, count = find(lib, row.name), 0
    for call in gradient_calls(row):
        found = []
        for form in (function, lambda x, *rest, **kwargs: getattr(x, row.inplace)(*rest, **kwargs)):
            args, kwargs, values = tensors(lib, call, grad=True)
            like = args[0].clone()
            y = run_quietly(form, like, *args[1:], **kwargs)
            if not hasattr(y, "shape") or y.shape != args[0].shape or y.dtype != args[0].dtype or not y.requires_grad:
                break
            weights = lib.arange(1.0, 1.0 + y.numel(), dtype=lib.float64).reshape(y.shape)
            found.append(lib.autograd.grad((y * weights).sum().abs(), values, allow_unused=True))
        if len(found) == 2:
            for a, b in zip(*found, strict=True):
                assert (a is None) == (b is None), f"{row.inplace} {call}: {b} for {a}"
                if a is not None:
                    assert_close(b, a, 1e-12, 1e-12, f"derivatives of {row.inplace} {call}")
            count += 1
    return count


def check_meta(lib: Any, row: Row) -> int:
    """On the meta device: the same shapes, dtypes and strides without data, or NotImplementedError."""
    function = find(lib, row.name)
    count = 0
    for call in calls_of(row)[:8]:
        args, kwargs, _ = tensors(lib, call)
        wanted = run_quietly(function, *args, **kwargs)
        args, kwargs, _ = tensors(lib, call, device="meta")
        if not tensors_in((args, kwargs)):
            continue
        try:
            found = run_quietly(function, *args, **kwargs)
        except NotImplementedError:
            continue
        for a, b in zip(flat_outputs(found), flat_outputs(wanted), strict=True):
            if not hasattr(b, "stride"):
                continue
            same_strides = all(p == q for p, q, n in zip(a.stride(), b.stride(), b.shape, strict=True) if n > 1) or b.numel() == 0
            assert same_strides and (a.device.type, tuple(a.shape), a.dtype) == ("meta", tuple(b.shape), b.dtype), (
                f"{row.name} {call}: {a.device}, {tuple(a.shape)}, {a.dtype}, {a.stride()} on meta; {tuple(b.shape)}, {b.dtype}, {b.stride()} on cpu")
        count += 1
    return count


def check_expanded(lib: Any, row: Row) -> int:
    """Give every value input a dimension of stride 0: the results are those of its copy."""
    function = find(lib, row.name)
    count = 0
    for call in calls_of(row)[:6]:

        def repeated(a: np.ndarray) -> np.ndarray:
            return np.broadcast_to(a[:1], a.shape) if a.ndim and a.shape[0] > 1 and is_value(a) else a

        apart = Call(*map_arrays(call.args, repeated))
        apart.kwargs = map_arrays(call.kwargs, repeated)
        copies = Call(*map_arrays(apart.args, np.array))
        copies.kwargs = map_arrays(apart.kwargs, np.array)
        args, kwargs, _ = tensors(lib, copies)
        try:
            wanted = run_quietly(function, *args, **kwargs)
        except (RuntimeError, ValueError):            # the values are no longer what the op needs (a singular matrix)
            continue
        args, kwargs, _ = tensors(lib, apart)
        found = run_quietly(function, *args, **kwargs)
        for a, b in zip(flat_outputs(found), flat_outputs(wanted), strict=True):
            assert_close(a, b, 1e-12, 1e-12, f"{row.name} {call} with expanded inputs")
        count += 1
    return count


def check_out(lib: Any, row: Row) -> int:
    """out= of another shape is resized with a warning; of a lower kind, requiring grad, expanded, or no tensor, refused and left alone."""
    function = find(lib, row.name)
    count = 0
    for call in calls_of(row)[:3]:
        args, kwargs, _ = tensors(lib, call)
        lib.manual_seed(0)
        wanted = run_quietly(function, *args, **kwargs)
        if not hasattr(wanted, "shape"):
            continue
        lib.manual_seed(0)
        what = f"{row.name} {call}"
        out = lib.ones(5, 1, dtype=wanted.dtype)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = function(*args, **kwargs, out=out)
        assert found is out and tuple(out.shape) == tuple(wanted.shape), f"{what}: out= was not resized"
        assert_close(out, wanted, 0, 0, f"{what} with out= of another shape")
        silent = wanted.shape == (5, 1) or row.name in ("bernoulli", "multinomial", "normal")       # what draws says nothing, as in PyTorch
        assert silent or any("resized" in str(w.message) for w in said), f"{what}: no warning that out= was resized"
        refused: list[tuple[str, Any, Any]] = [("no tensor", 3, TypeError)]
        if wanted.is_floating_point():
            if row.name not in OUT_OF_ANY_DTYPE:
                refused.append(("an integer dtype", lib.ones(tuple(wanted.shape), dtype=lib.int64), (RuntimeError, TypeError)))
            refused.append(("requires_grad", lib.ones(tuple(wanted.shape), dtype=wanted.dtype).requires_grad_(), RuntimeError))
        if wanted.dim() and wanted.shape[0] > 1 and wanted.numel():
            refused.append(("expanded memory", lib.ones((1, *wanted.shape[1:]), dtype=wanted.dtype).expand(tuple(wanted.shape)), RuntimeError))
        for kind, bad, error in refused:
            try:
                run_quietly(function, *args, **kwargs, out=bad)
            except error:
                assert not hasattr(bad, "shape") or bool((bad == 1).all()), f"{what}: out= ({kind}) was refused and yet changed"
            else:
                raise AssertionError(f"{what}: out= ({kind}) was not refused")
        count += 1
    return count
