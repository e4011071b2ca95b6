"""PyTorch's room of what ``func`` is made of, of which libraries take the pieces of vmap."""
