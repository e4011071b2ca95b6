# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The call of a layer: ``forward``, between hooks where there are any.

``nn.Module`` is written in Python and stands on this class.  Its call is the one thing of it that every layer of every
pass goes through: here it costs a look at a flag and the call of ``forward``.  Hooks and the naming of errors are methods of the module.
"""
cimport cython
from cpython.object cimport PyObject

cdef extern from *:
    """
    static PyObject *taeda_forward = NULL;      /* the name */

    /* self.forward(*args, **kwargs).  A function of the class is called with self in front; whatever else `forward` may be,
       a function of the object above all, is looked up as any attribute (a Module's lookup goes through its __getattr__). */
    static PyObject *taeda_call_forward(PyObject *self, PyObject *args, PyObject *kwargs) {
        enum { ROOM = 6 };
        Py_ssize_t n = PyTuple_GET_SIZE(args);
        PyObject **dict = _PyObject_GetDictPtr(self), *own = NULL, *f = _PyType_Lookup(Py_TYPE(self), taeda_forward), *result;
        if (f && PyFunction_Check(f) && n < ROOM && !(kwargs && PyDict_GET_SIZE(kwargs)) && dict) {
            if (*dict) own = PyDict_GetItemWithError(*dict, taeda_forward);
            if (!own && !PyErr_Occurred()) {
                PyObject *list[ROOM];
                list[0] = self;
                for (Py_ssize_t i = 0; i < n; i++) list[i + 1] = PyTuple_GET_ITEM(args, i);
                Py_INCREF(f);
                result = PyObject_Vectorcall(f, list, (size_t)n + 1, NULL);
                Py_DECREF(f);
                return result;
            }
        }
        f = PyObject_GetAttr(self, taeda_forward);
        if (!f) return NULL;
        result = PyObject_Call(f, args, kwargs);
        Py_DECREF(f);
        return result;
    }

    /* A class that adds no memory is made as any object is: with a new of its own it could not stand behind another base, as in
       class Layer(Mixin, nn.Module), whose objects copies and pickles make by Layer.__new__. */
    static int taeda_made_as_object(PyObject *kind) {
        PyTypeObject *type = (PyTypeObject *)kind;
        type->tp_new = PyBaseObject_Type.tp_new;
        if (PyDict_DelItemString(type->tp_dict, "__new__") < 0) return -1;
        PyType_Modified(type);
        return 0;
    }
    """
    PyObject *forward_name "taeda_forward"
    int made_as_object "taeda_made_as_object"(object kind) except -1
    object call_forward "taeda_call_forward"(object self, tuple args, dict kwargs)

cdef str FORWARD = "forward"
forward_name = <PyObject *>FORWARD

cdef bint hooks_anywhere = False


def hooks_are_in_use():
    """Say that a hook of a call was registered: from now on each call asks its module for hooks."""
    global hooks_anywhere
    hooks_anywhere = True


@cython.auto_pickle(False)
cdef class LayerCall:
    """Base of what is called like a layer: it has ``forward``, ``_must_run_hooks``, ``_call_with_hooks`` and ``_locate``."""

    def __call__(self, *args, **kwargs):
        """Run the hooks and ``forward``; an exception says in which module of the model it was raised."""
        try:
            if hooks_anywhere and self._must_run_hooks():
                return self._call_with_hooks(args, kwargs)
            return call_forward(self, args, kwargs)
        except Exception as error:
            self._locate(error, args, kwargs)
            raise

    def __reduce_ex__(self, protocol):
        return object.__reduce_ex__(self, max(protocol, 2))        # older ways of pickling know classes of Python alone


made_as_object(LayerCall)
