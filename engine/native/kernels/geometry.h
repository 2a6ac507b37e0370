/* SPDX-License-Identifier: MIT */
/* Geometry of convolutions: which taps of a filter a tile of output pixels meets, and where they are. A tap outside
 * the image is left out, never multiplied by zero. */
#ifndef LOCKSTEP_GEOMETRY_H
#define LOCKSTEP_GEOMETRY_H
#include "plan.h"
#include "vec.h"

enum { MAX_PIXELS = 32 }; /* of a tile */

/* Taps that follow each other both in a row of the input and in the filter, and the pixels of a tile that meet them. */
typedef struct {
  int64_t x, w, length; /* offsets in floats from the tile's first pixel and the row's first tap; number of products */
  uint32_t mask,
      edge; /* edge: 0 every pixel, n < EDGES all but the first n, EDGES + n all but the last n, else OTHER */
} Run;
enum { EDGES = 4, OTHER = 2 * EDGES };

/* A row of the filter: offsets of the input's row and of its taps. */
typedef struct {
  int64_t x, w;
} FilterRow;

/* What a tile of outputs reads and writes. Offsets are in floats. */
typedef struct {
  const FilterRow *rows;
  const Run *runs, *last; /* `last`: those of the last block of input channels, which may be partial */
  int64_t rowCount, runCount, lastCount;
  int64_t blocks, xBlock, wBlock; /* blocks of input channels; from one to the next */
  int64_t xPixel, yPixel;         /* from pixel to pixel of the tile */
  int64_t wOut, yOut;             /* from one block of output channels to the next */
} Tile;

/* One direction of a convolution. */
typedef struct {
  int64_t size, up, taps, pad, stride, dilation, out;
} Axis;

INLINE Axis vertical(const int64_t *a) {
  return (Axis){a[CV_H], a[CV_UPH], a[CV_KH], a[CV_PADTOP], a[CV_STRIDEH], a[CV_DILH], a[CV_OH]};
}
INLINE Axis horizontal(const int64_t *a) {
  return (Axis){a[CV_W], a[CV_UPW], a[CV_KW], a[CV_PADLEFT], a[CV_STRIDEW], a[CV_DILW], a[CV_OW]};
}

INLINE int64_t blocks_of(int64_t channels) { return (channels + 15) / 16; }
INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
INLINE int64_t ceil_div(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }
INLINE uint32_t all_pixels(int64_t count) { return (uint32_t)((1ULL << count) - 1); }

/* Coordinate that output `o` reads at tap `k`, before division by `up`. */
INLINE int64_t read_at(const Axis *a, int64_t o, int64_t k) { return o * a->stride - a->pad + k * a->dilation; }
/* The input's index there, if `up` divides it: *i. Divisions are slow, and `up` is mostly 1. */
INLINE int index_at(const Axis *a, int64_t o, int64_t k, int64_t *i) {
  int64_t t = read_at(a, o, k);
  *i = a->up == 1 ? t : t / a->up;
  return a->up == 1 || *i * a->up == t;
}

INLINE int inside(const Axis *a, int64_t i) { return (uint64_t)i < (uint64_t)a->size; }

/* Outputs from <= o < to that tap k finds inside the input; for up = 1. */
INLINE void outputs_of_tap(const Axis *a, int64_t k, int64_t *from, int64_t *to) {
  int64_t shift = a->pad - k * a->dilation;
  *from = larger(0, ceil_div(shift, a->stride));
  *to = smaller(a->out, ceil_div(a->size + shift, a->stride));
}

INLINE uint32_t edge_of(uint32_t mask, int64_t count) {
  if (mask == all_pixels(count)) return 0;
  for (uint32_t n = 1; n < EDGES && n < count; n++) {
    if (mask == (all_pixels(count) & ~all_pixels(n))) return n;
    if (mask == all_pixels(count - n)) return EDGES + n;
  }
  return OTHER;
}

INLINE int follows(const Run *run, const Run *before) {
  return run->mask == before->mask && run->x == before->x + before->length && run->w == before->w + before->length * 16;
}

/* Runs of a row of the filter for `count` pixels from output `column`; a tap has `length` products, an input pixel
 * xPixel floats, a tap of the filter wTap floats. */
static int64_t list_runs(const Axis *a, int64_t column, int64_t count, int64_t length, int64_t xPixel, int64_t wTap,
                         Run *runs) {
  int64_t n = 0, first;
  for (int64_t k = 0; k < a->taps; k++) {
    if (!index_at(a, column, k, &first)) continue;
    uint32_t mask = 0;
    for (int64_t p = 0, i = first; p < count; p++, i += a->stride) mask |= (uint32_t)inside(a, i) << p;
    if (mask == 0) continue;
    Run run = {first * xPixel, k * wTap, length, mask, edge_of(mask, count)};
    if (n > 0 && follows(&run, &runs[n - 1])) runs[n - 1].length += length;
    else runs[n++] = run;
  }
  return n;
}

/* Rows of the filter that output row `row` meets. */
INLINE int64_t list_rows(const Axis *a, int64_t row, int64_t xRow, int64_t wRow, FilterRow *rows) {
  int64_t n = 0, i;
  for (int64_t k = 0; k < a->taps; k++)
    if (index_at(a, row, k, &i) && inside(a, i)) rows[n++] = (FilterRow){i * xRow, k * wRow};
  return n;
}
#endif
