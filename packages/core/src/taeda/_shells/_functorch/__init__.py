"""PyTorch's room of what ``func`` is made of, of which libraries take the pieces of vmap, and programs set the switches."""

from taeda._switches import Switches

__all__ = ["config"]

config = Switches(
    f"{__name__}.config", activation_memory_budget=1.0, aggressive_recomputation=False, bundled_autograd_cache=False, debug_assert=False,
    debug_partitioner=False, donated_buffer=True, enable_autograd_cache=True, fake_tensor_allow_meta=True, functionalize_rng_ops=False,
    recompute_views=False,
)  # fmt: skip
