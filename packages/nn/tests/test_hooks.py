"""Forward, backward and global hooks."""

from __future__ import annotations

import copy
import io
import warnings

import pytest

import taeda
from taeda import nn
from taeda.nn.modules import module as hooks


def test_forward_hooks_change_input_and_output_in_order():
    m = nn.Identity()
    m.register_forward_pre_hook(lambda mod, args: args[0] + 1)
    m.register_forward_hook(lambda mod, args, out: out * 10)
    m.register_forward_hook(lambda mod, args, out: out + 5, prepend=True)
    assert m(1) == 70
    assert nn.Sequential(m, nn.Identity())(1) == 70


def test_hooks_with_kwargs():
    class Add(nn.Module):
        def forward(self, a, b=0):
            return a + b

    m = Add()
    m.register_forward_pre_hook(lambda mod, args, kwargs: (args, {"b": kwargs["b"] * 2}), with_kwargs=True)
    m.register_forward_hook(lambda mod, args, kwargs, out: (out, kwargs["b"]), with_kwargs=True)
    assert m(1, b=2) == (5, 4)
    m.register_forward_pre_hook(lambda mod, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="must return None or a tuple of"):
        m(1, b=2)


def test_removal_by_handle_and_by_with():
    m = nn.Identity()
    handle = m.register_forward_hook(lambda *a: 0)
    assert m(1) == 0
    handle.remove()
    handle.remove()
    assert m(1) == 1
    with m.register_forward_hook(lambda *a: 0):
        assert m(1) == 0
    assert m(1) == 1


def test_always_call_runs_after_an_error():
    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError("no")

    m, seen = Fails(), []
    m.register_forward_hook(lambda mod, args, out: seen.append(out), always_call=True)
    m.register_forward_hook(lambda mod, args, out: seen.append("never"))
    with pytest.raises(ValueError, match="no"):
        m(1)
    assert seen == [None]
    late = nn.Identity()
    late.register_forward_hook(lambda *a: 1 / 0)
    late.register_forward_hook(lambda mod, args, out: seen.append(out), always_call=True)
    with pytest.raises(ZeroDivisionError):
        late(3)
    assert seen == [None, 3]
    m.register_forward_hook(lambda *a: 1 / 0, always_call=True)
    with pytest.warns(UserWarning, match="silenced"), pytest.raises(ValueError, match="no"):
        m(1)


def test_always_call_sees_the_arguments_as_hooks_left_them():
    def fails(*args):
        raise ValueError("no")

    m, seen = nn.Identity(), []
    m.register_forward_pre_hook(lambda mod, args: args[0] * 2)
    m.register_forward_pre_hook(fails)
    m.register_forward_hook(lambda mod, args, out: seen.append(args), always_call=True)
    with pytest.raises(ValueError, match="no"):
        m(3)
    assert seen == [(6,)]


def _linear():
    m = nn.Linear(2, 1, bias=False)
    with taeda.no_grad():
        m.weight.copy_(taeda.tensor([[2.0, 3.0]]))
    return m


def test_full_backward_hooks_see_and_change_gradients():
    m, log = _linear(), []
    m.register_full_backward_pre_hook(lambda mod, go: (go[0] * 2,))
    m.register_full_backward_hook(lambda mod, gi, go: log.append((gi[0].tolist(), go[0].tolist())))
    m.register_full_backward_hook(lambda mod, gi, go: (gi[0] + 1,))
    x = taeda.ones(1, 2, requires_grad=True)
    m(x).sum().backward()
    assert log == [([[4.0, 6.0]], [[2.0]])]
    assert x.grad.tolist() == [[5.0, 7.0]]
    assert m.weight.grad.tolist() == [[2.0, 2.0]]


def test_backward_hook_without_input_gradient_warns_and_runs():
    m, log = _linear(), []
    m.register_full_backward_hook(lambda mod, gi, go: log.append((gi, go[0].tolist())))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        m(taeda.ones(1, 2)).sum().backward()
    assert log == [((None,), [[1.0]])]


def test_backward_hooks_with_several_inputs_and_outputs():
    class Two(nn.Module):
        def forward(self, a, n, b):
            return a * b, n, b + 1

    m, log = Two(), []
    m.register_full_backward_hook(lambda mod, gi, go: log.append([None if g is None else g.item() for g in (*gi, *go)]))
    a, b = taeda.tensor(2.0, requires_grad=True), taeda.tensor(3.0, requires_grad=True)
    y, n, z = m(a, 7, b)
    assert n == 7
    (y + z).backward()
    assert log == [[3.0, None, 3.0, 1.0, None, 1.0]]


def test_backward_hook_kinds_do_not_mix():
    m = _linear()
    m.register_full_backward_hook(lambda *a: None)
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full"):
        m.register_backward_hook(lambda *a: None)


def test_wrong_number_of_gradients():
    m = _linear()
    m.register_full_backward_hook(lambda mod, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        m(taeda.ones(1, 2, requires_grad=True)).sum().backward()


def test_no_grad_makes_no_taps():
    m = _linear()
    m.register_full_backward_hook(lambda *a: None)
    with taeda.no_grad():
        assert m(taeda.ones(1, 2)).grad_fn is None


def test_hooks_of_every_module():
    names = []
    with hooks.register_module_forward_hook(lambda m, args, out: names.append(type(m).__name__)):
        nn.Sequential(nn.ReLU(), nn.Identity())(taeda.ones(1))
    nn.ReLU()(taeda.ones(1))
    assert names == ["ReLU", "Identity", "Sequential"]
    with hooks.register_module_forward_pre_hook(lambda m, args: (args[0] + 1,)):
        assert nn.Identity()(1) == 2


def test_registration_hooks():
    seen = []
    with (
        hooks.register_module_parameter_registration_hook(lambda m, name, p: seen.append(name)),
        hooks.register_module_module_registration_hook(lambda m, name, c: seen.append(name)),
        hooks.register_module_buffer_registration_hook(lambda m, name, b: seen.append(name)),
    ):
        nn.Sequential(nn.BatchNorm1d(1))
    assert seen == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked", "0"]


def test_a_copied_module_keeps_its_hooks():
    m = nn.Identity()
    m.register_forward_hook(_plus_one)
    assert copy.deepcopy(m)(1) == 2


def _plus_one(module, args, output):
    return output + 1


def test_hooks_see_zeros_for_tensors_without_a_gradient():
    class Product(nn.Module):
        def forward(self, a, b, name):
            return a * b

    seen = []
    m = Product()
    m.register_full_backward_hook(lambda mod, grad_input, grad_output: seen.append(grad_input))
    a = taeda.ones(2, requires_grad=True)
    m(a, taeda.full((2,), 3.0), "x").sum().backward()
    ((first, second, third),) = seen
    assert first.tolist() == [3.0, 3.0] and second.tolist() == [0.0, 0.0] and third is None


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (lambda: nn.Sequential(nn.ReLU(), nn.ReLU()), "when the forward contains multiple autograd Nodes is deprecated"),
        (lambda: nn.MaxPool1d(1, return_indices=True), "when outputs are generated by different autograd Nodes"),
        (lambda: nn.MultiLabelMarginLoss(), "on a Module that does not take as input a single Tensor"),
    ],
    ids=["two nodes", "indices", "None"],
)
def test_hooks_of_the_last_operation_warn_of_what_they_miss(module, text):
    m = module()
    m.register_backward_hook(lambda *args: None)
    x = taeda.ones(1, 1, 2, requires_grad=True)
    if isinstance(m, nn.MultiLabelMarginLoss):
        m.forward = lambda x, y: x * 2
        with pytest.warns(FutureWarning, match=text):
            m(x, None)
    elif isinstance(m, nn.MaxPool1d):
        m.forward = lambda x: (x * 2, x + 1)
        with pytest.warns(FutureWarning, match=text):
            m(x)
    else:
        with pytest.warns(FutureWarning, match=text):
            m(x)


def test_one_kind_of_backward_hook_for_all_modules():
    with hooks.register_module_full_backward_hook(lambda *args: None):
        with pytest.raises(RuntimeError, match="both regular backward hooks and full backward hooks as a global Module hook"):
            hooks.register_module_backward_hook(lambda *args: None)


def test_a_handle_tells_where_its_hook_is():
    m = nn.Identity()
    handle = m.register_forward_hook(lambda *args: 0, always_call=True)
    assert handle.hooks_dict_ref() is m._forward_hooks and handle.id in handle.hooks_dict_ref()
    assert [ref() for ref in handle.extra_dict_ref] == [m._forward_hooks_always_called]
    with hooks.register_module_forward_hook(lambda *args: None, always_call=True) as handle:
        assert handle.hooks_dict_ref() is hooks._global_forward_hooks and len(hooks._global_forward_hooks_always_called) == 1


def test_copies_of_what_layers_are_made_of_find_its_parts():
    from taeda.nn.modules import activation, linear
    from taeda.nn.modules.module import _addindent

    assert activation.NonDynamicallyQuantizableLinear is linear.NonDynamicallyQuantizableLinear
    assert _addindent("a\nb\n c", 2) == "a\n  b\n   c" and _addindent("a", 4) == "a"


def test_a_copied_handle_belongs_to_the_copy():
    m = nn.Identity()
    m.handle = m.register_forward_hook(lambda *args: 0)
    other = copy.deepcopy(m)
    other.handle.remove()
    assert (m(1), other(1)) == (0, 1)


def test_a_module_that_keeps_the_handle_of_a_parameters_hook_is_copied_and_saved():
    m = nn.Linear(1, 1, bias=False)
    m.handle = m.weight.register_hook(lambda g: g * 2)
    other = copy.deepcopy(m)
    other.handle.remove()
    m(taeda.ones(1)).backward()
    assert m.weight.grad.item() == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taeda.save(m.state_dict(), io.BytesIO())
        taeda.save(m.weight, io.BytesIO())


@pytest.mark.parametrize("register", ["register_full_backward_hook", "register_full_backward_pre_hook"])
def test_writes_in_place_to_what_backward_hooks_watch_are_refused(register):
    class Writes(nn.Module):
        def forward(self, x):
            return x.mul_(3).clone()

    m = Writes()
    getattr(m, register)(lambda *args: None)
    leaf = taeda.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="modified inplace"):
        m(leaf.clone())
    same = nn.Identity()
    getattr(same, register)(lambda *args: None)
    with pytest.raises(RuntimeError, match="modified inplace"):
        same(leaf).add_(1)
    with taeda.no_grad():
        assert m(leaf.clone()).tolist() == [3, 3, 3]


def test_a_backward_hook_may_return_the_missing_gradients_of_inputs_that_want_none():
    m = nn.Linear(2, 3)
    m.register_full_backward_hook(lambda module, grad_input, grad_output: grad_input)
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        m(taeda.ones(1, 2)).sum().backward()
    assert m.weight.grad is not None


@pytest.mark.parametrize("register", ["register_full_backward_hook", "register_full_backward_pre_hook"])
def test_backward_hooks_are_left_out_of_a_batch_and_let_tangents_pass(register):
    from taeda.func import functional_call, grad, jacfwd, jvp, vmap

    layer, x, calls = nn.Linear(2, 1), taeda.arange(6.0).reshape(3, 2), []
    weights = {"weight": taeda.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), "bias": taeda.zeros(2, 1)}
    with taeda.no_grad():
        layer.weight.copy_(taeda.tensor([[5.0, 6.0]]))
        layer.bias.zero_()
    getattr(layer, register)(lambda *seen: calls.append(seen))
    vmap(layer)(x).sum().backward()
    assert layer.weight.grad.tolist() == [[6, 9]] and not calls
    assert vmap(lambda w: functional_call(layer, w, (x,)).sum())(weights).tolist() == [24, 54]
    assert jvp(layer, (x,), (taeda.ones(3, 2),))[1].tolist() == [[11], [11], [11]]
    assert jacfwd(layer)(x[0]).tolist() == [[5, 6]] and not calls
    assert grad(lambda x: layer(x).sum())(x).tolist() == [[5, 6]] * 3 and len(calls) == 1
    with pytest.raises(RuntimeError, match="gradients of each sample"):
        vmap(grad(lambda x: layer(x).sum()))(x)
