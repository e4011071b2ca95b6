# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Who is asked: what classes have under the names of PyTorch's protocols, blocks in which nobody is asked, and modes.

Here is what a call that nobody takes over never meets; the glance at each call's arguments is in ``_override``.
"""
cimport cython

from taeda._override cimport (MODES, NO_FUNCTIONS, NO_OPERATORS, expect_dispatchers, has_operators, in_force, name_functions,
                              name_operators, put_in_force)
from taeda.tensor_base cimport TensorBase

from taeda._override import mode_stack

# -- what classes have -----------------------------------------------------------------------------------


def default_torch_function(cls, func, types, args, kwargs):
    """Run ``func`` with overriding off and give tensors of the result the class ``cls``: what Tensor's subclasses inherit."""
    for t in types:
        if not issubclass(cls, t):
            return NotImplemented
    cdef int was = in_force(NO_FUNCTIONS)
    put_in_force(NO_FUNCTIONS, True)
    try:
        found = func(*args, **(kwargs or {}))
    finally:
        put_in_force(NO_FUNCTIONS, was)
    return found if func in NOWRAP else in_class(found, cls)


NOWRAP = set()               # getters whose value keeps its class: filled by tensor.pyx


cdef object in_class(object found, object cls):
    if isinstance(found, TensorBase):
        return found if isinstance(found, cls) else found.as_subclass(cls)
    if isinstance(found, (tuple, list)):
        return type(found)([in_class(x, cls) for x in found])
    return found


@cython.binding(False)               # as PyTorch's it does not bind, however a class is asked for it
def disabled_torch_dispatch(func, types, args=(), kwargs=None):
    """A ``__torch_dispatch__`` that runs the operator as if its arguments were plain tensors: what Tensor itself has."""
    with DisableTorchDispatch():
        return func(*args, **(kwargs or {}))


cdef object default_function = None  # Tensor's __torch_function__


def set_dispatch(plain, function):
    """Let tensor.pyx say what Tensor has as its ``__torch_dispatch__`` and its ``__torch_function__``."""
    global default_function
    default_function = function
    name_functions(function, disabled_torch_function)
    name_operators(plain, disabled_torch_dispatch)


@cython.binding(False)
def disabled_torch_function(func, types, args=(), kwargs=None):
    """A ``__torch_function__`` that takes nothing over: ``func`` runs as if its arguments were plain tensors."""
    cdef int was = in_force(NO_FUNCTIONS)
    put_in_force(NO_FUNCTIONS, True)
    try:
        return func(*args, **(kwargs or {}))
    finally:
        put_in_force(NO_FUNCTIONS, was)


name_functions(None, disabled_torch_function)


def dispatches(cls):
    """Whether a class has a ``__torch_dispatch__`` of its own."""
    return isinstance(cls, type) and has_operators(cls)


def note_class(cls):
    """Let calls look for instances of classes with a ``__torch_dispatch__``, from the first one on.

    A class that says nothing of functions sees none.
    """
    if has_operators(cls):
        from inspect import getattr_static              # which `import taeda` would take 6 ms longer for
        expect_dispatchers()
        if getattr_static(cls, "__torch_function__") is default_function:
            cls.__torch_function__ = disabled_torch_function


# -- blocks in which nobody is asked -----------------------------------------------------------------------


cdef class Disabling:
    # In a ``with`` block none of those that the class names takes a call over.

    cdef bint functions, operators, modes          # the classes' __torch_function__, their __torch_dispatch__, modes
    cdef int off, undispatched, stacked            # what was in force

    def __enter__(self):
        self.off, self.undispatched, self.stacked = in_force(NO_FUNCTIONS), in_force(NO_OPERATORS), in_force(MODES)
        if self.functions:
            put_in_force(NO_FUNCTIONS, True)
        if self.operators:
            put_in_force(NO_OPERATORS, True)
        if self.modes:
            put_in_force(MODES, 0)

    def __exit__(self, *error):
        if self.functions:
            put_in_force(NO_FUNCTIONS, self.off)
        if self.operators:
            put_in_force(NO_OPERATORS, self.undispatched)
        if self.modes:
            put_in_force(MODES, self.stacked)


cdef class DisableTorchDispatch(Disabling):
    """In a ``with`` block no class is told of operators, and no mode."""

    def __cinit__(self):
        self.operators = self.modes = True


cdef class DisableTorchFunctionSubclass(Disabling):
    """In a ``with`` block no argument takes a call over; modes still do."""

    def __cinit__(self):
        self.functions = True


cdef class DisableTorchFunction(Disabling):
    """In a ``with`` block neither arguments nor modes take a call over."""

    def __cinit__(self):
        self.functions = self.modes = True


# -- modes -------------------------------------------------------------------------------------------


def replace_modes(list modes):
    """Let other modes be in force in this thread; return those that were."""
    cdef list stack = mode_stack(), were = list(stack)
    stack[:] = modes
    put_in_force(MODES, len(stack))
    return were


def push_mode(mode):
    mode_stack().append(mode)
    put_in_force(MODES, len(mode_stack()))


def pop_mode():
    mode = mode_stack().pop()
    put_in_force(MODES, len(mode_stack()))
    return mode
