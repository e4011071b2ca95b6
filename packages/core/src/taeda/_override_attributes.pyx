# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Tensor's attributes that are no ops, as subclasses and modes see them that take calls over (``_override``).

A subclass is given them once, when it is made; Tensor itself from the first mode on that wants to see them.
"""
from taeda._override cimport class_sees, mode_sees

from taeda._override import Attending, Inherited, Overridable, call_overrides, overloaded_args, told

cdef extern from "Python.h":
    ctypedef object (*getter "descrgetfunc")(object, object, object)
    ctypedef struct PyTypeObject:
        getter tp_descr_get
    PyTypeObject* Py_TYPE(object x)


cdef class Attribute:
    # A property of Tensor as modes see it, and, if ``scans``, classes; the class shows the plain one.

    cdef readonly object plain
    cdef bint scans

    def __init__(self, plain, bint scans):
        self.plain, self.scans = plain, scans

    cdef bint passes(self, object x) except -1:
        """Does nobody take this attribute of x over?"""
        return not mode_sees() and not (self.scans and class_sees(x))

    cdef object tell(self, function, ask, tuple args):
        return call_overrides(told(function, ask), function, overloaded_args(args) if self.scans else [], args, {})

    def __get__(self, instance, owner):
        if instance is None:
            return self.plain
        if self.passes(instance):
            return Py_TYPE(self.plain).tp_descr_get(self.plain, instance, owner)
        return self.tell(self.plain.__get__, self.__get__, (instance,))

    def __set__(self, instance, value):
        if self.passes(instance) and self.passes(value):
            self.plain.__set__(instance, value)
        else:
            self.tell(self.plain.__set__, self.__set__, (instance, value))

    def __delete__(self, instance):
        self.plain.__delete__(instance)


KEPT = ("as_subclass",)       # what it returns is of the class that was asked for
DUNDERS = ("__len__", "__bool__", "__int__", "__float__", "__complex__", "__index__", "__contains__", "__repr__", "__reversed__",
           "__format__", "__deepcopy__", "__array__", "__invert__")


def attributes_of(base, bint scans):
    """Return Tensor's attributes that are no ops, each in a form that modes and, if ``scans``, classes may take over."""
    cdef dict found = {}
    for name, plain in base.__dict__.items():
        if name in KEPT or isinstance(plain, (Overridable, staticmethod, classmethod)) or (name[:2] == "__" and name not in DUNDERS):
            continue
        if hasattr(type(plain), "__set__"):
            found[name] = Attribute(plain, scans)
        elif callable(plain):
            found[name] = (Inherited if scans else Attending)(plain, name, f"Tensor.{name}", "taeda.tensor", scans)
            found[name].reported = plain
    return found


cdef dict attributes = {}     # as subclasses have them
cdef dict shown = {}          # as Tensor itself has them once a mode wants to see them


def plain_attributes(base):
    """Return Tensor's attributes that are no ops, by their names."""
    if not attributes:
        attributes.update(attributes_of(base, True))
    return {name: attribute.plain if isinstance(attribute, Attribute) else attribute.reported for name, attribute in attributes.items()}


def show_attributes(base):
    """Let modes see plain tensors' attributes too: from the first one on that wants to, reading one costs some nanoseconds more."""
    if not shown:
        plain_attributes(base)                                       # those of subclasses are made of the plain ones
        shown.update(attributes_of(base, False))
        for name, attribute in shown.items():
            setattr(base, name, attribute)


def attributes_for(cls, base):
    """Give a subclass of Tensor that takes calls over the rest of Tensor's attributes in a form that lets it."""
    plain_attributes(base)
    for name, attribute in attributes.items():
        for owner in cls.__mro__:
            if owner is base:
                setattr(cls, name, attribute)
                break
            if name in owner.__dict__:
                break
