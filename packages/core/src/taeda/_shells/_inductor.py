"""The names of ``torch._inductor``, PyTorch's maker of kernels, that programs reach for: nothing is made, so they change nothing."""

from __future__ import annotations

from typing import Any

from ._switches import Switches

__all__ = ["config", "list_options"]

__path__: list[str] = []  # a package, so that its rooms can be imported
config = Switches(
    f"{__name__}.config", aggressive_fusion=False, allow_buffer_reuse=True, benchmark_kernel=False, comprehensive_padding=True,
    conv_1x1_as_mm=False, coordinate_descent_check_all_directions=False, coordinate_descent_tuning=False, cpp_wrapper=False, dce=False,
    debug=False, emulate_precision_casts=False, epilogue_fusion=True, fallback_random=False, force_disable_caches=False,
    force_fuse_int_mm_with_mul=False, freezing=False, fx_graph_cache=True, fx_graph_remote_cache=None, layout_optimization=True,
    max_autotune=False, max_autotune_gemm=False, max_autotune_gemm_backends="ATEN,TRITON,CPP", max_autotune_pointwise=False,
    pattern_matcher=True, permute_fusion=False, reorder_for_compute_comm_overlap=False, shape_padding=True, verbose_progress=False,
    worker_start_method="subprocess", aot_inductor={"output_path": ""}, cuda={"arch": None, "use_fast_math": False},
    cpp={"enable_kernel_profile": False, "min_chunk_size": 512, "simdlen": None, "threads": -1, "weight_prepack": True},
    trace={"enabled": False, "graph_diagram": False},
    triton={"autotune_pointwise": True, "cudagraph_skip_dynamic_graphs": False, "cudagraph_trees": True, "cudagraphs": False,
            "descriptive_names": "original_aten", "multi_kernel": 0, "persistent_reductions": True, "unique_kernel_names": True},
)  # fmt: skip


def list_options() -> list[str]:
    """Return the names of the switches that ``config`` knows, those of groups with a dot."""
    known: dict[str, Any] = {name: value for name, value in vars(config).items() if not name.startswith("_")}
    inside = [f"{name}.{member}" for name, group in known.items() if hasattr(group, "__dict__") for member in vars(group)]
    return sorted([name for name, value in known.items() if not hasattr(value, "__dict__")] + inside)
