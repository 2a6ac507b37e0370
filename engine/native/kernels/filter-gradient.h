/* SPDX-License-Identifier: MIT */
/* Filter gradients. A tap's part of an image: per group of output rows one chain of fused multiply-adds over the pixels
 * that meet the tap, row by row; groups are added in order, images in order, in chunks of four. */
#ifndef LOCKSTEP_FILTER_GRADIENT_H
#define LOCKSTEP_FILTER_GRADIENT_H
#include "geometry.h"

/* Taps whose channels are at x, and the pixels that meet them. Offsets and distances are in floats. */
typedef struct {
  int64_t rows, columns; /* pixels */
  int64_t left, right;   /* columns < left or >= right meet only some taps */
  int64_t xRow, xPixel, yRow, yOut, partOut;
  int64_t start, step, end; /* column p meets the products r for which 0 <= start + p * step + r < end */
  int fresh;                /* the part is set, not added to */
} Taps;

typedef void TapTile(const Taps *t, const float *x, const float *dy, float *part);

/* Products from <= r < to of one column. */
INLINE void taps_pixel(const int B, const int from, const int to, v16 acc[2][24], const float *x, const float *dy,
                       int64_t yOut) {
  v16 d[2];
  UNROLL for (int b = 0; b < B; b++) d[b] = load(dy + b * yOut);
  UNROLL for (int r = from; r < to; r++) {
    v16 s = splat(x[r]);
    UNROLL for (int b = 0; b < B; b++) acc[b][r] = fma16(s, d[b], acc[b][r]);
  }
}

/* Columns from <= p < to at the image's edge: only products whose input is inside. */
INLINE void taps_edge(const int R, v16 acc[2][24], const Taps *t, int64_t from, int64_t to, const float *x,
                      const float *dy) {
  for (int64_t p = from; p < to; p++) {
    int64_t at = t->start + p * t->step, lo = at < 0 ? smaller(-at, R) : 0, hi = larger(lo, smaller(R, t->end - at));
    uint32_t mask = all_pixels(hi) & ~all_pixels(lo);
    v16 d = load(dy + p * 16);
    UNROLL for (int r = 0; r < R; r++)
      if (mask >> r & 1) acc[0][r] = fma16(splat(x[p * t->xPixel + r]), d, acc[0][r]);
  }
}

/* One row. C: 0 where every column meets every product; 1 where some do not; 3 where those at the left miss 3, 6, 9 ...
 * of the first products, those at the right of the last. */
INLINE void taps_row(const int C, const int B, const int R, v16 acc[2][24], const Taps *t, const float *x,
                     const float *dy) {
  int64_t left = t->left, right = t->right, columns = t->columns, step = t->xPixel, out = t->yOut;
  const float *xp = x + left * step, *d = dy + left * 16;
  if (C == 1) taps_edge(R, acc, t, 0, left, x, dy);
  if (C > 1) {
    taps_edge(R, acc, t, 0, left - 3, x, dy);
    if (left > 2) taps_pixel(B, 3 * C, R, acc, xp - 3 * step, d - 48, out);
    if (left > 1) taps_pixel(B, 2 * C, R, acc, xp - 2 * step, d - 32, out);
    if (left > 0) taps_pixel(B, C, R, acc, xp - step, d - 16, out);
  }
  for (int64_t p = left; p < right; p++, xp += step, d += 16) taps_pixel(B, 0, R, acc, xp, d, out);
  if (C == 1) taps_edge(R, acc, t, right, columns, x, dy);
  if (C > 1) {
    if (right < columns) taps_pixel(B, 0, R - C, acc, xp, d, out);
    if (right + 1 < columns) taps_pixel(B, 0, R - 2 * C, acc, xp + step, d + 16, out);
    if (right + 2 < columns) taps_pixel(B, 0, R - 3 * C, acc, xp + 2 * step, d + 32, out);
    taps_edge(R, acc, t, right + 3, columns, x, dy);
  }
}

INLINE void taps_tile(const int C, const int B, const int R, const Taps *t, const float *x, const float *dy,
                      float *part) {
  v16 acc[2][24];
  UNROLL for (int b = 0; b < B; b++) UNROLL for (int r = 0; r < R; r++) acc[b][r] = splat(0);
  for (int64_t row = 0; row < t->rows; row++, x += t->xRow, dy += t->yRow) taps_row(C, B, R, acc, t, x, dy);
  UNROLL for (int b = 0; b < B; b++) UNROLL for (int r = 0; r < R; r++) {
    float *to = part + b * t->partOut + r * 16;
    store(to, (t->fresh ? splat(0) : load(to)) + acc[b][r]);
  }
}

#define TAP_TILE(C, B, R) \
  NOINLINE void taps_##C##_##B##_##R(const Taps *t, const float *x, const float *dy, float *part) { \
    taps_tile(C, B, R, t, x, dy, part); \
  }
#define TAP_NAME(C, B, R) taps_##C##_##B##_##R,
#define TAPS_TO_2(F, C, B) F(C, B, 1) F(C, B, 2)
#define TAPS_TO_6(F, C, B) TAPS_TO_2(F, C, B) F(C, B, 3) F(C, B, 4) F(C, B, 5) F(C, B, 6)
#define TAPS_TO_8(F, C, B) TAPS_TO_6(F, C, B) F(C, B, 7) F(C, B, 8)
#define TAPS_TO_16(F, C, B) \
  TAPS_TO_8(F, C, B) F(C, B, 9) F(C, B, 10) F(C, B, 11) F(C, B, 12) F(C, B, 13) F(C, B, 14) F(C, B, 15) F(C, B, 16)

/* Most products of a tile: of one block of outputs, of two, at a narrow image's edge; taps of three channels. */
#if defined(__AVX512F__)
enum { TAPS_1 = 16, TAPS_2 = 8, TAPS_EDGE = 8, TAPS_3 = 7 };
#define TAPS_TILES_1 TAPS_TO_16
#define TAPS_TILES_2 TAPS_TO_8
#define TAPS_TILES_EDGE TAPS_TO_8
#define TAPS_TILES_3(F, C, B) F(C, B, 3) F(C, B, 6) F(C, B, 9) F(C, B, 12) F(C, B, 15) F(C, B, 18) F(C, B, 21)
#elif defined(__AVX2__) || defined(__aarch64__)
enum { TAPS_1 = 6, TAPS_2 = 0, TAPS_EDGE = 6, TAPS_3 = 2 };
#define TAPS_TILES_1 TAPS_TO_6
#define TAPS_TILES_2(F, C, B)
#define TAPS_TILES_EDGE TAPS_TO_6
#define TAPS_TILES_3(F, C, B) F(C, B, 3) F(C, B, 6)
#else
enum { TAPS_1 = 2, TAPS_2 = 0, TAPS_EDGE = 2, TAPS_3 = 1 };
#define TAPS_TILES_1 TAPS_TO_2
#define TAPS_TILES_2(F, C, B)
#define TAPS_TILES_EDGE TAPS_TO_2
#define TAPS_TILES_3(F, C, B) F(C, B, 3)
#endif
TAPS_TILES_1(TAP_TILE, 0, 1)
TAPS_TILES_2(TAP_TILE, 0, 2)
TAPS_TILES_EDGE(TAP_TILE, 1, 1)
TAPS_TILES_3(TAP_TILE, 3, 1)
static TapTile *const taps_blocks[2][16] = {{TAPS_TILES_1(TAP_NAME, 0, 1)}, {TAPS_TILES_2(TAP_NAME, 0, 2)}};
static TapTile *const taps_narrow[] = {TAPS_TILES_EDGE(TAP_NAME, 1, 1)};
static TapTile *const taps_three[] = {TAPS_TILES_3(TAP_NAME, 3, 1)};

/* A filter gradient's part of one image. */
typedef struct {
  Axis v, h;
  int64_t channels, pixel, cb, ob, xBlock, yBlock, partOut;
  const float *x, *dy;
  float *part;
  int fresh;
} FilterPart;

INLINE FilterPart filter_part(const int64_t *a) {
  FilterPart f = {.v = vertical(a),
                  .h = horizontal(a),
                  .channels = a[CV_C],
                  .cb = a[CV_NARROW] ? 1 : blocks_of(a[CV_C]),
                  .pixel = a[CV_NARROW] ? a[CV_C] : 16,
                  .ob = blocks_of(a[CV_OC])};
  f.xBlock = a[CV_H] * a[CV_W] * f.pixel;
  f.yBlock = a[CV_OH] * a[CV_OW] * 16;
  f.partOut = f.cb * f.v.taps * f.h.taps * f.pixel * 16;
  return f;
}

/* The channels of a tap, in tiles. */
static void taps_in_tiles(TapTile *const *tiles, int64_t most, int64_t count, const Taps *t, const float *x,
                          const float *dy, float *part) {
  for (int64_t n, r = 0, left = (count + most - 1) / most; left > 0; left--, r += n) {
    n = (count - r + left - 1) / left;
    tiles[n - 1](t, x + r, dy, part + r * 16);
  }
}

/* Zeroes rows from <= r < to of a block of a part. */
INLINE void clear(float *part, int64_t from, int64_t to) { memset(part + from * 16, 0, (size_t)(to - from) * 64); }

/* Every channel of a tap, output rows from <= row < to of one block of output channels or a pair. */
static void filter_tap(const FilterPart *f, int64_t o, int64_t pair, int64_t block, int64_t ky, int64_t kx,
                       int64_t from, int64_t to) {
  int64_t y0, y1, x0, x1, width = f->h.size * f->pixel, count = smaller(16, f->channels - 16 * block);
  outputs_of_tap(&f->v, ky, &y0, &y1);
  outputs_of_tap(&f->h, kx, &x0, &x1);
  y0 = larger(y0, from), y1 = smaller(y1, to);
  float *part = f->part + o * f->partOut + ((block * f->v.taps + ky) * f->h.taps + kx) * f->pixel * 16;
  int fresh = f->fresh && from == 0, none = y0 >= y1 || x0 >= x1;
  if (fresh)
    for (int64_t b = 0; b <= pair; b++) clear(part + b * f->partOut, none ? 0 : count, f->pixel);
  if (none) return;
  Taps t = {.rows = y1 - y0,
            .columns = x1 - x0,
            .left = 0,
            .right = x1 - x0,
            .xRow = f->v.stride * width,
            .xPixel = f->h.stride * f->pixel,
            .yRow = f->h.out * 16,
            .yOut = f->yBlock,
            .partOut = f->partOut,
            .fresh = fresh};
  if (t.xRow == t.columns * t.xPixel && t.yRow == t.columns * 16) t.right = t.columns *= t.rows, t.rows = 1;
  const float *x = f->x + block * f->xBlock + read_at(&f->v, y0, ky) * width + read_at(&f->h, x0, kx) * f->pixel;
  taps_in_tiles(taps_blocks[pair], pair ? TAPS_2 : TAPS_1, count, &t, x,
                f->dy + o * f->yBlock + (y0 * f->h.out + x0) * 16, part);
}

/* Products from <= r < to of a row of a narrow input's filter. */
static void filter_products(const FilterPart *f, Taps *t, int64_t from, int64_t to, int three, const float *x,
                            const float *dy, float *part) {
  t->start = from - f->h.pad * f->pixel;
  int64_t left = larger(0, ceil_div(-t->start, t->step)),
          right = ceil_div(t->end - (to - from) + 1 - t->start, t->step);
  int regular = three && left <= right && left <= t->columns;
  t->left = smaller(t->columns, left);
  t->right = larger(t->left, smaller(t->columns, right));
  if (regular) taps_three[(to - from) / 3 - 1](t, x + t->start, dy, part + from * 16);
  else
    for (int64_t r = from; three && r < to; r += TAPS_EDGE)
      filter_products(f, t, r, smaller(r + TAPS_EDGE, to), 0, x, dy, part);
  if (!three) taps_narrow[to - from - 1](t, x + t->start, dy, part + from * 16);
}

/* A row of a narrow input's filter, whose products follow each other in x and in the part. */
static void filter_row(const FilterPart *f, int64_t o, int64_t ky, int64_t from, int64_t to) {
  int64_t y0, y1, width = f->h.size * f->pixel, count = f->h.taps * f->pixel, three = f->pixel == 3 && f->h.stride == 1,
                  unit = three ? 3 : 1, most = three ? TAPS_3 : TAPS_EDGE;
  outputs_of_tap(&f->v, ky, &y0, &y1);
  y0 = larger(y0, from), y1 = smaller(y1, to);
  float *part = f->part + o * f->partOut + ky * count * 16;
  int fresh = f->fresh && from == 0;
  if (y0 >= y1) {
    if (fresh) clear(part, 0, count);
    return;
  }
  Taps t = {.rows = y1 - y0,
            .columns = f->h.out,
            .xRow = f->v.stride * width,
            .xPixel = f->h.stride * f->pixel,
            .yRow = f->h.out * 16,
            .step = f->h.stride * f->pixel,
            .end = width,
            .fresh = fresh};
  const float *x = f->x + read_at(&f->v, y0, ky) * width, *dy = f->dy + o * f->yBlock + y0 * t.yRow;
  for (int64_t n, r = 0, taps = count / unit, left = (taps + most - 1) / most; left > 0; left--, r += n) {
    n = (taps - r + left - 1) / left;
    filter_products(f, &t, r * unit, (r + n) * unit, (int)three, x, dy, part);
  }
}

/* Rows from <= row < to: one link of every tap's chain of groups. */
static void filter_group(const FilterPart *f, int narrow, int64_t from, int64_t to) {
  for (int64_t o = 0, pair; o < f->ob; o += 1 + pair) {
    pair = TAPS_2 > 0 && !narrow && f->ob - o >= 2;
    for (int64_t block = 0; block < f->cb; block++)
      for (int64_t ky = 0; ky < f->v.taps; ky++) {
        if (narrow) filter_row(f, o, ky, from, to);
        else
          for (int64_t kx = 0; kx < f->h.taps; kx++) filter_tap(f, o, pair, block, ky, kx, from, to);
      }
  }
}

static void op_conv_filter(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  FilterPart f = filter_part(a);
  for (int64_t i = from; i < to; i++) {
    f.x = (const float *)at(c, a[CV_X]) + i * a[CV_XITEM];
    f.dy = (const float *)at(c, a[CF_DY]) + i * a[CF_DYITEM];
    f.part = (float *)at(c, a[CF_PARTS]) + i / 4 * a[CF_PARTSIZE];
    f.fresh = i % 4 == 0;
    for (int64_t row = 0; row < f.v.out; row += a[CV_ROWS])
      filter_group(&f, a[CV_NARROW] && f.h.dilation == 1, row, smaller(row + a[CV_ROWS], f.v.out));
  }
}
#endif
