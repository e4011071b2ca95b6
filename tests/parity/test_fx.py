"""taeda.fx beside torch.fx: the same programs give the same graphs, code, values and exceptions.

A program is a function of the library (``torch`` or ``taeda``); what it yields is compared: text after PyTorch's name is made taeda's,
tensors as arrays, and for ``fails(f)`` the type of what ``f`` raises.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import operator
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.fx
import torch.fx.passes.graph_manipulation
import torch.fx.passes.shape_prop
import torch.fx.passes.split_module
import torch.fx.passes.tools_common
import torch.fx.subgraph_rewriter

import taeda
import taeda.fx
import taeda.nn
from fx_compared import assert_same, plain, told

Program = Callable[[Any], Iterator[Any]]
PROGRAMS: list[Program] = []


def program(f: Program) -> Program:
    """Add a program to those that are run on both."""
    PROGRAMS.append(f)
    return f


def fails(f: Callable[[], Any]) -> str:
    try:
        f()
    except Exception as error:
        return type(error).__name__
    return "no error"


def printed(f: Callable[[], Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        f()
    return out.getvalue()


def run(f: Program, lib: Any) -> list[Any]:
    lib.manual_seed(0)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        shown = [plain(x) for x in f(lib)]
    return [*shown, any(w.category is UserWarning for w in heard)]


# -- programs ------------------------------------------------------------------------------------------


@program
def functions(lib: Any) -> Iterator[Any]:
    F = lib.nn.functional
    x = lib.randn(4, 6)
    for f in (
        lambda x: lib.relu(x) + 1,
        lambda x: 2 - x.sum(dim=1, keepdim=True) / 3.0,
        lambda x: F.softmax(x @ x.t(), dim=-1),
        lambda x: lib.cat([x, -x, x * 2], 1)[:, 1:3],
        lambda x: x[..., None, 0],
        lambda x: F.dropout(x, 0.5, training=False),
        lambda x: (x.shape[0], x.size(1)),
        lambda x: x.view(x.shape[0], -1).mean(0),
        lambda x: {"a": x.exp(), "b": [x.abs(), (x.max(1)[0],)]},
        lambda x: x.to(lib.float64).type(lib.float32),
        lambda x: lib.zeros(2, 3, dtype=lib.float32) + x.sum(),
        lambda x: x.clamp(min=0, max=float("inf")),
        lambda x: F.interpolate(x[None, None], scale_factor=2.0, mode="nearest"),
        lambda x: (x > 0) & (x < 1) | ~(x == 2),
        lambda x: x ** 2 // 1 % 3,
        lambda x: 3 ** x - (5 // x.abs().add(1)),
        lambda x: abs(x),
        lambda x: x.chunk(2, dim=1)[1],
        lambda x: lib.where(x > 0, x, lib.zeros_like(x)),
        lambda x: F.layer_norm(x, (6,)),
        lambda x: lib.stack((x, x)).permute(2, 0, 1).contiguous(),
        lambda x: operator.getitem(x, slice(None, 2)),
        lambda x: getattr(x, "shape"),
        lambda x: x.device,
        lambda x: x.add_(1),
        lambda x: lib.max(x, dim=0, keepdim=True),
    ):
        traced = lib.fx.symbolic_trace(f)
        yield told(traced)
        yield traced(x.clone())
        yield lib.fx.Interpreter(traced).run(x.clone())


@program
def parameters(lib: Any) -> Iterator[Any]:
    def f(x, y=2, *rest, scale: float = 1.5, **more):
        return x * y + scale

    yield told(lib.fx.symbolic_trace(f))

    def g(x: lib.Tensor, flag: bool = True) -> lib.Tensor:
        return x + 1 if flag else x - 1

    yield fails(lambda: lib.fx.symbolic_trace(g))
    made = lib.fx.symbolic_trace(g, concrete_args={"flag": False})
    yield made.code, made(lib.ones(2), False), fails(lambda: made(lib.ones(2), True))

    def tree(x, t):
        return x * t["a"] + t["b"][0]

    made = lib.fx.symbolic_trace(tree, concrete_args={"t": {"a": lib.fx.PH, "b": [lib.fx.PH]}})
    yield made.code, made(lib.ones(2), {"a": 2, "b": [lib.ones(2)]})
    yield made.graph

    def optional(x, y=None):
        return x if y is None else x + y

    made = lib.fx.symbolic_trace(optional, concrete_args={"y": None})
    yield made.code, made(lib.ones(2), None), fails(lambda: made(lib.ones(2), 1))


@program
def names(lib: Any) -> Iterator[Any]:
    def f(x, input, getattr, _1):
        y = x + 1
        y = y + 1
        y = y + 1
        return lib.sum(y), y.sum(), y.max(), input + getattr + _1

    yield told(lib.fx.symbolic_trace(f))
    graph = lib.fx.Graph()
    for name in ("x", "x", "x_1", "x", "for", "max", "2d.w", "_", "a_1_2", "a_1", "a_1", "a_1", "inf", "A", "aB", "x__3", "x__3"):
        graph.placeholder(name)
    yield [n.name for n in graph.nodes]
    a = graph.create_node("call_function", operator.add, (1, 2), name="add_5")
    b = graph.create_node("call_function", operator.add, (1, 2), name="add")
    c = graph.create_node("call_function", operator.add, (1, 2), name="add_5")
    graph.output((a, b, c))
    yield graph
    yield graph.python_code("self").src


def net(lib: Any) -> Any:
    class Block(lib.nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.conv = lib.nn.Conv2d(n, n, 3, padding=1)
            self.norm = lib.nn.BatchNorm2d(n)
            self.scale = lib.nn.Parameter(lib.full((1,), 0.5))
            self.register_buffer("shift", lib.ones(1))

        def forward(self, x):
            return x + self.norm(self.conv(x)).relu() * self.scale + self.shift

    class Net(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = lib.nn.Sequential(lib.nn.Conv2d(1, 4, 3), lib.nn.BatchNorm2d(4), lib.nn.ReLU())
            self.blocks = lib.nn.ModuleList([Block(4) for _ in range(2)])
            self.head = lib.nn.Linear(4, 3, bias=False)
            self.drop = lib.nn.Dropout(0.5)

        def forward(self, x, mask=None):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x)
            x = lib.nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
            return self.head(self.drop(x)), self.head.weight.sum()

    return Net()


@program
def modules(lib: Any) -> Iterator[Any]:
    model = net(lib).eval()
    traced = lib.fx.symbolic_trace(model)
    x = lib.randn(2, 1, 8, 8)
    yield told(traced)
    yield traced(x), model(x), sorted(traced.state_dict()), traced.training
    yield [n.meta.get("nn_module_stack") and list(n.meta["nn_module_stack"]) for n in traced.graph.nodes]
    yield lib.fx.Interpreter(traced).run(x)
    yield [type(m).__name__ for m in traced.modules()]
    yield traced.graph.find_nodes(op="call_module"), traced.graph.find_nodes(op="call_module", target="head")
    yield printed(lambda: traced.graph.lint())
    again = pickle.loads(pickle.dumps(traced)) if lib is taeda else traced
    yield again.code, again(x)
    twin = copy.deepcopy(traced)
    with lib.no_grad():
        traced.head.weight.zero_()
    yield twin(x), traced(x), twin.code
    yield lib.fx.Transformer(traced).transform().code
    traced.train()
    yield traced.drop.training, copy.copy(traced).code


@program
def shapes(lib: Any) -> Iterator[Any]:
    from importlib import import_module

    prop = import_module(f"{lib.__name__}.fx.passes.shape_prop")
    sizes = import_module(f"{lib.__name__}.fx.passes.graph_manipulation")
    model = net(lib).eval()
    traced = lib.fx.symbolic_trace(model)
    x = lib.randn(2, 1, 8, 8)
    yield prop.ShapeProp(traced).propagate(x)
    for node in traced.graph.nodes:
        meta = node.meta.get("tensor_meta")
        yield node.name, node.meta.get("type", type(None)).__name__, str(meta)
    yield traced.print_readable(False, include_stride=True, include_device=True)
    yield traced.print_readable(False)
    sizes.get_size_of_all_nodes(traced, [x, x])
    yield [tuple(getattr(n, "size_bytes", ())) for n in traced.graph.nodes]
    yield fails(lambda: sizes.get_tensor_meta(next(iter(lib.fx.Graph().nodes), lib.fx.Graph().placeholder("x"))))
    sizes.replace_target_nodes_with(traced, "call_method", "relu", "call_method", "neg")
    yield traced.code


@program
def rewriting(lib: Any) -> Iterator[Any]:
    def model(x, w1, w2):
        m1 = lib.cat([w1, w2]).sum()
        m2 = lib.cat([w2, w1]).sum()
        return x + lib.max(m1) + lib.max(m2)

    traced = lib.fx.symbolic_trace(model)
    found = lib.fx.replace_pattern(traced, lambda a, b: lib.cat([a, b]).sum(), lambda a, b: lib.stack([a, b]))
    yield traced.code, [(m.anchor.name, sorted((k.name, str(v)) for k, v in m.nodes_map.items())) for m in found]
    for f, pattern, new in (
        (lambda x: lib.relu(lib.neg(x)) + 1, lambda x: lib.relu(lib.neg(x)), lambda x: lib.abs(x)),
        (lambda x: lib.neg(lib.neg(lib.neg(x))), lambda x: lib.neg(lib.neg(x)), lambda x: x),
        (lambda x, y: x * 2 + y * 2, lambda x: x * 2, lambda x: x + x),
        (lambda x, y: x * 2 + y * 3, lambda x, c: x * c, lambda x, c: c - x),
        (lambda x: (lib.neg(x), lib.relu(lib.neg(x))), lambda x: lib.relu(lib.neg(x)), lambda x: lib.abs(x)),
        (lambda x, y: (x + y).relu().sum(), lambda a, b: (a + b).relu(), lambda a, b: lib.maximum(a, b)),
        (lambda x: lib.sum(x, dim=1), lambda x: lib.sum(x, dim=0), lambda x: x),
        (lambda x: x.split(2)[0] + x.split(2)[1], lambda x: x.split(2), lambda x: x.chunk(2)),
        (lambda x: lib.add(x, x), lambda a, b: lib.add(a, b), lambda a, b: lib.mul(a, b)),
        (lambda x: lib.add(lib.neg(x), x), lambda a, b: lib.add(lib.neg(a), b), lambda a, b: lib.mul(a, b)),
        (lambda x: lib.add(x, x), lambda a: lib.add(a, a), lambda a: lib.neg(a)),
    ):
        traced = lib.fx.symbolic_trace(f)
        try:
            found = lib.fx.replace_pattern(traced, pattern, new)
            yield len(found), traced.code
        except Exception as error:
            yield type(error).__name__
    traced = lib.fx.symbolic_trace(lambda x: x * 2 + x * 3)
    found = lib.fx.subgraph_rewriter.replace_pattern_with_filters(
        traced, lambda x: x * 5, lambda x: -x, match_filters=[lambda m, g, p: m.anchors is not None], ignore_literals=True)
    yield traced.code, [[n.name for n in m.replacements] for m in found]
    yield fails(lambda: lib.fx.replace_pattern(lib.fx.symbolic_trace(lambda x: x + 1), lambda x: x + 1, lambda x, y: x + y))


@program
def splitting(lib: Any) -> Iterator[Any]:
    from importlib import import_module

    split = import_module(f"{lib.__name__}.fx.passes.split_module").split_module
    model = net(lib).eval()
    x = lib.randn(2, 1, 8, 8)
    traced = lib.fx.symbolic_trace(model)
    place = {n: i // 4 for i, n in enumerate(n for n in traced.graph.nodes if n.op not in ("placeholder", "get_attr", "output"))}
    names: dict[str, str] = {}
    parts = split(traced, model, lambda n: place.get(n, 0), qualname_map=names)
    yield parts.code, [(n, m.code) for n, m in parts.named_children() if hasattr(m, "code")], names
    yield parts(x), model(x)

    def f(x, y):
        a = x + y
        b = a * y
        c = b - x
        return c + a, b

    traced = lib.fx.symbolic_trace(f)
    for rule in ({"add": 0, "mul": 1, "sub": 1, "add_1": 2}, {"add": 0, "mul": 0, "sub": 0, "add_1": 0}, {"add": "p", "mul": "q", "sub": "p", "add_1": "q"}):
        try:
            parts = split(traced, lib.nn.Module(), lambda n: rule.get(n.name, 0))
            yield parts.code, [(n, m.code) for n, m in parts.named_children()], parts(2, 3)
        except Exception as error:
            yield type(error).__name__
    parts = split(traced, lib.nn.Module(), lambda n: 0, partition_affix="part", keep_original_order=True)
    yield [n for n, _ in parts.named_children()], parts.code


@program
def transformers(lib: Any) -> Iterator[Any]:
    class Neg(lib.fx.Interpreter):
        def call_function(self, target, args, kwargs):
            return super().call_function(lib.cos if target is lib.sin else target, args, kwargs)

        def call_method(self, target, args, kwargs):
            return super().call_method("neg" if target == "abs" else target, args, kwargs)

    class Swap(lib.fx.Transformer):
        def call_function(self, target, args, kwargs):
            return lib.cos(*args) if target is lib.sin else super().call_function(target, args, kwargs)

        def call_method(self, target, args, kwargs):
            return args[0] if target == "abs" else super().call_method(target, args, kwargs)

    def f(x, y=3.0):
        return lib.sin(x).abs() + lib.sin(y * x), [x, {"k": y}]

    traced = lib.fx.symbolic_trace(f)
    x = lib.randn(3)
    yield Neg(traced).run(x, 2.0), fails(lambda: Neg(traced).run())
    made = Swap(traced).transform()
    yield made.code, made(x), made.graph
    run_ = lib.fx.Interpreter(traced, garbage_collect_values=False)
    run_.run(x)
    yield [n.name for n in run_.env]
    yield lib.fx.Interpreter(traced).boxed_run([x, 1.0])
    broken = lib.fx.symbolic_trace(lambda x: x.nothing())
    try:
        lib.fx.Interpreter(broken).run(x)
    except AttributeError as error:
        yield "While executing %nothing" in str(error)


@program
def editing(lib: Any) -> Iterator[Any]:
    graph = lib.fx.Graph()
    x = graph.placeholder("x", lib.Tensor)
    y = graph.placeholder("y", default_value=4)
    a = graph.call_function(lib.add, (x, y), {"alpha": 2})
    b = graph.call_method("view", (a, -1), type_expr=lib.Tensor)
    c = graph.call_function(getattr, (b, "shape"))
    unused = graph.call_function(lib.neg, (b,))
    out = graph.output({"b": b, "c": (c,)})
    yield graph, graph.python_code("self").src, [n.format_node() for n in graph.nodes]
    yield list(a.users), b.all_input_nodes, a.next, b.prev, a < b, b <= a, unused.is_impure(), out.is_impure()
    yield fails(lambda: graph.erase_node(a)), fails(lambda: graph.create_node("call_function", "no")), fails(lambda: graph.create_node("nothing", "x"))
    yield fails(lambda: a.args.append(1)), fails(lambda: c.kwargs.update(a=1)), fails(lambda: graph.call_function(lib.add, [x]))
    with graph.inserting_before(a):
        d = graph.call_function(operator.mul, (x, 3))
    with graph.inserting_after(b):
        e = graph.call_function(lib.relu, (b,))
    with graph.inserting_after(e):
        f = graph.call_function(lib.abs, (e,))
    yield d.args, [n.name for n in graph.nodes]
    b.replace_all_uses_with(f, delete_user_cb=lambda u: u is out)
    a.replace_input_with(x, d)
    a.update_arg(1, 7)
    a.update_kwarg("alpha", d)
    b.insert_arg(1, 2)
    yield graph
    yield graph.eliminate_dead_code(), graph
    yield [n.name for n in reversed(graph.nodes)], len(graph.nodes), graph.output_node()
    module = lib.fx.GraphModule(lib.nn.Module(), graph, "Made")
    yield type(module).__name__, module.code, repr(module)
    other = lib.fx.Graph()
    env: dict[Any, Any] = {}
    result = other.graph_copy(graph, env)
    other.output(result)
    yield other, copy.deepcopy(graph)
    yield fails(lambda: other.node_copy(a)), fails(lambda: a.prepend(next(iter(other.nodes))))
    out.prepend(d)
    yield fails(graph.lint)
    yield lib.fx.map_arg([a, (1, {"k": b})], lambda n: n.name)
    with graph.on_generate_code(lambda was: lambda body: ["# first\n", *body]):
        yield graph.python_code("self").src


@program
def modules_in_graphs(lib: Any) -> Iterator[Any]:
    def made(root: Any) -> Any:
        graph = lib.fx.Graph()
        x = graph.placeholder("x")
        y = graph.call_module("a.b", (x,))
        w = graph.get_attr("a.w")
        graph.output(graph.call_function(lib.add, (y, w)))
        return lib.fx.GraphModule(root, graph)

    module = made({"a.b": lib.nn.ReLU(), "a.w": lib.ones(2)})
    yield module.code, module(lib.tensor([-1.0, 2.0])), repr(module), sorted(module.state_dict())
    yield fails(lambda: made({"a.b": lib.nn.ReLU()})), fails(lambda: made(lib.nn.Module())), fails(lambda: made(3))
    yield module.add_submodule("c.d", lib.nn.Tanh()), module.add_submodule("a.w.z", lib.nn.Tanh()), module.delete_submodule("c.d"), module.delete_submodule("q")
    module.delete_all_unused_submodules()
    yield [n for n, _ in module.named_modules()]
    with module.graph.inserting_before(next(iter(module.graph.nodes))):
        module.graph.get_attr("not.there")
    yield fails(module.graph.lint)

    def wrong() -> None:
        module.graph = 3

    yield fails(wrong)


@program
def refusals(lib: Any) -> Iterator[Any]:
    def loops(x):
        return [i + 1 for i in x]

    def asks(x):
        return x + 1 if x.sum() > 0 else x

    def ints(x):
        return range(x)

    for f in (loops, asks, ints, lambda x: len(x), lambda x: bool(x), lambda x: int(x), lambda x: x in [1], lambda x: {**x}, lambda *a: a[0] + 1,
              lambda x: {x: 1}, lambda x: x[lib.tensor([0])], lambda x: [y + 1 for y in x.shape], lambda: 3):  # fmt: skip
        try:
            yield lib.fx.symbolic_trace(f).code
        except Exception as error:
            yield type(error).__name__
    a, b = (lambda x: (lambda y, z: (y, z))(*x.chunk(2)), lambda x: x)
    yield fails(lambda: lib.fx.symbolic_trace(a)), lib.fx.symbolic_trace(b).code

    def unpacks(x):
        p, q = x.chunk(2)
        (r, s), t = x, q
        return p + q * r - s + t

    yield lib.fx.symbolic_trace(unpacks).code
    yield fails(lambda: lib.fx.symbolic_trace(3)), fails(lambda: lib.fx.wrap(3)), fails(lambda: lib.fx.wrap("len"))
    yield fails(lambda: lib.fx.symbolic_trace(loops, concrete_args=(1, 2)))


@program
def tracers(lib: Any) -> Iterator[Any]:
    class Whole(lib.fx.Tracer):
        def is_leaf_module(self, m, name):
            return name == "stem" or super().is_leaf_module(m, name)

    model = net(lib).eval()
    graph = Whole().trace(model)
    yield graph, lib.fx.GraphModule(model, graph).code

    class Deep(lib.fx.Tracer):
        def is_leaf_module(self, m, name):
            return False

    yield [Deep().trace(m) for m in (lib.nn.LayerNorm(3), lib.nn.Softmax(-1), lib.nn.Dropout(0.1), lib.nn.Flatten())]
    yield lib.fx.Tracer(autowrap_functions=(helper,)).trace(uses_helper)
    yield lib.fx.symbolic_trace(uses_helper).code

    class Yes(lib.fx.Tracer):
        def to_bool(self, obj):
            return True

        def iter(self, obj):
            return iter([obj[0], obj[1]])

        def create_arg(self, a):
            return super().create_arg(str(a) if isinstance(a, object) and type(a).__name__ == "complex" else a)

    yield Yes().trace(lambda x: [y + 1 for y in x] if x > 0 else x)

    class Shapes(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = lib.nn.Parameter(lib.ones(2, 3))
            self.c = lib.ones(2)

        def forward(self, x):
            return x.view(-1, self.w.shape[1]) @ self.w.t() + self.c + lib.tensor([1.0, 2.0])

    yield told(lib.fx.symbolic_trace(Shapes()))
    yield lib.fx.Tracer(param_shapes_constant=True).trace(Shapes())
    graph = lib.fx.Tracer().trace(Shapes())
    yield [n.target for n in graph.nodes]


def helper(x):
    return x * 2 if x.sum() is not None else x


def uses_helper(x):
    return helper(x) + 1


@program
def fusing(lib: Any) -> Iterator[Any]:
    from importlib import import_module

    tools = import_module(f"{lib.__name__}.fx.experimental.optimization")
    common = import_module(f"{lib.__name__}.fx.passes.tools_common")
    model = net(lib).eval()
    x = lib.randn(2, 1, 8, 8)
    fused = tools.fuse(model)
    yield fused.code, fused(x), model(x)
    yield tools.remove_dropout(model).code
    traced = lib.fx.symbolic_trace(model)
    nodes = [n for n in traced.graph.nodes if n.op == "call_module"][:3]
    part = tools.extract_subgraph(traced, nodes, [next(iter(traced.graph.nodes))], [nodes[-1]])
    yield part.code, part(x)
    first = next(n for n in traced.graph.nodes if n.op == "call_module")
    traced.graph.output_node().prepend(first)
    yield fails(traced.graph.lint)
    common.legalize_graph(traced)
    yield sorted(str(n) for n in traced.graph.nodes), fails(traced.graph.lint)        # which order it is, is nobody's promise
    yield [common.get_node_target(dict(traced.named_modules()), n).replace("conv.Conv2d", "Conv2d") for n in traced.graph.nodes if n.op == "call_method"]


@program
def what_cannot_be_traced(lib: Any) -> Iterator[Any]:
    class Callable_:
        def __call__(self, x):
            return x

    for what in (3, len, lib.relu, lib.nn.functional.gelu, lib.Tensor.relu, Callable_(), Callable_().__call__, functools.partial(uses_helper), None, lib.nn.Module()):
        yield fails(lambda: lib.fx.symbolic_trace(what))


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_a_program_is_told_the_same(f: Program) -> None:
    ours, theirs = run(f, taeda), run(f, torch)
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        try:
            assert_same(a, b)
        except AssertionError as error:
            raise AssertionError(f"{f.__name__}, yield {i}: {error}") from None
