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
