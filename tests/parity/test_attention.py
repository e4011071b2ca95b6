"""Attention and Transformers beside PyTorch: inference, seeds, masks, warnings, training."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import taeda
import taeda.nn
import taeda.optim

LIBS = (torch, taeda)
PADDING = np.array([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [0, 1, 1, 1, 1]], bool)


def both(run):
    """Run in both frameworks; return results as arrays, or the exception's type, and the warnings' texts."""
    found = []
    for lib in LIBS:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            lib.manual_seed(1)
            try:
                result = run(lib)
                outcome = [np.asarray(r.detach()) for r in (result if isinstance(result, tuple) else (result,)) if r is not None]
            except Exception as e:
                outcome = type(e)
        texts = [str(w.message).replace("torch", "taeda") for w in caught if "nested tensors is in prototype" not in str(w.message)]
        found.append((outcome, texts))
    return found


def assert_same(run, rtol=1e-4, atol=1e-5):
    (theirs, their_warnings), (ours, our_warnings) = both(run)
    assert our_warnings == their_warnings
    if isinstance(theirs, type):
        assert ours is theirs
        return
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def numbers(lib, *shape, seed=0):
    return lib.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_draws_the_same_masks(training, norm_first, batch_first, activation):
    """Parameters, dropout masks and results from one seed, in training and in PyTorch's fused inference."""

    def run(lib):
        layer = lib.nn.TransformerEncoderLayer(16, 4, 32, 0.3, activation, batch_first=batch_first, norm_first=norm_first)
        model = lib.nn.TransformerEncoder(layer, 3, lib.nn.LayerNorm(16), enable_nested_tensor=False).train(training)
        x = numbers(lib, 6, 5, 16)
        if training:
            return model(x), lib.rand(1)
        with lib.no_grad():
            return model(x), lib.rand(1)

    assert_same(run)


@pytest.mark.parametrize("batch_first", [False, True])
def test_transformer_trains_along_the_same_path(batch_first):
    def run(lib):
        model = lib.nn.Transformer(16, 4, 2, 2, 32, dropout=0.2, batch_first=batch_first)
        optimizer = lib.optim.SGD(model.parameters(), 0.05)
        mask = lib.nn.Transformer.generate_square_subsequent_mask(4)
        losses = []
        for step in range(4):
            optimizer.zero_grad()
            shapes = ((3, 5, 16), (3, 4, 16)) if batch_first else ((5, 3, 16), (4, 3, 16))
            src, tgt = (numbers(lib, *s, seed=step) for s in shapes)
            padding = lib.from_numpy(np.where(PADDING, -np.inf, 0).astype(np.float32))
            y = model(src, tgt, tgt_mask=mask, src_key_padding_mask=padding, memory_key_padding_mask=padding)
            loss = (y - tgt).pow(2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss)
        return lib.stack(losses), model.encoder.layers[1].self_attn.in_proj_weight

    assert_same(run, 1e-3, 1e-4)


MASKS = {
    "padding": {"src_key_padding_mask": PADDING},
    "padding in front": {"src_key_padding_mask": PADDING[:, ::-1].copy()},
    "causal": {"mask": np.triu(np.ones((5, 5), bool), 1)},
    "causal and hint": {"mask": np.triu(np.ones((5, 5), bool), 1), "is_causal": True},
    "hint alone": {"is_causal": True},
    "causal numbers": {"mask": np.triu(np.full((5, 5), -np.inf, np.float32), 1)},
    "each head": {"mask": np.random.default_rng(0).normal(size=(6, 5, 5)).astype(np.float32)},
    "both": {"mask": np.triu(np.ones((5, 5), bool), 1), "src_key_padding_mask": PADDING},
    "mixed": {"mask": np.zeros((5, 5), np.float32), "src_key_padding_mask": PADDING},
    "integers": {"mask": np.zeros((5, 5), int)},
}


@pytest.mark.parametrize("masks", MASKS, ids=str)
@pytest.mark.parametrize("mode", ["train", "eval", "inference"])
def test_masks_of_an_encoder(masks, mode):
    if (masks, mode) == ("each head", "inference"):
        pytest.skip("PyTorch's fused inference takes numbers other than 0 for True")

    def run(lib):
        layer = lib.nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True)
        model = lib.nn.TransformerEncoder(layer, 2).train(mode == "train")
        given = {k: lib.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in MASKS[masks].items()}
        with lib.set_grad_enabled(mode != "inference"):
            return model(numbers(lib, 3, 5, 8), **given)

    assert_same(run)


def test_what_nobody_sees():
    """A row whose keys are all masked: zeros in the kernel, NaN in weights."""

    def run(weights):
        def f(lib):
            m = lib.nn.MultiheadAttention(8, 2)
            x, mask = numbers(lib, 5, 3, 8), lib.zeros(5, 5).bool()
            mask[1] = True
            y, w = m(x, x + 0, x + 0, attn_mask=mask, need_weights=weights)
            (g,) = lib.autograd.grad(y[0].sum(), [m.out_proj.weight])
            return y, w, g

        return f

    assert_same(run(False))
    assert_same(run(True))


REFUSED = {
    "embed_dim": lambda lib: lib.nn.MultiheadAttention(8, 3),
    "no heads": lambda lib: lib.nn.MultiheadAttention(8, 0),
    "activation": lambda lib: lib.nn.TransformerDecoderLayer(8, 2, activation="silu"),
    "batch": lambda lib: lib.nn.Transformer(8, 2, 1, 1, 8)(lib.ones(3, 2, 8), lib.ones(3, 1, 8)),
    "width": lambda lib: lib.nn.Transformer(8, 2, 1, 1, 8)(lib.ones(3, 2, 8), lib.ones(3, 2, 6)),
    "hint without mask": lambda lib: lib.nn.MultiheadAttention(8, 2)(*[lib.ones(3, 2, 8)] * 3, is_causal=True),
    "rank": lambda lib: lib.nn.MultiheadAttention(8, 2)(*[lib.ones(8)] * 3),
    "dropout": lambda lib: lib.nn.functional.scaled_dot_product_attention(*[lib.ones(2, 3, 4)] * 3, dropout_p=2.0),
    "dtypes": lambda lib: lib.nn.functional.scaled_dot_product_attention(lib.ones(2, 3), lib.ones(2, 3), lib.ones(2, 3).double()),
    "no layers": lambda lib: lib.nn.TransformerEncoder(lib.nn.TransformerEncoderLayer(8, 2, batch_first=True), 0)(lib.ones(1, 2, 8)),
    "norm_first warns": lambda lib: lib.nn.TransformerEncoder(lib.nn.TransformerEncoderLayer(8, 2, norm_first=True), 1).layers[0].norm1.weight,
    "odd heads warn": lambda lib: lib.nn.TransformerEncoder(lib.nn.TransformerEncoderLayer(9, 3, batch_first=True), 1).layers[0].norm1.weight,
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_and_warnings(name):
    assert_same(REFUSED[name])


def test_scores_as_in_a_small_language_model():
    """nanoGPT's block: one projection, heads by view and transpose, a causal mask, gradients."""

    def run(lib):
        w, u = numbers(lib, 48, 16, seed=1) / 4, numbers(lib, 16, 16, seed=2) / 4
        w.requires_grad_()
        x = numbers(lib, 2, 33, 16)
        q, k, v = (x @ w.T).split(16, dim=2)
        q, k, v = (t.view(2, 33, 4, 4).transpose(1, 2) for t in (q, k, v))
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=True)
        y = y.transpose(1, 2).contiguous().view(2, 33, 16) @ u
        (g,) = lib.autograd.grad(y.pow(2).sum(), [w])
        return y, g

    assert_same(run)


@pytest.mark.parametrize("inputs", ["one", "memory", "three"])
@pytest.mark.parametrize("bias", [False, True])
def test_projections_that_copies_of_the_layer_call(inputs, bias):
    rng = np.random.default_rng(3)
    arrays = [rng.standard_normal((5, 2, 4)).astype("f4") for _ in range(3)]
    w, b = rng.standard_normal((12, 4)).astype("f4"), rng.standard_normal(12).astype("f4")
    found = []
    for lib in (torch, taeda):
        q, k, v = (lib.tensor(a, requires_grad=True) for a in arrays)
        q, k, v = {"one": (q, q, q), "memory": (q, k, k), "three": (q, k, v)}[inputs]
        weight, shift = lib.tensor(w, requires_grad=True), lib.tensor(b, requires_grad=True) if bias else None
        packed = lib.nn.functional._in_projection_packed(q, k, v, weight, shift)
        parts = weight.chunk(3)
        alone = lib.nn.functional._in_projection(q, k, v, *parts, *(shift.chunk(3) if bias else ()))
        sum((i + 1) * (x * x.roll(1, 0)).sum() for i, x in enumerate([*packed, *alone])).backward()
        leaves = [x for x in (q, k, v, weight, shift) if x is not None]
        found.append((
            [(tuple(x.shape), x.is_contiguous(), x.detach().numpy()) for x in (*packed, *alone)],
            [x.grad.numpy() for x in leaves],
            [lib.nn.functional._mha_shape_check(x, x, x, None, None, 2) for x in (q, q[0])],
        ))
        with pytest.raises(AssertionError):
            lib.nn.functional._in_projection(q, k, v, parts[0], parts[1], parts[2].T[:2])
        with pytest.raises(AssertionError):
            lib.nn.functional._mha_shape_check(q, q[0], q, None, None, 2)
    (theirs, their_grads, their_checks), (ours, our_grads, our_checks) = found
    for (shape, contiguous, x), (their_shape, their_contiguous, y) in zip(ours, theirs, strict=True):
        assert (shape, contiguous) == (their_shape, their_contiguous)
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    for x, y in zip(our_grads, their_grads, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5)
    assert our_checks == their_checks == [True, False]
