"""Graphs and proxies: what needs no modules."""

from __future__ import annotations

import copy
import operator
import pickle
import sys

import pytest

import taeda
from taeda import fx
from taeda.fx.immutable_collections import immutable_dict, immutable_list
from taeda.fx.operator_schemas import normalize_function
from taeda.fx.proxy import GraphAppendingTracer, TraceError


def run(graph: fx.Graph, *args: object) -> object:
    """Call the function that a graph's code defines."""
    made = graph.python_code("self")
    namespace = dict(made.globals)
    exec(made.src, namespace)
    return namespace["forward"](None, *args)


def small() -> tuple[fx.Graph, fx.Node, fx.Node, fx.Node]:
    graph = fx.Graph()
    x = graph.placeholder("x")
    y = graph.call_function(taeda.neg, (x,))
    z = graph.call_method("mul", (y, 2))
    graph.output((z, {"was": x}))
    return graph, x, y, z


def test_a_graph_prints_and_runs() -> None:
    graph, *_ = small()
    assert str(graph) == """graph():
    %x : [num_users=2] = placeholder[target=x]
    %neg : [num_users=1] = call_function[target=taeda.neg](args = (%x,), kwargs = {})
    %mul : [num_users=1] = call_method[target=mul](args = (%neg, 2), kwargs = {})
    return (mul, {'was': x})"""
    assert graph.python_code("self").src == """


def forward(self, x):
    neg = taeda.neg(x)
    mul = neg.mul(2);  neg = None
    return (mul, {'was': x})
    """
    result = run(graph, taeda.tensor([1.0, -3.0]))
    assert result[0].tolist() == [-2.0, 6.0] and result[1]["was"].tolist() == [1.0, -3.0]


def test_names_are_free_and_legal() -> None:
    graph = fx.Graph()
    names = [graph.placeholder(n).name for n in ("x", "x", "x_1", "class", "max", "taeda", "9a", "a b", "inf", "*args", "x")]
    assert names == ["x", "x_1", "x_2", "class_1", "max_1", "taeda_1", "_9a", "a_b", "inf_1", "_args", "x_3"]
    assert graph.call_method("__add__", (graph.placeholder("y"), 1)).name == "add"
    assert graph.create_node("call_module", "Ab.CdEf").name == "ab_cd_ef"


def test_arguments_are_followed() -> None:
    _, x, y, z = small()
    assert list(x.users) == [y, list(y.graph.nodes)[-1]] and y.all_input_nodes == [x]
    z.args = ([x, {"a": y}], slice(y, None))
    assert z.all_input_nodes == [x, y] and type(z.args[0]) is immutable_list and type(z.args[0][1]) is immutable_dict
    with pytest.raises(TypeError, match="does not support mutation"):
        z.args[0].append(1)
    with pytest.raises(TypeError, match="does not support mutation"):
        z.kwargs["a"] = 1
    z.args = (y, 2)
    assert z.replace_input_with(y, x) is None and z.args == (x, 2) and not y.users
    z.update_arg(1, 3), z.insert_arg(1, y), z.update_kwarg("k", y)
    assert z.args == (x, y, 3) and z.kwargs == {"k": y} and list(y.users) == [z]
    with pytest.raises(AssertionError, match="between 0 and"):
        z.insert_arg(9, 1)


def test_uses_are_replaced() -> None:
    graph, x, y, z = small()
    with graph.inserting_after(y):
        w = graph.call_function(operator.add, (y, 1))
    assert y.replace_all_uses_with(w, lambda user: user is not w) == [z] and z.args == (w, 2)
    assert run(graph, taeda.tensor(1.0))[0].item() == 0.0


def test_nodes_are_inserted_and_moved() -> None:
    graph, x, y, z = small()
    with graph.inserting_before(y):
        first, second = graph.call_method("abs", (x,)), graph.call_method("sin", (x,))
    with graph.inserting_before():
        zero = graph.placeholder("zero")
    assert list(graph.nodes)[:4] == [zero, x, first, second] and list(reversed(graph.nodes))[-1] is zero
    assert zero < x < y and z > y and x <= x and zero.prev.op == "root"
    z.append(first)
    assert first.prev is z and len(graph.nodes) == 7
    other = fx.Graph().placeholder("x")
    for move in (x.append, x.prepend):
        with pytest.raises(AssertionError, match="different graph"):
            move(other)
    with pytest.raises(AssertionError, match="not in graph"):
        graph.inserting_before(other)
    with pytest.raises(RuntimeError, match="wrong graph"):
        graph.erase_node(other)


def test_what_nothing_uses_is_eliminated() -> None:
    graph, x, y, z = small()
    with pytest.raises(RuntimeError, match=r"neg but it still had 1 users in the graph: \{mul: None\}"):
        graph.erase_node(y)
    with graph.inserting_before(z):
        graph.call_method("sin", (graph.call_method("cos", (y,)),))
        graph.call_function(operator.setitem, (y, 0, 1))
    assert graph.eliminate_dead_code() and [n.name for n in graph.nodes] == ["x", "neg", "setitem", "mul", "output"]
    assert not graph.eliminate_dead_code()
    assert graph.eliminate_dead_code(lambda n: False) and len(graph.nodes) == 4


def test_operators_that_write_or_draw_are_kept() -> None:
    library = taeda.library.Library("kept", "DEF")
    library.define("fill(Tensor(a!) x) -> ()")
    library.define("twice(Tensor x) -> Tensor")
    library.define("draw(Tensor x) -> Tensor", tags=(taeda.Tag.nondeterministic_seeded,))
    library.impl("fill", lambda x: x.fill_(3) and None, "CPU")
    aten, own = taeda.ops.aten, taeda.ops.kept
    impure = (aten.add_.Tensor, aten.mul.out, aten.relu_, own.fill, own.fill.default, taeda.rand_like, taeda.bernoulli)
    seeded = (aten.bernoulli.default, aten.native_dropout.default, aten.randn_like, own.draw, own.draw.default)
    pure = (aten.add.Tensor, aten.relu, own.twice, own.twice.default, taeda.dropout)
    graph = fx.Graph()
    x = graph.placeholder("x")
    kept = {f: graph.call_function(f, (x,)) for f in (*impure, *seeded, *pure)}
    graph.output(x)
    assert [kept[f].is_impure() for f in kept] == [True] * (len(impure) + len(seeded)) + [False] * len(pure)
    assert [kept[f].is_impure(impure_random=False) for f in kept] == [True] * len(impure) + [False] * (len(seeded) + len(pure))
    assert graph.eliminate_dead_code() and len(graph.nodes) == len(impure) + len(seeded) + 2


def test_what_is_not_well_formed_is_found() -> None:
    graph, x, y, z = small()
    graph.lint()
    x.prepend(z)
    with pytest.raises(RuntimeError, match="'neg' of Node 'mul' was used before it has been defined"):
        graph.lint()
    with pytest.raises(AssertionError, match="not in _legal_ops"):
        graph.create_node("jump", "x")
    with pytest.raises(ValueError, match="must be a callable"):
        graph.call_function("relu")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be a str"):
        graph.create_node("call_method", taeda.relu)


def test_graphs_are_copied_and_pickled() -> None:
    graph, *_ = small()
    copied, pickled = copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))
    for other in (copied, pickled):
        assert str(other) == str(graph) and run(other, taeda.tensor(2.0))[0].item() == -4.0
        assert not set(other.nodes) & set(graph.nodes)
    taken = fx.Graph()
    x = taken.placeholder("a")
    taken.output(taken.graph_copy(graph, {next(iter(graph.nodes)): x}))
    assert taken.find_nodes(op="call_function", target=taeda.neg)[0].args == (x,) and taken.output_node().args[0][1] == {"was": x}


def test_operators_are_recorded() -> None:
    graph = fx.Graph()
    x = fx.Proxy(graph.placeholder("x"), GraphAppendingTracer(graph))
    y = 2 - ((x * 3 + 1) ** 2) / 4
    abs(-(y[..., None] // 2 % 5))
    assert [n.name for n in graph.nodes] == ["x", "mul", "add", "pow_1", "truediv", "sub", "getitem", "floordiv", "mod", "neg", "abs_1"]
    assert [n.target for n in graph.nodes][4:7] == [operator.truediv, operator.sub, operator.getitem]


def test_code_of_every_operator_gives_its_value() -> None:
    graph = fx.Graph()
    x = fx.Proxy(graph.placeholder("x"))
    made = [
        x + 1, 1 + x, x - 1, 1 - x, x * 2, x / 2, 2 / x, x // 2, 7 // x, x % 3, x**2, 2**x, -x, +x, abs(x),
        x == 2, x != 2, x < 2, x > 2, x <= 2, x >= 2,
        x[0], x[1:], x[..., None], (x > 1) & (x < 3), (x > 1) | (x < 1), (x > 1) ^ (x > 2), ~(x > 1), x.data, x.shape[0], x.sum().item(),
    ]
    graph.output([p.node for p in made])
    v = taeda.tensor([1.0, 2.0, 3.0])
    expected = [
        v + 1, 1 + v, v - 1, 1 - v, v * 2, v / 2, 2 / v, v // 2, 7 // v, v % 3, v**2, 2**v, -v, +v, abs(v),
        v == 2, v != 2, v < 2, v > 2, v <= 2, v >= 2,
        v[0], v[1:], v[..., None], (v > 1) & (v < 3), (v > 1) | (v < 1), (v > 1) ^ (v > 2), ~(v > 1), v.data, 3, 6.0,
    ]
    for got, want in zip(run(graph, v), expected, strict=True):
        assert got.tolist() == want.tolist() if isinstance(want, taeda.Tensor) else got == want


def test_statements_in_place() -> None:
    graph = fx.Graph()
    x = graph.placeholder("x")
    y = graph.call_function(operator.iadd, (x, 1))
    graph.call_function(operator.setitem, (y, 0, 9))
    graph.output(graph.call_function(operator.imul, (y, 2)))
    assert "x += 1;  iadd = x" in graph.python_code("self").src and "iadd[0] = 9" in graph.python_code("self").src
    assert run(graph, taeda.tensor([1.0, 2.0])).tolist() == [18.0, 6.0]


def test_functions_of_the_library_are_recorded() -> None:
    graph = fx.Graph()
    x = fx.Proxy(graph.placeholder("x"))
    t = taeda.tensor([1.0, 2.0])
    for found, target in (
        (taeda.relu(x), taeda.relu), (taeda.cat([x, x], dim=0), taeda.cat), (taeda.zeros(x.size(0)), taeda.zeros),
        (taeda.where(x > 0, x, 0), taeda.where), (taeda.linalg.norm(x), taeda.linalg.norm), (taeda.fft.fft(x), taeda.fft.fft),
        (taeda.add(1, x, alpha=2), taeda.add), (taeda._assert(x, "text"), taeda._assert),
    ):
        assert found.node.op == "call_function" and found.node.target is target
    for found, name in ((t + x, "add"), (t * x, "mul"), (t.add(x), "add"), (t - x, "sub")):
        assert (found.node.op, found.node.target) == ("call_method", name) and found.node.args[0] is t


def test_unpacking_takes_elements_and_loops_are_refused() -> None:
    graph = fx.Graph()
    x = fx.Proxy(graph.placeholder("x"))
    a, b = x
    assert [a.node.args, b.node.args] == [(x.node, 0), (x.node, 1)]
    with pytest.raises(TraceError, match="cannot be iterated"):
        for _ in x:
            pass
    with pytest.raises(TraceError, match="control flow"):
        bool(x > 1)
    with pytest.raises(RuntimeError, match=r"wrap\('len'\)"):
        len(x)
    with pytest.raises(TypeError):
        x[0] = 1  # type: ignore[index]
    with pytest.raises(TraceError, match="cannot be iterated"):
        1 in x


def test_what_code_cannot_say_is_refused() -> None:
    graph = fx.Graph()
    tracer = GraphAppendingTracer(graph)
    x = fx.Proxy(graph.placeholder("x"), tracer)
    with pytest.raises(NotImplementedError, match="argument of type: <class 'object'>"):
        x + object()
    with pytest.raises(RuntimeError, match="Keys for dictionaries"):
        tracer.create_arg({x: 1})
    other = fx.Proxy(fx.Graph().placeholder("y"))
    with pytest.raises(RuntimeError, match="multiple different tracers"):
        taeda.add(x, other)


def test_annotations_defaults_and_values_as_text() -> None:
    import typing

    graph = fx.Graph()
    x = graph.placeholder("x", typing.Optional[taeda.Tensor], None)  # noqa: UP045
    y = graph.placeholder("y", int | None, (1, 2.5))
    graph.output((x, y, float("inf"), taeda.float32, taeda.device("cpu"), taeda.Size([1]), "a", slice(None, 2), ...), typing.List[int])  # noqa: UP006
    src = graph.python_code("self").src
    optional = "typing_Union[taeda.Tensor,NoneType]" if sys.version_info < (3, 14) else "taeda.Tensor|NoneType"
    assert f"def forward(self, x : {optional} = None, y : int|NoneType = (1, 2.5)) -> typing_List[int]:" in src
    assert run(graph) == (None, (1, 2.5), float("inf"), taeda.float32, taeda.device("cpu"), (1,), "a", slice(None, 2), ...)


def test_lines_of_code_can_be_changed() -> None:
    graph, *_ = small()
    with graph.on_generate_code(lambda was: lambda body: [line.replace("mul(2)", "mul(5)") for line in body]):
        assert run(graph, taeda.tensor(1.0))[0].item() == -5.0
    assert run(graph, taeda.tensor(1.0))[0].item() == -2.0


def test_wrap_belongs_at_the_top_of_a_module() -> None:
    with pytest.raises(NotImplementedError, match="top level"):
        fx.wrap("len")
    with pytest.raises(RuntimeError, match="callable or string"):
        fx.wrap(3)


def test_tables_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    graph, *_ = small()
    graph.print_tabular()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["opcode", "name", "target", "args", "kwargs"] and set(lines[1]) == {"-", " "}
    assert lines[4].split()[:3] == ["call_method", "mul", "mul"]


def test_a_device_of_a_proxy_is_a_node() -> None:
    """PyTorch's ``torch.device`` lets proxies take it over."""
    graph = fx.Graph()
    tracer = GraphAppendingTracer(graph)
    name = fx.Proxy(graph.placeholder("name"), tracer)
    graph.output((taeda.device(name).node, taeda.device("cuda", name).node))
    with pytest.raises(TypeError, match=r"\[device\] type must be a str, a device or an int"):
        taeda.device(taeda.ones(1))
    assert [n.args for n in graph.nodes if n.target is taeda.device] == [(name.node,), ("cuda", name.node)]


X = taeda.arange(6.0).reshape(1, 2, 3)


@pytest.mark.parametrize(
    ("function", "args", "given", "names"),
    [
        (taeda.amax, (X, 1), {}, ["input", "dim", "keepdim"]),
        (taeda.sum, (X,), {"axis": 1, "keepdims": True}, ["input", "dim", "keepdim", "dtype"]),
        (taeda.prod, (X, 1), {}, ["input", "dim", "keepdim", "dtype"]),
        (taeda.max, (X, 1), {}, ["input", "dim", "keepdim"]),
        (taeda.max, (X, X + 1), {}, ["input", "other"]),
        (taeda.min, (X,), {"other": X + 1}, ["input", "other"]),
        (taeda.cumsum, (X, 1), {}, ["input", "dim", "dtype"]),
        (taeda.cat, ([X, X],), {}, ["tensors", "dim"]),
        (taeda.permute, (X, (2, 0, 1)), {}, ["input", "dims"]),
        (taeda.reshape, (X, (3, 2)), {}, ["input", "shape"]),
        (taeda.squeeze, (X, 0), {}, ["input", "dim"]),
        (taeda.count_nonzero, (X,), {}, ["input", "dim"]),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
@pytest.mark.parametrize("named", [False, True])
def test_normalized_arguments_have_the_names_of_one_form_and_give_the_same_result(function, args, given, names, named):
    found = normalize_function(function, args, given, normalize_to_only_use_kwargs=named)
    assert found is not None and list(found.kwargs) == names[0 if named else len(args):]
    want, got = function(*args, **given), function(*found.args, **found.kwargs)
    assert all(map(taeda.equal, got, want)) if isinstance(want, tuple) else taeda.equal(got, want)


def test_a_result_s_place_stays_among_normalized_arguments_where_it_is_given():
    out = taeda.empty(0)
    found = normalize_function(taeda.sum, (X, 1), {"out": out})
    assert found.kwargs == {"keepdim": False, "dtype": None, "out": out} and normalize_function(taeda.exp, (X,)).kwargs == {}
