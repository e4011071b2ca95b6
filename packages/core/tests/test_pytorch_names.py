"""Names that programs written for PyTorch import or ask for, beside the operations."""

from __future__ import annotations

import collections
import copy
import pathlib
import warnings
from typing import Any

import pytest

import taeda
import taeda.distributed
import taeda.hub
import taeda.onnx
import taeda.types
import taeda.utils._pytree as trees
from taeda import _C, _utils
from taeda.overrides import has_torch_function_unary, has_torch_function_variadic


def test_there_is_one_process() -> None:
    assert not taeda.distributed.is_available() and not taeda.distributed.is_initialized()
    with pytest.raises(ValueError, match="is_initialized"):
        taeda.distributed.get_rank()
    with pytest.raises(RuntimeError, match="one process"):
        taeda.distributed.init_process_group("gloo")
    with pytest.raises(NotImplementedError, match="one device"):
        taeda.distributed.device_mesh.init_device_mesh("cpu", (1,))
    assert not isinstance(taeda.ones(1), (taeda.distributed.device_mesh.DeviceMesh, taeda.distributed.ProcessGroup, taeda.distributed.Work))
    assert not taeda.onnx.is_in_onnx_export()
    with pytest.raises(NotImplementedError, match="state_dict"):
        taeda.onnx.export(None, None, "x")
    assert taeda.get_device_module("cpu") is taeda.cpu
    with pytest.raises(RuntimeError, match="no module"):
        taeda.get_device_module("meta")


def test_questions_about_values_and_classes() -> None:
    assert taeda.is_same_size(taeda.ones(2, 3), taeda.zeros(2, 3)) and not taeda.is_same_size(taeda.ones(2), taeda.ones(3))
    with pytest.raises(TypeError, match="argument .other. must be Tensor, not int"):
        taeda.is_same_size(taeda.ones(2), -1)
    taeda._assert(taeda.tensor(True), "holds")
    with pytest.raises(AssertionError, match="does not"):
        taeda._assert(taeda.tensor(False), "does not")
    with pytest.raises(RuntimeError, match="too small"):
        taeda._check(False, lambda: "too small")
    assert taeda.sym_max(2, 3) == 3 and taeda.sym_int(2.5) == 2 and taeda.sym_not(1) is False and taeda.sym_ite(True, 1, 2) == 1
    assert not has_torch_function_unary(taeda.ones(1)) and not has_torch_function_variadic(taeda.ones(1), 2)
    assert taeda.ones(1).layout is taeda.strided is not taeda.sparse_coo
    assert not isinstance(taeda.ones(1), taeda.jit.ScriptModule) and taeda.jit.annotate(list[int], [1]) == [1]
    assert taeda._cast_Long(taeda.tensor([1.7])).tolist() == [1] and taeda._cast_Half(taeda.ones(1)).dtype is taeda.float16
    assert isinstance(taeda.float32, taeda.types._dtype) and isinstance(3, taeda.types._Number)
    assert taeda.storage.UntypedStorage is taeda.UntypedStorage


def test_what_is_left_out_says_what_to_do_and_a_slip_gets_its_neighbour() -> None:
    with pytest.raises(AttributeError, match="pad_sequence"):
        _ = taeda.nested
    with pytest.raises(AttributeError) as slip:
        _ = taeda.sofmax
    among = dir(slip.value.obj)
    assert slip.value.name == "sofmax" and "softmax" in among and len(among) <= 750  # of more, Python shows no nearest name


def test_trees() -> None:
    tree = {"a": taeda.ones(2), "b": [1, (2.0, None)]}
    leaves, spec = trees.tree_flatten(tree)
    assert len(leaves) == 4 and spec == trees.tree_structure(tree)
    assert trees.tree_map_only(taeda.Tensor, lambda t: t.sum().item(), tree) == {"a": 2.0, "b": [1, (2.0, None)]}
    assert trees.tree_any(lambda x: x is None, tree) and not trees.tree_all(lambda x: x is None, tree)
    assert trees.tree_unflatten(range(4), spec) == {"a": 0, "b": [1, (2, 3)]}


def test_size_and_stride_by_axis() -> None:
    x = taeda.ones(2, 3)
    assert x.size(axis=1) == 3 and x.stride(axis=0) == 3 and x.size(dim=0) == 2
    with pytest.raises(IndexError):
        x.size(axis=2)
    assert taeda.bfloat16.to_complex() is taeda.complex64


def test_what_is_not_there_can_be_asked_for() -> None:
    import taeda.autograd.profiler
    from taeda.compiler import disable, is_compiling
    from taeda.profiler import record_function
    from taeda.utils.dlpack import from_dlpack, to_dlpack

    for device in (taeda.mps, taeda.xpu, taeda.mtia):
        assert not device.is_available() and device.device_count() == 0
        device.empty_cache(), device.manual_seed(0)
        with pytest.raises(AttributeError, match="is_available"):
            device.synchronize()
    assert not is_compiling() and disable(len) is len and disable(recursive=False)(len) is len

    @record_function("step")
    def step(x: int) -> int:
        with record_function("inside"):
            return x + 1

    assert step(1) == 2 and taeda.autograd.profiler.record_function is record_function
    assert from_dlpack(to_dlpack(taeda.arange(3))).tolist() == [0, 1, 2]


def test_control_flow_for_compilers_is_pythons() -> None:
    x = taeda.tensor([1.0, 2.0], requires_grad=True)
    y = taeda.cond(x.sum() > 0, lambda a: a * 3, lambda a: -a, (x,))
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert taeda.cond(False, lambda: 1, lambda: 2) == 2
    with pytest.raises(RuntimeError, match="single-element tensor"):
        taeda.cond(x, lambda a: a, lambda a: a, (x,))
    found = taeda.while_loop(lambda a, n: n < 3, lambda a, n: (a * 2, n + 1), (taeda.ones(1), taeda.tensor(0)))
    assert [t.item() for t in found] == [8, 3]
    with pytest.raises(RuntimeError, match="as many values"):
        taeda.while_loop(lambda a: a < 3, lambda a: (a, a), (taeda.tensor(0),))
    assert not isinstance(3, taeda.SymInt) and taeda.sym_sum([1, 2, 3]) == 6 and taeda.types.py_sym_types[0] is taeda.SymInt


def test_storages_of_a_dtype() -> None:
    assert taeda.FloatStorage([1, 2]).tolist() == [1.0, 2.0] and taeda.LongStorage(3).size() == 3
    assert isinstance(taeda.ones(2).storage(), taeda.FloatStorage) and not isinstance(taeda.ones(2).storage(), taeda.DoubleStorage)
    assert isinstance(taeda.ones(2).storage(), taeda.Storage) and taeda.ones(1, dtype=taeda.int32).storage_type() is taeda.IntStorage
    with pytest.raises(AttributeError):
        _ = taeda.typed_storage.NoStorage


def test_weak_dictionaries_know_keys_by_identity() -> None:
    from taeda.utils.weak import TensorWeakRef, WeakTensorKeyDictionary

    a, b = taeda.ones(2), taeda.ones(2)
    table = WeakTensorKeyDictionary({a: 1})
    table[b] = 2
    assert table[a] == 1 and table[b] == 2 and len(table) == 2 and taeda.ones(2) not in table and 3 not in table
    ref = TensorWeakRef(b)
    assert ref() is b
    del b
    assert len(table) == 1 and ref() is None and next(iter(table)) is a
    del table[a]
    assert not table


def test_weak_dictionaries_are_merged_and_copied() -> None:
    from taeda.utils.weak import WeakIdKeyDictionary

    a, b, c = taeda.ones(1), taeda.ones(1), taeda.ones(1)
    left, right = WeakIdKeyDictionary({a: [1], b: 2}), WeakIdKeyDictionary({b: 3, c: 4})
    for made, values in ((left | right, [[1], 3, 4]), ({c: 5} | left, [5, [1], 2]), (left | {c: 5}, [[1], 2, 5])):
        assert type(made) is WeakIdKeyDictionary and list(made.values()) == values
    with pytest.raises(TypeError):
        _ = left | [(a, 1)]
    deep = copy.deepcopy(left)
    assert list(deep) == list(left) and deep[a] == [1] and deep[a] is not left[a] and left.copy()[a] is left[a]
    left |= [(a, 6)]
    assert left[a] == 6 and len(left) == 2
    del b
    assert len(left) == len(deep) == 1


def test_swapped_tensors_stay_where_they_are_referred_to() -> None:
    a, b = taeda.tensor([1.0, 2.0], requires_grad=True), taeda.tensor([3])
    a.sum().backward()
    a.note = "of a"
    seen = [a, b]
    taeda.utils.swap_tensors(a, b)
    assert seen[0].tolist() == [3] and not a.requires_grad and a.grad is None and not hasattr(a, "note")
    assert b.tolist() == [1, 2] and b.requires_grad and b.grad.tolist() == [1, 1] and b.note == "of a"
    with pytest.raises(RuntimeError, match="an operation returned"):
        taeda.utils.swap_tensors(b * 2, a)


def test_streams_and_events_of_the_cpu() -> None:
    with taeda.cpu.stream(taeda.cpu.current_stream()), taeda.Stream() as s:
        start, end = s.record_event(taeda.Event(enable_timing=True)), taeda.Event(enable_timing=True)
        end.record()
    assert start.query() and start.elapsed_time(end) >= 0 and s == taeda.cpu.Stream()
    with pytest.raises(RuntimeError, match="enable_timing"):
        taeda.Event().elapsed_time(end)
    with pytest.raises(RuntimeError, match="no CUDA device"):
        taeda.accelerator.memory_allocated()
    with taeda.accelerator.device_index(None):
        pass


def test_a_tensor_on_a_file(tmp_path: pathlib.Path) -> None:
    name = str(tmp_path / "x")
    x = taeda.from_file(name, shared=True, size=4, dtype=taeda.int32)
    x.copy_(taeda.arange(4))
    y = taeda.from_file(name, size=2, dtype=taeda.int32)
    assert y.tolist() == [0, 1] and (tmp_path / "x").stat().st_size == 16
    y[0] = 9
    assert y.tolist() == [9, 1] and x.tolist() == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="has 16 bytes"):
        taeda.from_file(name, size=5, dtype=taeda.int32)
    with pytest.raises(RuntimeError, match="unable to open"):
        taeda.from_file(name + "y", size=1)
    assert taeda.from_file(name, size=0).shape == (0,)


def test_relics_of_tensors() -> None:
    x = taeda.tensor([1.0, 2.0])
    assert x.__rdiv__(2).tolist() == [2, 1] and x.__div__(2).tolist() == [0.5, 1] and x[:1].__long__() == 1 and x[:1].__nonzero__()
    assert x.clone().map2_(x, x, lambda a, b, c: a + b * c).tolist() == [2, 6]
    assert not (x.is_xla or x.is_xpu or x.is_mtia or x.is_vulkan or x.is_sparse_csr) and (x.sparse_dim(), x.dense_dim()) == (0, 1)
    for call in (x.coalesce, x.values, x.indices, x.is_coalesced):
        with pytest.raises(RuntimeError, match="expected sparse (coordinate )?tensor layout"):
            call()
    with pytest.raises(RuntimeError, match="was removed"):
        x.reinforce(1)
    with pytest.raises(RuntimeError, match="no such device"):
        x.xpu()
    assert taeda.functional.einsum is taeda.einsum and taeda.has_lapack and taeda.legacy_contiguous_format is taeda.contiguous_format
    with pytest.warns(FutureWarning, match="^`taeda.testing.assert_allclose..` is deprecated"):
        taeda.testing.assert_allclose(x, [1.0, 2.0 + 1e-8])
    with pytest.warns(FutureWarning), pytest.raises(AssertionError):
        taeda.testing.assert_allclose(x, [1.0, 2.1])
    assert taeda._tensor_str.PRINT_OPTS.edgeitems == 3
    with taeda._tensor_str.printoptions(precision=1):
        assert str(taeda.tensor([0.25])) == "tensor([0.2])"
    assert "Python version" in taeda.utils.collect_env.get_pretty_env_info()


def test_models_and_tensors_in_parts_are_only_names() -> None:
    from taeda.distributed._tensor.experimental import implicit_replication
    from taeda.distributed.fsdp import FSDPModule, FullyShardedDataParallel, MixedPrecisionPolicy, fully_shard
    from taeda.distributed.rpc import is_available, rpc_sync
    from taeda.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor

    assert not isinstance(taeda.ones(2), DTensor) and MixedPrecisionPolicy(taeda.bfloat16).param_dtype is taeda.bfloat16
    with implicit_replication():
        assert taeda.ones(2).sum() == 2
    assert not is_available()
    assert Shard(1) != Shard(0) and [Shard(dim=1), Replicate()] == [Shard(1), Replicate()]
    for make in (DTensor, distribute_tensor, FSDPModule, FullyShardedDataParallel, fully_shard, rpc_sync):
        with pytest.raises(NotImplementedError, match="one process"):
            make(None)


def test_aliases_for_annotations() -> None:
    from taeda.futures import Future
    from taeda.serialization import MAP_LOCATION

    done: Future[int] = Future()
    done.set_result(3)
    assert Future[int] is not None and done.wait() == 3
    assert str in MAP_LOCATION.__args__ and taeda.device in MAP_LOCATION.__args__


def test_operators_of_sparse_tensors() -> None:
    assert taeda.ops.aten._pin_memory is taeda.ops.aten._pin_memory
    s = taeda.eye(2).to_sparse()
    assert taeda.ops.aten._sparse_addmm.default(taeda.ones(2, 2), s, taeda.ones(2, 2)).tolist() == [[2, 2], [2, 2]]


def test_checks_of_sizes_and_values() -> None:
    for check, error in ((taeda._check, RuntimeError), (taeda._check_value, ValueError), (taeda._check_index, IndexError),
                         (taeda._check_type, TypeError), (taeda._check_not_implemented, NotImplementedError)):  # fmt: skip
        assert check(True) is None
        with pytest.raises(error, match="^seven$"):
            check(False, lambda: "seven")
    with pytest.raises(KeyError, match="seven"):
        taeda._check_with(KeyError, False, lambda: "seven")
    with pytest.raises(TypeError, match="_check_tensor_all"):
        taeda._check(taeda.tensor(True))
    with pytest.raises(TypeError, match="callable"):
        taeda._check(False, "seven")
    taeda._check_tensor_all(taeda.tensor([True, True]))
    taeda._check_is_size(0), taeda._check_is_size(3, max=3)
    for call in (lambda: taeda._check_tensor_all(taeda.tensor([True, False])), lambda: taeda._check_is_size(-1),
                 lambda: taeda._check_is_size(4, max=3)):  # fmt: skip
        with pytest.raises(RuntimeError, match="Expected cond to be True"):
            call()
    with pytest.raises(TypeError, match="dtype bool"):
        taeda._check_tensor_all(taeda.tensor([1]))


def test_what_records_a_gpus_work_needs_a_gpu() -> None:
    for kind in (taeda.cuda.Stream, taeda.cuda.ExternalStream, taeda.cuda.Event, taeda.cuda.CUDAGraph, taeda.cuda.graph):
        with pytest.raises(RuntimeError, match=kind.__name__):
            kind()


def test_blocks_that_choose_no_gpu_change_nothing_and_those_that_choose_one_raise() -> None:
    x = taeda.ones(1)
    for block in (taeda.cuda.device(-1), taeda.cuda.device(None), taeda.cuda.device_of(x), taeda.cuda.stream(None)):
        with block as nothing:
            assert nothing is None
        with pytest.raises(KeyError), block:
            raise KeyError
    assert taeda.cuda.device_of(x).idx == -1 and taeda.cuda.device("cuda:1").idx == 1
    taeda.cuda.set_stream(None)
    for chosen in (0, "cuda", taeda.device("cuda:1")):
        with pytest.raises(RuntimeError, match=r"\[cuda.device\] no CUDA device"), taeda.cuda.device(chosen):
            pass
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        taeda.cuda.device("cpu")
    for call in (taeda.cuda.stream(3).__enter__, lambda: taeda.cuda.set_stream(3), taeda.cuda.memory_summary, taeda.cuda.cudart):
        with pytest.raises(RuntimeError, match="no CUDA device"):
            call()


@pytest.mark.parametrize("name", ["cuda.is_built", "cudnn.is_available", "mkldnn.is_available", "mps.is_built"])
def test_what_a_build_has_by_its_old_name(name: str) -> None:
    old = "has_" + name.partition(".")[0]
    with pytest.warns(UserWarning, match=rf"'{old}' is deprecated, please use 'torch.backends.{name}\(\)'"):
        assert getattr(taeda, old) is False
    with pytest.raises(AttributeError, match="no attribute 'has_xpu'"):
        taeda.settings.has_xpu


def test_the_gpus_memory_and_generators_have_modules_of_their_own() -> None:
    from taeda.cuda.memory import max_memory_allocated, memory_stats
    from taeda.cuda.random import get_rng_state_all, manual_seed

    assert manual_seed is taeda.cuda.manual_seed and manual_seed(3) is None and get_rng_state_all() == []
    assert max_memory_allocated is taeda.cuda.max_memory_allocated and max_memory_allocated() == 0
    assert memory_stats() == taeda.cuda.host_memory_stats() == taeda.cuda.memory_stats_as_nested_dict() == {}
    assert taeda.cuda.OutOfMemoryError is taeda.OutOfMemoryError and taeda.cuda.AcceleratorError is taeda.AcceleratorError
    assert (taeda.cuda.get_arch_list(), taeda.cuda.get_gencode_flags(), taeda.cuda.has_magma) == ([], "", False)
    for name in ("memory_cached", "max_memory_cached"):
        with pytest.warns(FutureWarning, match=f"`torch.cuda.{name}` has been renamed"):
            assert getattr(taeda.cuda, name)() == 0


def test_a_library_of_compiled_operators_is_refused_as_one_that_does_not_load() -> None:
    with pytest.raises(OSError, match="compiled for PyTorch"):
        taeda.ops.load_library("_C.so")


def test_trees_of_classes_that_are_dicts() -> None:
    from taeda.utils import _pytree

    class Output(dict[str, int]):
        pass

    _pytree.register_pytree_node(Output, _pytree._dict_flatten, lambda values, keys: Output(_pytree._dict_unflatten(values, keys)),
                                 flatten_with_keys_fn=_pytree._dict_flatten_with_keys)  # fmt: skip
    tree = Output(a=1, b=2)
    assert type(_pytree.tree_map(lambda x: -x, tree)) is Output and _pytree.tree_map(lambda x: -x, tree) == {"a": -1, "b": -2}
    assert [_pytree.keystr(path) for path, _ in _pytree.tree_leaves_with_path(tree)] == ["['a']", "['b']"]


def test_nodes_by_class() -> None:
    pair = collections.namedtuple("pair", "x y")
    nodes = trees.SUPPORTED_NODES
    assert trees._get_node_type(pair(1, 2)) is collections.namedtuple and trees._get_node_type([1]) is list
    for tree in ((1, 2), [1], {"a": 1}, pair(1, 2), collections.defaultdict(int, {1: 2}), collections.deque([1], 3)):
        kind = trees._get_node_type(tree)
        children, context = nodes[kind].flatten_fn(tree)
        built = nodes[kind].unflatten_fn(children, context)
        assert built == tree and type(built) is type(tree)
        spec = trees.TreeSpec(kind, context, [trees.LeafSpec()] * len(children))
        assert spec == trees.tree_structure(tree) and trees.tree_unflatten(children, spec) == tree
    assert int not in nodes and {tuple, collections.namedtuple} <= set(nodes) and len(nodes) == len(list(nodes))


def test_helpers_by_pytorchs_paths() -> None:
    held = [taeda.arange(3), taeda.ones(2, 2, dtype=taeda.int64)]
    flat = _utils._flatten_dense_tensors(held)
    assert flat.tolist() == [0, 1, 2, 1, 1, 1, 1]
    assert [t.tolist() for t in _utils._unflatten_dense_tensors(flat, held)] == [[0, 1, 2], [[1, 1], [1, 1]]]
    sizes = [[t.numel() for t in taken] for taken in _utils._take_tensors([*held, taeda.ones(2), taeda.ones(1, dtype=taeda.int64)], 40)]
    assert sizes == [[3], [4, 1], [2]]
    assert _utils._get_device_index("cpu", allow_cpu=True) == -1 and _utils._get_device_index(2) == 2
    with pytest.raises(ValueError, match="got: cpu"):
        _utils._get_device_index("cpu")
    t = taeda.arange(6.0)
    assert _utils._rebuild_tensor_v2(t.storage(), 1, (2, 2), (2, 1), False, {}).tolist() == [[1, 2], [3, 4]]
    assert isinstance(taeda.Tensor, _C._TensorMeta) and _utils._element_size(taeda.float64) == 8


def test_a_file_is_read_record_by_record(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "w.pt"
    taeda.save({"w": taeda.arange(3.0)}, path)
    reader = taeda.PyTorchFileReader(str(path))
    assert {"data.pkl", "data/0", "version"} <= set(reader.get_all_records()) and not reader.has_record("data/1")
    assert reader.get_record("data.pkl").startswith(b"\x80") and reader.get_record_size("data/0") == 12
    assert reader.get_storage_from_record("data/0", 3, taeda.float32).tolist() == [0, 1, 2]
    assert reader.get_storage_from_record("data/0", 12, taeda.UntypedStorage).dtype == taeda.uint8
    start = reader.get_record_offset("data/0")
    assert path.read_bytes()[start : start + 12] == reader.get_record("data/0")
    with pytest.raises(RuntimeError, match="failed locating file data/1"):
        reader.get_record("data/1")
    with pytest.raises(RuntimeError, match="open file failed"):
        taeda.PyTorchFileReader(str(tmp_path / "none"))


def test_what_vision_libraries_ask_for_as_they_are_imported() -> None:
    import taeda._C as compiled
    from taeda._subclasses.fake_tensor import is_fake
    from taeda.jit.annotations import BroadcastingList2
    from taeda.onnx import operators, symbolic_helper, symbolic_opset11

    assert BroadcastingList2[int] is Any
    assert not taeda.jit.isinstance([1, "a"], list[int]) and taeda.jit.isinstance([[1]], list[list[int]])
    assert taeda.jit.isinstance((1, 2), tuple[int, ...]) and not taeda.jit.isinstance((1, 2), tuple[int])
    assert taeda.jit.isinstance({"a": [1]}, dict[str, list[int]]) and not taeda.jit.isinstance({"a": [1.0]}, dict[str, list[int]])
    assert taeda.jit.isinstance(None, int | None) and taeda.jit.isinstance(1, (int, str)) and not taeda.jit.isinstance(1.0, (int, str))
    assert symbolic_helper.parse_args("v")(is_fake) is is_fake and not is_fake(taeda.ones(1)) and not hasattr(symbolic_opset11, "squeeze")
    assert operators.shape_as_tensor(taeda.ones(2, 3)).tolist() == [2, 3]
    assert operators.reshape_from_tensor_shape(taeda.arange(6), taeda.tensor([3, 2])).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert [int(x) for x in (taeda.onnx.TrainingMode.TRAINING, taeda.onnx.TensorProtoDataType.INT64)] == [2, 7]
    keys = compiled.DispatchKeySet(compiled.DispatchKey.CPU) | compiled.DispatchKeySet(compiled.DispatchKey.AutocastCPU)
    assert keys.has(compiled.DispatchKey.AutocastCPU) and not keys.has(compiled.DispatchKey.CUDA)
    assert compiled._get_tracing_state() is None and compiled._get_privateuse1_backend_name() == "privateuseone"
    with pytest.raises(OSError, match="compiled for PyTorch"):
        taeda.ops.load_library("/nowhere.so")
    with pytest.raises(AttributeError, match="compiled classes"):
        _ = taeda.classes.torch
    assert taeda.hub.HASH_REGEX.search("resnet18-f37072fd.pth")[1] == "f37072fd"
    taeda._assert_async(taeda.tensor(2.5))
    with pytest.raises(RuntimeError, match="mine"):
        taeda._assert_async(taeda.tensor(False), "mine")
    assert taeda.backends.nnpack.set_flags(True) == (False,) and taeda.backends.nnpack.set_flags(False) == (True,)
    einsum = taeda.backends.opt_einsum
    assert einsum.set_flags(_strategy="greedy") == (False, None) and einsum.set_flags(True) == (False, "greedy")
    assert einsum.set_flags(False, "auto") == (True, "greedy")
    with pytest.raises(TypeError, match=r"\[backends.opt_einsum.set_flags\] takes _enabled, _strategy, got _fast"):
        einsum.set_flags(_fast=True)


def test_whether_a_transform_runs_can_be_asked() -> None:
    from taeda._C import _are_functorch_transforms_active, _functorch

    seen: list[Any] = []

    def f(x: Any) -> Any:
        seen.append((_are_functorch_transforms_active(), _functorch.is_batchedtensor(x)))
        return (x * x).sum()

    x = taeda.ones(2)
    for run in (taeda.func.vmap(f), taeda.func.grad(f), lambda x: taeda.func.jvp(f, (x,), (x,)), lambda x: taeda.func.vjp(f, x), f):
        run(x)
    assert seen == [(True, True), (True, False), (True, False), (True, False), (False, False)]
    with pytest.raises(ZeroDivisionError):
        taeda.func.grad(lambda x: 1 // 0)(x)
    assert not _are_functorch_transforms_active()


def test_older_transforms_are_warned_of_in_pytorchs_words() -> None:
    import taeda.functorch

    with pytest.warns(FutureWarning, match="^We've integrated functorch into PyTorch.*`functorch.grad` is deprecated"):
        assert taeda.functorch.grad(taeda.sin)(taeda.tensor(0.0)) == 1


def test_transforms_are_found_in_the_rooms_in_which_pytorch_keeps_them() -> None:
    from taeda._functorch import apis, eager_transforms

    rooms = {name: room for room in (apis, eager_transforms) for name in room.__all__}
    assert len(rooms) == 10 and all(getattr(room, name) is getattr(taeda.func, name) for name, room in rooms.items())


@pytest.mark.parametrize("chunks", [1, 2, 3, 9])
def test_chunk_vmap_counts_the_parts(chunks: int) -> None:
    from taeda.functorch.experimental import chunk_vmap

    sizes = []
    x = taeda.arange(10.0).reshape(5, 2)
    found = chunk_vmap(lambda a: (sizes.append(1), a * 2)[1], out_dims=1, chunks=chunks)(x)
    assert found.equal((x * 2).T) and len(sizes) == min(chunks, 5)


def test_the_first_vmap_lets_none_pass() -> None:
    from taeda._vmap_internals import _vmap

    x = taeda.arange(6.0).view(2, 3)
    total, nothing = _vmap(lambda a: (a.sum(), None), allow_none_pass_through=True)(x)
    assert total.tolist() == [3, 12] and nothing is None
    assert _vmap(lambda a: None, allow_none_pass_through=True)(x) is None
    assert _vmap(lambda a: a * 2, 1, 1)(x).tolist() == [[0, 2, 4], [6, 8, 10]]
    assert not isinstance(x, taeda.TensorType) and issubclass(taeda.TensorType, taeda.Type)


def test_pieces_of_printing() -> None:
    from taeda._tensor_str import PRINT_OPTS, _add_suffixes, _str, _tensor_str

    assert PRINT_OPTS.threshold == 1000 and _tensor_str(taeda.eye(2), 1) == "[[1., 0.],\n  [0., 1.]]"
    assert _add_suffixes("[1.]", ["a=1", "b=2"], 2, False) == "[1.], a=1, b=2)"
    assert _add_suffixes("[1.]", ["a=1", "b=2"], 2, force_newline=True) == "[1.],\n  a=1, b=2)"
    assert _str(taeda.ones(2), tensor_contents="x") == "tensor(x)"


def test_scans_of_an_associative_function_are_those_of_a_loop() -> None:
    from taeda._higher_order_ops.associative_scan import associative_scan

    def after(a: tuple[taeda.Tensor, taeda.Tensor], b: tuple[taeda.Tensor, taeda.Tensor]) -> tuple[taeda.Tensor, taeda.Tensor]:
        return b[0] * a[0], b[0] * a[1] + b[1]                       # x -> a x + b, one after the other

    for n in range(1, 12):
        a, b = taeda.rand(2, n, 3), taeda.rand(2, n, 3)
        for reverse in (False, True):
            _, found = associative_scan(after, (a, b), 1, reverse=reverse, combine_mode="generic")
            x, rows = taeda.zeros(2, 3), []
            for i in reversed(range(n)) if reverse else range(n):
                x = a[:, i] * x + b[:, i]
                rows.append(x)
            taeda.testing.assert_close(found, taeda.stack(rows[::-1] if reverse else rows, 1))
    x = taeda.rand(5, requires_grad=True)
    associative_scan(lambda x, y: x + y, x, -1, combine_mode="generic").sum().backward()
    assert x.grad.tolist() == [5.0, 4.0, 3.0, 2.0, 1.0]
    for bad in ((1, x, 0), (taeda.add, [], 0), (taeda.add, x, 1), (taeda.add, taeda.ones(0), 0)):
        with pytest.raises(ValueError, match="associative_scan"):
            associative_scan(*bad, combine_mode="generic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="GPU"):
        associative_scan(taeda.add, x, 0)


def test_derivatives_of_softmax_by_their_names() -> None:
    x, g = taeda.rand(2, 3, requires_grad=True), taeda.rand(2, 3)
    for f, name in ((taeda.softmax, "_softmax_backward_data"), (taeda.log_softmax, "_log_softmax_backward_data")):
        y = f(x, 1)
        (expected,) = taeda.autograd.grad(y, x, g)
        taeda.testing.assert_close(getattr(taeda, name)(g, y.detach(), 1, taeda.float32), expected)


def test_pointers_to_rows_and_back() -> None:
    rows, columns = taeda.tensor([0, 0, 2, 3]), taeda.tensor([1, 2, 0, 0])
    pointers = taeda._convert_indices_from_coo_to_csr(rows, 5)
    assert pointers.tolist() == [0, 2, 2, 3, 4, 4] and pointers.dtype is taeda.int64
    assert taeda._convert_indices_from_coo_to_csr(rows, 5, out_int32=True).dtype is taeda.int32
    assert taeda._convert_indices_from_csr_to_coo(pointers, columns).tolist() == [rows.tolist(), columns.tolist()]
    assert taeda._convert_indices_from_csr_to_coo(pointers, columns, transpose=True).tolist() == [columns.tolist(), rows.tolist()]
    data, offsets = taeda.tensor([1.0, 2.0, 3.0]), taeda.tensor([0, 2, 3])
    assert taeda._segment_reduce(data, "sum", offsets=offsets).tolist() == [3.0, 3.0]


def test_the_modules_of_distributions_have_what_they_import_in_pytorch():
    from taeda.distributions.gumbel import Gumbel, Uniform
    from taeda.distributions.multivariate_normal import Distribution, MultivariateNormal, constraints, lazy_property

    assert issubclass(MultivariateNormal, Distribution) and Gumbel.__name__ == "Gumbel" and Uniform is taeda.distributions.Uniform
    assert constraints is taeda.distributions.constraints and lazy_property is taeda.distributions.utils.lazy_property
    with pytest.raises(AttributeError, match="multivariate_normal' has no attribute 'nothing'"):
        taeda.distributions.multivariate_normal.nothing  # noqa: B018


@pytest.mark.parametrize(("one", "other", "order"), [
    ("2.13.0", "2.5.0", 1), ("2.13.0", (2, 13), 0), ("2.0.0.dev20230101", "2.0.0a0", -1), ("2.0.0rc1", "2.0", -1), ("2.0.post1", "2.0", 1),
    ("1.10.0+cu113", "1.10", 1), ("1.10.0", (1, 9, 1), 1), ("v1.0b2", "1.0.0rc1", -1), ("2.0.post1.dev2", "2.0.post1", -1), ("odd", "text", -1),
])
def test_versions_compare_by_their_numbers(one: str, other: object, order: int) -> None:
    from taeda.torch_version import TorchVersion

    version = TorchVersion(one)
    assert [version < other, version == other, version > other] == [order < 0, order == 0, order > 0]
    assert [version <= other, version >= other] == [order <= 0, order >= 0] and hash(version) == hash(one) and f"{version}" == one


def test_a_transform_that_makes_its_inverse_itself_is_told_of_the_one_there_is() -> None:
    class Tanh(taeda.distributions.TanhTransform):
        @property
        def inv(self) -> object:
            assert self._inv is None
            return "its own"

    assert Tanh().inv == "its own"
    tanh = taeda.distributions.TanhTransform()
    inverse = tanh.inv
    assert tanh._inv() is inverse is tanh.inv and inverse.inv is tanh          # a weak reference, as libraries expect


def test_types_of_a_gpus_tensors_are_there_and_make_nothing() -> None:
    kind = taeda.cuda.FloatTensor
    assert kind is taeda.cuda.FloatTensor and kind.dtype is taeda.float32 and kind.is_cuda
    assert not isinstance(taeda.ones(1), kind) and not isinstance(taeda.tensor([1]), taeda.cuda.LongTensor)
    with pytest.raises(TypeError, match=r"\[cuda.LongTensor\] type not available"):
        taeda.cuda.LongTensor([1])
    with pytest.raises(TypeError, match="not available"):
        taeda.set_default_tensor_type("torch.cuda.FloatTensor")
    for name in (kind, "torch.cuda.FloatTensor"):
        with pytest.raises(RuntimeError, match="GPU|cuda"):
            taeda.ones(1).type(name)


def test_settings_of_models_in_parts_are_in_each_of_their_rooms() -> None:
    from taeda.distributed.fsdp import FullStateDictConfig, StateDictSettings, StateDictType
    from taeda.distributed.fsdp.api import StateDictConfig
    from taeda.distributed.fsdp.fully_sharded_data_parallel import FullOptimStateDictConfig, OptimStateDictConfig

    settings = StateDictSettings(StateDictType.FULL_STATE_DICT, FullStateDictConfig(rank0_only=True), FullOptimStateDictConfig())
    assert isinstance(settings.state_dict_config, StateDictConfig) and not settings.state_dict_config.offload_to_cpu
    assert isinstance(settings.optim_state_dict_config, OptimStateDictConfig) and settings.optim_state_dict_config.offload_to_cpu


def test_what_the_processor_can_do_has_pytorchs_names() -> None:
    told = taeda.cpu.get_capabilities()
    assert {"avx2", "fma3", "avx512_f", "amx_tile", "architecture", "num_logical_cores"} <= set(told)
    assert told["build"] == "baseline" or (told["avx2"] is True and told["fma3"] is True)


def test_warnings_of_tracers_can_be_filtered() -> None:
    before = list(warnings.filters)
    taeda.jit.TracerWarning.ignore_lib_warnings()
    assert warnings.filters == before and issubclass(taeda.jit.TracerWarning, Warning)


def test_names_of_inner_rooms_that_libraries_import() -> None:
    assert _C.device is taeda.device and _C.dtype is taeda.dtype and _C.default_generator is taeda.default_generator
    found = _utils._import_dotted_name
    assert found("taeda") is taeda and found("taeda.linalg.norm") is taeda.linalg.norm and found("xml.dom.minidom").__name__ == "xml.dom.minidom"
    with pytest.raises(ModuleNotFoundError):
        found("taeda.nowhere.at_all")
