# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The table of ops: a row's name, derivative, dtype rule and kernels, and the one place that runs a kernel.

``define`` looks a row's kernels up when its module is loaded.  ``launch`` picks the one of the dtype, lets go of the
GIL for large work, and lends narrow dtypes a wider kernel (``kernels/cpu/lowering.pyx``).  On the meta device it
returns before the kernel: no op names a device.
"""
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from taeda.dtype cimport dtype_of, is_complex_, is_integral, name_of, torch_name
from taeda.kernels.cpu.abi cimport BOOL, C32, U64
from taeda.kernels.cpu.lowering cimport lowered, wide_of
from taeda.tensor_base cimport CPU, META, SPARSE, SPARSE_SHELL, STAND_IN, WRAPPED, kind_of

from taeda._once import warn_once
from taeda.kernels.cpu import TABLE

cdef enum:
    HOLD_GIL = 16384         # element touches below which releasing the GIL costs more than it gives
    FEW = 8                  # views of a kernel that are copied to the stack
    FEW_DIMS = 48            # dimensions of all of them

# Ops that compare integers and hand them on: in int64, uint64 is put into the same order first (kernels/cpu/lowering.pyx)
cdef frozenset ORDERED = frozenset({
    "amax", "amin", "aminmax", "argmax", "argmin", "cummax", "cummin", "isin", "kthvalue", "max", "max_pool1d", "max_pool2d", "max_pool3d",
    "median", "min", "mode", "nanmedian", "scatter_max", "scatter_min", "searchsorted", "sort", "topk", "unique", "unique_consecutive"})

cdef dict registry = {}
cdef Kernel copies[NDTYPES][NDTYPES]          # from, to


cdef class Op:
    """A row of the registry: name, kernels by dtype, derivative, dtype rule."""

    def __repr__(self):
        return f"<op {self.name}>"

    @property
    def differentiable(self):
        return self.vjp != NULL

    @property
    def dtypes(self):
        """The dtypes that there is a CPU kernel for."""
        return tuple([dtype_of(i).name for i in range(NDTYPES) if self.cpu[i] != NULL or lowers(self, i)])


cdef bint lowers(Op op, int dtype) noexcept:
    """Is there a kernel of a wider dtype that serves this one?  The parts of a complex one need an op that is linear."""
    cdef int wide = wide_of(dtype)
    return wide >= 0 and op.cpu[wide] != NULL and (op.linear or dtype == C32 or not is_complex_(dtype))


def ops():
    """Return the registry: (name, grad name) -> Op."""
    return dict(registry)


cdef Op define(str name, vjp_fn vjp, int saves=0, int rule=0, str kernel=None, str grad_name=None):
    cdef Op op = Op.__new__(Op)
    cdef int i
    op.name, op.vjp, op.saves, op.rule = name, vjp, saves, rule
    op.in_place = name + "_"
    op.exponent = name == "pow"
    op.opmath = name in ("mul", "div")       # sums round it, as PyTorch's do
    op.grad_name = grad_name or "".join([w[:1].upper() + w[1:] for w in name.split("_")]) + "Backward0"
    for i in range(NDTYPES):
        op.cpu[i] = <Kernel><void*><size_t>TABLE.get(f"{kernel or name}_{dtype_of(i).suffix}", 0)
    registry[(name, op.grad_name)] = op
    return op


cdef Op linear(Op op):
    """Mark an op as linear in its tensors (with real coefficients)."""
    op.linear = True
    return op


cdef Op joint(Op op):
    """Mark an op whose derivative PyTorch takes by one kernel of the cotangent and the inputs.

    Where that does not depend on an input, a second derivative is zero, and not an error as for what is linear.
    """
    op.joint = True
    return op


cdef int _fill_copies() except -1:
    cdef int a, b
    for a in range(NDTYPES):
        for b in range(NDTYPES):
            copies[a][b] = <Kernel><void*><size_t>TABLE.get(f"copy_{dtype_of(a).suffix}_{dtype_of(b).suffix}", TABLE["copy_any"])
    return 0

_fill_copies()


cdef str device_name(int device):
    return "meta" if device == META else "cpu" if device == CPU else "sparse" if device == SPARSE else "cuda"


class NoStorage(RuntimeError):
    """A kernel was handed a tensor that has no memory."""


cdef int no_wrapper(str op, View* t) except -1:
    if t != NULL and kind_of(t) == WRAPPED:
        raise NoStorage(f"[{op}] Cannot access data pointer of Tensor that doesn't have storage: its class's __torch_dispatch__ was "
                           "not asked for this use of the op")
    return 0


cdef int no_stand_in(str op, int device) except -1:
    """Kernels have nothing to do on the meta device; they refuse a sparse tensor, and what stands in for a batch of vmap."""
    if device == STAND_IN:
        raise NoStorage(f"[{op}] vmap has no rule for this use of the op")
    if device == SPARSE:
        raise NotImplementedError(f"[{op}] Could not run '{op}' with arguments from the 'SparseCPU' backend; hint: .to_dense()")
    return 0


cdef struct Settled:          # views that no other thread changes
    View** t
    void* block               # where they are many
    View* few[FEW]
    View views[FEW]
    int64_t room[2 * FEW_DIMS]


cdef void settle(Settled* own, int n, View** t) noexcept:
    """Copy the views of a kernel that is to run without the GIL: another thread may give a tensor other sizes or other memory meanwhile.

    Where there is no memory for many of them, they stay what they are.
    """
    cdef View* views = own.views
    cdef int64_t* room = own.room
    cdef int i, dims = 0
    own.t, own.block = own.few, NULL
    for i in range(n):
        dims += t[i].ndim if t[i] != NULL else 0
    if n > FEW or dims > FEW_DIMS:
        own.block = malloc(n * (sizeof(View*) + sizeof(View)) + 2 * dims * sizeof(int64_t))
        if own.block == NULL:
            own.t = t
            return
        own.t = <View**>own.block
        views = <View*>(own.t + n)
        room = <int64_t*>(views + n)
    for i in range(n):
        own.t[i] = NULL
        if t[i] == NULL:
            continue
        own.t[i] = &views[i]
        views[i] = t[i][0]
        dims = t[i].ndim
        memcpy(room, t[i].shape, dims * sizeof(int64_t))
        memcpy(room + dims, t[i].strides, dims * sizeof(int64_t))
        views[i].shape, views[i].strides = room, room + dims
        room += 2 * dims


cdef int64_t launch(Op op, int dtype, int device, int outputs, int n, View** t, const Param* p, int64_t work) except -1:
    """Run the op's kernel on n views, outputs first, and return what it answers, 0 if all is well.

    A dtype without a kernel is computed in a wider one, on copies.  From HOLD_GIL elements of ``work`` on other threads may run.
    """
    cdef Kernel kernel
    cdef int64_t found
    cdef int wide, part, i
    cdef Settled own
    cdef bint ordered, served
    if device != CPU:
        for i in range(n if device == STAND_IN else 0):
            no_wrapper(op.name, t[i])
        return no_stand_in(op.name, device)
    for i in range(n):       # a derivative may bring a stand-in beside tensors that have their data; a meta tensor has none
        if t[i] != NULL and (kind_of(t[i]) or t[i].data == NULL):
            if t[i].data != NULL:
                no_wrapper(op.name, t[i])
                no_stand_in(op.name, SPARSE if kind_of(t[i]) == SPARSE_SHELL else STAND_IN)
            elif t[i].numel:
                raise RuntimeError(f"[{op.name}] Expected all tensors to be on the same device, but found at least two devices, cpu and "
                                   "meta!")
    kernel = op.cpu[dtype]
    if kernel == NULL:
        served = outputs > 0 and lowers(op, dtype)
        for i in range(n if dtype == C32 else 0):              # no copies of its parts are made
            served = served and (t[i] == NULL or t[i].dtype == C32 or is_integral(t[i].dtype) or t[i].dtype == BOOL)
        if not served:
            taken = op.dtypes if outputs else [name_of(i) for i in range(NDTYPES) if op.cpu[i] != NULL]
            raise NotImplementedError(f"[{op.name}] not implemented for '{torch_name(dtype)}' ({name_of(dtype)}) on {device_name(device)}; "
                                      f"it takes {', '.join(taken)}" + (
                                          "; convert it with .float()" if is_integral(dtype) and "float32" in taken else ""))
        wide = wide_of(dtype)
        part = wide if is_complex_(dtype) and dtype != C32 else dtype
        ordered = dtype == U64 and op.name in ORDERED
        settle(&own, n, t)
        with nogil:
            found = lowered(op.cpu[wide], wide, dtype, copies[part][wide], copies[wide][part], outputs, n, own.t, p, ordered)
        free(own.block)
        if found == -1:
            raise MemoryError(f"[{op.name}] no memory for a copy in {name_of(wide)}")
        return found
    if work < HOLD_GIL:
        found = kernel(t, p)
    else:
        settle(&own, n, t)
        with nogil:
            found = kernel(own.t, p)
        free(own.block)
    if found == -1:
        raise MemoryError(f"[{op.name}] no memory for the kernel's work space")
    return found


cdef void copy_view(View* to, const View* source) noexcept:
    cdef View* t[2]
    cdef Kernel kernel = copies[source.dtype][to.dtype]
    cdef Settled own
    t[0], t[1] = to, <View*>source
    if to.numel < HOLD_GIL:
        kernel(t, NULL)
    else:
        settle(&own, 2, t)
        with nogil:
            kernel(own.t, NULL)
        free(own.block)


cdef int copy_into(TensorBase dst, TensorBase src) except -1:
    if dst.device != CPU or src.device != CPU:
        no_stand_in("copy_", max(dst.device, src.device))
    if dst.device == META or dst.view.numel == 0:
        return 0
    if src.device == META:
        raise NotImplementedError("[copy_] Cannot copy out of meta tensor; no data!")
    if src.view.dtype != dst.view.dtype and dst.view.dtype != BOOL and is_complex_(src.view.dtype) and not is_complex_(dst.view.dtype):
        warn_once("imaginary", "Casting complex values to real discards the imaginary part; write x.real to say so")
    copy_view(&dst.view, &src.view)
    return 0
