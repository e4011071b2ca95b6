"""Operators of a schema: defaults, overloads, tags, kernels by key; what a definition refuses, and how long it lasts."""

from __future__ import annotations

import gc
import logging

import pytest

import taeda
from taeda import Tensor, library
from taeda.schema import FunctionSchema


def test_a_schema_fills_in_defaults_and_shows_its_arguments() -> None:
    with library._scoped_library("schemas", "FRAGMENT") as lib:
        lib.define("scaled(Tensor w, int x = 2, *, int y = 3, int z, float[] q=[1.0, 2.0], Device? d=None, ScalarType t=float) -> Tensor",
                   tags=(taeda.Tag.pointwise, taeda.Tag.pt2_compliant_tag))
        seen = []

        @library.impl(lib, "scaled", "CPU")
        def scaled(w, x=7, *, y=7, z, q, d, t):  # type: ignore[no-untyped-def]
            seen.append((x, y, z, q, d, t))
            return w * (x * y * z)

        def keep(ctx, inputs, keyword_only_inputs, output):  # type: ignore[no-untyped-def]
            ctx.factor = inputs[1] * keyword_only_inputs["y"] * keyword_only_inputs["z"]

        library.register_autograd("schemas::scaled", lambda ctx, g: g * ctx.factor, setup_context=keep)
        rules = []

        def rule(info, in_dims, w, x=2, *, y=3, z, **rest):  # type: ignore[no-untyped-def]
            rules.append(in_dims)
            return w * (x * y * z), in_dims[0]

        library.register_vmap("schemas::scaled", rule)
        w = taeda.ones(2, requires_grad=True)
        taeda.ops.schemas.scaled(w, z=4).sum().backward()
        assert w.grad.tolist() == [24.0, 24.0] and seen == [(2, 3, 4, [1.0, 2.0], None, taeda.float32)]
        assert taeda.vmap(lambda a: taeda.ops.schemas.scaled(a, 3, z=1))(taeda.ones(2)).tolist() == [9.0, 9.0] and rules == [(0, None)]
        with pytest.raises(RuntimeError, match=r"\[schemas::scaled\] missing a required argument: 'z'; the operator is schemas::scaled"):
            taeda.ops.schemas.scaled(w)
        schema = taeda.ops.schemas.scaled.default._schema
        assert [(a.name, a.type, a.default_value, a.has_default_value(), a.kwarg_only) for a in schema.arguments] == [
            ("w", "Tensor", None, False, False), ("x", "int", 2, True, False), ("y", "int", 3, True, True), ("z", "int", None, False, True),
            ("q", "List[float]", [1.0, 2.0], True, True), ("d", "Optional[Device]", None, True, True),
            ("t", "ScalarType", taeda.float32, True, True),
        ]  # fmt: skip
        assert [r.type for r in schema.returns] == ["Tensor"] and not schema.is_mutable
        assert [int(tag) for tag in taeda.ops.schemas.scaled.default.tags] == [16, 17]


def test_an_operator_has_overloads_of_which_the_first_that_fits_is_called() -> None:
    @library.custom_op("schemas::joined", mutates_args=())
    def joined(x: Tensor) -> Tensor:
        return x + 1

    @library.custom_op("schemas::joined.two", mutates_args=())
    def joined_two(x: Tensor, y: Tensor) -> Tensor:
        return x * y

    packet, x = taeda.ops.schemas.joined, taeda.full((2,), 3.0)
    assert packet(x).tolist() == [4.0, 4.0] == joined(x).tolist() and packet(x, x).tolist() == [9.0, 9.0] == joined_two(x, x).tolist()
    assert packet.overloads() == ["default", "two"] and packet.two is joined_two._opoverload
    assert (str(packet.two), packet.two.name(), packet.two._schema.overload_name) == ("schemas.joined.two", "schemas::joined.two", "two")
    with pytest.raises(RuntimeError, match=r"\[schemas::joined.two\] missing a required argument: 'y'"):
        packet.two(x)
    with pytest.raises(RuntimeError, match="multiple values|too many"):
        packet(x, x, x)
    joined_two.register_autograd(lambda ctx, g: (5 * g, 7 * g))
    x.requires_grad_()
    packet(x, x).sum().backward()
    assert x.grad.tolist() == [12.0, 12.0] and packet(x, x).grad_fn.name() == "GeneratedBackwardFor_schemas_joined_twoBackward"


def test_arguments_come_as_the_schema_says() -> None:
    seen = []
    with library._scoped_library("schemas", "FRAGMENT") as lib:
        lib.define("typed(Tensor x, int n, float f=0.5, bool b=False, str? s=None, float[] l=[]) -> Tensor")
        lib.define("typed.str(Tensor x, str n) -> Tensor")
        lib.impl("typed", lambda x, *rest: seen.append(rest) or x, "CPU")
        lib.impl("typed.str", lambda x, n: x + 1, "CPU")
        op, x = taeda.ops.schemas.typed, taeda.zeros(1)
        for n in (3, True, taeda.tensor(3)):
            op(x, n, n, s="a", l=(1, 2.5))
        assert seen == [(3, 3.0, False, "a", [1.0, 2.5]), (1, 1.0, False, "a", [1.0, 2.5]), (3, 3.0, False, "a", [1.0, 2.5])]
        assert all(type(row[0]) is int and type(row[1]) is float for row in seen) and op(x, "n").item() == 1
        with pytest.raises(RuntimeError, match=r"\[schemas::typed.str\] expected a value of type 'str' for argument 'n', got float"):
            op(x, 2.5)
        for args in ((x, None), (x, 1, "a"), (x, 1, 1j), (x, 1, 1, 1), (x, 1, 1, True, 3), (x, 1, 1, True, None, 3), (3, 1), ([x], 1)):
            with pytest.raises(RuntimeError, match=r"\[schemas::typed\] expected a "):
                op.default(*args)


def test_operators_and_kernels_go_with_their_library() -> None:
    lib = library.Library("schemas_short", "DEF")
    lib.define("f(Tensor x) -> Tensor")
    lib.impl("f", lambda x: x + 1, "CPU")
    packet, x = taeda.ops.schemas_short.f, taeda.ones(1)
    with library._scoped_library("schemas_short", "IMPL", "CPU") as other:
        other.impl("f", lambda x: x + 5)
        assert packet(x).item() == 6
    assert packet(x).item() == 2                          # the kernel that was there before
    del lib
    gc.collect()
    with pytest.raises(AttributeError, match="no operator schemas_short::f"):
        _ = taeda.ops.schemas_short.f
    with pytest.raises(RuntimeError, match="gone with the Library"):
        packet(x)
    again = library.Library("schemas_short", "DEF")
    again.define("f(Tensor x) -> Tensor")
    again.impl("f", lambda x: x + 2, "CPU")
    assert taeda.ops.schemas_short.f(x).item() == 3
    again._destroy()
    assert not hasattr(taeda.ops.schemas_short, "f")


def test_a_kernel_for_the_key_autograd_makes_the_graph() -> None:
    with library._scoped_library("schemas", "FRAGMENT") as lib:
        lib.define("negated(Tensor x) -> Tensor")
        lib.impl("negated", lambda x: taeda.from_numpy(-x.numpy()), "CPU")

        class Negated(taeda.autograd.Function):
            @staticmethod
            def forward(ctx, x):  # type: ignore[no-untyped-def]
                with taeda._C._AutoDispatchBelowAutograd():
                    return taeda.ops.schemas.negated(x)

            @staticmethod
            def backward(ctx, g):  # type: ignore[no-untyped-def]
                return -3 * g

        lib.impl("negated", Negated.apply, "Autograd")
        x = taeda.ones(2, requires_grad=True)
        y = taeda.ops.schemas.negated(x)
        y.sum().backward()
        assert y.tolist() == [-1.0, -1.0] and x.grad.tolist() == [-3.0, -3.0]


def test_nothing_is_kept_where_no_gradient_can_come() -> None:
    kept = []

    @library.custom_op("schemas::kept", mutates_args=())
    def op(x: Tensor) -> Tensor:
        return x + 1

    op.register_autograd(lambda ctx, g: g, setup_context=lambda ctx, inputs, output: kept.append(1))
    with taeda.no_grad():
        op(taeda.ones(1, requires_grad=True))
    op(taeda.ones(1))
    assert kept == []
    op(taeda.ones(1, requires_grad=True)).backward()
    assert kept == [1]


def test_a_kernel_is_chosen_by_the_device_that_is_named_and_can_be_switched_off(caplog: pytest.LogCaptureFixture) -> None:
    @library.custom_op("schemas::made", mutates_args=(), device_types="cpu")
    def made(device: taeda.device) -> Tensor:
        return taeda.ones(2)

    assert made("cpu").tolist() == made(device=taeda.device("cpu")).tolist() == [1.0, 1.0]
    with pytest.raises(NotImplementedError, match="no kernel for device 'cuda'"):
        made("cuda")
    with pytest.raises(ValueError, match="Functions without tensor inputs are required to have a `device: torch.device` argument"):
        library.custom_op("schemas::made2", lambda: taeda.ones(1), mutates_args=(), device_types="cpu", schema="() -> Tensor")

    @library.custom_op("schemas::plus", mutates_args=())
    def plus(x: Tensor) -> Tensor:
        return x + 1

    plus.register_kernel("cpu")(lambda x: x + 2)
    x = taeda.ones(1)
    with plus.set_kernel_enabled("cpu", enabled=False):
        assert plus(x).item() == 2
        with caplog.at_level(logging.WARNING), plus.set_kernel_enabled("cpu", enabled=True):
            assert plus(x).item() == 3 and not caplog.records
    assert plus(x).item() == 3
    with plus.set_kernel_enabled("gpu", enabled=False):
        assert "no kernel was registered for this device type" in caplog.text


@pytest.mark.parametrize("types", ["default", "CompositeExplicitAutograd", "CompositeImplicitAutograd", None])
def test_a_kernel_for_all_devices_goes_by_several_names(types: str | None) -> None:
    with library._scoped_library("schemas", "FRAGMENT"):
        name = f"schemas::twice_{types}"
        library.define(name, "(Tensor x) -> Tensor")
        library.register_kernel(name, types)(lambda x: x * 2)
        twice = getattr(taeda.ops.schemas, name.partition("::")[2])
        x = taeda.ones(2, requires_grad=True)
        twice(x).sum().backward()
        assert twice(x).tolist() == x.grad.tolist() == [2.0, 2.0] and twice(taeda.ones(3, device="meta")).shape == (3,)
        library.register_kernel(name, ["CPU", "cuda"], lambda x: x * 5)              # one of a device's own comes first
        assert twice(x).tolist() == [5.0, 5.0] and twice(taeda.ones(3, device="meta")).device.type == "meta"


def test_a_kernel_may_come_before_its_operator() -> None:
    library.register_kernel("schemas::early", "default")(lambda x: x + 1)
    library.define("schemas::early", "(Tensor x) -> Tensor")
    assert taeda.ops.schemas.early(taeda.zeros(2)).tolist() == [1.0, 1.0]


def test_defaults_come_as_they_are_and_arguments_as_the_schema_says() -> None:
    seen = []

    @library.custom_op("schemas::where", mutates_args=())
    def where(
        x: Tensor, i: taeda.device = taeda.device("cpu:0"), j: taeda.device = "cpu", d: taeda.dtype = taeda.int32, s: str = "a",  # noqa: B008
    ) -> Tensor:
        seen.append((i, j, d, s))
        return x.clone()

    assert where._schema == '(Tensor x, Device i="cpu:0", Device j="cpu", ScalarType d=int32, str s="a") -> Tensor'
    where(taeda.ones(1))
    where(taeda.ones(1), "cpu", "cpu")
    assert seen == [(taeda.device("cpu:0"), "cpu", taeda.int32, "a"), (taeda.device("cpu"), taeda.device("cpu"), taeda.int32, "a")]
    found = [a.default_value for a in taeda.ops.schemas.where.default._schema.arguments]
    assert found == [None, taeda.device("cpu:0"), taeda.device("cpu"), taeda.int32, "a"]


def test_arguments_come_in_autocasts_dtype_if_a_rule_says_so() -> None:
    with library._scoped_library("schemas", "FRAGMENT") as lib:
        lib.define("mixed(Tensor x, Tensor[] ys, float k=1.0) -> Tensor")
        seen = []

        @library.impl(lib, "mixed", "CPU")
        def mixed(x, ys, k):  # type: ignore[no-untyped-def]
            seen.append((x.dtype, [y.dtype for y in ys], taeda.is_autocast_enabled("cpu")))
            return x + ys[0].to(x.dtype) * k

        lib.impl("mixed", library.fallthrough_kernel, "AutocastCPU")
        library.register_autocast("schemas::mixed", "cpu", taeda.bfloat16)
        x, ids = taeda.ones(2, requires_grad=True), taeda.ones(2, dtype=taeda.int64)
        assert taeda.ops.schemas.mixed(x, [x]).dtype == taeda.float32
        with taeda.autocast("cpu"):
            y = taeda.ops.schemas.mixed(x, [x, ids, x.double()], 2)
        y.sum().backward()
        assert y.tolist() == x.grad.tolist() == [3.0, 3.0]
        assert seen[1] == (taeda.bfloat16, [taeda.bfloat16, taeda.int64, taeda.float64], False)
        with pytest.raises(ValueError, match="Unknown device_type 'toaster'"):
            library.register_autocast("schemas::mixed", "toaster", taeda.bfloat16)
        with pytest.raises(NotImplementedError, match="never called"):
            library.fallthrough_kernel()


def test_what_a_definition_refuses() -> None:
    def f(x: Tensor, *, y: int, z: Tensor | None = None) -> Tensor:
        raise NotImplementedError

    def g(x: Tensor) -> None:
        raise NotImplementedError

    with pytest.raises(NotImplementedError, match="kwarg-only Tensor args"):
        library.custom_op("schemas::refused", f, mutates_args=())
    for wrong, words in (("x", "the string 'x'"), ({"q"}, "were not found")):
        with pytest.raises(ValueError, match=words):
            library.custom_op("schemas::refused", g, mutates_args=wrong)
    with pytest.raises(ValueError, match=r"the op mutates \{'x'\}"):
        library.custom_op("schemas::refused", g, mutates_args=(), schema="(Tensor(a!) x) -> ()")
    with pytest.raises(ValueError, match="has unsupported type"):
        library.custom_op("schemas::refused", takes_a_dict, mutates_args=())
    assert not hasattr(taeda.ops.schemas, "refused")
    with library._scoped_library("schemas", "FRAGMENT") as lib:
        lib.define("by_name(Tensor x, *, Tensor y) -> Tensor")
        for register in (library.register_autograd, library.register_vmap):
            with pytest.raises(NotImplementedError, match="kwarg-only Tensor args"):
                register("schemas::by_name", f)
        for name, rest in {"writes": "(Tensor(a!) x) -> Tensor", "silent": "(Tensor x) -> ()", "view": "(Tensor(a) x) -> Tensor(a)"}.items():
            lib.define(name + rest)
            with pytest.raises(RuntimeError, match="Cannot register autograd formula for non-functional operator"):
                library.register_autograd(f"schemas::{name}", f)
    changed = library.custom_op("schemas::changed", g_in_place, mutates_args="unknown")
    x = taeda.ones(1)
    version = x._version
    changed(x)
    assert x.item() == 2 and x._version > version and changed._schema == "(Tensor(a0!) x) -> ()"


def g_in_place(x: Tensor) -> None:
    x.numpy()[:] = 2


def takes_a_dict(x: dict[str, Tensor]) -> Tensor:
    raise NotImplementedError


def test_what_a_schema_says_of_memory() -> None:
    schema = FunctionSchema("a::f", "(Tensor(a!) x, Tensor(b|c -> *) y, Tensor? z=None, int n=1) -> (Tensor(b), Tensor)")
    x, y, z, n = (a.alias_info for a in schema.arguments)
    assert x is not None and x.is_write and x.before_set == {"a"} == x.after_set
    assert y is not None and not y.is_write and y.before_set == {"b", "c"} and y.after_set == {"*"}
    assert z is None and n is None and [r.alias_info is None for r in schema.returns] == [False, True]
