"""Tensor as an object: attributes, conversions, containers, subclasses, copies, and the errors of each."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings
import weakref
from typing import Any

import numpy as np
import pytest

import taeda


@pytest.fixture
def x() -> taeda.Tensor:
    return taeda.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def test_what_a_tensor_says_of_itself(x: taeda.Tensor) -> None:
    assert (x.shape, x.ndim, x.dim(), x.numel(), x.nelement(), x.element_size(), x.nbytes) == ((2, 3), 2, 2, 6, 6, 4, 24)
    assert (x.size(0), x.size(-1), x.stride(), x.stride(1), x.storage_offset(), x[1].storage_offset()) == (2, 3, (3, 1), 1, 0, 3)
    assert (x.dtype, str(x.device), x.is_leaf, x.requires_grad, x.grad, x.grad_fn) == (taeda.float32, "cpu", True, False, None, None)
    assert x.is_contiguous() and not x.T.is_contiguous() and x.T.shape == (3, 2)
    assert (x.is_cpu, x.is_cuda, x.is_meta, x.is_sparse, x.is_floating_point(), x.is_complex()) == (True, False, False, False, True, False)


@pytest.mark.parametrize("dim", [2, -3])
def test_a_dimension_that_is_not_there_is_an_index_error(x: taeda.Tensor, dim: int) -> None:
    for ask in (x.size, x.stride):
        with pytest.raises(IndexError, match="Dimension out of range"):
            ask(dim)
    with pytest.raises(TypeError, match="must be int"):
        x.size(1.0)


def test_size_is_a_tuple_of_ints() -> None:
    s = taeda.Size([2, 3])
    assert s == (2, 3) and hash(s) == hash((2, 3)) and s.numel() == 6 and repr(s) == "taeda.Size([2, 3])"
    assert isinstance(s[:1], taeda.Size) and isinstance(s + (1,), taeda.Size) and taeda.Size([taeda.tensor(2)])[0] == 2
    assert pickle.loads(pickle.dumps(s)) == s
    with pytest.raises(TypeError, match=r"item 1 is 'str'"):
        taeda.Size([1, "a"])


def test_one_element_is_a_python_number() -> None:
    assert (int(taeda.tensor(3.7)), float(taeda.tensor([2])), bool(taeda.tensor([[0]])), complex(taeda.tensor(1.5))) == (3, 2.0, False, 1.5)
    assert type(taeda.tensor(True).item()) is bool and type(taeda.tensor(2).item()) is int and type(taeda.tensor(2.0).item()) is float
    assert [10, 20, 30][taeda.tensor(2)] == 30 and list(range(taeda.tensor(2))) == [0, 1]
    assert f"{taeda.tensor(2.5):.2f}" == "2.50" and taeda.tensor([[1], [2]]).tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("convert", "error", "text"),
    [(int, ValueError, "only one element"), (float, ValueError, "only one element"), (bool, RuntimeError, "more than one value is ambiguous"),
     (taeda.Tensor.item, RuntimeError, "6 elements cannot be converted"), (taeda.Tensor.__index__, TypeError, "only integer tensors of a single element")],
)  # fmt: skip
def test_more_elements_are_no_number(x: taeda.Tensor, convert, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        convert(x)


def test_no_elements_and_no_data_are_no_number() -> None:
    with pytest.raises(RuntimeError, match="no values is ambiguous"):
        bool(taeda.empty(0))
    with pytest.raises(RuntimeError, match="meta"):
        taeda.empty((), device="meta").item()
    with pytest.raises(TypeError):
        [1, 2][taeda.tensor(1.0)]


def test_as_a_container(x: taeda.Tensor) -> None:
    assert len(x) == 2 and [r.tolist() for r in x] == [[1, 2, 3], [4, 5, 6]] and 4.0 in x and 9.0 not in x
    first, second = x
    first[0] = 9
    assert x[0, 0].item() == 9 and [r.tolist() for r in reversed(x)][1] == first.tolist()
    for broken in (len, iter):
        with pytest.raises(TypeError, match="0-d tensor"):
            broken(taeda.tensor(1))
    with pytest.raises(RuntimeError, match="only supports Tensor or scalar"):
        "a" in x  # noqa: B015
    with pytest.raises(TypeError, match="deleting"):
        del x[0]


def test_equality_is_by_element_and_hash_by_identity(x: taeda.Tensor) -> None:
    assert (x == x.clone()).all() and not (x != x).any()
    assert (x == None) is False and (x != None) is True and (x == "a") is False  # noqa: E711
    assert len({x, x, x.clone()}) == 2 and {x: 1}[x] == 1 and hash(x) == id(x)


@pytest.mark.parametrize("other", [None, "a", [1], (1,), {}, object()])
def test_arithmetic_with_what_is_no_number_is_a_type_error(x: taeda.Tensor, other: object) -> None:
    for f in (lambda: x + other, lambda: other - x, lambda: x * other, lambda: x / other, lambda: x**other, lambda: x < other, lambda: x @ other):
        with pytest.raises(TypeError):
            f()


class Other:
    def __radd__(self, left: object) -> str:
        return "radd"

    __ror__ = __rlshift__ = __radd__


OPERATORS = "add sub mul truediv floordiv mod pow lshift rshift and or xor div".split()


@pytest.mark.parametrize("name", [f"__{i}{n}__" for n in OPERATORS for i in ("", "r", "i")])
def test_operators_leave_what_they_do_not_know_to_the_other_side(name: str) -> None:
    x = taeda.tensor([3, 4])
    for other in (object(), "a", None, [1], {}):
        assert getattr(x, name)(other) is NotImplemented


def test_in_place_operators_ask_the_other_side() -> None:
    x = y = z = taeda.tensor([3, 4])
    x += Other()
    y |= Other()
    z <<= Other()
    assert x == y == z == "radd"
    x = taeda.tensor([3, 4])
    with pytest.raises(TypeError, match="unsupported operand"):
        x += "a"
    assert x.tolist() == [3, 4]


def test_reflected_and_shifting_operators() -> None:
    i = taeda.tensor([1, 2, 3])
    assert [(7 - i).tolist(), (7 // i).tolist(), (7 % i).tolist(), (2**i).tolist(), (1 << i).tolist(), (8 >> i).tolist()] == [
        [6, 5, 4], [7, 3, 2], [0, 1, 1], [2, 4, 8], [2, 4, 8], [4, 2, 1]]  # fmt: skip
    same = i
    i <<= 1
    assert i is same and i.tolist() == [2, 4, 6]
    with pytest.raises(TypeError, match="only implemented on integer and Boolean"):
        ~taeda.tensor(1.0)


@pytest.mark.parametrize("f", [lambda a: a // 256, lambda a: a % 256, lambda a: a.fmod(256), lambda a: a // taeda.tensor(256), lambda a: a.remainder_(512)])
def test_a_divisor_that_is_zero_in_the_dtype_is_an_error_and_no_crash(f) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        f(taeda.tensor([1, 2], dtype=taeda.uint8))


def test_the_smallest_integer_divided_by_minus_one_wraps() -> None:
    assert (taeda.tensor(-(2**63)) // -1).item() == -(2**63) and (taeda.tensor([-(2**63)]) % -1).tolist() == [0]


@pytest.mark.parametrize("number", [10**30, -(10**30), 2**64])
def test_numbers_beyond_64_bits_overflow(number: int) -> None:
    with pytest.raises(OverflowError, match="int too big to convert"):
        taeda.tensor([1]) + number


def test_users_attributes_live_and_are_copied(x: taeda.Tensor) -> None:
    x.note = [1]
    assert x.note == [1] and x.__dict__ == {"note": [1]} and copy.copy(x).note is x.note
    apart = copy.deepcopy(x)
    assert apart.note == [1] and apart.note is not x.note
    del x.note
    assert not hasattr(x, "note")
    with pytest.raises(AttributeError, match="Tensor' object has no attribute 'nope'"):
        x.nope  # noqa: B018


def test_attributes_are_those_of_any_object(x: taeda.Tensor) -> None:
    with pytest.raises(AttributeError):
        del x.nope
    with pytest.raises(TypeError, match="must be set to a dictionary"):
        x.__dict__ = 3  # type: ignore[assignment]
    x.__dict__ = shared = {"note": 1}
    shared["other"] = 2
    assert (x.note, x.other, vars(x)) == (1, 2, shared)
    x.relu = 3  # type: ignore[method-assign,assignment]
    assert x.relu == 3 and callable(taeda.ones(1).relu)
    x.grad = taeda.ones(2, 3, dtype=x.dtype)
    del x.grad
    assert x.grad is None


@pytest.mark.parametrize("cls", [taeda.Tensor, type("Own", (taeda.Tensor,), {})])
def test_a_tensor_that_holds_itself_is_collected(cls: type[taeda.Tensor]) -> None:
    x = taeda.ones(2).as_subclass(cls)
    x.me = x
    seen = weakref.ref(x)
    del x
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("name", ["shape", "dtype", "device", "T", "is_leaf", "grad_fn", "ndim", "_version"])
def test_what_a_tensor_is_cannot_be_set(x: taeda.Tensor, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(x, name, 3)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [("requires_grad", "a", RuntimeError), ("grad", 3, TypeError), ("grad", taeda.zeros(3), RuntimeError), ("data", None, TypeError), ("data", [1], TypeError),
     ("grad", taeda.zeros(2, 3, dtype=taeda.float64), RuntimeError)],
)  # fmt: skip
def test_bad_values_for_the_settable_attributes(x: taeda.Tensor, name: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"^\[{name}\]"):
        setattr(x, name, value)
    assert x.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_data_and_grad_are_set(x: taeda.Tensor) -> None:
    w = taeda.zeros(2, requires_grad=True)
    w.data = x
    w.grad = taeda.ones(2, 3)
    assert w.requires_grad and w.shape == (2, 3) and w.data_ptr() == x.data_ptr() and w.grad.sum().item() == 6
    with pytest.raises(RuntimeError, match="floating point"):
        w.data = taeda.tensor([1])
    with pytest.raises(RuntimeError, match="Only|only Tensors of floating point"):
        taeda.tensor([1]).requires_grad_()
    with pytest.raises(RuntimeError, match="one of them is sparse"):
        taeda.ones(2).data = taeda.ones(2).to_sparse()


def test_none_in_place_of_a_tensor_is_a_type_error_and_no_crash() -> None:
    for name in ("exp_", "add_", "sigmoid_", "eq_", "pow_", "round_", "clamp_", "copy_", "fill_", "neg_", "lerp_"):
        with pytest.raises(TypeError):
            getattr(taeda.ops, name)(*(None,) * {"exp_": 1, "sigmoid_": 1, "round_": 1, "neg_": 1, "lerp_": 3, "clamp_": 2}.get(name, 2))
    for method in (taeda.Tensor.item, taeda.Tensor.untyped_storage, taeda.Tensor.backward, taeda.Tensor.__copy__, taeda.Tensor.size):
        with pytest.raises(TypeError):
            method("a")


def test_tensors_of_two_devices_do_not_mix(x: taeda.Tensor) -> None:
    meta = taeda.empty(2, 3, device="meta")
    for f in (lambda: x + meta, lambda: x.lerp(meta, 0.5), lambda: x.set_(meta), lambda: x.add_(meta)):
        with pytest.raises(RuntimeError):
            f()


class Named(taeda.Tensor):
    """A subclass with an attribute of its own."""


def test_subclasses_share_memory_and_survive_copies(x: taeda.Tensor) -> None:
    y = taeda.Tensor._make_subclass(Named, x, True)
    assert isinstance(y, Named) and y.requires_grad and y.is_leaf and y.data_ptr() == x.data_ptr()
    z = x.as_subclass(Named)
    z.note = 1
    assert type(copy.deepcopy(z)) is Named and copy.deepcopy(z).note == 1 and copy.copy(z).data_ptr() == x.data_ptr()
    assert Named([1, 2]).tolist() == [1, 2] and Named(2, 3).shape == (2, 3)
    with pytest.raises(TypeError, match=r"\[_make_wrapper_subclass\] Named must define __torch_dispatch__"):
        taeda.Tensor._make_wrapper_subclass(Named, (2, 3))


def test_make_subclass_asks_nothing_of_a_half_made_object(x: taeda.Tensor) -> None:
    class Closed(taeda.Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            raise TypeError("not yet")

    y = taeda.Tensor._make_subclass(Closed, x, True)
    with pytest.raises(TypeError, match="not yet"):
        y.requires_grad
    with taeda._C.DisableTorchFunctionSubclass():
        assert y.requires_grad and y.data_ptr() == x.data_ptr()


def test_copies_keep_gradients_layout_and_shared_memory(x: taeda.Tensor) -> None:
    w = taeda.ones(3, requires_grad=True)
    (w * 2).sum().backward()
    apart = copy.deepcopy(w)
    assert apart.grad.tolist() == [2, 2, 2] and apart.requires_grad and apart.data_ptr() != w.data_ptr()
    assert copy.deepcopy(x.T).stride() == (1, 3)
    a, row = copy.deepcopy([x, x[0]])
    a[0, 0] = 9
    assert row[0].item() == 9 and x[0, 0].item() == 1
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(w * 2)


def test_pickles_give_equal_tensors(x: taeda.Tensor) -> None:
    for t in (x, x.T, x[:, 1], taeda.tensor([True, False]), taeda.ones(2, requires_grad=True), taeda.tensor(3)):
        again = pickle.loads(pickle.dumps(t))
        assert again.tolist() == t.tolist() and (again.dtype, again.stride(), again.requires_grad) == (t.dtype, t.stride(), t.requires_grad)
    assert pickle.loads(pickle.dumps(x.device)) == x.device


@pytest.mark.parametrize("bad", ["foo", "", "cpu:-1", "cpu:a", "cpu:01", "cpu:"])
def test_a_malformed_device_is_a_runtime_error(bad: str) -> None:
    with pytest.raises(RuntimeError, match=r"^\[device\]"):
        taeda.device(bad)


def test_conversions_give_the_tensor_itself_when_nothing_changes(x: taeda.Tensor) -> None:
    assert x.to("cpu") is x is x.float() is x.to(taeda.float32) is x.contiguous() is x.cpu()
    assert x.to(taeda.float32, copy=True) is not x and x.to(taeda.zeros(1, dtype=taeda.int64)).dtype is taeda.int64
    assert x.to("meta").device.type == "meta"
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        taeda.empty(2, device="meta").to("cpu")
    with pytest.raises(RuntimeError, match="no CUDA device"):
        x.cuda()
    with pytest.raises(TypeError, match="invalid argument"):
        x.to([1])


@pytest.mark.parametrize(("source", "wanted"), [
    ("(1 - g)", "RsubBackward1"), ("(g - 1)", "SubBackward0"), ("g ** 2", "PowBackward0"), ("g ** g", "PowBackward1"), ("2 ** g", "PowBackward2"),
    ("g.clamp(0, 1)", "ClampBackward1"), ("g.split(2)[0]", "SplitBackward0"), ("g.chunk(2)[0]", "SplitBackward0"), ("g.unbind()[0]", "UnbindBackward0"),
    ("g.split([1, 2])[0]", "SplitWithSizesBackward0"), ("g + 1", "AddBackward0"), ("g[0]", "SelectBackward0"), ("g[:2]", "SliceBackward0"),
])  # fmt: skip
def test_grad_fn_names(source: str, wanted: str) -> None:
    assert eval(source, {"g": taeda.ones(3, requires_grad=True)}).grad_fn.name() == wanted


def test_help_shows_signature_formula_shapes_and_errors() -> None:
    import pydoc

    text = pydoc.render_doc(taeda.exp, renderer=pydoc.plaintext)
    for part in ("exp(input, *, out=None)", "e raised to each element", "tensor of any shape", "Raises:", "TypeError"):
        assert part in text, part


@pytest.mark.parametrize(("name", "of"), [
    ("topk", "topk"), ("add_", "add"), ("masked_fill_", "masked_fill"), ("clamp_", "clamp"), ("cholesky", "linalg.cholesky"), ("where", "where"),
])  # fmt: skip
def test_a_methods_help_has_the_operators_formula_and_example(name: str, of: str) -> None:
    import inspect
    import operator

    said, ops = inspect.getdoc(getattr(taeda.Tensor, name)), inspect.getdoc(operator.attrgetter(of)(taeda))
    assert said and ops and ops.splitlines()[0] in said and said.count(">>> import taeda") == 1
    assert said.endswith(ops[ops.index(">>>") :])                              # the example stands last


def test_help_of_what_is_no_op_shows_signatures() -> None:
    import inspect

    assert str(inspect.signature(taeda.Tensor.backward)) == "(self, /, gradient=None, retain_graph=None, create_graph=False, inputs=None)"
    assert str(inspect.signature(taeda.Tensor.item)) == "(self, /)" and str(inspect.signature(taeda.ones(1).numpy)) == "(*, force=False)"
    for name in ("shape", "dtype", "grad", "T", "real"):
        assert ">>>" in (inspect.getdoc(getattr(taeda.Tensor, name)) or ""), name


def test_out_of_a_pointwise_op_is_written_where_it_lies_and_may_be_an_operand() -> None:
    a, b = taeda.arange(12.0).reshape(3, 4), taeda.full((3, 4), 2.0)
    out = taeda.zeros(4, 3).t()
    version, where = out._version, out.data_ptr()
    assert taeda.mul(a, b, out=out) is out and taeda.equal(out, a * 2) and out.data_ptr() == where and out.stride() == (1, 3)
    assert out._version == version + 1
    c = a.clone()
    assert taeda.add(c, 1, out=c) is c and taeda.equal(c, a + 1)
    assert taeda.exp(c, out=c) is c and taeda.equal(c, (a + 1).exp())
    long = taeda.arange(10.0)
    taeda.add(long[1:], long[:-1], out=long[:-1])                              # shares memory, elsewhere: read whole first
    assert long.tolist() == [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 9.0]
    yes = taeda.zeros(3, 4, dtype=taeda.bool)
    assert taeda.lt(a, b, out=yes) is yes and yes.tolist() == (a < b).tolist()
    wide = taeda.zeros(3, 4, dtype=taeda.float64)
    assert taeda.mul(a, b, out=wide).dtype is taeda.float64 and wide.tolist() == (a * b).tolist()


def test_memory_seen_as_another_dtype() -> None:
    x = taeda.arange(8, dtype=taeda.int32).reshape(2, 4)
    y = x.view(taeda.int16)
    assert y.shape == (2, 8) and y[:, ::2].tolist() == x.tolist() and y.view(taeda.int32).tolist() == x.tolist()
    assert x[1:].view(taeda.int64).shape == (1, 2) and x[1:].view(taeda.int64)[0, 0].item() == 4 + (5 << 32)
    x.view(taeda.uint8)[0, 0] = 9
    assert x[0, 0].item() == 9
    with pytest.raises(RuntimeError, match="cannot be seen as"):
        x[:, 1:].view(taeda.int64)
    assert x.shape[-1] == 4 and x.shape[0:1] == (2,) and type(x.shape[0:1]) is taeda.Size and x.shape[True] == 4


def test_what_is_warned_of_once_is_warned_of_each_time_where_asked() -> None:
    x = taeda.ones(1, requires_grad=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        float(x)
        caught.clear()
        float(x)
        assert not caught
        taeda.set_warn_always(True)
        try:
            float(x), float(x)
        finally:
            taeda.set_warn_always(False)
    assert len(caught) == 2


def test_a_tensor_beside_one_of_a_subclass_stays_on_the_left() -> None:
    class Own(taeda.Tensor):
        pass

    z = taeda.ones(2, 3, 4, requires_grad=True).transpose(1, 2)
    own = taeda.ones(1, 4, 3).as_subclass(Own).requires_grad_()
    for y in (z + own, z * own):
        assert y.stride() == (12, 1, 4)                           # the order in memory is the left one's, as in PyTorch
        (sum_or_product, _), = y.grad_fn.next_functions             # y is a view of it, of the subclass
        assert [type(f[0]).__name__ for f in sum_or_product.next_functions] == ["TransposeBackward0", "AccumulateGrad"]
    assert (z.detach() > 0).__and__(own.detach() > 0).stride() == ((z.detach() > 0) & (own.detach() > 0)).stride() == (12, 1, 4)
    assert (2 + own).shape == (2 * own).shape == own.shape


def test_the_old_constructor_is_the_cpus_whatever_the_default_device() -> None:
    with taeda.device("meta"):
        made = [taeda.Tensor([1, 2]), taeda.Tensor(np.ones(2)), taeda.Tensor(2), taeda.Tensor(), taeda.FloatTensor([1.0])]
        assert all(x.device.type == "cpu" for x in made) and taeda.ones(1).is_meta and made[0].tolist() == [1, 2]


def test_the_address_of_no_element_is_0() -> None:
    x = taeda.ones(2, 2)
    assert x.data_ptr() != 0 and x[0:0].data_ptr() == x[:, 2:].data_ptr() == x.resize_(0, 2).data_ptr() == 0
