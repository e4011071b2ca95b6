"""autocast beside PyTorch's: layers, losses, a training step, and what the switches say.  (Rows of ops: test_ops.)"""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import harness
import taeda


def dtype_name(t: Any) -> str:
    return str(t.dtype).rpartition(".")[2]


def drawn(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    return np.random.default_rng(len(shape)).uniform(low, high, shape).astype(np.float32)


def signs(*shape: int) -> np.ndarray:
    return np.where(drawn(*shape) > 0, np.float32(1), np.float32(-1))


CLASSES = np.array([0, 3, 1])
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "mse_loss": (drawn(3, 4), drawn(3, 4)), "l1_loss": (drawn(3, 4), drawn(3, 4)), "smooth_l1_loss": (drawn(3, 4), drawn(3, 4)),
    "huber_loss": (drawn(3, 4), drawn(3, 4)), "hinge_embedding_loss": (drawn(3, 4), signs(3, 4)), "soft_margin_loss": (drawn(3, 4), signs(3, 4)),
    "margin_ranking_loss": (drawn(3), drawn(3), signs(3)), "cosine_embedding_loss": (drawn(3, 4), drawn(3, 4), signs(3)),
    "multi_margin_loss": (drawn(3, 4), CLASSES), "multilabel_margin_loss": (drawn(3, 4), np.array([[0, 1, -1, 2]] * 3)),
    "multilabel_soft_margin_loss": (drawn(3, 4), drawn(3, 4, low=0.1, high=0.9)), "triplet_margin_loss": (drawn(3, 4), drawn(3, 4), drawn(3, 4)),
    "triplet_margin_with_distance_loss": (drawn(3, 4), drawn(3, 4), drawn(3, 4)), "cross_entropy": (drawn(3, 4), CLASSES), "nll_loss": (drawn(3, 4), CLASSES),
    "binary_cross_entropy": (drawn(3, 4, low=0.1, high=0.9), drawn(3, 4, low=0.1, high=0.9)), "kl_div": (drawn(3, 4), drawn(3, 4, low=0.1, high=0.9)),
    "binary_cross_entropy_with_logits": (drawn(3, 4), drawn(3, 4, low=0.1, high=0.9)), "poisson_nll_loss": (drawn(3, 4), drawn(3, 4, low=0.1)),
    "gaussian_nll_loss": (drawn(3, 4), drawn(3, 4), drawn(3, 4, low=0.5)), "linear": (drawn(3, 4), drawn(5, 4), drawn(5)),
    "conv1d": (drawn(2, 3, 6), drawn(4, 3, 2)), "conv2d": (drawn(2, 3, 6, 6), drawn(4, 3, 2, 2), drawn(4)), "conv_transpose2d": (drawn(2, 3, 4, 4), drawn(3, 4, 2, 2)),
    "prelu": (drawn(3, 4), drawn(1)), "layer_norm": (drawn(3, 4), (4,), drawn(4), drawn(4)), "group_norm": (drawn(3, 4, 2), 2, drawn(4), drawn(4)),
    "batch_norm": (drawn(3, 4), drawn(4), drawn(4, low=0.5), drawn(4), drawn(4)), "rms_norm": (drawn(3, 4), (4,), drawn(4)), "instance_norm": (drawn(3, 4, 5),),
    "local_response_norm": (drawn(3, 4, 5), 2), "softmax": (drawn(3, 4), 1), "gelu": (drawn(3, 4),), "normalize": (drawn(3, 4),), "cosine_similarity": (drawn(3, 4), drawn(3, 4)),
    "pairwise_distance": (drawn(3, 4), drawn(3, 4)), "embedding": (CLASSES, drawn(5, 4)), "max_unpool1d": (drawn(1, 1, 2), np.array([[[0, 3]]]), 2),
    "max_unpool2d": (drawn(1, 1, 2, 2), np.array([[[[0, 3], [8, 15]]]]), 2), "interpolate": (drawn(2, 3, 6, 6), (4, 4)), "pad": (drawn(2, 3, 4), (1, 1), "reflect"),
    "bilinear": (drawn(3, 4), drawn(3, 5), drawn(2, 4, 5)),
}  # fmt: skip


def result_of(lib: Any, name: str, args: tuple[Any, ...], dtypes: tuple[str, ...]) -> Any:
    each = iter(dtypes)
    made = [
        lib.from_numpy(a.copy()).to(getattr(lib, next(each) if a.dtype == np.float32 else str(a.dtype))) if isinstance(a, np.ndarray) else a for a in args
    ]
    with lib.autocast("cpu"):
        return harness.run_quietly(getattr(lib.nn.functional, name), *made)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_nn(name: str) -> None:
    args = FUNCTIONS[name]
    count = sum(isinstance(a, np.ndarray) and a.dtype == np.float32 for a in args)
    for dtypes in itertools.product(("float32", "bfloat16"), repeat=count):
        if len(set(dtypes)) > 1 and not (dtypes[0] == "bfloat16" and set(dtypes[1:]) == {"float32"}):
            continue                                            # a narrow input beside weights or targets of float32 is what programs have
        try:
            wanted = result_of(torch, name, args, dtypes)
        except RuntimeError:
            continue
        found = result_of(taeda, name, args, dtypes)
        assert dtype_name(found) == dtype_name(wanted), f"{name} of {dtypes}"
        harness.assert_close(found, wanted, 3e-2, 3e-2, f"{name} of {dtypes}")


@pytest.mark.parametrize("lower", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", ["GRUCell", "LSTMCell", "RNNCell", "GRU"])
def test_a_recurrent_state_keeps_its_dtype(kind: str, lower: str) -> None:
    """What comes out is of the state's dtype, or wider where the lower precision does not fit into it, whatever the input is of."""
    for x_dtype, h_dtype in itertools.product(("float32", "bfloat16", "float16"), repeat=2):
        dtypes = []
        for lib in (torch, taeda):
            lib.manual_seed(0)
            layer = getattr(lib.nn, kind)(4, 3)
            x, h = lib.from_numpy(drawn(2, 4)).to(getattr(lib, x_dtype)), lib.from_numpy(drawn(2, 3)).to(getattr(lib, h_dtype))
            with lib.autocast("cpu", dtype=getattr(lib, lower)):
                y = layer(x, h[:1] if kind == "GRU" else (h, h) if kind == "LSTMCell" else h)
            dtypes.append([dtype_name(t) for t in (y if isinstance(y, tuple) else (y,))])
        assert dtypes[0] == dtypes[1], (x_dtype, h_dtype)


def step(lib: Any, lower: str) -> list[Any]:
    """A training step of a small network: the loss, the dtypes on the way and the gradients."""
    lib.manual_seed(0)
    net = lib.nn.Sequential(
        lib.nn.Conv2d(1, 4, 3), lib.nn.BatchNorm2d(4), lib.nn.ReLU(), lib.nn.Flatten(), lib.nn.Linear(64, 8), lib.nn.LayerNorm(8), lib.nn.GELU(), lib.nn.Linear(8, 3),
    )  # fmt: skip
    x = lib.from_numpy(drawn(5, 1, 6, 6))
    dtypes = []
    for layer in net:
        layer.register_forward_hook(lambda module, args, y: dtypes.append(dtype_name(y)))
    with lib.autocast("cpu", getattr(lib, lower)):
        loss = lib.nn.functional.cross_entropy(net(x), lib.tensor([0, 1, 2, 0, 1]))
    loss.backward()
    return [dtypes, dtype_name(loss), loss.item(), [p.grad.numpy() for p in net.parameters()]]


@pytest.mark.parametrize("lower", ["bfloat16", "float16"])
def test_a_training_step(lower: str) -> None:
    mine, theirs = step(taeda, lower), step(torch, lower)
    assert mine[:2] == theirs[:2]
    np.testing.assert_allclose(mine[2], theirs[2], rtol=2e-2)
    for a, b in zip(mine[3], theirs[3], strict=True):
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=0.1, atol=0.02)


def said(lib: Any, run: Any) -> tuple[Any, list[str]]:
    """What a call gives, or the type of what it raises, and the categories of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = run(lib)
        except Exception as error:
            found = type(error).__name__
    return found, [w.category.__name__ for w in caught]


def inside(lib: Any, *args: Any, **kwargs: Any) -> tuple[bool, str]:
    with lib.autocast(*args, **kwargs):
        return lib.is_autocast_enabled("cpu"), dtype_name(lib.ones(1, 1) @ lib.ones(1, 1))


SWITCHES: list[Any] = [
    lambda t: inside(t, "cpu"), lambda t: inside(t, "cpu", t.float32), lambda t: inside(t, "cuda"), lambda t: inside(t, "meta"), lambda t: inside(t, 3),
    lambda t: inside(t, "foo"), lambda t: inside(t, "cpu", dtype="x"), lambda t: inside(t, "cpu", enabled=3), lambda t: inside(t, "cpu:0"), lambda t: inside(t, "xpu"),
    lambda t: inside(t, "cpu", t.int8), lambda t: inside(t, t.device("cpu")), lambda t: t.is_autocast_enabled("foo"), lambda t: t.is_autocast_enabled(3),
    lambda t: str(t.get_autocast_dtype("xla"))[6:], lambda t: t.get_autocast_dtype("meta"), lambda t: str(t.get_autocast_cpu_dtype())[6:], lambda t: t.set_autocast_enabled(False),
    lambda t: t.set_autocast_enabled("cpu", 3), lambda t: t.set_autocast_dtype("cpu", 3), lambda t: t.set_autocast_cache_enabled(1), lambda t: t.is_autocast_cache_enabled(),
    lambda t: t.amp.is_autocast_available("foo"), lambda t: t.amp.is_autocast_available("meta"), lambda t: t.is_autocast_xla_enabled(),
    lambda t: type(t.cpu.amp.autocast()).__name__, lambda t: type(t.cuda.amp.autocast()).__name__, lambda t: t.autocast("cpu")(3), lambda t: t.amp.custom_bwd(device_type=3),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(SWITCHES)))
def test_switches(number: int) -> None:
    assert said(taeda, SWITCHES[number]) == said(torch, SWITCHES[number])
