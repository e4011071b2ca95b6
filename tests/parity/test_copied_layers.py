"""What layers that programs wrote after PyTorch's import and call: names that are no part of its public API, beside PyTorch."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch

import taeda

LIBS = [taeda, torch]
B, L, E, HEADS = 2, 3, 4, 2
SIZES = {
    "in_weight": (3 * E, E), "in_bias": (3 * E,), "out_weight": (E, E), "out_bias": (E,), "norm_weight": (E,), "norm_bias": (E,),
    "up": (6, E), "up_bias": (6,), "down": (E, 6), "down_bias": (E,),
}  # fmt: skip
CAUSAL = np.triu(np.ones((L, L), bool), 1)
MASKS = {None: None, 0: CAUSAL, 1: np.array([[False, False, True], [False] * 3]), 2: np.broadcast_to(CAUSAL, (B, HEADS, L, L)).copy()}


def room(lib: Any, name: str) -> Any:
    return importlib.import_module(f"{lib.__name__}.{name}")


def drawn(lib: Any) -> tuple[Any, dict[str, Any]]:
    random = np.random.RandomState(0)
    return lib.tensor(random.randn(B, L, E)).float(), {name: lib.tensor(random.randn(*size)).float() for name, size in SIZES.items()}


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("average", [False, True])
def test_attention_in_inference(kind: int | None, average: bool) -> None:
    found = []
    for lib in LIBS:
        x, w = drawn(lib)
        mask = None if MASKS[kind] is None else lib.tensor(MASKS[kind])
        arguments = (x, x, x, E, HEADS, w["in_weight"], w["in_bias"], w["out_weight"], w["out_bias"], mask)
        y, weights = lib._native_multi_head_attention(*arguments, True, average, kind)
        alone, none = lib._native_multi_head_attention(*arguments, need_weights=False, mask_type=kind)
        assert none is None
        found.append([t.numpy() for t in (y, weights, alone)])
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
def test_an_encoder_layer_in_inference(kind: int | None, gelu: bool, norm_first: bool) -> None:
    found = []
    for lib in LIBS:
        x, w = drawn(lib)
        norm = (w["norm_weight"], w["norm_bias"])
        mask = None if MASKS[kind] is None else lib.tensor(MASKS[kind])
        found.append(lib._transformer_encoder_layer_fwd(
            x, E, HEADS, w["in_weight"], w["in_bias"], w["out_weight"], w["out_bias"], gelu, norm_first, 1e-5, *norm, *norm,
            w["up"], w["up_bias"], w["down"], w["down_bias"], mask, kind).numpy())
    np.testing.assert_allclose(*found, rtol=1e-4, atol=2e-5)


def test_padding_is_never_left_away() -> None:
    assert taeda._nested_tensor_from_mask_left_aligned(taeda.ones(2, 3, 4), taeda.ones(2, 3, dtype=taeda.bool)) is False


@pytest.mark.parametrize("lib", LIBS)
def test_names_of_transformers(lib: Any) -> None:
    names = room(lib, "nn.modules.transformer")
    assert [names._get_seq_len(lib.ones(size), first) for size in ((2, 3), (2, 3, 4)) for first in (False, True)] == [2, 2, 2, 3]
    causal = names._generate_square_subsequent_mask(3, device=None, dtype=None)
    is_causal = names._detect_is_causal_mask
    assert is_causal(causal) and is_causal(causal, size=3) and not is_causal(causal, size=2) and not is_causal(causal, False)
    assert not is_causal(None) and is_causal(None, True) and not is_causal(lib.zeros(3, 3), None, 3)
    assert names._get_activation_fn("relu") is lib.nn.functional.relu and len(names._get_clones(lib.nn.ReLU(), 2)) == 2


@pytest.mark.parametrize("lib", LIBS)
def test_names_of_attention(lib: Any) -> None:
    names = room(lib, "nn.modules.activation")
    x = lib.ones(1, requires_grad=True)
    assert names._check_arg_device(x) and names._check_arg_device(None)
    assert names._arg_requires_grad(x) and not names._arg_requires_grad(x.detach()) and not names._arg_requires_grad(None)
    assert not names._is_make_fx_tracing()
    assert room(lib, "utils._python_dispatch")._get_current_dispatch_mode_stack() == []
    assert room(lib, "utils.backend_registration")._privateuse1_backend_name == "privateuseone"


@pytest.mark.parametrize("lib", LIBS)
def test_names_of_functions(lib: Any) -> None:
    F = lib.nn.functional
    F._verify_batch_size([2, 3]), F._verify_batch_size(lib.Size([1, 3, 2])), F._verify_spatial_size([1, 3, 2])
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training, got input size"):
        F._verify_batch_size(lib.Size([1, 3, 1]))
    with pytest.raises(ValueError, match="Expected more than 1 spatial element when training, got input size"):
        F._verify_spatial_size(lib.Size([2, 3, 1]))
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax has been deprecated"):
        assert F._get_softmax_dim("softmax", 3, 2) == 0
    x, grid = lib.arange(4.0).view(1, 1, 2, 2), lib.zeros(1, 1, 1, 2)
    modes = F.GRID_SAMPLE_INTERPOLATION_MODES["bilinear"], F.GRID_SAMPLE_PADDING_MODES["border"]
    assert lib.grid_sampler(x, grid, *modes, False).item() == 1.5
    assert set(F.GRID_SAMPLE_INTERPOLATION_MODES) == {"bilinear", "nearest", "bicubic"}


@pytest.mark.parametrize("lib", LIBS)
def test_names_at_the_head_of_copied_files(lib: Any) -> None:
    inner, notes, jit, functions = (room(lib, name) for name in ("_C", "_torch_docs", "_jit_internal", "nn.modules._functions"))
    assert inner._infer_size(lib.Size([2, 1]), lib.Size([3])) == (2, 3)
    assert inner._add_docstr.__name__ and "{forward_reproducibility_note}".format(**notes.reproducibility_notes, **notes.tf32_notes) is not None
    assert set(notes.reproducibility_notes) == set(room(torch, "_torch_docs").reproducibility_notes)
    _ = jit.BroadcastingList1[float], jit.BroadcastingList2[int]            # in annotations
    x = lib.arange(8.0).view(1, 4, 1, 2)
    assert lib.equal(functions.CrossMapLRN2d.apply(x, 3, 1.0, 0.75, 2.0), lib.nn.CrossMapLRN2d(3, 1.0, 0.75, 2.0)(x))
    assert issubclass(functions.SyncBatchNorm, lib.autograd.Function) and functions.BackwardHookFunction


@pytest.mark.parametrize("lib", LIBS)
def test_classes_in_annotations_may_say_what_they_hold(lib: Any) -> None:
    data, distributions = room(lib, "utils.data"), room(lib, "distributions")
    named = (data.StackDataset[int], data.DistributedSampler[int], distributions.Independent[distributions.Normal], lib.nn.DataParallel[lib.nn.Linear])
    assert [alias.__origin__.__name__ for alias in named] == ["StackDataset", "DistributedSampler", "Independent", "DataParallel"]

    class Pairs(data.StackDataset[tuple[int, int]]): ...

    assert Pairs([1, 2], [3, 4])[1] == (2, 4)
    assert named[3](lib.nn.Linear(2, 1)).module.in_features == 2


def test_a_recurrent_layer_computes_with_the_weights_that_it_is_given() -> None:
    """Weight drop as programs write it: a call with other weights, from which gradients go to the layer's."""
    found = []
    for lib in LIBS:

        class Dropped(lib.nn.LSTM):
            def forward(self, x: Any) -> Any:
                own = self._flat_weights
                self._flat_weights = [w * 0.5 if name.startswith("weight_hh_") else w for w, name in zip(own, self._flat_weights_names)]
                try:
                    return super().forward(x)
                finally:
                    self._flat_weights = own

        lib.manual_seed(0)
        layer, x = Dropped(2, 3, 2), lib.ones(4, 1, 2)
        y, (h, _) = layer(x)
        (y.sum() + h.sum()).backward()
        whole = lib.nn.LSTM.forward(layer, x)[0]
        assert not lib.equal(y, whole) and all(a is b for a, b in zip(layer._flat_weights, layer.parameters()))
        found.append([t.detach().numpy() for t in (y, whole, *(p.grad for p in layer.parameters()))])
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("lib", LIBS)
def test_inner_methods_of_modules(lib: Any) -> None:
    class Checked(lib.nn.Linear):
        def __call__(self, x: Any) -> Any:
            return self._wrapped_call_impl(x) + self._call_impl(x=x) if x.dim() == 2 else self._call_impl(x[None])

        def forward(self, x: Any) -> Any:
            return lib.nn.functional.linear(x, lib.ones(1, 2))

    layer, seen = Checked(2, 1), []
    layer.register_forward_hook(lambda module, args, y: seen.append(y.item()))
    assert layer(lib.ones(1, 2)).item() == 4.0 and layer(lib.ones(2)).item() == 2.0 and seen == [2.0, 2.0, 2.0]
    row = lib.nn.Sequential(lib.nn.ReLU(), lib.nn.Tanh())
    assert row._get_item_by_idx(row._modules.values(), -1) is row[1]
    for held in (lib.nn.ModuleList(row), lib.nn.ParameterList([lib.ones(1), lib.ones(2)])):
        assert held._get_abs_string_index(-1) == "1"
        with pytest.raises(IndexError, match="index 2 is out of range"):
            held._get_abs_string_index(2)
