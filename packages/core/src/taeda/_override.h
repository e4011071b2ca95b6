/* The C of _override.pyx: what a call passes through before its function, straight on unless somebody takes it over. */
#pragma once
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { TAEDA_CASTING = 1 << 20 };                /* in taeda_state: autocast is on */
static __thread int taeda_state = 0;             /* of this thread: how many modes are in force, and TAEDA_CASTING */
static __thread int taeda_off = 0;               /* inside DisableTorchFunctionSubclass */
static int taeda_departed = 0;                   /* whether one of them was ever set in any thread: else nobody looks, which costs a call each */
static PyTypeObject *taeda_tensor = NULL;
static PyObject *taeda_protocol = NULL, *taeda_disabled = NULL;

static int taeda_get_modes(void) { return taeda_state & ~TAEDA_CASTING; }
static void taeda_set_state(int to) { taeda_departed |= to; taeda_state = to; }
static void taeda_set_modes(int n) { taeda_set_state(n | (taeda_state & TAEDA_CASTING)); }
static int taeda_get_casting(void) { return (taeda_state & TAEDA_CASTING) != 0; }
static void taeda_set_casting(int on) { taeda_set_state(taeda_get_modes() | (on ? TAEDA_CASTING : 0)); }
static int taeda_get_off(void) { return taeda_off; }
static void taeda_set_off(int on) { taeda_departed |= on; taeda_off = on; }

static void taeda_set_protocol(PyObject *name, PyObject *disabled) {
    Py_INCREF(name); Py_INCREF(disabled);
    taeda_protocol = name; taeda_disabled = disabled;
}
static void taeda_set_tensor(PyObject *type) { taeda_tensor = (PyTypeObject *)type; }

/* Classes with a __torch_dispatch__: how many there are, whether this thread asks none, and what Tensor has under the name. */
static int taeda_dispatchers = 0;
static __thread int taeda_undispatched = 0;
static PyObject *taeda_dispatch_protocol = NULL, *taeda_dispatch_plain = NULL, *taeda_dispatch_disabled = NULL;

static int taeda_watching = 0;                   /* how many vmaps are running, whichever thread they are in */
static void taeda_watch(int change) { taeda_watching += change; }

static int taeda_get_dispatchers(void) { return taeda_dispatchers; }
static void taeda_add_dispatcher(void) { taeda_dispatchers++; }
static int taeda_get_undispatched(void) { return taeda_undispatched; }
static void taeda_set_undispatched(int on) { taeda_undispatched = on; }
static void taeda_set_dispatch_protocol(PyObject *name, PyObject *plain, PyObject *disabled) {
    Py_INCREF(name); Py_INCREF(plain); Py_INCREF(disabled);
    taeda_dispatch_protocol = name; taeda_dispatch_plain = plain; taeda_dispatch_disabled = disabled;
}

static int taeda_dispatches(PyTypeObject *t) {
    PyObject *f;
    if (t == taeda_tensor || taeda_dispatch_protocol == NULL || !PyType_IsSubtype(t, taeda_tensor)) return 0;
    f = _PyType_Lookup(t, taeda_dispatch_protocol);
    return f != NULL && f != taeda_dispatch_plain && f != taeda_dispatch_disabled;
}

static int taeda_takes_over(PyTypeObject *t) {   /* the lookup is cached by the interpreter */
    PyObject *f = _PyType_Lookup(t, taeda_protocol);
    return f != NULL && f != taeda_disabled;
}

static int taeda_sees(PyObject *x, int depth) {
    PyTypeObject *t = Py_TYPE(x);
    if (t == taeda_tensor || t == &PyLong_Type || t == &PyFloat_Type || t == &PyBool_Type || x == Py_None ||
        t == &PyUnicode_Type || t == &PySlice_Type)
        return 0;
    if (t == &PyTuple_Type || t == &PyList_Type) {
        Py_ssize_t i, n = PySequence_Fast_GET_SIZE(x);
        PyObject **items = PySequence_Fast_ITEMS(x);
        for (i = 0; depth > 0 && i < n; i++)
            if (taeda_sees(items[i], depth - 1)) return 1;
        return 0;
    }
    return taeda_takes_over(t);
}

/* The same for operators: is x, or what is inside of it, of a class with a __torch_dispatch__? */
static int taeda_sees_dispatch(PyObject *x, int depth) {
    PyTypeObject *t = Py_TYPE(x);
    if (t == taeda_tensor || t == &PyLong_Type || t == &PyFloat_Type) return 0;
    if (t == &PyTuple_Type || t == &PyList_Type) {
        Py_ssize_t i, n = PySequence_Fast_GET_SIZE(x);
        PyObject **items = PySequence_Fast_ITEMS(x);
        for (i = 0; depth > 0 && i < n; i++)
            if (taeda_sees_dispatch(items[i], depth - 1)) return 1;
        return 0;
    }
    return taeda_dispatches(t);
}

typedef struct {
    vectorcallfunc entry, inner;
    PyObject *function;
    PyObject *flags;                             /* tuple: the names of parameters that are True or False, else NULL */
    uint64_t places, nones;                      /* where those stand that may come by position; and those that may be None */
    int scans, watched, binds, policy, older, strict;   /* strict: the first so many names, which may not */
} taeda_call;
static Py_ssize_t taeda_call_offset = 0;         /* of the struct in a callable */

/* Does an argument, a mode or autocast take this call over? */
static int taeda_watched(const taeda_call *c, PyObject **args, Py_ssize_t n) {
    Py_ssize_t i;
    int off = 0;
    if (taeda_departed) {
        if (taeda_state && (c->policy || taeda_get_modes())) return 1;
        off = taeda_off;
    }
    for (i = !c->scans; !off && i < n; i++)
        if (Py_TYPE(args[i]) != taeda_tensor && taeda_sees(args[i], 2)) return 1;
    if (!c->scans) return 0;
    if (__builtin_expect(taeda_dispatchers && !taeda_undispatched, 0))
        for (i = 0; i < n; i++)
            if (taeda_sees_dispatch(args[i], 2)) return 1;
    return 0;
}

/* A method is called with a tensor first, whether or not it is bound. */
static int taeda_misused(const taeda_call *c, PyObject *const *args, size_t flagged) {
    return c->binds && (PyVectorcall_NARGS(flagged) == 0 ||
                        (Py_TYPE(args[0]) != taeda_tensor && !PyType_IsSubtype(Py_TYPE(args[0]), taeda_tensor)));
}

static int taeda_is_flag(PyObject *x, int or_none) {     /* NumPy's bool counts */
    return x == Py_True || x == Py_False || (or_none && x == Py_None) || strncmp(Py_TYPE(x)->tp_name, "numpy.bool", 10) == 0;
}

/* Where among the arguments stands what should be True or False, and is not; -1 if nowhere. */
static Py_ssize_t taeda_no_flag(const taeda_call *c, PyObject *const *args, Py_ssize_t given, PyObject *names) {
    uint64_t left = given < 64 ? c->places & (((uint64_t)1 << given) - 1) : c->places;
    Py_ssize_t i, j;
    for (; left; left &= left - 1) {
        i = __builtin_ctzll(left);
        if (!taeda_is_flag(args[i], c->nones >> i & 1)) return i;
    }
    for (i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++)
        for (j = 0; j < PyTuple_GET_SIZE(c->flags); j++)
            if (PyTuple_GET_ITEM(names, i) == PyTuple_GET_ITEM(c->flags, j) && !taeda_is_flag(args[given + i], j >= c->strict))
                return given + i;
    return -1;
}

static Py_ssize_t taeda_nargs(size_t flagged, PyObject *names) {
    return PyVectorcall_NARGS(flagged) + (names == NULL ? 0 : PyTuple_GET_SIZE(names));
}

static PyObject *(*taeda_slow)(PyObject *, PyObject **, size_t, PyObject *) = NULL;
static PyObject *(*taeda_own_names)(PyObject *, Py_ssize_t, PyObject *) = NULL;
static PyObject *(*taeda_older_call)(PyObject *, PyObject **, size_t, PyObject *) = NULL;
static PyObject *(*taeda_explain)(PyObject *, PyObject *) = NULL;
static PyObject *(*taeda_refuse)(PyObject *, PyObject **, size_t, PyObject *, Py_ssize_t) = NULL;

/* Raise what the function raised; where the arguments do not fit its signature, that is told too. */
static PyObject *taeda_raise(PyObject *self, PyObject *type, PyObject *value, PyObject *trace) {
    PyObject *told;
    PyErr_NormalizeException(&type, &value, &trace);
    told = taeda_explain(self, value);
    if (told == NULL) PyErr_Clear();
    Py_XDECREF(told);
    PyErr_Restore(type, value, trace);
    return NULL;
}

/* The call failed: if for keywords that are other names of parameters, make it again with the function's own; if for factors
   that stand between the tensors, as they once did, by keyword. */
static PyObject *taeda_again(PyObject *self, PyObject *const *args, size_t flagged, PyObject *names) {
    taeda_call *c = (taeda_call *)((char *)self + taeda_call_offset);
    PyObject *type, *value, *trace, *known, *found;
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
    PyErr_Fetch(&type, &value, &trace);
    if (c->older) {
        found = taeda_older_call(self, (PyObject **)args, flagged, names);
        if (found != Py_None) {
            Py_XDECREF(type); Py_XDECREF(value); Py_XDECREF(trace);
            return found;
        }
        Py_DECREF(found);
    }
    if (names == NULL) return taeda_raise(self, type, value, trace);
    known = taeda_own_names(self, PyVectorcall_NARGS(flagged), names);
    if (known == NULL || known == Py_None) {
        Py_XDECREF(known);
        return taeda_raise(self, type, value, trace);
    }
    Py_XDECREF(type); Py_XDECREF(value); Py_XDECREF(trace);
    found = PyObject_Vectorcall(c->function, args, flagged, known);
    Py_DECREF(known);
    return found;
}

/* What the interpreter calls: straight on to the function, unless somebody takes the call over.  It begins a cache line, since else
 * a + b takes up to 7 % longer, by the size of the code before it. */
__attribute__((aligned(64)))
static PyObject *taeda_enter(PyObject *self, PyObject *const *args, size_t flagged, PyObject *names) {
    taeda_call *c = (taeda_call *)((char *)self + taeda_call_offset);
    if ((c->watched && taeda_watching) || taeda_watched(c, (PyObject **)args, taeda_nargs(flagged, names)) || taeda_misused(c, args, flagged))
        return taeda_slow(self, (PyObject **)args, flagged, names);
    if (c->flags != NULL) {
        Py_ssize_t wrong = taeda_no_flag(c, args, PyVectorcall_NARGS(flagged), names);
        if (wrong >= 0) return taeda_refuse(self, (PyObject **)args, flagged, names, wrong);
    }
    PyObject *found = c->inner ? c->inner(c->function, args, flagged, names) : PyObject_Vectorcall(c->function, args, flagged, names);
    return found != NULL ? found : taeda_again(self, args, flagged, names);
}

/* Tell the interpreter that instances are called by the function pointer at this offset. */
static void taeda_enable_vectorcall(PyObject *type, Py_ssize_t offset, int method) {
    PyTypeObject *t = (PyTypeObject *)type;
    taeda_call_offset = offset;                  /* the pointer is the struct's first field */
    t->tp_vectorcall_offset = offset;
    t->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | (method ? Py_TPFLAGS_METHOD_DESCRIPTOR : 0);
    t->tp_call = PyVectorcall_Call;
    PyType_Modified(t);
}
