"""What :mod:`taeda.jit` says of tracing, by the name of the module in which PyTorch has it: nothing is traced."""

from taeda.jit import (
    TopLevelTracedModule as TopLevelTracedModule,
    TracedModule as TracedModule,
    TracerWarning as TracerWarning,
    is_tracing as is_tracing,
    trace as trace,
    trace_module as trace_module,
)  # fmt: skip

_trace_module_map = None
