"""The fused optimizer steps as ops: layouts, threads, mixed lists, versions, and all that is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads, bits

ADAM = {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8}


def lists(*shapes: tuple[int, ...], dtype: Any = None, seed: int = 0) -> dict[str, list[Any]]:
    """Return what fused_adam_ takes, with random gradients and no history."""
    rng = np.random.default_rng(seed)
    dtype = dtype or taeda.float64

    def made(zero: bool) -> list[Any]:
        return [taeda.tensor(np.zeros(s) if zero else rng.normal(size=s), dtype=dtype) for s in shapes]

    return {
        "params": made(False),
        "grads": made(False),
        "exp_avgs": made(True),
        "exp_avg_sqs": made(True),
        "max_exp_avg_sqs": made(True),
        "steps": [taeda.tensor(0.0) for _ in shapes],
    }


def adam(p: np.ndarray, g: np.ndarray, steps: int = 1) -> np.ndarray:
    m = v = np.zeros_like(p)
    for t in range(1, steps + 1):
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        p = p - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    return p


def test_one_call_steps_every_tensor_of_any_shape() -> None:
    shapes = [(3, 4), (), (1,), (0, 5), (2, 3, 4), *[(i % 5 + 1,) for i in range(100)], (2, 40000)]
    x = lists(*shapes)
    before = [p.numpy().copy() for p in x["params"]]
    for _ in range(3):
        taeda.ops.fused_adam_(**x, **ADAM)
    for p, was, g in zip(x["params"], before, x["grads"], strict=True):
        np.testing.assert_allclose(p.numpy(), adam(was, g.numpy(), 3), rtol=1e-11, atol=1e-13)
    assert {s.item() for s in x["steps"]} == {3.0}


def test_layouts_of_parameter_state_and_gradient_may_all_differ() -> None:
    rng = np.random.default_rng(1)
    value, grad = rng.normal(size=(5, 7, 3)), rng.normal(size=(5, 7, 3))
    layouts = [
        lambda a: taeda.tensor(a),
        lambda a: taeda.tensor(np.ascontiguousarray(a.transpose(2, 0, 1))).permute(1, 2, 0),
        lambda a: taeda.tensor(np.repeat(a, 2, axis=1))[:, ::2],
    ]
    for of_param in layouts:
        for of_grad in layouts:
            p, g = of_param(value), of_grad(grad)
            m, v = of_grad(np.zeros_like(value)), of_param(np.zeros_like(value))
            taeda.ops.fused_adam_([p], [g], [m], [v], None, [taeda.zeros(())], **ADAM)
            np.testing.assert_allclose(p.numpy(), adam(value, grad), rtol=1e-12)
            np.testing.assert_allclose(m.numpy(), 0.1 * grad, rtol=1e-12)


def test_a_strided_step_writes_only_its_own_elements() -> None:
    base = taeda.ones(4, 6)
    taeda.ops.fused_sgd_([base[:, 1::2]], [taeda.ones(4, 3)], [], lr=1.0)
    assert base[:, ::2].tolist() == [[1.0] * 3] * 4
    assert base[:, 1::2].tolist() == [[0.0] * 3] * 4


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    def step():
        x = lists((3, 33333), (7,), (50000,), dtype=taeda.float32)
        taeda.ops.fused_adam_(**x, **ADAM, amsgrad=True, weight_decay=0.1)
        return x["params"], taeda.ops.global_norm(x["params"])

    assert_same_for_any_threads(step)


def test_dtypes_may_be_mixed() -> None:
    a, b = lists((3,), (4,), dtype=taeda.float32), lists((5,), dtype=taeda.float64, seed=1)
    order = [0, 2, 1]
    x = {key: [(a[key] + b[key])[i] for i in order] for key in a}
    before = [p.numpy().astype(np.float64) for p in x["params"]]
    taeda.ops.fused_adam_(**x, **ADAM)
    for p, was, g in zip(x["params"], before, x["grads"], strict=True):
        np.testing.assert_allclose(p.numpy(), adam(was, g.numpy()), rtol=1e-5)


def test_a_parameter_given_twice_is_stepped_twice() -> None:
    p, g = taeda.ones(3), taeda.ones(3)
    taeda.ops.fused_sgd_([p, p], [g, g], [], lr=0.25)
    assert p.tolist() == [0.5] * 3


def test_meta_tensors_keep_their_place() -> None:
    p, g, m, v = (taeda.empty(3, 4, device="meta") for _ in range(4))
    step = taeda.zeros(())
    taeda.ops.fused_adam_([p], [g], [m], [v], [], [step], **ADAM)
    assert p.shape == (3, 4)
    assert step.item() == 1.0


def test_only_what_is_written_gets_a_new_version() -> None:
    x = lists((2,))
    versions = {key: x[key][0]._version for key in x}
    taeda.ops.fused_adam_(**x, **ADAM)
    changed = {key for key in x if x[key][0]._version > versions[key]}
    assert changed == {"params", "exp_avgs", "exp_avg_sqs", "steps"}
    taeda.ops.fused_adam_(**x, **ADAM, amsgrad=True)
    assert x["max_exp_avg_sqs"][0]._version > versions["max_exp_avg_sqs"]


def test_nan_in_a_second_moment_stays_in_amsgrads_maximum() -> None:
    x = lists((2,))
    x["grads"][0][0] = float("nan")
    taeda.ops.fused_adam_(**x, **ADAM, amsgrad=True)
    assert np.isnan(x["max_exp_avg_sqs"][0].numpy()).tolist() == [True, False]


@pytest.mark.parametrize(
    ("key", "value", "error", "text"),
    [
        ("grads", lambda: taeda.ones(3), RuntimeError, r"grads\[0\].*\(2,\).*\(3,\)"),
        ("exp_avgs", lambda: taeda.ones(2), RuntimeError, r"exp_avgs\[0\].*dtype.*float64.*float32"),
        ("exp_avg_sqs", lambda: taeda.ones(2, dtype=taeda.float64, device="meta"), RuntimeError, "device"),
        ("grads", lambda: 1.0, TypeError, "must be a Tensor, got float"),
        ("params", lambda: taeda.ones(2, dtype=taeda.int64), RuntimeError, "floating-point or complex.*int64"),
        (
            "params",
            lambda: taeda.ones(1, dtype=taeda.float64).expand(2),
            RuntimeError,
            "single memory location|overlap",
        ),
        ("steps", lambda: taeda.ones(2), RuntimeError, "one float32 or float64 number"),
        ("steps", lambda: taeda.tensor(1), RuntimeError, "one float32 or float64 number.*int64"),
        ("steps", lambda: 1, TypeError, "must be a Tensor, got int"),
        (
            "params",
            lambda: taeda.ones(2, dtype=taeda.float64, requires_grad=True),
            RuntimeError,
            "leaf|no_grad",
        ),
        ("grads", lambda: taeda.ones(2, dtype=taeda.float64, requires_grad=True), RuntimeError, "no_grad"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    key: str, value: Any, error: type[Exception], text: str
) -> None:
    x = lists((2,), (2,))
    x[key][0] = value()
    kept = [t.tolist() for t in (x["params"][1], x["exp_avgs"][1], x["steps"][1])]
    with pytest.raises(error, match=text) as caught:
        taeda.ops.fused_adam_(**x, **ADAM)
    assert str(caught.value).startswith("[fused_adam_]")
    assert [t.tolist() for t in (x["params"][1], x["exp_avgs"][1], x["steps"][1])] == kept


def test_lists_of_other_lengths_are_refused() -> None:
    x = lists((2,), (2,))
    for key in ("grads", "exp_avgs", "steps"):
        y = {**x, key: x[key][:1]}
        with pytest.raises(ValueError, match=f"2 params and 1 {key}"):
            taeda.ops.fused_adam_(**y, **ADAM)
    with pytest.raises(ValueError, match="0 momentum_buffers"):
        taeda.ops.fused_sgd_(x["params"], x["grads"], [], lr=0.1, momentum=0.9)
    with pytest.raises(ValueError, match="0 grad_avgs"):
        taeda.ops.fused_rmsprop_(
            x["params"],
            x["grads"],
            x["exp_avgs"],
            [],
            [],
            x["steps"],
            lr=0.1,
            alpha=0.9,
            eps=1e-8,
            centered=True,
        )
    with pytest.raises(TypeError):
        taeda.ops.fused_sgd_(tuple(x["params"]), x["grads"], [], lr=0.1)


def test_no_parameters_are_no_error() -> None:
    taeda.ops.fused_adam_([], [], [], [], [], [], **ADAM)
    taeda.ops.fused_sgd_([], [], [], lr=0.1)
    assert taeda.ops.global_norm([]).item() == 0.0


def test_the_norm_neither_overflows_nor_is_recorded() -> None:
    assert taeda.ops.global_norm([taeda.full((4,), 1e30)]).item() == pytest.approx(2e30)
    with pytest.raises(RuntimeError, match="no_grad"):
        taeda.ops.global_norm([taeda.ones(2, requires_grad=True)])


# -- every fused step -------------------------------------------------------------------------------------

STEP = {"lr": 0.1, "weight_decay": 0.1}
BETAS = {"beta1": 0.9, "beta2": 0.99, "eps": 1e-6}
# the op, how many lists like the parameters it takes beside the gradients, its lists of numbers, its options
FUSED: dict[str, tuple[int, tuple[float, ...], dict[str, float]]] = {
    "fused_sgd_": (1, (), {**STEP, "momentum": 0.9}),
    "fused_rmsprop_": (3, (0.0,), {**STEP, "alpha": 0.9, "eps": 1e-6, "momentum": 0.9, "centered": True}),
    "fused_adam_": (3, (0.0,), {**STEP, **BETAS, "amsgrad": True}),
    "fused_adamax_": (2, (0.0,), {**STEP, **BETAS}),
    "fused_nadam_": (2, (1.0, 0.0), {**STEP, **BETAS, "momentum_decay": 4e-3}),
    "fused_radam_": (2, (5.0,), {**STEP, **BETAS}),
    "fused_adagrad_": (1, (0.0,), {**STEP, "eps": 1e-6}),
    "fused_adadelta_": (2, (0.0,), {**STEP, "rho": 0.9, "eps": 1e-6}),
    "fused_rprop_": (2, (0.0,), {"etaminus": 0.5, "etaplus": 1.2, "step_size_min": 1e-6, "step_size_max": 50.0}),
    "fused_asgd_": (1, (0.5, 0.1, 3.0), {**STEP, "lambd": 1e-4, "alpha": 0.75, "t0": 1.0}),
}
each = pytest.mark.parametrize("name", list(FUSED))


def call(name: str, shapes: list[tuple[int, ...]], dtype: Any, seed: int = 0) -> tuple[list[list[Any]], dict[str, Any]]:
    """Make the lists of a fused step: parameters, gradients, state, numbers."""
    rng = np.random.default_rng(seed)
    state, numbers, options = FUSED[name]
    made = [[taeda.tensor(rng.normal(size=s)).to(dtype) for s in shapes] for _ in range(2)]
    for k in range(state):                              # falling, since a mean square is no less than a squared mean
        made.append([taeda.tensor(rng.uniform(0.5, 1.0, size=s) / (k + 1) ** 2).to(dtype) for s in shapes])
    return made + [[taeda.tensor(n) for _ in shapes] for n in numbers], options


@each
def test_a_step_does_not_depend_on_threads_nor_on_what_is_stepped_beside(name: str) -> None:
    shapes = [(3, 33333), (7,), (), (50000,)]

    def step():
        made, options = call(name, shapes, taeda.float32)
        getattr(taeda.ops, name)(*made, **options)
        return made

    together = assert_same_for_any_threads(step)
    made, options = call(name, shapes, taeda.float32)
    for i in range(len(shapes)):
        getattr(taeda.ops, name)(*[tensors[i : i + 1] for tensors in made], **options)
    assert bits(made) == bits(together)


@each
def test_a_step_writes_all_but_the_gradient_and_counts(name: str) -> None:
    made, options = call(name, [(2, 3), ()], taeda.float64)
    versions = [[x._version for x in tensors] for tensors in made]
    grads = [g.tolist() for g in made[1]]
    getattr(taeda.ops, name)(*made, **options)
    for role, (tensors, before) in enumerate(zip(made, versions, strict=True)):
        for x, version in zip(tensors, before, strict=True):
            assert (x._version > version) == (role != 1)
    assert [g.tolist() for g in made[1]] == grads
    if FUSED[name][1]:
        assert [s.item() for s in made[-1]] == [FUSED[name][1][-1] + 1] * 2


@each
@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
def test_a_narrow_step_is_near_the_wide_one(name: str, dtype: Any) -> None:
    narrow, options = call(name, [(40, 30)], dtype)
    wide = [[x.double() if x.dim() else x.clone() for x in tensors] for tensors in narrow]
    getattr(taeda.ops, name)(*narrow, **options)
    getattr(taeda.ops, name)(*wide, **options)
    for a, b in zip(narrow, wide, strict=True):
        assert taeda.allclose(a[0].double(), b[0].double(), rtol=0.05, atol=0.02)
        assert a[0].dtype is (dtype if a[0].dim() else taeda.float32)


@each
def test_a_complex_step_is_that_of_its_parts(name: str) -> None:
    real, options = call(name, [(4, 3, 2)], taeda.float64)
    pairs = [[taeda.view_as_complex(x.clone()) if x.dim() else x.clone() for x in tensors] for tensors in real]
    getattr(taeda.ops, name)(*real, **options)
    getattr(taeda.ops, name)(*pairs, **options)
    for a, b in zip(real, pairs, strict=True):
        assert taeda.equal(a[0], taeda.view_as_real(b[0]) if b[0].is_complex() else b[0])


@each
def test_lists_must_fit(name: str) -> None:
    made, options = call(name, [(2,), (3,)], taeda.float64)
    step = getattr(taeda.ops, name)
    for role in range(1, len(made)):
        with pytest.raises(ValueError, match=rf"\[{name}\] all lists must be of one length, got 2 params and 1"):
            step(*[x[:1] if i == role else x for i, x in enumerate(made)], **options)
        bad = [taeda.ones(5, dtype=taeda.float64), made[role][1]]
        with pytest.raises(RuntimeError, match=rf"\[{name}\] .*\[0\] must"):
            step(*[bad if i == role else x for i, x in enumerate(made)], **options)
    made[0][0].requires_grad_()
    with pytest.raises(RuntimeError, match="leaf|no_grad"):
        step(*made, **options)


def test_adafactor_takes_contiguous_matrices_or_vectors() -> None:
    p, g, row, col = taeda.ones(3, 4), taeda.ones(3, 4), taeda.zeros(3, 1), taeda.zeros(1, 4)
    options = {"lr": 0.1, "beta2_decay": -0.8, "eps1": 1e-7, "eps2": 1e-3}
    step = taeda.ops.fused_adafactor_
    step([p], [g], [row], [col], [taeda.zeros(())], **options)
    assert row.tolist() == [[1.0]] * 3 and col.tolist() == [[1.0] * 4]
    assert taeda.allclose(p, taeda.full((3, 4), 0.9))
    for params, rows, cols, text in (
        ([p.t()], [taeda.zeros(4, 1)], [taeda.zeros(1, 3)], "must be contiguous, got strides"),
        ([p], [taeda.zeros(3, 2)], [col], r"row_vars\[0\].*of shape \(3, 1\)"),
        ([p], [row], [taeda.zeros(1, 3)], r"col_vars\[0\].*of shape \(1, 4\)"),
        ([p], [row], None, r"must be a float32 or float64 vector, got shape \(3, 4\)"),
        ([p], [row], [], "1 params and 0 col_vars"),
    ):
        with pytest.raises((RuntimeError, ValueError), match=text):
            step(params, [x.clone() for x in params], rows, cols, [taeda.zeros(())], **options)


def test_averages_move_towards_the_values() -> None:
    rng = np.random.default_rng(5)
    for weight in (0.25, 0.75):
        xs, ys = ([taeda.tensor(rng.normal(size=s)) for s in ((3, 4), (), (20000,))] for _ in range(2))
        want = [x.lerp(y, weight) for x, y in zip(xs, ys, strict=True)]
        assert taeda.ops.fused_lerp_(xs, ys, weight) is None
        for x, w in zip(xs, want, strict=True):
            assert taeda.allclose(x, w, rtol=1e-15)
    z = taeda.tensor([1.0 + 2.0j])
    taeda.ops.fused_lerp_([z], [taeda.tensor([3.0 - 2.0j])], 0.5)
    assert z.item() == 2.0 + 0.0j


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16, taeda.float32, taeda.float64])
@pytest.mark.parametrize("bad", [float("inf"), -float("inf"), float("nan"), None])
def test_unscaling_multiplies_and_finds_what_is_not_finite(dtype: Any, bad: float | None) -> None:
    xs = [taeda.full((5, 7), 8.0, dtype=dtype).t(), taeda.full((40000,), 2.0, dtype=dtype), taeda.ones(0, dtype=dtype)]
    if bad is not None:
        xs[1][39999] = bad
    assert taeda.ops.fused_unscale_(xs, 0.25) is (bad is not None)
    assert xs[0].tolist() == [[2.0] * 5] * 7 and xs[1][:3].tolist() == [0.5] * 3
    assert taeda.ops.fused_unscale_([], 1.0) is False
