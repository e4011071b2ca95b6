"""Streams: numbers that PyTorch 2.13 draws after the same seed, states, locks, forks, and what is refused."""

from __future__ import annotations

import os
import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads


def words(seed: int, n: int) -> np.ndarray:
    """The raw 32-bit words of the stream, from NumPy's own Mersenne Twister."""
    state = taeda.Generator().manual_seed(seed).get_state().numpy()
    twister = np.random.RandomState()
    twister.set_state(("MT19937", state[24 : 24 + 4992].view(np.uint64).astype(np.uint32), 624))
    return np.frombuffer(twister.bytes(4 * n), dtype=np.uint32)


def wide(seed: int, n: int) -> np.ndarray:
    w = words(seed, 2 * n).astype(np.uint64)
    return w[0::2] << np.uint64(32) | w[1::2]


def unit(seed: int, n: int) -> np.ndarray:
    return (wide(seed, n) & np.uint64((1 << 53) - 1)) / 2.0**53


# -- the streams -------------------------------------------------------------------------------------


def test_rand_is_the_low_24_bits_of_a_word() -> None:
    taeda.manual_seed(5)
    wanted = (words(5, 2000) & 0xFFFFFF).astype(np.float32) / np.float32(1 << 24)
    np.testing.assert_array_equal(taeda.rand(2000).numpy(), wanted)


def test_rand_in_pieces_is_rand_at_once() -> None:
    g, h = taeda.Generator().manual_seed(9), taeda.Generator().manual_seed(9)
    pieces = [taeda.rand(n, generator=g) for n in (1, 3, 623, 624, 1, 700, 0, 48)]
    np.testing.assert_array_equal(taeda.cat(pieces).numpy(), taeda.rand(2000, generator=h).numpy())
    assert taeda.equal(g.get_state(), h.get_state())


def test_rand_float64_is_53_bits_high_word_first() -> None:
    taeda.manual_seed(5)
    np.testing.assert_array_equal(taeda.rand(1000, dtype=taeda.float64).numpy(), unit(5, 1000))


@pytest.mark.parametrize("high", [1, 2, 10, 2**20, 2**28 - 1])
def test_small_ranges_take_a_32_bit_word(high: int) -> None:
    taeda.manual_seed(5)
    np.testing.assert_array_equal(taeda.randint(high, (600,)).numpy(), words(5, 600) % np.uint64(high))


@pytest.mark.parametrize("high", [2**28, 2**31, 2**40, 2**63 - 1])
def test_ranges_from_2_28_take_a_64_bit_word(high: int) -> None:
    taeda.manual_seed(5)
    np.testing.assert_array_equal(taeda.randint(high, (600,)).numpy(), (wide(5, 600) % np.uint64(high)).astype(np.int64))


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [
        ("int64", lambda: wide(5, 9) & np.uint64(2**63 - 1)),
        ("int32", lambda: words(5, 9) & np.uint32(2**31 - 1)),
        ("uint8", lambda: words(5, 9) & np.uint32(255)),
        ("bool", lambda: words(5, 9) & np.uint32(1)),
        ("float32", lambda: words(5, 9) % np.uint32(2**24 + 1)),
        ("float64", lambda: wide(5, 9) % np.uint64(2**53 + 1)),
    ],
)
def test_random_fills_the_range_of_the_dtype(dtype: str, wanted: Any) -> None:
    taeda.manual_seed(5)
    x = taeda.empty(9, dtype=getattr(taeda, dtype)).random_()
    np.testing.assert_array_equal(x.numpy().astype(np.float64), wanted().astype(np.float64))


def test_random_of_all_64_bits() -> None:
    taeda.manual_seed(5)
    x = taeda.empty(9, dtype=taeda.int64).random_(-(2**63), None)
    np.testing.assert_array_equal(x.numpy(), wide(5, 9).view(np.int64))


def test_randperm_is_fisher_and_yates_from_the_front() -> None:
    taeda.manual_seed(5)
    w, wanted = words(5, 99), list(range(100))
    for i in range(99):
        j = i + int(w[i]) % (100 - i)
        wanted[i], wanted[j] = wanted[j], wanted[i]
    assert taeda.randperm(100).tolist() == wanted


def test_bernoulli_draws_53_bits_for_a_number_and_24_for_float32_probabilities() -> None:
    p = taeda.linspace(0, 1, 400)
    taeda.manual_seed(5)
    np.testing.assert_array_equal(taeda.empty(400).bernoulli_(0.3).numpy(), unit(5, 400) < 0.3)
    taeda.manual_seed(5)
    u = (words(5, 400) & 0xFFFFFF).astype(np.float32) / np.float32(1 << 24)
    np.testing.assert_array_equal(taeda.bernoulli(p).numpy(), u < p.numpy())
    taeda.manual_seed(5)
    np.testing.assert_array_equal(taeda.bernoulli(p.to(taeda.float64)).numpy(), unit(5, 400) < p.to(taeda.float64).numpy())


def test_short_normals_are_scalar_pairs_and_the_second_waits() -> None:
    u = unit(5, 4)
    r, a = np.sqrt(-2 * np.log1p(-u[1::2])), 2 * np.pi * u[0::2]
    wanted = np.stack([r * np.cos(a), r * np.sin(a)], 1).ravel()
    taeda.manual_seed(5)
    found = taeda.cat([taeda.randn(1, dtype=taeda.float64), taeda.randn(3, dtype=taeda.float64)])
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-14)


@pytest.mark.parametrize("n", [16, 32, 37, 600, 2000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_normals_are_blocks_of_16_and_a_new_tail(n: int, dtype: str) -> None:
    d = np.dtype(dtype).type
    if dtype == "float32":
        u = (words(5, n + 16) & 0xFFFFFF).astype(d) / d(1 << 24)
    else:
        u = unit(5, n + 16)

    def block(v: np.ndarray) -> np.ndarray:
        r, a = np.sqrt(-2 * np.log(1 - v[:8].astype(np.float64))), (d(2 * np.pi) * v[8:]).astype(np.float64)
        return np.concatenate([r * np.cos(a), r * np.sin(a)])

    wanted = u[:n].astype(np.float64)
    for i in range(0, n - 15, 16):
        wanted[i : i + 16] = block(u[i : i + 16])
    if n % 16:
        wanted[-16:] = block(u[n : n + 16])
    taeda.manual_seed(5)
    found = taeda.randn(n, dtype=getattr(taeda, dtype)).numpy()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 if dtype == "float32" else 1e-14)


def test_views_are_filled_in_the_order_of_memory() -> None:
    base = taeda.zeros(6, 4)
    taeda.manual_seed(5)
    base.t().uniform_()
    taeda.manual_seed(5)
    assert taeda.equal(base, taeda.rand(6, 4))
    part = taeda.zeros(3, 8)[:, ::2].t()
    taeda.manual_seed(5)
    part.uniform_()
    taeda.manual_seed(5)
    assert taeda.equal(part.t(), taeda.rand(3, 4))


def test_other_distributions_by_their_formulas() -> None:
    u = unit(5, 50)
    double = {"dtype": taeda.float64}
    for fill, wanted in [
        (lambda x: x.exponential_(1.7), -np.log1p(-u) / 1.7),
        (lambda x: x.cauchy_(1, 2), 1 + 2 * np.tan(np.pi * (u - 0.5))),
        (lambda x: x.geometric_(0.3), np.ceil(np.log(u) / np.log1p(-0.3))),
        (lambda x: x.uniform_(-2, 5), u * 7 - 2),
    ]:
        taeda.manual_seed(5)
        np.testing.assert_allclose(fill(taeda.empty(50, **double)).numpy(), wanted, rtol=1e-12, atol=1e-12)
    taeda.manual_seed(5)
    logs = taeda.empty(50, **double).log_normal_(0.5, 0.25).log()
    taeda.manual_seed(5)
    scalars = taeda.cat([taeda.empty(1, **double).normal_(0.5, 0.25) for _ in range(50)])
    np.testing.assert_allclose(logs.numpy(), scalars.numpy(), rtol=1e-12)


def test_multinomial_with_replacement_searches_the_cumulated_weights() -> None:
    w = taeda.tensor([0.1, 0.0, 2.0, 0.7], dtype=taeda.float64)
    taeda.manual_seed(5)
    sums = np.cumsum(w.numpy())
    wanted = np.searchsorted(sums / sums[-1], unit(5, 300))
    np.testing.assert_array_equal(taeda.multinomial(w, 300, replacement=True).numpy(), wanted)


def test_multinomial_without_replacement_takes_no_index_twice() -> None:
    rows = taeda.multinomial(taeda.ones(5, 9), 9)
    assert all(sorted(row) == list(range(9)) for row in rows.tolist())
    assert 1 not in taeda.multinomial(taeda.tensor([0.5, 0.0, 0.5]), 2).tolist()


# -- makers ------------------------------------------------------------------------------------------


def test_makers_take_shape_dtype_device_and_out() -> None:
    assert taeda.rand(2, 3).shape == taeda.rand((2, 3)).shape == taeda.rand(size=[2, 3]).shape == (2, 3)
    assert taeda.rand(()).shape == () and taeda.rand(0, 3).shape == (0, 3)
    assert taeda.rand(2, dtype=taeda.float64).dtype == taeda.float64
    assert taeda.randint(3, (2,)).dtype == taeda.int64 and taeda.randperm(3).dtype == taeda.int64
    assert taeda.randn(2, requires_grad=True).is_leaf and taeda.randn(2, requires_grad=True).requires_grad
    assert taeda.rand(2, layout=taeda.strided, pin_memory=False).shape == (2,)
    out = taeda.empty(4, dtype=taeda.float64)
    taeda.manual_seed(1)
    assert taeda.rand(4, out=out) is out
    taeda.manual_seed(1)
    assert taeda.equal(out, taeda.rand(4, dtype=taeda.float64))
    strided = taeda.zeros(10, dtype=taeda.int64)[::2]
    assert sorted(taeda.randperm(5, out=strided).tolist()) == [0, 1, 2, 3, 4]
    x = taeda.zeros(3, 5).t()
    for made in (taeda.rand_like(x), taeda.randn_like(x), taeda.randint_like(x, 4)):
        assert (made.shape, made.stride(), made.dtype) == (x.shape, x.stride(), x.dtype)


def test_meta_draws_nothing() -> None:
    taeda.manual_seed(3)
    before = taeda.get_rng_state()
    made = [
        taeda.rand(2, device="meta"),
        taeda.randperm(4, device="meta"),
        taeda.empty(3, device="meta").normal_(),
    ]
    made += [taeda.bernoulli(made[0]), taeda.multinomial(made[0], 1), taeda.normal(made[0], made[0])]
    assert all(t.device.type == "meta" for t in made)
    assert taeda.equal(before, taeda.get_rng_state())


def test_a_fill_forgets_its_history() -> None:
    for fill in (
        lambda y: y.uniform_(),
        lambda y: y.bernoulli_(0.5),
        lambda y: y.normal_(),
        lambda y: y.random_(3),
    ):
        x = taeda.ones(3, requires_grad=True)
        (fill(x * 2) * 3).sum().backward()
        assert x.grad.tolist() == [0, 0, 0]
    x = taeda.ones(3)
    version = x._version
    x.uniform_()
    assert x._version == version + 1


def test_the_upper_bound_of_a_uniform_is_never_drawn() -> None:
    """Of a narrow range some values round to ``to``; they become ``from``."""
    x = taeda.empty(100_000).uniform_(1000, 1001)
    assert x.min().item() == 1000 and x.max().item() < 1001
    assert taeda.empty(3).uniform_(7, 7).tolist() == [7, 7, 7]


def test_normal_of_tensors_has_zero_gradients() -> None:
    mean, std = taeda.zeros(3, requires_grad=True), taeda.ones(2, 1, requires_grad=True)
    y = taeda.normal(mean, std)
    assert y.grad_fn.name() == "NormalBackward3"
    y.sum().backward()
    assert mean.grad.tolist() == [0, 0, 0] and std.grad.tolist() == [[0], [0]]
    assert taeda.normal(mean, 1.0).grad_fn.name() == "NormalBackward1"
    assert taeda.normal(0.0, std).grad_fn.name() == "NormalBackward2"


def test_counts_have_pytorchs_gradients() -> None:
    rate = taeda.ones(3, requires_grad=True)
    taeda.poisson(rate).sum().backward()
    assert rate.grad.tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="derivative is not implemented"):
        taeda.binomial(rate, rate).sum().backward()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: taeda.empty(3).uniform_(2, 1), RuntimeError, r"from=2 > to=1"),
        (lambda: taeda.empty(3).uniform_(0, float("inf")), RuntimeError, "to is out of bounds"),
        (lambda: taeda.empty(3).uniform_(float("nan"), 1), RuntimeError, "from is out of bounds"),
        (lambda: taeda.empty(3).uniform_(-3e38, 3e38), RuntimeError, "to - from"),
        (lambda: taeda.empty(3, dtype=taeda.int64).uniform_(), NotImplementedError, "'Long'"),
        (lambda: taeda.rand(2, dtype=taeda.int64), NotImplementedError, "'Long'"),
        (lambda: taeda.empty(3).normal_(0, -1), RuntimeError, "std >= 0.0"),
        (lambda: taeda.empty(3).normal_(0, float("nan")), RuntimeError, "std >= 0.0"),
        (lambda: taeda.empty(3).bernoulli_(1.5), RuntimeError, r"p=1\.5"),
        (lambda: taeda.empty(3).bernoulli_(taeda.tensor([0.5, 2, 0])), RuntimeError, r"in \[0, 1\]"),
        (lambda: taeda.empty(3).bernoulli_(taeda.ones(2)), RuntimeError, "size of tensor b"),
        (lambda: taeda.empty(3).exponential_(0), RuntimeError, "lambda=0"),
        (lambda: taeda.empty(3).geometric_(1), RuntimeError, "p=1"),
        (lambda: taeda.randint(5, 5, (2,)), RuntimeError, "from=5 >= to=5"),
        (lambda: taeda.randint(0, 300, (2,), dtype=taeda.uint8), RuntimeError, "out of bounds for uint8"),
        (lambda: taeda.randint(2**63, (2,)), ValueError, "2\\^63"),
        (lambda: taeda.randint(3, 2), TypeError, "tuple of ints"),
        (lambda: taeda.randint(3.5, (2,)), TypeError, "must be an int"),
        (lambda: taeda.randint(3, (2,), requires_grad=True), RuntimeError, "require gradients"),
        (lambda: taeda.empty(2).random_(5.5), TypeError, "must be an int"),
        (lambda: taeda.empty(2, dtype=taeda.int32).random_(-(2**63), None), RuntimeError, "64 bits"),
        (lambda: taeda.randperm(-1), RuntimeError, "non-negative"),
        (lambda: taeda.randperm(300, dtype=taeda.uint8), RuntimeError, "n=300"),
        (lambda: taeda.rand(-1), RuntimeError, "negative dimension"),
        (lambda: taeda.rand(2**61), RuntimeError, "overflow"),
        (lambda: taeda.rand(), TypeError, "missing 1 required positional arguments"),
        (lambda: taeda.rand("a"), TypeError, "sizes must be ints"),
        (lambda: taeda.rand(True), TypeError, "sizes must be ints"),
        (lambda: taeda.rand(2, generator=3), TypeError, "Generator"),
        (lambda: taeda.rand(2, out=3), TypeError, "'out'"),
        (lambda: taeda.rand(2, pin_memory=True), RuntimeError, "accelerator"),
        (
            lambda: taeda.rand(2, dtype=taeda.float32, out=taeda.empty(2, dtype=taeda.float64)),
            RuntimeError,
            "does not match",
        ),
        (lambda: taeda.empty(3, requires_grad=True).uniform_(), RuntimeError, "leaf"),
        (lambda: taeda.empty(3).expand(2, 3).uniform_(), RuntimeError, "single memory location"),
        (lambda: taeda.manual_seed(2**64), ValueError, "2\\^64"),
        (lambda: taeda.manual_seed("a"), ValueError, "invalid literal"),
        (lambda: taeda.Generator().manual_seed(1.5), RuntimeError, "expected an int"),
        (lambda: taeda.Generator().manual_seed(True), RuntimeError, "expected an int, but got bool"),
        (lambda: taeda.Generator().graphsafe_get_state(), NotImplementedError, "CPU"),
        (lambda: taeda.Generator().graphsafe_set_state(taeda.Generator()), NotImplementedError, "CPU"),
        (lambda: taeda.Generator().get_offset(), RuntimeError, "offset"),
        (lambda: taeda.Generator().set_offset(3), RuntimeError, "offset"),
        (lambda: taeda.rand(2, requires_grad=1), TypeError, "'requires_grad' must be bool"),
        (lambda: taeda.normal(taeda.zeros(2), 1.0, dtype=taeda.float64), TypeError, "'dtype' goes with mean and std as numbers"),
        (lambda: taeda.randint(True, (2,)), TypeError, "'high' must be an int, not bool"),
        (lambda: taeda.randperm(257 + 1, dtype=taeda.uint8), RuntimeError, "n=258"),
        (lambda: taeda.empty(3).random_(2**24, None), RuntimeError, "less than 16777216"),
        (lambda: taeda.empty(3, dtype=taeda.bool).geometric_(0.5), NotImplementedError, "'Bool'"),
        (lambda: taeda.empty(3, dtype=taeda.bool).random_(-(2**63), None), NotImplementedError, "'Bool'"),
        (lambda: taeda.Generator("meta"), RuntimeError, "meta"),
        (lambda: taeda.Generator().set_state(taeda.zeros(5056)), TypeError, "uint8"),
        (lambda: taeda.Generator().set_state(taeda.zeros(10, dtype=taeda.uint8)), RuntimeError, "5056"),
        (lambda: taeda.Generator().set_state(taeda.zeros(5056, dtype=taeda.uint8)), RuntimeError, "mt19937"),
    ],
)
def test_refuses(call: Any, error: type[BaseException], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_refused_fill_leaves_its_target() -> None:
    x = taeda.ones(3)
    with pytest.raises(RuntimeError):
        x.bernoulli_(taeda.tensor([0.5, 0.5, 2.0]))
    assert x.tolist() == [1, 1, 1] and x._version == 0


def test_integers_beyond_a_floats_digits_warn() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        taeda.empty(3).random_(0, 2**24 + 9)
    assert any("2^24" in str(w.message) for w in caught)


# -- generators --------------------------------------------------------------------------------------


def test_seeds() -> None:
    assert taeda.Generator().initial_seed() == 67280421310721
    assert taeda.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    assert taeda.manual_seed(7) is taeda.default_generator and taeda.initial_seed() == 7
    assert taeda.seed() == taeda.initial_seed() < 2**53
    assert taeda.Generator().device == taeda.device("cpu")


def test_a_state_holds_all_including_the_waiting_normal() -> None:
    g = taeda.Generator().manual_seed(3)
    taeda.randn(3, generator=g)
    state = g.get_state()
    assert state.shape == (5056,) and state.dtype == taeda.uint8
    wanted = taeda.randn(5, generator=g)
    for h in (
        taeda.Generator().set_state(state),
        taeda.Generator().set_state(taeda.stack([state, state], 1)[:, 0]),
        pickle.loads(pickle.dumps(taeda.Generator().set_state(state))),
        taeda.Generator().set_state(state).clone_state(),
    ):
        assert taeda.equal(taeda.randn(5, generator=h), wanted)


def test_fork_rng_puts_the_state_back() -> None:
    taeda.manual_seed(0)
    with taeda.random.fork_rng():
        taeda.rand(5)
    assert taeda.equal(taeda.rand(1), taeda.rand(1, generator=taeda.Generator().manual_seed(0)))


def test_threads_share_a_generator_without_losing_a_word() -> None:
    g, parts = taeda.Generator().manual_seed(1), []

    def draw() -> None:
        for _ in range(20):
            parts.append(taeda.rand(20000, generator=g))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    found = np.sort(np.concatenate([p.numpy() for p in parts]))
    taeda.manual_seed(1)
    np.testing.assert_array_equal(found, np.sort(taeda.rand(20000 * 80).numpy()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_can_seed_while_the_parent_drew_in_a_thread() -> None:
    stop = threading.Event()

    def draw() -> None:
        while not stop.is_set():
            taeda.rand(100_000)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            taeda.manual_seed(5)
            os._exit(0 if 0 <= float(taeda.rand(1)) < 1 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        stop.set()
        thread.join()


def test_the_same_numbers_for_any_number_of_threads() -> None:
    def draw():
        taeda.manual_seed(2)
        return taeda.randn(70000), taeda.rand(70000)

    assert_same_for_any_threads(draw, (1, 2, 4))


def test_numbers_of_pytorch() -> None:
    """Values that PyTorch 2.13 gives on the CPU."""
    taeda.manual_seed(0)
    np.testing.assert_array_equal(
        taeda.rand(4).numpy(),
        np.array([0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688], np.float32),
    )
    taeda.manual_seed(0)
    np.testing.assert_allclose(taeda.randn(3).numpy(), [1.5409961, -0.2934289, -2.1787894], rtol=1e-6)
    taeda.manual_seed(0)
    assert taeda.randperm(10).tolist() == [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]
    taeda.manual_seed(0)
    assert taeda.randint(10, (8,)).tolist() == [4, 9, 3, 0, 3, 9, 7, 3]


def test_normal_takes_a_size_beside_tensors_of_one_number_and_says_that_it_resizes() -> None:
    taeda.manual_seed(0)
    a = taeda.normal(taeda.tensor(3.0), 2, (4,))
    taeda.manual_seed(0)
    assert taeda.equal(a, taeda.normal(3.0, 2.0, (4,)))
    with pytest.raises(RuntimeError, match="std >= 0"):
        taeda.normal(taeda.tensor(0.0), -1, (4,))
    with pytest.warns(UserWarning, match="^An output with one or more elements was resized"):
        assert taeda.normal(taeda.ones(2), taeda.ones(2), out=taeda.ones(3)).shape == (2,)
