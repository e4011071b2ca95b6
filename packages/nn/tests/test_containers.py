"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import taeda
from taeda import nn


def _names(module):
    return [type(m).__name__ for m in module.children()]


def test_sequential_runs_in_order_and_indexes():
    s = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert s(taeda.ones(4, 2)).shape == (4, 1)
    assert s[-1] is s[2] and len(s) == 3 and list(s)[1] is s[1]
    assert list(s[1:]._modules) == ["1", "2"], "a slice keeps its modules' names"
    assert nn.Sequential()(5) == 5
    with pytest.raises(IndexError, match=r"\[Sequential\] index 3 is out of range: it holds 3$"):
        s[3]
    with pytest.raises(TypeError):
        s["a"]


def test_sequential_of_names():
    s = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))
    assert s.a is s[0] and list(s._modules) == ["a", "b"]
    s[0] = nn.ELU()
    assert isinstance(s.a, nn.ELU)
    del s[0]
    assert _names(s) == ["Tanh"]


def test_sequential_operators():
    s = nn.Sequential(nn.ReLU(), nn.Tanh())
    assert _names(s + nn.Sequential(nn.ELU())) == ["ReLU", "Tanh", "ELU"]
    assert len(s * 2) == len(2 * s) == 4
    t = s
    t += nn.Sequential(nn.ELU())
    t *= 2
    assert t is s and len(s) == 6
    assert _names(s.insert(1, nn.SELU()))[:2] == ["ReLU", "SELU"]
    assert isinstance(s.pop(1), nn.SELU) and len(s) == 6
    del s[1:5]
    assert list(s._modules) == ["0", "1"]
    assert s.append(nn.GELU()) is s and s.extend([nn.GLU()]) is s
    assert _names(s) == ["ReLU", "ELU", "GELU", "GLU"]
    for bad, kind in ((lambda: s + 3, ValueError), (lambda: s * 1.5, TypeError), (lambda: s * 0, ValueError)):
        with pytest.raises(kind):
            bad()
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        s.append(3)
    with pytest.raises(AssertionError):
        s.insert(0, 3)
    with pytest.raises(IndexError, match="Index out of range: 99"):
        s.insert(99, nn.ReLU())


def test_a_slice_can_be_added_to():
    s = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ELU())[1:]
    s.append(nn.GELU())
    assert _names(s) == ["Tanh", "ELU", "GELU"]


def test_module_list():
    m = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    m += [nn.ELU()]
    m.insert(0, nn.GELU())
    assert _names(m) == ["GELU", "ReLU", "Tanh", "ELU"]
    assert [type(x).__name__ for x in m[1:3]] == ["ReLU", "Tanh"] and list(m[1:3]._modules) == ["0", "1"]
    del m[0]
    assert list(m._modules) == ["0", "1", "2"] and isinstance(m[0], nn.ReLU)
    m[0] = nn.SELU()
    assert isinstance(m.pop(0), nn.SELU) and len(m) == 2
    assert len(m + [nn.ReLU()]) == 3
    assert m[0] in m
    with pytest.raises(IndexError):
        m[5] = nn.ReLU()
    with pytest.raises(TypeError, match="but got Linear; put it in a list$"):
        nn.ModuleList(nn.Linear(1, 1))
    with pytest.raises(TypeError, match="ModuleList.extend should be called with an iterable, but got int$"):
        m.extend(3)
    with pytest.raises(NotImplementedError, match="missing the required"):
        m(3)


def test_module_list_prints_equal_neighbours_once():
    m = nn.ModuleList([nn.Linear(1, 1) for _ in range(3)] + [nn.ReLU()])
    assert repr(m) == "ModuleList(\n  (0-2): 3 x Linear(in_features=1, out_features=1, bias=True)\n  (3): ReLU()\n)"
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict():
    d = nn.ModuleDict({"z": nn.ReLU(), "a": nn.Tanh()})
    assert list(d) == list(d.keys()) == ["z", "a"] and "z" in d and len(d) == 2
    d.update([("b", nn.ELU())])
    d["z"] = nn.GELU()
    assert [type(v).__name__ for v in d.values()] == ["GELU", "Tanh", "ELU"]
    assert isinstance(d.pop("a"), nn.Tanh) and "a" not in d and not hasattr(d, "a")
    del d["b"]
    d.clear()
    assert len(d) == 0
    for bad, kind in (
        (lambda: d["nothing"], KeyError),
        (lambda: nn.ModuleDict({"keys": nn.ReLU()}), KeyError),
        (lambda: d.update(3), TypeError),
        (lambda: d.update([3]), TypeError),
        (lambda: d.update([("a", nn.ReLU(), 1)]), ValueError),
        (lambda: nn.ModuleDict({"a": 3}), TypeError),
    ):
        with pytest.raises(kind):
            bad()


def test_parameter_list():
    p = nn.ParameterList([taeda.ones(2), nn.Parameter(taeda.ones(3)), 5])
    assert len(p) == 3 and len(list(p.parameters())) == 2 and p[2] == 5
    assert isinstance(p[0], nn.Parameter) and p[-1] == 5
    p[0] = taeda.zeros(7)
    p += [taeda.ones(1)]
    assert p.append("x") is p and len(p) == 5
    assert list(p.state_dict()) == ["0", "1", "3"]
    assert [tuple(q.shape) for q in p[:2]] == [(7,), (3,)]
    assert "(meta)" not in repr(nn.ParameterList([taeda.ones(2, 3, device="meta")]))
    assert repr(nn.ParameterList([taeda.ones(2, 3)])) == ("ParameterList(  (0): Parameter containing: [taeda.float32 of size 2x3])")
    with pytest.raises(IndexError):
        p[9]
    with pytest.raises(RuntimeError, match="should not be called"):
        p()
    with pytest.raises(TypeError):
        p.extend(3)


def test_parameter_dict():
    d = nn.ParameterDict({"b": taeda.ones(2), "a": nn.Parameter(taeda.ones(3)), "n": 5})
    assert list(d) == ["a", "b", "n"], "a plain dict is taken by sorted keys"
    assert list(nn.ParameterDict(OrderedDict(z=taeda.ones(1), a=taeda.ones(1)))) == ["z", "a"]
    assert list(nn.ParameterDict().fromkeys(["z", "a"], 2).items()) == [("z", 2), ("a", 2)]
    assert isinstance(d["b"], nn.Parameter) and d["n"] == 5 and d.get("x", 1) == 1
    assert len(list(d.parameters())) == 2
    assert d.setdefault("c", taeda.zeros(1)).shape == (1,)
    assert d.popitem()[0] == "c" and d.pop("n") == 5
    both = d | {"q": taeda.ones(1)}
    assert list(both) == ["a", "b", "q"] and list(d) == ["a", "b"]
    assert both["a"] is d["a"]
    assert [k for k, _ in d.items()] == ["a", "b"] and list(reversed(d)) == ["b", "a"]
    assert repr(d) == (
        "ParameterDict(\n    (a): Parameter containing: [taeda.FloatTensor of size 3]\n"
        "    (b): Parameter containing: [taeda.FloatTensor of size 2]\n)"
    )
    d.clear()
    assert len(d) == 0 and repr(d) == "ParameterDict()"
    with pytest.raises(KeyError, match="the dict is empty"):
        d.popitem()
    with pytest.raises(TypeError, match="not a string"):
        d[3] = taeda.ones(1)
    with pytest.raises(KeyError):
        d["keys"] = 3
