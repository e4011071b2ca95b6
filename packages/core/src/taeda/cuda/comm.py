"""Copies between GPUs and sums over them, which programs for several import: without a GPU every one raises."""

from __future__ import annotations

from taeda.cuda._absent import needs_gpu

__all__ = ["broadcast", "broadcast_coalesced", "gather", "reduce_add", "reduce_add_coalesced", "scatter"]

broadcast = needs_gpu("comm.broadcast", "Copy a tensor to each of several GPUs; raises without one.")
broadcast_coalesced = needs_gpu("comm.broadcast_coalesced", "Copy tensors to each of several GPUs; raises without one.")
gather = needs_gpu("comm.gather", "Join tensors of several GPUs on one; raises without one.")
reduce_add = needs_gpu("comm.reduce_add", "Add tensors of several GPUs on one; raises without one.")
reduce_add_coalesced = needs_gpu("comm.reduce_add_coalesced", "Add lists of tensors of several GPUs on one; raises without one.")
scatter = needs_gpu("comm.scatter", "Cut a tensor over several GPUs; raises without one.")
