"""Names that frameworks which train models import from PyTorch."""

from __future__ import annotations

import pytest

import taeda
import taeda.autograd.profiler
import taeda.distributed


def test_what_would_need_more_than_one_process_or_a_trace_says_so() -> None:
    assert taeda.distributed.group.WORLD is None and taeda.distributed.ReduceOp.SUM.name == "SUM"
    with pytest.raises(ValueError, match="not been initialized"):
        taeda.distributed.all_reduce(taeda.ones(1))
    with pytest.raises(ValueError, match="not been initialized"):
        taeda.distributed.nn.all_gather(taeda.ones(1))
    assert taeda.ScriptModule is taeda.jit.ScriptModule
    with taeda.autograd.profiler.emit_nvtx(enabled=False):
        assert taeda.autograd.profiler.kineto_available()
    with pytest.raises(RuntimeError, match="emit_nvtx"), taeda.autograd.profiler.emit_nvtx():
        pass


def test_a_tensors_dict_may_be_anothers() -> None:
    a, b = taeda.ones(2), taeda.zeros(2)
    a.kind = "image"
    b.__dict__ = a.__dict__
    b.size_ = 3
    assert (b.kind, a.size_) == ("image", 3)
    b.__dict__ = dict(a.__dict__)
    b.own = 1
    assert not hasattr(a, "own")
    with pytest.raises(TypeError, match="dictionary, not a 'int'"):
        b.__dict__ = 3


def test_a_gpus_generators_have_no_states_here() -> None:
    from taeda.utils.checkpoint import get_device_states, set_device_states

    devices, states = get_device_states(taeda.ones(2), 3)
    assert (devices, states) == ([], []) and set_device_states(devices, states) is None
    assert taeda.cuda._initialized is False


def test_a_device_is_one_object_for_one_text_and_names_what_was_meant() -> None:
    assert taeda.device("cpu", 0) is taeda.device("cpu", 0) == taeda.device("cpu:0")
    assert taeda.device("cuda:1") is taeda.device("cuda:1") == taeda.device("cuda", 1) and taeda.device("cpu") != taeda.device("cpu:0")
    with pytest.raises(RuntimeError, match="device string: float32; to get that dtype pass taeda.float32"):
        taeda.ones(1).to("float32")


def test_devices_that_are_nowhere_can_be_named() -> None:
    mps = taeda.device("mps", 0)
    assert (mps.type, mps.index, mps == taeda.device("mps:0"), taeda.ones(1).device == mps) == ("mps", 0, True, False)
    with pytest.raises(NotImplementedError, match=r"\[zeros\] there is no mps device"):
        taeda.zeros(2, device="mps")
    with pytest.raises(NotImplementedError, match="there is no xla device"):
        taeda.zeros(2).to("xla")
    with pytest.raises(RuntimeError, match=r"Expected one of cpu, .*privateuseone device type at start of device string: tpu"):
        taeda.device("tpu")


def test_extensions_are_not_compiled() -> None:
    from taeda.utils import cpp_extension

    assert cpp_extension.CUDA_HOME is None and not cpp_extension.is_ninja_available()
    for function in (cpp_extension.load, cpp_extension.CUDAExtension, cpp_extension.BuildExtension.with_options):
        with pytest.raises(NotImplementedError, match=r"^\[cpp_extension"):
            function("a", ["a.cu"])
    with pytest.raises(RuntimeError, match="verify_ninja_availability"):
        cpp_extension.verify_ninja_availability()


def test_optimizers_for_many_processes_refuse_and_nothing_is_one() -> None:
    from taeda.distributed.optim import DistributedOptimizer, PostLocalSGDOptimizer, ZeroRedundancyOptimizer

    for kind in (DistributedOptimizer, PostLocalSGDOptimizer, ZeroRedundancyOptimizer):
        with pytest.raises(NotImplementedError, match=rf"^\[{kind.__name__}\]"):
            kind([])


def test_public_functions_take_attributes() -> None:
    taeda.relu.__default_init__ = 3
    assert taeda.relu.__default_init__ == 3 and taeda.relu(taeda.tensor([-1.0, 2.0])).tolist() == [0, 2]
    del taeda.relu.__default_init__
    assert not hasattr(taeda.relu, "__default_init__")


def test_annotations_of_devices_and_storages_are_found() -> None:
    import taeda.storage

    assert (str | taeda.DeviceObjType).__args__ == (str, taeda.DeviceObjType)
    assert not isinstance(taeda.device("cpu"), taeda.DeviceObjType)
    assert taeda.storage.TypedStorage is taeda.TypedStorage and isinstance(taeda.ones(1).storage(), taeda.storage.TypedStorage)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = taeda.storage.Nothing


def test_the_profiler_of_a_gpu_says_that_there_is_none():
    from taeda.cuda import profiler

    for call in (profiler.start, profiler.stop, profiler.profile().__enter__):
        with pytest.raises(RuntimeError, match="no CUDA device is available"):
            call()
    assert taeda.cuda.profiler is profiler
    with pytest.raises(RuntimeError, match=r"cuda\.comm\.reduce_add"):
        taeda.cuda.comm.reduce_add([taeda.ones(1)], 0)
