# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Calls that a class may take over: PyTorch's ``__torch_function__``, at the price of a glance at the arguments' types.

Every public function and method of a tensor is one of the callables below.  A call whose arguments are plain tensors
and Python values goes straight on to the function.  An argument whose class has a ``__torch_function__`` of its own, also
inside a list or tuple, takes the call over; so does a mode that is in force.

a. ``Function`` stands in modules, ``Method`` in the class Tensor (and binds).  Both are called by vectorcall.
b. What the classes of a subclass's attributes are is settled once, when the subclass is made (``_override_attributes``).
   What classes have under the protocol's names, and the blocks in which nobody is asked, are in ``_override_protocol``.
c. A function that autocast knows has a policy; under autocast it gets its arguments in the policy's dtype (``amp/casting.pyx``).
"""
from cpython.object cimport PyObject
from libc.stdint cimport uint64_t

from _thread import _local

from taeda import _above
from taeda._autocast import POLICIES
from taeda._names import flags_of, has_older_form, in_newer_order, renamed

cdef extern from "_override.h":
    ctypedef object (*slow_call)(object, PyObject**, size_t, PyObject*)
    ctypedef object (*naming)(object, Py_ssize_t, object)
    ctypedef object (*older_form)(object, PyObject**, size_t, PyObject*)
    ctypedef object (*explaining)(object, object)
    ctypedef object (*refusing)(object, PyObject**, size_t, PyObject*, Py_ssize_t)
    ctypedef struct call_t "taeda_call":
        void* entry
        void* inner
        PyObject* function
        PyObject* flags
        uint64_t places, nones
        int scans, watched, binds, policy, older, strict
    older_form older_call_ "taeda_older_call"
    slow_call slow "taeda_slow"
    naming own_names_ "taeda_own_names"
    explaining explain_ "taeda_explain"
    refusing refuse_ "taeda_refuse"
    object enter "taeda_enter"(object self, PyObject** args, size_t flagged, PyObject* names)
    int get_modes "taeda_get_modes"() noexcept
    void set_modes "taeda_set_modes"(int n) noexcept
    int get_off "taeda_get_off"() noexcept
    void set_off "taeda_set_off"(int on) noexcept
    void set_protocol "taeda_set_protocol"(object name, object disabled) noexcept
    void set_tensor "taeda_set_tensor"(object type) noexcept
    bint takes_over_ "taeda_takes_over"(PyObject* type) noexcept
    void watch "taeda_watch"(int change) noexcept
    int get_dispatchers "taeda_get_dispatchers"() noexcept
    void add_dispatcher "taeda_add_dispatcher"() noexcept
    int get_undispatched "taeda_get_undispatched"() noexcept
    void set_undispatched "taeda_set_undispatched"(int on) noexcept
    void set_dispatch_protocol "taeda_set_dispatch_protocol"(object name, object plain, object disabled) noexcept
    bint dispatches_ "taeda_dispatches"(PyObject* type) noexcept
    bint sees_dispatch "taeda_sees_dispatch"(PyObject* x, int depth) noexcept
    bint misused "taeda_misused"(const call_t* c, PyObject** args, size_t flagged) noexcept
    bint get_casting "taeda_get_casting"() noexcept
    void set_casting_ "taeda_set_casting"(bint on) noexcept
    bint sees "taeda_sees"(PyObject* x, int depth) noexcept
    void enable_vectorcall "taeda_enable_vectorcall"(object type, Py_ssize_t offset, bint method) noexcept
    Py_ssize_t count_args "taeda_nargs"(size_t flagged, PyObject* names) noexcept

# whether it, or what is inside of it to a depth, is of a class that wants to be asked
ctypedef bint (*looking)(PyObject*, int) noexcept

cdef extern from "Python.h":
    void* PyVectorcall_Function(object callable)
    object PyMethod_New(object function, object instance)

cdef enum:
    VARKEYWORDS = 8          # inspect.CO_VARKEYWORDS


# -- the callables -----------------------------------------------------------------------------------


cdef tuple by_position(PyObject** args, Py_ssize_t given):
    return tuple([<object>args[i] for i in range(given)])


cdef dict by_name(PyObject** args, Py_ssize_t given, object names):
    """The keywords of a call with ``given`` arguments before them, under these names."""
    return {name: <object>args[given + i] for i, name in enumerate(<tuple>names)}


cdef object own_names(object self, Py_ssize_t given, object names):
    """The function's own names of the keywords of a call with ``given`` arguments by position; None if there is nothing to rename."""
    cdef Overridable f = <Overridable>self
    code = getattr(f.function, "__code__", None)
    if code is None or code.co_flags & VARKEYWORDS:
        return None
    return renamed(f.name, code.co_varnames[:code.co_argcount + code.co_kwonlyargcount], given, names)


cdef object older_call(object self, PyObject** args, size_t flagged, PyObject* names):
    """The result of a call whose factors stand between its tensors, as in ``p.add_(-lr, grad)``; None if it is no such call."""
    cdef Overridable f = <Overridable>self
    cdef Py_ssize_t given = count_args(flagged, NULL)
    found = in_newer_order(f.name, by_position(args, given), {} if names == NULL else by_name(args, given, <object>names))
    return None if found is None else f.function(*found[0], **found[1])


cdef object explain(object self, object error):
    """Add the function's signature to the error that its arguments do not fit it."""
    cdef Overridable f = <Overridable>self
    text = str(error)
    if type(error) is TypeError and "argument" in text and text.startswith((f"{f.name}()", f"{f.function.__name__}()")):
        from inspect import Parameter, Signature, signature
        found = Signature([p.replace(annotation=Parameter.empty) for p in signature(f.function).parameters.values()])
        error.args = (f"[{f.name}] {text}; its signature is {f.name}{found}",)


cdef object refuse(object self, PyObject** args, size_t flagged, PyObject* names, Py_ssize_t wrong):
    """Raise what is to be said of argument ``wrong``, which is neither True nor False: in ``x.sum(0, 1)``, 1 is no second dimension."""
    cdef Overridable f = <Overridable>self
    cdef Py_ssize_t given = count_args(flagged, NULL)
    name = (<tuple><object>names)[wrong - given] if wrong >= given else f.function.__code__.co_varnames[wrong]
    kind = type(<object>args[wrong])
    several = "; several dimensions are given as a tuple" if name == "keepdim" and kind is int else ""
    raise TypeError(f"[{f.name}] argument '{name}' must be bool, not {kind.__name__}{several}")


cdef object taken_over(object self, PyObject** args, size_t flagged, PyObject* names):
    cdef Overridable f = <Overridable>self
    cdef Py_ssize_t given = count_args(flagged, NULL)
    cdef tuple positional
    cdef dict keywords = {}
    if misused(&f.call, args, flagged):
        raise TypeError(f"[{f.name}] descriptor '{f.name}' for 'taeda.Tensor' objects " + (
            "needs an argument" if given == 0 else f"doesn't apply to a '{type(<object>args[0]).__name__}' object"))
    positional = by_position(args, given)
    if names != NULL:
        keywords = by_name(args, given, own_names(f, given, <object>names) or <object>names)
    if get_modes() == 0 and f.watcher_ is not None and not is_dispatched(positional, keywords):
        return f.watcher_(f, positional, keywords)
    over = [] if get_off() else collected(positional if f.call.scans else positional[1:], keywords, sees)
    if not over and f.call.policy and get_modes() == 0 and get_casting():
        return cast_call(f, positional, keywords)
    if not over and get_modes() == 0 and is_dispatched(positional, keywords):
        return f.function(*positional, **keywords) if f.composite else by_operators(f, positional, keywords)
    if type(f) is Attending and looks_inside(over):
        return f.function(*positional, **keywords)
    if f.composite or f.spelled is not None:
        if looks_inside(over):
            if f.composite:
                return f.function(*positional, **keywords)
        elif f.spelled is not None:
            positional, keywords = f.spelled(positional, keywords)
    return call_overrides(f if f.reported is None else told(f.reported, f), f.function, over, positional, keywords)


class Further:
    """What is known by its plain function, as a mode is told of it while others wait: they are asked where it is called."""

    __slots__ = ("ask", "plain")

    def __init__(self, plain, ask):
        self.plain, self.ask = plain, ask

    def __call__(self, *args, **kwargs):
        return self.ask(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def __eq__(self, other):
        return self.plain == (other.plain if type(other) is Further else other)

    def __hash__(self):
        return hash(self.plain)

    def __repr__(self):
        return repr(self.plain)


def told(plain, ask):
    """What the innermost mode is told of a plain function for which ``ask`` asks those who take calls over."""
    return Further(plain, ask) if get_modes() > 1 else plain


cdef bint looks_inside(list over) except -1:
    """Whether those who take the call over want to see what it is made of: the profiler, vmap."""
    if get_modes():
        over = [mode_stack()[len(mode_stack()) - 1]]
    for x in over:
        if not getattr(type(x), "_looks_inside", False):
            return False
    return True


cdef bint mode_sees() except -1:
    """Whether a mode is in force, and not one that wants to see what a call is made of."""
    return get_modes() and not looks_inside([])


cdef bint class_sees(object x) except -1:
    """Whether the class of x takes calls over now."""
    return not get_off() and sees(<PyObject*>x, 0)


cdef bint operator_seen(object x, object other) except -1:
    """Whether an operator of the two is told to somebody who knows it by its own name, ``Tensor.__eq__``, as PyTorch tells it."""
    if get_modes():
        return not looks_inside([])
    if get_off() or not sees(<PyObject*>x, 0) and not sees(<PyObject*>other, 0):
        return False
    over = overloaded_args((x, other))
    return bool(over) and not looks_inside(over)


cdef object caster = None            # casts the arguments of a call for autocast: taeda.amp sets it before autocast is ever on


cdef object cast_call(Overridable f, tuple args, dict kwargs):
    """Call f with its arguments in the dtype that autocast wants; what f calls inside is left alone."""
    if kwargs.get("out") is None:
        args, kwargs = caster(f.call.policy, args, kwargs)
    set_casting_(False)
    try:
        if is_dispatched(args, kwargs) and not f.composite:
            return by_operators(f, args, kwargs)
        return f.function(*args, **kwargs)
    finally:
        set_casting_(True)


def set_caster(function):
    """Let ``function(policy, args, kwargs)`` return the arguments as autocast wants them."""
    global caster
    caster = function


def is_casting():
    """Whether this thread's calls are cast for autocast: not within a call that was."""
    return bool(get_casting())


def watch_functions(int change):
    """Count a vmap that begins (1) or ends (-1): while there is one, functions with a watcher ask it."""
    watch(change)


def set_casting(bint on):
    """Turn autocast on or off in this thread."""
    set_casting_(on)


cdef object describer = None          # the docstring of a function as help() shows it: taeda.ops sets it


def set_describer(function):
    """Let ``function(f)`` return the docstring of the function f; it is called when somebody asks for it."""
    global describer
    describer = function


cdef object text_of(Overridable f):
    return f.function.__doc__ if describer is None else describer(f.function)


cdef class Overridable:
    """A function that classes and modes may take over; everything else of it is the function's own."""
    cdef call_t call
    cdef readonly object function       # what does the work
    cdef tuple flags                    # names of its parameters that are True or False
    cdef public object reported         # what __torch_function__ is told, when that is not this object
    cdef public object spelled          # (args, kwargs) -> the same call as __torch_function__ is told of it
    cdef public bint composite          # made of other functions; ``_looks_inside`` of a class or mode: it sees those instead
    cdef object watcher_
    cdef str name, place, room

    def __cinit__(self, function, str name, str place, str room, bint scans=True):
        self.function = function
        self.call.entry, self.call.inner = <void*>enter, PyVectorcall_Function(function)
        self.call.function = <PyObject*>function
        self.call.scans = scans                 # is the first argument looked at, too?
        self.call.policy = POLICIES.get(name, 0)
        self.call.older = has_older_form(name)
        self.flags, self.call.strict, self.call.places, self.call.nones = flags_of(function)
        self.call.flags = <PyObject*>self.flags if self.flags else NULL
        self.name, self.place, self.room = name, place, room

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    @property
    def watcher(self):
        """None, or what is called as ``watcher(self, args, kwargs)`` instead of the function while a vmap is running."""
        return self.watcher_

    @watcher.setter
    def watcher(self, function):
        self.watcher_ = function
        self.call.watched = function is not None

    @property
    def __wrapped__(self):
        return self.function

    @property
    def __name__(self):
        return self.name

    @property
    def __qualname__(self):
        return self.place

    @property
    def __module__(self):
        return self.room

    def __getattr__(self, name):
        return getattr(self.function, name)

    def __reduce__(self):
        return self.place


cdef class Function(Overridable):
    # A public function.  Like a built-in one it does not bind when it stands in a class; like one of Python it takes attributes.

    cdef dict __dict__

    @property
    def __doc__(self):
        return text_of(self)

    def __get__(self, instance, owner):
        return self

    @property
    def __doc__(self):                      # again, since a class without one is given None
        return text_of(self)

    def __repr__(self):
        return f"<function {self.room.removesuffix('.' + self.room.rpartition('.')[2])}.{self.name}>"


cdef class Method(Overridable):
    # A method of Tensor.

    def __init__(self, *args):
        self.call.binds = True

    @property
    def __doc__(self):
        return text_of(self)

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    @property
    def __doc__(self):
        return text_of(self)

    def __repr__(self):
        return f"<method '{self.name}' of 'taeda.Tensor' objects>"


cdef class Attending(Method):
    # A method that is no op, as modes see it; Tensor shows the plain one, by which it is known.

    def __get__(self, instance, owner):
        return self.reported if instance is None else PyMethod_New(self, instance)


cdef class Inherited(Method):
    # A method that is no op, as subclasses have it: who asks the class gets Tensor's own, unless it has a __torch_function__ of its own.

    def __get__(self, instance, owner):
        if instance is not None:
            return PyMethod_New(self, instance)
        for cls in owner.__mro__:
            found = cls.__dict__.get("__torch_function__")
            if found is not None:
                return self.reported if found is default_function or getattr(found, "__func__", found) is disabled_function else self
        return self


def _ready():
    cdef Overridable f = Function(_ready, "_ready", "_ready", __name__)
    cdef Py_ssize_t offset = <char*>&f.call - <char*><void*>f
    global slow, own_names_, older_call_, explain_, refuse_
    slow, own_names_, older_call_, explain_, refuse_ = taken_over, own_names, older_call, explain, refuse
    enable_vectorcall(Function, offset, False)
    enable_vectorcall(Method, offset, True)
    enable_vectorcall(Attending, offset, True)
    enable_vectorcall(Inherited, offset, True)


_ready()
made = {}                    # (id of the function, as method) -> its callable: aliases share one


def function_for(function, str name, str room, bint scans=True):
    """Return the public callable of a function of a module (one for all its aliases)."""
    if isinstance(function, Overridable):
        return function
    key = id(function), None
    if key not in made:
        made[key] = Function(function, name, name, room, scans)
    return made[key]


def method_for(function, str name):
    """Return the callable that stands in Tensor under a name."""
    if isinstance(function, Overridable):
        function = (<Overridable>function).function
    key = id(function), name
    if key not in made:
        made[key] = Method(function, name, f"Tensor.{name}", "taeda.tensor")
    return made[key]


# -- the protocol ------------------------------------------------------------------------------------


def takes_over(cls):
    """Whether instances of a class take calls over."""
    return bool(takes_over_(<PyObject*>cls))


cdef int collect(object x, list over, int depth, looking wants) except -1:
    """Add x, or what is inside of it, to the arguments whose class wants to be asked: each class once, subclasses first."""
    cdef Py_ssize_t i
    if type(x) is tuple or type(x) is list:
        if depth:
            for y in x:
                collect(y, over, depth - 1, wants)
        return 0
    if not wants(<PyObject*>x, 0):
        return 0
    cls = type(x)
    for y in over:
        if type(y) is cls:
            return 0
    for i in range(len(over)):
        if issubclass(cls, type(over[i])):
            over.insert(i, x)
            return 0
    over.append(x)
    return 0


cdef list collected(args, kwargs, looking wants):
    """The arguments of a call whose class wants to be asked, in the order in which they are asked."""
    cdef list over = []
    for x in args:
        collect(x, over, 2, wants)
    for x in kwargs.values():
        collect(x, over, 2, wants)
    return over


def overloaded_args(relevant_args):
    """Return the arguments that take a call over, in the order in which they are asked."""
    cdef list over = []
    if not get_off():
        for x in relevant_args:
            collect(x, over, 0, sees)
    return over


def has_torch_function(relevant_args):
    """Whether an argument or a mode takes the call over."""
    if get_modes():
        return True
    if get_off():
        return False
    for x in relevant_args:
        if sees(<PyObject*>x, 0):
            return True
    return False


def call_overrides(public_api, function, list over, tuple args, dict kwargs):
    """Ask the innermost mode, then each argument, until one answers; TypeError when nobody does."""
    cdef tuple types
    cdef list stack
    if get_modes() == 0 and len(over) == 1 and type(over[0]) is sparse_class:           # they have but one class
        return sparse_answer((<Overridable>public_api).name if isinstance(public_api, Overridable) else public_api.__name__, args, kwargs)
    types = tuple([type(x) for x in over])
    # a mode that sees operators stands below the classes that see functions
    if get_modes() and not (over and hasattr(type(mode_stack()[len(mode_stack()) - 1]), "__torch_dispatch__")):
        stack = mode_stack()
        mode = stack.pop()
        set_modes(len(stack))
        try:
            found = mode.__torch_function__(public_api, types, args, kwargs)
        finally:
            stack.append(mode)
            set_modes(len(stack))
        if found is not NotImplemented:
            return found
    elif not over:
        return function(*args, **kwargs)
    for x in over:
        found = x.__torch_function__(public_api, types, args, kwargs)
        if found is not NotImplemented:
            return found
    name = getattr(public_api, "__name__", str(public_api))
    error = TypeError(f"[{name}] no implementation found for 'taeda.{name}' on types that implement __torch_function__: "
                      f"{[type(x) for x in over]}")
    error.unanswered = True              # an operator's other side may have a reflected one
    raise error


cdef object sparse_class = None      # the class of sparse tensors, once there are some
cdef object sparse_answer = None     # (name of a function, args, kwargs) -> what it gives of them


def set_sparse(cls, answer):
    """Let ``answer(name, args, kwargs)`` take over the calls with arguments of the class of sparse tensors and of no other."""
    global sparse_class, sparse_answer
    sparse_class, sparse_answer = cls, answer


# -- for _override_protocol, which says what is in force ---------------------------------------------------


cdef int in_force(switch which) noexcept:
    return get_modes() if which == MODES else get_undispatched() if which == NO_OPERATORS else get_off()


cdef void put_in_force(switch which, int to) noexcept:
    if which == MODES:
        set_modes(to)
    elif which == NO_OPERATORS:
        set_undispatched(to)
    else:
        set_off(to)


cdef object default_function = None, disabled_function = None          # Tensor's __torch_function__, and one that takes nothing over
set_protocol("__torch_function__", None)


cdef int name_functions(object plain, object disabled) except -1:
    global default_function, disabled_function
    default_function, disabled_function = plain, disabled
    set_protocol("__torch_function__", disabled)
    return 0


cdef int name_operators(object plain, object disabled) except -1:
    set_dispatch_protocol("__torch_dispatch__", plain, disabled)
    return 0


cdef bint has_operators(object cls) noexcept:
    return dispatches_(<PyObject*>cls)


cdef void expect_dispatchers() noexcept:
    add_dispatcher()


# -- __torch_dispatch__: classes that are told of operators, below autograd ----------------------------


cdef object operators = _above.call_by_operators


cdef object by_operators(f, args, kwargs):
    """Make a call by PyTorch's operators, each of which asks the classes of its arguments."""
    return operators(f, args, kwargs, None)


cdef bint is_dispatched(args, kwargs) except -1:
    """Whether an argument is of a class with a ``__torch_dispatch__`` that is to be asked."""
    if not get_dispatchers() or get_undispatched():
        return False
    for x in args:
        if sees_dispatch(<PyObject*>x, 2):
            return True
    for x in kwargs.values():
        if sees_dispatch(<PyObject*>x, 2):
            return True
    return False


def asks(x):
    """Whether a tensor's class has a ``__torch_dispatch__`` that is to be asked now."""
    return bool(get_dispatchers()) and not get_undispatched() and sees_dispatch(<PyObject*>x, 0)


def dispatched_args(args, kwargs):
    """Return the arguments whose ``__torch_dispatch__`` is to be asked: each class once, subclasses first."""
    return collected(args, kwargs, sees_dispatch) if get_dispatchers() and not get_undispatched() else []


# -- modes -------------------------------------------------------------------------------------------


stacks = _local()


def mode_stack():
    """Return this thread's list of modes, the innermost last."""
    if not hasattr(stacks, "modes"):
        stacks.modes = []
    return stacks.modes


def set_tensor_class(cls):
    """Let tensor.pyx say which class's instances are plain."""
    set_tensor(cls)
