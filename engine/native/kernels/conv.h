/* SPDX-License-Identifier: MIT */
/* Convolutions, forward and input gradient. An output is one chain of fused multiply-adds from +0: over blocks of 16
 * input channels, rows of the filter, its columns, channels of the block. Tiles differ by instruction set, chains
 * don't. */
#ifndef LOCKSTEP_CONV_H
#define LOCKSTEP_CONV_H
#include "geometry.h"

typedef void ConvTile(const Tile *t, const float *x, const float *w, const float *bias, float *y);

/* `length` products for pixels from <= p < to of B blocks. S: floats between the pixels' inputs; 0: xPixel. */
INLINE void conv_part(const int S, const int B, const int from, const int to, v16 acc[4][16], const float *x,
                      int64_t xPixel, const float *w, int64_t wOut, int64_t length) {
  for (const float *end = x + length; x < end; x++, w += 16) {
    v16 weights[4];
    UNROLL for (int b = 0; b < B; b++) weights[b] = load(w + b * wOut);
    UNROLL for (int p = from; p < to; p++) {
      v16 s = splat(x[p * (S ? S : xPixel)]);
      UNROLL for (int b = 0; b < B; b++) acc[b][p] = fma16(s, weights[b], acc[b][p]);
    }
  }
}

/* One row of the filter. Runs are in the order of their columns: mostly those that miss pixels at the left first. */
#define CONV_EDGE(e, from, to) \
  if ((from) < (to)) \
    for (; run < end && run->edge == e; run++) \
      conv_part(S, B, from, to, acc, x + run->x, t->xPixel, w + run->w, t->wOut, run->length);
INLINE void conv_row(const int S, const int B, const int P, v16 acc[4][16], const Tile *t, const Run *run,
                     const Run *end, const float *x, const float *w) {
  while (run < end) {
    CONV_EDGE(3, 3, P)
    CONV_EDGE(2, 2, P)
    CONV_EDGE(1, 1, P)
    CONV_EDGE(0, 0, P)
    CONV_EDGE(EDGES + 1, 0, P - 1)
    CONV_EDGE(EDGES + 2, 0, P - 2)
    CONV_EDGE(EDGES + 3, 0, P - 3)
  }
}

/* P pixels of B blocks of output channels; x: the first pixel's input in row 0, bias: B blocks, or none. */
INLINE void conv_tile(const int S, const int B, const int P, const Tile *t, const float *x, const float *w,
                      const float *bias, float *y) {
  v16 acc[4][16];
  UNROLL for (int b = 0; b < B; b++) UNROLL for (int p = 0; p < P; p++) acc[b][p] = splat(0);
  for (int64_t block = 0; block < t->blocks; block++) {
    const Run *runs = block + 1 < t->blocks ? t->runs : t->last;
    int64_t runCount = block + 1 < t->blocks ? t->runCount : t->lastCount;
    for (const FilterRow *row = t->rows; row < t->rows + t->rowCount; row++) {
      const float *xr = x + block * t->xBlock + row->x, *wr = w + block * t->wBlock + row->w;
      conv_row(S, B, P, acc, t, runs, runs + runCount, xr, wr);
    }
  }
  UNROLL for (int b = 0; b < B; b++) UNROLL for (int p = 0; p < P; p++) {
    if (bias) acc[b][p] = acc[b][p] + load(bias + 16 * b);
    store(y + b * t->yOut + p * t->yPixel, acc[b][p]);
  }
}

#define CONV_TILE(S, B, P) \
  NOINLINE void conv_##S##_##B##_##P(const Tile *t, const float *x, const float *w, const float *bias, float *y) { \
    conv_tile(S, B, P, t, x, w, bias, y); \
  }
#define CONV_NAME(S, B, P) [P - 1] = conv_##S##_##B##_##P,
#define UP_TO_2(F, S, B) F(S, B, 1) F(S, B, 2)
#define UP_TO_4(F, S, B) UP_TO_2(F, S, B) F(S, B, 3) F(S, B, 4)
#define UP_TO_6(F, S, B) UP_TO_4(F, S, B) F(S, B, 5) F(S, B, 6)
#define UP_TO_8(F, S, B) UP_TO_6(F, S, B) F(S, B, 7) F(S, B, 8)
#define UP_TO_12(F, S, B) UP_TO_8(F, S, B) F(S, B, 10) F(S, B, 12)
#define UP_TO_16(F, S, B) UP_TO_12(F, S, B) F(S, B, 14) F(S, B, 16)

/* Most pixels of a tile of one, two and four blocks; 0: no such tile. */
#if defined(__AVX512F__)
enum { CONV_PIXELS_1 = 16, CONV_PIXELS_2 = 12, CONV_PIXELS_4 = 6, CONV_MOST_2 = 12 };
#define CONV_TILES_1 UP_TO_16
#define CONV_TILES_2 UP_TO_12
#define CONV_TILES_4 UP_TO_6
#elif defined(__AVX2__) || defined(__aarch64__)
enum { CONV_PIXELS_1 = 6, CONV_PIXELS_2 = 3, CONV_PIXELS_4 = 0, CONV_MOST_2 = 6 };
#define CONV_TILES_1 UP_TO_6
#define CONV_TILES_2(F, S, B) UP_TO_2(F, S, B) F(S, B, 3)
#define CONV_TILES_4(F, S, B)
#else
enum { CONV_PIXELS_1 = 2, CONV_PIXELS_2 = 0, CONV_PIXELS_4 = 0, CONV_MOST_2 = 2 };
#define CONV_TILES_1 UP_TO_2
#define CONV_TILES_2(F, S, B)
#define CONV_TILES_4(F, S, B)
#endif

#define NO_TILES(F, S, B)
#define CONV_TILES(S, CONV_TILES_4) \
  CONV_TILES_1(CONV_TILE, S, 1) \
  CONV_TILES_2(CONV_TILE, S, 2) CONV_TILES_4(CONV_TILE, S, 4) static ConvTile *const conv_tiles_##S[3][16] = { \
      {CONV_TILES_1(CONV_NAME, S, 1)}, {CONV_TILES_2(CONV_NAME, S, 2)}, {CONV_TILES_4(CONV_NAME, S, 4)}};
CONV_TILES(16, CONV_TILES_4)
CONV_TILES(3, NO_TILES)
CONV_TILES(0, CONV_TILES_4)

/* A convolution of one image, as its tiles need it. */
typedef struct {
  Axis v, h;
  Tile tile;
  int64_t channels, xRow, xChannel, ob, oc;
  const float *x, *w, *bias;
  float *y;
  FilterRow *rows;
  Run *runs, *last;
} Conv;

INLINE Conv conv_of(const int64_t *a, const Context *c) {
  int64_t taps = a[CV_KH] * a[CV_KW], cb = a[CV_NARROW] ? 1 : blocks_of(a[CV_C]), pixel = a[CV_NARROW] ? a[CV_C] : 16;
  Conv v = {.v = vertical(a),
            .h = horizontal(a),
            .channels = a[CV_C] - 16 * (cb - 1),
            .xRow = a[CV_W] * pixel,
            .xChannel = pixel,
            .ob = blocks_of(a[CV_OC]),
            .oc = a[CV_OC]};
  v.tile.blocks = cb;
  v.tile.xBlock = a[CV_H] * v.xRow;
  v.tile.wBlock = taps * 16 * pixel;
  v.tile.wOut = cb * v.tile.wBlock;
  v.tile.yOut = a[CV_OH] * a[CV_OW] * 16;
  v.tile.xPixel = v.h.stride * pixel;
  v.tile.yPixel = v.h.up * 16;
  v.w = (const float *)at(c, a[CONV_FILTERS]);
  v.bias = a[CONV_BIAS] < 0 ? 0 : (const float *)at(c, a[CONV_BIAS]);
  v.rows = (FilterRow *)c->work;
  v.runs = (Run *)(v.rows + v.v.taps);
  v.last = v.runs + v.h.taps;
  v.tile.runs = v.runs;
  for (int64_t k = 0; k < v.v.taps; k++) v.rows[k] = (FilterRow){k * v.v.dilation * v.xRow, k * v.h.taps * pixel * 16};
  return v;
}

/* Output blocks of the next tile: 0, 1 or 2 for 1, 2 or 4. */
INLINE int conv_width(const Tile *t, int64_t left, int64_t pixels) {
  if (left >= 4 && t->xPixel != 3 && pixels <= CONV_PIXELS_4) return 2;
  return left >= 2 && pixels <= CONV_PIXELS_2;
}

/* Runs of `count` pixels from one column; 0 if a run's pixels are none that tiles know. Two pixels always do. */
static int conv_runs(Conv *v, int64_t column, int64_t count) {
  int64_t wTap = v->xChannel * 16;
  v->tile.runCount = list_runs(&v->h, column, count, v->xChannel, v->xChannel, wTap, v->runs);
  v->tile.last = v->channels < v->xChannel ? v->last : v->runs;
  v->tile.lastCount = v->channels < v->xChannel
                          ? list_runs(&v->h, column, count, v->channels, v->xChannel, wTap, v->last)
                          : v->tile.runCount;
  for (int64_t i = 0; i < v->tile.runCount; i++)
    if (v->runs[i].edge == OTHER) return 0;
  return 1;
}

/* Chooses the rows of the filter that output row r meets, and returns where their offsets in x begin. */
static const float *conv_rows(Conv *v, int64_t r) {
  int64_t wRow = v->h.taps * v->xChannel * 16, first = read_at(&v->v, r, 0), from = 0, to = v->v.taps;
  if (v->v.up > 1) {
    v->tile.rows = v->rows;
    v->tile.rowCount = list_rows(&v->v, r, v->xRow, wRow, v->rows);
    return v->x;
  }
  while (from < to && first + from * v->v.dilation < 0) from++;
  while (from < to && first + (to - 1) * v->v.dilation >= v->v.size) to--;
  v->tile.rows = v->rows + from;
  v->tile.rowCount = to - from;
  return v->x + first * v->xRow;
}

/* Tiles of `count` pixels from one column, in every row, of all output channels. */
static void conv_column(Conv *v, int64_t column, int64_t count) {
  ConvTile *const(*tiles)[16] = v->tile.xPixel == 16  ? conv_tiles_16
                                : v->tile.xPixel == 3 ? conv_tiles_3
                                                      : conv_tiles_0;
  if (!conv_runs(v, column, count)) {
    conv_column(v, column, count / 2);
    conv_column(v, column + count / 2 * v->h.up, count - count / 2);
    return;
  }
  for (int64_t o = 0; o < v->ob;) {
    int width = conv_width(&v->tile, v->ob - o, count);
    float bias[64];
    if (v->bias)
      for (int64_t b = o; b < o + (1 << width); b++)
        store(bias + 16 * (b - o), load_n(v->bias + 16 * b, smaller(16, v->oc - 16 * b)));
    for (int64_t r = 0; r < v->v.out; r++) {
      const float *x = conv_rows(v, r);
      tiles[width][count - 1](&v->tile, x, v->w + o * v->tile.wOut, v->bias ? bias : 0,
                              v->y + o * v->tile.yOut + (r * v->h.out + column) * 16);
    }
    o += 1 << width;
  }
}

/* Most pixels of a tile, by output blocks. */
INLINE int64_t conv_most(int64_t blocks) { return blocks >= 2 ? CONV_MOST_2 : CONV_PIXELS_1; }

/* Pixels of the next tile of `left`: tiles of like size; there are none of 9, 11, 13 and 15. */
INLINE int64_t conv_pixels(int64_t left, int64_t most) {
  int64_t tiles = (left + most - 1) / most, n = (left + tiles - 1) / tiles;
  if (n <= 8 || n % 2 == 0) return n;
  return n < left ? n + 1 : (n + 1) / 2;
}

static void conv_image(Conv *v) {
  int64_t most = conv_most(v->ob);
  for (int64_t phase = 0; phase < smaller(v->h.up, v->h.out); phase++) {
    int64_t count = (v->h.out - phase + v->h.up - 1) / v->h.up;
    for (int64_t p = 0, n; p < count; p += n) {
      n = conv_pixels(count - p, most);
      conv_column(v, phase + p * v->h.up, n);
    }
  }
}

static void op_conv(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  Conv v = conv_of(a, c);
  for (int64_t i = from; i < to; i++) {
    v.x = (const float *)at(c, a[CV_X]) + i * a[CV_XITEM];
    v.y = (float *)at(c, a[CONV_Y]) + i * a[CONV_YITEM];
    conv_image(&v);
  }
}
#endif
