# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""TensorBase: storage + layout + dtype + autograd slots.  Operators and methods are in tensor.pyx."""
cimport cython
from cpython.number cimport PyIndex_Check
from cpython.object cimport PyTypeObject, Py_TPFLAGS_HEAPTYPE
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from taeda.kernels.cpu.abi cimport MAX_DIM

from copyreg import _slotnames

from taeda import _spoken

cdef extern from *:
    """
    /* Tensor adds neither fields nor C methods: its instances are made and freed as their base's, without the steps between. */
    static PyObject *taeda_tp_new(PyObject *base, PyObject *type, PyObject *args) {
        return ((PyTypeObject *)base)->tp_new((PyTypeObject *)type, args, NULL);
    }
    static void taeda_frees_as(PyObject *type, PyObject *base) {
        ((PyTypeObject *)type)->tp_dealloc = ((PyTypeObject *)base)->tp_dealloc;
    }
    /* Attributes of a user's own are found, set and deleted by the interpreter, as those of any object: its __dict__ is made
       when the first is set.  (``cdef dict __dict__`` would make one for every tensor.) */
    static Py_ssize_t taeda_attributes_at = 0;
    static traverseproc taeda_traverse_slots = NULL;
    static inquiry taeda_clear_slots = NULL;
    static PyObject **taeda_attributes(PyObject *tensor) { return (PyObject **)((char *)tensor + taeda_attributes_at); }
    static int taeda_traverse(PyObject *tensor, visitproc visit, void *arg) {
        Py_VISIT(*taeda_attributes(tensor));
        return taeda_traverse_slots(tensor, visit, arg);
    }
    static int taeda_clear(PyObject *tensor) {
        Py_CLEAR(*taeda_attributes(tensor));
        return taeda_clear_slots(tensor);
    }
    static void taeda_takes_attributes(PyObject *type, Py_ssize_t at) {
        PyTypeObject *t = (PyTypeObject *)type;
        taeda_traverse_slots = t->tp_traverse; taeda_clear_slots = t->tp_clear;
        t->tp_traverse = taeda_traverse; t->tp_clear = taeda_clear;
        t->tp_dictoffset = taeda_attributes_at = at;
        PyType_Modified(t);
    }
    static void taeda_drop_attributes(PyObject **attributes) { Py_CLEAR(*attributes); }
    /* size[i] is tuple's; only what is no int goes by the method of the class. */
    static binaryfunc taeda_by_method = NULL;
    static PyObject *taeda_subscript(PyObject *size, PyObject *index) {
        return PyLong_CheckExact(index) ? PyTuple_Type.tp_as_mapping->mp_subscript(size, index) : taeda_by_method(size, index);
    }
    static void taeda_read_as_tuple(PyObject *type) {
        PyMappingMethods *m = ((PyTypeObject *)type)->tp_as_mapping;
        taeda_by_method = m->mp_subscript;
        m->mp_subscript = taeda_subscript;
    }
    /* What x.__module__ finds; of a compiled class itself the name is read. */
    static int taeda_is_of_room(PyObject *type, PyObject *room) {
        int failed = PyDict_SetItemString(((PyTypeObject *)type)->tp_dict, "__module__", room);
        PyType_Modified((PyTypeObject *)type);
        return failed;
    }
    /* An instance of tuple or of a subclass without fields of its own, of n ints. */
    static PyObject *taeda_tuple_of(PyObject *type, const int64_t *sizes, int n) {
        PyObject *t = (PyTypeObject *)type == &PyTuple_Type ? PyTuple_New(n) : ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, n);
        for (int i = 0; t != NULL && i < n; i++) {
            PyObject *size = PyLong_FromLongLong(sizes[i]);
            if (size == NULL) Py_CLEAR(t);
            else PyTuple_SET_ITEM(t, i, size);
        }
        return t;
    }
    """
    object tp_new "taeda_tp_new"(object base, object type, object args)
    void read_as_tuple "taeda_read_as_tuple"(object type)
    void frees_as "taeda_frees_as"(object type, object base)
    void takes_attributes "taeda_takes_attributes"(object type, Py_ssize_t at)
    void drop_attributes "taeda_drop_attributes"(PyObject** attributes)
    int is_of_room "taeda_is_of_room"(object type, object room) except -1
    object tuple_of "taeda_tuple_of"(object type, const int64_t* sizes, int n)

cdef list public_names = []             # the texts that compiled classes point to


cdef dict published = {}


def publish(dict classes, str room="taeda"):
    """Give classes the names by which users know them: <class 'taeda.Tensor'>, not the module that defines it."""
    cdef bytes text
    published.update(classes)
    for name, cls in classes.items():
        if (<PyTypeObject*>cls).tp_flags & Py_TPFLAGS_HEAPTYPE:
            cls.__module__, cls.__name__, cls.__qualname__ = room, name, name
        else:
            text = f"{room}.{name}".encode()
            public_names.append(text)
            (<PyTypeObject*>cls).tp_name = text
            is_of_room(cls, room)


def republish(str room):
    """Let the same classes say that they are of another room."""
    publish(dict(published), room)


class Size(tuple):
    """A tensor's shape: a tuple of ints.

    >>> import taeda
    >>> taeda.zeros(2, 3).shape.numel()
    6
    """

    __slots__ = ()

    def __new__(cls, sizes=()):
        sizes = tuple(sizes)
        for i, size in enumerate(sizes):
            if type(size) is not int:
                if not PyIndex_Check(size):
                    raise TypeError(f"[Size] Size() takes an iterable of 'int' (item {i} is '{type(size).__name__}')")
                sizes = sizes[:i] + (size.__index__(),) + sizes[i + 1:]
        return tuple.__new__(cls, sizes)

    def numel(self):
        """Return the product of the sizes."""
        n = 1
        for size in self:
            n *= size
        return n

    def __repr__(self):
        return f"{_spoken.name}.Size([{', '.join(map(repr, self))}])"

    def __getitem__(self, index):
        found = tuple.__getitem__(self, index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other))) if isinstance(other, (tuple, list)) else NotImplemented

    def __radd__(self, other):
        return Size(tuple.__add__(tuple(other), self)) if isinstance(other, (tuple, list)) else NotImplemented

    def __mul__(self, other):
        return Size(tuple.__mul__(self, other))

    __rmul__ = __mul__

    def __reduce__(self):
        return Size, (tuple(self),)


read_as_tuple(Size)
cdef object tensor_type = None           # taeda.Tensor: what every new tensor is an instance of
cdef tuple NO_ARGS = ()


def set_tensor_type(cls):
    """Let tensor.pyx say which class new tensors have."""
    global tensor_type
    tensor_type = cls
    frees_as(cls, TensorBase)


@cython.freelist(512)
@cython.trashcan(True)
cdef class TensorBase:

    def __cinit__(self, *args, **kwargs):
        self.view.shape = self.dims
        self.view.strides = self.dims + INLINE_DIM

    def __dealloc__(self):
        if self.view.shape != self.dims:
            free(self.view.shape)
        if self.attributes != NULL:
            drop_attributes(&self.attributes)

    cdef int set_ndim(self, int ndim) except -1:
        cdef int64_t* block
        if self.view.shape != self.dims:
            free(self.view.shape)
            self.view.shape = self.dims
            self.view.strides = self.dims + INLINE_DIM
        if ndim > INLINE_DIM:
            if ndim > MAX_DIM:
                raise RuntimeError(f"[tensor] a tensor has at most {MAX_DIM} dimensions, got {ndim}")
            block = <int64_t*>malloc(2 * ndim * sizeof(int64_t))
            if block == NULL:
                raise MemoryError(f"[tensor] no memory for the sizes of {ndim} dimensions")
            self.view.shape = block
            self.view.strides = block + ndim
        self.view.ndim = ndim
        return 0

    cdef tuple shape_tuple(self):
        return <tuple>tuple_of(tuple, self.view.shape, self.view.ndim)

    cdef tuple stride_tuple(self):
        return <tuple>tuple_of(tuple, self.view.strides, self.view.ndim)

    cdef object sizes(self):
        return tuple_of(Size, self.view.shape, self.view.ndim)


cdef void find_attributes():
    cdef TensorBase any = TensorBase.__new__(TensorBase)
    takes_attributes(TensorBase, <char*>&any.attributes - <char*><PyObject*>any)


find_attributes()


def user_attributes(TensorBase t):
    """Return the attributes that a user has set on the tensor, those in slots of its class among them, by name."""
    found = {} if t.attributes == NULL else dict(<object>t.attributes)
    if type(t) is not tensor_type:
        found.update((name, getattr(t, name)) for name in _slotnames(type(t)) if hasattr(t, name))
    return found


cdef TensorBase new_tensor():
    return <TensorBase>tp_new(TensorBase, tensor_type, NO_ARGS)


cdef TensorBase alias(TensorBase x):
    cdef TensorBase t = new_tensor()
    t.set_ndim(x.view.ndim)
    memcpy(t.view.shape, x.view.shape, x.view.ndim * sizeof(int64_t))
    memcpy(t.view.strides, x.view.strides, x.view.ndim * sizeof(int64_t))
    t.view.data = x.view.data
    t.view.numel = x.view.numel
    t.view.dtype = x.view.dtype
    t.view.itemsize = x.view.itemsize
    t.view.contiguous = x.view.contiguous
    t.storage = x.storage
    t.offset = x.offset
    t.device = x.device
    t.device_index = x.device_index
    t.detached_version = x.detached_version
    t.inference = x.inference
    return t


cdef TensorBase twin(TensorBase x):
    if not is_wrapper(x):
        return alias(x)
    cdef TensorBase t = <TensorBase>tp_new(TensorBase, type(x), NO_ARGS)
    t.set_ndim(x.view.ndim)
    memcpy(t.view.shape, x.view.shape, x.view.ndim * sizeof(int64_t))
    memcpy(t.view.strides, x.view.strides, x.view.ndim * sizeof(int64_t))
    t.view.dtype, t.view.itemsize = x.view.dtype, x.view.itemsize
    t.storage, t.offset, t.device, t.device_index = x.storage, x.offset, x.device, x.device_index
    refresh(t)
    t.detached_version, t.inference = x.detached_version, x.inference
    if x.extra is not None and "device" in x.extra:
        t.extra = {"device": x.extra["device"]}
    for name in _slotnames(type(x)):
        if name[:2] != "__" and hasattr(x, name):
            setattr(t, name, getattr(x, name))
    if x.attributes != NULL:
        t.__dict__.update(<dict>x.attributes)
    return t


cdef void refresh(TensorBase t) noexcept:
    cdef int64_t n = 1, expected = 1
    cdef int d
    cdef bint contiguous = True
    for d in range(t.view.ndim - 1, -1, -1):
        n *= t.view.shape[d]
        if t.view.shape[d] != 1:
            if t.view.strides[d] != expected:
                contiguous = False
            expected *= t.view.shape[d]
    t.view.numel = n
    t.view.contiguous = contiguous or n == 0
    t.view.data = t.storage.data
    if n and t.storage.data != NULL:             # what has no elements may have any offset: added, it would be no address at all
        t.view.data += t.offset * t.view.itemsize
