"""What PyTorch calls experimental: fusing for inference, and shells of what traces with symbols."""
