/* SPDX-License-Identifier: MIT */
/* Matrix products. An output is a sum of chains of fused multiply-adds over 32 terms, added in order from +0. */
#ifndef LOCKSTEP_PRODUCT_H
#define LOCKSTEP_PRODUCT_H
#include "geometry.h"

enum { PRODUCT_CHAIN = 32 };

/* Rows of x, blocks of 16 columns of w and where the outputs go. Distances are in floats. */
typedef struct {
  int64_t length, xm, xk, wBlock, ym, columns; /* columns of y that are left, from the first block */
  const float *bias;
} Product;

typedef void ProductTile(const Product *p, const float *x, const float *w, float *y);

INLINE void product_chain(const int M, const int B, v16 acc[6][4], const Product *p, const float *x, const float *w,
                          int64_t from, int64_t to) {
  for (int64_t k = from; k < to; k++) {
    v16 weights[4];
    UNROLL for (int b = 0; b < B; b++) weights[b] = load(w + b * p->wBlock + k * 16);
    UNROLL for (int m = 0; m < M; m++) {
      v16 s = splat(x[m * p->xm + k * p->xk]);
      UNROLL for (int b = 0; b < B; b++) acc[m][b] = fma16(s, weights[b], acc[m][b]);
    }
  }
}

INLINE void product_store(const Product *p, int b, float *y, v16 total) {
  int64_t n = smaller(16, p->columns - 16 * b);
  if (p->bias) total = total + load_n(p->bias + 16 * b, n);
  if (n == 16) store(y + 16 * b, total);
  else store_n(y + 16 * b, total, n);
}

INLINE void product_tile(const int M, const int B, const Product *p, const float *x, const float *w, float *y) {
  v16 total[6][4];
  UNROLL for (int m = 0; m < M; m++) UNROLL for (int b = 0; b < B; b++) total[m][b] = splat(0);
  for (int64_t from = 0; from < p->length; from += PRODUCT_CHAIN) {
    v16 acc[6][4];
    UNROLL for (int m = 0; m < M; m++) UNROLL for (int b = 0; b < B; b++) acc[m][b] = splat(0);
    product_chain(M, B, acc, p, x, w, from, smaller(from + PRODUCT_CHAIN, p->length));
    UNROLL for (int m = 0; m < M; m++) UNROLL for (int b = 0; b < B; b++) total[m][b] = total[m][b] + acc[m][b];
  }
  UNROLL for (int m = 0; m < M; m++) UNROLL for (int b = 0; b < B; b++) product_store(p, b, y + m * p->ym, total[m][b]);
}

#define PRODUCT_TILE(M, B) \
  NOINLINE void product_##M##_##B(const Product *p, const float *x, const float *w, float *y) { \
    product_tile(M, B, p, x, w, y); \
  }
#define PRODUCT_ROWS_2(F, B) F(1, B) F(2, B)
#define PRODUCT_ROWS_4(F, B) PRODUCT_ROWS_2(F, B) F(3, B) F(4, B)
#define PRODUCT_ROWS_6(F, B) PRODUCT_ROWS_4(F, B) F(5, B) F(6, B)
#define PRODUCT_NAME(M, B) product_##M##_##B,
/* Most rows of a tile, and its most blocks: 4, 2 or 1. */
#if defined(__AVX512F__)
enum { PRODUCT_M = 4, PRODUCT_B = 4 };
#define PRODUCT_ROWS PRODUCT_ROWS_4
#elif defined(__AVX2__) || defined(__aarch64__)
enum { PRODUCT_M = 4, PRODUCT_B = 1 };
#define PRODUCT_ROWS PRODUCT_ROWS_4
#else
enum { PRODUCT_M = 2, PRODUCT_B = 1 };
#define PRODUCT_ROWS PRODUCT_ROWS_2
#endif
PRODUCT_ROWS(PRODUCT_TILE, 1)
static ProductTile *const product_tiles_1[] = {PRODUCT_ROWS(PRODUCT_NAME, 1)};
#if defined(__AVX512F__)
PRODUCT_ROWS(PRODUCT_TILE, 2)
PRODUCT_ROWS(PRODUCT_TILE, 4)
static ProductTile *const product_tiles_2[] = {PRODUCT_ROWS(PRODUCT_NAME, 2)};
static ProductTile *const product_tiles_4[] = {PRODUCT_ROWS(PRODUCT_NAME, 4)};
#else
#define product_tiles_2 product_tiles_1
#define product_tiles_4 product_tiles_1
#endif

INLINE void product_blocks(ProductTile *const *tiles, const Product *p, int64_t rows, const float *x, const float *w,
                           float *y) {
  for (int64_t n, m = 0, left = (rows + PRODUCT_M - 1) / PRODUCT_M; left > 0; left--, m += n) {
    n = (rows - m + left - 1) / left;
    tiles[n - 1](p, x + m * p->xm, w, y + m * p->ym);
  }
}

/* args, see OP_PRODUCT */
enum {
  PR_BATCH = 1,
  PR_M,
  PR_K,
  PR_N,
  PR_X,
  PR_XBATCH,
  PR_XM,
  PR_XK,
  PR_W,
  PR_WBATCH,
  PR_BIAS,
  PR_Y,
  PR_YBATCH,
  PR_YM,
  PR_ROWS,
  PR_BLOCKS
};

static void product_item(const int64_t *a, const Context *c, int64_t batch, int64_t m, int64_t block) {
  int64_t rows = smaller(a[PR_ROWS], a[PR_M] - m), end = smaller(block + a[PR_BLOCKS], blocks_of(a[PR_N]));
  Product p = {.length = a[PR_K], .xm = a[PR_XM], .xk = a[PR_XK], .wBlock = blocks_of(a[PR_K]) * 256, .ym = a[PR_YM]};
  const float *x = (const float *)at(c, a[PR_X]) + batch * a[PR_XBATCH] + m * p.xm,
              *w = (const float *)at(c, a[PR_W]) + batch * a[PR_WBATCH];
  float *y = (float *)at(c, a[PR_Y]) + batch * a[PR_YBATCH] + m * p.ym;
  for (int64_t b = block, n; b < end; b += n) {
    n = PRODUCT_B == 1 ? 1 : end - b >= 4 ? 4 : end - b >= 2 ? 2 : 1;
    p.columns = a[PR_N] - 16 * b;
    p.bias = a[PR_BIAS] < 0 ? 0 : (const float *)at(c, a[PR_BIAS]) + 16 * b;
    product_blocks(n == 4   ? product_tiles_4
                   : n == 2 ? product_tiles_2
                            : product_tiles_1,
                   &p, rows, x, w + b * p.wBlock, y + 16 * b);
  }
}

static void op_product(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  int64_t across = ceil_div(blocks_of(a[PR_N]), a[PR_BLOCKS]), down = ceil_div(a[PR_M], a[PR_ROWS]);
  for (int64_t i = from; i < to; i++)
    product_item(a, c, i / across / down, i / across % down * a[PR_ROWS], i % across * a[PR_BLOCKS]);
}
#endif
