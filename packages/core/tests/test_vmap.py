"""vmap: every op against a loop over the samples, in_dims and out_dims, nesting, what is refused."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import harness
import taeda
from opinfo import Call, Row
from taeda.func import debug_unwrap, vmap
from taeda.func.batched import DYNAMIC, RULES
from taeda.func.rules_random import BY_CHANNEL, FACTORIES, IN_PLACE, LIKE, POINTWISE

ROWS = harness.load_rows()
IDS = harness.row_ids(ROWS)
B = 3
# results whose shape depends on the data, or that are no tensors; what draws at random
NOT_MAPPED = DYNAMIC | {"allclose", "argwhere", "equal", "masked_select", "pca_lowrank", "svd_lowrank", *BY_CHANNEL, *FACTORIES, *IN_PLACE, *LIKE, *POINTWISE}
MAPPED = [(r, i) for r, i in zip(ROWS, IDS, strict=True) if r.name not in NOT_MAPPED]


def assert_close(a: Any, b: Any, what: str) -> None:
    harness.assert_close(a, b, 1e-9, 1e-11, what)


def stacked(runs: list[Any]) -> list[Any]:
    return [taeda.stack(list(c)) for c in zip(*[[t for t in harness.flat_outputs(r) if isinstance(t, taeda.Tensor)] for r in runs], strict=True)]


def variants(call: Call, i: int) -> Call:
    """Sample i of a call: its value arrays scaled a little, so that samples differ."""

    def one(a: np.ndarray) -> np.ndarray:
        return a * (1 - 0.05 * i) if harness.is_value(a) else a

    made = Call(*harness.map_arrays(call.args, one))
    made.kwargs = harness.map_arrays(call.kwargs, one)
    return made


def check_row(row: Row, which: str) -> int:
    """Compare vmap with a loop; ``which`` of the value tensors vary: all of them, or only the first, the last."""
    function = harness.find(taeda, row.name)
    count = 0
    for call in harness.calls_of(row)[:4]:
        samples = [harness.tensors(taeda, variants(call, i)) for i in range(B)]
        values = samples[0][2]
        if not values:
            continue
        varying = range(len(values)) if which == "all" else [0] if which == "first" else [len(values) - 1]
        for s in samples[1:]:
            for k in range(len(values)):
                if k not in varying:
                    s[2][k].copy_(values[k])
        columns = [taeda.stack([s[2][k] for s in samples]) if k in varying else values[k] for k in range(len(values))]
        args, kwargs, _ = samples[0]
        ids = [id(v) for v in values]

        def of(*given: Any, args: Any = args, kwargs: Any = kwargs, ids: Any = ids) -> Any:
            by_id = dict(zip(ids, given, strict=True))
            found = function(*substituted(args, by_id), **substituted(kwargs, by_id))
            return tuple(t for t in harness.flat_outputs(found) if isinstance(t, taeda.Tensor))

        try:
            runs = [harness.run_quietly(of, *[c[i].clone() if k in varying else c for k, c in enumerate(columns)]) for i in range(B)]
        except Exception:  # scaled values left the op's domain: nothing to compare
            continue
        wanted = stacked(runs)
        found = harness.run_quietly(vmap(of, in_dims=tuple(0 if k in varying else None for k in range(len(values)))), *columns)
        assert len(found) == len(wanted)
        for a, b in zip(found, wanted, strict=True):
            assert a.dtype == b.dtype, f"{row.name} {call}: {a.dtype}, expected {b.dtype}"
            assert_close(a, b, f"{row.name} {call}, {which} varying")
        count += 1
    return count


def substituted(x: Any, by_id: dict[int, Any]) -> Any:
    if isinstance(x, (tuple, list)):
        return type(x)([substituted(v, by_id) for v in x])
    if isinstance(x, dict):
        return {k: substituted(v, by_id) for k, v in x.items()}
    return by_id.get(id(x), x)


@pytest.mark.parametrize("which", ["all", "first", "last"])
@pytest.mark.parametrize("row", [r for r, _ in MAPPED], ids=[i for _, i in MAPPED])
def test_vmap_is_a_loop_over_the_samples(row: Row, which: str) -> None:
    if not check_row(row, which):
        pytest.skip("no call with values")


def test_common_functions_do_not_run_once_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(func: Any, *rest: Any) -> Any:
        raise AssertionError(f"{func.__name__} has no rule")

    for name in ("loop", "loop_in_place"):
        monkeypatch.setattr(f"taeda.func.batched.{name}", refuse)
    x, w = taeda.randn(3, 4, 5), taeda.randn(5, 5)

    def f(a: taeda.Tensor) -> taeda.Tensor:
        b = (a @ w).relu().softmax(-1) + a.mean(0, keepdim=True) * 2 - a.max(1).values.unsqueeze(1)
        c = taeda.cat([b, a], 0)[1:].reshape(-1, 5).transpose(0, 1)[..., None].squeeze(-1).clone().mul_(2)
        d = taeda.where(c > 0, c, 0.5 * c).sum() + taeda.einsum("ij,kj->", a, w) + taeda.stack(a.split(2)).std()
        return d + taeda.ops.layer_norm(a, (5,)).sort().values.cumsum(0)[0, 0] + taeda.ops.mse_loss(a, b) + a.flatten()[3] + a.norm()

    assert vmap(f)(x).shape == (3,)
    assert {"exp", "add", "where", "sum", "max", "softmax", "reshape", "permute", "cat", "matmul", "linear", "__getitem__"} <= set(RULES)


bag = taeda.ops.embedding_bag
INDICES, OFFSETS = taeda.tensor([0, 1, 3, 3, 2]), taeda.tensor([0, 2])

NO_LOOP = {
    "conv with weights of its own": (lambda x, w: taeda.conv2d(x, w, padding=1), (2, 2, 5, 5), (4, 2, 3, 3)),
    "conv of a sample without batch": (lambda x, w: taeda.conv1d(x, w, stride=2), (2, 7), (4, 2, 3)),
    "grouped conv with a bias": (lambda x, w: taeda.conv2d(x, w, w[:, 0, 0, 0], groups=2), (1, 4, 5, 5), (6, 2, 2, 2)),
    "transposed conv": (lambda x, w: taeda.conv_transpose2d(x, w, stride=2), (2, 3, 4, 4), (3, 2, 2, 2)),
    "solve": (lambda a, b: taeda.linalg.solve(a, b), (3, 3), (3, 2)), "solve a vector": (lambda a, b: taeda.linalg.solve(a, b), (3, 3), (3,)),
    "solve a batch of vectors": (lambda a, b: taeda.linalg.solve(a, b), (2, 3, 3), (2, 3)),
    "solve from the right": (lambda a, b: taeda.linalg.solve(a, b, left=False), (3, 3), (2, 3)),
    "triangles": (lambda a, b: taeda.linalg.solve_triangular(a.tril(), b, upper=False), (3, 3), (3, 2)),
    "cholesky": (lambda a, b: taeda.cholesky_solve(b, taeda.linalg.cholesky(a @ a.mT + taeda.eye(3))), (3, 3), (3, 2)),
    "fft": (lambda x, y: taeda.fft.fft(x, dim=0) + taeda.fft.rfft2(y, norm="ortho").sum(), (4, 6), (4, 4)),
    "fftn": (lambda x, y: taeda.fft.fftn(x) + taeda.fft.ifftn(y, s=(6,)), (4, 6), (4, 6)),
    "shifts": (lambda x, y: taeda.fft.fftshift(x) + taeda.fft.ifftshift(y, dim=0), (4, 6), (4, 6)),
    "roll": (lambda x, y: x.roll(2) + y.roll((1, -1), (0, 1)), (4, 3), (4, 3)),
    "flip": (lambda x, y: x.flip(0) + y.flip((0, -1)) + taeda.flip(x, dims=[1]), (4, 3), (4, 3)),
    "rot90": (lambda x, y: taeda.rot90(x) + y.T, (4, 3), (4, 3)),
    "attention": (lambda q, k: taeda.ops.scaled_dot_product_attention(q, k, k.cos(), is_causal=True, scale=0.3), (2, 4, 3), (2, 5, 3)),
    "attention with a mask": (lambda q, m: taeda.ops.scaled_dot_product_attention(q, q.sin(), q, m), (2, 4, 3), (4, 4)),
    "attention with grouped heads": (lambda q, k: taeda.ops.scaled_dot_product_attention(q, k, k, enable_gqa=True), (4, 5, 3), (2, 5, 3)),
    "grid_sample": (lambda x, g: taeda.ops.grid_sample(x, g.tanh(), align_corners=False), (2, 3, 5, 4), (2, 3, 3, 2)),
    "grid_sample of volumes": (lambda x, g: taeda.ops.grid_sample(x, g.tanh(), align_corners=True), (1, 2, 3, 4, 3), (1, 2, 2, 2, 3)),
    "bags": (lambda w, f: bag(taeda.tensor([[0, 2], [3, 3]]), w) + bag(INDICES, w, OFFSETS, mode="sum", per_sample_weights=f), (4, 3), (5,)),
    "bags of several lists": (lambda w, x: bag((3 * x.sigmoid()).long(), w, OFFSETS, mode="max"), (4, 3), (5,)),
    "bags with padding": (lambda f, g: bag(INDICES, taeda.ones(4, 3).double(), OFFSETS, padding_idx=1, mode="sum", per_sample_weights=f * g), (5,), (5,)),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_LOOP)
@pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0)])
def test_what_has_a_rule_gives_what_a_loop_gives(name: str, in_dims: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    f, *shapes = NO_LOOP[name]
    taeda.manual_seed(0)
    x, y = (taeda.randn(*((3, *s) if d == 0 else s), dtype=taeda.float64) for s, d in zip(shapes, in_dims, strict=True))
    wanted = taeda.stack([f(x[i] if in_dims[0] == 0 else x, y[i] if in_dims[1] == 0 else y) for i in range(3)])
    monkeypatch.setattr("taeda.func.batched.loop", lambda func, *rest: pytest.fail(f"{func.__name__} has no rule"))
    assert_close(vmap(f, in_dims)(x, y), wanted, name)


def test_rows_of_several_tables_of_integers() -> None:
    tables, rows = taeda.arange(24).reshape(2, 4, 3), taeda.tensor([3, 0])
    assert vmap(lambda w: taeda.embedding(w, rows))(tables).tolist() == tables[:, rows].tolist()
    assert vmap(lambda i: taeda.embedding(tables[0], i))(rows).tolist() == tables[0, rows].tolist()
    assert vmap(taeda.embedding)(tables, rows).tolist() == [tables[0, 3].tolist(), tables[1, 0].tolist()]


def test_one_mask_selects_of_every_sample() -> None:
    x, mask = taeda.arange(24.0).reshape(2, 3, 4), taeda.tensor([[True], [False], [True]])
    for m in (mask, mask.expand(3, 4), mask[None], taeda.tensor(True)):
        for in_dim in (0, 1, 2):
            found = vmap(lambda a, m=m: taeda.masked_select(a, m), in_dims=in_dim)(x.movedim(0, in_dim))
            assert found.tolist() == taeda.stack([a.masked_select(m) for a in x]).tolist()
    assert vmap(lambda a: a.masked_select(mask=mask[0]))(taeda.ones(5)).shape == (5, 1)
    grads = vmap(taeda.func.grad(lambda a: (a.masked_select(mask) ** 2).sum()))(x)
    assert grads.tolist() == (2 * x * mask).tolist()
    with pytest.raises(RuntimeError, match="dynamic shape"):
        vmap(taeda.masked_select)(x, x > 3)
    with pytest.raises(RuntimeError, match="dynamic shape"):
        vmap(taeda.masked_select, in_dims=(None, 0))(x, x > 3)
    with pytest.raises(RuntimeError, match="masked_select"):
        vmap(lambda a: a.masked_select(taeda.ones(4).long()))(x)


def test_views_of_a_batch_are_views() -> None:
    y = taeda.ones(3, 2)
    assert vmap(taeda.squeeze)(y)._base is y
    views = [
        lambda a: a.view(-1)[1:2], lambda a: a[0, 1:2], lambda a: a.select(0, 0)[1:2], lambda a: a.narrow(1, 1, 1)[0], lambda a: a.t()[1, :1],
        lambda a: a.transpose(0, 1)[1, :1], lambda a: a.permute(1, 0)[1, :1], lambda a: a.unsqueeze(0)[0, 0, 1:2], lambda a: a.unbind(0)[0][1:2],
        lambda a: a.split(1)[0][0, 1:2], lambda a: a.chunk(2)[0][0, 1:2], lambda a: a.as_strided((1,), (1,), 1), lambda a: a.flatten()[1:2],
        lambda a: a.movedim(0, 1)[1, :1], lambda a: a.diagonal(1), lambda a: a.view_as(a)[0, 1:2], lambda a: a.squeeze()[0, 1:2], lambda a: a.mT[1, :1],
        lambda a: a.unflatten(1, (2, 1))[0, 1], lambda a: a.unfold(1, 1, 1)[0, 1], lambda a: a.detach()[0, 1:2], lambda a: a.T[1, :1],
    ]  # fmt: skip
    for view in views:
        x = taeda.zeros(3, 2, 2)
        vmap(lambda a, v=view: v(a).add_(1))(x)
        assert x.tolist() == [[[0, 1], [0, 0]]] * 3


def test_in_dims_and_out_dims_say_where_the_samples_lie() -> None:
    x = taeda.arange(24.0).reshape(2, 3, 4)
    for d in (-1, 0, 1, 2):
        assert vmap(lambda a: a.sum(0), in_dims=d)(x).tolist() == taeda.stack([a.sum(0) for a in x.unbind(d)]).tolist()
        assert vmap(lambda a: a, in_dims=d, out_dims=d)(x).tolist() == x.tolist()
    found = vmap(lambda d: {"u": d["a"], "v": (d["a"] + d["b"], [d["b"]])}, in_dims=({"a": 1, "b": None},), out_dims={"u": 0, "v": (1, [None])})(
        {"a": x[0], "b": taeda.ones(3)})
    assert found["u"].shape == (4, 3) and found["v"][0].shape == (3, 4) and found["v"][1][0].shape == (3,)


def test_one_result_may_have_its_place_in_a_tuple() -> None:
    assert vmap(lambda a: a, out_dims=(1,))(taeda.ones(2, 3)).shape == (3, 2)
    with pytest.raises(ValueError, match="not compatible"):
        vmap(lambda a: a, out_dims=(1, 0))(taeda.ones(2, 3))


def test_trees_of_every_kind_go_in_and_out() -> None:
    Pair = namedtuple("Pair", "left right")
    x = taeda.arange(3.0)
    found = vmap(lambda p: OrderedDict(sum=p.left + p.right, pair=Pair(p.left, [p.right])))(Pair(x, 2 * x))
    assert found["sum"].tolist() == [0, 3, 6] and isinstance(found, OrderedDict)
    assert isinstance(found["pair"], Pair) and found["pair"].right[0].tolist() == [0, 2, 4]
    assert isinstance(vmap(lambda a: a.max(0))(taeda.ones(2, 3)), type(taeda.ones(2).max(0)))


def test_nested_maps_equal_nested_loops() -> None:
    a, b = taeda.randn(4, 3, dtype=taeda.float64), taeda.randn(5, 3, dtype=taeda.float64)
    found = vmap(lambda x: vmap(lambda y: (x * y).sum() + x.max(), in_dims=0)(b))(a)
    assert taeda.allclose(found, a @ b.T + a.max(1).values[:, None])
    outer = vmap(vmap(taeda.dot, in_dims=(None, 0)), in_dims=(0, None))(a, b)
    assert taeda.allclose(outer, a @ b.T)


@pytest.mark.parametrize("chunk_size", [1, 2, 5, 7])
def test_chunks_change_nothing(chunk_size: int) -> None:
    taeda.manual_seed(0)
    one = vmap(lambda a: a + taeda.rand(2), randomness="same")(taeda.zeros(5, 2))
    after = taeda.rand(1)
    taeda.manual_seed(0)
    assert vmap(lambda a: a + taeda.rand(2), randomness="same", chunk_size=chunk_size)(taeda.zeros(5, 2)).equal(one)
    assert taeda.rand(1).equal(after)
    x = taeda.arange(10.0).reshape(5, 2)
    found = vmap(lambda a, b: (a * b, a.sum()), in_dims=(0, None), out_dims=(1, 0), chunk_size=chunk_size)(x, taeda.ones(2))
    assert found[0].tolist() == x.T.tolist() and found[1].tolist() == x.sum(1).tolist()


def test_writes_reach_the_samples_and_only_them() -> None:
    x = taeda.zeros(3, 2)

    def f(a: taeda.Tensor, v: taeda.Tensor) -> taeda.Tensor:
        a[0] = v
        a.add_(1)
        a[1:].mul_(v)
        return a

    assert vmap(f)(x, taeda.arange(3.0)).tolist() == [[1, 0], [2, 1], [3, 2]]
    assert x.tolist() == [[1, 0], [2, 1], [3, 2]]
    assert vmap(lambda v: v.new_zeros(2).add_(v))(taeda.arange(2.0)).tolist() == [[0, 0], [1, 1]]


REFUSED = [
    (lambda a: a.item(), "calling .item\\(\\) on a Tensor"),
    (lambda a: float(a), "calling .item\\(\\) on a Tensor"),
    (lambda a: a if a > 0 else -a, "data-dependent control flow"),
    (lambda a: a[None][a[None] > 0], "dynamic shape"),
    (lambda a: a[None].nonzero(), "dynamic shape"),
    (lambda a: taeda.zeros(()).add_(a), "inplace arithmetic"),
    (lambda a: taeda.zeros(2).__setitem__(0, a), "inplace arithmetic"),
    (lambda a: a.requires_grad_(), "functorch transform"),
    (lambda a: a.numpy(), "data pointer"),
    (lambda a: a + taeda.rand(()), "randomness error mode"),
]


@pytest.mark.parametrize(("f", "text"), REFUSED)
def test_what_a_batch_cannot_do_is_refused(f: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        vmap(f)(taeda.ones(3))


BAD = [
    ({"in_dims": None}, (taeda.ones(2),), "expected `in_dims` to be int"),
    ({"in_dims": (0, 0)}, (taeda.ones(2),), "not compatible with the structure of `inputs`"),
    ({"in_dims": 1}, (taeda.ones(2),), "Got in_dim=1 for some input"),
    ({"in_dims": (None,)}, (taeda.ones(2),), "Expected at least one Tensor to vmap over"),
    ({"in_dims": (0.5,)}, (taeda.ones(2),), "must be either an integer dimension or None"),
    ({}, (3,), "cannot vmap over non-Tensor arguments"),
    ({}, (), "got no inputs"),
    ({}, (taeda.ones(2), taeda.ones(3)), "same size in the mapped dimension, got sizes \\[2, 3\\]"),
    ({"out_dims": (0, 0)}, (taeda.ones(2),), "not compatible with the structure of `outputs`"),
    ({"out_dims": "x"}, (taeda.ones(2),), "must be an int, None or a python collection of ints"),
    ({"out_dims": None}, (taeda.ones(2),), "can not return a BatchedTensor when out_dim is None"),
    ({"chunk_size": 0}, (taeda.ones(2),), "chunk_size should be None or greater than 0"),
]


@pytest.mark.parametrize(("options", "args", "text"), BAD)
def test_arguments_of_vmap_are_checked(options: Any, args: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        vmap(lambda *a: a[0], **options)(*args)


def test_a_result_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(ValueError, match="must only return Tensors, got type <class 'int'>"):
        vmap(lambda a: 3)(taeda.ones(2))
    with pytest.raises(RuntimeError, match="'error', 'different', or 'same'"):
        vmap(lambda a: a, randomness="none")


def test_an_empty_batch_gives_empty_results() -> None:
    assert vmap(lambda a: a.sum())(taeda.ones(0, 3)).shape == (0,)
    assert vmap(lambda a: taeda.searchsorted(a, a))(taeda.ones(0, 3)).shape == (0, 3)


def test_zero_dimensional_samples_stay_weak_in_promotion() -> None:
    x = taeda.ones(4, 3)
    assert vmap(lambda a, s: a * s)(x, taeda.ones(4, dtype=taeda.float64)).dtype == taeda.float32
    assert vmap(lambda s: s * x)(taeda.arange(4)).dtype == taeda.float32


def test_a_batch_looks_like_one_sample() -> None:
    seen = []

    def f(a: taeda.Tensor) -> taeda.Tensor:
        seen.append((a.shape, a.dtype, a.device, a.dim(), a.numel(), len(a), repr(a).split("(")[0], debug_unwrap(a).shape))
        return sum(row.sum() for row in a)

    x = taeda.arange(24.0).reshape(2, 3, 4)
    assert vmap(f)(x).tolist() == x.sum((1, 2)).tolist()
    assert seen == [((3, 4), taeda.float32, taeda.device("cpu"), 2, 12, 3, "BatchedTensor", (2, 3, 4))]


def test_an_error_in_the_function_leaves_no_level_behind() -> None:
    with pytest.raises(ZeroDivisionError):
        vmap(lambda a: 1 / 0)(taeda.ones(2))
    assert vmap(lambda a: a + 1)(taeda.ones(2)).tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="must match the size of tensor b"):
        vmap(lambda a, b: a + b)(taeda.ones(2, 3), taeda.ones(2, 4))


class Cube(taeda.autograd.Function):
    @staticmethod
    def forward(x: Any) -> Any:
        return x**3

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 3 * ctx.saved_tensors[0] ** 2 * g


def test_a_users_function_needs_a_rule_of_its_own() -> None:
    class Looped(Cube):
        generate_vmap_rule = True

    class Mapped(Cube):
        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any) -> Any:
            assert info.batch_size == 3 and in_dims == (0,)
            return Mapped.apply(x), 0

    x = taeda.arange(3.0)
    for function in (Looped, Mapped):
        assert vmap(function.apply)(x).tolist() == [0, 1, 8]
        assert vmap(taeda.func.grad(lambda a, f=function: f.apply(a)))(x).tolist() == [0, 3, 12]
    with pytest.raises(RuntimeError, match="does not have vmap support"):
        vmap(Cube.apply)(x)


def test_a_users_rule_sees_the_trees_that_it_was_given() -> None:
    class Weighted(Cube):
        @staticmethod
        def forward(x: Any, more: Any, *, scale: float = 1) -> Any:
            return x

        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any, more: Any, *, scale: Any = 1) -> Any:
            seen.append(in_dims)
            return (x * more[0] + more[1]["b"]) * scale, 0

    x, seen = taeda.arange(3.0), []
    assert vmap(lambda a, b: Weighted.apply(a, [b, {"b": 1.0}]))(x, x + 1).tolist() == [1, 3, 7]
    assert vmap(lambda a: Weighted.apply(a, [taeda.tensor(2.0), {"b": a}], scale=3))(x).tolist() == [0, 9, 18]
    assert seen == [(0, [0, {"b": None}]), (0, [None, {"b": 0}])]
    with pytest.raises(NotImplementedError, match="by position"):
        vmap(lambda a: Weighted.apply(a, [a, {"b": a}], scale=a))(x)


def test_a_users_rule_gets_tensors_as_the_caller_gave_them() -> None:
    class Turned(Cube):
        @staticmethod
        def forward(x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any, y: Any) -> Any:
            seen.append((info.batch_size, info.randomness, in_dims, tuple(x.shape), tuple(y.shape)))
            x = x.movedim(in_dims[0], 0)
            return Turned.apply(x, y if in_dims[1] is None else y.movedim(in_dims[1], 0)).movedim(0, -1), x.dim() - 1

    x, y, seen = taeda.arange(24.0).reshape(2, 3, 4), taeda.arange(6.0).reshape(2, 3), []
    assert vmap(Turned.apply, in_dims=(-1, None))(x, y).equal((x * y[..., None]).movedim(2, 0))
    assert vmap(vmap(Turned.apply, in_dims=(1, 1)), in_dims=(2, None), randomness="same")(x, y).equal((x * y[..., None]).permute(2, 1, 0))
    assert vmap(lambda x, y: Turned.apply(x.mul_(2), y), in_dims=(1, 1))(x, y[..., None]).equal((x * y[..., None]).movedim(1, 0))
    assert seen == [(4, "error", (2, None), (2, 3, 4), (2, 3)), (3, "error", (1, 1), (2, 3), (2, 3)),
                    (4, "same", (0, None), (4, 3, 2), (3, 2)), (3, "error", (1, 1), (2, 3, 4), (2, 3, 1))]
    assert vmap(lambda a: taeda.func.debug_unwrap(a, recurse=False).shape == (2, 3) and a, in_dims=1)(y).shape == (3, 2)


def test_levels_belong_to_their_thread() -> None:
    import threading

    found = []

    def other() -> None:
        found.append(taeda.rand(2).shape)

    def f(a: taeda.Tensor) -> taeda.Tensor:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return a

    vmap(f)(taeda.ones(2))
    assert found == [(2,)]


def test_cond_chooses_sample_by_sample() -> None:
    x, p = taeda.arange(6.0).view(2, 3), taeda.tensor([True, False])
    got, total = taeda.vmap(lambda p, a: taeda.cond(p, lambda b: (b * 2, b.sum()), lambda b: (b - 1, b.prod()), (a,)))(p, x)
    assert got.tolist() == [[0.0, 2.0, 4.0], [2.0, 3.0, 4.0]] and total.tolist() == [3.0, 60.0]
    grads = taeda.vmap(taeda.func.grad(lambda a: taeda.cond(a.sum() > 4, lambda b: (b * b).sum(), lambda b: b.sum(), (a,))))(x)
    assert grads.tolist() == [[1.0, 1.0, 1.0], [6.0, 8.0, 10.0]]


def test_places_are_listed_where_all_samples_have_as_many() -> None:
    x = taeda.tensor([[0.0, 1, 3], [2, 0, 1]])
    assert vmap(taeda.argwhere)(x).tolist() == [[[1], [2]], [[0], [2]]]
    with pytest.raises(RuntimeError, match="dynamic shape"):
        vmap(taeda.argwhere)(taeda.tensor([[0.0, 1], [0, 0]]))


def test_a_sample_is_contiguous_wherever_the_others_are() -> None:
    def asked(x: Any) -> Any:
        return taeda.tensor(float(x.is_contiguous()))

    for x, dim, wanted in (
        (taeda.ones(3, 2, 7), 0, 1), (taeda.ones(2, 3, 7), 1, 0), (taeda.ones(2, 7, 3), 2, 0), (taeda.ones(3, 0, 4).mT, 0, 1),
        (taeda.ones(3, 4, 1, 4)[:, :1], 0, 1),
    ):
        assert vmap(asked, in_dims=dim)(x).tolist() == [wanted] * x.shape[dim]
    assert vmap(vmap(asked), in_dims=1)(taeda.ones(5, 3, 2)).tolist() == [[1] * 5] * 3          # rows side by side
    assert vmap(vmap(asked, in_dims=1))(taeda.ones(3, 2, 5)).tolist() == [[0] * 5] * 3


def test_new_samples_have_the_strides_that_are_asked_for() -> None:
    x = taeda.ones(4, 5, dtype=taeda.float64)
    made = vmap(lambda a: a.new_empty_strided((2, 3), (1, 2)))(x)
    assert made.shape == (4, 2, 3) and made.stride() == (6, 1, 2) and made.dtype == taeda.float64
    twice = vmap(vmap(lambda a: a.new_empty_strided((2, 3, 2), (0, 2, 1), dtype=taeda.int64)))(x)
    assert twice.shape == (4, 5, 2, 3, 2) and twice.stride() == (30, 6, 0, 2, 1) and twice.dtype == taeda.int64
    assert vmap(lambda a: a.new_empty_strided((0, 2), (2, 1)))(x).shape == (4, 0, 2)


def test_aten_operators_of_derivatives_take_batches() -> None:
    g, x = taeda.tensor([[1.0, 2], [3, 4]]), taeda.tensor([[0.5, -1], [2, -3]])
    for f in (taeda.ops.aten.silu_backward, taeda.ops.aten.tanh_backward):
        assert taeda.allclose(vmap(f)(g, x), f(g, x)) and taeda.allclose(vmap(f, in_dims=(0, None))(g, x[0]), f(g, x[:1].expand(2, 2)))
    mask = [True, True, False]
    w, y = taeda.ones(2, 1, 2), taeda.arange(18.0).reshape(3, 1, 1, 6)
    args = ([0], [1], [0], [1], False, [0], 1, mask)
    found = vmap(lambda g, y: taeda.ops.aten.convolution_backward(g, y, w, *args)[:2])(taeda.ones(3, 1, 2, 5), y)
    one = taeda.ops.aten.convolution_backward(taeda.ones(1, 2, 5), y[1], w, *args)
    assert found[0][1].equal(one[0]) and found[1][1].equal(one[1])


def test_bincount_of_each_sample() -> None:
    k, w = taeda.tensor([[0, 1, 3], [1, 1, 2]]), taeda.arange(6.0).view(2, 3)
    assert taeda.vmap(lambda a: taeda.bincount(a, minlength=4))(k).tolist() == [[1, 1, 0, 1], [0, 2, 1, 0]]
    assert taeda.vmap(lambda a, w: taeda.bincount(a, w, 4))(k, w).tolist() == [[0, 1, 0, 2], [0, 7, 5, 0]]
    assert taeda.vmap(lambda w: taeda.bincount(k[0], w))(w).tolist() == [[0, 1, 0, 2], [3, 4, 0, 5]]
    with pytest.raises(RuntimeError, match="dynamic shape"):
        taeda.vmap(taeda.bincount)(k)


def test_as_strided_of_samples_counts_from_the_storage() -> None:
    with pytest.raises(RuntimeError, match="must have the same length"):
        vmap(lambda a: a.as_strided([1, 1, 1], [1, 1]))(taeda.ones(2, 3, 4))
    whole = taeda.arange(12.0)
    part = whole[2:].view(2, 5)
    assert taeda.vmap(lambda a: a.as_strided((2, 2), (2, 1)))(part).tolist() == [[[2, 3], [4, 5]], [[7, 8], [9, 10]]]
    assert taeda.vmap(lambda a: a.as_strided((2, 2), (2, 1), 3))(part).tolist() == [[[3, 4], [5, 6]], [[8, 9], [10, 11]]]
    assert taeda.vmap(lambda a: a[1:].as_strided((2,), (2,)))(part).tolist() == [[3, 5], [8, 10]]
    for view in (lambda a: a[1:].as_strided((2,), (2,), 2), lambda a: a.as_strided((2,), (2,), 5)):
        with pytest.raises(RuntimeError, match="outside of `tensor`"):
            taeda.vmap(view)(part)


def test_jacobians_of_as_strided_by_tangents() -> None:
    for x, offset in ((taeda.arange(6.0), 0), (taeda.arange(12.0)[2:8], 2)):
        expected = taeda.zeros(2, 6)
        expected[0, 0] = expected[1, 2] = 1
        assert taeda.equal(taeda.func.jacfwd(lambda a: a.as_strided((2,), (2,)))(x), expected)
        assert taeda.equal(taeda.func.jacfwd(lambda a: a.as_strided((2,), (2,), offset + 1))(x), expected.roll(1, 1))
        second = taeda.func.jacfwd(taeda.func.jacfwd(lambda a: a.as_strided((2,), (2,)) ** 2))(x)
        assert second.nonzero().tolist() == [[0, 0, 0], [1, 2, 2]] and second.sum().item() == 4


def test_gradients_of_samples_lie_as_the_weight_does() -> None:
    """So that ``g.view(samples, -1)`` works, as it does in PyTorch."""
    weight, bias, x = taeda.randn(4, 3), taeda.randn(4), taeda.randn(5, 2, 3)

    def loss(w: taeda.Tensor, x: taeda.Tensor) -> taeda.Tensor:
        return taeda.ops.linear(x, w, bias).square().sum()

    for samples in (x, x[:, 0]):
        grads = taeda.vmap(taeda.func.grad(loss), in_dims=(None, 0))(weight, samples)
        assert grads.is_contiguous()
        expected = taeda.stack([taeda.func.grad(loss)(weight, sample) for sample in samples])
        taeda.testing.assert_close(grads, expected)


def test_flatten_of_numbers_knows_one_dimension_alone():
    assert taeda.func.vmap(lambda x: x.flatten(0, -1))(taeda.arange(3)).tolist() == [[0], [1], [2]]
    for dims in ((0, 3), (2,), (-2, 0)):
        with pytest.raises(IndexError):
            taeda.func.vmap(lambda x, dims=dims: x.flatten(*dims))(taeda.arange(3))


@pytest.mark.parametrize("call", [
    lambda m, x: taeda.where(m, x, 0.0), lambda m, x: taeda.where(m, 1.0, x), lambda m, x: x.masked_fill(m, 9.0),
    lambda m, x: x.clone().masked_fill_(m, 9.0), lambda m, x: taeda.where(m, m, x),
])
def test_a_mask_of_one_element_a_sample_stays_a_mask(call) -> None:
    m, x = taeda.tensor([True, False, True]), taeda.arange(6.0).reshape(3, 2)
    assert vmap(call)(m, x).equal(taeda.stack([call(a, b) for a, b in zip(m, x, strict=True)]))
    assert vmap(vmap(call))(m[None], x[None])[0].equal(vmap(call)(m, x))
