"""What PyTorch calls experimental: fusing for inference, and shells of what traces with symbols."""

from taeda.fx.experimental import proxy_tensor  # noqa: F401
