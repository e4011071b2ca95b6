"""The optimizers beyond SGD, Adam and RMSprop against their formulas in NumPy, and what holds for every optimizer."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import taeda
from taeda import optim

SHAPES = ((3, 4), (5,), (1,), (), (2, 3, 4))
STEPS = 12


def start(seed=0, steps=STEPS, shapes=SHAPES):
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=s) for s in shapes]
    return values, [[rng.normal(size=s) for s in shapes] for _ in range(steps)]


def run(opt, params, grads):
    for step in grads:
        for p, g in zip(params, step, strict=True):
            p.grad = taeda.tensor(g).to(p.dtype)
        opt.step()
    return [p.detach() for p in params]


def product(**choices):
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def direction(p, g, weight_decay, maximize):
    return (-g if maximize else g) + weight_decay * p


def adamax(p, grads, lr, betas, eps, weight_decay, maximize):
    m, u = np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(grads, 1):
        d = direction(p, g, weight_decay, maximize)
        m = betas[0] * m + (1 - betas[0]) * d
        u = np.maximum(betas[1] * u, np.abs(d) + eps)
        p = p - lr / (1 - betas[0] ** t) * m / u
    return p


def moments(p, grads, lr, betas, weight_decay, maximize, decoupled):
    """Yield t, p after its decay, the direction and both moments; the step is sent back."""
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(grads, 1):
        if decoupled:
            p = p * (1 - lr * weight_decay)
        d = direction(p, g, 0 if decoupled else weight_decay, maximize)
        m = betas[0] * m + (1 - betas[0]) * d
        v = betas[1] * v + (1 - betas[1]) * d * d
        p = p - (yield t, d, m, v)
    yield p


def walk(steps, rule):
    found = next(steps)
    while isinstance(found, tuple):
        found = steps.send(rule(*found))
    return found


def nadam(p, grads, lr, betas, eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize):
    products = [1.0]

    def mu(t):
        return betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    def rule(t, d, m, v):
        products[0] = float(np.float32(products[0] * mu(t)))  # the state is a float32 number
        r = np.sqrt(v / (1 - betas[1] ** t)) + eps
        ahead = 1 - products[0] * mu(t + 1)
        return lr * (1 - mu(t)) / (1 - products[0]) * d / r + lr * mu(t + 1) / ahead * m / r

    return walk(moments(p, grads, lr, betas, weight_decay, maximize, decoupled_weight_decay), rule)


def radam(p, grads, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize):
    most = 2 / (1 - betas[1]) - 1

    def rule(t, d, m, v):
        rho = most - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
        step = lr * m / (1 - betas[0] ** t)
        if rho <= 5:
            return step
        rect = np.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
        return step * rect * np.sqrt(1 - betas[1] ** t) / (np.sqrt(v) + eps)

    return walk(moments(p, grads, lr, betas, weight_decay, maximize, decoupled_weight_decay), rule)


def adagrad(p, grads, lr, lr_decay, eps, weight_decay, initial_accumulator_value, maximize):
    s = np.full_like(p, initial_accumulator_value)
    for t, g in enumerate(grads):
        d = direction(p, g, weight_decay, maximize)
        s = s + d * d
        p = p - lr / (1 + t * lr_decay) * d / (np.sqrt(s) + eps)
    return p


def adadelta(p, grads, lr, rho, eps, weight_decay, maximize):
    v, u = np.zeros_like(p), np.zeros_like(p)
    for g in grads:
        d = direction(p, g, weight_decay, maximize)
        v = rho * v + (1 - rho) * d * d
        x = np.sqrt(u + eps) / np.sqrt(v + eps) * d
        u = rho * u + (1 - rho) * x * x
        p = p - lr * x
    return p


def rprop(p, grads, lr, etas, step_sizes, maximize):
    prev, size = np.zeros_like(p), np.full_like(p, lr)
    for g in grads:
        d = -g if maximize else g
        turn = np.sign(d * prev)
        size = np.clip(size * np.where(turn > 0, etas[1], np.where(turn < 0, etas[0], 1)), *step_sizes)
        d = np.where(turn < 0, 0, d)
        p, prev = p - size * np.sign(d), d
    return p


def asgd(p, grads, lr, lambd, alpha, t0, weight_decay, maximize):
    eta = float(np.float32(lr))  # the state is a float32 number
    for t, g in enumerate(grads, 1):
        d = direction(p, g, weight_decay, maximize)
        p = p * (1 - lambd * eta) - eta * d
        eta = float(np.float32(lr / (1 + lambd * lr * t) ** alpha))
    return p


def rms(x):
    return np.sqrt(np.mean(np.square(x)))


def adafactor(p, grads, lr, beta2_decay, eps, d, weight_decay, maximize):
    eps1 = np.finfo(np.float64).eps if eps[0] is None else eps[0]
    row, col, v = 0.0, 0.0, 0.0
    for t, g in enumerate(grads, 1):
        w = t**beta2_decay
        rate = max(eps[1], rms(p)) * min(lr, t**-0.5)
        p = p * (1 - lr * weight_decay)
        if p.ndim > 1:
            row = row + w * (np.mean(g * g, -1, keepdims=True) - row)
            col = col + w * (np.mean(g * g, -2, keepdims=True) - col)
            v = row * col / np.maximum(np.mean(row, -2, keepdims=True), eps1)
        else:
            v = v + w * (g * g - v)
        u = (-g if maximize else g) / np.sqrt(np.maximum(v, eps1 * eps1))
        p = p - rate / max(1.0, rms(u) / d) * u
    return p


BETAS = [(0.9, 0.999), (0.4, 0.7)]
CASES = [
    *[(optim.Adamax, adamax, {"lr": 0.1, "eps": 1e-3, **o}) for o in product(betas=BETAS, weight_decay=[0.0, 0.1], maximize=[False, True])],
    *[
        (optim.NAdam, nadam, {"lr": 0.1, "eps": 1e-3, "maximize": False, **o})
        for o in product(
            betas=BETAS,
            weight_decay=[0.0, 0.1],
            momentum_decay=[4e-3, 0.5],
            decoupled_weight_decay=[False, True],
        )
    ],
    *[
        (optim.RAdam, radam, {"lr": 0.1, "eps": 1e-3, **o})
        for o in product(
            betas=BETAS,
            weight_decay=[0.0, 0.1],
            decoupled_weight_decay=[False, True],
            maximize=[False, True],
        )
    ],
    *[
        (optim.Adagrad, adagrad, {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.1, **o})
        for o in product(lr_decay=[0.0, 0.1], initial_accumulator_value=[0.0, 0.5], maximize=[False, True])
    ],
    *[
        (optim.Adadelta, adadelta, {"lr": 0.5, "eps": 1e-3, **o})
        for o in product(rho=[0.9, 0.3], weight_decay=[0.0, 0.1], maximize=[False, True])
    ],
    *[
        (optim.Rprop, rprop, {"lr": 0.01, **o})
        for o in product(etas=[(0.5, 1.2), (0.3, 2.0)], step_sizes=[(1e-6, 50), (5e-3, 0.02)], maximize=[False, True])
    ],
    *[
        (optim.ASGD, asgd, {"lr": 0.1, "t0": 1e6, **o})
        for o in product(lambd=[1e-4, 0.1], alpha=[0.75, 0.3], weight_decay=[0.0, 0.1], maximize=[False, True])
    ],
    *[
        (optim.Adafactor, adafactor, {"lr": 0.1, "maximize": False, **o})
        for o in product(
            beta2_decay=[-0.8, -0.3],
            eps=[(None, 1e-3), (0.5, 2.0)],
            d=[1.0, 2.0],
            weight_decay=[0.0, 0.1],
        )
    ],
    (
        optim.Adafactor,
        adafactor,
        {"lr": 0.1, "beta2_decay": -0.8, "eps": (None, 1e-3), "d": 1.0, "weight_decay": 0.0, "maximize": True},
    ),
]


@pytest.mark.parametrize(("cls", "formula", "options"), CASES, ids=[f"{c.__name__}-{i}" for i, (c, _, _) in enumerate(CASES)])
def test_an_optimizer_follows_its_formula(cls, formula, options):
    values, grads = start()
    params = [taeda.tensor(v, requires_grad=True) for v in values]
    got = run(cls(params, **options), params, grads)
    for i, value in enumerate(values):
        want = formula(value, [g[i] for g in grads], **options)
        np.testing.assert_allclose(got[i].numpy(), want, rtol=1e-6, atol=1e-8)


def test_asgd_averages_after_t0():
    p = taeda.tensor([0.0], dtype=taeda.float64, requires_grad=True)
    opt = optim.ASGD([p], lr=1.0, lambd=0.0, t0=2)
    seen = []
    for g in (1.0, 2.0, 3.0, 4.0, 5.0):
        p.grad = taeda.tensor([g], dtype=taeda.float64)
        opt.step()
        seen.append(p.item())
    assert seen == [-1.0, -3.0, -6.0, -10.0, -15.0]
    # mu is 1 up to step t0 + 2, and the average the parameter; then 1 / 2 and 1 / 3
    assert opt.state[p]["ax"].item() == (-10.0 - 15.0) / 2
    assert opt.state[p]["mu"].item() == pytest.approx(1 / 3)


# -- what holds for every optimizer -----------------------------------------------------------------------

EVERY = {
    "SGD": {"lr": 0.1, "momentum": 0.9},
    "Adam": {"lr": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1},
    "RMSprop": {"lr": 0.01, "momentum": 0.9, "centered": True},
    "Adamax": {"lr": 0.1},
    "NAdam": {"lr": 0.1},
    "RAdam": {"lr": 0.1, "betas": (0.9, 0.7)},
    "Adagrad": {"lr": 0.1},
    "Adadelta": {"lr": 1.0},
    "Rprop": {"lr": 0.01},
    "ASGD": {"lr": 0.1, "t0": 2},
    "Adafactor": {"lr": 0.1},
}
every = pytest.mark.parametrize(("name", "options"), EVERY.items(), ids=list(EVERY))


def make(name, params, **more):
    return getattr(optim, name)(params, **{**EVERY[name], **more})


@every
def test_layouts_step_alike(name, options):
    rng = np.random.default_rng(1)
    value, grads = rng.normal(size=(6, 10)), [rng.normal(size=(6, 10)) for _ in range(4)]
    results = []
    for layout in ("rows", "transposed", "strided"):
        if layout == "rows":
            p = taeda.tensor(value)
        elif layout == "transposed":
            p = taeda.tensor(np.ascontiguousarray(value.T)).t()
        else:
            p = taeda.tensor(np.repeat(value, 2, axis=1))[:, ::2]
        p = p.detach().requires_grad_()
        opt = make(name, [p])
        for i, g in enumerate(grads):
            p.grad = taeda.tensor(g) if i % 2 else taeda.tensor(np.ascontiguousarray(g.T)).t()
            opt.step()
        results.append(p.detach().numpy())
    exact = {"rtol": 0, "atol": 0} if name != "Adafactor" else {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(results[0], results[1], **exact)
    np.testing.assert_allclose(results[0], results[2], **exact)


@every
@pytest.mark.parametrize("dtype", [taeda.bfloat16, taeda.float16])
def test_narrow_parameters_follow_the_wide_ones_and_keep_their_dtype(name, options, dtype):
    values, grads = start(steps=5, shapes=((6, 50), (7,)))
    wide = [taeda.tensor(v, requires_grad=True) for v in values]
    narrow = [taeda.tensor(v).to(dtype).requires_grad_() for v in values]
    opt = make(name, narrow)
    want = run(make(name, wide), wide, grads)
    got = run(opt, narrow, grads)
    for a, b in zip(got, want, strict=True):
        assert a.dtype is dtype
        # Rprop and a first step by the sign of a rounded product may part for single elements
        close = (a.double() - b).abs() < 0.05
        assert close.double().mean() > 0.98
    for state in opt.state.values():
        assert state.get("step", taeda.zeros(())).dtype is taeda.float32
        numbers = {"step", "eta", "mu", "mu_product"}
        assert {v.dtype for k, v in state.items() if k not in numbers} == {dtype}


@pytest.mark.parametrize("name", [n for n in EVERY if n != "Adafactor"])
def test_a_complex_parameter_is_a_pair_of_real_ones(name):
    rng = np.random.default_rng(2)
    value, grads = rng.normal(size=(4, 3, 2)), [rng.normal(size=(4, 3, 2)) for _ in range(4)]
    real = taeda.tensor(value, requires_grad=True)
    pair = taeda.view_as_complex(taeda.tensor(value)).requires_grad_()
    a, b = make(name, [real]), make(name, [pair])
    for g in grads:
        real.grad, pair.grad = taeda.tensor(g), taeda.view_as_complex(taeda.tensor(g))
        a.step()
        b.step()
    np.testing.assert_array_equal(taeda.view_as_real(pair.detach()).numpy(), real.detach().numpy())
    for key, kept in b.state[pair].items():
        if kept is not None and kept.dim():
            assert kept.dtype is taeda.complex128
            np.testing.assert_array_equal(taeda.view_as_real(kept).numpy(), a.state[real][key].numpy())


def test_adafactor_and_muon_refuse_complex_parameters():
    p = taeda.ones(2, 2, dtype=taeda.complex64, requires_grad=True)
    p.grad = taeda.ones(2, 2, dtype=taeda.complex64)
    for cls in (optim.Adafactor, optim.Muon):
        with pytest.raises(RuntimeError, match=rf"\[{cls.__name__}\] does not support complex parameters.*\(2, 2\)"):
            cls([p]).step()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad"])
def test_fused_refuses_complex_parameters(name):
    p = taeda.ones(2, dtype=taeda.complex64, requires_grad=True)
    p.grad = taeda.ones(2, dtype=taeda.complex64)
    opt = getattr(optim, name)([p], lr=0.1, fused=True)
    with pytest.raises(RuntimeError, match="`fused=True` requires all the params to be floating point.*complex64"):
        opt.step()


def test_fused_sgd_refuses_parameters_without_values():
    p = taeda.ones(2, device="meta", requires_grad=True)
    p.grad = taeda.ones(2, device="meta")
    with pytest.raises(RuntimeError, match=r"`fused=True` requires .* got taeda.float32 of shape \(2,\) on meta"):
        optim.SGD([p], lr=0.1, fused=True).step()


@every
def test_empty_and_0d_parameters_step(name, options):
    empty, single = taeda.ones(0, 3, requires_grad=True), taeda.tensor(1.0, requires_grad=True)
    opt = make(name, [empty, single])
    for _ in range(3):
        empty.grad, single.grad = taeda.ones(0, 3), taeda.tensor(0.5)
        opt.step()
    assert single.item() < 1.0 and opt.state[empty] is not None


@every
def test_parameters_in_one_storage_step_as_apart(name, options):
    values, grads = start(steps=4, shapes=((6,), (6,)))
    flat = taeda.tensor(np.concatenate(values))
    together = [flat[:6].detach().requires_grad_(), flat[6:].detach().requires_grad_()]
    apart = [taeda.tensor(v, requires_grad=True) for v in values]
    for a, b in zip(run(make(name, together), together, grads), run(make(name, apart), apart, grads), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@every
def test_a_parameter_given_twice_steps_twice(name, options):
    values, grads = start(steps=3, shapes=((4,),))
    twice, once = (taeda.tensor(values[0], requires_grad=True) for _ in range(2))
    with pytest.warns(UserWarning, match="duplicate parameters"):
        opt = make(name, [twice, twice])
    other = make(name, [once])
    for (g,) in grads:
        twice.grad = taeda.tensor(g)
        opt.step()
        for _ in range(2):
            once.grad = taeda.tensor(g)
            other.step()
    first = name == "SGD"  # whose first two steps both begin a momentum, as PyTorch's do
    assert taeda.allclose(twice, once, rtol=1e-12) or first


def test_overlapping_parameters_step_one_after_the_other():
    memory = taeda.zeros(3)
    a, b = memory[:2].detach().requires_grad_(), memory[1:].detach().requires_grad_()
    a.grad = b.grad = taeda.ones(2)
    optim.SGD([a, b], lr=1.0).step()
    assert memory.tolist() == [-1.0, -2.0, -1.0]


@every
def test_a_state_survives_saving_pickling_and_copying(name, options):
    values, grads = start(steps=6)
    whole = [taeda.tensor(v, requires_grad=True) for v in values]
    want = run(make(name, whole), whole, grads)
    params = [taeda.tensor(v, requires_grad=True) for v in values]
    first = make(name, params)
    run(first, params, grads[:3])
    fresh = make(name, params, lr=7.0)
    fresh.load_state_dict(copy.deepcopy(first.state_dict()))
    for a, b in zip(run(fresh, params, grads[3:5]), want, strict=True):
        assert a.shape == b.shape
    again = pickle.loads(pickle.dumps(fresh))
    mine = again.param_groups[0]["params"]
    for a, b in zip(run(again, mine, grads[5:]), want, strict=True):
        # NAdam's product of momenta and ASGD's rate are float32 until they are loaded, as PyTorch's
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-7)


@every
def test_old_step_counts_that_are_numbers_become_tensors(name, options):
    p = taeda.ones(3, requires_grad=True)
    opt = make(name, [p])
    p.grad = taeda.ones(3)
    opt.step()
    state = opt.state_dict()
    for values in state["state"].values():
        for key in {"step", "eta", "mu", "mu_product"} & set(values):
            values[key] = float(values[key])
    opt.load_state_dict(state)
    p.grad = taeda.ones(3)
    opt.step()
    if "step" in opt.state[p]:
        assert opt.state[p]["step"].item() == 2.0 and opt.state[p]["step"].dtype is taeda.float32


@pytest.mark.parametrize("name", [n for n in EVERY if n != "Adafactor"])
def test_gradients_flow_through_a_differentiable_step(name):
    def loss_of(w0):
        w = taeda.tensor(w0, dtype=taeda.float64, requires_grad=True)
        p = w.clone()
        more = {} if name in ("SGD", "Rprop", "ASGD") else {"eps": 0.1}
        if name == "SGD":
            more = {"momentum": 0.0}  # as PyTorch's, a first momentum is a constant to autograd
        opt = make(name, [p], differentiable=True, **more)
        for _ in range(3):
            p.grad = w * w + 0.1 * p
            opt.step()
        return w, (p * p).sum()

    w, loss = loss_of([0.5, -1.5])
    loss.backward()
    for i in range(2):
        sides = []
        for shift in (1e-6, -1e-6):
            moved = [0.5, -1.5]
            moved[i] += shift
            sides.append(loss_of(moved)[1].item())
        assert w.grad[i].item() == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5)


def test_nadam_differentiates_by_the_product_that_it_keeps():
    product = taeda.tensor(0.5, dtype=taeda.float64, requires_grad=True)

    def step(product):
        p = taeda.ones(2, dtype=taeda.float64, requires_grad=True).clone()
        opt = optim.NAdam([p], lr=0.1, differentiable=True)
        opt.state[p] = {"step": taeda.tensor(3.0, dtype=taeda.float64), "mu_product": product.clone(),
                        "exp_avg": taeda.full((2,), 0.25, dtype=taeda.float64), "exp_avg_sq": taeda.ones(2, dtype=taeda.float64)}
        for _ in range(2):
            p.grad = taeda.tensor([1.0, -2.0], dtype=taeda.float64)
            opt.step()
        return p

    assert taeda.autograd.gradcheck(step, (product,))


@pytest.mark.parametrize("name", [n for n in EVERY if n != "Adafactor"])
def test_the_differentiable_road_takes_the_same_path(name):
    values, grads = start(steps=6)
    fused = [taeda.tensor(v, requires_grad=True) for v in values]
    want = run(make(name, fused), fused, grads)
    plain = [taeda.tensor(v, requires_grad=True).clone() for v in values]
    opt = make(name, plain, differentiable=True)
    for step in grads:
        for p, g in zip(plain, step, strict=True):
            p.grad = taeda.tensor(g)
        opt.step()
    for a, b in zip(plain, want, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.numpy(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("cls", "options", "text"),
    [
        (optim.Adamax, {"betas": (0.9, 1.0)}, "index 1: 1.0"),
        (optim.NAdam, {"momentum_decay": -1.0}, "Invalid momentum_decay value: -1.0"),
        (optim.RAdam, {"eps": -1.0}, "Invalid epsilon value: -1.0"),
        (optim.Adagrad, {"lr_decay": -1.0}, "Invalid lr_decay value: -1.0"),
        (optim.Adagrad, {"initial_accumulator_value": -1.0}, "Invalid initial_accumulator_value value: -1.0"),
        (optim.Adadelta, {"rho": 1.5}, "Invalid rho value: 1.5"),
        (optim.Rprop, {"etas": (1.0, 1.2)}, "Invalid eta values: 1.0, 1.2"),
        (optim.ASGD, {"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"),
        (optim.Adafactor, {"lr": -1.0}, "Learning rate should be >= 0 but is: -1.0"),
        (optim.Adafactor, {"beta2_decay": 0.1}, "beta2_decay should be <= 0 but is: 0.1"),
        (optim.Adafactor, {"eps": (-1.0, 1.0)}, "epsilon1 should be >= 0"),
        (optim.Adafactor, {"d": 0.5}, "Clipping threshold d should be >= 1 but is: 0.5"),
        (optim.SparseAdam, {"lr": 0.0}, "Invalid learning rate: 0.0"),
        (optim.Muon, {"momentum": -1.0}, "momentum should be >= 0 but is: -1.0"),
        (optim.Muon, {"adjust_lr_fn": "other"}, "Adjust learning rate function other is not supported"),
        (optim.LBFGS, {"lr": -1.0}, "Invalid learning rate: -1.0"),
        *[
            (cls, {"lr": taeda.ones(2)}, "Tensor lr must be 1-element")
            for cls in (optim.Adamax, optim.NAdam, optim.Adagrad, optim.Adafactor, optim.Muon, optim.LBFGS)
        ],
    ],
)
def test_options_out_of_range_are_refused(cls, options, text):
    with pytest.raises(ValueError, match=rf"\[{cls.__name__}\].*{text}"):
        cls([taeda.ones(2, 2, requires_grad=True)], **options)


@pytest.mark.parametrize(
    ("cls", "options", "text"),
    [
        *[(cls, {"lr": "1e-3"}, "lr") for cls in (optim.SGD, optim.Adam, optim.Adafactor, optim.Muon, optim.LBFGS, optim.SparseAdam)],
        (optim.AdamW, {"weight_decay": "1e-4"}, "weight_decay value"),
        (optim.SGD, {"lr": 0.1, "momentum": "0.9"}, "momentum value"),
        (optim.RAdam, {"betas": ("0.9", 0.99)}, "beta parameter at index 0"),
    ],
)
def test_text_in_place_of_a_number_is_refused_by_name(cls, options, text):
    with pytest.raises(TypeError, match=rf"\[{cls.__name__}\] {text} must be a number, got the text '.*'; take float\(\) of it"):
        cls([taeda.ones(2, 2, requires_grad=True)], **options)


@pytest.mark.parametrize("cls", [optim.SGD, optim.Adam, optim.Rprop])
def test_none_in_place_of_a_number_is_refused_by_name(cls):
    with pytest.raises(TypeError, match=rf"\[{cls.__name__}\] lr must be a number, got None; leave it out for the default"):
        cls([taeda.ones(2, 2, requires_grad=True)], lr=None)


def test_sparse_adam_refuses_dense_gradients_and_complex_parameters():
    p = taeda.ones(2, requires_grad=True)
    opt = optim.SparseAdam([p])
    opt.step()
    p.grad = taeda.ones(2)
    with pytest.raises(RuntimeError, match=r"does not support dense gradients, please consider Adam.*\(2,\)"):
        opt.step()
    with pytest.raises(ValueError, match=r"Complex params at indices \[\[0, 0\]\]"):
        optim.SparseAdam([taeda.ones(2, dtype=taeda.complex64, requires_grad=True)])


@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_adafactor_keeps_a_bad_gradient_to_the_elements_it_touches(shape):
    p = taeda.ones(shape, requires_grad=True)
    p.grad = taeda.full(shape, 0.5)
    p.grad.view(-1)[0] = float("nan")
    optim.Adafactor([p], lr=0.1).step()
    spared = p.detach().view(-1)[1:] if len(shape) == 1 else p.detach()[1, 1:]
    assert p.detach().view(-1)[0].isnan()
    assert spared.isfinite().all() == (len(shape) == 1)  # the mean of a matrix's rows carries it everywhere
