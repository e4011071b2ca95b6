"""Classes with a ``__torch_dispatch__``: what they are told, what comes out, and its derivatives."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest

import taeda
from taeda._C import _DisableTorchDispatch
from taeda.utils import _python_dispatch as modes
from taeda.utils._mode_utils import no_dispatch
from taeda.utils._pytree import tree_map
from wrapper_class import Wrapper, seen, unwrap

aten = taeda.ops.aten


@pytest.fixture(autouse=True)
def _empty() -> None:
    seen.clear()


class Silent(Wrapper):
    """Answers nothing."""

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return NotImplemented


def numbers(*sizes: int) -> Any:
    return taeda.arange(float(taeda.empty(sizes).numel())).view(sizes) / 4 + 0.5


def zeroed(x: Any, mask: Any) -> Any:
    x[mask] = 0
    return x


ROWS, COLUMNS = taeda.tensor([True, False, True]), taeda.tensor([True, False, True, True])
ASSIGNED: dict[str, tuple[Any, Any]] = {
    "element": ((1, 2), lambda x: 0),
    "row": (1, lambda x: x[0] * 3),
    "rows": (slice(0, 2), lambda x: 1.5),
    "steps": ((slice(None), slice(1, None, 2)), lambda x: x[:, :2] * x[:, 1:3]),
    "all": (Ellipsis, lambda x: 2.0),
    "all of a row": (Ellipsis, lambda x: x[1]),
    "last": ((Ellipsis, 1), lambda x: x[:, 0]),
    "new dimension": ((1, None, slice(1, 3)), lambda x: x[0, :2]),
    "places": (taeda.tensor([0, 2]), lambda x: x[1] * x[0]),
    "list": ((slice(None), [1, 3]), lambda x: x[:, :1]),
    "places of a row": ((0, taeda.tensor([1, 3])), lambda x: 2),
    "places of rows": ((slice(0, 2), taeda.tensor([1, 3])), lambda x: x[1:, 2:]),
    "pairs": ((taeda.tensor([0, 1]), taeda.tensor([2, 2])), lambda x: x[0, :2]),
    "number": (taeda.tensor(1), lambda x: 0),
    "mask": (ROWS, lambda x: x[:2]),
    "mask of columns": ((slice(None), COLUMNS), lambda x: 1),
    "mask of a row": ((1, COLUMNS), lambda x: x[0, :3]),
    "mask and number": ((ROWS, 2), lambda x: x[0, 0]),
    "whole mask": (taeda.arange(12).view(3, 4) % 2 == 0, lambda x: x.flatten()[:6]),
}


@pytest.mark.parametrize("name", ASSIGNED)
def test_assignments_have_a_part_in_the_history(name: str) -> None:
    index, value = ASSIGNED[name]
    found = []
    for x in (numbers(3, 4).requires_grad_(), Wrapper(numbers(3, 4), requires_grad=True)):
        y = x * 1
        y[index] = value(x)
        z = y * x
        (g,) = taeda.autograd.grad((z * z).sum(), x)
        found.append((z, g))
    assert taeda.allclose(found[1][0].elem, found[0][0]) and taeda.allclose(found[1][1].elem, found[0][1])


IN_PLACE = {
    "abs_": (), "acos_": (), "add_": ("v",), "clamp_": (0.5,), "copysign_": ("v",), "cumprod_": (0,), "div_": ("v",), "erf_": (), "exp_": (),
    "fmod_": (0.3,), "hypot_": ("v",), "lerp_": ("v", 0.3), "log_": (), "masked_fill_": ("mask", 0.5), "mul_": ("v",), "nan_to_num_": (),
    "pow_": (3,), "reciprocal_": (), "sigmoid_": (), "sin_": (), "square_": (), "tril_": (), "xlogy_": ("v",), "detach_": (),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_writes_in_place_have_derivatives(name: str) -> None:
    found = []
    for x, make in ((numbers(3, 3).div(4).requires_grad_(), lambda x: x), (Wrapper(numbers(3, 3) / 4, requires_grad=True), Wrapper)):
        v = make(numbers(3, 3) + 0.25)
        y = x * 1
        getattr(y, name)(*(v if a == "v" else make(numbers(3, 3) > 1) if a == "mask" else a for a in IN_PLACE[name]))
        (g,) = taeda.autograd.grad((y * x).sum(), x)
        found.append((y, g))
    assert taeda.allclose(found[1][0].elem, found[0][0]) and taeda.allclose(found[1][1].elem, found[0][1])
    assert found[1][0].requires_grad == found[0][0].requires_grad


def test_assignments_are_views_and_writes() -> None:
    x = Wrapper(numbers(3, 4), requires_grad=True)
    y = x * 1
    seen.clear()
    y[1:, 2] = 0
    y[0, taeda.tensor([1])] = y[1, :1]
    y[0] *= 2
    assert seen == ["slice.Tensor", "select.int", "fill_.Scalar", "select.int", "slice.Tensor", "select.int", "index_put_.default",
                    "select.int", "mul_.Tensor", "select.int", "copy_.default"]
    y.sum().backward()
    assert x.grad.elem.tolist() == [[2, 0, 2, 2], [3, 1, 0, 1], [1, 1, 0, 1]]
    with pytest.raises(RuntimeError, match="leaf Variable"):
        x[0] = 1
    taken, given = Wrapper(numbers(3)), Wrapper(numbers(3), requires_grad=True)
    taken[:] = given * 2
    taken.sum().backward()
    assert given.grad.elem.tolist() == [2.0] * 3


OPERATIONS = {
    "pointwise": lambda x: (x * 2 + x).exp() - x / 3 + 1 / x,
    "functions": lambda x: x.tanh() + x.sigmoid() + x.log() + x.sqrt() + x**2 + 2**x + x.abs() + x.clamp(0, 1),
    "reductions": lambda x: x.sum(1) + x.mean(1) + x.amax(1) + x.logsumexp(1) + x.var(1) + x.norm(),
    "views": lambda x: x.t()[0] + x.view(4, 3)[:, 1][:3] + x.permute(1, 0).reshape(3, 4)[:, 0] + x.unsqueeze(0).squeeze(0).select(1, 2),
    "products": lambda x: (x @ x.t()) @ x,
    "joined": lambda x: taeda.cat([x, x]).sum(0) * taeda.stack([x, x * 2]).prod(0),
    "chosen": lambda x: taeda.where(x > 1, x, x * 2) + x.masked_fill(x < 1, 0.0) + x[taeda.tensor([0, 2, 2])],
    "softmax": lambda x: taeda.softmax(x, 1) * taeda.log_softmax(x, 0),
    "broadcast": lambda x: x * x[0] + x[:, :1],
    "written": lambda x: (x * 1).add_(x).mul_(3),
    "kernels": lambda x: x.cumsum(1) + taeda.ops.softplus(x) + taeda.ops.leaky_relu(x - 1) + x.clamp(1, 2) * x.gather(1, taeda.tensor([[1]])),
    "masked": lambda x: (x * 1).index_fill_(0, taeda.tensor([0]), 0.5) + zeroed(x * 1, taeda.arange(12).view(3, 4) % 5 == 0)
    + zeroed(x * 1, taeda.tensor([True, False, True])),
    "itself": lambda x: +x * x.conj() + x.real,
    "areas": lambda x: taeda.trapezoid(x),
    "angles": lambda x: taeda.cosine_similarity(x, x.flip(1) * 2, dim=1),
    "one row": lambda x: taeda.ops.linear(x[0], x, x[:, 0]) + taeda.ops.linear(x[1], x),
    "unbatched": lambda x: taeda.ops.conv1d(x, x[None, :, :2], x[:1, 0], padding=1) * taeda.ops.conv_transpose1d(x, x[:, None, :2], stride=1),
    "promoted": lambda x: x / taeda.tensor([1, 2, 3, 4]) + taeda.arange(12).view(3, 4) * x + x ** taeda.tensor(2) + taeda.tensor([2]) ** x
    + taeda.maximum(x, taeda.tensor([1, 1, 2, 2])) + Wrapper(taeda.tensor([2])) / x + taeda.atan2(x, numbers(4).double()),
    "promoted in place": lambda x: (x * 1).mul_(taeda.tensor([1, 2, 3, 4])),
    "pointed at": lambda x: x[[0, 2]].sum() * x[1:, [1, 3]].sum() + x[0, taeda.tensor([1, 1], dtype=taeda.int32)].sum() * x[taeda.tensor(1)],
    "turned places": lambda x: x.gather(1, taeda.tensor([[0, 1, 1], [2, 3, 0]]).t()) * x[taeda.tensor([[0, 1], [1, 2]]).t()].sum(0)[:1, :2],
    "attention": lambda x: taeda.ops.scaled_dot_product_attention(x[None], x[None] * 2, x[None]).squeeze(0),
    "picked": lambda x: x[x > 1].sum() * x + x[:, taeda.tensor([True, False, True, False])].sum(),
    "norms": lambda x: taeda.ops.rms_norm(x, (4,)) + taeda.ops.group_norm(x.view(1, 3, 4), 3).view(3, 4),
    "windows": lambda x: taeda.ops.interpolate(taeda.ops.avg_pool1d(x.unsqueeze(0), 2), scale_factor=2),
    "letters": lambda x: taeda.einsum("ij,kj->ik", x, x),
    "sorted": lambda x: x.sort(1).values + x.max(1, keepdim=True).values,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_results_and_derivatives_are_those_of_plain_tensors(name: str) -> None:
    plain = numbers(3, 4).requires_grad_()
    x = Wrapper(numbers(3, 4), requires_grad=True)
    expected, found = OPERATIONS[name](plain), OPERATIONS[name](x)
    assert type(found) is Wrapper and found.shape == expected.shape and found.requires_grad and not found.elem.requires_grad
    (g,) = taeda.autograd.grad((found * found).sum(), x)
    (h,) = taeda.autograd.grad((expected * expected).sum(), plain)
    assert type(g) is Wrapper and taeda.allclose(found.elem, expected) and taeda.allclose(g.elem, h)


def test_the_handler_sees_operators_forward_and_backward_and_leaves_get_its_class() -> None:
    x = Wrapper(numbers(3), requires_grad=True)
    y = (x * 2).sum()
    assert seen == ["mul.Tensor", "sum.default"] and y.grad_fn.name() == "SumBackward0" and x.is_leaf
    y.backward()
    assert type(x.grad) is Wrapper and x.grad.elem.tolist() == [2.0] * 3
    (x * x).sum().backward()
    assert taeda.allclose(x.grad.elem, 2 + 2 * numbers(3))


def test_gradcheck() -> None:
    assert taeda.autograd.gradcheck(lambda x: x * x, (Wrapper(numbers(3).double(), requires_grad=True),))


def test_second_derivatives() -> None:
    x = Wrapper(numbers(3), requires_grad=True)
    (g,) = taeda.autograd.grad(x.pow(3).sum(), x, create_graph=True)
    (h,) = taeda.autograd.grad(g.sum(), x)
    assert taeda.allclose(h.elem, 6 * numbers(3))


MADE_OF_PARTS = {
    "slice": lambda x: x[:3].exp(),
    "step": lambda x: x.view(2, 4)[:, 1:4:2].exp(),
    "element": lambda x: x.view(2, 4)[1, 2].exp(),
    "columns": lambda x: x.view(2, 4)[None, :, 3].exp(),
    "mask": lambda x: x[taeda.arange(8) % 3 > 0].exp(),
    "places": lambda x: x[taeda.tensor([1, 1, 4])].exp(),
    "largest": lambda x: x.view(2, 4).amax(1).exp(),
    "diagonal": lambda x: x.view(2, 4).diagonal().exp(),
    "strided": lambda x: x.as_strided((2, 2), (4, 1), 1).exp(),
    "unbound": lambda x: x.view(2, 4).unbind(1)[2].exp(),
    "added": lambda x: x.exp().index_put((taeda.arange(8) % 4 == 0,), x[:2] * x[2:4], True),
}


@pytest.mark.parametrize("name", MADE_OF_PARTS)
def test_second_derivatives_of_what_is_made_of_a_part(name: str) -> None:
    found = []
    for x in (numbers(8).requires_grad_(), Wrapper(numbers(8), requires_grad=True)):
        (g,) = taeda.autograd.grad(MADE_OF_PARTS[name](x).sum(), x, create_graph=True)
        found.append(taeda.autograd.grad((g * g).sum(), x)[0])
    assert taeda.allclose(found[1].elem, found[0])


def test_a_leaf_is_not_written_to_and_a_saved_tensor_that_was_written_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="leaf Variable"):
        Wrapper(numbers(3), requires_grad=True).add_(1)
    x = Wrapper(numbers(3), requires_grad=True)
    y = x * 1
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        z.sum().backward()


def test_numbers_and_arrays() -> None:
    x = Wrapper(numbers(1))
    assert x.item() == 0.5 and float(x) == 0.5 and bool(x > 0) and x.data_ptr() == 0 and x.is_cpu and x.device.type == "cpu"
    for name in ("numpy", "tolist"):
        with pytest.raises(RuntimeError, match="not supported for tensor subclasses"):
            getattr(x, name)()
    assert "size=(1,)" in repr(x)


def test_copies_and_files_keep_what_the_tensor_is_made_of() -> None:
    x = Wrapper(numbers(3), requires_grad=True)
    x.note = [1]
    assert copy.copy(x).elem is x.elem
    twin = copy.deepcopy(x)
    assert twin.elem is not x.elem and twin.note == [1] and twin.note is not x.note and twin.requires_grad
    read = pickle.loads(pickle.dumps(x))
    assert type(read) is Wrapper and read.elem.tolist() == x.elem.tolist() and read.requires_grad
    file = io.BytesIO()
    taeda.save(x, file)
    file.seek(0)
    assert taeda.load(file, weights_only=False).elem.tolist() == x.elem.tolist()


def test_nobody_answers() -> None:
    with pytest.raises(TypeError, match="Multiple dispatch failed"):
        taeda.exp(Silent(numbers(2)))
    with pytest.raises(TypeError, match="Multiple dispatch failed"), modes.BaseTorchDispatchMode():
        taeda.exp(Silent(numbers(2)))


def test_modes_are_asked_first() -> None:
    class Mode(modes.TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(f"mode {types[0].__name__ if types else None}")
            return func(*args, **(kwargs or {}))

    x = Wrapper(numbers(2))
    with Mode():
        x.exp()
    assert seen == ["mode Wrapper", "exp.default"] or seen == ["mode Wrapper", "exp.default", "mode None"]


def test_on_memory_of_its_own() -> None:
    class Held(taeda.Tensor):
        @classmethod
        def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(str(func))
            return super().__torch_dispatch__(func, types, args, kwargs)

    x = numbers(2).as_subclass(Held)
    y = x + 1
    assert seen == ["aten.add.Tensor"] and y.sum().item() == 3.25
    seen.clear()
    with no_dispatch():
        assert (x + 1).tolist() == [1.5, 1.75]
    with _DisableTorchDispatch():
        assert x.sum().item() == 1.25
    assert not seen


def test_what_makes_a_wrapper() -> None:
    x = taeda.Tensor._make_wrapper_subclass(Wrapper, (2, 3), strides=(1, 2), dtype=taeda.float64, storage_offset=4)
    assert x.shape == (2, 3) and x.stride() == (1, 2) and x.storage_offset() == 4 and x.dtype == taeda.float64
    assert taeda.Tensor._make_wrapper_subclass(Wrapper, (2,), device="meta").is_meta
    with pytest.raises(TypeError, match="must define __torch_dispatch__"):
        taeda.Tensor._make_wrapper_subclass(type("Bare", (taeda.Tensor,), {}), (2,))
    with pytest.raises(RuntimeError, match="must match"):
        taeda.Tensor._make_wrapper_subclass(Wrapper, (2, 3), strides=(1,))
    with pytest.raises(NotImplementedError, match="dispatch_sizes"):
        taeda.Tensor._make_wrapper_subclass(Wrapper, (2,), dispatch_sizes_strides_policy="sizes")


def test_a_class_shows_tensors_own_methods_unless_it_takes_functions_over() -> None:
    class Dispatching(taeda.Tensor):
        @classmethod
        def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return func(*args, **(kwargs or {}))

    class Asked(Dispatching):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs)

    for name in ("size", "stride", "dim", "numel", "dtype", "device", "requires_grad"):
        assert all(getattr(cls, name) is getattr(taeda.Tensor, name) for cls in (Dispatching, Wrapper))
    seen.clear()
    assert Asked.size(numbers(2).as_subclass(Asked)) == (2,) and "size" in seen
    assert Dispatching.size(numbers(3).as_subclass(Dispatching)) == (3,) and numbers(2).as_subclass(Dispatching).size() == (2,)


def test_opened_and_closed_again() -> None:
    x = Wrapper(numbers(2))
    assert modes.is_traceable_wrapper_subclass(x) and not modes.is_traceable_wrapper_subclass(x.elem)
    y = modes.transform_subclass(x, lambda name, inner: inner + 1)
    assert type(y) is Wrapper and y.elem.tolist() == [1.5, 1.75]
    assert modes.return_and_correct_aliasing(aten.add_.Tensor, (x, 1), {}, y) is x
    assert modes.return_and_correct_aliasing(aten.add.Tensor, (x, 1), {}, y) is y


class Positions(Wrapper):
    """Numbers of rows, which what is taken by them is not."""

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*tree_map(unwrap, args), **tree_map(unwrap, kwargs or {}))


@pytest.mark.parametrize("take", [lambda x, i: x[i], lambda x, i: x.index_select(0, i), lambda x, i: x.gather(0, i.view(-1, 1).expand(-1, 2))])
def test_indices_of_a_class_that_gives_plain_results_have_derivatives(take: Any) -> None:
    rows = taeda.tensor([2, 0, 2])
    x, plain = (numbers(3, 2).requires_grad_() for _ in range(2))
    for _ in range(2):                                       # the second time the op is known for one that needs memory
        y = take(x, Positions(rows))
        assert type(y) is taeda.Tensor and taeda.equal(y, take(plain, rows))
        (y * numbers(3, 2)).sum().backward()
        (take(plain, rows) * numbers(3, 2)).sum().backward()
        assert type(x.grad) is taeda.Tensor and taeda.equal(x.grad, plain.grad)
