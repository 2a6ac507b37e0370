/* SPDX-License-Identifier: MIT */
/* Sums and squared distances from the mean, per channel: in an image (OP_MOMENTS), then over images (OP_SPREAD). */
#ifndef LOCKSTEP_MOMENTS_H
#define LOCKSTEP_MOMENTS_H
#include "reduce.h"

/* Adds a pixel to its chain: its value, or the square of its distance from the mean. */
INLINE v16 add_pixel(v16 chain, v16 x, v16 mean, int squares) {
  v16 d = x - mean;
  return squares ? fma16(d, d, chain) : chain + x;
}
INLINE v16 sum_pixels(const float *x, int64_t pixels, v16 mean, int squares) {
  v16 total = splat(0);
  for (int64_t first = 0; first < pixels; first += SEGMENT) {
    int64_t end = first + SEGMENT < pixels ? first + SEGMENT : pixels, p = first;
    v16 chain[4] = {splat(0), splat(0), splat(0), splat(0)};
    for (; p + 4 <= end; p += 4)
      UNROLL for (int i = 0; i < 4; i++) chain[i] = add_pixel(chain[i], load(x + (p + i) * 16), mean, squares);
    UNROLL for (int i = 0; i < 3; i++)
      if (p + i < end) chain[i] = add_pixel(chain[i], load(x + (p + i) * 16), mean, squares);
    total = total + ((chain[0] + chain[1]) + (chain[2] + chain[3]));
  }
  return total;
}
static void op_moments(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  int64_t planes = a[3], pixels = a[4];
  for (int64_t item = from; item < to; item++)
    for (int64_t plane = 0; plane < planes; plane++) {
      const float *x = (const float *)at(c, a[1]) + item * a[2] + plane * pixels * 16;
      v16 sum = sum_pixels(x, pixels, splat(0), 0);
      store((float *)at(c, a[5]) + item * a[6] + plane * 16, sum);
      v16 squares = sum_pixels(x, pixels, sum / (float)pixels, 1);
      store((float *)at(c, a[7]) + item * a[8] + plane * 16, squares);
    }
}

/* Sums over images in double: of the images' sums, then of their squares and their means' distances from the mean. */
INLINE v16 spread16(const float *sums, const float *squares, int64_t images, int64_t stride, int64_t pixels, int64_t width) {
  d16 total = all(0), spread = all(0);
  double count = (double)pixels;
  for (int64_t first = 0; first < images; first += GROUP_IMAGES) {
    d16 part = all(0);
    for (int64_t i = first; i < first + GROUP_IMAGES && i < images; i++) part = part + widen(load_n(sums + i * stride, width));
    total = total + part;
  }
  d16 mean = total / ((double)images * count);
  for (int64_t first = 0; first < images; first += GROUP_IMAGES) {
    d16 part = all(0);
    for (int64_t i = first; i < first + GROUP_IMAGES && i < images; i++) {
      d16 d = widen(load_n(sums + i * stride, width) / (float)pixels) - mean;
      part = part + (widen(load_n(squares + i * stride, width)) + count * (d * d));
    }
    spread = spread + part;
  }
  return narrow(spread);
}
static void op_spread(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  const float *sums = (const float *)at(c, a[1]), *squares = (const float *)at(c, a[2]);
  float *out = (float *)at(c, a[7]);
  int64_t outputs = a[6];
  for (int64_t o = 0; o < outputs && from < to; o += 16) {
    int64_t width = outputs - o < 16 ? outputs - o : 16;
    store_n(out + o, spread16(sums + o, squares + o, a[3], a[4], a[5], width), width);
  }
}
#endif
