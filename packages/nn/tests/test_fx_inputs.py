"""What a traced program takes: trees, ``*args``, marked inputs; and operators by PyTorch's internal names."""

from __future__ import annotations

import collections
import os
import pickle

import pytest

import taeda
import taeda.nn as nn
from taeda import fx
from taeda.fx import PH

Pair = collections.namedtuple("Pair", "x y")


class Sum(nn.Module):
    def forward(self, *args, **kwargs):
        return args[0] + args[1]


@pytest.mark.parametrize("tree", [{"a": PH, "b": PH}, [PH, PH], (PH, PH), Pair(PH, PH), {"a": [PH], "b": {"c": PH}}], ids=str)
def test_a_module_that_takes_a_tree_is_traced_again(tree):
    def first(x):
        return next(iter(x.values())) if isinstance(x, dict) else x[0]

    traced = fx.symbolic_trace(first, concrete_args={"x": tree})
    assert "tree_flatten_spec" in traced.code
    again = fx.symbolic_trace(traced)  # its input is one Proxy now
    assert "tree_flatten_spec" not in again.code and [n.op for n in again.graph.nodes].count("placeholder") == 1
    value = taeda.utils._pytree.tree_map(lambda leaf: taeda.ones(2), tree)
    assert str(again(value)) == str(first(value)) == str(traced(value))


def test_a_function_of_args_alone_has_as_many_inputs_as_concrete_args():
    traced = fx.symbolic_trace(Sum(), concrete_args=(PH, PH, PH))
    assert [n.name for n in traced.graph.nodes] == ["input_0", "input_1", "input_2", "add", "output"]
    assert traced(taeda.ones(2), taeda.ones(2), None).tolist() == [2, 2]


def test_a_marked_input_gives_its_node_the_mark():
    traced = fx.symbolic_trace(lambda a, b: a + b, concrete_args=(fx._symbolic_trace.PHWithMeta(ph_key="key"), PH))
    nodes = [n for n in traced.graph.nodes if n.op == "placeholder"]
    assert nodes[0].ph_key == "key" and not hasattr(nodes[1], "ph_key")


def test_a_method_that_is_not_there_cannot_be_traced():
    tracer = fx.Tracer()
    tracer.traced_func_name = "absent"
    with pytest.raises(AssertionError, match="doesn't exist in Sum"):
        tracer.trace(Sum())


def test_generated_code_names_the_file_of_the_program():
    name = fx.symbolic_trace(Sum()).forward.__code__.co_filename
    assert name.startswith("<eval_with_key>") and os.path.basename(__file__) in name and name.endswith("in forward")


def test_operators_by_internal_names_are_nodes():
    aten = taeda.ops.aten

    def program(x):
        return aten.add.Tensor(aten.relu(x), 1)

    traced = fx.symbolic_trace(program)
    assert [n.target for n in traced.graph.nodes][1:3] == [aten.relu, aten.add.Tensor]
    assert [n.name for n in traced.graph.nodes][1:3] == ["relu", "add_tensor"]
    assert "taeda.ops.aten.add.Tensor(relu, 1)" in traced.code
    x = taeda.tensor([-1.0, 2.0])
    assert traced(x).tolist() == program(x).tolist() == [1, 3]
    assert pickle.loads(pickle.dumps(traced))(x).tolist() == [1, 3]
    assert pickle.loads(pickle.dumps(aten.add.Tensor)) is aten.add.Tensor
    assert pickle.loads(pickle.dumps(aten.add)) is aten.add


def test_patterns_of_operators_are_found():
    aten = taeda.ops.aten
    traced = fx.symbolic_trace(lambda x, y: aten.view(x, [5, y.shape[0]]).relu())
    matches = fx.replace_pattern(traced, lambda x, y, n: aten.view(x, [n, y.shape[0]]), lambda x, y, n: x.reshape(n, -1))
    assert len(matches) == 1 and "aten" not in traced.code
    assert traced(taeda.ones(10), taeda.ones(2)).shape == (5, 2)


@taeda.library.custom_op("fx_inputs::double", mutates_args=())
def double(x: taeda.Tensor) -> taeda.Tensor:
    return x * 2


def test_operators_of_a_program_are_nodes():
    packet = taeda.ops.fx_inputs.double
    traced = fx.symbolic_trace(lambda x: packet(x) + double(x))
    assert [n.target for n in traced.graph.nodes][1:3] == [packet, packet.default]
    assert "taeda.ops.fx_inputs.double.default(x)" in traced.code
    assert traced(taeda.ones(2)).tolist() == [4, 4] == pickle.loads(pickle.dumps(traced))(taeda.ones(2)).tolist()
    kinds = taeda._ops.OpOverload, taeda._ops.OpOverloadPacket
    assert isinstance(packet.default, kinds[0]) and isinstance(packet, kinds[1]) and isinstance(taeda.ops.aten.add.Tensor, kinds[0])


def test_more_arguments_cannot_be_fixed() -> None:
    def f(x, *args):
        return x * args[0]

    with pytest.raises(KeyError, match=r"\*args"):
        fx.symbolic_trace(f, concrete_args={"*args": (1,)})


def test_a_tensor_made_in_the_dtype_of_a_proxy_is_recorded():
    def f(x):
        scale = taeda.tensor([0.5, 2.0], dtype=x.dtype, device=x.device)
        return x * scale + taeda.as_tensor([1, 2], dtype=x.dtype) + taeda.as_tensor([1, 2], x.dtype)

    traced = fx.symbolic_trace(f)
    assert [n.name for n in traced.graph.nodes if n.op == "call_function" and "tensor" in n.name] == ["tensor", "as_tensor", "as_tensor_1"]
    y = traced(taeda.ones(2, dtype=taeda.float64))
    assert y.dtype is taeda.float64 and y.tolist() == [2.5, 6.0]
