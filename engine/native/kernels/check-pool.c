/* SPDX-License-Identifier: MIT */
/* Checks of pooling and its gradients, on blocked images. */
#include "check.h"

/* Arguments after the geometry. */
enum {
  POOL_Y = PL_REST, POOL_YITEM, POOL_ARGS,
  GRAD_DY = PL_REST, GRAD_DYITEM,
  MAX_Y, MAX_YITEM, MAX_DX, MAX_DXITEM, MAX_ARGS,
  AVG_DX = GRAD_DYITEM + 1, AVG_DXITEM, AVG_ARGS
};

static bool check_geometry(Check *c) {
  const int64_t *a = c->a;
  return within(c, "blocks of channels", a[PL_BLOCKS], 1, MAX_CHANNELS) && within(c, "height", a[PL_H], 1, MAX_DIMENSION) &&
         within(c, "width", a[PL_W], 1, MAX_DIMENSION) && within(c, "window's height", a[PL_KH], 1, MAX_DIMENSION) &&
         within(c, "window's width", a[PL_KW], 1, MAX_DIMENSION) && within(c, "padding above", a[PL_PADTOP], 0, MAX_DIMENSION) &&
         within(c, "padding to the left", a[PL_PADLEFT], 0, MAX_DIMENSION) && within(c, "stride of rows", a[PL_STRIDEH], 1, MAX_DIMENSION) &&
         within(c, "stride of columns", a[PL_STRIDEW], 1, MAX_DIMENSION) && within(c, "output height", a[PL_OH], 1, MAX_DIMENSION) &&
         within(c, "output width", a[PL_OW], 1, MAX_DIMENSION);
}

static Extent image(const int64_t *a, int64_t height, int64_t width) {
  return dense(product(product(a[height], a[width]), product(a[PL_BLOCKS], 16)));
}
static Extent input(const int64_t *a) { return image(a, PL_H, PL_W); }
static Extent output(const int64_t *a) { return image(a, PL_OH, PL_OW); }

static bool check_forward(Check *c) {
  const int64_t *a = c->a;
  return expect_count(c, POOL_ARGS) && check_geometry(c) && reach(c, "x", a[PL_X], a[0], a[PL_XITEM], input(a), READ) &&
         reach(c, "y", a[POOL_Y], a[0], a[POOL_YITEM], output(a), WRITE);
}

bool check_max_pool(Check *c) { return check_forward(c); }
bool check_avg_pool(Check *c) { return check_forward(c); }

bool check_max_pool_grad(Check *c) {
  const int64_t *a = c->a;
  return expect_count(c, MAX_ARGS) && check_geometry(c) && reach(c, "x", a[PL_X], a[0], a[PL_XITEM], input(a), READ) &&
         reach(c, "dy", a[GRAD_DY], a[0], a[GRAD_DYITEM], output(a), READ) && reach(c, "y", a[MAX_Y], a[0], a[MAX_YITEM], output(a), READ) &&
         reach(c, "dx", a[MAX_DX], a[0], a[MAX_DXITEM], input(a), WRITE);
}

bool check_avg_pool_grad(Check *c) {
  const int64_t *a = c->a;
  return expect_count(c, AVG_ARGS) && check_geometry(c) && (a[PL_X] == -1 || wrong(c, "an absent x,", -1, a[PL_X])) &&
         reach(c, "dy", a[GRAD_DY], a[0], a[GRAD_DYITEM], output(a), READ) &&
         reach(c, "dx", a[AVG_DX], a[0], a[AVG_DXITEM], input(a), WRITE);
}
