/* SPDX-License-Identifier: MIT */
/* Checks of convolutions and products. */
#include "check.h"

/* Coordinates stay far inside an int64. */
static bool check_window(Check *c) {
  const int64_t *a = c->a;
  return within(c, "height", a[CV_H], 1, MAX_DIMENSION) && within(c, "width", a[CV_W], 1, MAX_DIMENSION) &&
         within(c, "upH", a[CV_UPH], 1, MAX_DIMENSION) && within(c, "upW", a[CV_UPW], 1, MAX_DIMENSION) &&
         within(c, "filter height", a[CV_KH], 1, MAX_FILTER) && within(c, "filter width", a[CV_KW], 1, MAX_FILTER) &&
         within(c, "padding above", a[CV_PADTOP], -MAX_DIMENSION, MAX_DIMENSION) &&
         within(c, "padding to the left", a[CV_PADLEFT], -MAX_DIMENSION, MAX_DIMENSION) &&
         within(c, "stride of rows", a[CV_STRIDEH], 1, MAX_DIMENSION) && within(c, "stride of columns", a[CV_STRIDEW], 1, MAX_DIMENSION) &&
         within(c, "dilation of rows", a[CV_DILH], 1, MAX_DIMENSION) && within(c, "dilation of columns", a[CV_DILW], 1, MAX_DIMENSION) &&
         within(c, "output height", a[CV_OH], 1, MAX_DIMENSION) && within(c, "output width", a[CV_OW], 1, MAX_DIMENSION);
}

static bool check_geometry(Check *c, bool depthwise) {
  const int64_t *a = c->a;
  int64_t rows = 128 / (a[CV_OW] > 0 ? a[CV_OW] : 1);
  return check_window(c) && within(c, "narrow", a[CV_NARROW], 0, depthwise ? 0 : 1) &&
         within(c, "input channels", a[CV_C], 1, a[CV_NARROW] ? 4 : MAX_CHANNELS) &&
         within(c, "output channels", a[CV_OC], depthwise ? a[CV_C] : 1, depthwise ? a[CV_C] : MAX_CHANNELS) &&
         within(c, "rows of a chain", a[CV_ROWS], rows ? rows : 1, rows ? rows : 1);
}

static bool reach_input(Check *c) {
  const int64_t *a = c->a, channels = a[CV_NARROW] ? a[CV_C] : product(blocks16(a[CV_C]), 16);
  return reach(c, "x", a[CV_X], a[0], a[CV_XITEM], dense(product(product(a[CV_H], a[CV_W]), channels)), READ);
}

/* Elements of a blocked output. */
static Extent output(const int64_t *a) { return dense(product(product(a[CV_OH], a[CV_OW]), product(blocks16(a[CV_OC]), 16))); }

/* Elements of a packed filter. */
static Extent filter(const int64_t *a, bool depthwise) {
  int64_t taps = product(a[CV_KH], a[CV_KW]), columns = product(blocks16(a[CV_OC]), 16);
  if (depthwise) return dense(product(taps, columns));
  return dense(product(product(taps, columns), a[CV_NARROW] ? a[CV_C] : product(blocks16(a[CV_C]), 16)));
}

static bool check_forward(Check *c, bool depthwise) {
  const int64_t *a = c->a;
  return expect_count(c, CONV_ARGS) && check_geometry(c, depthwise) && reach_input(c) &&
         reach(c, "filter", a[CONV_FILTERS], 1, 0, filter(a, depthwise), READ) &&
         (a[CONV_BIAS] == -1 || reach(c, "bias", a[CONV_BIAS], 1, 0, dense(a[CV_OC]), READ)) &&
         reach(c, "y", a[CONV_Y], a[0], a[CONV_YITEM], output(a), WRITE);
}

enum { IMAGES_OF_PART = 4 };

/* Images of a part are added one after another, so one task has all of them. */
static bool check_filter(Check *c, bool depthwise) {
  const int64_t *a = c->a, rest = c->job->chunk % IMAGES_OF_PART;
  if (!expect_count(c, CF_ARGS) || !check_geometry(c, depthwise) || !within(c, "upH", a[CV_UPH], 1, 1) || !within(c, "upW", a[CV_UPW], 1, 1)) return false;
  if (rest && c->job->tasks > 1) return wrong(c, "items of a task modulo 4", 0, rest);
  int64_t parts = (a[0] + IMAGES_OF_PART - 1) / IMAGES_OF_PART;
  return reach_input(c) && reach(c, "dy", a[CF_DY], a[0], a[CF_DYITEM], output(a), READ) &&
         reach(c, "parts", a[CF_PARTS], parts, a[CF_PARTSIZE], filter(a, depthwise), WRITE);
}

bool check_conv(Check *c) { return check_forward(c, false); }
bool check_depthwise(Check *c) { return check_forward(c, true); }
bool check_conv_filter(Check *c) { return check_filter(c, false); }
bool check_depthwise_filter(Check *c) { return check_filter(c, true); }

enum ProductArg { P_BATCH = 1, P_M, P_K, P_N, P_X, P_XBATCH, P_XM, P_XK, P_W, P_WBATCH, P_BIAS, P_Y, P_YBATCH, P_YM, P_ROWS, P_BLOCKS, P_ARGS };

static int64_t shares(int64_t n, int64_t share) { return (n + share - 1) / share; }

bool check_product(Check *c) {
  const int64_t *a = c->a;
  if (!expect_count(c, P_ARGS)) return false;
  static const enum ProductArg counts[] = {P_BATCH, P_M, P_K, P_N, P_ROWS, P_BLOCKS};
  for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
    if (!within(c, "a count", a[counts[i]], 1, MAX_COUNT)) return false;
  int64_t items = product(a[P_BATCH], product(shares(a[P_M], a[P_ROWS]), shares(blocks16(a[P_N]), a[P_BLOCKS])));
  if (items != a[0]) return wrong(c, "items", items, a[0]);
  Extent x = repeat(repeat(ONE, a[P_M], a[P_XM]), a[P_K], a[P_XK]);
  int64_t weights = product(product(blocks16(a[P_N]), blocks16(a[P_K])), 256);
  return reach(c, "x", a[P_X], a[P_BATCH], a[P_XBATCH], x, READ) && reach(c, "w", a[P_W], a[P_BATCH], a[P_WBATCH], dense(weights), READ) &&
         (a[P_BIAS] == -1 || reach(c, "bias", a[P_BIAS], 1, 0, dense(a[P_N]), READ)) &&
         reach(c, "y", a[P_Y], a[P_BATCH], a[P_YBATCH], repeat(dense(a[P_N]), a[P_M], a[P_YM]), WRITE);
}
