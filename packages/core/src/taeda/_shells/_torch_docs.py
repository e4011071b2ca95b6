"""Paragraphs that PyTorch puts into docstrings, as copies of its layers ask for them by name: empty, they are about its kernels."""

reproducibility_notes = dict.fromkeys(("forward_reproducibility_note", "backward_reproducibility_note", "cudnn_reproducibility_note"), "")
tf32_notes = {"tf32_note": ""}
sparse_support_notes = {"sparse_beta_warning": ""}
