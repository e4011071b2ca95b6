# Made by tools/make_stubs.py.
from builtins import bool as _bool, complex as _complex, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

from taeda.ops import return_types as return_types
from taeda import accelerator as accelerator, amp as amp, array_api as array_api, autograd as autograd, backends as backends, cpu as cpu, cuda as cuda, distributions as distributions, fft as fft, func as func, futures as futures, fx as fx, hub as hub, library as library, linalg as linalg, masked as masked, monitor as monitor, multiprocessing as multiprocessing, ops as ops, overrides as overrides, profiler as profiler, quasirandom as quasirandom, serialization as serialization, signal as signal, sparse as sparse, special as special, testing as testing, types as types, utils as utils, version as version
from taeda import _C as _C, __config__ as __config__, __future__ as __future__, _dynamo as _dynamo, _functorch as _functorch, _guards as _guards, _higher_order_ops as _higher_order_ops, _inductor as _inductor, _logging as _logging, _ops as _ops, _tensor as _tensor, _tensor_str as _tensor_str, _utils as _utils, _vmap_internals as _vmap_internals, ao as ao, compiler as compiler, distributed as distributed, export as export, functional as functional, jit as jit, onnx as onnx, quantization as quantization  # type: ignore[attr-defined]
from taeda import data as data, nn as nn, optim as optim, vision as vision  # type: ignore[attr-defined]
from taeda._version import __version__ as __version__
from taeda.autograd.grad_mode import enable_grad as enable_grad, inference_mode as inference_mode, is_grad_enabled as is_grad_enabled, is_inference_mode_enabled as is_inference_mode_enabled, no_grad as no_grad, set_grad_enabled as set_grad_enabled
from taeda.amp.autocast_mode import autocast as autocast
from taeda.absent import AcceleratorError as AcceleratorError, DeviceObjType as DeviceObjType, classes as classes, mps as mps, mtia as mtia, xpu as xpu
from taeda.compiler import compile as compile
from taeda.amp.grad_scaler import GradScaler as GradScaler, unscale_ as _amp_foreach_non_finite_check_and_unscale_, update_scale_ as _amp_update_scale_
from taeda.file_memory import from_file as from_file
from taeda.futures import Future as Future
from taeda.jit import ScriptModule as ScriptModule, TensorType as TensorType, Type as Type, fork as fork, wait as wait
from taeda.sparse.creation import coo_unsafe as _sparse_coo_tensor_unsafe, validate_coo as _validate_sparse_coo_tensor_args, sparse_bsc_tensor as sparse_bsc_tensor, sparse_bsr_tensor as sparse_bsr_tensor, sparse_compressed_tensor as sparse_compressed_tensor, sparse_coo_tensor as sparse_coo_tensor, sparse_csc_tensor as sparse_csc_tensor, sparse_csr_tensor as sparse_csr_tensor
from taeda.streams import Event as Event, Stream as Stream
from taeda.symbolic import SymBool as SymBool, SymFloat as SymFloat, SymInt as SymInt, _assert as _assert, _assert_async as _assert_async, _check as _check, _check_index as _check_index, _check_is_size as _check_is_size, _check_not_implemented as _check_not_implemented, _check_tensor_all as _check_tensor_all, _check_tensor_all_with as _check_tensor_all_with, _check_type as _check_type, _check_value as _check_value, _check_with as _check_with, _shape_as_tensor as _shape_as_tensor, cond as cond, sym_float as sym_float, sym_int as sym_int, sym_ite as sym_ite, sym_max as sym_max, sym_min as sym_min, sym_not as sym_not, sym_sqrt as sym_sqrt, sym_sum as sym_sum, while_loop as while_loop
from taeda.amp.casting import autocast_decrement_nesting as autocast_decrement_nesting, autocast_increment_nesting as autocast_increment_nesting, clear_autocast_cache as clear_autocast_cache, get_autocast_dtype as get_autocast_dtype, is_autocast_cache_enabled as is_autocast_cache_enabled, is_autocast_enabled as is_autocast_enabled, set_autocast_cache_enabled as set_autocast_cache_enabled, set_autocast_dtype as set_autocast_dtype, set_autocast_enabled as set_autocast_enabled
from taeda.device import device as device, get_default_device as get_default_device, set_default_device as set_default_device
from taeda.device import device as _device
from taeda.dtype import can_cast as can_cast, dtype as dtype, finfo as finfo, get_default_dtype as get_default_dtype, iinfo as iinfo, promote_types as promote_types, set_default_dtype as set_default_dtype
from taeda.dtype import dtype as _dtype
from taeda.generator import Generator as Generator
from taeda.layout import layout as layout, sparse_bsc as sparse_bsc, sparse_bsr as sparse_bsr, sparse_coo as sparse_coo, sparse_csc as sparse_csc, sparse_csr as sparse_csr, strided as strided
from taeda.printing import set_printoptions as set_printoptions
from taeda.random import get_rng_state as get_rng_state, initial_seed as initial_seed, manual_seed as manual_seed, seed as seed, set_rng_state as set_rng_state
from taeda.legacy import is_storage as is_storage, set_default_tensor_type as set_default_tensor_type, typename as typename
from taeda.settings import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled, get_deterministic_debug_mode as get_deterministic_debug_mode, get_float32_matmul_precision as get_float32_matmul_precision, get_num_interop_threads as get_num_interop_threads, is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled, is_warn_always_enabled as is_warn_always_enabled, set_deterministic_debug_mode as set_deterministic_debug_mode, set_float32_matmul_precision as set_float32_matmul_precision, set_flush_denormal as set_flush_denormal, set_num_interop_threads as set_num_interop_threads, set_warn_always as set_warn_always, use_deterministic_algorithms as use_deterministic_algorithms
from taeda.serialization import load as load, save as save
from taeda.storage import OutOfMemoryError as OutOfMemoryError, Storage as UntypedStorage
from taeda.tensor import Tensor as Tensor
from taeda.tensor_base import Size as Size
from taeda.threads import get_num_threads as get_num_threads, set_num_threads as set_num_threads
from taeda.typed_storage import TypedStorage as TypedStorage

default_generator: Generator
contiguous_format: Any
preserve_format: Any
channels_last: Any
channels_last_3d: Any
memory_format: Any
uint8: _dtype
int8: _dtype
int16: _dtype
int32: _dtype
int64: _dtype
float16: _dtype
float32: _dtype
float64: _dtype
complex32: _dtype
complex64: _dtype
complex128: _dtype
bool: _dtype
bfloat16: _dtype
uint16: _dtype
uint32: _dtype
uint64: _dtype
float8_e4m3fn: _dtype
float8_e5m2: _dtype
float8_e4m3fnuz: _dtype
float8_e5m2fnuz: _dtype
float8_e8m0fnu: _dtype
float: _dtype
double: _dtype
half: _dtype
int: _dtype
long: _dtype
short: _dtype
cfloat: _dtype
cdouble: _dtype
chalf: _dtype
float4_e2m1fn_x2: _dtype
qint8: _dtype
quint8: _dtype
qint32: _dtype
quint4x2: _dtype
quint2x4: _dtype
int1: _dtype
int2: _dtype
int3: _dtype
int4: _dtype
int5: _dtype
int6: _dtype
int7: _dtype
uint1: _dtype
uint2: _dtype
uint3: _dtype
uint4: _dtype
uint5: _dtype
uint6: _dtype
uint7: _dtype
ByteTensor: Any
CharTensor: Any
ShortTensor: Any
IntTensor: Any
LongTensor: Any
HalfTensor: Any
FloatTensor: Any
DoubleTensor: Any
BoolTensor: Any
BFloat16Tensor: Any
Storage: Any
FloatStorage: Any
DoubleStorage: Any
HalfStorage: Any
BFloat16Storage: Any
ByteStorage: Any
CharStorage: Any
ShortStorage: Any
IntStorage: Any
LongStorage: Any
BoolStorage: Any
ComplexFloatStorage: Any
ComplexDoubleStorage: Any
pi: _float
e: _float
inf: _float
nan: _float
newaxis: None
def _dirichlet_grad(x: Tensor, alpha: Tensor | _complex, total: Any) -> Tensor:
    """Return dx/da / (1 - x) of Beta(a, total - a) values x, their quantile and total - a kept."""
def _sample_dirichlet(input: Tensor, generator: Generator | None = ...) -> Tensor:
    """Return shares y_k = g_k / sum_j g_j along the last dimension, g_k gamma variables of the shapes in ``input``."""
def _standard_gamma(input: Tensor, generator: Generator | None = ...) -> Tensor:
    """Return values y of the density y^(a-1) e^-y / Gamma(a) with the shapes a of ``input``."""
def _standard_gamma_grad(input: Tensor, output: Any) -> Tensor:
    """Return dy/da of gamma values y = ``output`` with shapes a = ``input``, their quantile kept: -(dP/da)(a, y) / p(y; a)."""
def abs(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the absolute value."""
def abs_(input: Tensor) -> Tensor:
    """In-place :func:`abs`."""
def absolute(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the absolute value."""
def absolute_(input: Tensor) -> Tensor:
    """In-place :func:`abs`."""
def acos(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse cosine in radians; nan outside [-1, 1]."""
def acos_(input: Tensor) -> Tensor:
    """In-place :func:`acos`."""
def acosh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic cosine: y = ln(x + sqrt(x^2 - 1)); nan below 1."""
def acosh_(input: Tensor) -> Tensor:
    """In-place :func:`acosh`."""
def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Return ``output_size`` means over the last dimension of (N, C, L) or (C, L)."""
def add(input: Tensor, other: Tensor | _complex, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return input + alpha * other."""
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Add the sum of a batch's products: y = beta input + alpha sum_i batch1[i] batch2[i]."""
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return input + value * tensor1 / tensor2 (floating point only)."""
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return input + value * tensor1 * tensor2."""
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Add a product of matrices: y = beta input + alpha mat1 mat2."""
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Add a product of a matrix and a vector: y = beta input + alpha mat vec."""
def addmv_(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ...) -> Tensor:
    """In place: input = beta input + alpha mat vec. See :func:`addmv`."""
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Add an outer product: y[i, j] = beta input[i, j] + alpha vec1_i vec2_j."""
def adjoint(input: Tensor) -> Tensor:
    """Return the last two dimensions exchanged, and conjugated if complex. Raises RuntimeError for vectors."""
def affine_grid_generator(theta: Any, size: _int | Sequence[_int], align_corners: Any) -> Tensor:
    """Return the places that affine maps send the pixels of an image to, in coordinates from -1 to 1."""
def alias_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`alias` of the same arguments shows, copied to memory of its own."""
def all(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return whether all elements are nonzero: _bool, but uint8 of uint8; true of nothing."""
def allclose(input: Tensor, other: Tensor | _complex, rtol: Any = ..., atol: Any = ..., equal_nan: _bool = ...) -> _bool:
    """Return True if all elements are close: see :func:`isclose`."""
def alpha_dropout(input: Tensor, p: Any | None = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor:
    """Drop elements to SELU's lower limit with probability p, keeping zero mean and unit variance."""
def alpha_dropout_(input: Tensor, p: Any | None = ..., training: _bool = ...) -> Tensor:
    """In-place :func:`alpha_dropout`."""
def amax(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the largest elements over ``dim``; a gradient is split evenly among equals. NaN is the largest."""
def amin(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the smallest elements over ``dim``; a gradient is split evenly among equals. NaN wins."""
def aminmax(input: Tensor, *, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> return_types.aminmax:
    """Return the smallest and the largest element, of all or along one dimension."""
def angle(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the phase of each element in (-pi, pi]; of real numbers 0, or pi below zero."""
def any(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return whether some element is nonzero: _bool, but uint8 of uint8. NaN is nonzero."""
def arange(start: Any = ..., end: Any = ..., step: Any = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return start, start + step, ... below end; int64 for ints, the default float dtype otherwise."""
def arccos(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse cosine in radians; nan outside [-1, 1]."""
def arccos_(input: Tensor) -> Tensor:
    """In-place :func:`acos`."""
def arccosh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic cosine: y = ln(x + sqrt(x^2 - 1)); nan below 1."""
def arccosh_(input: Tensor) -> Tensor:
    """In-place :func:`acosh`."""
def arcsin(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse sine in radians; nan outside [-1, 1]."""
def arcsin_(input: Tensor) -> Tensor:
    """In-place :func:`asin`."""
def arcsinh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic sine: y = ln(x + sqrt(x^2 + 1))."""
def arcsinh_(input: Tensor) -> Tensor:
    """In-place :func:`asinh`."""
def arctan(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse tangent in radians, in [-pi / 2, pi / 2]."""
def arctan2(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the angle in radians of the points (other, input), in (-pi, pi]."""
def arctan_(input: Tensor) -> Tensor:
    """In-place :func:`atan`."""
def arctanh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic tangent: y = ln((1 + x) / (1 - x)) / 2; nan outside [-1, 1]."""
def arctanh_(input: Tensor) -> Tensor:
    """In-place :func:`atanh`."""
def argmax(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the index of the largest element (the first of equals), in the flat tensor or along ``dim``."""
def argmin(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the index of the smallest element (the first of equals), in the flat tensor or along ``dim``."""
def argsort(input: Tensor, dim: _int | Sequence[_int] | None = ..., descending: _bool = ..., stable: _bool = ..., *, axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return the indices that sort along ``dim``."""
def argwhere(input: Tensor) -> Tensor:
    """Return the coordinates of the elements that are not zero; see nonzero."""
def as_strided(input: Tensor, size: _int | Sequence[_int], stride: Any, storage_offset: Any = ...) -> Tensor:
    """Return a view of the storage with any size, stride and offset that stay inside it."""
def as_strided_(input: Tensor, size: _int | Sequence[_int], stride: Any, storage_offset: Any = ...) -> Tensor:
    """Lay the tensor itself out anew on its storage."""
def as_strided_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`as_strided` of the same arguments shows, copied to memory of its own."""
def as_strided_scatter(input: Tensor, src: Tensor | _complex, size: _int | Sequence[_int], stride: Any, storage_offset: Any = ...) -> Tensor:
    """Return a copy of input with src written into the layout that ``as_strided`` gives it."""
def as_tensor(data: Any, dtype: _dtype | None = ..., device: _device | str | _int | None = ...) -> Tensor:
    """Return ``data`` as a tensor, sharing memory where it can (tensors, NumPy arrays); ``tensor`` always copies."""
def asarray(obj: Any, *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., copy: Any = ..., requires_grad: _bool | None = ...) -> Tensor:
    """Return ``obj`` as a tensor; ``copy`` None shares memory where it can, False must, True never does."""
def asin(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse sine in radians; nan outside [-1, 1]."""
def asin_(input: Tensor) -> Tensor:
    """In-place :func:`asin`."""
def asinh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic sine: y = ln(x + sqrt(x^2 + 1))."""
def asinh_(input: Tensor) -> Tensor:
    """In-place :func:`asinh`."""
def atan(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse tangent in radians, in [-pi / 2, pi / 2]."""
def atan2(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the angle in radians of the points (other, input), in (-pi, pi]."""
def atan_(input: Tensor) -> Tensor:
    """In-place :func:`atan`."""
def atanh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic tangent: y = ln((1 + x) / (1 - x)) / 2; nan outside [-1, 1]."""
def atanh_(input: Tensor) -> Tensor:
    """In-place :func:`atanh`."""
def atleast_1d(*tensors: Any) -> Tensor:
    """View numbers as vectors of one element; other tensors are returned as they are."""
def atleast_2d(*tensors: Any) -> Tensor:
    """View vectors as one row, numbers as 1 x 1; other tensors are returned as they are."""
def atleast_3d(*tensors: Any) -> Tensor:
    """View matrices with a last dimension of size 1, vectors and numbers as NumPy does."""
def avg_pool1d(input: Tensor, kernel_size: Any, stride: Any = ..., padding: Any = ..., ceil_mode: _bool = ..., count_include_pad: _bool = ...) -> Tensor:
    """Return the mean of each window over the last dimension of (N, C, L) or (C, L)."""
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Add products of matrices pairwise: y[i] = beta input[i] + alpha batch1[i] batch2[i]."""
def bartlett_window(window_length: Any, periodic: _bool = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return the triangle from 0 to 1 and back: w_k = 1 - |2 k / N - 1|."""
def batch_norm(input: Tensor, weight: Tensor, bias: Any, running_mean: Any, running_var: Any, training: Any, momentum: Any, eps: Any, cudnn_enabled: _bool = ...) -> Any:
    """Normalise each channel over the batch: :func:`taeda.nn.functional.batch_norm` in PyTorch's top-level order of arguments."""
def batch_norm_update_stats(input: Tensor, running_mean: Any, running_var: Any, momentum: Any) -> tuple[Tensor, Tensor]:
    """Move the running buffers, if given, towards each channel's mean and unbiased variance; return mean and biased variance."""
def bernoulli(input: Tensor, p: Any | None = ..., *, generator: Generator | None = ..., out: Tensor | None = ...) -> Tensor:
    """Return 1 where u < input and 0 elsewhere, u uniform on [0, 1)."""
def bilinear(input1: Any, input2: Any, weight: Tensor, bias: Any = ...) -> Tensor:
    """Apply y_o = input1^T weight_o input2 + bias_o over the last dimensions."""
def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = ..., pos_weight: Any = ..., reduction: _int = ...) -> Tensor:
    """Return -(t log(s) + (1 - t) log(1 - s)) of s = sigmoid(input) and target t; ``reduction`` is 0 none, 1 mean or 2 sum."""
def bincount(input: Tensor, weights: Any = ..., minlength: Any = ...) -> Tensor:
    """Return how often each of 0, 1, 2, ... occurs in ``input``, or the sums of the ``weights`` there."""
def binomial(count: Any, prob: Any, generator: Generator | None = ...) -> Tensor:
    """Return how many of ``count`` trials succeed, each with probability ``prob``."""
def bitwise_and(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input & other (integers and bool)."""
def bitwise_left_shift(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input << other; 0 for shifts beyond the width."""
def bitwise_not(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the bitwise complement; of bool the negation."""
def bitwise_not_(input: Tensor) -> Tensor:
    """In-place :func:`bitwise_not`."""
def bitwise_or(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input | other (integers and bool)."""
def bitwise_right_shift(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input >> other, arithmetic for signed integers."""
def bitwise_xor(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input ^ other (integers and bool)."""
def blackman_window(window_length: Any, periodic: _bool = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return the Blackman window: w_k = 0.42 - 0.5 cos(2 pi k / N) + 0.08 cos(4 pi k / N)."""
def block_diag(*tensors: Any) -> Tensor:
    """Return the matrix with the given matrices (vectors as rows, numbers as 1 x 1) along its diagonal, else 0."""
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Multiply matrices pairwise: y[i] = input[i] mat2[i]."""
def broadcast_shapes(*shapes: Any) -> tuple[_int, ...]:
    """Return the shape that tensors of these shapes broadcast to."""
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Return the tensors expanded to their common shape."""
def broadcast_to(input: Tensor, *sizes: Any, size: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return :func:`expand` to ``size``, one tuple or number by number."""
def bucketize(input: Tensor, boundaries: Any, *, out_int32: _bool = ..., right: _bool = ..., out: Tensor | None = ...) -> Tensor:
    """Return the bucket of each value: :func:`searchsorted` of ``input`` in the (n,) ``boundaries``."""
def cartesian_prod(*tensors: Any) -> Tensor:
    """Return all combinations of the vectors' elements, one a row, the last vector's running fastest."""
def cat(tensors: Any, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Put tensors behind each other along dim; their other sizes agree, their dtypes are promoted."""
def cdist(x1: Any, x2: Any, p: Any | None = ..., compute_mode: str = ...) -> Tensor:
    """Return the distances of every row of x1 to every row of x2: y_ij = |x1_i - x2_j|_p."""
def ceil(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the smallest integer that is not below x."""
def ceil_(input: Tensor) -> Tensor:
    """In-place :func:`ceil`."""
def celu(input: Tensor, alpha: Tensor | _complex = ...) -> Tensor:
    """Return x where x > 0, else alpha * (e^(x / alpha) - 1)."""
def celu_(input: Tensor, alpha: Tensor | _complex = ...) -> Tensor:
    """In-place :func:`celu`."""
def chain_matmul(*matrices: Any, out: Tensor | None = ...) -> Tensor:
    """Multiply two or more matrices in the cheapest order; the former interface of :func:`taeda.linalg.multi_dot`."""
def cholesky(input: Tensor, upper: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
    """Factor positive-definite matrices; the former interface of :func:`taeda.linalg.cholesky`."""
def cholesky_inverse(L: Any, upper: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the inverses of the matrices whose Cholesky factors are given: (L L^H)^-1, or (U^H U)^-1."""
def cholesky_solve(B: Any, L: Any, upper: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
    """Solve A X = B where A = L L^H (U^H U with ``upper``) is given by its Cholesky factor."""
def chunk(input: Tensor, chunks: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return at most ``chunks`` views of equal size along ``dim`` (the last may be smaller)."""
def clamp(input: Tensor, min: Any = ..., max: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return min(max(x, ``min``), ``max``); the bounds are numbers or tensors, and one may be None."""
def clamp_(input: Tensor, min: Any = ..., max: Any = ...) -> Tensor:
    """In-place :func:`clamp`."""
def clamp_max(input: Tensor, max: Any, *, out: Tensor | None = ...) -> Tensor:
    """Return min(x, ``max``)."""
def clamp_max_(input: Tensor, max: Any) -> Tensor:
    """In-place :func:`clamp_max`."""
def clamp_min(input: Tensor, min: Any, *, out: Tensor | None = ...) -> Tensor:
    """Return max(x, ``min``)."""
def clamp_min_(input: Tensor, min: Any) -> Tensor:
    """In-place :func:`clamp_min`."""
def clip(input: Tensor, min: Any = ..., max: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return min(max(x, ``min``), ``max``); the bounds are numbers or tensors, and one may be None."""
def clip_(input: Tensor, min: Any = ..., max: Any = ...) -> Tensor:
    """In-place :func:`clamp`."""
def clone(input: Tensor, *, memory_format: Any = ...) -> Tensor:
    """Return a copy that autograd sees; the order of dimensions in memory is kept."""
def column_stack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Put tensors behind each other along dimension 1, vectors as columns."""
def combinations(input: Tensor, r: Any = ..., with_replacement: _bool = ...) -> Tensor:
    """Return all combinations of ``r`` elements of a vector, one per row, in the order of Python's itertools."""
def complex(real: Any, imag: Any, *, out: Tensor | None = ...) -> Tensor:
    """Return real + i imag, broadcast against each other; both float32 or both float64 (or both float16)."""
def concat(tensors: Any, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Same as :func:`cat`."""
def concatenate(tensors: Any, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Same as :func:`cat`."""
def conj(input: Tensor) -> Tensor:
    """Return the complex conjugate; a real tensor is returned as it is."""
def conj_physical(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the complex conjugate; the same as :func:`conj` here, where conjugates are computed at once."""
def conj_physical_(input: Tensor) -> Tensor:
    """In-place :func:`conj_physical`."""
def constant_pad_nd(input: Tensor, pad: Any, value: Tensor | _complex = ...) -> Tensor:
    """Pad with a constant; see :func:`taeda.ops.pad`."""
def conv1d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., dilation: Any = ..., groups: Any = ...) -> Tensor:
    """Convolve sequences: y[n, o, i] = bias[o] + sum_{c, k} input[n, c, i stride + k dilation - padding] weight[o, c, k]."""
def conv2d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., dilation: Any = ..., groups: Any = ...) -> Tensor:
    """Convolve images: y[n, o, i, j] = bias[o] + sum_{c, k, l} input[n, c, i' , j'] weight[o, c, k, l]."""
def conv3d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., dilation: Any = ..., groups: Any = ...) -> Tensor:
    """Convolve volumes: y[n, o, i] = bias[o] + sum_{c, k} input[n, c, i stride + k dilation - padding] weight[o, c, k]."""
def conv_tbc(input: Tensor, weight: Tensor, bias: Any, pad: Any = ...) -> Tensor:
    """Convolve sequences that lie time first: :func:`conv1d` of (T, B, C), with ``weight`` (K, C, O) and ``bias`` (O)."""
def conv_transpose1d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., output_padding: Any = ..., groups: Any = ..., dilation: Any = ...) -> Tensor:
    """Apply the transpose of conv1d: each input place adds a scaled copy of the kernel to the result."""
def conv_transpose2d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., output_padding: Any = ..., groups: Any = ..., dilation: Any = ...) -> Tensor:
    """Apply the transpose of conv2d: each input pixel adds a scaled copy of the kernel to the result."""
def conv_transpose3d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., output_padding: Any = ..., groups: Any = ..., dilation: Any = ...) -> Tensor:
    """Apply the transpose of conv3d: each input voxel adds a scaled copy of the kernel to the result."""
def convolution(input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: Any, output_padding: Any, groups: Any) -> Tensor:
    """Convolve in as many dimensions as ``weight`` has, forwards or transposed; ``taeda.conv2d`` and kin with every option."""
def copysign(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the magnitude of input with the sign of other."""
def corrcoef(input: Tensor) -> Tensor:
    """Return the matrix of Pearson's correlation coefficients of variables in rows: c_jk / sqrt(c_jj c_kk)."""
def cos(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the cosine of x radians."""
def cos_(input: Tensor) -> Tensor:
    """In-place :func:`cos`."""
def cosh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the hyperbolic cosine: y = (e^x + e^-x) / 2."""
def cosh_(input: Tensor) -> Tensor:
    """In-place :func:`cosh`."""
def cosine_similarity(x1: Any, x2: Any, dim: _int | Sequence[_int] | None = ..., eps: Any = ...) -> Tensor:
    """Return x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along ``dim``; the operands broadcast."""
def count_nonzero(input: Tensor, dim: _int | Sequence[_int] | None = ..., *more: Any, axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return how many elements are nonzero, over all dimensions or those in ``dim``, a tuple or one by one."""
def cov(input: Tensor, *, correction: Any = ..., fweights: Any = ..., aweights: Any = ...) -> Tensor:
    """Return the covariance matrix of variables in rows, observations in columns."""
def cross(input: Tensor, other: Tensor | _complex, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the cross products along ``dim``, by default the first dimension of size 3; see ``taeda.linalg.cross``."""
def ctc_loss(log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: Any = ..., reduction: _int = ..., zero_infinity: _bool = ...) -> Tensor:
    """Return the connectionist temporal classification loss; ``reduction`` is 0 none, 1 mean (over target lengths) or 2 sum."""
def cummax(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.cummax:
    """Return (values, indices) of the largest element so far along ``dim``; of equals the last. NaN stays."""
def cummin(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.cummin:
    """Return (values, indices) of the smallest element so far along ``dim``; of equals the last. NaN stays."""
def cumprod(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return the running products along ``dim``: y_i = x_0 ... x_i."""
def cumsum(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return the running sums along ``dim``: y_i = x_0 + ... + x_i. Integers and bool are summed in int64."""
def cumulative_trapezoid(y: Any, x: Tensor | None = ..., *, dx: Any = ..., dim: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return the running integrals of the trapezoidal rule, one for each step; see :func:`trapezoid`."""
def deg2rad(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Turn degrees into radians: input * pi / 180."""
def deg2rad_(input: Tensor) -> Tensor:
    """In-place :func:`deg2rad`."""
def det(input: Tensor) -> Tensor:
    """Return the determinants of square matrices; see ``taeda.linalg.det``."""
def detach(input: Tensor) -> Tensor:
    """Return the same memory without history; in-place writes still count for saved tensors."""
def detach_(input: Tensor) -> Tensor:
    """Cut the tensor off its history, in place: it becomes a leaf that does not require grad."""
def detach_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`detach` of the same arguments shows, copied to memory of its own."""
def diag(input: Tensor, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the matrix with a vector on its diagonal, or a copy of the diagonal of a matrix."""
def diag_embed(input: Tensor, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
    """Put the vectors along input's last dimension on the diagonals of zero matrices, in dimensions dim1 and dim2."""
def diagflat(input: Tensor, offset: Any = ...) -> Tensor:
    """Return the matrix with input's elements, read as a vector, on a diagonal."""
def diagonal(input: Tensor, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
    """Return a view of a diagonal of two dimensions, as the last dimension of the result."""
def diagonal_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`diagonal` of the same arguments shows, copied to memory of its own."""
def diagonal_scatter(input: Tensor, src: Tensor | _complex, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
    """Return input with src written over input.diagonal(offset, dim1, dim2)."""
def diff(input: Tensor, n: Any = ..., dim: _int | Sequence[_int] | None = ..., prepend: Any = ..., append: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the n-th difference along ``dim``: y_i = x_(i+1) - x_i, n times; of bool, where neighbours differ."""
def digamma(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return psi(x), the derivative of ln Gamma(x); -inf at 0, nan at the negative integers."""
def dist(input: Tensor, other: Tensor | _complex, p: Any | None = ...) -> Tensor:
    """Return the p-norm of input - other."""
def div(input: Tensor, other: Tensor | _complex, *, rounding_mode: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Return input / other; ``rounding_mode`` "trunc" rounds towards zero, "floor" downwards."""
def divide(input: Tensor, other: Tensor | _complex, *, rounding_mode: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Return input / other; ``rounding_mode`` "trunc" rounds towards zero, "floor" downwards."""
def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the sum of the products of two vectors: y = sum_i input_i tensor_i."""
def dropout(input: Tensor, p: Any | None = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor:
    """Zero each element with probability p and divide the rest by 1 - p; the input itself when not training."""
def dropout_(input: Tensor, p: Any | None = ..., training: _bool = ...) -> Tensor:
    """In-place :func:`dropout`."""
def dsmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices, of which the first is sparse as a rule."""
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the third dimension."""
def dstack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Put tensors behind each other along dimension 2."""
def eig(*args: Any, **kwargs: Any) -> Tensor:
    """Raise RuntimeError: removed in favor of taeda.linalg.eig, which returns complex tensors."""
def einsum(*args: Any) -> Tensor:
    """Sum products of elements over the labels that the result does not have (Einstein's convention)."""
def embedding(weight: Tensor, indices: Tensor, padding_idx: Any = ..., scale_grad_by_freq: _bool = ..., sparse: _bool = ...) -> Tensor:
    """Return the rows of a table that the indices name: out[...] = weight[indices[...]]."""
def embedding_bag(weight: Tensor, indices: Tensor, offsets: Any, scale_grad_by_freq: _bool = ..., mode: _int = ..., sparse: _bool = ..., per_sample_weights: Any = ..., include_last_offset: _bool = ..., padding_idx: Any = ...) -> Any:
    """Return the sum (``mode`` 0), mean (1) or maximum (2) of the rows of each bag, and how they came about."""
def empty(*size: _int | Sequence[_int], out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ..., **named: Any) -> Tensor:
    """Return a tensor of the given size whose elements are whatever was in memory."""
def empty_like(input: Tensor, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return :func:`empty` with the size, dtype and device of ``input``."""
def empty_permuted(size: _int | Sequence[_int], physical_layout: Any, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return an uninitialised tensor whose dimensions follow each other in memory as ``physical_layout`` says, outermost first."""
def empty_strided(size: _int | Sequence[_int], stride: Any, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return a tensor of the given size and strides (in elements); what it holds is undefined."""
def eq(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input == other."""
def equal(input: Tensor, other: Tensor | _complex) -> _bool:
    """Return True if both tensors have the same shape and equal elements (NaN equals nothing)."""
def erf(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the error function: y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
def erf_(input: Tensor) -> Tensor:
    """In-place :func:`erf`."""
def erfc(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return 1 - erf(x), exact where erf(x) is near 1."""
def erfc_(input: Tensor) -> Tensor:
    """In-place :func:`erfc`."""
def erfinv(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse of the error function: erf(y) = x; nan outside [-1, 1]."""
def exp(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return e raised to each element: y = e^x."""
def exp2(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return 2 raised to each element: y = 2^x."""
def exp2_(input: Tensor) -> Tensor:
    """In-place :func:`exp2`."""
def exp_(input: Tensor) -> Tensor:
    """In-place :func:`exp`."""
def expand_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`expand` of the same arguments shows, copied to memory of its own."""
def expm1(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return e^x - 1, exact to the last places for small x."""
def expm1_(input: Tensor) -> Tensor:
    """In-place :func:`expm1`."""
def eye(n: Any, m: Any = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return ones on the diagonal of an n x m matrix (n x n without m), zeros elsewhere."""
def fake_quantize_per_channel_affine(input: Tensor, scale: Any, zero_point: Any, axis: _int | Sequence[_int], quant_min: Any, quant_max: Any) -> Tensor:
    """Round to what a tensor quantised with one scale per channel could hold, as :func:`fake_quantize_per_tensor_affine`."""
def fake_quantize_per_tensor_affine(input: Tensor, scale: Any, zero_point: Any, quant_min: Any, quant_max: Any) -> Tensor:
    """Round to what a quantised tensor could hold: (clamp(round(x / scale) + zero_point, quant_min, quant_max) - zero_point) scale."""
def feature_alpha_dropout(input: Tensor, p: Any | None = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor:
    """:func:`alpha_dropout` of whole channels of (N, C, ...)."""
def feature_alpha_dropout_(input: Tensor, p: Any | None = ..., training: _bool = ...) -> Tensor:
    """In-place :func:`feature_alpha_dropout`."""
def feature_dropout(input: Tensor, p: Any | None = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor:
    """Zero whole channels of (N, C, ...) with probability p and divide the rest by 1 - p."""
def feature_dropout_(input: Tensor, p: Any | None = ..., training: _bool = ...) -> Tensor:
    """In-place :func:`feature_dropout`."""
def fill(input: Tensor, value: Tensor | _complex) -> Tensor:
    """Return a tensor like ``input`` with every element ``value``, a number or a 0-d tensor."""
def fill_(input: Tensor, value: Tensor | _complex) -> Tensor:
    """Set every element to ``value``, a number or a 0-d tensor."""
def fix(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the integer part, rounding towards zero."""
def fix_(input: Tensor) -> Tensor:
    """In-place :func:`trunc`."""
def flatten(input: Tensor, start_dim: Any = ..., end_dim: Any = ...) -> Tensor:
    """Merge the dimensions from ``start_dim`` to ``end_dim`` into one."""
def flip(input: Tensor, *order: Any, dims: Any | None = ...) -> Tensor:
    """Reverse input along dims: y[i] = input[n - 1 - i]. The result is a copy."""
def fliplr(input: Tensor) -> Tensor:
    """Reverse input along dimension 1."""
def flipud(input: Tensor) -> Tensor:
    """Reverse input along dimension 0."""
def float_power(input: Tensor, exponent: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input^exponent, computed in float64 (complex128) whatever the dtypes; see also ``pow``."""
def floor(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the largest integer that is not above x."""
def floor_(input: Tensor) -> Tensor:
    """In-place :func:`floor`."""
def floor_divide(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return floor(input / other)."""
def fmax(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the larger of each pair; the number where one is nan."""
def fmin(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the smaller of each pair; the number where one is nan."""
def fmod(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the remainder with the sign of ``input`` (C's fmod)."""
def frac(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return x - trunc(x)."""
def frac_(input: Tensor) -> Tensor:
    """In-place :func:`frac`."""
def frexp(input: Tensor, *, out: Tensor | None = ...) -> return_types.frexp:
    """Return (mantissa, exponent) with input = mantissa * 2^exponent, 1/2 <= abs(mantissa) < 1, exponent of int32."""
def frobenius_norm(input: Tensor, dim: _int | Sequence[_int], keepdim: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the root of the sum of squares over one or two dimensions (over all for an empty list)."""
def from_numpy(ndarray: Any) -> Tensor:
    """Return a tensor on the array's own memory: writes to one show in the other."""
def frombuffer(buffer: Any, *, dtype: _dtype, count: Any = ..., offset: Any = ..., requires_grad: _bool = ...) -> Tensor:
    """Return a 1-d tensor on the bytes of a buffer, from ``offset`` on, ``count`` elements (-1: all)."""
def full(size: _int | Sequence[_int], fill_value: Tensor | _complex, *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return a tensor of one value; its dtype is the value's unless given."""
def full_like(input: Tensor, fill_value: Tensor | _complex, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return one value with the size, dtype and device of ``input``."""
def gather(input: Tensor, dim: _int | Sequence[_int], index: Any, *, sparse_grad: _bool = ..., out: Tensor | None = ...) -> Tensor:
    """Take from input along dim where index says: y[i, j] = input[index[i, j], j] for dim 0 of a matrix."""
def gcd(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the greatest common divisor of each pair of integers; gcd(0, n) = abs(n)."""
def gcd_(input: Tensor, other: Tensor | _complex) -> Tensor:
    """In-place :func:`gcd`."""
def ge(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input >= other."""
def geqrf(input: Tensor, *, out: Tensor | None = ...) -> return_types.geqrf:
    """Return LAPACK's form of A = Q R: R and, below it, the reflectors whose product is Q; and their scales tau."""
def ger(input: Tensor, vec2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return all products of two vectors; the former name of ``outer``."""
def get_device(input: Tensor) -> _int:
    """Return the number of the GPU that holds the tensor, -1 for the CPU."""
def gradient(input: Tensor, *, spacing: Any = ..., dim: _int | Sequence[_int] | None = ..., edge_order: Any = ...) -> Tensor:
    """Estimate the derivative along each of ``dim`` by central differences, one-sided at the ends."""
def greater(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input > other."""
def greater_equal(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input >= other."""
def grid_sampler(input: Tensor, grid: Any, interpolation_mode: Any, padding_mode: Any, align_corners: Any) -> Tensor:
    """Sample images at the positions of a grid: :func:`taeda.nn.functional.grid_sample` with numbers for its modes."""
def grid_sampler_2d(input: Tensor, grid: Any, interpolation_mode: Any, padding_mode: Any, align_corners: Any) -> Tensor:
    """Return :func:`grid_sampler` of images, 4-d tensors only."""
def grid_sampler_3d(input: Tensor, grid: Any, interpolation_mode: Any, padding_mode: Any, align_corners: Any) -> Tensor:
    """Return :func:`grid_sampler` of volumes, 5-d tensors only."""
def group_norm(input: Tensor, num_groups: Any, weight: Tensor | None = ..., bias: Any = ..., eps: Any = ..., cudnn_enabled: _bool = ...) -> Tensor:
    """Normalise (N, C, ...) over groups of C / num_groups channels; ``taeda.ops.group_norm``, also of a single value."""
def gru(*args: Any, **kwargs: Any) -> Tensor:
    """Run a network of gated recurrent units: gru(input, hx, params, ...) or, of packed sequences, gru(data, batch_sizes, hx, ...)."""
def gru_cell(input: Tensor, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = ..., b_hh: Any = ...) -> Tensor:
    """Run one step of a GRU: h' from input (B, I) and hx (B, H); see :func:`gru`."""
def gt(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input > other."""
def hamming_window(window_length: Any, periodic: _bool = ..., alpha: Tensor | _complex = ..., beta: Tensor | _complex = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return the Hamming window: w_k = alpha - beta cos(2 pi k / N)."""
def hann_window(window_length: Any, periodic: _bool = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return the Hann window: w_k = 1/2 - 1/2 cos(2 pi k / N), N the length if ``periodic``, else the length - 1."""
def hardshrink(input: Tensor, lambd: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return x where abs(x) > lambd, else 0."""
def hash_tensor(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, keepdim: _bool = ..., mode: _int = ..., out: Tensor | None = ...) -> Tensor:
    """Return the exclusive or of the elements' bits, over all dimensions or those in ``dim``: uint64."""
def heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the unit step: 0 where input < 0, ``values`` where it is 0, 1 where input > 0 (0 where it is nan)."""
def histc(input: Tensor, bins: Any = ..., min: Any = ..., max: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the counts of ``bins`` equal intervals from ``min`` to ``max``; both 0: of the data's range."""
def histogram(input: Tensor, bins: Any = ..., *, range: Any = ..., weight: Tensor | None = ..., density: _bool = ..., out: Tensor | None = ...) -> return_types.histogram:
    """Return (hist, bin_edges): how many elements, or the sum of their weights, fall into each bin."""
def histogramdd(input: Tensor, bins: Any, range: Any = ..., weight: Tensor | None = ..., density: _bool = ...) -> return_types.histogramdd:
    """Return (hist, bin_edges) of points: the last dimension of ``input`` holds their coordinates."""
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the second dimension (the first of a vector)."""
def hspmm(mat1: Tensor, mat2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the product of a sparse and a dense matrix as a hybrid tensor: the rows in which the sparse one has elements."""
def hstack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Put tensors behind each other along dimension 1, vectors along 0."""
def hypot(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return sqrt(input^2 + other^2) without overflow."""
def i0(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0."""
def i0_(input: Tensor) -> Tensor:
    """In-place :func:`i0`."""
def igamma(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the regularised lower incomplete gamma function P(a, x) of a = ``input`` >= 0 and x = ``other`` >= 0."""
def igammac(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x), see :func:`igamma`."""
def imag(input: Tensor) -> Tensor:
    """Return a view of the imaginary parts; RuntimeError for a real tensor."""
def index_add(input: Tensor, dim: _int | Sequence[_int], index: Any, source: Tensor, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return input with rows of source added: y[index[i]] += alpha * source[i] for dim 0, in index's order."""
def index_copy(input: Tensor, dim: _int | Sequence[_int], index: Any, source: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return input with rows replaced by those of source: y[index[i]] = source[i] for dim 0."""
def index_fill(input: Tensor, dim: _int | Sequence[_int], index: Any, value: Tensor | _complex) -> Tensor:
    """Return input with the rows that index names filled with a number (or a 0-d tensor)."""
def index_put(input: Tensor, indices: Tensor, values: Tensor, accumulate: _bool = ...) -> Tensor:
    """Return a copy of input with values written where the index tensors point; see index_put_."""
def index_put_(input: Tensor, indices: Tensor, values: Tensor, accumulate: _bool = ...) -> Tensor:
    """Write values into input where the tuple of index tensors points, in place: input[indices] = values."""
def index_reduce(input: Tensor, dim: _int | Sequence[_int], index: Any, source: Tensor, reduce: Any, *, include_self: _bool = ..., out: Tensor | None = ...) -> Tensor:
    """Reduce the rows of ``source`` into the rows of ``input`` that ``index`` names: y[index[i]] = reduce(y[index[i]], source[i])."""
def index_select(input: Tensor, dim: _int | Sequence[_int], index: Any, *, out: Tensor | None = ...) -> Tensor:
    """Take the rows of input along dim that the vector index names: y[i] = input[index[i]] for dim 0."""
def inner(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the dot products of the last dimensions: y[..., ;...] = sum_k input[..., k] other[..., k]."""
def instance_norm(input: Tensor, weight: Tensor, bias: Any, running_mean: Any, running_var: Any, use_input_stats: Any, momentum: Any, eps: Any, cudnn_enabled: _bool = ...) -> Tensor:
    """Normalise each channel of each sample: :func:`taeda.nn.functional.instance_norm` in PyTorch's top-level order of arguments."""
def inverse(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverses of square matrices; see ``taeda.linalg.inv``."""
def is_complex(input: Tensor) -> _bool:
    """Whether the tensor's dtype is complex."""
def is_distributed(input: Tensor) -> _bool:
    """Return False: no tensor is spread over several processes."""
def is_floating_point(input: Tensor) -> _bool:
    """Whether the tensor's dtype is a floating-point one."""
def is_inference(input: Tensor) -> _bool:
    """Whether the tensor was made in inference mode."""
def is_neg(input: Tensor) -> _bool:
    """Whether the tensor is a lazy negative: never, negatives are computed at once."""
def is_nonzero(input: Tensor) -> _bool:
    """Whether the only element is not zero; RuntimeError unless there is exactly one."""
def is_signed(input: Tensor) -> _bool:
    """Whether the tensor's dtype has negative values."""
def is_tensor(obj: Any) -> _bool:
    """Whether ``obj`` is a Tensor."""
def isclose(input: Tensor, other: Tensor | _complex, rtol: Any = ..., atol: Any = ..., equal_nan: _bool = ...) -> Tensor:
    """Return where |input - other| <= atol + rtol |other|; infinities are close to themselves alone."""
def isfinite(input: Tensor) -> Tensor:
    """Return where x is finite."""
def isin(elements: Any, test_elements: Any, *, assume_unique: _bool = ..., invert: _bool = ..., out: Tensor | None = ...) -> Tensor:
    """Return where ``elements`` are among ``test_elements``; either may be a number. nan is in nothing."""
def isinf(input: Tensor) -> Tensor:
    """Return where x is infinite."""
def isnan(input: Tensor) -> Tensor:
    """Return where x is not a number."""
def isneginf(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return where the elements are -inf."""
def isposinf(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return where the elements are inf."""
def isreal(input: Tensor) -> Tensor:
    """Return where the elements have no imaginary part."""
def istft(input: Tensor, n_fft: Any, hop_length: Any = ..., win_length: Any = ..., window: Any = ..., center: _bool = ..., normalized: _bool = ..., onesided: Any = ..., length: Any = ..., return_complex: _bool = ...) -> Tensor:
    """Return the signal whose :func:`stft` the input is: frames are transformed back, windowed, added up, and divided by the sum of the squared windows (the least-squares estimate of Griffin and Lim, Signal estimation from modified short-time Fourier transform, 1984)."""
def kaiser_window(window_length: Any, periodic: _bool = ..., beta: Tensor | _complex = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return the Kaiser window: w_k = I0(beta sqrt(1 - (2 k / N - 1)^2)) / I0(beta)."""
def kl_div(input: Tensor, target: Tensor, reduction: _int = ..., *, log_target: _bool = ...) -> Tensor:
    """Return target (log(target) - input), input being log-probabilities; ``reduction`` is 0 none, 1 mean or 2 sum."""
def kron(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the Kronecker product: y[i p + k, j q + l] = input[i, j] other[k, l], other being (p, q); any rank."""
def kthvalue(input: Tensor, k: Any, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.kthvalue:
    """Return (values, indices) of the k-th smallest element along ``dim``, counted from 1."""
def layer_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = ..., bias: Any = ..., eps: Any = ..., cudnn_enable: _bool = ...) -> Tensor:
    """Normalise over the last dimensions: y = (x - mean) / sqrt(var + eps) * weight + bias."""
def lcm(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the least common multiple of each pair of integers, 0 where one is 0; overflow wraps."""
def lcm_(input: Tensor, other: Tensor | _complex) -> Tensor:
    """In-place :func:`lcm`."""
def ldexp(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input * 2^other; with integers in ``other`` nothing overflows on the way to the result."""
def ldexp_(input: Tensor, other: Tensor | _complex) -> Tensor:
    """In-place :func:`ldexp`."""
def le(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input <= other."""
def lerp(input: Tensor, end: Any, weight: Tensor | _float, *, out: Tensor | None = ...) -> Tensor:
    """Return input + weight * (end - input), from the nearer end so that weights 0 and 1 are exact (as PyTorch, from ``end`` below -1/2)."""
def less(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input < other."""
def less_equal(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input <= other."""
def lgamma(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the logarithm of the absolute value of the gamma function; inf at its poles 0, -1, -2, ..."""
def linspace(start: Any, end: Any, steps: Any, *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return ``steps`` evenly spaced values from start to end, both ends exact."""
def lobpcg(A: Any, k: Any = ..., B: Any = ..., X: Any = ..., n: Any = ..., iK: Any = ..., niter: Any = ..., tol: Any = ..., largest: Any = ..., method: Any = ..., tracker: Any = ..., ortho_iparams: Any = ..., ortho_fparams: Any = ..., ortho_bparams: Any = ...) -> Tensor:
    """Return the k largest (or smallest) eigenvalues E (..., k) and eigenvectors X (..., m, k) of A x = E B x."""
def log(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the natural logarithm; nan below zero, -inf at zero."""
def log10(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the logarithm to base 10; nan below zero, -inf at zero."""
def log10_(input: Tensor) -> Tensor:
    """In-place :func:`log10`."""
def log1p(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return ln(1 + x), exact to the last places for small x."""
def log1p_(input: Tensor) -> Tensor:
    """In-place :func:`log1p`."""
def log2(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the logarithm to base 2; nan below zero, -inf at zero."""
def log2_(input: Tensor) -> Tensor:
    """In-place :func:`log2`."""
def log_(input: Tensor) -> Tensor:
    """In-place :func:`log`."""
def log_softmax(input: Tensor, dim: _int | Sequence[_int], dtype: _dtype | None = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return log(softmax(x)) along a dimension, as x - log sum exp(x), without rounding small values to zero."""
def logaddexp(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return ln(e^input + e^other) without overflow."""
def logaddexp2(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return log2(2^input + 2^other) without overflow."""
def logcumsumexp(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return the running log-sum-exp along ``dim``: y_i = log(exp(x_0) + ... + exp(x_i)), safe from overflow."""
def logdet(input: Tensor) -> Tensor:
    """Return the logarithms of the determinants of square matrices: -inf for 0, nan where a real one is negative."""
def logical_and(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where both are nonzero."""
def logical_not(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return where x is zero."""
def logical_not_(input: Tensor) -> Tensor:
    """In-place :func:`logical_not`."""
def logical_or(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where either is nonzero."""
def logical_xor(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where just one is nonzero."""
def logit(input: Tensor, eps: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return ln(x / (1 - x)), the inverse of the sigmoid; x is clamped to [eps, 1 - eps] if ``eps`` is given."""
def logit_(input: Tensor, eps: Any = ...) -> Tensor:
    """In-place :func:`logit`."""
def logspace(start: Any, end: Any, steps: Any, base: Any = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return ``steps`` values from base^start to base^end, evenly spaced in the exponent."""
def logsumexp(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return log sum exp over ``dim``, safe from overflow: y = m + log sum_i exp(x_i - m), m = max_i x_i."""
def lstm(*args: Any, **kwargs: Any) -> Tensor:
    """Run a long short-term memory network: lstm(input, hx, params, ...) or, of packed sequences, lstm(data, batch_sizes, hx, ...)."""
def lstm_cell(input: Tensor, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = ..., b_hh: Any = ...) -> Tensor:
    """Run one step of an LSTM: (h', c') from input (B, I) and hx = (h, c), both (B, H); see :func:`lstm`."""
def lstsq(*args: Any, **kwargs: Any) -> Tensor:
    """Raise RuntimeError: removed in favor of taeda.linalg.lstsq, whose arguments are the other way round."""
def lt(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input < other."""
def lu(A: Any, pivot: _bool = ..., get_infos: _bool = ..., out: Tensor | None = ...) -> Tensor:
    """Return packed LU factors and pivots (and infos); the former interface of :func:`taeda.linalg.lu_factor`."""
def lu_solve(b: Any, LU_data: Any, LU_pivots: Any, *, out: Tensor | None = ...) -> Tensor:
    """Solve A X = b where ``LU_data, LU_pivots`` are A's LU factors; the former order of :func:`taeda.linalg.lu_solve`."""
def lu_unpack(LU_data: Any, LU_pivots: Any, unpack_data: _bool = ..., unpack_pivots: _bool = ..., *, out: Tensor | None = ...) -> return_types.lu_unpack:
    """Return P, L and U from the packed factors and pivots of ``taeda.linalg.lu_factor``; empty where not asked for."""
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | _complex) -> Tensor:
    """Return input with value where mask is true: y = mask ? value : input; mask broadcasts with input."""
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return input with the elements of source, in row-major order, where mask is true; mask broadcasts."""
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the elements of input where mask is true, as a vector in row-major order; the two broadcast."""
def matmul(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Multiply tensors as matrices, by PyTorch's rules of rank: y = input @ other."""
def matrix_exp(input: Tensor) -> Tensor:
    """Return the exponentials of square matrices; see ``taeda.linalg.matrix_exp``."""
def matrix_power(input: Tensor, n: Any, *, out: Tensor | None = ...) -> Tensor:
    """Return the n-th powers of square matrices; see ``taeda.linalg.matrix_power``."""
def matrix_rank(*args: Any, **kwargs: Any) -> Tensor:
    """Raise RuntimeError: removed in favor of taeda.linalg.matrix_rank."""
@overload
def max(input: Tensor) -> Tensor:
    """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
@overload
def max(input: Tensor, dim: _int, keepdim: _bool = ..., *, out: Any = ...) -> return_types.max:
    """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
@overload
def max(input: Tensor, *, dim: _int, keepdim: _bool = ..., out: Any = ...) -> return_types.max:
    """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
@overload
def max(input: Tensor, other: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
def max_pool1d(input: Tensor, kernel_size: Any, stride: Any = ..., padding: Any = ..., dilation: Any = ..., ceil_mode: _bool = ..., return_indices: _bool = ...) -> Any:
    """Return the largest value of each window over the last dimension of (N, C, L) or (C, L)."""
def max_pool2d(input: Tensor, kernel_size: Any, stride: Any = ..., padding: Any = ..., dilation: Any = ..., ceil_mode: _bool = ..., return_indices: _bool = ...) -> Any:
    """Return the largest value of each window over the last two dimensions of (N, C, H, W) or (C, H, W)."""
def max_pool3d(input: Tensor, kernel_size: Any, stride: Any = ..., padding: Any = ..., dilation: Any = ..., ceil_mode: _bool = ..., return_indices: _bool = ...) -> Any:
    """Return the largest value of each window over the last three dimensions of (N, C, D, H, W) or (C, D, H, W)."""
def maximum(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the larger of each pair; nan where either is nan."""
def mean(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the mean of the elements, over all dimensions or those in ``dim``: y = (1/n) sum_i x_i."""
@overload
def median(input: Tensor) -> Tensor:
    """Return the median; with ``dim``, (values, indices). Of an even number the lower one; NaN if there is a NaN."""
@overload
def median(input: Tensor, dim: _int, keepdim: _bool = ..., *, out: Any = ...) -> return_types.median:
    """Return the median; with ``dim``, (values, indices). Of an even number the lower one; NaN if there is a NaN."""
@overload
def median(input: Tensor, *, dim: _int, keepdim: _bool = ..., out: Any = ...) -> return_types.median:
    """Return the median; with ``dim``, (values, indices). Of an even number the lower one; NaN if there is a NaN."""
def meshgrid(*tensors: Any, indexing: Any = ...) -> tuple[Tensor, ...]:
    """Expand vectors into coordinate grids: grid k holds tensors[k] along dimension k."""
@overload
def min(input: Tensor) -> Tensor:
    """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
@overload
def min(input: Tensor, dim: _int, keepdim: _bool = ..., *, out: Any = ...) -> return_types.min:
    """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
@overload
def min(input: Tensor, *, dim: _int, keepdim: _bool = ..., out: Any = ...) -> return_types.min:
    """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
@overload
def min(input: Tensor, other: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
def minimum(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the smaller of each pair; nan where either is nan."""
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Multiply two matrices: y = input mat2."""
def mode(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.mode:
    """Return (values, indices) of the most frequent element along ``dim``: of several the smallest, at its last place."""
def moveaxis(input: Tensor, source: _int | Sequence[_int], destination: _int | Sequence[_int]) -> Tensor:
    """Return a view with dimensions moved to other places, the rest in order."""
def movedim(input: Tensor, source: _int | Sequence[_int], destination: _int | Sequence[_int]) -> Tensor:
    """Return a view with dimensions moved to other places, the rest in order."""
def msort(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the values sorted along the first dimension."""
def mul(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input * other, element by element."""
def multinomial(input: Tensor, num_samples: Any, replacement: _bool = ..., *, generator: Generator | None = ..., out: Tensor | None = ...) -> Tensor:
    """Return indices drawn with the probabilities (any positive multiple of them) of each row."""
def multiply(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input * other, element by element."""
def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Multiply a matrix (n, k) by a vector (k): y = input vec."""
def mvlgamma(input: Tensor, p: Any, *, out: Tensor | None = ...) -> Tensor:
    """Return the logarithm of the multivariate gamma function of dimension p."""
def nan_to_num(input: Tensor, nan: Any = ..., posinf: Any = ..., neginf: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Replace nan by ``nan``, inf and -inf by ``posinf`` and ``neginf`` (by default the largest finite values)."""
def nan_to_num_(input: Tensor, nan: Any = ..., posinf: Any = ..., neginf: Any = ...) -> Tensor:
    """In-place :func:`nan_to_num`."""
def nanmean(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the mean of the elements that are not NaN."""
@overload
def nanmedian(input: Tensor) -> Tensor:
    """Return the median of what is not NaN; see :func:`median`."""
@overload
def nanmedian(input: Tensor, dim: _int, keepdim: _bool = ..., *, out: Any = ...) -> return_types.nanmedian:
    """Return the median of what is not NaN; see :func:`median`."""
@overload
def nanmedian(input: Tensor, *, dim: _int, keepdim: _bool = ..., out: Any = ...) -> return_types.nanmedian:
    """Return the median of what is not NaN; see :func:`median`."""
def nanquantile(input: Tensor, q: Any, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, interpolation: str = ..., out: Tensor | None = ...) -> Tensor:
    """Return the q-quantiles of the elements that are not nan; see :func:`quantile`."""
def nansum(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the sum of the elements that are not NaN: y = sum_i [x_i = x_i] x_i."""
def narrow(input: Tensor, dim: _int | Sequence[_int], start: Any, length: Any) -> Tensor:
    """Return a view of ``length`` indices of ``dim`` from ``start`` on."""
def narrow_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`narrow` of the same arguments shows, copied to memory of its own."""
def native_batch_norm(input: Tensor, weight: Tensor, bias: Any, running_mean: Any, running_var: Any, training: Any, momentum: Any, eps: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return :func:`taeda.batch_norm`, each channel's mean and 1 / sqrt(var + eps); the latter empty in evaluation."""
def native_dropout(input: Tensor, p: Any, train: Any) -> tuple[Tensor, Tensor]:
    """Return the tensor with elements zeroed with probability p, the rest divided by 1 - p, and the mask of what is kept."""
def native_group_norm(input: Tensor, weight: Tensor, bias: Any, N: Any, C: Any, HxW: Any, group: Any, eps: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return :func:`taeda.group_norm` of N x C x HxW values, each group's mean and 1 / sqrt(var + eps), (N, group)."""
def native_layer_norm(input: Tensor, normalized_shape: Any, weight: Tensor, bias: Any, eps: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return :func:`taeda.layer_norm`, each row's mean and 1 / sqrt(var + eps), with sizes of 1 for the normalised dimensions."""
def ne(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input != other."""
def neg(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return -x; integers wrap around."""
def neg_(input: Tensor) -> Tensor:
    """In-place :func:`neg`."""
def negative(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return -x; integers wrap around."""
def negative_(input: Tensor) -> Tensor:
    """In-place :func:`neg`."""
def nextafter(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the next floating-point number after input in the direction of other."""
def nonzero(input: Tensor, *, out: Tensor | None = ..., as_tuple: _bool = ...) -> Any:
    """Return the coordinates of the elements that are not zero, in row-major order: (n, input.dim()) int64."""
def nonzero_static(input: Tensor, *, size: _int | Sequence[_int], fill_value: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return the first ``size`` rows of :func:`nonzero`, filled up with rows of ``fill_value``: a shape that no data change."""
def norm(input: Tensor, p: Any | None = ..., dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., *, axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the p-norm of all elements, or over the dimensions in ``dim``."""
def normal(mean: Any = ..., std: Any = ..., size: _int | Sequence[_int] | None = ..., *, generator: Generator | None = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return values y = mean + std z with z standard normal."""
def not_equal(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input != other."""
def nuclear_norm(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the sums of the singular values of the matrices in two dimensions."""
def numel(input: Tensor) -> _int:
    """Return the number of elements: the product of the sizes."""
def ones(*size: _int | Sequence[_int], out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., **named: Any) -> Tensor:
    """Return a tensor of ones, in the default floating-point dtype unless one is given."""
def ones_like(input: Tensor, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return ones with the size, dtype and device of ``input``."""
def orgqr(input: Tensor, tau: Any, *, out: Tensor | None = ...) -> Tensor:
    """Return Q from geqrf's reflectors; see :func:`taeda.linalg.householder_product`."""
def ormqr(input: Tensor, tau: Any, other: Tensor | _complex, left: _bool = ..., transpose: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
    """Multiply by the square Q of geqrf's reflectors without making it: Q C, or C Q where ``left`` is False."""
def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return all products of two vectors: y[i, j] = input_i vec2_j."""
def pairwise_distance(x1: Any, x2: Any, p: Any | None = ..., eps: Any = ..., keepdim: _bool = ...) -> Tensor:
    """Return |x1 - x2 + eps|_p along the last dimension; the operands broadcast."""
def pca_lowrank(A: Any, q: Any = ..., center: _bool = ..., niter: Any = ...) -> Tensor:
    """Return U, S and V of the principal components of the rows of A (..., m, n), centred unless told otherwise."""
def pdist(input: Tensor, p: Any | None = ...) -> Tensor:
    """Return the p-norm distances of all pairs of rows, in the order (0, 1), (0, 2), ..., (n - 2, n - 1)."""
def permute(input: Tensor, *order: Any, dims: Any | None = ...) -> Tensor:
    """Return a view with the dimensions in another order."""
def permute_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`permute` of the same arguments shows, copied to memory of its own."""
def pinverse(input: Tensor, rcond: Any = ...) -> Tensor:
    """Return the Moore-Penrose inverses; see ``taeda.linalg.pinv``."""
def poisson(input: Tensor, generator: Generator | None = ...) -> Tensor:
    """Return counts from the Poisson distribution with the rates of ``input``."""
def polar(abs: Any, angle: Any, *, out: Tensor | None = ...) -> Tensor:
    """Return abs (cos angle + i sin angle)."""
def polygamma(n: Any, input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the n-th derivative of psi: (-1)^(n+1) n! sum_k (x + k)^-(n+1), and psi itself for n = 0."""
def positive(input: Tensor) -> Tensor:
    """Return input itself. Raises RuntimeError for bool."""
def pow(input: Tensor, exponent: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input raised to exponent; either may be a number."""
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return x where x > 0, else weight x, with one weight for all or one a channel (dimension 1)."""
def prod(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the product of the elements, of all or along one dimension: y = prod_i x_i."""
def put(input: Tensor, index: Any, source: Tensor, accumulate: _bool = ...) -> Tensor:
    """Return a copy of input with source written where index says; see :func:`put_`."""
def qr(input: Tensor, some: _bool = ..., *, out: Tensor | None = ...) -> return_types.qr:
    """Return Q and R, reduced where ``some``; the former interface of :func:`taeda.linalg.qr`."""
def quantile(input: Tensor, q: Any, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, interpolation: str = ..., out: Tensor | None = ...) -> Tensor:
    """Return the q-quantiles of all elements, or of those along ``dim``; nan where there is a nan."""
def rad2deg(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Turn radians into degrees: input * 180 / pi."""
def rad2deg_(input: Tensor) -> Tensor:
    """In-place :func:`rad2deg`."""
def rand(*size_args: Any, size: _int | Sequence[_int] | None = ..., generator: Generator | None = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return values from the uniform distribution on [0, 1)."""
def rand_like(input: Tensor, *, generator: Generator | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return values from the uniform distribution on [0, 1) in the shape, dtype and layout of ``input``."""
def randint(*args: Any, low: Any = ..., high: Any = ..., size: _int | Sequence[_int] | None = ..., generator: Generator | None = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return integers from [low, high): ``randint(high, size)`` or ``randint(low, high, size)``."""
def randint_like(input: Tensor, *args: Any, low: Any = ..., high: Any = ..., generator: Generator | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return integers from [low, high) in the shape, dtype and layout of ``input``."""
def randn(*size_args: Any, size: _int | Sequence[_int] | None = ..., generator: Generator | None = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return values from the standard normal distribution; arguments as those of ``rand``."""
def randn_like(input: Tensor, *, generator: Generator | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return values from the standard normal distribution in the shape, dtype and layout of ``input``."""
def randperm(n: Any, *, generator: Generator | None = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return a random permutation of 0 .. n - 1 (Fisher and Yates, 1938)."""
def range(start: Any, end: Any = ..., step: Any = ..., **options: Any) -> Tensor:
    """Return start, start + step, ... up to and with end; :func:`arange`, which leaves the end out, took its place."""
def ravel(input: Tensor) -> Tensor:
    """Return the elements in one dimension, as a view where possible."""
def real(input: Tensor) -> Tensor:
    """Return a view of the real parts; a real tensor is returned as it is."""
def reciprocal(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return 1 / x."""
def reciprocal_(input: Tensor) -> Tensor:
    """In-place :func:`reciprocal`."""
def relu(input: Tensor) -> Tensor:
    """Return max(x, 0)."""
def relu_(input: Tensor) -> Tensor:
    """In-place :func:`relu`."""
def remainder(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the remainder with the sign of ``other`` (Python's ``%``)."""
def renorm(input: Tensor, p: Any, dim: _int | Sequence[_int], maxnorm: Any, *, out: Tensor | None = ...) -> Tensor:
    """Scale down the slices along ``dim`` whose p-norm exceeds ``maxnorm``, to that norm."""
def repeat_interleave(input: Tensor, repeats: Any | None = ..., dim: _int | Sequence[_int] | None = ..., *, output_size: Any = ...) -> Tensor:
    """Repeat each element of input repeats times (a number, or a vector of one for each element) along dim."""
def reshape(input: Tensor, *sizes: Any, shape: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return a view of another shape where memory allows it, else a copy."""
def resize_as_(input: Tensor, other: Tensor | _complex, *, memory_format: Any = ...) -> Tensor:
    """Give the tensor the shape of another, in place; with ``preserve_format`` its channels lie as the other's do. See :func:`resize_`."""
def resolve_conj(input: Tensor) -> Tensor:
    """Return the tensor: conjugates are never lazy here."""
def resolve_neg(input: Tensor) -> Tensor:
    """Return the tensor: negatives are never lazy here."""
def result_type(tensor: Tensor, other: Tensor | _complex) -> Any:
    """Return the dtype that an operation on the two, tensors or numbers, gives: numbers count by their kind alone."""
def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = ..., eps: Any = ...) -> Tensor:
    """Scale by the root mean square of the last dimensions: y = x / sqrt(mean(x^2) + eps) * weight."""
def rnn_relu(*args: Any, **kwargs: Any) -> Tensor:
    """Run a plain recurrent network, h' = max(W_ih x + b_ih + W_hh h + b_hh, 0); arguments as :func:`rnn_tanh`'s."""
def rnn_relu_cell(input: Tensor, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = ..., b_hh: Any = ...) -> Tensor:
    """Run one step of a plain recurrent network: h' = max(W_ih x + b_ih + W_hh h + b_hh, 0)."""
def rnn_tanh(*args: Any, **kwargs: Any) -> Tensor:
    """Run a plain recurrent network, h' = tanh(W_ih x + b_ih + W_hh h + b_hh); arguments as :func:`gru`'s with H rows of weights."""
def rnn_tanh_cell(input: Tensor, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = ..., b_hh: Any = ...) -> Tensor:
    """Run one step of a plain recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), x (B, I), h (B, H)."""
def roll(input: Tensor, shifts: Any, dims: Any | None = ...) -> Tensor:
    """Shift input along dims; what leaves at one end comes in at the other: y[(i + shift) % n] = input[i]."""
def rot90(input: Tensor, k: Any = ..., dims: Any | None = ...) -> Tensor:
    """Turn input by k quarters in the plane of dims, from the first towards the second."""
def round(input: Tensor, *, decimals: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Round to the nearest integer, halves to the even one; ``decimals`` places if given."""
def round_(input: Tensor, *, decimals: Any = ...) -> Tensor:
    """In-place :func:`round`."""
def row_stack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Same as :func:`vstack`."""
def rsqrt(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the reciprocal of the square root: y = x^(-1/2); inf at zero, nan below."""
def rsqrt_(input: Tensor) -> Tensor:
    """In-place :func:`rsqrt`."""
def rsub(input: Tensor, other: Tensor | _complex, alpha: Tensor | _complex = ...) -> Tensor:
    """Return other - alpha * input."""
def scalar_tensor(s: Any, *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., layout: Any = ..., pin_memory: _bool = ...) -> Tensor:
    """Return a 0-d tensor of a number, of the default float dtype unless given; ``tensor`` takes an int's dtype from it."""
def scatter(input: Tensor, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex | None = ..., *, value: Tensor | _complex | None = ..., reduce: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Return input with src written along dim where index says: y[index[i, j], j] = src[i, j] for dim 0."""
def scatter_add(input: Tensor, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input with src added along dim where index says: y[index[i, j], j] += src[i, j] for dim 0."""
def scatter_reduce(input: Tensor, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex, reduce: Any, *, include_self: _bool = ..., out: Tensor | None = ...) -> Tensor:
    """Return input with src reduced into it along dim where index says."""
def searchsorted(sorted_sequence: Tensor, input: Tensor, *, out_int32: _bool = ..., right: _bool = ..., side: Any = ..., sorter: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Return where each value of ``input`` would be inserted into the last dimension of ``sorted_sequence``."""
def segment_reduce(data: Any, reduce: Any, *, lengths: Any = ..., indices: Tensor | None = ..., offsets: Any = ..., axis: _int | Sequence[_int] | None = ..., unsafe: _bool = ..., initial: Any = ...) -> Tensor:
    """Reduce the runs of elements along ``axis``, one after another: y[.., s, ..] = reduce of data[.., a_s to a_(s+1) - 1, ..]."""
def select(input: Tensor, dim: _int | Sequence[_int], index: Any) -> Tensor:
    """Return a view of one index of dimension ``dim``, which goes away."""
def select_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`select` of the same arguments shows, copied to memory of its own."""
def select_scatter(input: Tensor, src: Tensor | _complex, dim: _int | Sequence[_int], index: Any) -> Tensor:
    """Return input with src written over input.select(dim, index)."""
def selu(input: Tensor) -> Tensor:
    """Return :func:`elu` with the constants that keep mean 0 and variance 1 (Klambauer et al., 2017)."""
def selu_(input: Tensor) -> Tensor:
    """In-place :func:`selu`."""
def sgn(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return z / |z|, 0 at 0: the sign of a real tensor."""
def sigmoid(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return 1 / (1 + e^-x)."""
def sigmoid_(input: Tensor) -> Tensor:
    """In-place :func:`sigmoid`."""
def sign(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return -1, 0 or 1 by the sign of x."""
def sign_(input: Tensor) -> Tensor:
    """In-place :func:`sign`."""
def signbit(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return where the sign bit is set."""
def sin(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the sine of x radians."""
def sin_(input: Tensor) -> Tensor:
    """In-place :func:`sin`."""
def sinc(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return sin(pi x) / (pi x), 1 at 0 and exactly 0 at the other integers."""
def sinc_(input: Tensor) -> Tensor:
    """In-place :func:`sinc`."""
def sinh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the hyperbolic sine: y = (e^x - e^-x) / 2."""
def sinh_(input: Tensor) -> Tensor:
    """In-place :func:`sinh`."""
def slice_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`slice` of the same arguments shows, copied to memory of its own."""
def slice_inverse(input: Tensor, src: Tensor | _complex, dim: _int | Sequence[_int] | None = ..., start: Any = ..., end: Any = ..., step: Any = ...) -> Tensor:
    """Return the tensor of which ``input`` is a slice: a view of its storage laid out as ``src`` is."""
def slice_scatter(input: Tensor, src: Tensor | _complex, dim: _int | Sequence[_int] | None = ..., start: Any = ..., end: Any = ..., step: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return input with src written over input[start:end:step] of dimension dim."""
def slogdet(input: Tensor, *, out: Tensor | None = ...) -> return_types.slogdet:
    """Return sign and log|det| of square matrices; see ``taeda.linalg.slogdet``."""
def smm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of a sparse and a dense matrix as a sparse tensor."""
def softmax(input: Tensor, dim: _int | Sequence[_int], dtype: _dtype | None = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return exponentials that add up to one along a dimension: y = exp(x) / sum exp(x)."""
def solve(*args: Any, **kwargs: Any) -> Tensor:
    """Raise RuntimeError: removed in favor of taeda.linalg.solve, whose arguments are the other way round and which returns no LU."""
def sort(input: Tensor, dim: _int | Sequence[_int] | None = ..., descending: _bool = ..., *, stable: _bool = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.sort:
    """Return (values, indices) sorted along ``dim``; equal elements keep their order, NaN comes last."""
def split(input: Tensor, split_size_or_sections: Any = ..., dim: _int | Sequence[_int] | None = ..., *, split_size: Any = ...) -> tuple[Tensor, ...]:
    """Return a tuple of views along ``dim``: pieces of one size (the last may be smaller), or of the given sizes."""
def split_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Any:
    """Return the pieces of :func:`split`, each copied to memory of its own; None with ``out``."""
def split_with_sizes(input: Tensor, split_sizes: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return views of the given sizes along ``dim``."""
def split_with_sizes_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Any:
    """Return the pieces of :func:`split_with_sizes`, each copied to memory of its own; None with ``out``."""
def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices, of which the first is sparse as a rule."""
def sqrt(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the square root; nan below zero."""
def sqrt_(input: Tensor) -> Tensor:
    """In-place :func:`sqrt`."""
def square(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return x^2; bools count as int64."""
def square_(input: Tensor) -> Tensor:
    """In-place :func:`square`."""
def squeeze(input: Tensor, dim: _int | Sequence[_int] | None = ..., *more: Any) -> Tensor:
    """Return a view without its dimensions of size 1, or without the given ones, a tuple or one by one, if their size is 1."""
def squeeze_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`squeeze` of the same arguments shows, copied to memory of its own."""
def sspaddmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return beta input + alpha (mat1 @ mat2), of a sparse input and mat1, as a sparse tensor."""
def stack(tensors: Any, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Put tensors of one shape beside each other along a new dimension dim."""
def std(input: Tensor, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the standard deviation, the square root of :func:`var`; its gradient at 0 is taken as 0."""
def std_mean(input: Tensor, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> tuple[Tensor, Tensor]:
    """Return (standard deviation, mean) from one pass."""
def stft(input: Tensor, n_fft: Any, hop_length: Any = ..., win_length: Any = ..., window: Any = ..., center: _bool = ..., pad_mode: str = ..., normalized: _bool = ..., onesided: Any = ..., return_complex: Any = ..., align_to_window: Any = ...) -> Tensor:
    """Return the transforms of overlapping, windowed frames: X[f, t] = sum_k w_k x[t hop + k] exp(-2 pi i f k / n_fft)."""
def sub(input: Tensor, other: Tensor | _complex, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return input - alpha * other."""
def subtract(input: Tensor, other: Tensor | _complex, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return input - alpha * other."""
def sum(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the sum of the elements, over all dimensions or those in ``dim``."""
def svd(input: Tensor, some: _bool = ..., compute_uv: _bool = ..., *, out: Tensor | None = ...) -> return_types.svd:
    """Return U, S and V with A = U diag(S) V^H; the former interface of :func:`taeda.linalg.svd`, which returns V^H."""
def svd_lowrank(A: Any, q: Any = ..., niter: Any = ..., M: Any = ...) -> Tensor:
    """Return U (..., m, q), S (..., q) and V (..., n, q) with A (or A - M) about U diag(S) V^H."""
def swapaxes(input: Tensor, dim0: Any, dim1: Any) -> Tensor:
    """Return a view with two dimensions exchanged."""
def swapdims(input: Tensor, dim0: Any, dim1: Any) -> Tensor:
    """Return a view with two dimensions exchanged."""
def symeig(*args: Any, **kwargs: Any) -> Tensor:
    """Raise RuntimeError: removed in favor of taeda.linalg.eigh, which reads the lower triangle by default."""
def t(input: Tensor) -> Tensor:
    """Return the transpose of a matrix; a vector or scalar as it is."""
def t_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`t` of the same arguments shows, copied to memory of its own."""
def take(input: Tensor, index: Any, *, out: Tensor | None = ...) -> Tensor:
    """Return input.reshape(-1)[index], of index's shape."""
def take_along_dim(input: Tensor, indices: Tensor, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ...) -> Tensor:
    """Take from input along dim where indices says, both broadcast apart from dim; flat without dim."""
def tan(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the tangent of x radians."""
def tan_(input: Tensor) -> Tensor:
    """In-place :func:`tan`."""
def tanh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the hyperbolic tangent."""
def tanh_(input: Tensor) -> Tensor:
    """In-place :func:`tanh`."""
def tensor(data: Any, *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return a new tensor with a copy of ``data``: a number, nested sequences, a NumPy array or a tensor."""
def tensor_split(input: Tensor, indices_or_sections: Any = ..., dim: _int | Sequence[_int] | None = ..., *, indices: Tensor | None = ..., sections: Any = ...) -> tuple[Tensor, ...]:
    """Return views along ``dim``: so many of nearly equal size, or cut before the given indices."""
def tensordot(a: Any, b: Any, dims: Any | None = ..., out: Tensor | None = ...) -> Tensor:
    """Sum products over the last ``dims`` dimensions of a and the first of b, or over two lists of dimensions."""
def threshold(input: Tensor, threshold: Any, value: Tensor | _complex) -> Tensor:
    """Return x where x > threshold, else value."""
def threshold_(input: Tensor, threshold: Any, value: Tensor | _complex) -> Tensor:
    """In-place :func:`threshold`; an expanded tensor too, since doing it twice changes nothing."""
def tile(input: Tensor, *sizes: Any, dims: Any | None = ...) -> Tensor:
    """Repeat input as repeat does; dimensions without a number are kept."""
def topk(input: Tensor, k: Any, dim: _int | Sequence[_int] | None = ..., largest: _bool = ..., sorted: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.topk:
    """Return (values, indices) of the k largest (or smallest) elements along ``dim``, in order; of equals PyTorch's."""
def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix: y = sum_i x_ii."""
def transpose(input: Tensor, dim0: Any, dim1: Any) -> Tensor:
    """Return a view with two dimensions exchanged."""
def transpose_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`transpose` of the same arguments shows, copied to memory of its own."""
def trapezoid(y: Any, x: Tensor | None = ..., *, dx: Any = ..., dim: _int | Sequence[_int] | None = ...) -> Tensor:
    """Integrate along ``dim`` by the trapezoidal rule: sum_i (x_(i+1) - x_i) (y_i + y_(i+1)) / 2."""
def trapz(y: Any, x: Tensor | None = ..., *, dx: Any = ..., dim: _int | Sequence[_int] | None = ...) -> Tensor:
    """The same as :func:`trapezoid`, under NumPy's former name."""
def triangular_solve(b: Any, A: Any, upper: _bool = ..., transpose: _bool = ..., unitriangular: _bool = ..., *, out: Tensor | None = ...) -> return_types.triangular_solve:
    """Solve A X = b (A^T X = b with ``transpose``) where A is a triangle; return X and a copy of A."""
def tril(input: Tensor, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Keep the lower triangles of input's matrices: y[i, j] = input[i, j] where j - i <= diagonal, else 0."""
def tril_indices(row: Any, col: Any, offset: Any = ..., *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., layout: Any = ..., requires_grad: _bool = ..., pin_memory: Any = ...) -> Tensor:
    """Return the rows and columns of the lower triangle of a row x col matrix: (2, n), int64 if not said otherwise."""
def triu(input: Tensor, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Keep the upper triangles of input's matrices: y[i, j] = input[i, j] where j - i >= diagonal, else 0."""
def triu_indices(row: Any, col: Any, offset: Any = ..., *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., layout: Any = ..., requires_grad: _bool = ..., pin_memory: Any = ...) -> Tensor:
    """Return the rows and columns of the upper triangle of a row x col matrix: (2, n), int64 if not said otherwise."""
def true_divide(input: Tensor, other: Tensor | _complex, *, rounding_mode: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Return input / other; ``rounding_mode`` "trunc" rounds towards zero, "floor" downwards."""
def trunc(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the integer part, rounding towards zero."""
def trunc_(input: Tensor) -> Tensor:
    """In-place :func:`trunc`."""
def unbind(input: Tensor, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return a tuple of views, one for each index of ``dim``."""
def unbind_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Any:
    """Return the pieces of :func:`unbind`, each copied to memory of its own; None with ``out``."""
def unflatten(input: Tensor, dim: _int | Sequence[_int], sizes: _int | Sequence[_int]) -> Tensor:
    """Split dimension ``dim`` into ``sizes`` (one may be -1)."""
def unfold_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`unfold` of the same arguments shows, copied to memory of its own."""
def unique(input: Tensor, sorted: _bool = ..., return_inverse: _bool = ..., return_counts: _bool = ..., dim: _int | Sequence[_int] | None = ...) -> Any:
    """Return the different values in ascending order, or the different slices along ``dim``."""
def unique_consecutive(input: Tensor, return_inverse: _bool = ..., return_counts: _bool = ..., dim: _int | Sequence[_int] | None = ...) -> Any:
    """Return the values, or slices along ``dim``, without those equal to the one before."""
def unravel_index(indices: Tensor, shape: _int | Sequence[_int]) -> Tensor:
    """Return the coordinates of flat indices in a tensor of the given shape: one tensor a dimension."""
def unsafe_chunk(input: Tensor, chunks: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return :func:`chunk` into pieces that are no views: see :func:`unsafe_split`."""
def unsafe_split(input: Tensor, split_size: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return :func:`split` into pieces that are no views."""
def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return :func:`split_with_sizes` into pieces that are no views: see :func:`unsafe_split`."""
def unsqueeze(input: Tensor, dim: _int | Sequence[_int]) -> Tensor:
    """Return a view with a dimension of size 1 put in at ``dim``."""
def unsqueeze_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`unsqueeze` of the same arguments shows, copied to memory of its own."""
def vander(x: Tensor, N: Any = ..., increasing: _bool = ...) -> Tensor:
    """Return the Vandermonde matrix of a vector: powers of its elements along rows, the highest first if not ``increasing``."""
def var(input: Tensor, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the variance over all dimensions or those in ``dim``."""
def var_mean(input: Tensor, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> tuple[Tensor, Tensor]:
    """Return (variance, mean) from one pass."""
def vdot(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the dot product of two vectors, the first conjugated (which changes nothing for real ones)."""
def view_as_complex(input: Tensor) -> Tensor:
    """Return a view of a real tensor whose last dimension holds real and imaginary parts as a complex one."""
def view_as_complex_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`view_as_complex` of the same arguments shows, copied to memory of its own."""
def view_as_real(input: Tensor) -> Tensor:
    """Return a view of a complex tensor as real numbers, the parts in a last dimension of size 2."""
def view_as_real_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`view_as_real` of the same arguments shows, copied to memory of its own."""
def view_copy(input: Tensor, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
    """Return what :func:`view` of the same arguments shows, copied to memory of its own."""
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the first dimension of at least two."""
def vstack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Put tensors below each other along dimension 0, vectors as rows."""
@overload
def where(condition: Tensor) -> tuple[Tensor, ...]:
    """Return input where condition is true and other where it is not: y = condition ? input : other, broadcast."""
@overload
def where(condition: Tensor, input: Tensor | _complex | None = ..., other: Tensor | _complex | None = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return input where condition is true and other where it is not: y = condition ? input : other, broadcast."""
def xlogy(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input * ln(other), 0 where input is 0 and other is no nan."""
def xlogy_(input: Tensor, other: Tensor | _complex) -> Tensor:
    """In-place :func:`xlogy`."""
def zero_(input: Tensor) -> Tensor:
    """Set every element to 0."""
def zeros(*size: _int | Sequence[_int], out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., **named: Any) -> Tensor:
    """Return a tensor of zeros."""
def zeros_like(input: Tensor, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return zeros with the size, dtype and device of ``input``."""
def from_dlpack(ext_tensor: Any, *, device: Any = ..., copy: _bool | None = ...) -> Tensor: ...
def to_dlpack(tensor: Tensor) -> Any: ...
def is_autocast_cpu_enabled() -> Any: ...
def set_autocast_cpu_enabled(enabled: Any) -> Any: ...
def get_autocast_cpu_dtype() -> Any: ...
def set_autocast_cpu_dtype(dtype: _dtype) -> Any: ...
def get_autocast_gpu_dtype() -> Any: ...
def set_autocast_gpu_dtype(dtype: _dtype) -> Any: ...
def is_autocast_ipu_enabled() -> Any: ...
def set_autocast_ipu_enabled(enabled: Any) -> Any: ...
def get_autocast_ipu_dtype() -> Any: ...
def set_autocast_ipu_dtype(dtype: _dtype) -> Any: ...
def is_autocast_xla_enabled() -> Any: ...
def set_autocast_xla_enabled(enabled: Any) -> Any: ...
def get_autocast_xla_dtype() -> Any: ...
def set_autocast_xla_dtype(dtype: _dtype) -> Any: ...
from taeda.nn.functional._native import _native_multi_head_attention as _native_multi_head_attention, _nested_tensor_from_mask_left_aligned as _nested_tensor_from_mask_left_aligned, _transformer_encoder_layer_fwd as _transformer_encoder_layer_fwd, _weight_norm as _weight_norm, adaptive_max_pool1d as adaptive_max_pool1d, channel_shuffle as channel_shuffle, cosine_embedding_loss as cosine_embedding_loss, embedding_renorm_ as embedding_renorm_, hinge_embedding_loss as hinge_embedding_loss, margin_ranking_loss as margin_ranking_loss, max_pool1d_with_indices as max_pool1d_with_indices, native_channel_shuffle as native_channel_shuffle, norm_except_dim as norm_except_dim, pixel_shuffle as pixel_shuffle, pixel_unshuffle as pixel_unshuffle, poisson_nll_loss as poisson_nll_loss, rrelu as rrelu, rrelu_ as rrelu_, triplet_margin_loss as triplet_margin_loss  # type: ignore[attr-defined]
from taeda.autograd.anomaly_mode import set_anomaly_enabled as set_anomaly_enabled
from taeda.func import vmap as vmap
from taeda.legacy import get_device_module as get_device_module, is_same_size as is_same_size
from taeda.overrides import DisableTorchFunction as DisableTorchFunction, DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from taeda.schema import Tag as Tag
from taeda.serialization.file_reader import PyTorchFileReader as PyTorchFileReader
from taeda.settings import compiled_with_cxx11_abi as compiled_with_cxx11_abi, has_lapack as has_lapack, has_mkl as has_mkl, has_openmp as has_openmp, has_spectral as has_spectral, is_vulkan_available as is_vulkan_available, set_vital as set_vital
from taeda.storage import UntypedStorage as StorageBase
def is_anomaly_check_nan_enabled() -> _bool:
    """Whether anomaly mode looks for nan in the gradients."""
def is_anomaly_enabled() -> _bool:
    """Whether anomaly mode is on."""
def is_conj(input: Tensor) -> _bool:
    """Whether the tensor is a lazy conjugate: never, conjugates are computed at once."""
jagged: Any
legacy_contiguous_format: Any
def thread_safe_generator() -> None:
    """Return None: PyTorch's data loaders give their worker threads generators by it; here workers are processes."""
