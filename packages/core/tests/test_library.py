"""Operators of a program's own: call, derivative, meta results, vmap, names, schemas."""

from __future__ import annotations

from typing import Any

import pytest

import taeda
from taeda import Tensor, library
from taeda.overrides import TorchFunctionMode
from taeda.utils._python_dispatch import TorchDispatchMode


@library.custom_op("tests::cube", mutates_args=())
def cube(x: Tensor, k: float = 1.0) -> Tensor:
    return taeda.from_numpy(x.numpy() ** 3 * k)


def keep(ctx, inputs, output):  # type: ignore[no-untyped-def]
    ctx.save_for_backward(inputs[0])
    ctx.k = inputs[1]


cube.register_autograd(lambda ctx, g: (g * 3 * ctx.k * ctx.saved_tensors[0] ** 2, None), setup_context=keep)
cube.register_fake(lambda x, k=1.0: taeda.empty_like(x))


def test_an_operator_is_a_function_with_a_derivative() -> None:
    x = taeda.tensor([1.0, 2.0], dtype=taeda.float64, requires_grad=True)
    assert cube(x.detach()).tolist() == [1.0, 8.0] and cube(x.detach(), k=2).tolist() == [2.0, 16.0]
    assert taeda.autograd.grad(cube(x, 2.0).sum(), x)[0].tolist() == [6.0, 24.0]
    assert taeda.autograd.gradcheck(cube, (x,)) and taeda.autograd.gradgradcheck(cube, (x,))
    assert taeda.ops.tests.cube(x).grad_fn.name() == "GeneratedBackwardFor_tests_cube_defaultBackward"
    assert cube(taeda.ones(3, device="meta")).shape == (3,)
    assert taeda.func.vmap(cube)(taeda.arange(6.0).view(2, 3)).tolist() == [[0.0, 1.0, 8.0], [27.0, 64.0, 125.0]]
    assert taeda.func.vmap(taeda.func.grad(lambda a: cube(a).sum()))(taeda.ones(2, 1)).tolist() == [[3.0], [3.0]]


@library.custom_op("tests::cut", mutates_args=())
def cut(x: Tensor, at: list[int]) -> list[Tensor]:
    return [t.clone() for t in x.tensor_split(at)]


@library.custom_op("tests::joined", mutates_args=())
def joined(xs: list[Tensor], k: float = 1.0) -> tuple[list[Tensor], int, Tensor]:
    return [x * k for x in xs], len(xs), taeda.cat(xs)


cut.register_autograd(lambda ctx, gs: (taeda.cat(gs), None))
joined.register_autograd(
    lambda ctx, gs, n, g: ([k * ctx.k + h for k, h in zip(gs, g.tensor_split(len(gs)), strict=True)], None),
    setup_context=lambda ctx, inputs, output: setattr(ctx, "k", inputs[1]),
)


def test_lists_of_tensors_are_one_result_and_have_one_gradient_a_list() -> None:
    x = taeda.arange(4.0, requires_grad=True)
    parts = cut(x, [2])
    assert type(parts) is list and [p.tolist() for p in parts] == [[0.0, 1.0], [2.0, 3.0]]
    scaled, count, whole = joined(parts, 3.0)
    assert type(scaled) is list and count == 2 and whole.tolist() == x.tolist()
    (scaled[1].sum() + 10 * whole[0]).backward()
    assert x.grad.tolist() == [10.0, 0.0, 3.0, 3.0]
    assert [p.shape for p in taeda.func.vmap(lambda x: cut(x, [1]))(taeda.ones(5, 3))] == [(5, 1), (5, 2)]
    rows = taeda.func.vmap(lambda x: joined([x, x])[::2])(taeda.ones(5, 3))
    assert [p.shape for p in rows[0]] == [(5, 3)] * 2 and rows[1].shape == (5, 6)


def test_what_an_operator_refuses() -> None:
    with pytest.raises(RuntimeError, match=r"\[tests::cube\] expected a Tensor for argument 'x', got int"):
        cube(1)
    with pytest.raises(RuntimeError, match=r"\[tests::cube\] missing a required argument: 'x'"):
        cube()
    with pytest.raises(ValueError, match="namespace::name"):
        library.custom_op("cube", mutates_args=())(lambda x: x)
    same = library.custom_op("tests::same", lambda x: x, mutates_args=(), schema="(Tensor x) -> Tensor")
    with pytest.raises(RuntimeError, match="may not alias any inputs"):
        same(taeda.ones(2))
    plain = library.custom_op("tests::plain", lambda x: x + 1, mutates_args=(), schema="(Tensor x) -> Tensor")
    with pytest.raises(RuntimeError, match="no autograd formula was registered"):
        plain(taeda.ones(2, requires_grad=True)).sum().backward()
    with pytest.raises(RuntimeError, match="no fake impl registered"):
        plain(taeda.ones(2, device="meta"))
    with pytest.raises(AttributeError, match=r"no operator tests::nope"):
        taeda.ops.tests.nope  # noqa: B018


def test_operators_of_a_schema() -> None:
    mine = library.Library("tests_mine", "DEF")
    assert mine.define("triple(Tensor x) -> Tensor") == "triple"
    mine.impl("triple", lambda x: x * 3, "CompositeImplicitAutograd")
    x = taeda.ones(2, requires_grad=True)
    taeda.ops.tests_mine.triple(x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="already"):
        mine.define("triple(Tensor x) -> Tensor")
    assert mine.define("tests_mine::whole(Tensor x) -> Tensor") == "tests_mine::whole"
    mine.impl("tests_mine::whole", lambda x: x + 1, "CPU")
    assert taeda.ops.tests_mine.whole(taeda.ones(1)).item() == 2
    with pytest.raises(RuntimeError, match="does not match namespace"):
        mine.define("tests_other::whole(Tensor x) -> Tensor")
    library.define("tests_mine::cpu_only", "(Tensor x) -> Tensor")
    library.impl("tests_mine::cpu_only", "CPU", lambda x: x.clone())
    assert taeda.ops.tests_mine.cpu_only(taeda.ones(1)).item() == 1
    with pytest.raises(RuntimeError, match="no fake impl"):
        taeda.ops.tests_mine.cpu_only(taeda.ones(1, device="meta"))


def test_operators_are_defined_and_implemented_through_their_library() -> None:
    lib = taeda.library.Library("tests_through", "DEF")

    @taeda.library.define(lib, "twice(Tensor x) -> Tensor")
    def twice(x: taeda.Tensor) -> taeda.Tensor:
        return x * 2

    lib.define("muladd(Tensor a, Tensor b, float c=1.0) -> Tensor")

    @taeda.library.impl(lib, "muladd", "CPU")
    def muladd(a: taeda.Tensor, b: taeda.Tensor, c: float = 1.0) -> taeda.Tensor:
        return a * b + c

    x = taeda.tensor([1.0, 3.0])
    assert taeda.ops.tests_through.twice(x).tolist() == twice(x).tolist() == [2.0, 6.0]
    assert taeda.ops.tests_through.muladd(x, x).tolist() == [2.0, 10.0] and muladd(x, x, 2.0).tolist() == [3.0, 11.0]
    with pytest.raises(RuntimeError, match="there is no operator .tests_through::nope"):
        taeda.library.register_fake("tests_through::nope")(muladd)
    taeda.library.define("tests_through::thrice", "(Tensor x) -> Tensor")
    taeda.library.impl("tests_through::thrice", "cpu", lambda x: x * 3)
    assert taeda.ops.tests_through.thrice(x).tolist() == [3.0, 9.0]


def test_an_operator_made_for_triton_runs_its_function() -> None:
    @taeda.library.triton_op("tests_triton::scaled", mutates_args={})
    def scaled(x: Tensor, by: float = 2.0) -> Tensor:
        return x * by

    scaled.register_autograd(lambda ctx, g: (3 * g, None))
    x = taeda.tensor([1.0, 3.0], requires_grad=True)
    taeda.ops.tests_triton.scaled(x).sum().backward()
    assert scaled(x).tolist() == [2.0, 6.0] and x.grad is not None and x.grad.tolist() == [3.0, 3.0]
    assert scaled(x.to("meta"), 3.0).shape == (2,)
    with pytest.raises(RuntimeError, match="only works on functions annotated with triton.jit"):
        taeda.library.wrap_triton(scaled)


def test_kernels_may_come_before_the_definition() -> None:
    taeda.library.impl("tests_early::twice", ["CPU", "CUDA"])(lambda x: x * 2)
    lib = taeda.library.Library("tests_early", "FRAGMENT")
    lib.impl("thrice", lambda x: x * 3, "CompositeExplicitAutograd")
    assert not hasattr(taeda.ops, "tests_early")
    taeda.library.define("tests_early::twice", "(Tensor x) -> Tensor")
    lib.define("thrice(Tensor x) -> Tensor")
    x = taeda.tensor([1.0, 3.0])
    assert taeda.ops.tests_early.twice(x).tolist() == [2.0, 6.0] and taeda.ops.tests_early.thrice(x).tolist() == [3.0, 9.0]
    assert taeda.ops.tests_early.thrice(x.to("meta")).shape == (2,)           # a kernel for all devices computes shapes
    with pytest.raises(RuntimeError, match="there was no fake impl"):
        taeda.ops.tests_early.twice(x.to("meta"))
    with pytest.raises(RuntimeError, match="there is no operator .aten::nope"):
        taeda.library.impl("aten::nope", "CPU")(lambda x: x)


def test_a_schema_is_read_off_annotations() -> None:
    def f(x: Tensor, y: float = 2.0, *, z: Tensor | None = None, sizes: list[int] | None = None) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    f.__annotations__.update(x=Tensor, y=float, z=Tensor | None, sizes=list[int] | None)
    assert library.infer_schema(f, mutates_args=()) == "(Tensor x, float y=2.0, *, Tensor? z=None, SymInt[]? sizes=None) -> (Tensor, Tensor)"
    assert library.infer_schema(f, mutates_args={"x"}, op_name="f").startswith("f(Tensor(a0!) x, ")
    with pytest.raises(ValueError, match="Parameter x must have a type annotation"):
        library.infer_schema(lambda x: x, mutates_args=())
    with pytest.raises(ValueError, match="not found in the custom op's signature"):
        library.infer_schema(f, mutates_args={"q"})


def test_opcheck_finds_what_is_not_kept() -> None:
    x = taeda.ones(3, requires_grad=True)
    square = library.custom_op("checks::square", lambda x: x * x, mutates_args=(), schema="(Tensor x) -> Tensor")
    found = library.opcheck(square, (x,), raise_exception=False)
    assert found["test_schema"] == "SUCCESS" and "no fake impl" in str(found["test_faketensor"])
    square.register_fake(lambda x: taeda.empty_like(x))
    with pytest.raises(library.OpCheckError, match="test_aot_dispatch_dynamic failed with .*no autograd formula"):
        library.opcheck(square, (x,))
    square.register_autograd(lambda ctx, g: 2 * g)
    assert set(library.opcheck(square, (x,)).values()) == {"SUCCESS"} and x.grad is None

    wrong = library.custom_op("checks::wrong", lambda x: x.add_(1).clone(), mutates_args=(), schema="(Tensor x) -> Tensor")
    wrong.register_fake(lambda x: taeda.empty(7))
    y = taeda.zeros(3)
    found = library.opcheck(wrong, (y,), raise_exception=False)
    assert "not defined as mutable but was mutated" in str(found["test_schema"]) and "the shape is" in str(found["test_faketensor"])
    assert y.tolist() == [0, 0, 0]
    assert library.opcheck(taeda.ops.aten.sin.default, (x,), test_utils="test_schema") == {"test_schema": "SUCCESS"}
    with pytest.raises(ValueError, match="must be an operator"):
        library.opcheck(taeda.sin, (x,))
    with pytest.raises(ValueError, match="test_utils to be subset"):
        library.opcheck(square, (x,), test_utils="test_all")


def test_every_op_has_a_packet() -> None:
    for name, function in taeda.ops.PUBLIC.items():
        if callable(function) and not isinstance(function, type):
            assert getattr(taeda.ops.aten, name).default is not None, name


def test_copies_of_an_operator_are_it_itself() -> None:
    import copy

    add = taeda.ops.aten.add
    assert copy.deepcopy({"f": add, "g": add.Tensor}) == {"f": add, "g": add.Tensor}
    assert copy.copy(add) is add and copy.deepcopy(add.Tensor) is add.Tensor


def test_a_row_of_nothing_has_a_softmax_and_a_gradient() -> None:
    x = taeda.tensor([[-taeda.inf, -taeda.inf], [1.0, 1.0]], requires_grad=True)
    y = taeda.ops.aten._safe_softmax(x, 1)
    (y[:, 0] * 4).sum().backward()
    assert y.tolist() == [[0, 0], [0.5, 0.5]] and x.grad.tolist() == [[0, 0], [1, -1]]


def test_an_operator_by_name_shows_itself_as_pytorchs_do():
    @library.custom_op("tests_shown::scaled", mutates_args=())
    def scaled(x: Tensor, by: int = 3) -> Tensor:
        return x * by

    packet = taeda.ops.tests_shown.scaled
    overload = packet.default
    assert (str(packet), repr(packet)) == ("tests_shown.scaled", "<OpOverloadPacket(op='tests_shown.scaled')>")
    assert (str(overload), repr(overload)) == ("tests_shown.scaled.default", "<OpOverload(op='tests_shown.scaled', overload='default')>")
    assert packet is taeda.ops.tests_shown.scaled and overload is scaled._opoverload and overload.overloadpacket is packet
    assert str(overload._schema) == "tests_shown::scaled(Tensor x, SymInt by=3) -> Tensor" and overload.name() == "tests_shown::scaled"
    assert [a.name for a in overload._schema.arguments] == ["x", "by"] and scaled._schema == "(Tensor x, SymInt by=3) -> Tensor"
    assert overload(taeda.ones(2)).tolist() == [3.0, 3.0] == packet(taeda.ones(2)).tolist()
    with pytest.raises(AttributeError, match="has no overload name 'out'"):
        _ = packet.out
    library.register_autograd(overload, lambda ctx, g: (g * 3, None))
    x = taeda.ones(2, requires_grad=True)
    packet(x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert library.opcheck(packet, (x,), test_utils="test_schema") == {"test_schema": "SUCCESS"}
    library.define("tests_shown::two", "(Tensor x, *, float[] y) -> (Tensor, Tensor)")
    schema = taeda.ops.tests_shown.two.default._schema
    assert str(schema) == "tests_shown::two(Tensor x, *, float[] y) -> (Tensor, Tensor)"
    assert [(a.name, a.kwarg_only) for a in schema.arguments] == [("x", False), ("y", True)]


def test_modes_see_operators_and_not_what_their_kernels_call() -> None:
    @taeda.library.custom_op("seen::triple", mutates_args=())
    def triple(x: Tensor, k: int = 3) -> Tensor:
        return x * k

    triple.register_autograd(lambda ctx, g: (g * 3, None))
    seen: list[Any] = []

    class Functions(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(("function", str(func)))
            return func(*args, **(kwargs or {}))

    class Operators(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(("operator", str(func)))
            return func(*args, **(kwargs or {}))

    x = taeda.ones(2, requires_grad=True)
    for mode in (Functions(), Operators()):
        with mode:
            y = triple(x)
            z = taeda.ops.seen.triple.default(x, k=2)
        assert y.tolist() == [3.0, 3.0] and z.tolist() == [2.0, 2.0]
        assert taeda.autograd.grad(y.sum(), x)[0].tolist() == [3.0, 3.0]
    assert seen == [("function", "seen.triple.default")] * 2 + [("operator", "seen.triple.default")] * 2
    seen.clear()
    with Operators(), Functions():
        triple(x)
    assert [who for who, _ in seen] == ["function", "operator"]
