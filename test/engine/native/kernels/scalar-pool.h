/* SPDX-License-Identifier: MIT */
/* Pooling one channel at a time. */
#ifndef LOCKSTEP_TEST_POOL_H
#define LOCKSTEP_TEST_POOL_H
#include "arena.h"

/* Pixels of window `o` that are inside the image, in row-major order; returns their number. */
static int64_t pixels_of(const int64_t *a, int64_t o, int64_t *pixels) {
  int64_t n = 0;
  for (int64_t k = 0; k < a[PL_KH] * a[PL_KW]; k++) {
    int64_t row = o / a[PL_OW] * a[PL_STRIDEH] - a[PL_PADTOP] + k / a[PL_KW];
    int64_t column = o % a[PL_OW] * a[PL_STRIDEW] - a[PL_PADLEFT] + k % a[PL_KW];
    if (row >= 0 && row < a[PL_H] && column >= 0 && column < a[PL_W]) pixels[n++] = row * a[PL_W] + column;
  }
  return n;
}
static float scalar_window(const int64_t *a, const float *x, int64_t o, int average) {
  int64_t pixels[64], n = pixels_of(a, o, pixels);
  float y = average ? 0 : -__builtin_inff();
  for (int64_t k = 0; k < n; k++) {
    float z = x[pixels[k] * 16];
    if (average) y += z;
    else if (k == 0 || z > y || z != z) y = z;
  }
  return average ? y / (float)n : y;
}
static void scalar_pool(const int64_t *a, const Context *c, int average) {
  int64_t image = a[PL_H] * a[PL_W] * 16, out = a[PL_OH] * a[PL_OW] * 16;
  for (int64_t i = 0; i < a[0] * a[PL_BLOCKS] * out; i++) {
    int64_t item = i / (a[PL_BLOCKS] * out), block = i / out % a[PL_BLOCKS], o = i % out / 16, lane = i % 16;
    const float *x = floats_at(c, a[PL_X]) + item * a[PL_XITEM] + block * image + lane;
    floats_at(c, a[PL_REST])[item * a[PL_REST + 1] + block * out + o * 16 + lane] = scalar_window(a, x, o, average);
  }
}
static int is_same(float a, float b) { return a == b || (a != a && b != b); }

/* Gradient of one channel; x and y are null for average pooling. */
static void scalar_channel_grad(const int64_t *a, const float *dy, const float *x, const float *y, float *dx) {
  int64_t pixels[64];
  for (int64_t p = 0; p < a[PL_H] * a[PL_W]; p++) {
    float sum = 0;
    for (int64_t o = 0; o < a[PL_OH] * a[PL_OW]; o++) {
      int64_t n = pixels_of(a, o, pixels), place = -1;
      for (int64_t k = n - 1; k >= 0; k--)
        if (x ? is_same(x[pixels[k] * 16], y[o * 16]) : pixels[k] == p) place = pixels[k];
      if (place == p) sum += x ? dy[o * 16] : dy[o * 16] / (float)n;
    }
    dx[p * 16] = sum;
  }
}
static void scalar_pool_grad(const int64_t *a, const Context *c, int average) {
  int64_t image = a[PL_H] * a[PL_W] * 16, out = a[PL_OH] * a[PL_OW] * 16;
  const int64_t *last = a + PL_REST + (average ? 2 : 4);
  for (int64_t i = 0; i < a[0] * a[PL_BLOCKS] * 16; i++) {
    int64_t item = i / (a[PL_BLOCKS] * 16), block = i / 16 % a[PL_BLOCKS], lane = i % 16;
    const float *dy = floats_at(c, a[PL_REST]) + item * a[PL_REST + 1] + block * out + lane;
    float *dx = floats_at(c, last[0]) + item * last[1] + block * image + lane;
    if (average) scalar_channel_grad(a, dy, 0, 0, dx);
    else {
      const float *x = floats_at(c, a[PL_X]) + item * a[PL_XITEM] + block * image + lane;
      scalar_channel_grad(a, dy, x, floats_at(c, a[PL_REST + 2]) + item * a[PL_REST + 3] + block * out + lane, dx);
    }
  }
}
#endif
