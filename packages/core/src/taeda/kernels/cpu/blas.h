/* BLAS by one name a dtype: included once per dtype with SUFFIX, BLAS(name) and, for complex ones, COMPLEX defined.
 *
 * Numbers go to its complex functions by address.  Matrices are row-major; `ta` and `tb` say which are transposed.
 */
#ifdef COMPLEX
#define SCALAR(x) &x
#else
#define SCALAR(x) x
#endif

LOCAL T NAME(blas_dot)(int n, const T *x, int incx, const T *y, int incy) {
#ifdef COMPLEX
    T sum;
    BLAS(dotu_sub)(n, x, incx, y, incy, &sum);
    return sum;
#else
    return BLAS(dot)(n, x, incx, y, incy);
#endif
}

LOCAL void NAME(blas_gemv)(int row_major, int m, int n, T alpha, const T *a, int lda, const T *x, int incx, T beta, T *y, int incy) {
    BLAS(gemv)(row_major ? CblasRowMajor : CblasColMajor, CblasNoTrans, m, n, SCALAR(alpha), a, lda, x, incx, SCALAR(beta), y, incy);
}

LOCAL void NAME(blas_gemm)(int ta, int tb, int m, int n, int k, T alpha, const T *a, int lda, const T *b, int ldb, T beta, T *c, int ldc) {
    BLAS(gemm)(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, SCALAR(alpha), a, lda, b, ldb,
               SCALAR(beta), c, ldc);
}
#undef SCALAR
