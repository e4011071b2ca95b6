"""Attention by blocks: what must hold besides the row's values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import taeda
from any_threads import assert_same_for_any_threads
from taeda import ops

SDPA = ops.scaled_dot_product_attention


def qkv(*shapes: tuple[int, ...], seed: int = 0, dtype: taeda.dtype = taeda.float32) -> list[taeda.Tensor]:
    taeda.manual_seed(seed)
    return [taeda.randn(*s, dtype=dtype) for s in shapes]


def gradients(f, tensors: list[taeda.Tensor]) -> list[taeda.Tensor]:
    leaves = [t.clone().requires_grad_() for t in tensors]
    y = f(*leaves)
    taeda.manual_seed(9)
    return [y.detach(), *taeda.autograd.grad(y, leaves, taeda.randn_like(y))]


@pytest.mark.parametrize("shapes", [((1, 1, 500, 20), (1, 1, 700, 20)), ((3, 8, 60, 16), (3, 8, 70, 16)), ((2, 8, 99, 8), (2, 2, 300, 8))])
@pytest.mark.parametrize("causal", [False, True])
def test_one_two_and_three_threads_give_the_same_bits(shapes, causal) -> None:
    q, k = shapes
    tensors = qkv(q, k, k)
    assert_same_for_any_threads(lambda: gradients(lambda q, k, v: SDPA(q, k, v, is_causal=causal, enable_gqa=True), tensors))


@given(st.integers(1, 400), st.integers(0, 399), st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_a_causal_mask_leaks_nothing(length, at, width) -> None:
    """What comes later changes no earlier result by a bit, nor does its gradient reach back."""
    at = min(at, length - 1)
    q, k, v = qkv((1, 2, length, width), (1, 2, length, width), (1, 2, length, width))
    before = SDPA(q, k, v, is_causal=True)
    for t, value in ((q, 3.0), (k, 50.0), (v, -7.0)):
        t[:, :, at:] += value
    after = SDPA(q, k, v, is_causal=True)
    assert taeda.equal(before[:, :, :at], after[:, :, :at])
    k.requires_grad_()
    SDPA(q, k, v, is_causal=True)[:, :, :at].sum().backward()
    assert not k.grad[:, :, at:].any()


@given(st.integers(1, 60), st.integers(1, 300), st.integers(1, 33), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_keys_does_not_matter(targets, sources, width, random) -> None:
    q, k, v = qkv((2, targets, width), (2, sources, width), (2, sources, width), dtype=taeda.float64)
    order = list(range(sources))
    random.shuffle(order)
    turned = list(range(targets))
    random.shuffle(turned)
    expected = SDPA(q, k, v)
    np.testing.assert_allclose(SDPA(q, k[:, order], v[:, order]), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(SDPA(q[:, turned], k, v), expected[:, turned], rtol=1e-10, atol=1e-12)


@given(st.integers(1, 90), st.integers(1, 300), st.integers(0, 299), st.booleans())
@settings(max_examples=25, deadline=None)
def test_masked_keys_do_not_matter(targets, sources, hidden, added) -> None:
    """A padded batch gives what its sequences give alone, and nothing comes back to the padding."""
    hidden = min(hidden, sources - 1)
    seen = sources - hidden
    q, k, v = qkv((1, 2, targets, 8), (1, 2, sources, 8), (1, 2, sources, 8))
    mask = taeda.arange(sources) < seen
    if added:
        mask = taeda.zeros(sources).masked_fill(~mask, -float("inf"))
    y, gq, gk, gv = gradients(lambda q, k, v: SDPA(q, k, v, mask), [q, k, v])
    short = gradients(SDPA, [q, k[:, :, :seen], v[:, :, :seen]])
    for a, b in zip((y, gq, gk[:, :, :seen], gv[:, :, :seen]), short, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert not gk[:, :, seen:].any() and not gv[:, :, seen:].any()


def test_grouped_queries_are_repeated_keys() -> None:
    q, k, v = qkv((2, 6, 50, 12), (2, 2, 90, 12), (2, 2, 90, 12), dtype=taeda.float64)
    grouped = gradients(lambda q, k, v: SDPA(q, k, v, enable_gqa=True), [q, k, v])
    repeated = gradients(lambda q, k, v: SDPA(q, k.repeat_interleave(3, 1), v.repeat_interleave(3, 1)), [q, k, v])
    for a, b in zip(grouped, repeated, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def test_a_query_that_sees_no_key_gives_zeros_and_no_gradient() -> None:
    mask = taeda.ones(40, 300, dtype=taeda.bool)
    mask[3] = mask[39] = False
    results = gradients(lambda q, k, v: SDPA(q, k, v, mask), qkv((1, 1, 40, 16), (1, 1, 300, 16), (1, 1, 300, 16)))
    assert all(t.isfinite().all() for t in results)
    for t in results[:2]:
        assert not t[0, 0, [3, 39]].any()
        assert t[0, 0, 4].all()


def test_nan_and_infinity_stay() -> None:
    q, k, v = qkv((1, 3, 4), (1, 300, 4), (1, 300, 4))
    k[0, 299, 0] = float("nan")
    assert SDPA(q, k, v).isnan().all()
    q, k, v = qkv((1, 3, 4), (1, 300, 4), (1, 300, 4))
    v[0, 299, 1] = float("inf")
    y = SDPA(q, k, v)
    assert y[..., 1].isinf().all() and y[..., [0, 2, 3]].isfinite().all()


def test_dropout_is_a_mask_on_the_weights() -> None:
    """The mask is one Bernoulli draw a weight; the weights that stay grow by 1 / (1 - p)."""
    q, k, v = qkv((2, 3, 40, 16), (2, 3, 50, 16), (2, 3, 50, 16), dtype=taeda.float64)

    def fused(q, k, v):
        taeda.manual_seed(4)
        return SDPA(q, k, v, dropout_p=0.3)

    def plain(q, k, v):
        taeda.manual_seed(4)
        return ops.dropout((q @ k.mT / 4).softmax(-1), 0.3, True) @ v

    for a, b in zip(gradients(fused, [q, k, v]), gradients(plain, [q, k, v]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    assert not SDPA(q, k, v, dropout_p=1.0).any()


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
@pytest.mark.parametrize("added", [False, True])
def test_half_precision_is_computed_in_single(dtype, added) -> None:
    tensors = [t.to(dtype) for t in qkv((1, 2, 30, 16), (1, 2, 40, 16), (1, 2, 40, 16))]
    mask = taeda.randn(30, 40) if added else None
    narrow = gradients(lambda q, k, v: SDPA(q, k, v, mask), tensors)
    wide = gradients(lambda q, k, v: SDPA(q, k, v, mask), [t.float() for t in tensors])
    assert all(t.dtype == dtype for t in narrow)
    np.testing.assert_allclose(narrow[0].float(), wide[0], rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
@pytest.mark.parametrize(("heads", "key_heads", "length", "keys", "width"), [(2, 2, 300, 513, 33), (4, 2, 3, 300, 16), (17, 17, 50, 40, 64)])
@pytest.mark.parametrize("mask", ["none", "causal", "bool", "half", "half row", "single"])
def test_halves_are_single_precision_rounded_once(dtype, heads, key_heads, length, keys, width, mask) -> None:
    q, k, v = (t.to(dtype) for t in qkv((2, heads, length, width), (2, key_heads, keys, width), (2, key_heads, keys, width)))
    q = q.transpose(1, 2).contiguous().transpose(1, 2)
    added = {
        "bool": taeda.rand(length, keys) > 0.3,
        "half": taeda.randn(2, 1, length, keys).to(dtype),
        "half row": taeda.randn(keys).to(dtype).expand(length, keys),
        "single": taeda.randn(length, keys),
    }.get(mask)
    wide = added if added is None or added.dtype == taeda.bool else added.float()
    options = {"is_causal": mask == "causal", "enable_gqa": heads != key_heads}
    y = SDPA(q, k, v, added, **options)
    assert y.dtype == dtype and y.equal(SDPA(q.float(), k.float(), v.float(), wide, **options).to(dtype))


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
def test_halves_are_not_copied_whole(dtype) -> None:
    """Copies in float32 of all that is read and written took 12 MB here."""
    q, k, v = (t.to(dtype) for t in qkv(*[(1, 4, 3000, 64)] * 3))
    taeda.cpu.reset_peak_memory_stats()
    before = taeda.cpu.memory_stats()["allocated_bytes.current"]
    y = SDPA(q, k, v)
    own = y.numel() * 2 + y.numel() // 64 * 4                                # the result and lse
    assert taeda.cpu.memory_stats()["allocated_bytes.peak"] - before < own + (1 << 20) * taeda.get_num_threads()


def test_memory_does_not_grow_with_the_square_of_the_length() -> None:
    length, width = 4096, 16
    q, k, v = (t.requires_grad_() for t in qkv(*[(1, 1, length, width)] * 3))
    taeda.cpu.reset_peak_memory_stats()
    before = taeda.cpu.memory_stats()["allocated_bytes.current"]
    SDPA(q, k, v).sum().backward()
    used = taeda.cpu.memory_stats()["allocated_bytes.peak"] - before
    assert used < length * length * 4 / 8, used


def test_strided_and_transposed_operands_are_read_in_place() -> None:
    """Queries, keys and values out of one projection give what copies of them give."""
    x = taeda.randn(2, 70, 3, 4, 16).requires_grad_()
    q, k, v = (t.transpose(1, 2) for t in x.unbind(2))
    g = taeda.randn(2, 4, 70, 16)
    y = SDPA(q, k, v)
    assert y.stride() == (70 * 64, 16, 64, 1)          # as the queries: (B, L, H, E) in memory
    (gx,) = taeda.autograd.grad(y, x, g)
    copies = [t.detach().contiguous().requires_grad_() for t in (q, k, v)]
    z = SDPA(*copies)
    assert taeda.equal(y, z)
    for a, b in zip(gx.unbind(2), taeda.autograd.grad(z, copies, g), strict=True):
        assert taeda.equal(a.transpose(1, 2), b)


@pytest.mark.parametrize("width", [16, 20, 64])
def test_a_cotangent_of_any_layout_is_read_as_it_lies(width) -> None:
    tensors = qkv((2, 3, 110, width), (2, 3, 140, width), (2, 3, 140, width), dtype=taeda.float64)
    y = SDPA(*(t.requires_grad_() for t in tensors), is_causal=True)
    for g in (taeda.full((1,), 0.7, dtype=taeda.float64).expand(y.shape), taeda.randn(2, 3, width, 110, dtype=taeda.float64).transpose(2, 3),
              taeda.randn(2, 3, 110, 2 * width, dtype=taeda.float64)[..., ::2], taeda.randn(2, 3, 110, 1, dtype=taeda.float64).expand(y.shape)):
        got = taeda.autograd.grad(y, tensors, g, retain_graph=True)
        want = taeda.autograd.grad(y, tensors, g.contiguous(), retain_graph=True)
        assert all(taeda.allclose(a, b, rtol=1e-12, atol=1e-14) for a, b in zip(got, want, strict=True))


def test_meta_tensors_get_a_shape() -> None:
    q, k, v = (taeda.empty(s, device="meta") for s in ((2, 3, 4), (2, 5, 4), (2, 5, 7)))
    y = SDPA(q, k, v)
    assert y.is_meta and y.shape == (2, 3, 7)


def test_vmap_maps_every_operand() -> None:
    q, k, v = qkv((3, 2, 4, 8), (3, 2, 5, 8), (2, 5, 8))
    y = taeda.func.vmap(SDPA, in_dims=(0, 0, None))(q, k, v)
    for i, j in itertools.product(range(3), range(2)):
        np.testing.assert_allclose(y[i, j], SDPA(q[i, j], k[i, j], v[j]), rtol=1e-5, atol=1e-6)


def test_forward_mode_and_jvp() -> None:
    q, k, v = qkv((1, 3, 4), (1, 5, 4), (1, 5, 4), dtype=taeda.float64)
    dq = taeda.randn_like(q)
    y, dy = taeda.func.jvp(lambda q: SDPA(q, k, v), (q,), (dq,))
    h = 1e-6
    expected = (SDPA(q + h * dq, k, v) - SDPA(q - h * dq, k, v)) / (2 * h)
    np.testing.assert_allclose(dy, expected, rtol=1e-6, atol=1e-8)
    assert taeda.equal(y, SDPA(q, k, v))


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
@pytest.mark.parametrize("mask_grad", [False, True])
def test_halves_are_rounded_once(dtype: taeda.dtype, mask_grad: bool) -> None:
    """Where PyTorch takes no fused kernel its results and gradients are those of float32, rounded."""
    q, k, v, m, g = qkv((4, 3, 8), (4, 6, 8), (4, 6, 8), (3, 6), (4, 3, 8))
    halves = [t.to(dtype) for t in (3 * q, 3 * k, v, *([m] if mask_grad else []), g)]

    def run(*tensors: taeda.Tensor) -> list[taeda.Tensor]:
        *leaves, cotangent = [t.clone().requires_grad_() for t in tensors]
        y = SDPA(*leaves, is_causal=not mask_grad)
        return [y, *taeda.autograd.grad(y, leaves, cotangent.detach())]

    for found, exact in zip(run(*halves), run(*[t.double() for t in halves]), strict=True):
        assert found.dtype is dtype
        assert (found.double() - exact).abs().max() <= taeda.finfo(dtype).eps * exact.abs().max()


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
@pytest.mark.parametrize("hidden", [-1e4, None])
@pytest.mark.parametrize(("shape", "width", "p"), [((2, 3, 9, 8), 8, 0.3), ((3, 200, 8), 8, 0.0), ((9, 8), 5, 0.0), ((2, 3, 300, 8), 16, 0.0)])
def test_rows_masked_by_a_large_number_have_the_gradients_of_a_softmax(dtype, hidden, shape, width, p) -> None:
    tensors = qkv(shape, shape, (*shape[:-1], width), dtype=dtype)
    mask = taeda.zeros(shape[-2], shape[-2], dtype=dtype)
    mask[:2] = taeda.finfo(dtype).min if hidden is None else hidden
    mask[3, 1:] = -1e4
    def fused(q, k, v):
        taeda.manual_seed(3)
        return SDPA(q, k, v, mask, p)

    def composed(q, k, v):
        taeda.manual_seed(3)
        weights = ops.softmax(q @ k.mT / 8**0.5 + mask, -1)
        return (weights if p == 0 else weights * taeda.empty_like(weights, dtype=taeda.bool).bernoulli_(1 - p) / (1 - p)) @ v

    for found, expected in zip(gradients(fused, tensors), gradients(composed, tensors), strict=True):
        taeda.testing.assert_close(found, expected, rtol=2e-3 if dtype is taeda.float32 else 1e-8, atol=1e-3 if dtype is taeda.float32 else 1e-9)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16])
@pytest.mark.parametrize("mask", [None, "bool"])
@pytest.mark.parametrize("scale", [1e4, 1e6, 1e9])
def test_huge_scores_choose_the_largest(dtype: taeda.dtype, mask: str | None, scale: float) -> None:
    q, k, v = (t.double() for t in qkv((2, 3, 70, 31), (2, 3, 300, 31), (2, 3, 300, 31), seed=4))
    q, k = (q * scale).to(dtype), (k * scale).to(dtype)
    v = v.to(dtype)
    seen = None if mask is None else taeda.arange(300) % 3 != 0
    scores = q.double() @ k.double().mT
    best = (scores if seen is None else scores.masked_fill(~seen, -float("inf"))).topk(2, -1)
    clear = (best.values[..., 0] - best.values[..., 1]) > 1e-4 * best.values[..., 0]        # of the rounding of the products
    y, *grads = gradients(lambda *t: SDPA(*t, attn_mask=None if seen is None else seen.expand(70, 300)), [q, k, v])
    chosen = v.gather(2, best.indices[..., :1].expand(2, 3, 70, 31))
    assert clear.sum() > 300 and taeda.equal(y[clear], chosen[clear])
    assert all(g.isfinite().all() for g in grads)
