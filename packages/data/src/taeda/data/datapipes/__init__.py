"""PyTorch's data pipes: the two base classes, the decorator that makes a class a method of pipes, and the pipe that shuffles."""
