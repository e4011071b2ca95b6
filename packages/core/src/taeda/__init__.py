"""taeda: PyTorch's API in small packages.  This one holds tensors and automatic differentiation."""
__path__ = __import__("pkgutil").extend_path(__path__, __name__)

import gc as _gc
import importlib as _importlib
import importlib.util as _importlib_util
import math as _math
import re as _re
import sys as _sys

__path__.append(f"{__path__[0]}/_shells")       # in the sources; an installed taeda has them among its rooms

# What an import makes stays for good: the collector would look through it again and again, a tenth of the time.
_collecting = _gc.isenabled()
_gc.disable()

try:
    _importlib.import_module("taeda.dtype")     # the first room that is compiled
except ModuleNotFoundError as _missing:
    if _missing.name != "taeda.dtype":
        raise
    raise ImportError(
        f"[taeda] {__path__[0]} has taeda-core's sources, which are not compiled for Python {_sys.version_info[0]}.{_sys.version_info[1]}; "
        f"install it (pip install ./packages/core), and start Python in a folder that is not packages/core/src"
    ) from None

from taeda import _einops, autograd, cpu, cuda, ops
from taeda._separate import PACKAGES as _PACKAGES, Finder as _Finder
from taeda._version import __version__
from taeda.autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
from taeda.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from taeda.device import device, get_default_device, set_default_device
from taeda.dtype import (
    ALIASES as _ALIASES,
    NAMES as _NAMES,
    UNHELD as _UNHELD,
    can_cast,
    dtype,
    finfo,
    get_default_dtype,
    iinfo,
    promote_types,
    set_default_dtype,
)
from taeda.generator import Generator, default_generator
from taeda.layout import (
    MemoryFormat as memory_format,
    channels_last,
    channels_last_3d,
    contiguous_format,
    jagged,
    layout,
    preserve_format,
    sparse_bsc,
    sparse_bsr,
    sparse_coo,
    sparse_csc,
    sparse_csr,
    strided,
)
from taeda.printing import set_printoptions, tensor_str as _text_of
from taeda.random import (
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
    thread_safe_generator,
)
from taeda.storage import OutOfMemoryError, Storage as UntypedStorage
from taeda.tensor import Tensor, install_late as _install_late, install_methods as _install_methods
from taeda.tensor_base import Size, publish as _publish
from taeda.threads import get_num_threads, set_num_threads

_publish({
    "Generator": Generator, "Size": Size, "Tensor": Tensor, "device": device, "dtype": dtype, "finfo": finfo, "iinfo": iinfo,
    "layout": layout, "memory_format": memory_format,
})  # fmt: skip
_install_methods(ops.METHODS)
_install_late(ops.getitem, ops.setitem, ops.METHODS["matmul"], _text_of)
globals().update(ops.PUBLIC)
globals().update(_NAMES)
globals().update(_ALIASES)
globals().update(_UNHELD)
scalar_tensor, range = ops.scalar_tensor_, ops.range_
pi, e, inf, nan, newaxis = _math.pi, _math.e, _math.inf, _math.nan, None
legacy_contiguous_format = contiguous_format
_einops.watch()
if _collecting:
    _gc.enable()

# Rooms and functions that are imported on first touch: name -> (module, attribute or None for the module).
_LAZY = {
    **{name: ("taeda.absent", name) for name in ("classes", "mps", "mtia", "xpu")},
    "load": ("taeda.serialization", "load"),
    "save": ("taeda.serialization", "save"),
    "serialization": ("taeda.serialization", None),
    "_C": ("taeda._C", None),
    "_higher_order_ops": ("taeda._higher_order_ops", None),
    "_log_softmax_backward_data": ("taeda._aten.operators", "_log_softmax_backward"),
    "_softmax_backward_data": ("taeda._aten.operators", "_softmax_backward"),
    "_disable_dynamo": ("taeda._dynamo", "disable"),
    "compile": ("taeda.compiler", "compile"),
    "_amp_foreach_non_finite_check_and_unscale_": ("taeda.amp.grad_scaler", "unscale_"),
    "_amp_update_scale_": ("taeda.amp.grad_scaler", "update_scale_"),
    "_convert_weight_to_int4pack_for_cpu": ("taeda.scaled_products", "_convert_weight_to_int4pack_for_cpu"),
    "_int_mm": ("taeda.scaled_products", "_int_mm"),
    "_weight_int4pack_mm_for_cpu": ("taeda.scaled_products", "_weight_int4pack_mm_for_cpu"),
    "_weight_int8pack_mm": ("taeda.scaled_products", "_weight_int8pack_mm"),
    "_scaled_mm": ("taeda.scaled_products", "_scaled_mm"),
    "_dynamo": ("taeda._dynamo", None),
    "_functorch": ("taeda._functorch", None),
    "_inductor": ("taeda._inductor", None),
    "_logging": ("taeda._logging", None),
    "_guards": ("taeda._guards", None),
    "_ops": ("taeda._ops", None),
    "_tensor": ("taeda._tensor", None),
    "_tensor_str": ("taeda._tensor_str", None),
    "_utils": ("taeda._utils", None),
    "_vmap_internals": ("taeda._vmap_internals", None),
    **{f"_cast_{name}": ("taeda.legacy", f"_cast_{name}") for name in ("Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")},
    "PyTorchFileReader": ("taeda.serialization.file_reader", "PyTorchFileReader"),
    **{name: ("taeda.jit", name) for name in ("ScriptModule", "TensorType", "Type")},
    "__config__": ("taeda.__config__", None),
    "__future__": ("taeda.__future__", None),
    **{
        room: (f"taeda.{room}", None)
        for room in (
            "accelerator", "ao", "compiler", "distributed", "distributions", "export", "functional", "futures", "fx", "hub", "jit",
            "library", "masked", "monitor", "multiprocessing", "onnx", "profiler", "quantization", "quasirandom", "signal", "special",
            "testing", "types",
        )
    },
    "from_dlpack": ("taeda.dlpack", "from_dlpack"),
    "to_dlpack": ("taeda.dlpack", "to_dlpack"),
    "backends": ("taeda.backends", None),
    "fft": ("taeda.fft", None),
    "linalg": ("taeda.linalg", None),
    "array_api": ("taeda.array_api", None),
    "version": ("taeda.version", None),
    "return_types": ("taeda.ops.return_types", None),
    "utils": ("taeda.utils", None),
    "overrides": ("taeda.overrides", None),
    "func": ("taeda.func", None),
    "amp": ("taeda.amp", None),
    "autocast": ("taeda.amp.autocast_mode", "autocast"),
    **{
        name: ("taeda.amp.casting", name)
        for name in (
            "autocast_decrement_nesting",
            "autocast_increment_nesting",
            "clear_autocast_cache",
            "get_autocast_dtype",
            "is_autocast_cache_enabled",
            "is_autocast_enabled",
            "set_autocast_cache_enabled",
            "set_autocast_dtype",
            "set_autocast_enabled",
        )
    },
    **{
        name: ("taeda.amp.legacy", name)
        for _kind in ("cpu", "ipu", "xla")
        for name in (
            f"get_autocast_{_kind}_dtype",
            f"is_autocast_{_kind}_enabled",
            f"set_autocast_{_kind}_dtype",
            f"set_autocast_{_kind}_enabled",
        )
    },
    **{name: ("taeda.amp.legacy", name) for name in ("get_autocast_gpu_dtype", "set_autocast_gpu_dtype")},
    "vmap": ("taeda.func", "vmap"),
    **{name: ("taeda.legacy", name) for name in (
        "_has_compatible_shallow_copy_type", "get_device_module", "is_same_size", "is_storage", "set_default_tensor_type", "typename",
    )},
    **{name: ("taeda.pointers", name) for name in ("_convert_indices_from_coo_to_csr", "_convert_indices_from_csr_to_coo")},
    "_segment_reduce": ("taeda.ops.segments", "segment_reduce"),
    **{name: ("taeda.symbolic", name) for name in (
        "SymBool", "SymFloat", "SymInt", "_assert", "_assert_async", "_check", "_check_index", "_check_is_size",
        "_check_not_implemented", "_check_tensor_all", "_check_tensor_all_with", "_check_type", "_check_value", "_check_with",
        "_shape_as_tensor", "cond", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sqrt", "sym_sum",
        "while_loop",
    )},
    **{f"{name}Storage": ("taeda.typed_storage", f"{name}Storage") for name in (
        "", "Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool", "ComplexFloat", "ComplexDouble",
    )},
    **{name: ("taeda.overrides", name) for name in ("DisableTorchFunction", "DisableTorchFunctionSubclass")},
    **{name: ("taeda.streams", name) for name in ("Event", "Stream")},
    **{name: ("taeda.jit", name) for name in ("fork", "wait")},
    "sparse": ("taeda.sparse", None),
    **{name: ("taeda.sparse.public", name) for name in (
        "sparse_bsc_tensor", "sparse_bsr_tensor", "sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor",
    )},
    "_sparse_coo_tensor_unsafe": ("taeda.sparse.creation", "coo_unsafe"),
    "_validate_sparse_coo_tensor_args": ("taeda.sparse.creation", "validate_coo"),
    "AcceleratorError": ("taeda.absent", "AcceleratorError"),
    "DeviceObjType": ("taeda.absent", "DeviceObjType"),
    "Future": ("taeda.futures", "Future"),
    "GradScaler": ("taeda.amp.grad_scaler", "GradScaler"),
    "set_anomaly_enabled": ("taeda.autograd.anomaly_mode", "set_anomaly_enabled"),
    **{
        f"{name}Tensor": ("taeda.legacy", f"{name}Tensor")
        for name in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")
    },
    "StorageBase": ("taeda.storage", "UntypedStorage"),
    "Tag": ("taeda.schema", "Tag"),
    "TypedStorage": ("taeda.typed_storage", "TypedStorage"),
    "from_file": ("taeda.file_memory", "from_file"),
    **{
        name: ("taeda.settings", name)
        for name in (
            "are_deterministic_algorithms_enabled",
            "compiled_with_cxx11_abi",
            "get_deterministic_debug_mode",
            "get_float32_matmul_precision",
            "get_num_interop_threads",
            "has_lapack",
            "has_mkl",
            "has_openmp",
            "has_spectral",
            "is_deterministic_algorithms_warn_only_enabled",
            "is_vulkan_available",
            "is_warn_always_enabled",
            "set_deterministic_debug_mode",
            "set_float32_matmul_precision",
            "set_flush_denormal",
            "set_num_interop_threads",
            "set_vital",
            "set_warn_always",
            "use_deterministic_algorithms",
        )
    },
}
# what is left out on purpose, by words of its names
_ABSENT = {
    _re.compile("quantize|qint|quint|fbgemm"): ": there are no quantised tensors",
    _re.compile("nested"): ": there are no nested tensors; pad (taeda.nn.utils.rnn.pad_sequence) and mask",
    _re.compile("mkldnn"): ": there are no MKLDNN tensors; ordinary ones have fast kernels",
}
_sys.meta_path.append(_Finder)
# functions that PyTorch has at its top level too, and that are made by the package nn
_OF_NN = (
    "_native_multi_head_attention", "_nested_tensor_from_mask_left_aligned", "_transformer_encoder_layer_fwd", "_weight_norm",
    "adaptive_max_pool1d", "channel_shuffle", "cosine_embedding_loss", "embedding_renorm_", "hinge_embedding_loss", "margin_ranking_loss",
    "max_pool1d_with_indices", "native_channel_shuffle", "norm_except_dim", "pixel_shuffle", "pixel_unshuffle",
    "poisson_nll_loss", "rrelu", "rrelu_", "triplet_margin_loss",
)


def __getattr__(name):
    if name in _LAZY:
        module, attribute = _LAZY[name]
        found = _importlib.import_module(module)
        found = found if attribute is None else getattr(found, attribute)
        globals()[name] = found
        return found
    if name in _PACKAGES:
        return _package(name)
    if name in _OF_NN:
        found = globals()[name] = getattr(_package("nn", ".functional._native"), name)
        return found
    if name in ("has_cuda", "has_cudnn", "has_mkldnn", "has_mps"):         # warns, each time; dir() is silent about it
        return getattr(_importlib.import_module("taeda.settings"), name)
    if name.startswith("_foreach_"):
        foreach = _importlib.import_module("taeda.foreach").FUNCTIONS
        if name in foreach:
            globals()[name] = foreach[name]
            return foreach[name]
    if name == "__all__":
        return _starred()
    why = next((why for words, why in _ABSENT.items() if words.search(name)), "")
    # with both given, Python adds the nearest name to what it shows
    raise AttributeError(f"module 'taeda' has no attribute {name!r}{why}", name=name, obj=_Near(name))


class _Near:
    """Where Python looks for the name that was meant: it gives up on more than 750, so those with the same first letter."""

    def __init__(self, name):
        self._first = name[:1]

    def __dir__(self):
        return [name for name in __dir__() if name[:1] == self._first]


def _package(name, room=""):
    """Import a package that is installed apart, or a room of it."""
    try:
        return _importlib.import_module(f"taeda.{name}{room}")
    except ModuleNotFoundError as error:
        if error.name != f"taeda.{name}":
            raise
        if _sys._getframe(2).f_code.co_name == "_handle_fromlist":      # from taeda import nn, which words an AttributeError anew
            raise ModuleNotFoundError(error.msg, name=error.name) from None
        raise AttributeError(error.msg) from None


def __dir__():
    return sorted({*globals(), *_LAZY, *_OF_NN, *_PACKAGES})


def _starred():
    """Return what ``from taeda import *`` brings: no rooms, for a program has a ``random`` of its own, and nothing that only raises."""
    left = {*_PACKAGES, *_importlib.import_module("taeda.ops.removed").PUBLIC}
    left.update(name for name, value in globals().items() if isinstance(value, type(_sys)))
    left.update(name for name, (module, attribute) in _LAZY.items() if attribute is None or (module == "taeda.absent" and name.islower()))
    if _importlib_util.find_spec("taeda.nn") is None:
        left.update(_OF_NN)
    return [name for name in __dir__() if name[0] != "_" and name not in left]


def is_tensor(obj):
    """Whether ``obj`` is a Tensor.

    >>> import taeda
    >>> taeda.is_tensor(taeda.ones(2)), taeda.is_tensor([1.0, 1.0])
    (True, False)
    """
    return isinstance(obj, Tensor)


def _taken_over(function, input):
    """Let a class that is not a Tensor take the call over (``__torch_function__``); TypeError for any other."""
    if hasattr(type(input), "__torch_function__"):
        from taeda.overrides import handle_torch_function

        return handle_torch_function(function, (input,), input)
    raise TypeError(f"[{function.__name__}] argument 'input' must be Tensor, not {type(input).__name__}")


def is_floating_point(input):
    """Whether the tensor's dtype is a floating-point one.

    >>> import taeda
    >>> taeda.is_floating_point(taeda.ones(2)), taeda.is_floating_point(taeda.tensor([1]))
    (True, False)
    """
    return input.is_floating_point() if isinstance(input, Tensor) else _taken_over(is_floating_point, input)


def is_complex(input):
    """Whether the tensor's dtype is complex.

    >>> import taeda
    >>> taeda.is_complex(taeda.tensor([1j]))
    True
    """
    return input.is_complex() if isinstance(input, Tensor) else _taken_over(is_complex, input)


def is_nonzero(input):
    """Whether the only element is not zero; RuntimeError unless there is exactly one.

    >>> import taeda
    >>> taeda.is_nonzero(taeda.tensor([0.0]))
    False
    """
    return input.is_nonzero() if isinstance(input, Tensor) else _taken_over(is_nonzero, input)


def is_conj(input):
    """Whether the tensor is a lazy conjugate: never, conjugates are computed at once."""
    return input.is_conj() if isinstance(input, Tensor) else _taken_over(is_conj, input)


def is_inference(input):
    """Whether the tensor was made in inference mode."""
    return input.is_inference() if isinstance(input, Tensor) else _taken_over(is_inference, input)


def numel(input):
    """Return the number of elements: the product of the sizes.

    >>> import taeda
    >>> taeda.numel(taeda.zeros(2, 3))
    6
    """
    return input.numel() if isinstance(input, Tensor) else _taken_over(numel, input)


def result_type(tensor, other):
    """Return the dtype that an operation on the two, tensors or numbers, gives: numbers count by their kind alone.

    >>> import taeda
    >>> taeda.result_type(taeda.ones(2, dtype=taeda.float16), 1e10), taeda.result_type(taeda.tensor([1]), 1.5)
    (taeda.float16, taeda.float32)
    """
    return ops.result_type(tensor, other)
