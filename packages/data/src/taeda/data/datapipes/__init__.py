"""PyTorch's room of data pipes: the two base classes, and functional forms of one's own; none of its ready-made pipes."""
