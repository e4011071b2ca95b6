"""Tracing modules: what is recorded, the code that is written, copies and pickles."""

from __future__ import annotations

import copy
import gc
import inspect
import linecache
import pickle
import typing
from typing import Any

import pytest

import taeda
import taeda.nn as nn
import taeda.nn.functional as F
from taeda import fx
from taeda.fx.proxy import TraceError


@fx.wrap
def clipped(x: Any, low: float) -> Any:
    return x if low == 0 else x.clamp(min=low)


def halved(x: Any) -> Any:
    return x / 2 if bool(x.sum() > 0) else x


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.scale = nn.Parameter(taeda.full((4,), 2.0))
        self.register_buffer("shift", taeda.full((4,), 0.5))
        self.constant = taeda.tensor(3.0)

    def forward(self, x: taeda.Tensor, n: int = 2, *rest: Any, twice: bool = True, **more: Any) -> Any:
        x = self.first(x) * self.scale + self.shift
        for layer in self.layers:
            x = F.relu(layer(x)) + n
        x = clipped(x, -1.0) * self.constant
        return {"x": x, "sizes": (x.shape[0], x.size(1))}


CODE = """


def forward(self, x : _taeda_Tensor_, n : _int_ = 2, twice : _bool_ = True, *rest, **more):
    _rest = rest
    _more = more
    first = self.first(x);  x = None
    scale = self.scale
    mul = first * scale;  first = scale = None
    shift = self.shift
    add = mul + shift;  mul = shift = None
    layers_0 = getattr(self.layers, "0")(add);  add = None
    relu = taeda.nn.functional.relu(layers_0, inplace = False);  layers_0 = None
    add_1 = relu + n;  relu = None
    layers_1 = getattr(self.layers, "1")(add_1);  add_1 = None
    relu_1 = taeda.nn.functional.relu(layers_1, inplace = False);  layers_1 = None
    add_2 = relu_1 + n;  relu_1 = n = None
    clipped = {clipped}(add_2, -1.0);  add_2 = None
    constant = self.constant
    mul_1 = clipped * constant;  clipped = constant = None
    getattr_1 = mul_1.shape
    getitem = getattr_1[0];  getattr_1 = None
    size = mul_1.size(1)
    return {'x': mul_1, 'sizes': (getitem, size)}
    """


def test_a_module_becomes_code_that_does_the_same() -> None:
    net = Net()
    traced = fx.symbolic_trace(net)
    wanted = CODE.replace("{clipped}", f"{__name__}_clipped".replace(".", "_"))
    assert traced.code.split("\n\ndef ")[1] == wanted.split("\n\ndef ")[1]
    x = taeda.randn(5, 3)
    assert (traced(x)["x"] == net(x)["x"]).all() and traced(x, 3)["sizes"] == (5, 4)
    traced(x)["x"].sum().backward()
    found = net.scale.grad.clone()
    net.scale.grad = None
    net(x)["x"].sum().backward()
    assert (found == net.scale.grad).all()               # the parameters are the same ones
    assert dict(traced.named_parameters()).keys() == dict(net.named_parameters()).keys()
    assert type(traced).__name__ == "Net" and "first" in str(traced) and traced.graph.owning_module is traced


def test_modules_are_as_they_were_after_a_trace() -> None:
    before = {name: vars(nn.Module).get(name) for name in ("__call__", "__getattribute__")}
    fx.symbolic_trace(Net())
    with pytest.raises(TraceError):
        fx.symbolic_trace(lambda x: x if x > 0 else -x)
    assert {name: vars(nn.Module).get(name) for name in ("__call__", "__getattribute__")} == before
    assert clipped(taeda.tensor([-3.0, 1.0]), -1.0).tolist() == [-1.0, 1.0]


def test_what_is_no_submodule_is_refused() -> None:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = [nn.Linear(2, 2)]

        def forward(self, x: Any) -> Any:
            return self.hidden[0](x)

    with pytest.raises(NameError, match="not installed as a submodule"):
        fx.symbolic_trace(Hidden())


def test_arguments_can_be_fixed() -> None:
    def f(x: Any, flag: Any, tree: Any) -> Any:
        return (x + tree["a"] if flag else x - tree["a"]), tree["b"][0]

    traced = fx.symbolic_trace(f, {"flag": False, "tree": {"a": fx.PH, "b": [fx.PH]}})
    one = taeda.ones(1)
    found = traced(one * 5, False, {"a": one, "b": [one * 7]})
    assert [v.item() for v in found] == [4.0, 7.0]
    with pytest.raises(AssertionError, match="flag has been specialized to have value False"):
        traced(one, True, {"a": one, "b": [one]})
    plain = fx.symbolic_trace(lambda x, y: x if y is None else x + y, {"y": None})
    assert plain(one, None) is one
    with pytest.raises(AssertionError, match="value None"):
        plain(one, 3)


def test_tracers_decide() -> None:
    class Leaves(fx.Tracer):
        proxy_buffer_attributes = True

        def is_leaf_module(self, m: nn.Module, name: str) -> bool:
            return isinstance(m, nn.Sequential)

        def to_bool(self, obj: fx.Proxy) -> bool:
            return True

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(2, 2))
            self.single = nn.Linear(2, 2)
            self.register_buffer("b", taeda.ones(2))

        def forward(self, x: Any) -> Any:
            return self.single(self.inner(x)) * self.b if x.sum() > 0 else x

    graph = Leaves().trace(Model())
    assert [(n.op, n.target) for n in graph.nodes if n.op in ("call_module", "get_attr")] == [
        ("call_module", "inner"), ("get_attr", "single.weight"), ("get_attr", "single.bias"), ("get_attr", "b")]
    assert graph.find_nodes(op="call_module")[0].meta["nn_module_stack"]["inner"] == ("inner", nn.Sequential)
    constant = fx.Tracer(param_shapes_constant=True)
    graph = constant.trace(_Shaped())
    assert graph.find_nodes(op="call_method")[0].args[1] == 6
    wrapping = fx.Tracer(autowrap_functions=(halved,))
    graph = wrapping.trace(lambda x: halved(x) + 1)
    assert [n.target for n in graph.nodes][1] is halved


class _Shaped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(taeda.ones(2, 3))

    def forward(self, x: Any) -> Any:
        return x.view(self.w.numel()) + self.w.sum()


def test_every_function_of_nn_can_be_recorded() -> None:
    x = fx.Proxy(fx.Graph().placeholder("x"))
    for name in F.__all__:
        function = getattr(F, name)
        if isinstance(function, type) or name in ("scaled_mm", "scaled_grouped_mm") or name.startswith("upsample"):
            continue
        required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        found = function(*[x] * len(required))
        assert isinstance(found, fx.Proxy), name
        node = found.node
        if name in ("sigmoid", "tanh"):
            assert (node.op, node.target) == ("call_method", name)
            continue
        assert node.op == "call_function" and node.target is function, name
        assert len(node.args) == len(required) and all(a is x.node for a in node.args), name


def test_calls_are_told_with_all_arguments() -> None:
    told: list[Any] = []

    class Watch(taeda.overrides.TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            told.append((func, args[1:], kwargs))
            return func(*args, **(kwargs or {}))

    class Mine(taeda.Tensor):
        pass

    x = taeda.ones(2, 2)
    with Watch():
        F.dropout(x, 0.25, training=False), F.softmax(x, 1), F.linear(x, x), F.layer_norm(x, (2,))
    assert told[0] == (F.dropout, (), {"p": 0.25, "training": False, "inplace": False})
    assert told[1] == (F.softmax, (), {"dim": 1, "_stacklevel": 3, "dtype": None})
    assert told[2][0] is F.linear and told[2][2] == {} and told[3][1:] == (((2,),), {"weight": None, "bias": None, "eps": 1e-5})
    assert type(F.silu(x.as_subclass(Mine))) is Mine


def test_interpreters_and_transformers() -> None:
    traced = fx.symbolic_trace(Net())
    x = taeda.randn(2, 3)
    seen: list[str] = []

    class Times(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            seen.append(n.name)
            return super().run_node(n)

    assert (Times(traced).run(x)["x"] == traced(x)["x"]).all() and seen == [n.name for n in traced.graph.nodes]
    with pytest.raises(RuntimeError, match="parameter x, but one was not passed"):
        fx.Interpreter(traced).run()
    with pytest.raises(RuntimeError, match="While executing %first"):
        fx.Interpreter(traced).run(taeda.ones(2, 7))

    class Smooth(fx.Transformer):
        def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
            return taeda.tanh(args[0]) if target is F.relu else super().call_function(target, args, kwargs)

    smooth = Smooth(traced).transform()
    assert smooth.code.count("taeda.tanh") == 2 and "relu(" not in smooth.code
    y = traced.first(x) * traced.scale + traced.shift
    for layer in traced.layers.children():
        y = taeda.tanh(layer(y)) + 2
    assert (smooth(x)["x"] == clipped(y, -1.0) * 3).all()


def test_functions_of_layers_are_named_where_they_are_found() -> None:
    assert taeda.overrides.resolve_name(nn.functional.linear) == "taeda.nn.functional.linear"
    assert taeda.overrides.resolve_name(nn.functional.gelu) == "taeda.nn.functional.gelu"


def test_graph_modules_are_copied_and_pickled() -> None:
    traced = fx.symbolic_trace(Net())
    x = taeda.randn(2, 3)
    for other in (copy.deepcopy(traced), pickle.loads(pickle.dumps(traced))):
        assert other.code == traced.code and (other(x)["x"] == traced(x)["x"]).all()
        assert other.first.weight is not traced.first.weight and other.graph is not traced.graph
        other.graph.output_node().args = (1,)
        other.recompile()
        assert other(x) == 1 and traced(x) != 1
    assert copy.copy(traced).first is traced.first


def test_what_is_recorded_about_code_goes_with_it() -> None:
    def texts() -> set[str]:
        gc.collect()
        return {name for name in linecache.cache if name.startswith("<eval_with_key>")}

    before = texts()
    traced = fx.symbolic_trace(nn.Sequential(nn.ReLU()))
    traced.recompile()                                   # the code before this is nobody's now
    (name,) = texts() - before
    assert linecache.getline(name, 4).strip().startswith("def forward(self, input)")
    del traced
    assert texts() == before


def test_submodules_come_and_go() -> None:
    traced = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2)))
    assert traced.add_submodule("a.b.c", nn.ReLU()) and isinstance(traced.a.b.c, nn.ReLU)
    assert not traced.delete_submodule("a.z") and traced.delete_submodule("a.b") and not hasattr(traced.a, "b")
    traced.delete_all_unused_submodules()
    assert [name for name, _ in traced.named_children()] == ["0"]
    with pytest.raises(RuntimeError, match="not provided in"):
        fx.GraphModule({}, traced.graph)
    with pytest.raises(RuntimeError, match="Unsupported type"):
        fx.GraphModule(3, traced.graph)


def test_written_modules_can_be_imported(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    fx.symbolic_trace(net).to_folder(tmp_path / "written_net", "Written")
    monkeypatch.syspath_prepend(str(tmp_path))
    from written_net import Written  # type: ignore[import-not-found]

    x = taeda.randn(1, 2)
    assert (Written()(x) == net(x)).all()


def test_operands_of_einsum_are_recorded_one_by_one() -> None:
    def f(x, y):
        return taeda.einsum("ij,jk->ik", [x, y]) + taeda.einsum("ij,jk->ik", x, y)

    traced = fx.symbolic_trace(f)
    calls = [node.args for node in traced.graph.nodes if node.target is taeda.einsum]
    assert len(calls) == 2 and all([str(a) for a in args] == ["ij,jk->ik", "x", "y"] for args in calls)
    x = taeda.arange(6.0).view(2, 3)
    assert taeda.equal(traced(x, x.t()), 2 * x @ x.t())


def test_a_module_can_be_its_own_root() -> None:
    class Twice(fx.GraphModule):
        def __init__(self) -> None:
            super().__init__(self, fx.Graph())
            x = self.graph.placeholder("x")
            self.graph.output(self.graph.call_function(taeda.mul, (x, 2)))
            self.recompile()

    made = Twice()
    assert made(taeda.ones(2)).tolist() == [2.0, 2.0] and made.meta == {}
    made.meta["kept"] = 1
    assert fx.GraphModule(made, made.graph).meta == {"kept": 1}


def test_code_of_a_class_of_ones_own_and_of_bare_annotations() -> None:
    class Listed(fx.CodeGen):
        def gen_fn_def(self, free_vars: list[str], maybe_return_annotation: str) -> str:
            return f"def forward(self, listed){maybe_return_annotation}:\n    {', '.join(free_vars)}, = listed"

        def generate_output(self, output_args: Any) -> str:
            return f"return [{output_args!r}]"

    traced = fx.symbolic_trace(lambda a, b: a + b)
    traced.graph.set_codegen(Listed())
    traced.recompile()
    assert traced([2, 3]) == [5]

    def first(x: typing.Tuple) -> Any:                                   # noqa: UP006
        return x[0]

    assert fx.symbolic_trace(first)((3,)) == 3


class Two(typing.NamedTuple):
    x: Any
    y: Any

    def _custom_fx_repr_fn(self) -> str:
        return f"Two(x=%{self.x}, y={self.y})"                          # as a graph is shown, not as it is called


@fx.wrap
def sum_of(pair: Two) -> Any:
    return pair.x + pair.y


def test_named_tuples_of_values_are_called_with() -> None:
    traced = fx.symbolic_trace(lambda a: sum_of(Two(a, 2)))
    assert traced(3) == 5


def test_and_of_proxies_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fx.proxy.TracerBase, "check_mutable_operations", True)
    traced = fx.symbolic_trace(lambda a, b: (a & b) | a)
    assert traced(taeda.tensor(6), taeda.tensor(3)).item() == 6
    with pytest.raises(RuntimeError, match="mutable operation"):
        fx.symbolic_trace(lambda a: taeda.relu_(a))


def test_a_transformed_graph_keeps_where_its_nodes_are_in_the_model() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(taeda.ones(1))
            self.inner = nn.Linear(1, 1)

        def forward(self, x: taeda.Tensor) -> taeda.Tensor:
            return self.inner(self.weight + x)

    traced = fx.symbolic_trace(Scaled())
    places = {"weight": {"w": ("place", nn.Module)}, "inner": traced.graph.find_nodes(op="call_module")[0].meta["nn_module_stack"]}
    traced.graph.find_nodes(op="get_attr")[0].meta["nn_module_stack"] = places["weight"]
    found = {n.name: n.meta.get("nn_module_stack") for n in fx.Transformer(traced).transform().graph.nodes}
    assert found == {"x": None, "weight": places["weight"], "add": None, "inner": places["inner"], "output": None}


def test_a_tracer_can_be_copied() -> None:
    tracer = fx.Tracer()
    fresh = copy.deepcopy(tracer)
    tracer.trace(nn.Sequential(nn.Linear(1, 1)))
    copied = copy.deepcopy(tracer)
    assert not hasattr(fresh, "graph") and str(copied.graph) == str(tracer.graph)
    assert copied.graph is not tracer.graph and copied.root is not tracer.root
    assert str(fresh.trace(nn.ReLU())) == str(fx.Tracer().trace(nn.ReLU()))


def test_a_trace_of_a_librarys_own_patches_modules_by_the_names_that_are_kept_for_it() -> None:
    from taeda.fx import _symbolic_trace as trace

    class Calls(fx.Tracer):
        def trace(self, root, concrete_args=None):
            self.root = root
            self.submodule_paths = {module: name for name, module in root.named_modules()}
            self.graph = fx.Graph(tracer_cls=type(self))
            self.tensor_attrs = {v: k for k, v in vars(root).items() if isinstance(v, (taeda.Tensor, trace.ScriptObject))}
            run, args = self.create_args_for_root(type(root).forward, True, concrete_args)

            def call(module, *args, **kwargs):
                return self.call_module(module, lambda *a, **k: trace._orig_module_call(module, *a, **k), args, kwargs)

            def read(module, name):
                return self.getattr(name, trace._orig_module_getattr(module, name), {})

            with trace._Patcher() as patcher:
                patcher.patch_method(nn.Module, "__call__", call, deduplicate=False)
                patcher.patch_method(nn.Module, "__getattr__", read, deduplicate=False)
                self.create_node("output", "output", (self.create_arg(run(*args)),), {})
            return self.graph

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(2, 3)
            self.scale = nn.Parameter(taeda.full((3,), 2.0))

        def forward(self, x):
            return self.inner(x) * self.scale

    model = Model()
    made = fx.GraphModule(model, Calls().trace(model))
    assert [(node.op, node.target) for node in made.graph.nodes][:3] == [("placeholder", "x"), ("call_module", "inner"), ("get_attr", "scale")]
    x = taeda.ones(4, 2)
    assert taeda.equal(made(x), model(x)) and type(model(x)) is taeda.Tensor


def test_a_forward_that_writes_to_its_buffers_is_recorded():
    class Running(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("total", taeda.ones(1))

        def forward(self, x):
            self.total = self.total + x
            self.register_buffer("twice", self.total * 2)
            return self.twice - 1

    traced = taeda.fx.symbolic_trace(Running())
    assert [n.name for n in traced.graph.nodes] == ["x", "total", "add", "mul", "sub", "output"]
