/* SPDX-License-Identifier: MIT */
/* Max and average pooling and their gradients, on blocks of 16 channels. Pixels outside the image are left out. Windows
 * are visited in row-major order, so a pixel's gradient is the sum over its windows in that order. */
#ifndef LOCKSTEP_POOL_H
#define LOCKSTEP_POOL_H
#include "plan.h"
#include "vec.h"

typedef struct {
  int64_t blocks, height, width, windowHeight, windowWidth, padTop, padLeft, strideHeight, strideWidth, outHeight, outWidth;
} Pool;
/* The part of a window that is inside the image: rows top to bottom - 1, columns left to right - 1. */
typedef struct {
  int64_t top, bottom, left, right;
} Window;

INLINE Pool pool_of(const int64_t *a) {
  return (Pool){a[PL_BLOCKS],  a[PL_H],       a[PL_W],       a[PL_KH], a[PL_KW], a[PL_PADTOP],
                a[PL_PADLEFT], a[PL_STRIDEH], a[PL_STRIDEW], a[PL_OH], a[PL_OW]};
}
INLINE Window window_of(const Pool *p, int64_t row, int64_t column) {
  int64_t top = row * p->strideHeight - p->padTop, left = column * p->strideWidth - p->padLeft;
  int64_t bottom = top + p->windowHeight, right = left + p->windowWidth;
  return (Window){top < 0 ? 0 : top, bottom > p->height ? p->height : bottom, left < 0 ? 0 : left,
                  right > p->width ? p->width : right};
}
/* Windows of 2 x 2 that do not overlap and are inside the image. */
INLINE int is_halving(const Pool *p) {
  return p->windowHeight == 2 && p->windowWidth == 2 && p->strideHeight == 2 && p->strideWidth == 2 && p->padTop == 0 &&
         p->padLeft == 0 && 2 * p->outHeight <= p->height && 2 * p->outWidth <= p->width;
}
INLINE float pixels_in(Window w) { return (float)((w.bottom - w.top) * (w.right - w.left)); }

/* z replaces the largest so far if it is larger_of or a NaN. */
INLINE v16 larger_of(v16 best, v16 z) { return choose((z > best) | (z != z), z, best); }

INLINE v16 pool_window(const float *x, int64_t width, Window w, int average) {
  v16 y = splat(average ? 0 : -__builtin_inff());
  for (int64_t row = w.top; row < w.bottom; row++)
    for (int64_t column = w.left; column < w.right; column++) {
      v16 z = load(x + (row * width + column) * 16);
      y = average ? y + z : larger_of(y, z);
    }
  return average ? y / pixels_in(w) : y;
}
INLINE void pool_block(const Pool *p, const float *x, float *y, int average) {
  for (int64_t row = 0; row < p->outHeight; row++)
    for (int64_t column = 0; column < p->outWidth; column++, y += 16)
      store(y, pool_window(x, p->width, window_of(p, row, column), average));
}
INLINE void halve_block(const Pool *p, const float *x, float *y, int average) {
  for (int64_t row = 0; row < p->outHeight; row++)
    for (int64_t column = 0; column < p->outWidth; column++, y += 16) {
      const float *q = x + (2 * row * p->width + 2 * column) * 16, *below = q + p->width * 16;
      v16 a = load(q), b = load(q + 16), c = load(below), d = load(below + 16);
      store(y, average ? (((splat(0) + a) + b) + c + d) / 4.0f : larger_of(larger_of(larger_of(larger_of(splat(-__builtin_inff()), a), b), c), d));
    }
}
INLINE void pool_items(const int64_t *a, const Context *c, int64_t from, int64_t to, int average) {
  Pool p = pool_of(a);
  for (int64_t item = from; item < to; item++)
    for (int64_t block = 0; block < p.blocks; block++) {
      const float *x = (const float *)at(c, a[PL_X]) + item * a[PL_XITEM] + block * p.height * p.width * 16;
      float *y = (float *)at(c, a[PL_REST]) + item * a[PL_REST + 1] + block * p.outHeight * p.outWidth * 16;
      if (is_halving(&p)) halve_block(&p, x, y, average);
      else pool_block(&p, x, y, average);
    }
}
static void op_max_pool(const int64_t *a, const Context *c, int64_t from, int64_t to) { pool_items(a, c, from, to, 0); }
static void op_avg_pool(const int64_t *a, const Context *c, int64_t from, int64_t to) { pool_items(a, c, from, to, 1); }

/* Lanes where x is the window's maximum y and no pixel before it was; both may be NaN. */
INLINE i16 is_first(v16 x, v16 y, i16 *taken) {
  i16 equal = ((x == y) | ((x != x) & (y != y))) & ~*taken;
  *taken |= equal;
  return equal;
}
INLINE void spread_maximum(const Pool *p, Window w, v16 g, const float *x, v16 y, float *dx) {
  i16 taken = {0};
  for (int64_t row = w.top; row < w.bottom; row++)
    for (int64_t column = w.left; column < w.right; column++) {
      int64_t pixel = (row * p->width + column) * 16;
      i16 first = is_first(load(x + pixel), y, &taken);
      store(dx + pixel, load(dx + pixel) + keep(first, g));
    }
}
INLINE void spread_average(const Pool *p, Window w, v16 g, float *dx) {
  v16 share = g / pixels_in(w);
  for (int64_t row = w.top; row < w.bottom; row++)
    for (int64_t column = w.left; column < w.right; column++) {
      int64_t pixel = (row * p->width + column) * 16;
      store(dx + pixel, load(dx + pixel) + share);
    }
}
/* x and y are those of max pooling; null for average pooling. */
INLINE void pool_grad_block(const Pool *p, const float *dy, const float *x, const float *y, float *dx) {
  memset(dx, 0, (size_t)(p->height * p->width) * 64);
  for (int64_t row = 0; row < p->outHeight; row++)
    for (int64_t column = 0; column < p->outWidth; column++, dy += 16) {
      Window w = window_of(p, row, column);
      if (!x) spread_average(p, w, load(dy), dx);
      else spread_maximum(p, w, load(dy), x, load(y + (row * p->outWidth + column) * 16), dx);
    }
}

/* Windows do not overlap: a pixel has one term, added to +0. Pixels in no window are at the right and at the bottom. */
INLINE void unhalve_block(const Pool *p, const float *dy, const float *x, const float *y, float *dx) {
  int64_t line = p->width * 16, used = p->outWidth * 32;
  for (int64_t row = 0; row < p->outHeight; row++) {
    for (int64_t column = 0; column < p->outWidth; column++, dy += 16) {
      int64_t corner = 2 * row * line + column * 32;
      int64_t place[4] = {corner, corner + 16, corner + line, corner + line + 16};
      v16 g = (x ? load(dy) : load(dy) / 4.0f) + 0.0f, largest = x ? load(y + (row * p->outWidth + column) * 16) : g;
      i16 taken = {0};
      UNROLL for (int i = 0; i < 4; i++) store(dx + place[i], x ? keep(is_first(load(x + place[i]), largest, &taken), g) : g);
    }
    for (int i = 0; i < 2; i++) memset(dx + (2 * row + i) * line + used, 0, (size_t)(line - used) * 4);
  }
  memset(dx + 2 * p->outHeight * line, 0, (size_t)((p->height - 2 * p->outHeight) * line) * 4);
}

static void op_max_pool_grad(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  Pool p = pool_of(a);
  for (int64_t item = from; item < to; item++)
    for (int64_t block = 0; block < p.blocks; block++) {
      int64_t in = block * p.height * p.width * 16, out = block * p.outHeight * p.outWidth * 16;
      const float *x = (const float *)at(c, a[PL_X]) + item * a[PL_XITEM] + in;
      const float *dy = (const float *)at(c, a[PL_REST]) + item * a[PL_REST + 1] + out;
      const float *y = (const float *)at(c, a[PL_REST + 2]) + item * a[PL_REST + 3] + out;
      float *dx = (float *)at(c, a[PL_REST + 4]) + item * a[PL_REST + 5] + in;
      if (is_halving(&p)) unhalve_block(&p, dy, x, y, dx);
      else pool_grad_block(&p, dy, x, y, dx);
    }
}
static void op_avg_pool_grad(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  Pool p = pool_of(a);
  for (int64_t item = from; item < to; item++)
    for (int64_t block = 0; block < p.blocks; block++) {
      const float *dy = (const float *)at(c, a[PL_REST]) + item * a[PL_REST + 1] + block * p.outHeight * p.outWidth * 16;
      float *dx = (float *)at(c, a[PL_REST + 2]) + item * a[PL_REST + 3] + block * p.height * p.width * 16;
      if (is_halving(&p)) unhalve_block(&p, dy, 0, 0, dx);
      else pool_grad_block(&p, dy, 0, 0, dx);
    }
}
#endif
