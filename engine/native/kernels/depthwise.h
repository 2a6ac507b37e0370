/* SPDX-License-Identifier: MIT */
/* Depthwise convolutions, their input and filter gradients: the chains of conv.h and filter-gradient.h, where a channel
 * meets only itself. Images are blocked. */
#ifndef LOCKSTEP_DEPTHWISE_H
#define LOCKSTEP_DEPTHWISE_H
#include "conv.h"
#include "filter-gradient.h"

/* P pixels of a block; x: the first pixel's input in row 0. */
INLINE void depthwise_tile(const int P, const Tile *t, const float *x, const float *w, const v16 *bias, float *y) {
  v16 acc[8];
  UNROLL for (int p = 0; p < P; p++) acc[p] = splat(0);
  for (const FilterRow *row = t->rows; row < t->rows + t->rowCount; row++)
    for (const Run *run = t->runs; run < t->runs + t->runCount; run++) {
      v16 weights = load(w + row->w + run->w);
      const float *xr = x + row->x + run->x;
      if (run->mask == (1u << P) - 1)
        UNROLL for (int p = 0; p < P; p++) acc[p] = fma16(load(xr + p * t->xPixel), weights, acc[p]);
      else
        UNROLL for (int p = 0; p < P; p++)
        if (run->mask >> p & 1) acc[p] = fma16(load(xr + p * t->xPixel), weights, acc[p]);
    }
  if (bias) UNROLL for (int p = 0; p < P; p++) acc[p] = acc[p] + *bias;
  UNROLL for (int p = 0; p < P; p++) store(y + p * t->yPixel, acc[p]);
}

typedef void DepthwiseTile(const Tile *t, const float *x, const float *w, const v16 *bias, float *y);
#define DEPTHWISE_TILE(P) \
  NOINLINE void depthwise_##P(const Tile *t, const float *x, const float *w, const v16 *bias, float *y) { \
    depthwise_tile(P, t, x, w, bias, y); \
  }
DEPTHWISE_TILE(1)
DEPTHWISE_TILE(2)
#if defined(__wasm__)
    enum {
      DEPTHWISE_PIXELS = 2
    };
static DepthwiseTile *const depthwise_tiles[] = {depthwise_1, depthwise_2};
#elif defined(__AVX512F__)
    enum {
      DEPTHWISE_PIXELS = 8
    };
DEPTHWISE_TILE(3)
DEPTHWISE_TILE(4) DEPTHWISE_TILE(5) DEPTHWISE_TILE(6) DEPTHWISE_TILE(7)
    DEPTHWISE_TILE(8) static DepthwiseTile *const depthwise_tiles[] = {
        depthwise_1, depthwise_2, depthwise_3, depthwise_4, depthwise_5, depthwise_6, depthwise_7, depthwise_8};
#else
    enum {
      DEPTHWISE_PIXELS = 6
    };
DEPTHWISE_TILE(3)
DEPTHWISE_TILE(4) DEPTHWISE_TILE(5) DEPTHWISE_TILE(6) static DepthwiseTile *const depthwise_tiles[] = {
    depthwise_1, depthwise_2, depthwise_3, depthwise_4, depthwise_5, depthwise_6};
#endif

static void depthwise_column(Conv *v, int64_t column, int64_t count) {
  v->tile.runCount = list_runs(&v->h, column, count, 1, 16, 16, v->runs);
  for (int64_t row = 0; row < v->v.out; row++) {
    v->tile.rows = v->rows;
    v->tile.rowCount = list_rows(&v->v, row, v->xRow, v->h.taps * 16, v->rows);
    for (int64_t b = 0; b < v->ob; b++) {
      v16 bias = v->bias ? load_n(v->bias + 16 * b, smaller(16, v->oc - 16 * b)) : splat(0);
      depthwise_tiles[count - 1](&v->tile, v->x + b * v->tile.xBlock, v->w + b * v->v.taps * v->h.taps * 16,
                                 v->bias ? &bias : 0, v->y + b * v->tile.yOut + (row * v->h.out + column) * 16);
    }
  }
}

static void op_depthwise(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  Conv v = conv_of(a, c);
  for (int64_t i = from; i < to; i++) {
    v.x = (const float *)at(c, a[CV_X]) + i * a[CV_XITEM];
    v.y = (float *)at(c, a[CONV_Y]) + i * a[CONV_YITEM];
    for (int64_t phase = 0; phase < smaller(v.h.up, v.h.out); phase++) {
      int64_t count = (v.h.out - phase + v.h.up - 1) / v.h.up;
      for (int64_t tiles = (count + DEPTHWISE_PIXELS - 1) / DEPTHWISE_PIXELS, p = 0, n; tiles > 0; tiles--, p += n) {
        n = (count - p + tiles - 1) / tiles;
        depthwise_column(&v, phase + p * v.h.up, n);
      }
    }
  }
}

/* One tap of one block: its chain over output rows from <= row < to. */
static v16 depthwise_tap(const FilterPart *f, int64_t ky, int64_t kx, int64_t from, int64_t to, const float *x,
                         const float *dy) {
  int64_t y0, y1, x0, x1, width = f->h.size * 16, step = f->h.stride * 16;
  outputs_of_tap(&f->v, ky, &y0, &y1);
  outputs_of_tap(&f->h, kx, &x0, &x1);
  y0 = larger(y0, from), y1 = smaller(y1, to);
  v16 acc = splat(0);
  for (int64_t row = y0; row < y1; row++) {
    const float *xp = x + read_at(&f->v, row, ky) * width + read_at(&f->h, x0, kx) * 16,
                *d = dy + (row * f->h.out + x0) * 16;
    for (int64_t p = x0; p < x1; p++, xp += step, d += 16) acc = fma16(load(xp), load(d), acc);
  }
  return acc;
}

static void op_depthwise_filter(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  FilterPart f = filter_part(a);
  int64_t taps = f.v.taps * f.h.taps;
  for (int64_t i = from; i < to; i++) {
    float *part = (float *)at(c, a[CF_PARTS]) + i / 4 * a[CF_PARTSIZE];
    if (i % 4 == 0) memset(part, 0, (size_t)(f.cb * taps) * 64);
    for (int64_t row = 0; row < f.v.out; row += a[CV_ROWS])
      for (int64_t b = 0; b < f.cb; b++) {
        const float *x = (const float *)at(c, a[CV_X]) + i * a[CV_XITEM] + b * f.xBlock,
                    *dy = (const float *)at(c, a[CF_DY]) + i * a[CF_DYITEM] + b * f.yBlock;
        for (int64_t t = 0; t < taps; t++) {
          float *to_ = part + (b * taps + t) * 16;
          store(to_, load(to_) +
                         depthwise_tap(&f, t / f.h.taps, t % f.h.taps, row, smaller(row + a[CV_ROWS], f.v.out), x, dy));
        }
      }
  }
}
#endif
