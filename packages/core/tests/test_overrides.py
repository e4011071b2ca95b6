"""Classes and modes that take calls over, and what a public function is like from outside."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc
import re
from typing import Any

import pytest

import taeda
from taeda import overrides
from taeda.overrides import DisableTorchFunctionSubclass, TorchFunctionMode, handle_torch_function, has_torch_function, is_tensor_like


class Named(taeda.Tensor):
    pass


class Logged(taeda.Tensor):
    seen: list[str] = []

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        cls.seen.append(func.__name__)
        assert all(issubclass(cls, t) for t in types)
        return super().__torch_function__(func, types, args, kwargs)


class Duck:
    """No tensor, but a value that functions of tensors take."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func.__name__, [t.__name__ for t in types], len(args), kwargs


def seen(f: Any) -> list[str]:
    """What Logged saw while f ran."""
    Logged.seen.clear()
    f(taeda.arange(4.0).reshape(2, 2).as_subclass(Logged))
    return list(Logged.seen)


def test_a_subclass_keeps_its_class_through_operations() -> None:
    x = taeda.tensor([[1.0, 2.0], [3.0, 4.0]]).as_subclass(Named)
    t = taeda.ones(2, 2)
    for y in (x + 1, 1 + x, t + x, 2 - x, 1 / x, x @ t, t @ x, -x, x > 1, t == x, x[0], t[(x > 2).long()], x.sum(), taeda.exp(x), taeda.cat([t, x]),
              x.T, x.mT, x.data, x.detach(), x.double(), x.cpu(), taeda.where(x > 1, t, x), x.clone(), taeda.zeros_like(x), x.new_zeros(2),
              taeda.einsum("ij,jk->ik", t, x), *x.unbind(), *x.max(0), *list(x)):
        assert type(y) is Named
    assert type(x.max(0)) is type(t.max(0)) and type(x.shape) is taeda.Size and type(x.tolist()) is list and type(x.sum().item()) is float
    t += x
    assert t.tolist() == [[2, 3], [4, 5]] and type(t) is Named
    assert type(copy.deepcopy(x)) is type(copy.copy(x)) is Named and repr(x).startswith("Named(") or repr(x).startswith("tensor(")


def test_gradients_flow_through_a_subclass() -> None:
    leaf = taeda.tensor([1.0, 2.0], requires_grad=True)
    y = (leaf.as_subclass(Named) ** 2).sum()
    assert type(y) is Named and y.requires_grad
    y.backward()
    assert leaf.grad.tolist() == [2, 4]
    x = taeda.ones(2).as_subclass(Named).requires_grad_()
    assert type(x) is Named and x.is_leaf
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]


@pytest.mark.parametrize(("f", "names"), [
    (lambda x: x + 1, ["add"]), (lambda x: taeda.ones(2, 2) * x, ["mul"]), (lambda x: taeda.exp(x), ["exp"]), (lambda x: x.exp(), ["exp"]),
    (lambda x: x[0], ["__getitem__"]), (lambda x: x.__setitem__(0, 1.0), ["__setitem__"]), (lambda x: x.shape, ["__get__"]),
    (lambda x: x.T, ["__get__"]), (lambda x: len(x), ["__len__"]), (lambda x: x.dim(), ["dim"]), (lambda x: x.add_(1), ["add_"]),
    (lambda x: taeda.stack([taeda.ones(2, 2), x]), ["stack"]), (lambda x: taeda.add(taeda.ones(2, 2), other=x), ["add"]),
    (lambda x: setattr(x, "grad", None), ["__set__"]), (lambda x: x.tolist(), ["tolist"]), (lambda x: x.long(), ["long"]),
    (lambda x: taeda.zeros(2), []), (lambda x: type(x), []),
])  # fmt: skip
def test_a_subclass_sees_each_call_once(f: Any, names: list[str]) -> None:
    assert seen(f) == names


def test_the_function_that_is_seen_is_the_public_one() -> None:
    found: list[Any] = []

    class Keep(taeda.Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            found.append(func)
            return super().__torch_function__(func, types, args, kwargs)

    x = taeda.ones(2).as_subclass(Keep)
    for f, public in ((lambda: taeda.exp(x), taeda.exp), (lambda: x.exp(), taeda.Tensor.exp), (lambda: x + x, taeda.Tensor.add),
                      (lambda: x[0], taeda.Tensor.__getitem__), (lambda: x.grad, taeda.Tensor.grad.__get__)):
        found.clear()
        f()
        assert found == [public]


def test_subclasses_go_before_their_bases_and_the_left_before_the_right() -> None:
    class First(taeda.Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return cls.__name__, [t.__name__ for t in types]

    class Second(First):
        pass

    class Other(First):
        pass

    one = taeda.ones(1)
    assert taeda.add(one.as_subclass(First), one.as_subclass(Second)) == ("Second", ["Second", "First"])
    assert taeda.add(one.as_subclass(Other), one.as_subclass(Second)) == ("Other", ["Other", "Second"])


def test_any_class_can_stand_where_a_tensor_goes() -> None:
    x = taeda.ones(2)
    assert taeda.exp(Duck()) == ("exp", ["Duck"], 1, {})
    assert taeda.add(x, Duck(), alpha=2) == ("add", ["Duck"], 2, {"alpha": 2})
    assert taeda.cat([x, Duck()], dim=0)[0] == "cat" and x.add(Duck())[0] == "add"
    assert (x + Duck())[0] == "add" and (x @ Duck())[0] == "matmul" and (x == Duck())[0] == "eq"
    assert (Duck() @ x)[0] == "matmul" and (Duck() / x)[0] == "__rdiv__" and (Duck() - x)[0] == "__rsub__"
    assert is_tensor_like(Duck()) and is_tensor_like(x) and not is_tensor_like(3)


def test_nobody_answering_is_an_error() -> None:
    class No:
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return NotImplemented

    with pytest.raises(TypeError, match="\\[add\\] no implementation found for 'taeda.add' on types that implement __torch_function__"):
        taeda.add(taeda.ones(2), No())


def test_a_class_can_switch_the_protocol_off() -> None:
    class Plain(taeda.Tensor):
        __torch_function__ = overrides._disabled_torch_function_impl

    x = taeda.ones(2).as_subclass(Plain)
    assert type(x + 1) is type(taeda.exp(x)) is type(x.data) is taeda.Tensor
    y = taeda.ones(2).as_subclass(Named)
    with DisableTorchFunctionSubclass():
        assert type(y + 1) is taeda.Tensor and type(y.data) is taeda.Tensor
    assert type(y + 1) is Named


class Count(TorchFunctionMode):
    def __init__(self) -> None:
        self.names: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_a_mode_sees_every_call_in_its_block() -> None:
    with Count() as outer, Count() as inner:
        taeda.zeros(2).exp() + 1
        taeda.tensor([1.0])
    assert outer.names == inner.names == ["zeros", "exp", "add", "tensor"]
    taeda.zeros(2)
    assert len(outer.names) == 4

    class Replace(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return 7 if func is taeda.exp else func(*args, **(kwargs or {}))

    with Replace():
        assert taeda.exp(taeda.ones(2)) == 7 and taeda.log(taeda.ones(2)).tolist() == [0, 0]
    with pytest.raises(ValueError, match="out"), Replace():
        raise ValueError("out")
    assert taeda.exp(taeda.zeros(1)).tolist() == [1]


class Names(TorchFunctionMode):
    """Keeps the names of what it sees."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.functions: list[object] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.names.append(str(taeda.overrides.resolve_name(func)).removeprefix("taeda.Tensor."))
        self.functions.append(func)
        return func(*args, **(kwargs or {}))


def test_a_mode_sees_reads_of_numbers_attributes_and_what_is_no_operation() -> None:
    known = {taeda.Tensor.item, taeda.Tensor.numpy, taeda.Tensor.backward, taeda.Tensor.__bool__}
    x, n = taeda.tensor([1.5, 2.5], requires_grad=True), taeda.tensor(2)
    with Names() as seen:
        y = x.sum()
        assert y.item() == 4.0 and float(n) == 2.0 and int(n) == 2 and bool(n) and [5, 6, 7][n] == 7 and complex(n) == 2
        assert x.tolist() == [1.5, 2.5] and n.numpy() == 2 and len(x) == 2 and f"{n}" == "2" and 2 in n
        assert x.shape == (2,) and x.size(0) == 2 and x.dtype is taeda.float32 and n.T is not None
        y.backward()
        x.grad = x.grad * 2
        assert x.requires_grad_() is x and n.cpu() is n and n.double().dtype is taeda.float64
    assert seen.names == [
        "sum", "item", "__float__", "__int__", "__bool__", "__index__", "__complex__",
        "tolist", "numpy", "__len__", "__format__", "__contains__",
        "shape.__get__", "size", "dtype.__get__", "T.__get__",
        "backward", "grad.__get__", "mul", "grad.__set__",
        "requires_grad_", "cpu", "double", "dtype.__get__",
    ]
    assert known <= set(seen.functions)                # they are what Tensor shows, in the block as outside of it
    assert taeda.Tensor.item in known and taeda.Tensor.shape.__get__ in seen.functions
    assert x.grad.tolist() == [2.0, 2.0]
    seen.names.clear()
    assert y.item() == 4.0 and x.shape == (2,) and seen.names == []


def test_a_mode_sees_what_makes_tensors() -> None:
    seen = []

    class Noting(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(func.__name__)
            return func(*args, **(kwargs or {}))

    ends, at, values, block = taeda.tensor([0, 1, 2]), taeda.tensor([0, 1]), taeda.ones(2), taeda.ones(2, 1, 1)
    made = {
        "sparse_coo_tensor": (at[None], values, (3,)), "sparse_csr_tensor": (ends, at, values), "sparse_csc_tensor": (ends, at, values),
        "sparse_bsr_tensor": (ends, at, block), "sparse_bsc_tensor": (ends, at, block), "scalar_tensor": (1,), "as_tensor": ([1],),
    }
    for name, args in made.items():
        with Noting():
            found = getattr(taeda, name)(*args)
        assert seen == [name] and isinstance(found, taeda.Tensor)
        seen.clear()
    with Noting():
        taeda.sparse_compressed_tensor(ends, at, values, layout=taeda.sparse_csr)
        made_inside = taeda.ones(2).to_sparse()
    assert seen == ["sparse_compressed_tensor", "ones", "to_sparse"] and made_inside.is_sparse


def test_what_a_program_puts_into_tensor_stays_beside_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = taeda.Tensor.tolist
    monkeypatch.setattr(taeda.Tensor, "tolist", lambda self: ["mine", *plain(self)])
    with Names():
        assert taeda.ones(1).tolist() == ["mine", 1.0]
    assert taeda.ones(1).tolist() == ["mine", 1.0]
    monkeypatch.undo()
    with Names():
        assert taeda.ones(1).tolist() == [1.0]


def test_modes_belong_to_their_thread() -> None:
    import threading

    with Count() as mode:
        thread = threading.Thread(target=lambda: taeda.zeros(2))
        thread.start()
        thread.join()
    assert mode.names == []


def test_a_users_function_can_be_taken_over_too() -> None:
    def double(x: Any) -> Any:
        if has_torch_function((x,)):
            return handle_torch_function(double, (x,), x)
        return x + x

    assert double(Duck()) == ("double", ["Duck"], 1, {}) and double(taeda.ones(1)).tolist() == [2]
    assert not has_torch_function((taeda.ones(1), 3)) and has_torch_function((taeda.ones(1).as_subclass(Named),))


def test_the_content_can_be_given_in_new() -> None:
    class Tagged(taeda.Tensor):
        @staticmethod
        def __new__(cls: Any, data: Any, tag: str) -> Any:
            return super().__new__(cls, data)

        def __init__(self, data: Any, tag: str) -> None:
            self.tag = tag

    x = Tagged([1.0, 2.0], "a")
    assert x.tag == "a" and x.tolist() == [1, 2] and type(x * 2) is Tagged and not hasattr(x * 2, "tag")
    assert type(taeda.ones(2).as_subclass(Tagged)) is Tagged
    assert Named([1.0]).tolist() == [1] and Named(2, 3).shape == (2, 3) and Named().shape == (0,)
    x = taeda.ones(2, requires_grad=True)
    assert taeda.Tensor.__new__(Named, 2, 3).shape == (2, 3) and taeda.Tensor(x).requires_grad and Named(x).sum().backward() is None
    for wrong in (lambda: Named(2, zz=1), lambda: Named("ab"), lambda: Named([1], 2), lambda: Named(2, dtype=taeda.int64)):
        with pytest.raises(TypeError):
            wrong()


def test_a_class_that_gives_no_content_is_empty() -> None:
    class Bare(taeda.Tensor):
        def __new__(cls: Any, *sizes: int) -> Any:
            return super().__new__(cls, *sizes)

        def __init__(self, *sizes: int) -> None:
            self.given = sizes

    assert Bare().shape == (0,) and Bare(2, 3).shape == (2, 3) and Bare(4).given == (4,) and "Bare" in repr(Bare())


def test_a_class_of_its_own_text() -> None:
    class Text(taeda.Tensor):
        def __repr__(self) -> str:
            return "text"

    assert str(taeda.ones(2).as_subclass(Text)) == repr(taeda.ones(2).as_subclass(Text)) == "text"


def test_public_functions_look_like_functions() -> None:
    assert taeda.exp.__name__ == "exp" and taeda.exp.__doc__.startswith("Return e raised") and taeda.exp.__module__ == "taeda.ops.unary"
    assert str(inspect.signature(taeda.exp)) == "(input, *, out=None)" and "exp(input, *, out=None)" in pydoc.plain(pydoc.render_doc(taeda.exp))
    assert pickle.loads(pickle.dumps(taeda.exp)) is taeda.exp and copy.deepcopy(taeda.exp) is taeda.exp
    assert pickle.loads(pickle.dumps(taeda.Tensor.exp)) is taeda.Tensor.exp
    assert taeda.ops.exp is taeda.exp and taeda.exp is not taeda.Tensor.exp and inspect.isroutine(taeda.exp) and callable(taeda.exp)
    assert taeda.absolute is taeda.abs and taeda.abs.__name__ == "abs" and repr(taeda.exp) == "<function taeda.ops.exp>"

    class Layer:
        act = taeda.exp                            # like a built-in function it does not bind

    assert Layer().act(taeda.zeros(1)).tolist() == [1]
    bound = taeda.zeros(1).exp
    assert bound().tolist() == [1] and bound.__name__ == "exp"
    assert taeda.Tensor.exp(taeda.zeros(1)).tolist() == [1] and list(map(taeda.exp, [taeda.zeros(1)]))[0].item() == 1
    with pytest.raises(TypeError, match="argument"):
        taeda.exp()


def test_names_of_torch_overrides() -> None:
    assert taeda.zeros in overrides.get_ignored_functions() and taeda.exp not in overrides.get_ignored_functions()
    found = overrides.get_overridable_functions()
    assert taeda.exp in found[taeda] and taeda.Tensor.exp in found[taeda.Tensor]
    assert taeda.linalg.svd in found[taeda.linalg] and taeda.fft.rfft in found[taeda.fft] and taeda.special.entr in found[taeda.special]
    assert taeda.fft.fftfreq not in found[taeda.fft] and taeda.hann_window not in found[taeda]
    names = [overrides.resolve_name(f) for f in (taeda.linalg.svd, taeda.fft.rfft, taeda.special.entr)]
    assert names == ["taeda.linalg.svd", "taeda.fft.rfft", "taeda.special.entr"]
    assert overrides.resolve_name(taeda.Tensor.__setitem__) == "taeda.Tensor.__setitem__"
    assert overrides.resolve_name(taeda.exp) == "taeda.exp" and overrides.resolve_name(taeda.Tensor.exp) == "taeda.Tensor.exp"
    assert overrides.resolve_name(None) is None
    assert overrides.is_tensor_method_or_property(taeda.Tensor.exp) and not overrides.is_tensor_method_or_property(taeda.exp)
    dummies = overrides.get_testing_overrides()
    assert dummies[taeda.exp](1) == -1 and inspect.signature(dummies[taeda.exp]) == inspect.signature(taeda.exp)
    assert taeda.Tensor.grad.__get__ in overrides.get_default_nowrap_functions()


@pytest.mark.parametrize(("call", "text"), [
    (lambda: taeda.Tensor.add(3, 1), "'add' for 'taeda.Tensor' objects doesn't apply to a 'int' object"),
    (lambda: taeda.Tensor.exp("x"), "doesn't apply to a 'str' object"), (lambda: taeda.Tensor.add_([1.0], 1), "doesn't apply to a 'list' object"),
    (lambda: taeda.Tensor.add(Duck(), 1), "doesn't apply to a 'Duck' object"), (lambda: taeda.Tensor.sum(), "needs an argument"),
])  # fmt: skip
def test_a_method_is_called_with_a_tensor_first(call: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        call()


def test_as_subclass_gives_the_class_that_is_asked_for() -> None:
    x = taeda.ones(2).as_subclass(Named)
    assert type(x.as_subclass(taeda.Tensor)) is taeda.Tensor and type(x.as_subclass(Logged)) is Logged


def test_arguments_go_by_pytorchs_other_names_too() -> None:
    x = taeda.tensor([[4.0, 1.0], [1.0, 3.0]])
    for found, wanted in [
        (taeda.add(x1=x, x2=x), x + x), (taeda.exp(a=x), x.exp()), (taeda.exp(x=x), x.exp()), (taeda.sum(a=x, axis=0, keepdims=True), x.sum(0, True)),
        (taeda.linalg.det(input=x), taeda.linalg.det(x)), (taeda.linalg.cond(input=x), taeda.linalg.cond(A=x)),
        (taeda.split(tensor=x, split_size_or_sections=1)[1], x[1:]), (taeda.chunk(input=x, chunks=2)[0], x[:1]),
        (taeda.swapaxes(input=x, axis0=0, axis1=1), x.t()), (x.swapaxes(axis0=0, axis1=1), x.t()), (taeda.hsplit(input=x, sections=2)[0], x[:, :1]),
        (taeda.vsplit(x, indices=(1,))[0], x[:1]), (taeda.cholesky_solve(input=x, input2=x), taeda.cholesky_solve(x, x)),
        (taeda.isin(elements=x, test_element=1.0), x == 1), (taeda.dropout(input=x, p=0.5, train=False), x), (x.sum_to_size(size=(1, 2)), x.sum(0, True)),
        (x.clone().resize_(size=(4,)), x.reshape(4)), (taeda.zeros(2, 2).copy_(other=x), x), (taeda.argmax(x, axis=0), x.argmax(0)),
        (x.as_subclass(Named).cumsum(axis=0), x.cumsum(0)),
    ]:  # fmt: skip
        assert taeda.equal(found, wanted)
    assert taeda.result_type(tensor=x, other=1) == taeda.float32
    assert seen(lambda y: taeda.flip(x=y, dims=(0,))) == ["flip"]


@pytest.mark.parametrize("call", [
    lambda x: taeda.exp(y=x), lambda x: taeda.exp(x, input=x), lambda x: taeda.add(x1=x, input=x), lambda x: taeda.exp(x=x, a=x),
    lambda x: taeda.full(a=(2,), fill_value=1), lambda x: taeda.sum(x, axis="a"), lambda x: x.add(x1=x),
])  # fmt: skip
def test_other_names_excuse_no_wrong_call(call: Any) -> None:
    with pytest.raises(TypeError):
        call(taeda.ones(2))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: x.softmax(), r"[softmax] softmax() takes at least 2 positional arguments (1 given); its signature is softmax(input, dim, dtype=None, *, out=None)"),
        (lambda x: taeda.relu(), r"its signature is relu(input)"),
        (lambda x: x.relu(1), r"its signature is relu(input)"),
        (lambda x: taeda.sum(x, dims=1), r"unexpected keyword argument 'dims'; its signature is sum(input, dim=None, keepdim=False, *"),
        (lambda x: x.transpose(0), r"its signature is transpose(input, dim0, dim1)"),
    ],
)
def test_arguments_that_do_not_fit_are_told_the_signature(call, text):
    with pytest.raises(TypeError, match=re.escape(text)):
        call(taeda.ones(2, 3))


def test_other_errors_of_type_are_left_as_they_are():
    with pytest.raises(TypeError, match="^unsupported operand"):
        taeda.ones(2) + "a"
    with pytest.raises(TypeError) as caught:
        taeda.relu([1.0])
    assert "signature" not in str(caught.value)


def test_autograd_and_distributions_ask_what_stands_for_a_tensor() -> None:
    class Stand:
        asked = []

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            cls.asked.append((func.__name__, args))
            return -1

    x, t = Stand(), taeda.ones(2, requires_grad=True)
    assert taeda.autograd.grad(x, x) == taeda.autograd.grad(t.sum(), [x, t]) == -1
    assert Stand.asked[0] == ("grad", ((x,), (x,)))
    Stand.__torch_function__ = classmethod(lambda cls, func, types, args=(), kwargs=None: [func.__name__, args[0]])
    assert taeda.distributions.utils.broadcast_all(x, t) == ("broadcast_tensors", x)
    with pytest.raises(ValueError, match="must be numbers or tensors"):
        taeda.distributions.utils.broadcast_all(t, "a")


class Unanswering(taeda.Tensor):
    """Answers no call."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return NotImplemented


class Reflecting:
    """Has reflected operators of its own, and answers no call either."""

    __torch_function__ = classmethod(lambda cls, func, types, args=(), kwargs=None: NotImplemented)
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = __rand__ = lambda self, other: "reflected"
    __gt__ = lambda self, other: "greater"  # noqa: E731


def test_operators_that_no_class_answers_leave_the_other_side_a_chance():
    a, other = taeda.ones(2).as_subclass(Unanswering), Reflecting()
    assert [a + other, a - other, a * other, a / other, a**other, a @ other, a & other] == ["reflected"] * 7
    assert (a < other) == "greater" and (taeda.ones(2) + other) == "reflected"
    b = taeda.ones(2).as_subclass(Unanswering)
    assert (a == b) is False and (a == a) is True and (a != b) is True
    for operate in (lambda: a + b, lambda: a**b, lambda: 2**a, lambda: 1 - a, lambda: a @ b, lambda: 3 / a, lambda: a % 2):
        with pytest.raises(TypeError, match="^unsupported operand type"):
            operate()
    with pytest.raises(TypeError, match=r"^\[add\] no implementation found"):
        taeda.add(a, b)


def test_other_errors_of_a_class_come_out_of_operators():
    class Angry(taeda.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            raise TypeError("mine")

    with pytest.raises(TypeError, match="^mine$"):
        taeda.ones(2).as_subclass(Angry) + 1


def test_a_call_is_made_without_being_asked_for_again() -> None:
    redispatch_function = overrides.redispatch_function

    seen: list[str] = []

    def scaled(a, b):
        if has_torch_function((a, b)):
            return handle_torch_function(scaled, (a, b), a, b)
        return a * b + 1

    class Logged(taeda.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return redispatch_function(func, types, args, kwargs)

    class Logging(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            with self:
                return redispatch_function(func, types, args, kwargs)

    x = taeda.tensor([3.0])
    found = scaled(x.as_subclass(Logged), x.as_subclass(Logged))
    assert seen == ["scaled", "mul"] and type(found) is taeda.Tensor and found.tolist() == [10.0]
    assert not has_torch_function((x,)) and has_torch_function((x.as_subclass(Logged),))
    seen.clear()
    with Logging():
        found = scaled(x, x)
    assert seen == ["scaled", "mul", "add"] and found.tolist() == [10.0]
    with pytest.raises(ZeroDivisionError):                # a function that never asks leaves nothing behind
        redispatch_function(lambda: 1 / 0, (), (), None)
    assert has_torch_function((x.as_subclass(Logged),))
    with taeda.overrides.enable_reentrant_dispatch():
        assert (x + 1).tolist() == [4.0]


def test_every_mode_is_told_of_attributes_and_methods_that_are_no_ops() -> None:
    seen = []

    class Logging(TorchFunctionMode):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def __torch_function__(self, func, types, args=(), kwargs=None):
            known = func in {taeda.Tensor.size, taeda.Tensor.tolist, taeda.Tensor.__len__, taeda.Tensor.shape.__get__, taeda.Tensor.grad.__set__}
            seen.append((self.name, func.__name__, known))
            return func(*args, **(kwargs or {}))

    x = taeda.ones(2, 3)
    with Logging("outer"), Logging("inner"):
        found = x.size(0), x.tolist(), len(x), tuple(x.shape)
        x.grad = None
    assert found == (2, [[1] * 3] * 2, 2, (2, 3))
    names = ["size", "tolist", "__len__", "__get__", "__set__"]
    assert seen == [(mode, name, True) for name in names for mode in ("inner", "outer")]


def test_equality_asks_the_class_of_one_side_and_then_that_of_the_other() -> None:
    class Asked(taeda.Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            calls.append((cls.__name__, [t.__name__ for t in types]))
            return super().__torch_function__(func, types, args, kwargs or {})

    class Silent(taeda.Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            calls.append((cls.__name__, [t.__name__ for t in types]))
            return NotImplemented

    calls: list[Any] = []
    x, y = taeda.ones(2).as_subclass(Asked), taeda.ones(2).as_subclass(Silent)
    assert type(x == y) is Asked and calls == [("Asked", ["Asked"])]
    calls.clear()
    assert type(y == x) is Asked and calls == [("Silent", ["Silent"]), ("Asked", ["Asked"])]
    with DisableTorchFunctionSubclass():
        assert (y == x).tolist() == [True, True]
    assert (x == taeda.ones(2)).tolist() == [True, True] and (y == "a") is False


OPERATORS: Any = {
    "__eq__": lambda a, b: a == b, "__floordiv__": lambda a, b: a // b, "__and__": lambda a, b: a & b, "__or__": lambda a, b: a | b,
    "__xor__": lambda a, b: a ^ b, "__lshift__": lambda a, b: a << b, "__rshift__": lambda a, b: a >> b, "__rsub__": lambda a, b: 7 - a,
    "__rdiv__": lambda a, b: 7 / a, "__rfloordiv__": lambda a, b: 7 // a, "__rmod__": lambda a, b: 7 % a, "__rpow__": lambda a, b: 2**a,
    "__rlshift__": lambda a, b: 7 << a, "__rrshift__": lambda a, b: 7 >> a,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_without_a_method_of_their_meaning_are_told_by_their_own_names(name: str) -> None:
    a, b = taeda.tensor([5, 6]), taeda.tensor([2, 6])
    plain, seen = OPERATORS[name](a, b), []

    class Log(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func)
            return func(*args, **(kwargs or {}))

    with Log():
        told = OPERATORS[name](a, b)
    assert seen == [getattr(taeda.Tensor, name)] and seen[0].__name__ == name and told.equal(plain)
    of_class = a.as_subclass(Logged)
    Logged.seen.clear()
    told = OPERATORS[name](of_class, b)
    assert Logged.seen == [name] and type(told) is Logged and taeda.equal(told.as_subclass(taeda.Tensor), plain)
    assert taeda.func.vmap(lambda x, y: OPERATORS[name](x, y))(a, b).equal(plain)              # what looks inside knows the operations


def test_a_write_to_an_instance_of_a_class_counts_for_the_tensor_it_was_made_of() -> None:
    class Own(taeda.Tensor):
        pass

    leaf = taeda.ones(3, requires_grad=True)
    plain = leaf * 2
    plain.as_subclass(Own).mul_(2)
    plain.sum().backward()
    assert leaf.grad.tolist() == [4.0, 4.0, 4.0]
