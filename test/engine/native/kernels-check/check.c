/* SPDX-License-Identifier: MIT */
/* The heavy kernels against plain loops, bit for bit, over random geometries: `check [cases] [seed]`. */
#include "../../../../engine/native/kernels/conv.h"
#include "../../../../engine/native/kernels/depthwise.h"
#include "../../../../engine/native/kernels/filter-gradient.h"
#include "../../../../engine/native/kernels/pack.h"
#include "../../../../engine/native/kernels/product.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

static uint64_t state = 1;
static uint32_t draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}
static int64_t between(int64_t low, int64_t high) { return low + draw() % (high - low + 1); }

/* Random floats; with `specials` some infinities, NaNs, zeros and denormals. */
static int specials;
static float value(void) {
  uint32_t kind = specials ? draw() % 64 : 64;
  if (kind < 6) return (float[]){INFINITY, -INFINITY, NAN, 0.0f, -0.0f, 1e-40f}[kind];
  return (float)((int32_t)draw() - (1 << 30)) / (1 << 29);
}
typedef struct {
  float *data;
  int64_t count;
} Buffer;
/* On Linux a page without access follows the buffer, or is before it, so that reading or writing beyond faults. */
#if defined(__linux__)
static struct {
  char *at;
  size_t bytes;
} maps[16];
static int mapCount;
static void *room(size_t bytes) {
  size_t whole = (bytes + 4095) / 4096 * 4096 + 8192;
  char *map = mmap(0, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(map, 4096, PROT_NONE), mprotect(map + whole - 4096, 4096, PROT_NONE);
  maps[mapCount].at = map, maps[mapCount++].bytes = whole;
  return draw() % 2 ? map + whole - 4096 - bytes : map + 4096;
}
static void leave(void) {
  while (mapCount > 0) mapCount--, munmap(maps[mapCount].at, maps[mapCount].bytes);
}
#else
static void *rooms[16];
static int roomCount;
static void *room(size_t bytes) { return rooms[roomCount++] = malloc(bytes); }
static void leave(void) {
  while (roomCount > 0) free(rooms[--roomCount]);
}
#endif
static Buffer buffer(int64_t count, int random) {
  Buffer b = {room((size_t)count * 4), count};
  for (int64_t i = 0; i < count; i++) b.data[i] = random ? value() : NAN;
  return b;
}

static int failures;
static void equal(const char *what, const int64_t *a, int64_t count, float found, float expected, int64_t at) {
  if (memcmp(&found, &expected, 4) == 0 || (found != found && expected != expected)) return;
  if (failures++ > 10) return;
  printf("%s: expected %a, got %a at %lld; arguments", what, expected, found, (long long)at);
  for (int64_t i = 0; i < count; i++) printf(" %lld", (long long)(a[i] >> 40 ? -2 : a[i]));
  puts("");
}

static char work[WORK_BYTES];
static Context context = {.work = work};
/* Space s of the context is this buffer. */
static int64_t space(int s, Buffer b) {
  context.base[s] = (char *)b.data;
  return (int64_t)s << 40;
}
static void release(void) {
  leave();
  memset(context.base, 0, sizeof context.base);
}

/* ---- convolutions ---- */
static int64_t draw_geometry(int64_t *a, int up, int depthwise) {
  int64_t narrow = !depthwise && !up && draw() % 3 == 0;
  a[0] = between(1, 2), a[CV_NARROW] = narrow, a[CV_C] = narrow ? between(1, 4) : between(1, 70);
  a[CV_OC] = depthwise ? a[CV_C] : between(1, 70);
  int64_t taps[2] = {between(1, 7), between(1, 7)};
  for (int i = 0; i < 2; i++) {
    int64_t size = between(1, 18), stride = draw() % 2 ? 1 : between(1, 3), dil = draw() % 3 ? 1 : between(1, 3), pad,
            out;
    if (draw() % 2) taps[i] = taps[0];
    if ((taps[i] - 1) * dil >= size) taps[i] = 1;
    pad = draw() % 2 ? (taps[i] - 1) * dil / 2 : between(0, 8);
    out = (size + 2 * pad - (taps[i] - 1) * dil - 1) / stride + 1;
    if (up) out = between(1, 20), stride = 1;
    a[CV_H + i] = size, a[CV_KH + i] = taps[i], a[CV_PADTOP + i] = pad, a[CV_STRIDEH + i] = stride,
             a[CV_DILH + i] = dil, a[CV_OH + i] = out;
    a[CV_UPH + i] = up ? between(1, 3) : 1;
  }
  a[CV_ROWS] = larger(1, 128 / a[CV_OW]);
  return narrow;
}
static int64_t image_size(const int64_t *a) {
  return a[CV_H] * a[CV_W] * (a[CV_NARROW] ? a[CV_C] : 16 * blocks_of(a[CV_C]));
}
static int64_t output_size(const int64_t *a) { return a[CV_OH] * a[CV_OW] * 16 * blocks_of(a[CV_OC]); }
static int64_t x_index(const int64_t *a, int64_t c, int64_t y, int64_t x) {
  return a[CV_NARROW] ? (y * a[CV_W] + x) * a[CV_C] + c : ((c / 16 * a[CV_H] + y) * a[CV_W] + x) * 16 + c % 16;
}
static int64_t y_index(const int64_t *a, int64_t c, int64_t y, int64_t x) {
  return ((c / 16 * a[CV_OH] + y) * a[CV_OW] + x) * 16 + c % 16;
}
static int64_t w_index(const int64_t *a, int64_t tap, int64_t ci, int64_t co) {
  int64_t taps = a[CV_KH] * a[CV_KW], cb = blocks_of(a[CV_C]);
  return a[CV_NARROW] ? ((co / 16 * taps + tap) * a[CV_C] + ci) * 16 + co % 16
                      : (((co / 16 * cb + ci / 16) * taps + tap) * 16 + ci % 16) * 16 + co % 16;
}
/* Input coordinate of output o at tap k, or -1 outside. */
static int64_t input_of(const int64_t *a, int i, int64_t o, int64_t k) {
  int64_t t = o * a[CV_STRIDEH + i] - a[CV_PADTOP + i] + k * a[CV_DILH + i], up = a[CV_UPH + i];
  return t >= 0 && t % up == 0 && t / up < a[CV_H + i] ? t / up : -1;
}

static float conv_reference(const int64_t *a, const float *x, const float *w, int64_t co, int64_t oy, int64_t ox,
                            int depthwise) {
  float acc = 0;
  int64_t first = depthwise ? co : 0, last = depthwise ? co + 1 : a[CV_C];
  for (int64_t block = first / 16 * 16; block < last; block += 16)
    for (int64_t ky = 0; ky < a[CV_KH]; ky++)
      for (int64_t kx = 0; kx < a[CV_KW]; kx++) {
        int64_t iy = input_of(a, 0, oy, ky), ix = input_of(a, 1, ox, kx), tap = ky * a[CV_KW] + kx;
        for (int64_t c = larger(first, block); iy >= 0 && ix >= 0 && c < smaller(last, block + 16); c++)
          acc = fmaf(x[x_index(a, c, iy, ix)],
                     w[depthwise ? (co / 16 * a[CV_KH] * a[CV_KW] + tap) * 16 + co % 16 : w_index(a, tap, c, co)], acc);
      }
  return acc;
}
static void check_conv(int depthwise) {
  int64_t a[CONV_ARGS], up = draw() % 3 == 0;
  draw_geometry(a, up, depthwise);
  int64_t items = a[0], n = image_size(a), m = output_size(a),
          filter = w_index(a, a[CV_KH] * a[CV_KW] - 1, a[CV_C] - 1, a[CV_OC] - 1) / 16 * 16 + 16;
  if (!a[CV_NARROW]) filter = blocks_of(a[CV_OC]) * blocks_of(a[CV_C]) * a[CV_KH] * a[CV_KW] * 256;
  Buffer x = buffer(items * n, 1), w = buffer(filter, 1), b = buffer(a[CV_OC], 1), y = buffer(items * m, 0);
  a[CV_X] = space(0, x), a[CV_XITEM] = n, a[CONV_FILTERS] = space(1, w), a[CONV_BIAS] = draw() % 2 ? -1 : space(2, b),
  a[CONV_Y] = space(3, y), a[CONV_YITEM] = m;
  if (depthwise) op_depthwise(a, &context, 0, items);
  else op_conv(a, &context, 0, items);
  for (int64_t i = 0; i < items; i++)
    for (int64_t c = 0; c < a[CV_OC]; c++)
      for (int64_t oy = 0; oy < a[CV_OH]; oy++)
        for (int64_t ox = 0; ox < a[CV_OW]; ox++) {
          float expected = conv_reference(a, x.data + i * n, w.data, c, oy, ox, depthwise);
          if (a[CONV_BIAS] >= 0) expected += b.data[c];
          equal(depthwise ? "depthwise" : "conv", a, CONV_ARGS, y.data[i * m + y_index(a, c, oy, ox)], expected,
                y_index(a, c, oy, ox));
        }
  release();
}

static float group_reference(const int64_t *a, const float *x, const float *dy, int64_t tap, int64_t ci, int64_t co,
                             int64_t row) {
  float acc = 0;
  for (int64_t oy = row; oy < smaller(a[CV_OH], row + a[CV_ROWS]); oy++)
    for (int64_t ox = 0; ox < a[CV_OW]; ox++) {
      int64_t iy = input_of(a, 0, oy, tap / a[CV_KW]), ix = input_of(a, 1, ox, tap % a[CV_KW]);
      if (iy >= 0 && ix >= 0) acc = fmaf(x[x_index(a, ci, iy, ix)], dy[y_index(a, co, oy, ox)], acc);
    }
  return acc;
}
static void check_filter(int depthwise) {
  int64_t a[CF_ARGS];
  draw_geometry(a, 0, depthwise);
  if (draw() % 2) a[CV_ROWS] = between(1, 3);
  int64_t items = between(1, 6), n = image_size(a), m = output_size(a), taps = a[CV_KH] * a[CV_KW];
  int64_t size = depthwise ? blocks_of(a[CV_C]) * taps * 16
                           : blocks_of(a[CV_OC]) * taps * (a[CV_NARROW] ? a[CV_C] * 16 : blocks_of(a[CV_C]) * 256);
  Buffer x = buffer(items * n, 1), dy = buffer(items * m, 1), parts = buffer((items + 3) / 4 * size, 0);
  a[0] = items, a[CV_X] = space(0, x), a[CV_XITEM] = n, a[CF_DY] = space(1, dy), a[CF_DYITEM] = m,
  a[CF_PARTS] = space(2, parts), a[CF_PARTSIZE] = size;
  if (depthwise) op_depthwise_filter(a, &context, 0, items);
  else op_conv_filter(a, &context, 0, items);
  for (int64_t chunk = 0; chunk < items; chunk += 4)
    for (int64_t tap = 0; tap < taps; tap++)
      for (int64_t ci = 0; ci < a[CV_C]; ci++)
        for (int64_t co = depthwise ? ci : 0; co < (depthwise ? ci + 1 : a[CV_OC]); co++) {
          float total = 0;
          for (int64_t i = chunk; i < smaller(chunk + 4, items); i++)
            for (int64_t row = 0; row < a[CV_OH]; row += a[CV_ROWS])
              total += group_reference(a, x.data + i * n, dy.data + i * m, tap, ci, co, row);
          int64_t at_ =
              chunk / 4 * size + (depthwise ? (ci / 16 * taps + tap) * 16 + ci % 16 : w_index(a, tap, ci, co));
          equal(depthwise ? "depthwise filter" : "filter", a, CF_ARGS, parts.data[at_], total, at_);
        }
  release();
}

/* ---- matrices ---- */
static void check_product(void) {
  int64_t M = between(1, 20), K = between(1, 140), N = between(1, 100), batch = between(1, 2), rows = between(1, M),
          blocks = between(1, blocks_of(N)), turned = draw() % 2;
  int64_t kpad = 16 * blocks_of(K), nb = blocks_of(N), across = ceil_div(nb, blocks), ym = N + between(0, 2);
  Buffer x = buffer(batch * M * K, 1), w = buffer(batch * nb * kpad * 16, 1), b = buffer(N, 1),
         y = buffer(((batch - 1) * M + M - 1) * ym + N, 0);
  int64_t bias = draw() % 2 ? -1 : 2LL << 40, a[] = {batch * ceil_div(M, rows) * across,
                                                     batch,
                                                     M,
                                                     K,
                                                     N,
                                                     space(0, x),
                                                     M * K,
                                                     turned ? 1 : K,
                                                     turned ? M : 1,
                                                     space(1, w),
                                                     nb * kpad * 16,
                                                     bias,
                                                     space(3, y),
                                                     M * ym,
                                                     ym,
                                                     rows,
                                                     blocks};
  space(2, b);
  for (int64_t i = 0; i < a[0]; i++) op_product(a, &context, i, i + 1);
  for (int64_t i = 0; i < batch; i++)
    for (int64_t m = 0; m < M; m++)
      for (int64_t n = 0; n < N; n++) {
        float total = 0;
        for (int64_t from = 0; from < K; from += 32) {
          float acc = 0;
          for (int64_t k = from; k < smaller(K, from + 32); k++)
            acc = fmaf(x.data[i * M * K + (turned ? k * M + m : m * K + k)],
                       w.data[((i * nb + n / 16) * kpad + k) * 16 + n % 16], acc);
          total += acc;
        }
        equal("product", a, 17, y.data[(i * M + m) * ym + n], bias < 0 ? total : total + b.data[n],
              (i * M + m) * ym + n);
      }
  release();
}

/* Packed place of src[t][i][o]. */
static int64_t packed_index(int64_t mode, int64_t taps, int64_t ci, int64_t co, int64_t t, int64_t i, int64_t o) {
  int64_t cb = blocks_of(ci), ob = blocks_of(co);
  switch (mode) {
  case PACK_FORWARD: return (((o / 16 * cb + i / 16) * taps + t) * 16 + i % 16) * 16 + o % 16;
  case PACK_NARROW: return ((o / 16 * taps + t) * ci + i) * 16 + o % 16;
  case PACK_TURNED: return (((i / 16 * ob + o / 16) * taps + taps - 1 - t) * 16 + o % 16) * 16 + i % 16;
  case PACK_DEPTHWISE: return (i / 16 * taps + t) * 16 + i % 16;
  default: return (i / 16 * taps + taps - 1 - t) * 16 + i % 16;
  }
}
static void check_pack(void) {
  int64_t mode = between(0, 4), taps = between(1, 9), ci = mode == PACK_NARROW ? between(1, 4) : between(1, 70),
          co = mode >= PACK_DEPTHWISE ? 1 : between(1, 70), batch = between(1, 3);
  int64_t n = taps * ci * co, size = mode == PACK_NARROW      ? blocks_of(co) * taps * ci * 16
                                     : mode >= PACK_DEPTHWISE ? blocks_of(ci) * taps * 16
                                                              : blocks_of(ci) * blocks_of(co) * taps * 256;
  Buffer src = buffer(batch * n, 1), dst = buffer(batch * size, 0), back = buffer(batch * n, 0),
         wanted = buffer(batch * size, 0);
  memset(wanted.data, 0, (size_t)(batch * size) * 4);
  for (int64_t b = 0; b < batch; b++)
    for (int64_t t = 0; t < taps; t++)
      for (int64_t i = 0; i < ci; i++)
        for (int64_t o = 0; o < co; o++)
          wanted.data[b * size + packed_index(mode, taps, ci, co, t, i, o)] = src.data[b * n + (t * ci + i) * co + o];
  int64_t a[] = {batch, space(0, src), n, mode, taps, ci, co, space(1, dst), size},
          u[] = {batch, a[7], size, mode, taps, ci, co, space(2, back), n};
  op_pack(a, &context, 0, batch);
  for (int64_t i = 0; i < batch * size; i++) equal("pack", a, 9, dst.data[i], wanted.data[i], i);
  if (mode != PACK_TURNED && mode != PACK_DEPTHWISE_TURNED) {
    op_unpack(u, &context, 0, batch);
    for (int64_t i = 0; i < batch * n; i++) equal("unpack", u, 9, back.data[i], src.data[i], i);
  }
  release();
}

int main(int argc, char **argv) {
  int64_t cases = argc > 1 ? atoll(argv[1]) : 300;
  state = argc > 2 ? (uint64_t)atoll(argv[2]) : 1;
  for (int64_t i = 0; i < cases; i++) {
    specials = draw() % 4 == 0;
    check_conv(0), check_filter(0), check_conv(1), check_filter(1), check_product(), check_pack();
  }
  printf("%lld cases, %d differences\n", (long long)cases, failures);
  return failures > 0;
}
