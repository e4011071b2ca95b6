"""Names of PyTorch's compiler, of quantisation and of what lies under tensors, which libraries import and which change nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import taeda


def test_names_of_the_compiler_that_libraries_import_change_nothing() -> None:
    import taeda._dynamo._trace_wrapped_higher_order_op as higher

    x = taeda.ones(2)
    assert taeda._dynamo.allow_in_graph(taeda.sin) is taeda.sin and taeda._dynamo.disable(taeda.cos) is taeda.cos
    assert taeda._dynamo.mark_static_address(x) is None
    rows = taeda.tensor([[1, 2], [3, 4]])
    with higher.TransformGetItemToIndex():
        assert taeda.func.vmap(lambda i, j: rows[i, j])(taeda.tensor([0, 1]), taeda.tensor([1, 0])).tolist() == [2, 3]
    with pytest.raises(NotImplementedError, match="not traced"):
        taeda.export.export(None, ())
    assert not isinstance(x, (taeda.export.ExportedProgram, taeda._C.Graph, taeda._C.ScriptObject, taeda._C.Value))
    assert taeda._C._get_default_device() == "cpu"
    assert not any((taeda._C._has_cuda, taeda._C._has_xpu, taeda._C._has_mps, taeda._C._has_mkldnn)) and taeda._C.has_openmp
    with pytest.warns(UserWarning, match="^slow$") as told:
        for _ in range(2):
            taeda._dynamo.utils.warn_once("slow")
    assert [warning.filename for warning in told] == [__file__]
    with taeda._dynamo.utils.disable_cache_limit():
        assert taeda.compile(taeda.sin) is taeda.sin
    config = taeda._dynamo.config
    with config.patch(verbose=True), config.patch("cache_size_limit", 3), config.patch({"other_limit": 2}):
        assert config.verbose and config.cache_size_limit == 3 and config.other_limit == 2
    assert not config.verbose and config.cache_size_limit == 8 and not hasattr(config, "other_limit")
    assert config.patch(suppress_errors=True)(lambda: config.suppress_errors)() and not config.suppress_errors
    assert taeda._disable_dynamo(taeda.sin) is taeda.sin and taeda._disable_dynamo(recursive=False)(taeda.cos) is taeda.cos


def test_an_unknown_compiler_is_refused_by_its_name_when_it_is_chosen() -> None:
    from taeda import _dynamo

    for backend in ("eager", "aot_eager", "inductor", "cudagraphs", lambda graph, inputs: graph):
        assert taeda.compile(taeda.sin, backend=backend) is taeda.sin
    with pytest.raises(_dynamo.exc.InvalidBackend, match=r"^Invalid backend: 'indcutor', see .*list_backends\(\)"):
        taeda.compile(taeda.sin, backend="indcutor")
    with pytest.raises(RuntimeError, match="Invalid backend"):
        taeda.compile(backend="indcutor")

    @_dynamo.register_backend
    def of_my_own(graph: object, inputs: object) -> object:
        return graph

    try:
        assert taeda.compile(taeda.sin, backend="of_my_own") is taeda.sin and _dynamo.lookup_backend("of_my_own") is of_my_own
        assert _dynamo.register_backend(name="other", tags=("debug",))(of_my_own) is of_my_own
        assert _dynamo.list_backends() == ["of_my_own"] and _dynamo.list_backends(None) == ["of_my_own", "other"]
        assert _dynamo.lookup_backend("eager")(3, []) == 3
    finally:
        taeda._dynamo._registered.clear()


def test_settings_that_programs_make_before_they_compile() -> None:
    program = """
import torch
torch._inductor.config.coordinate_descent_tuning = True
torch._inductor.config.triton.unique_kernel_names = True
torch._functorch.config.activation_memory_budget = 0.5
import torch._inductor.config as inductor, torch._functorch.config as functorch, torch._logging
from torch._inductor import config
print(inductor is config, config.coordinate_descent_tuning, config.max_autotune, config.cpp.threads, functorch.activation_memory_budget)
with config.patch({"triton.cudagraphs": True, "new": 1}), config.patch(debug=True):
    print(config.triton.cudagraphs, config.debug, config.new)
print(config.triton.cudagraphs, config.debug, hasattr(config, "new"), {"triton.cudagraphs", "freezing"} <= set(torch._inductor.list_options()))
print(torch._logging.set_logs(graph_breaks=True), torch._logging.getArtifactLogger("a", "b").name, torch._dynamo.config.recompile_limit)
print(torch._C._jit_override_can_fuse_on_cpu(True), torch._C._jit_set_nvfuser_enabled(False), torch._C._jit_set_texpr_fuser_enabled(False))
from torch.utils._triton import has_triton, has_triton_package
print(has_triton(), has_triton_package())
"""
    code = f"import taeda.as_torch; taeda.as_torch.install(); exec({program!r})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert found == ["True True False -1 0.5", "True True 1", "False False False True", "None a.__b 8", "None None None", "False False"]


def test_programs_turn_scripting_off_and_free_what_it_compiled() -> None:
    program = """
import torch
print(bool(torch.jit._state._enabled), torch.jit._script.RecursiveScriptModule is torch.jit.RecursiveScriptModule, torch.jit.annotations.__name__)
torch.jit._state.disable()
from torch.jit._state import _enabled
print(bool(_enabled), torch._C._set_graph_executor_optimize(False))
torch.jit._state.enable()
torch._C._jit_clear_class_registry()
torch.jit._recursive.concrete_type_store = torch.jit._recursive.ConcreteTypeStore()
torch.jit._state._clear_class_state()
torch.jit._state._script_classes.clear()
print(bool(_enabled), torch.jit._recursive.concrete_type_store.type_store, hasattr(torch.jit, "_nothing"))
"""
    code = f"import taeda.as_torch; taeda.as_torch.install(); exec({program!r})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert found == ["True True taeda.jit.annotations", "False None", "True {} False"]
    from taeda.jit import _trace

    assert taeda.jit._trace is _trace and _trace.TracerWarning is taeda.jit.TracerWarning and _trace.trace is taeda.jit.trace
    off = [sys.executable, "-c", "import taeda.jit._state as s; print(bool(s._enabled))"]
    assert subprocess.run(off, capture_output=True, text=True, check=True, env={**os.environ, "PYTORCH_JIT": "0"}).stdout == "False\n"


def test_functions_that_take_functions_are_found_where_libraries_look() -> None:
    from taeda._higher_order_ops.cond import cond
    from taeda._higher_order_ops.out_dtype import out_dtype
    from taeda._higher_order_ops.while_loop import while_loop

    assert cond is taeda.cond and while_loop is taeda.while_loop
    a = taeda.full((2, 4), 100, dtype=taeda.int8)
    product = out_dtype(taeda.mm, taeda.int32, a, a.T)
    assert product.dtype == taeda.int32 and product.tolist() == [[40000] * 2] * 2
    assert out_dtype(taeda.mul, taeda.int32, a[0], 3).tolist() == [300] * 4


def test_switches_of_the_compiler_are_taken_and_change_nothing() -> None:
    from taeda import compiler

    @compiler.set_stance("force_eager")
    def double(x: int) -> int:
        return 2 * x

    with compiler.set_stance("default", force_backend="eager") as entered:
        assert double(2) == 4 and double.__name__ == "double" and entered is None
    with pytest.raises(RuntimeError, match=r"^\[set_stance\] force_backend goes with stance='default', got 'force_eager'"):
        compiler.set_stance("force_eager", force_backend="eager")
    assert compiler.list_backends() == [] and compiler.compile is taeda.compile and compiler.save_cache_artifacts() is None
    compiler.set_default_backend("eager")
    assert compiler.get_default_backend() == "eager"
    compiler.set_default_backend(None)
    assert compiler.get_default_backend() == "inductor"
    with pytest.raises(TypeError, match=r"^\[set_default_backend\] .* got int"):
        compiler.set_default_backend(3)
    assert compiler.nested_compile_region(sum) is sum and compiler.nested_compile_region(max_reuse_entries=2)(sum) is sum
    assert compiler.substitute_in_graph(sum)(max) is max


def test_names_of_quantisation_that_libraries_import() -> None:
    import taeda.quantization.observer as observer
    from taeda.ao.quantization import FakeQuantizeBase, fake_quantize
    from taeda.ao.quantization.qconfig import QConfig

    with pytest.raises(NotImplementedError, match="FakeQuantize.*no quantised tensors"):
        fake_quantize.FakeQuantize()
    assert issubclass(fake_quantize.FakeQuantize, FakeQuantizeBase)
    config = QConfig(activation=observer.HistogramObserver.with_args(reduce_range=True), weight=observer.MinMaxObserver)
    for observe in config:
        with pytest.raises(NotImplementedError, match="Observer.*no quantised tensors"):
            observe()


def test_the_room_of_quantisation_needs_no_import_of_its_own() -> None:
    program = "import taeda; print(taeda.ao.quantization.__name__, hasattr(taeda.ao, 'nothing'))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["taeda.ao.quantization", "False"]


def test_what_memory_two_tensors_can_share() -> None:
    x, s = taeda.ones(2), taeda.eye(2).to_sparse()
    fits = taeda._has_compatible_shallow_copy_type
    assert fits(x, taeda.ones(3, 3, dtype=taeda.int64)) and fits(s, s)
    assert not any((fits(x, s), fits(s, x), fits(x, x.to("meta"))))
    with pytest.raises(TypeError, match="'from' must be Tensor, not int"):
        fits(x, 3)


def test_nothing_is_traced() -> None:
    from taeda._guards import detect_fake_mode

    assert taeda._guards.active_fake_mode() is None and detect_fake_mode([taeda.ones(1)]) is None


def test_what_libraries_ask_of_a_default_device_and_of_storages() -> None:
    from taeda._dynamo import exc
    from taeda._subclasses.fake_tensor import unset_fake_temporarily
    from taeda.serialization import normalize_storage_type
    from taeda.utils._device import DeviceContext, _device_constructors, set_device
    from taeda.utils._foreach_utils import _foreach_supported_types

    with DeviceContext(taeda.device("meta")) as context, unset_fake_temporarily():
        assert taeda.zeros(2).device == context.device == taeda.device("meta")

    @set_device("meta")
    def several():
        yield taeda.zeros(2)
        yield taeda.zeros(3)

    made = []
    for x in several():
        made.append((x.device.type, len(x), taeda.zeros(1).device.type))
    assert made == [("meta", 2, "cpu"), ("meta", 3, "cpu")] and set_device("meta")(lambda: taeda.ones(1))().is_meta
    assert taeda.zeros(2).device == taeda.device("cpu")
    assert {taeda.zeros, taeda.fft.fftfreq} < _device_constructors() and taeda.add not in _device_constructors()
    assert normalize_storage_type(type("FloatStorage", (), {})) is taeda.FloatStorage
    assert taeda.cuda._lazy_call(lambda: 1 / 0, seed=True) is None and issubclass(exc.BackendCompilerFailed, exc.TorchDynamoException)
    assert _foreach_supported_types == [taeda.Tensor]


def test_a_graph_by_tracing_is_refused_with_what_counts_instead() -> None:
    with pytest.raises(NotImplementedError, match="nothing is traced.*FlopCounterMode"):
        taeda.jit._get_trace_graph(lambda x: x, (taeda.ones(1),))


def test_decorators_from_the_inner_room_of_jit_leave_a_function_as_it_is() -> None:
    from taeda._jit_internal import Final, _copy_to_script_wrapper, _overload_method, boolean_dispatch, unused

    def f(x: int) -> int:
        return x

    assert f is _copy_to_script_wrapper(f) is _overload_method(f) is unused(f) and Final is taeda.jit.Final
    pick = boolean_dispatch("flag", 1, False, lambda x, flag: "yes", lambda x, flag=False: "no", "m", "n")
    assert (pick(1), pick(1, True), pick(1, flag=True), pick.__name__) == ("no", "yes", "yes", "n")


def test_rooms_within_rooms_are_attributes_without_an_import_of_their_own() -> None:
    rooms = [
        "amp.grad_scaler", "autograd.profiler_util", "cpu.amp.autocast_mode", "cpu.amp.grad_scaler", "distributed.algorithms",
        "distributed.autograd", "fx.experimental.proxy_tensor", "fx.passes.infra.pass_base", "fx.passes.infra.pass_manager",
        "masked.maskedtensor.core", "masked.maskedtensor.creation", "multiprocessing.reductions",
        "signal.windows.windows",
    ]  # fmt: skip
    each = [f"taeda.{room}" for room in rooms]
    program = f"import importlib, taeda; found = [{', '.join(each)}]; print(found == [importlib.import_module(n) for n in {each}])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "True\n"
    assert taeda.amp.grad_scaler.GradScaler is taeda.amp.GradScaler
