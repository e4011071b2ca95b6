"""The classes of :mod:`taeda.jit`, by the name of the module in which PyTorch has them."""

from taeda.jit import (
    Attribute as Attribute,
    RecursiveScriptModule as RecursiveScriptModule,
    ScriptFunction as ScriptFunction,
    ScriptModule as ScriptModule,
    ScriptWarning as ScriptWarning,
    script as script,
)  # fmt: skip
