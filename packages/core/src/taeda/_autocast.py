"""What autocast does with which function on the CPU: PyTorch's lists, by the functions' names.

``_override`` looks here when it makes a public callable; the arguments are cast in ``amp/casting``.
Functions that are in no list run in whatever dtypes they get, and what they call inside is looked up here again.
"""

from __future__ import annotations

LOWER, FLOAT32, WIDEST, AS_STATE, AS_IS, PADDING = 1, 2, 3, 4, 5, 6

# Products and what is made of them: fast in the lower precision, which only their inputs feel.
_LOWER = """
addbmm addmm baddbmm bmm linalg_vecdot linear matmul mm vecdot _addmm_activation
conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d
rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell prelu scaled_dot_product_attention
"""

# Functions that lose too much in it, or have no kernel for it in PyTorch.
_FLOAT32 = """
adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d fractional_max_pool2d fractional_max_pool3d
max_pool3d max_unpool1d max_unpool2d max_unpool3d
grid_sample grid_sampler grid_sampler_2d grid_sampler_3d reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d
replication_pad3d

binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy cross_entropy_loss ctc_loss
hinge_embedding_loss huber_loss kl_div l1_loss margin_ranking_loss mse_loss multi_margin_loss multilabel_margin_loss nll_loss
nll_loss2d poisson_nll_loss smooth_l1_loss soft_margin_loss triplet_margin_loss

cdist nanquantile polar prod quantile stft trace view_as_complex

cholesky cholesky_inverse cholesky_solve geqrf inverse lu lu_solve orgqr ormqr pinverse qr svd triangular_solve
linalg_cholesky linalg_cholesky_ex linalg_cond linalg_eig linalg_eigh linalg_eigvals linalg_eigvalsh linalg_householder_product
linalg_inv linalg_inv_ex linalg_lstsq linalg_matrix_rank linalg_qr linalg_solve linalg_svd linalg_svdvals linalg_tensorinv
linalg_tensorsolve

fft_fft fft_fft2 fft_fftn fft_hfft fft_ifft fft_ifft2 fft_ifftn fft_ihfft fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 fft_rfftn
"""

# Functions whose tensors must agree: they get the widest dtype among them.
_WIDEST = "cat index_copy stack"

# Cells whose state meets products in the lower precision: all is cast to what that and the state promote to.
_AS_STATE = "gru gru_cell lstm lstm_cell"

# Functions that are made of listed ones here and not in PyTorch: nothing is cast inside of them.
_AS_IS = "bilinear block_diag convolution cross linalg_cross linalg_vander vander"

POLICIES = {
    name: policy
    for policy, names in (
        (LOWER, _LOWER), (FLOAT32, _FLOAT32), (WIDEST, _WIDEST), (AS_STATE, _AS_STATE), (AS_IS, _AS_IS), (PADDING, "pad"),
    )
    for name in names.split()
}  # fmt: skip
