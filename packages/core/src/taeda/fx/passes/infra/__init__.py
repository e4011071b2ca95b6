"""Classes of passes, and what runs several of them in an order."""
