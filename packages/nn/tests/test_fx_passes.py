"""What is done with the graphs of modules: patterns replaced, shapes, cuts, folded norms, passes in an order."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import taeda
import taeda.nn as nn
from taeda import fx
from taeda.fx.experimental.optimization import fuse, remove_dropout
from taeda.fx.passes.infra.pass_base import PassBase, PassResult
from taeda.fx.passes.infra.pass_manager import PassManager, pass_result_wrapper, this_before_that_pass_constraint
from taeda.fx.passes.operator_support import OperatorSupport, OpSupports, any_chain, chain, create_op_support
from taeda.fx.passes.shape_prop import ShapeProp
from taeda.fx.passes.split_module import split_module


def test_patterns_are_replaced() -> None:
    def f(x: Any, a: Any, b: Any) -> Any:
        return x + taeda.max(taeda.cat([a, b]).sum()) + taeda.max(taeda.cat([a, b]).sum())

    traced = fx.symbolic_trace(f)
    matches = fx.replace_pattern(traced, lambda a, b: taeda.cat([a, b]).sum(), lambda a, b: taeda.stack([a, b]))
    assert [m.anchor.name for m in matches] == ["sum_1", "sum_1"]
    assert [n.name for n in traced.graph.nodes if n.op == "call_function"] == ["stack", "max_1", "add", "stack_1", "max_2", "add_1"]
    assert traced(taeda.ones(1), taeda.tensor([2.0]), taeda.tensor([3.0])).tolist() == [7.0]
    kept = fx.symbolic_trace(lambda x: taeda.neg(x) + taeda.relu(taeda.neg(x) * 1))
    assert not fx.replace_pattern(kept, lambda x: taeda.relu(taeda.neg(x)), lambda x: x)
    twice = fx.symbolic_trace(lambda x: taeda.add(x, x))
    assert not fx.replace_pattern(twice, lambda a, b: taeda.add(a, b), lambda a, b: a * b)  # a and b are two nodes
    assert len(fx.replace_pattern(twice, lambda a: taeda.add(a, a), lambda a: a * 2)) == 1


def test_modules_are_patterns_too() -> None:
    class Pair(nn.Module):
        def __init__(self, *layers: nn.Module) -> None:
            super().__init__()
            for i, layer in enumerate(layers):
                self.add_module(f"l{i}", layer)

        def forward(self, x: Any) -> Any:
            for layer in self.children():
                x = layer(x)
            return x

    traced = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.ReLU()))
    new = nn.Linear(2, 2)

    class New(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.only = new

        def forward(self, x: Any) -> Any:
            return self.only(x)

    assert len(fx.replace_pattern(traced, Pair(nn.Linear(2, 2), nn.BatchNorm1d(2)), New())) == 1
    x = taeda.randn(3, 2)
    assert (traced(x) == taeda.relu(new(x))).all() and [name for name, _ in traced.named_children()] == ["2", "only"]


def test_shapes_are_seen() -> None:
    traced = fx.symbolic_trace(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()))
    ShapeProp(traced).propagate(taeda.ones(1, 1, 5, 5))
    seen = [n.meta["tensor_meta"] for n in traced.graph.nodes]
    assert [tuple(m.shape) for m in seen] == [(1, 1, 5, 5), (1, 2, 3, 3), (1, 18), (1, 18)]
    assert seen[1].stride == (18, 9, 3, 1) and seen[1].requires_grad and seen[1].memory_format is taeda.contiguous_format
    assert '_0: "f32[1, 2, 3, 3]" = getattr(self, "0")(input_1);  input_1 = None' in traced.print_readable(False)


def test_modules_are_cut() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.p = nn.Parameter(taeda.ones(2))
            self.l = nn.Linear(2, 2)

        def forward(self, x: Any, y: Any) -> Any:
            return self.l(x + self.p).clamp(min=0.0) + self.l(y).clamp(min=0.0)

    net = Two()
    traced = fx.symbolic_trace(net)
    parts = {n: i % 3 for i, n in enumerate(n for n in traced.graph.nodes if n.op.startswith("call"))}
    assert split_module(traced, None, lambda n: 0).submod_0.code == split_module(traced, net, lambda n: 0).submod_0.code
    cut = split_module(traced, net, parts.__getitem__)
    x, y = taeda.randn(3, 2), taeda.randn(3, 2)
    assert (cut(x, y) == net(x, y)).all()
    assert "submod_0 = self.submod_0(x, p, y)" in cut.code and "def forward(self, add, l_1):" in cut.submod_1.code
    turn = iter((0, 1, 0, 1, 0, 1))
    with pytest.raises(RuntimeError, match="cycle exists"):
        split_module(fx.symbolic_trace(lambda x: x + 1 - 2 + 3), net, lambda n: next(turn))


def test_batch_norms_are_folded() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout()).eval()
    net[1].running_mean.fill_(0.3), net[1].running_var.fill_(2.0)
    x = taeda.randn(2, 1, 5, 5)
    fused = fuse(net)
    assert [type(m) for m in fused.children()] == [nn.Conv2d, nn.ReLU, nn.Dropout]
    assert taeda.allclose(fused(x), net(x), atol=1e-6) and isinstance(net[1], nn.BatchNorm2d)
    assert [type(m) for m in remove_dropout(net).children()] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    flat = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval()
    flat[1].running_mean.fill_(0.3), flat[1].running_var.fill_(2.0)
    fused, x = fuse(flat), taeda.randn(5, 3)
    assert [type(m) for m in fused.children()] == [nn.Linear, nn.Linear] and taeda.allclose(fused(x), flat(x), atol=1e-6)
    positions = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(6)).eval()  # of (B, 6, 3): the norm's channels are not the layer's
    assert [type(m) for m in fuse(positions).children()] == [nn.Linear, nn.BatchNorm1d]


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.l = nn.Linear(2, 2)

    def forward(self, x: Any) -> Any:
        return taeda.relu(self.l(x)).sigmoid() + 1


def test_rules_of_what_a_backend_runs() -> None:
    traced = fx.symbolic_trace(Head())
    modules = dict(traced.named_modules())

    def supported(rule: Any) -> list[str]:
        return [n.name for n in traced.graph.nodes if rule.is_node_supported(modules, n)]

    by_dtype = OperatorSupport({"taeda.nn.modules.linear.Linear": None, "taeda.relu": (([taeda.float32],), {}),
                                "sigmoid": (([taeda.float16],), {}), "_operator.add": ([None, [taeda.int64]], {"alpha": [taeda.int64]})})
    with pytest.raises(KeyError, match="tensor_meta"):
        supported(by_dtype)
    ShapeProp(traced).propagate(taeda.ones(1, 2))
    assert supported(by_dtype) == ["x", "l", "relu", "add", "output"] and supported(OperatorSupport()) == ["x", "output"]
    functions = create_op_support(lambda _, node: node.op == "call_function")
    assert supported(chain(functions, by_dtype)) == ["relu", "add"]
    assert supported(any_chain(functions, OperatorSupport())) == ["x", "relu", "add", "output"]
    assert supported(OpSupports.decline_if_input_dtype(taeda.float32)) == ["x"]
    assert supported(OpSupports.decline_if_node_in_names({"relu", "l"})) == ["x", "sigmoid", "add", "output"]


def test_passes_run_in_an_order_until_nothing_changes() -> None:
    traced, ran = fx.symbolic_trace(Head()), []

    class Cut(PassBase):
        left = 2

        def requires(self, graph_module: Any) -> None:
            ran.append("before")

        def call(self, graph_module: Any) -> PassResult:
            self.left -= 1
            return PassResult(graph_module, self.left > 0)

        def ensures(self, graph_module: Any) -> None:
            ran.append("after")

    result = PassManager([Cut()], steps=5, run_checks_after_each_pass=True)(traced)
    assert result.modified and result.graph_module is traced and ran == ["before", "after"] * 2

    def first(gm: Any) -> None:
        ran.append("first")

    def second(gm: Any) -> Any:
        ran.append("second")
        return gm

    ran.clear()
    manager = PassManager([pass_result_wrapper(second), pass_result_wrapper(first)])
    manager.add_constraint(this_before_that_pass_constraint(manager.passes[1], manager.passes[0]))
    with pytest.raises(RuntimeError, match="first must come before second"):
        manager(traced)
    manager.solve_constraints()
    assert manager(traced) == PassResult(traced, True) and ran == ["first", "second"]
    manager.add_constraint(this_before_that_pass_constraint(manager.passes[1], manager.passes[0]))
    with pytest.raises(RuntimeError, match="circular dependency"):
        manager.solve_constraints()


def test_passes_that_fail_are_named() -> None:
    traced = fx.symbolic_trace(Head())
    with pytest.raises(Exception, match="running 'broken' after \\['fine'\\]: division by zero"):
        def fine(gm: Any) -> Any:
            return PassResult(gm, False)

        def broken(gm: Any) -> Any:
            return 1 / 0

        PassManager([fine, broken])(traced)
    with pytest.raises(Exception, match="no PassResult but NoneType"):
        PassManager([lambda gm: None])(traced)
    with pytest.raises(TypeError, match="one argument"):
        PassManager().add_checks(lambda a, b: None)

    def wrong(gm: Any) -> None:
        raise ValueError("wrong")

    for suppressed in (False, True):
        manager = PassManager([fine], suppress_check_failures=suppressed)
        manager.add_checks(wrong)
        if suppressed:
            assert not manager(traced).modified
        else:
            with pytest.raises(ValueError, match="wrong"):
                manager(traced)


def test_a_write_by_an_operator_outlives_the_elimination() -> None:
    def f(x: taeda.Tensor, y: taeda.Tensor) -> taeda.Tensor:
        taeda.ops.aten.add_.Tensor(x, y)
        return x * 2

    traced = fx.symbolic_trace(f)
    assert not traced.graph.eliminate_dead_code()
    assert traced(taeda.ones(2), taeda.ones(2)).tolist() == [4, 4]


def test_a_power_of_a_negative_number_keeps_its_parentheses() -> None:
    traced = fx.symbolic_trace(lambda x: (-2) ** x - (-1.5) ** (x + 1) + x ** -1)
    assert "(-2) ** x" in traced.code and "x ** -1" in traced.code
    assert traced(taeda.tensor([2.0, 4.0])).allclose(taeda.tensor([4.0 + 1.5**3 + 0.5, 16.0 + 1.5**5 + 0.25]))


def test_a_layer_that_is_called_elsewhere_too_is_not_fused() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)

        def forward(self, x: Any) -> Any:
            return self.norm(self.conv(x)) + self.conv(x * 2)

    class Twice(Shared):
        def forward(self, x: Any) -> Any:
            return self.norm(self.conv(self.norm(self.conv(x))))

    x = taeda.ones(1, 1, 2, 2)
    for model in (Shared().eval(), Twice().eval()):
        model.norm.running_mean.fill_(3.0)
        model.norm.running_var.fill_(4.0)
        assert fuse(model)(x).allclose(model(x))


def test_an_operation_that_fails_while_shapes_are_looked_at() -> None:
    traced = fx.symbolic_trace(lambda x: x.absent())
    with pytest.raises(RuntimeError, match="ShapeProp error for: node=%absent") as caught:
        ShapeProp(traced).propagate(taeda.ones(2))
    assert type(caught.value.__cause__) is AttributeError

    class Reader(fx.Interpreter):
        def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
            return {}[target]

    with pytest.raises(RuntimeError, match="While executing %absent") as caught:
        Reader(traced).run(taeda.ones(2))
    assert type(caught.value.__cause__) is KeyError


def test_inputs_of_parts_can_be_numbered() -> None:
    traced = fx.symbolic_trace(lambda x, y: taeda.relu(taeda.add(y, x)))
    parts = split_module(traced, None, lambda node: int(node.name == "relu"), keep_original_input_name=False)
    names = [[n.target for n in part.graph.nodes if n.op == "placeholder"] for part in parts.children()]
    assert names == [["arg_0", "arg_1"], ["arg_0"]]
    assert parts(taeda.tensor([1.0]), taeda.tensor([-3.0])).tolist() == [0.0]


def test_a_pattern_without_a_replacement_is_refused_wherever_it_is() -> None:
    for f in (lambda x: x + 1, lambda x: x * 2):
        with pytest.raises(AssertionError, match="Must provide either a replacement"):
            fx.subgraph_rewriter.replace_pattern_with_filters(fx.symbolic_trace(f), lambda x: x * 2, None)


def test_a_deep_copy_keeps_what_no_node_names() -> None:
    traced = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2)))
    traced.add_submodule("more.inside", nn.Linear(2, 3))
    traced.register_buffer("scale", taeda.ones(1))
    traced.shift = nn.Parameter(taeda.zeros(1))
    copied = copy.deepcopy(traced)
    assert list(copied.state_dict()) == list(traced.state_dict()) and copied.more.inside is not traced.more.inside
    assert type(copied.shift) is nn.Parameter and copied.scale.equal(traced.scale)
    assert (traced._get_name(), copy.copy(traced)._get_name(), copied._get_name()) == ("Sequential", "GraphModule", "GraphModule")
