# Made by tools/make_stubs.py.
from builtins import bool as _bool, complex as _complex, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from taeda import autograd as autograd, backends as backends, cpu as cpu, cuda as cuda, ops as ops, serialization as serialization, version as version
from taeda._version import __version__ as __version__
from taeda.autograd.grad_mode import enable_grad as enable_grad, inference_mode as inference_mode, is_grad_enabled as is_grad_enabled, is_inference_mode_enabled as is_inference_mode_enabled, no_grad as no_grad, set_grad_enabled as set_grad_enabled
from taeda.device import device as device, get_default_device as get_default_device, set_default_device as set_default_device
from taeda.device import device as _device
from taeda.dtype import can_cast as can_cast, dtype as dtype, finfo as finfo, get_default_dtype as get_default_dtype, iinfo as iinfo, promote_types as promote_types, set_default_dtype as set_default_dtype
from taeda.dtype import dtype as _dtype
from taeda.generator import Generator as Generator
from taeda.layout import layout as layout, strided as strided
from taeda.printing import set_printoptions as set_printoptions
from taeda.random import get_rng_state as get_rng_state, initial_seed as initial_seed, manual_seed as manual_seed, seed as seed, set_rng_state as set_rng_state
from taeda.legacy import is_storage as is_storage, set_default_tensor_type as set_default_tensor_type, typename as typename
from taeda.settings import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled, compile as compile, get_deterministic_debug_mode as get_deterministic_debug_mode, get_float32_matmul_precision as get_float32_matmul_precision, get_num_interop_threads as get_num_interop_threads, is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled, is_warn_always_enabled as is_warn_always_enabled, set_deterministic_debug_mode as set_deterministic_debug_mode, set_float32_matmul_precision as set_float32_matmul_precision, set_flush_denormal as set_flush_denormal, set_num_interop_threads as set_num_interop_threads, set_warn_always as set_warn_always, use_deterministic_algorithms as use_deterministic_algorithms
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
float: _dtype
double: _dtype
half: _dtype
int: _dtype
long: _dtype
short: _dtype
cfloat: _dtype
cdouble: _dtype
chalf: _dtype
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
pi: _float
e: _float
inf: _float
nan: _float
newaxis: None
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
    """Return the inverse hyperbolic cosine; nan below 1."""
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
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Add an outer product: y[i, j] = beta input[i, j] + alpha vec1_i vec2_j."""
def all(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return whether all elements are nonzero: _bool, but uint8 of uint8; true of nothing."""
def allclose(input: Tensor, other: Tensor | _complex, rtol: Any = ..., atol: Any = ..., equal_nan: _bool = ...) -> _bool:
    """Return True if all elements are close: see :func:`isclose`."""
def alpha_dropout(input: Tensor, p: Any | None = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor:
    """Drop elements to SELU's lower limit with probability p, keeping zero mean and unit variance."""
def amax(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the largest elements over ``dim``; a gradient is split evenly among equals. NaN is the largest."""
def amin(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the smallest elements over ``dim``; a gradient is split evenly among equals. NaN wins."""
def aminmax(input: Tensor, *, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., out: Tensor | None = ...) -> Any:
    """Return the smallest and the largest element, of all or along one dimension."""
def any(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return whether some element is nonzero: _bool, but uint8 of uint8. NaN is nonzero."""
def arange(start: Any = ..., end: Any = ..., step: Any = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return start, start + step, ... below end; int64 for ints, the default float dtype otherwise."""
def arccos(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse cosine in radians; nan outside [-1, 1]."""
def arccos_(input: Tensor) -> Tensor:
    """In-place :func:`acos`."""
def arccosh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic cosine; nan below 1."""
def arccosh_(input: Tensor) -> Tensor:
    """In-place :func:`acosh`."""
def arcsin(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse sine in radians; nan outside [-1, 1]."""
def arcsin_(input: Tensor) -> Tensor:
    """In-place :func:`asin`."""
def arcsinh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic sine."""
def arcsinh_(input: Tensor) -> Tensor:
    """In-place :func:`asinh`."""
def arctan(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse tangent in radians."""
def arctan2(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the angle in radians of the points (other, input), in (-pi, pi]."""
def arctan_(input: Tensor) -> Tensor:
    """In-place :func:`atan`."""
def arctanh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic tangent; nan outside [-1, 1]."""
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
def as_tensor(data: Any, dtype: _dtype | None = ..., device: _device | str | _int | None = ...) -> Tensor:
    """Return ``data`` as a tensor, sharing memory where it can (tensors, NumPy arrays)."""
def asarray(obj: Any, *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., copy: Any = ..., requires_grad: _bool = ...) -> Tensor:
    """Return ``obj`` as a tensor; ``copy`` None shares memory where it can, False must, True never does."""
def asin(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse sine in radians; nan outside [-1, 1]."""
def asin_(input: Tensor) -> Tensor:
    """In-place :func:`asin`."""
def asinh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic sine."""
def asinh_(input: Tensor) -> Tensor:
    """In-place :func:`asinh`."""
def atan(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse tangent in radians."""
def atan2(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the angle in radians of the points (other, input), in (-pi, pi]."""
def atan_(input: Tensor) -> Tensor:
    """In-place :func:`atan`."""
def atanh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the inverse hyperbolic tangent; nan outside [-1, 1]."""
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
def bernoulli(input: Tensor, p: Any | None = ..., *, generator: Generator | None = ..., out: Tensor | None = ...) -> Tensor:
    """Return 1 where u < input and 0 elsewhere, u uniform on [0, 1)."""
def bincount(input: Tensor, weights: Any = ..., minlength: Any = ...) -> Tensor:
    """Return how often each of 0, 1, 2, ... occurs in ``input``, or the sums of the ``weights`` there."""
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
def block_diag(*tensors: Any) -> Tensor:
    """Return the matrix with the given matrices (vectors as rows, numbers as 1 x 1) along its diagonal, else 0."""
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Multiply matrices pairwise: y[i] = input[i] mat2[i]."""
def broadcast_shapes(*shapes: Any) -> Tensor:
    """Return the shape that tensors of these shapes broadcast to."""
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Return the tensors expanded to their common shape."""
def broadcast_to(input: Tensor, size: _int | Sequence[_int]) -> Tensor:
    """Return :func:`expand` to ``size``."""
def bucketize(input: Tensor, boundaries: Any, *, out_int32: _bool = ..., right: _bool = ..., out: Tensor | None = ...) -> Tensor:
    """Return the bucket of each value: :func:`searchsorted` of ``input`` in the (n,) ``boundaries``."""
def cartesian_prod(*tensors: Any) -> Tensor:
    """Return all combinations of the vectors' elements, one a row, the last vector's running fastest."""
def cat(tensors: Any, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Put tensors behind each other along dim; their other sizes agree, their dtypes are promoted."""
def ceil(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the smallest integer that is not below x."""
def ceil_(input: Tensor) -> Tensor:
    """In-place :func:`ceil`."""
def celu(input: Tensor, alpha: Tensor | _complex = ...) -> Tensor:
    """Return x where x > 0, else alpha * (e^(x / alpha) - 1)."""
def chain_matmul(*matrices: Any, out: Tensor | None = ...) -> Tensor:
    """Multiply two or more matrices in the cheapest order (``multi_dot`` of its arguments)."""
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
def concat(tensors: Any, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Same as cat."""
def concatenate(tensors: Any, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Same as cat."""
def constant_pad_nd(input: Tensor, pad: Any, value: Tensor | _complex = ...) -> Tensor:
    """Pad with a constant; see :func:`taeda.ops.pad`."""
def conv1d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., dilation: Any = ..., groups: Any = ...) -> Tensor:
    """Convolve sequences: y[n, o, i] = bias[o] + sum_{c, k} input[n, c, i stride + k dilation - padding] weight[o, c, k]."""
def conv2d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., dilation: Any = ..., groups: Any = ...) -> Tensor:
    """Convolve images: y[n, o, i, j] = bias[o] + sum_{c, k, l} input[n, c, i' , j'] weight[o, c, k, l]."""
def conv_transpose1d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., output_padding: Any = ..., groups: Any = ..., dilation: Any = ...) -> Tensor:
    """Apply the transpose of conv1d: each input place adds a scaled copy of the kernel to the result."""
def conv_transpose2d(input: Tensor, weight: Tensor, bias: Any = ..., stride: Any = ..., padding: Any = ..., output_padding: Any = ..., groups: Any = ..., dilation: Any = ...) -> Tensor:
    """Apply the transpose of conv2d: each input pixel adds a scaled copy of the kernel to the result."""
def copysign(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the magnitude of input with the sign of other."""
def cos(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the cosine of x radians."""
def cos_(input: Tensor) -> Tensor:
    """In-place :func:`cos`."""
def cosh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the hyperbolic cosine."""
def cosh_(input: Tensor) -> Tensor:
    """In-place :func:`cosh`."""
def count_nonzero(input: Tensor, dim: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return how many elements are nonzero, over all dimensions or those in ``dim``."""
def cummax(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Any:
    """Return (values, indices) of the largest element so far along ``dim``; of equals the last. NaN stays."""
def cummin(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Any:
    """Return (values, indices) of the smallest element so far along ``dim``; of equals the last. NaN stays."""
def cumprod(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return the running products along ``dim``: y_i = x_0 ... x_i."""
def cumsum(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return the running sums along ``dim``: y_i = x_0 + ... + x_i. Integers and bool are summed in int64."""
def detach(input: Tensor) -> Tensor:
    """Return the same memory without history; in-place writes still count for saved tensors."""
def detach_(input: Tensor) -> Tensor:
    """Cut the tensor off its history, in place."""
def diag(input: Tensor, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the matrix with a vector on its diagonal, or a copy of the diagonal of a matrix."""
def diag_embed(input: Tensor, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
    """Put the vectors along input's last dimension on the diagonals of zero matrices, in dimensions dim1 and dim2."""
def diagflat(input: Tensor, offset: Any = ...) -> Tensor:
    """Return the matrix with input's elements, read as a vector, on a diagonal."""
def diagonal(input: Tensor, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
    """Return a view of a diagonal of two dimensions, as the last dimension of the result."""
def diagonal_scatter(input: Tensor, src: Tensor | _complex, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
    """Return input with src written over input.diagonal(offset, dim1, dim2)."""
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
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the third dimension."""
def dstack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Put tensors behind each other along dimension 2."""
def einsum(*args: Any) -> Tensor:
    """Sum products of elements over the labels that the result does not have (Einstein's convention)."""
def empty(*size: _int | Sequence[_int], out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ..., **named: Any) -> Tensor:
    """Return a tensor of the given size whose elements are whatever was in memory."""
def empty_like(input: Tensor, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return :func:`empty` with the size, dtype and device of ``input``."""
def empty_strided(size: _int | Sequence[_int], stride: Any, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return an uninitialised tensor of the given size and strides."""
def eq(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input == other."""
def equal(input: Tensor, other: Tensor | _complex) -> _bool:
    """Return True if both tensors have the same shape and equal elements (NaN equals nothing)."""
def erf(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the error function."""
def erf_(input: Tensor) -> Tensor:
    """In-place :func:`erf`."""
def erfc(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return 1 - erf(x), exact where erf(x) is near 1."""
def erfc_(input: Tensor) -> Tensor:
    """In-place :func:`erfc`."""
def exp(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return e raised to each element."""
def exp2(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return 2 raised to each element."""
def exp2_(input: Tensor) -> Tensor:
    """In-place :func:`exp2`."""
def exp_(input: Tensor) -> Tensor:
    """In-place :func:`exp`."""
def expm1(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return e^x - 1, exact to the last places for small x."""
def expm1_(input: Tensor) -> Tensor:
    """In-place :func:`expm1`."""
def eye(n: Any, m: Any = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return ones on the diagonal of an n x m matrix (n x n without m), zeros elsewhere."""
def feature_alpha_dropout(input: Tensor, p: Any | None = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor:
    """:func:`alpha_dropout` of whole channels of (N, C, ...)."""
def feature_dropout(input: Tensor, p: Any | None = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor:
    """Zero whole channels of (N, C, ...) with probability p and divide the rest by 1 - p."""
def feature_dropout_(input: Tensor, p: Any | None = ..., training: _bool = ...) -> Tensor:
    """In-place :func:`feature_dropout`."""
def fill(input: Tensor, value: Tensor | _complex) -> Tensor:
    """Return a tensor like ``input`` with every element ``value``."""
def fill_(input: Tensor, value: Tensor | _complex) -> Tensor:
    """Set every element to ``value``, a number or a 0-d tensor."""
def fix(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the integer part, rounding towards zero."""
def fix_(input: Tensor) -> Tensor:
    """In-place :func:`trunc`."""
def flatten(input: Tensor, start_dim: Any = ..., end_dim: Any = ...) -> Tensor:
    """Merge the dimensions from ``start_dim`` to ``end_dim`` into one."""
def flip(input: Tensor, *dims: Any) -> Tensor:
    """Reverse input along dims: y[i] = input[n - 1 - i]. The result is a copy."""
def fliplr(input: Tensor) -> Tensor:
    """Reverse input along dimension 1."""
def flipud(input: Tensor) -> Tensor:
    """Reverse input along dimension 0."""
def float_power(input: Tensor, exponent: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return :func:`pow` computed in float64."""
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
def ge(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input >= other."""
def ger(input: Tensor, vec2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return all products of two vectors; the former name of ``outer``."""
def greater(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input > other."""
def greater_equal(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input >= other."""
def group_norm(input: Tensor, num_groups: Any, weight: Tensor | None = ..., bias: Any = ..., eps: Any = ...) -> Tensor:
    """Normalise (N, C, ...) over groups of C / num_groups channels; weight and bias are (C,)."""
def gt(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input > other."""
def histc(input: Tensor, bins: Any = ..., min: Any = ..., max: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Return the counts of ``bins`` equal intervals from ``min`` to ``max``; both 0: of the data's range."""
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the second dimension (the first of a vector)."""
def hstack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Put tensors behind each other along dimension 1, vectors along 0."""
def hypot(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return sqrt(input^2 + other^2) without overflow."""
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
def index_select(input: Tensor, dim: _int | Sequence[_int], index: Any, *, out: Tensor | None = ...) -> Tensor:
    """Take the rows of input along dim that the vector index names: y[i] = input[index[i]] for dim 0."""
def inner(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the dot products of the last dimensions: y[..., ;...] = sum_k input[..., k] other[..., k]."""
def is_complex(input: Tensor) -> _bool:
    """Whether the tensor's dtype is complex."""
def is_floating_point(input: Tensor) -> _bool:
    """Whether the tensor's dtype is a floating-point one."""
def is_inference(input: Tensor) -> _bool:
    """Whether the tensor was made in inference mode."""
def is_nonzero(input: Tensor) -> _bool:
    """Whether the only element is not zero."""
def is_tensor(obj: Any) -> _bool:
    """Whether ``obj`` is a Tensor."""
def isclose(input: Tensor, other: Tensor | _complex, rtol: Any = ..., atol: Any = ..., equal_nan: _bool = ...) -> Tensor:
    """Return where |input - other| <= atol + rtol |other|; infinities are close to themselves alone."""
def isfinite(input: Tensor) -> Tensor:
    """Return where x is finite."""
def isinf(input: Tensor) -> Tensor:
    """Return where x is infinite."""
def isnan(input: Tensor) -> Tensor:
    """Return where x is not a number."""
def kthvalue(input: Tensor, k: Any, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Any:
    """Return (values, indices) of the k-th smallest element along ``dim``, counted from 1."""
def layer_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = ..., bias: Any = ..., eps: Any = ...) -> Tensor:
    """Normalise over the last dimensions: y = (x - mean) / sqrt(var + eps) * weight + bias."""
def le(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input <= other."""
def lerp(input: Tensor, end: Any, weight: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return input + weight * (end - input), from the nearer end so that weights 0 and 1 are exact."""
def less(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input < other."""
def less_equal(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input <= other."""
def linspace(start: Any, end: Any, steps: Any, *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return ``steps`` evenly spaced values from start to end, both ends exact."""
def log(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the natural logarithm; nan below zero, -inf at zero."""
def log10(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the logarithm to base 10."""
def log10_(input: Tensor) -> Tensor:
    """In-place :func:`log10`."""
def log1p(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return ln(1 + x), exact to the last places for small x."""
def log1p_(input: Tensor) -> Tensor:
    """In-place :func:`log1p`."""
def log2(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the logarithm to base 2."""
def log2_(input: Tensor) -> Tensor:
    """In-place :func:`log2`."""
def log_(input: Tensor) -> Tensor:
    """In-place :func:`log`."""
def log_softmax(input: Tensor, dim: _int | Sequence[_int], dtype: _dtype | None = ...) -> Tensor:
    """Return log(softmax(x)) along a dimension, as x - log sum exp(x), without rounding small values to zero."""
def logaddexp(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return ln(e^input + e^other) without overflow."""
def logcumsumexp(input: Tensor, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return the running log-sum-exp along ``dim``: y_i = log(exp(x_0) + ... + exp(x_i)), safe from overflow."""
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
def logspace(start: Any, end: Any, steps: Any, base: Any = ..., *, out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ...) -> Tensor:
    """Return ``steps`` values from base^start to base^end, evenly spaced in the exponent."""
def logsumexp(input: Tensor, dim: _int | Sequence[_int], keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return log sum exp over ``dim``, safe from overflow: y = m + log sum_i exp(x_i - m), m = max_i x_i."""
def lt(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input < other."""
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | _complex) -> Tensor:
    """Return input with value where mask is true: y = mask ? value : input; mask broadcasts with input."""
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return input with the elements of source, in row-major order, where mask is true; mask broadcasts."""
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the elements of input where mask is true, as a vector in row-major order; the two broadcast."""
def matmul(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Multiply tensors as matrices, by PyTorch's rules of rank: y = input @ other."""
def max(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, other: Tensor | _complex | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Any:
    """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
def max_pool1d(input: Tensor, kernel_size: Any, stride: Any = ..., padding: Any = ..., dilation: Any = ..., ceil_mode: _bool = ..., return_indices: _bool = ...) -> Any:
    """Return the largest value of each window over the last dimension of (N, C, L) or (C, L)."""
def max_pool2d(input: Tensor, kernel_size: Any, stride: Any = ..., padding: Any = ..., dilation: Any = ..., ceil_mode: _bool = ..., return_indices: _bool = ...) -> Any:
    """Return the largest value of each window over the last two dimensions of (N, C, H, W) or (C, H, W)."""
def maximum(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the larger of each pair; nan where either is nan."""
def mean(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the mean of the elements, over all dimensions or those in ``dim``: y = (1/n) sum_i x_i."""
def median(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Any:
    """Return the median; with ``dim``, (values, indices). Of an even number the lower one; NaN if there is a NaN."""
def meshgrid(*tensors: Any, indexing: Any = ...) -> tuple[Tensor, ...]:
    """Expand vectors into coordinate grids: grid k holds tensors[k] along dimension k."""
def min(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, other: Tensor | _complex | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Any:
    """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
def minimum(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the smaller of each pair; nan where either is nan."""
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Multiply two matrices: y = input mat2."""
def mode(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Any:
    """Return (values, indices) of the most frequent element along ``dim``: of several the smallest, at its last place."""
def moveaxis(input: Tensor, source: Tensor, destination: Any) -> Tensor:
    """Return a view with dimensions moved to other places, the rest in order."""
def movedim(input: Tensor, source: Tensor, destination: Any) -> Tensor:
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
def nan_to_num(input: Tensor, nan: Any = ..., posinf: Any = ..., neginf: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Replace nan by ``nan``, inf and -inf by ``posinf`` and ``neginf`` (by default the largest finite values)."""
def nan_to_num_(input: Tensor, nan: Any = ..., posinf: Any = ..., neginf: Any = ...) -> Tensor:
    """In-place :func:`nan_to_num`."""
def nanmean(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ...) -> Tensor:
    """Return the mean of the elements that are not NaN."""
def nanmedian(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Any:
    """Return the median of what is not NaN; see :func:`median`."""
def nansum(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the sum of the elements that are not NaN: y = sum_i [x_i = x_i] x_i."""
def narrow(input: Tensor, dim: _int | Sequence[_int], start: Any, length: Any) -> Tensor:
    """Return a view of ``length`` indices of ``dim`` from ``start`` on."""
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
def nonzero(input: Tensor, *, out: Tensor | None = ..., as_tuple: _bool = ...) -> Any:
    """Return the coordinates of the elements that are not zero, in row-major order: (n, input.dim()) int64."""
def norm(input: Tensor, p: Any | None = ..., dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., *, axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the p-norm of all elements, or over the dimensions in ``dim``."""
def normal(mean: Any = ..., std: Any = ..., size: _int | Sequence[_int] | None = ..., *, generator: Generator | None = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
    """Return values y = mean + std z with z standard normal."""
def not_equal(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return where input != other."""
def numel(input: Tensor) -> _int:
    """Return the number of elements."""
def ones(*size: _int | Sequence[_int], out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., **named: Any) -> Tensor:
    """Return a tensor of ones."""
def ones_like(input: Tensor, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return ones with the size, dtype and device of ``input``."""
def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return all products of two vectors: y[i, j] = input_i vec2_j."""
def permute(input: Tensor, *dims: Any) -> Tensor:
    """Return a view with the dimensions in another order."""
def pow(input: Tensor, exponent: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input raised to exponent; either may be a number."""
def prod(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the product of the elements, of all or along one dimension: y = prod_i x_i."""
def put(input: Tensor, index: Any, source: Tensor, accumulate: _bool = ...) -> Tensor:
    """Return a copy of input with source written where index says; see put_."""
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
    """Return start, start + step, ... up to and with end (arange leaves the end out)."""
def ravel(input: Tensor) -> Tensor:
    """Return the elements in one dimension, as a view where possible."""
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
def repeat_interleave(input: Tensor, repeats: Any | None = ..., dim: _int | Sequence[_int] | None = ..., *, output_size: Any = ...) -> Tensor:
    """Repeat each element of input repeats times (a number, or a vector of one for each element) along dim."""
def reshape(input: Tensor, *shape: _int | Sequence[_int]) -> Tensor:
    """Return a view of another shape where memory allows it, else a copy."""
def result_type(tensor1: Tensor, tensor2: Tensor) -> Any:
    """Return the dtype that an operation on the two, tensors or numbers, gives."""
def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = ..., eps: Any = ...) -> Tensor:
    """Scale by the root mean square of the last dimensions: y = x / sqrt(mean(x^2) + eps) * weight."""
def roll(input: Tensor, shifts: Any, dims: Any | None = ...) -> Tensor:
    """Shift input along dims; what leaves at one end comes in at the other: y[(i + shift) % n] = input[i]."""
def rot90(input: Tensor, k: Any = ..., dims: Any | None = ...) -> Tensor:
    """Turn input by k quarters in the plane of dims, from the first towards the second."""
def round(input: Tensor, *, decimals: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Round to the nearest integer, halves to the even one; ``decimals`` places if given."""
def round_(input: Tensor, *, decimals: Any = ...) -> Tensor:
    """In-place :func:`round`."""
def row_stack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Same as vstack."""
def rsqrt(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the reciprocal of the square root."""
def rsqrt_(input: Tensor) -> Tensor:
    """In-place :func:`rsqrt`."""
def rsub(input: Tensor, other: Tensor | _complex, *, alpha: Tensor | _complex = ...) -> Tensor:
    """Return other - alpha * input."""
def scalar_tensor(s: Any, *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., layout: Any = ..., pin_memory: _bool = ...) -> Tensor:
    """Return a 0-d tensor of a number, of the default float dtype unless given."""
def scatter(input: Tensor, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex | None = ..., *, value: Tensor | _complex | None = ..., reduce: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Return input with src written along dim where index says: y[index[i, j], j] = src[i, j] for dim 0."""
def scatter_add(input: Tensor, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input with src added along dim where index says: y[index[i, j], j] += src[i, j] for dim 0."""
def scatter_reduce(input: Tensor, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex, reduce: Any, *, include_self: _bool = ..., out: Tensor | None = ...) -> Tensor:
    """Return input with src reduced into it along dim where index says."""
def searchsorted(sorted_sequence: Tensor, input: Tensor, *, out_int32: _bool = ..., right: _bool = ..., side: Any = ..., sorter: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Return where each value of ``input`` would be inserted into the last dimension of ``sorted_sequence``."""
def select(input: Tensor, dim: _int | Sequence[_int], index: Any) -> Tensor:
    """Return a view of one index of dimension ``dim``, which goes away."""
def select_scatter(input: Tensor, src: Tensor | _complex, dim: _int | Sequence[_int], index: Any) -> Tensor:
    """Return input with src written over input.select(dim, index)."""
def selu(input: Tensor) -> Tensor:
    """Return :func:`elu` with the constants that keep mean 0 and variance 1 (Klambauer et al., 2017)."""
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
def sinh(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the hyperbolic sine."""
def sinh_(input: Tensor) -> Tensor:
    """In-place :func:`sinh`."""
def slice_scatter(input: Tensor, src: Tensor | _complex, dim: _int | Sequence[_int] | None = ..., start: Any = ..., end: Any = ..., step: Any = ...) -> Tensor:
    """Return input with src written over input[start:end:step] of dimension dim."""
def softmax(input: Tensor, dim: _int | Sequence[_int], dtype: _dtype | None = ...) -> Tensor:
    """Return exponentials that add up to one along a dimension: y = exp(x) / sum exp(x)."""
def sort(input: Tensor, dim: _int | Sequence[_int] | None = ..., descending: _bool = ..., stable: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Any:
    """Return (values, indices) sorted along ``dim``; equal elements keep their order, NaN comes last."""
def split(input: Tensor, split_size_or_sections: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return a tuple of views along ``dim``: pieces of one size (the last may be smaller), or of the given sizes."""
def split_with_sizes(input: Tensor, split_sizes: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return views of the given sizes along ``dim``."""
def sqrt(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the square root; nan below zero."""
def sqrt_(input: Tensor) -> Tensor:
    """In-place :func:`sqrt`."""
def square(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return x^2."""
def square_(input: Tensor) -> Tensor:
    """In-place :func:`square`."""
def squeeze(input: Tensor, dim: _int | Sequence[_int] | None = ...) -> Tensor:
    """Return a view without its dimensions of size 1, or without the given ones if their size is 1."""
def stack(tensors: Any, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
    """Put tensors of one shape beside each other along a new dimension dim."""
def std(input: Tensor, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the standard deviation, the square root of :func:`var`; its gradient at 0 is taken as 0."""
def std_mean(input: Tensor, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Any:
    """Return (standard deviation, mean) from one pass."""
def sub(input: Tensor, other: Tensor | _complex, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return input - alpha * other."""
def subtract(input: Tensor, other: Tensor | _complex, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
    """Return input - alpha * other."""
def sum(input: Tensor, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the sum of the elements, over all dimensions or those in ``dim``."""
def swapaxes(input: Tensor, dim0: Any, dim1: Any) -> Tensor:
    """Return a view with two dimensions exchanged."""
def swapdims(input: Tensor, dim0: Any, dim1: Any) -> Tensor:
    """Return a view with two dimensions exchanged."""
def t(input: Tensor) -> Tensor:
    """Return the transpose of a matrix; a vector or scalar as it is."""
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
def tensor_split(input: Tensor, indices_or_sections: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return views along ``dim``: so many of nearly equal size, or cut before the given indices."""
def tensordot(a: Any, b: Any, dims: Any | None = ..., out: Tensor | None = ...) -> Tensor:
    """Sum products over the last ``dims`` dimensions of a and the first of b, or over two lists of dimensions."""
def threshold(input: Tensor, threshold: Any, value: Tensor | _complex) -> Tensor:
    """Return x where x > threshold, else value."""
def tile(input: Tensor, *dims: Any) -> Tensor:
    """Repeat input as repeat does; dimensions without a number are kept."""
def topk(input: Tensor, k: Any, dim: _int | Sequence[_int] | None = ..., largest: _bool = ..., sorted: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Any:
    """Return (values, indices) of the k largest (or smallest) elements along ``dim``, in order; of equals the first."""
def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix: y = sum_i x_ii."""
def transpose(input: Tensor, dim0: Any, dim1: Any) -> Tensor:
    """Return a view with two dimensions exchanged."""
def tril(input: Tensor, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Keep the lower triangles of input's matrices: y[i, j] = input[i, j] where j - i <= diagonal, else 0."""
def tril_indices(row: Any, col: Any, offset: Any = ..., *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., layout: Any = ..., pin_memory: Any = ...) -> Tensor:
    """Return the rows and columns of the lower triangle of a row x col matrix: (2, n), int64 if not said otherwise."""
def triu(input: Tensor, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
    """Keep the upper triangles of input's matrices: y[i, j] = input[i, j] where j - i >= diagonal, else 0."""
def triu_indices(row: Any, col: Any, offset: Any = ..., *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., layout: Any = ..., pin_memory: Any = ...) -> Tensor:
    """Return the rows and columns of the upper triangle of a row x col matrix: (2, n), int64 if not said otherwise."""
def true_divide(input: Tensor, other: Tensor | _complex, *, rounding_mode: Any = ..., out: Tensor | None = ...) -> Tensor:
    """Return input / other; ``rounding_mode`` "trunc" rounds towards zero, "floor" downwards."""
def trunc(input: Tensor, *, out: Tensor | None = ...) -> Tensor:
    """Return the integer part, rounding towards zero."""
def trunc_(input: Tensor) -> Tensor:
    """In-place :func:`trunc`."""
def unbind(input: Tensor, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
    """Return a tuple of views, one for each index of ``dim``."""
def unflatten(input: Tensor, dim: _int | Sequence[_int], sizes: _int | Sequence[_int]) -> Tensor:
    """Split dimension ``dim`` into ``sizes`` (one may be -1)."""
def unique(input: Tensor, sorted: _bool = ..., return_inverse: _bool = ..., return_counts: _bool = ..., dim: _int | Sequence[_int] | None = ...) -> Any:
    """Return the different values in ascending order, or the different slices along ``dim``."""
def unique_consecutive(input: Tensor, return_inverse: _bool = ..., return_counts: _bool = ..., dim: _int | Sequence[_int] | None = ...) -> Any:
    """Return the values, or slices along ``dim``, without those equal to the one before."""
def unravel_index(indices: Tensor, shape: _int | Sequence[_int]) -> Tensor:
    """Return the coordinates of flat indices in a tensor of the given shape: one tensor a dimension."""
def unsqueeze(input: Tensor, dim: _int | Sequence[_int]) -> Tensor:
    """Return a view with a dimension of size 1 put in at ``dim``."""
def var(input: Tensor, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
    """Return the variance over all dimensions or those in ``dim``."""
def var_mean(input: Tensor, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Any:
    """Return (variance, mean) from one pass."""
def vdot(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return the dot product of two vectors, the first conjugated (which changes nothing for real ones)."""
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Split along the first dimension of at least two."""
def vstack(tensors: Any, *, out: Tensor | None = ...) -> Tensor:
    """Put tensors below each other along dimension 0, vectors as rows."""
def where(condition: Tensor, input: Tensor | _complex | None = ..., other: Tensor | _complex | None = ..., *, out: Tensor | None = ...) -> Any:
    """Return input where condition is true and other where it is not: y = condition ? input : other, broadcast."""
def xlogy(input: Tensor, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
    """Return input * ln(other), 0 where input is 0 and other is no nan."""
def zero_(input: Tensor) -> Tensor:
    """Set every element to 0."""
def zeros(*size: _int | Sequence[_int], out: Tensor | None = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., **named: Any) -> Tensor:
    """Return a tensor of zeros."""
def zeros_like(input: Tensor, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ..., memory_format: Any = ...) -> Tensor:
    """Return zeros with the size, dtype and device of ``input``."""
def from_dlpack(ext_tensor: Any, *, device: Any = ..., copy: _bool | None = ...) -> Tensor: ...
def to_dlpack(tensor: Tensor) -> Any: ...
