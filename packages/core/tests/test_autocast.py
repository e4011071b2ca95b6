"""autocast: which functions are cast, what is kept, and whose state it is."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
import pytest

import taeda
from taeda import ops
from taeda.amp import casting
from taeda.autograd import Function

BF16, F16, F32 = taeda.bfloat16, taeda.float16, taeda.float32


def seeded(*shape: int, **kwargs: Any) -> taeda.Tensor:
    return taeda.from_numpy(np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)).requires_grad_(kwargs.get("grad", False))


def test_products_are_rounded_to_the_lower_precision_and_losses_to_float32() -> None:
    a, b = seeded(3, 4), seeded(4, 3)
    wanted = (a.bfloat16() @ b.bfloat16()).tolist()
    with taeda.autocast("cpu"):
        y = a @ b
        assert y.dtype == BF16 and y.tolist() == wanted
        assert (a + b.T).dtype == F32 and taeda.mv(a, b[:, 0]).dtype == F32          # in no list
        loss = ops.mse_loss(y, y + 1)
        assert loss.dtype == F32
        assert taeda.cat([y, a[:, :3]]).dtype == F32 and taeda.cat([y, y]).dtype == BF16
        assert taeda.stack([y, y.float()]).dtype == F32 and ops.pad(y, (1, 1), "replicate").dtype == F32 and ops.pad(y, (1, 1)).dtype == BF16
    assert (a @ b).dtype == F32


@pytest.mark.parametrize("dtype", [BF16, F16])
def test_methods_operators_functions_and_compositions_agree(dtype: taeda.dtype) -> None:
    a, b = seeded(3, 3), seeded(3, 3)
    with taeda.autocast("cpu", dtype):
        for y in (a @ b, a.matmul(b), a.mm(b), taeda.mm(a, b), ops.linear(a, b), taeda.einsum("ij,jk->ik", a, b), taeda.tensordot(a, b, 1), taeda.inner(a, b)):
            assert y.dtype == dtype


def test_float64_integers_complex_and_out_are_left_alone() -> None:
    a = seeded(2, 2)
    with taeda.autocast("cpu"):
        assert (a.double() @ a.double()).dtype == taeda.float64 and (a.long() @ a.long()).dtype == taeda.int64
        assert (a.cfloat() @ a.cfloat()).dtype == taeda.complex64
        assert (a.to("meta") @ a.to("meta")).dtype == F32
        out = taeda.empty(2, 2)
        assert taeda.mm(a, a, out=out) is out and taeda.allclose(out.double(), a.double() @ a.double(), rtol=1e-6, atol=1e-7)     # bfloat16 errs by 4e-3


def test_gradients_have_their_parameters_dtype() -> None:
    w, x = seeded(3, 4, grad=True), seeded(2, 4)
    with taeda.autocast("cpu"):
        y = ops.linear(x, w)
    y.sum().backward()
    assert y.dtype == BF16 and w.grad.dtype == F32
    np.testing.assert_allclose(w.grad.numpy(), x.sum(0).expand(3, 4).numpy(), rtol=0.02, atol=0.02)


def test_a_weight_is_cast_once_within_the_outermost_block() -> None:
    w, x = seeded(3, 4, grad=True), seeded(2, 4)

    def cast_of(y: taeda.Tensor) -> Any:
        return y.grad_fn.next_functions[1][0]                     # of the weight

    with taeda.autocast("cpu"):
        first = cast_of(ops.linear(x, w))
        with taeda.autocast("cpu"):
            assert cast_of(ops.linear(x, w)) is first
        assert cast_of(ops.linear(x, w)) is first
        taeda.clear_autocast_cache()
        second = cast_of(ops.linear(x, w))
        assert second is not first
        with taeda.no_grad():
            w += 1                                               # a kept cast would be stale
        assert cast_of(ops.linear(x, w)) is not second
        with taeda.no_grad():
            assert not ops.linear(x, w).requires_grad
        assert ops.linear(x, w).requires_grad
    assert not casting.state_casts()
    with taeda.autocast("cpu", cache_enabled=False):
        assert cast_of(ops.linear(x, w)) is not cast_of(ops.linear(x, w))


def test_blocks_nest_and_can_be_entered_again() -> None:
    a = seeded(2, 2)
    block = taeda.autocast("cpu")
    assert not taeda.is_autocast_enabled("cpu")
    with block:
        with taeda.autocast("cpu", enabled=False):
            assert (a @ a).dtype == F32 and not taeda.is_autocast_enabled("cpu")
        with block, taeda.autocast("cpu", F16):
            assert (a @ a).dtype == F16
        assert (a @ a).dtype == BF16
        with pytest.raises(RuntimeError, match="matmul"):
            a @ taeda.ones(3)
        assert taeda.is_autocast_enabled("cpu") and (a @ a).dtype == BF16      # also after an error
    assert not taeda.is_autocast_enabled("cpu") and (a @ a).dtype == F32

    @taeda.autocast("cpu")
    def product(n: int) -> list[taeda.dtype]:
        return [(a @ a).dtype] + (product(n - 1) if n else [])

    assert product(2) == [BF16] * 3 and not taeda.is_autocast_enabled("cpu")
    with pytest.raises(TypeError, match="requires a callable, but got int"):
        taeda.autocast("cpu")(3)


def test_a_thread_has_its_own_autocast() -> None:
    seen = []
    with taeda.autocast("cpu"):
        thread = threading.Thread(target=lambda: seen.append((taeda.is_autocast_enabled("cpu"), (seeded(2, 2) @ seeded(2, 2)).dtype)))
        thread.start()
        thread.join()
    assert seen == [(False, F32)]


def test_normalisations_take_float32_parameters_beside_a_narrow_input() -> None:
    x, w, b = seeded(4, 6).bfloat16().requires_grad_(), seeded(6, grad=True), seeded(6, grad=True)
    mean, var = taeda.zeros(6), taeda.ones(6)
    for y in (taeda.layer_norm(x, (6,), w, b), taeda.group_norm(x, 2, w, b), ops.batch_norm(x, mean, var, w, b, True), taeda.rms_norm(x, (6,), w)):
        assert y.dtype == BF16
        grads = taeda.autograd.grad(y.float().square().sum(), [x, w])
        assert [g.dtype for g in grads] == [BF16, F32]
    assert mean.dtype == F32
    np.testing.assert_allclose(mean.numpy(), x.detach().float().mean(0).numpy() * 0.1, rtol=1e-6)
    exact = taeda.layer_norm(x.float(), (6,), w, b)
    assert taeda.layer_norm(x, (6,), w, b).tolist() == exact.bfloat16().tolist()
    assert taeda.rms_norm(x.float(), (6,), w.bfloat16()).dtype == F32
    with pytest.raises(RuntimeError, match="mixed dtype"):
        taeda.layer_norm(x, (6,), w.double(), b.double())


class Cube(Function):
    seen: list[Any] = []

    @staticmethod
    @taeda.amp.custom_fwd(device_type="cpu")
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    @taeda.amp.custom_bwd(device_type="cpu")
    def backward(ctx: Any, g: Any) -> Any:
        Cube.seen.append((taeda.is_autocast_enabled("cpu"), taeda.get_autocast_dtype("cpu")))
        return 3 * g * ctx.saved_tensors[0] ** 2


def test_a_functions_backward_runs_under_its_forwards_autocast() -> None:
    x = seeded(3, grad=True)
    with taeda.autocast("cpu", F16):
        y = Cube.apply(x)
    y.sum().backward()
    Cube.apply(x).sum().backward()
    assert Cube.seen == [(True, F16), (False, BF16)]
    with pytest.raises(ValueError, match="device_type"):
        taeda.amp.custom_fwd(device_type=3)


def test_cast_inputs_turn_autocast_off_inside() -> None:
    @taeda.amp.custom_fwd(device_type="cpu", cast_inputs=F32)
    def forward(ctx: Any, x: Any, more: Any) -> Any:
        return x.dtype, more["y"][0].dtype, (x @ x).dtype, taeda.is_autocast_enabled("cpu"), more["n"]

    class Context:
        pass

    x, more = seeded(2, 2).bfloat16(), {"y": [seeded(2).half()], "n": "name"}
    with taeda.autocast("cpu"):
        assert forward(Context(), x, more) == (F32, F32, F32, False, "name")
    assert forward(Context(), x, more) == (BF16, F16, BF16, False, "name")


def test_switches_and_their_errors() -> None:
    assert taeda.get_autocast_dtype("cpu") == BF16 and taeda.get_autocast_dtype(device_type="cuda") == F16
    taeda.set_autocast_enabled(device_type="cpu", enabled=True)
    taeda.set_autocast_dtype(device_type="cpu", dtype=F16)
    try:
        assert taeda.is_autocast_enabled(device_type="cpu") and taeda.amp.is_autocast_available(device_type="cpu")
        assert taeda.is_autocast_enabled("cpu") and not taeda.is_autocast_enabled()
        assert (seeded(2, 2) @ seeded(2, 2)).dtype == F16
    finally:
        taeda.set_autocast_enabled("cpu", False)
        taeda.set_autocast_dtype("cpu", BF16)
    assert (taeda.autocast_increment_nesting(), taeda.autocast_decrement_nesting()) == (1, 0)
    assert taeda.is_autocast_cache_enabled()
    assert taeda.amp.is_autocast_available("cpu") and not taeda.amp.is_autocast_available("meta")
    for call, error, text in [
        (lambda: taeda.set_autocast_enabled("cpu", 3), TypeError, "'enabled' must be bool, not int"),
        (lambda: taeda.set_autocast_dtype("cpu", "float16"), TypeError, "'dtype' must be taeda.dtype, not str"),
        (lambda: taeda.is_autocast_enabled(3), TypeError, "'device_type' must be str, not int"),
        (lambda: taeda.is_autocast_enabled("foo"), RuntimeError, "foo"), (lambda: taeda.autocast("foo"), RuntimeError, "foo"),
        (lambda: taeda.get_autocast_dtype("meta"), RuntimeError, "meta has no autocast"), (lambda: taeda.autocast("meta"), RuntimeError, "meta"),
        (lambda: taeda.autocast(taeda.device("cpu")), ValueError, "device_type"),
    ]:  # fmt: skip
        with pytest.raises(error, match=text):
            call()


@pytest.mark.parametrize(("args", "text"), [(("cpu", F32), "target dtype is not supported"), (("cuda",), "CUDA is not available")])
def test_what_cannot_be_cast_to_disables_the_block(args: Any, text: str) -> None:
    with pytest.warns(UserWarning, match=text):
        block = taeda.autocast(*args)
    with block:
        assert (seeded(2, 2) @ seeded(2, 2)).dtype == F32 and not taeda.is_autocast_enabled("cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taeda.autocast(*args, enabled=False)


def test_old_names_warn() -> None:
    with pytest.warns(FutureWarning, match=r"amp.autocast\('cpu', args...\)"):
        block = taeda.cpu.amp.autocast(dtype=F16)
    with block:
        assert (seeded(2, 2) @ seeded(2, 2)).dtype == F16
    with pytest.warns(DeprecationWarning, match=r"is_autocast_enabled\('cpu'\)"):
        assert not taeda.is_autocast_cpu_enabled()
    with pytest.warns(DeprecationWarning, match=r"get_autocast_dtype\('cuda'\)"):
        assert taeda.get_autocast_gpu_dtype() == F16
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        taeda.cuda.amp.autocast()
    assert {w.category for w in said} == {FutureWarning, UserWarning}


def test_classes_that_take_calls_over_and_transforms_follow_autocast() -> None:
    class Named(taeda.Tensor):
        pass

    a = seeded(2, 3, 3)
    with taeda.autocast("cpu"):
        y = a[0].as_subclass(Named) @ a[1]
        assert type(y) is Named and y.dtype == BF16
        assert taeda.func.vmap(lambda x: x @ x)(a).dtype == BF16
        assert taeda.func.grad(lambda x: (x @ x).float().sum())(a[0]).dtype == F32


def test_what_sums_nothing_or_everything_keeps_its_dtype() -> None:
    x, m = taeda.tensor([1.001, 2.003]), taeda.tensor([[1.001, 2.003], [0.5, 4.0]])
    with taeda.autocast("cpu", dtype=taeda.bfloat16):
        for equation, operands in (("i,j->ij", (x, x)), ("ij,ik->ijk", (m, m)), ("i,j,k->ijk", (x, x, x)), ("ij,k->jk", (m, x))):
            y = taeda.einsum(equation, *operands)
            assert y.dtype is taeda.float32 and taeda.allclose(y.double(), taeda.einsum(equation, *[t.double() for t in operands]), 1e-6)
        assert taeda.einsum("i,i->", x, x).dtype is taeda.einsum("ij,jk->ik", m, m).dtype is taeda.bfloat16
        whole = [taeda.tensordot(x, x, 1), taeda.tensordot(m, m, 2), taeda.tensordot(m, m, ([0, 1], [1, 0])), taeda.inner(x, x)]
        assert all(t.dtype is taeda.float32 for t in whole) and whole[0].item() == pytest.approx(5.01401, abs=1e-6)
        parts = [taeda.tensordot(m, x, 1), taeda.tensordot(x, x, 0), taeda.inner(m, x), taeda.inner(m, m)]
        assert all(t.dtype is taeda.bfloat16 for t in parts)
    assert taeda.einsum("i,j->ij", x, x).dtype is taeda.float32
