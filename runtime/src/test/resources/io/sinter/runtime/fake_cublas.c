/* SPDX-License-Identifier: Apache-2.0
 *
 * A stand-in for cuBLAS 12 and cublasLt, for tests of how they are called: f32 products on the memory of fake_cuda.c, column-major, done at once. Built
 * twice by the test, once for each library.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { OK = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15, R_32F = 0, COMPUTE_32F = 68 };

static void product(int ta, int tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta,
                    float *c, int64_t ldc, const float *bias, int epilogue, float *aux, int64_t ldaux)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++) sum += (double)(ta ? a[l + i * lda] : a[i + l * lda]) * (tb ? b[j + l * ldb] : b[l + j * ldb]);
            double x = alpha * sum + (beta == 0 ? 0 : beta * c[i + j * ldc]) + (bias ? bias[i] : 0);
            if (epilogue == 2) x = x > 0 ? x : 0;
            if (aux) aux[i + j * ldaux] = (float)x;
            if (epilogue == 32 || epilogue == 160) x = x / 2 * (1 + tanh(sqrt(2 / 3.141592653589793) * (x + 0.044715 * x * x * x)));
            c[i + j * ldc] = (float)x;
        }
}

static int created, stream_set;
int cublasCreate_v2(void **h) { *h = &created; return OK; }
int cublasDestroy_v2(void *h) { return h == &created ? OK : INVALID_VALUE; }
int cublasSetStream_v2(void *h, void *s) { stream_set = s != 0; return h == &created && s ? OK : INVALID_VALUE; }
int cublasSetWorkspace_v2(void *h, void *w, size_t n) { return h == &created && w && n ? OK : INVALID_VALUE; }
int cublasGetVersion_v2(void *h, int *v) { *v = 120401; return h == &created ? OK : INVALID_VALUE; }
int cublasGemmStridedBatchedEx(void *h, int ta, int tb, int m, int n, int k, const float *alpha, const float *a, int at, int lda, long long sa,
                               const float *b, int bt, int ldb, long long sb, const float *beta, float *c, int ct, int ldc, long long sc, int batch,
                               int compute, int algo)
{
    if (h != &created || !stream_set || at != R_32F || bt != R_32F || ct != R_32F || compute != COMPUTE_32F || algo != -1) return INVALID_VALUE;
    for (int i = 0; i < batch; i++) product(ta, tb, m, n, k, *alpha, a + i * sa, lda, b + i * sb, ldb, *beta, c + i * sc, ldc, 0, 0, 0, 0);
    return OK;
}

struct desc { int compute, scale, ta, tb, epilogue; const float *bias; float *aux; int64_t ldaux; };
struct layout { int type; uint64_t rows, columns; int64_t ld; int batch; int64_t stride; };
struct preference { size_t workspace; };
struct heuristic { uint64_t algo[8]; size_t workspace; int state; float waves; int reserved[4]; };

size_t cublasLtGetVersion(void) { return 130001; }
int cublasLtCreate(void **h) { *h = &created; return OK; }
int cublasLtDestroy(void *h) { return h == &created ? OK : INVALID_VALUE; }
int cublasLtMatmulDescCreate(struct desc **d, int compute, int scale)
{
    *d = calloc(1, sizeof **d);
    (*d)->compute = compute;
    (*d)->scale = scale;
    return OK;
}
int cublasLtMatmulDescDestroy(struct desc *d) { free(d); return OK; }
int cublasLtMatmulDescSetAttribute(struct desc *d, int which, const void *value, size_t bytes)
{
    if (bytes != (which >= 8 ? 8 : 4)) return INVALID_VALUE;
    switch (which) {
    case 3: d->ta = *(const int *)value; return OK;
    case 4: d->tb = *(const int *)value; return OK;
    case 7: d->epilogue = *(const int *)value; return OK;
    case 8: d->bias = *(const float *const *)value; return OK;
    case 11: d->aux = *(float *const *)value; return OK;
    case 12: d->ldaux = *(const int64_t *)value; return d->ldaux % 8 == 0 ? OK : INVALID_VALUE;
    default: return INVALID_VALUE;
    }
}
int cublasLtMatrixLayoutCreate(struct layout **l, int type, uint64_t rows, uint64_t columns, int64_t ld)
{
    if (ld < (int64_t)rows) return INVALID_VALUE;
    *l = calloc(1, sizeof **l);
    **l = (struct layout){ type, rows, columns, ld, 1, 0 };
    return OK;
}
int cublasLtMatrixLayoutDestroy(struct layout *l) { free(l); return OK; }
int cublasLtMatrixLayoutSetAttribute(struct layout *l, int which, const void *value, size_t bytes)
{
    if (which == 5 && bytes == 4) l->batch = *(const int *)value;
    else if (which == 6 && bytes == 8) l->stride = *(const int64_t *)value;
    else return INVALID_VALUE;
    return OK;
}
int cublasLtMatmulPreferenceCreate(struct preference **p) { *p = calloc(1, sizeof **p); return OK; }
int cublasLtMatmulPreferenceDestroy(struct preference *p) { free(p); return OK; }
int cublasLtMatmulPreferenceSetAttribute(struct preference *p, int which, const void *value, size_t bytes)
{
    if (which != 1 || bytes != 8) return INVALID_VALUE;
    p->workspace = *(const size_t *)value;
    return OK;
}
int cublasLtMatmulAlgoGetHeuristic(void *h, struct desc *d, struct layout *a, struct layout *b, struct layout *c, struct layout *out,
                                   struct preference *p, int wanted, struct heuristic *results, int *found)
{
    (void)a, (void)b;
    if (h != &created || !d || c != out || !p || wanted != 1) return INVALID_VALUE;
    if (c->batch == 99) return NOT_SUPPORTED;
    results[0] = (struct heuristic){ { 4711 }, 0, 0, 1, { 0 } };
    *found = 1;
    return OK;
}
int cublasLtMatmul(void *h, struct desc *d, const float *alpha, const float *a, struct layout *la, const float *b, struct layout *lb,
                   const float *beta, const float *c, struct layout *lc, float *out, struct layout *lout, const uint64_t *algo, void *workspace,
                   size_t bytes, void *stream)
{
    if (h != &created || c != out || lc != lout || algo[0] != 4711 || !stream || (bytes && !workspace)) return INVALID_VALUE;
    if (d->compute != COMPUTE_32F || d->scale != R_32F || la->type != R_32F) return INVALID_VALUE;
    int activation = d->epilogue & ~4, biased = d->epilogue & 4;
    if (activation != (biased ? 0 : 1) && activation != 2 && activation != 32 && activation != 160) return INVALID_VALUE;
    int keeps = activation == 160;
    if (keeps && (!d->aux || d->ldaux < (int64_t)lc->rows || lc->batch > 1)) return INVALID_VALUE;
    uint64_t m = d->ta ? la->columns : la->rows, k = d->ta ? la->rows : la->columns, n = d->tb ? lb->rows : lb->columns;
    if (lc->rows != m || lc->columns != n || (d->tb ? lb->columns : lb->rows) != k) return INVALID_VALUE;
    for (int i = 0; i < lc->batch; i++)
        product(d->ta, d->tb, m, n, k, *alpha, a + i * la->stride, la->ld, b + i * lb->stride, lb->ld, *beta, out + i * lc->stride, lc->ld,
                biased ? d->bias : 0, activation, keeps ? d->aux : 0, d->ldaux);
    return OK;
}
