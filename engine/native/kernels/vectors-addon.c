/* SPDX-License-Identifier: MIT */
/* createVectors(isa?) gives an object with the functions of one instruction set. They take Float32Arrays of one length, on
 * an ArrayBuffer or a SharedArrayBuffer, used in place, and then numbers. A wrong call throws and changes nothing. */
#define NAPI_VERSION 8
#include "vectors-addon.h"
#include "cpu.h"
#include "vectors.h"

enum { MAX_VECTORS = 4, MAX_NUMBERS = 8, ISA_NAME = 16 };

typedef struct {
  const Vectors *kernels;
  float *vectors[MAX_VECTORS];
  double numbers[MAX_NUMBERS];
  int64_t length;
} Call;

static bool refuse(napi_env env, const char *text) {
  napi_throw_error(env, "BAD_INPUT", text);
  return false;
}

static bool read_vector(napi_env env, napi_value value, Call *call, size_t i) {
  bool is = false;
  napi_typedarray_type type;
  size_t length;
  void *data;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, 0, 0) != napi_ok || type != napi_float32_array) return false;
  if (i > 0 && (int64_t)length != call->length) return false;
  call->length = (int64_t)length;
  call->vectors[i] = data;
  return true;
}

/* The kernels and arguments of a call: vectors, then numbers. False and an exception if they don't fit. */
static bool read_call(napi_env env, napi_callback_info info, size_t vectors, size_t numbers, Call *call) {
  napi_value v[MAX_VECTORS + MAX_NUMBERS];
  size_t count = MAX_VECTORS + MAX_NUMBERS;
  if (napi_get_cb_info(env, info, &count, v, 0, (void **)&call->kernels) != napi_ok || count < vectors + numbers) {
    return refuse(env, "vectors: expected all arguments, got fewer; see engine/native/vectors.ts");
  }
  for (size_t i = 0; i < vectors; i++) {
    if (!read_vector(env, v[i], call, i)) return refuse(env, "vectors: expected Float32Arrays of one length, got others; pass vectors of one model");
  }
  for (size_t i = 0; i < numbers; i++) {
    if (napi_get_value_double(env, v[vectors + i], &call->numbers[i]) != napi_ok) return refuse(env, "vectors: expected a number, got another value; see engine/native/vectors.ts");
  }
  return true;
}

/* add(left, right) */
static napi_value add(napi_env env, napi_callback_info info) {
  Call c;
  if (read_call(env, info, 2, 0, &c)) c.kernels->add(c.vectors[0], c.vectors[1], c.length);
  return 0;
}

/* allFinite(values): boolean */
static napi_value all_finite(napi_env env, napi_callback_info info) {
  Call c;
  napi_value result = 0;
  if (read_call(env, info, 1, 0, &c)) napi_get_boolean(env, c.kernels->finite(c.vectors[0], c.length), &result);
  return result;
}

/* sgd(params, gradient, perSample, rate, decay) */
static napi_value sgd(napi_env env, napi_callback_info info) {
  Call c;
  if (!read_call(env, info, 2, 3, &c)) return 0;
  const double *x = c.numbers;
  c.kernels->sgd(c.vectors[0], c.vectors[1], c.length, &(Sgd){x[0], x[1], x[2]});
  return 0;
}

/* momentum(params, velocity, gradient, perSample, decay, momentum, velocityRate, gradientRate) */
static napi_value momentum(napi_env env, napi_callback_info info) {
  Call c;
  if (!read_call(env, info, 3, 5, &c)) return 0;
  const double *x = c.numbers;
  c.kernels->momentum(c.vectors[0], c.vectors[1], c.vectors[2], c.length, &(Momentum){x[0], x[1], x[2], x[3], x[4]});
  return 0;
}

/* adam(params, means, squares, gradient, perSample, l2, beta1, beta2, stepSize, squareScale, epsilon, shrink) */
static napi_value adam(napi_env env, napi_callback_info info) {
  Call c;
  if (!read_call(env, info, 4, 8, &c)) return 0;
  const double *x = c.numbers;
  const Adam constants = {x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]};
  c.kernels->adam(c.vectors[0], c.vectors[1], c.vectors[2], c.vectors[3], c.length, &constants);
  return 0;
}

static const Vectors *kernels_of(const Isa *isa) {
#if defined(__x86_64__)
  return isa == &isa_avx512 ? &vectors_avx512 : &vectors_avx2;
#else
  (void)isa;
  return &vectors_neon;
#endif
}

/* The instruction set that the caller names, or the fastest one; 0 and an exception if this CPU lacks it. */
static const Isa *choose(napi_env env, napi_callback_info info) {
  napi_value v[1];
  napi_valuetype type;
  size_t count = 1, length;
  char name[ISA_NAME] = "";
  Fault fault = {0};
  napi_get_cb_info(env, info, &count, v, 0, 0);
  napi_typeof(env, v[0], &type);
  if (type != napi_undefined && napi_get_value_string_utf8(env, v[0], name, sizeof name, &length) != napi_ok) {
    refuse(env, "create vectors: expected the name of an instruction set or undefined, got another value");
    return 0;
  }
  const Isa *isa = cpu_choose(name, &fault);
  if (!isa) napi_throw_error(env, fault.code, fault.text);
  return isa;
}

/* createVectors(isa?: string) */
static napi_value create_vectors(napi_env env, napi_callback_info info) {
  const Isa *isa = choose(env, info);
  if (!isa) return 0;
  void *kernels = (void *)kernels_of(isa);
  const napi_property_descriptor all[] = {
      {"add", 0, add, 0, 0, 0, napi_enumerable, kernels},           {"allFinite", 0, all_finite, 0, 0, 0, napi_enumerable, kernels},
      {"sgd", 0, sgd, 0, 0, 0, napi_enumerable, kernels},           {"momentum", 0, momentum, 0, 0, 0, napi_enumerable, kernels},
      {"adam", 0, adam, 0, 0, 0, napi_enumerable, kernels},
  };
  napi_value object;
  bool done = napi_create_object(env, &object) == napi_ok && napi_define_properties(env, object, sizeof all / sizeof *all, all) == napi_ok;
  return done ? object : 0;
}

bool vectors_init(napi_env env, napi_value exports) {
  napi_value function;
  return napi_create_function(env, "createVectors", NAPI_AUTO_LENGTH, create_vectors, 0, &function) == napi_ok &&
         napi_set_named_property(env, exports, "createVectors", function) == napi_ok;
}
