/* SPDX-License-Identifier: MIT */
/* Node-API binding. Functions throw errors with a code (fault.h) and a message. A program belongs to the JavaScript
 * thread that created it. */
#define NAPI_VERSION 8
#include "cpu.h"
#include "program.h"
#include "vectors-addon.h"
#include <node_api.h>

enum { BUFFERS = SPACES - PARAMS, MAX_ARGUMENTS = 4 };

static const napi_type_tag program_tag = {0x4c6f636b73746570, 0x6e61746976650001};

static napi_value raise(napi_env env, const Fault *fault) {
  napi_throw_error(env, fault->code, fault->text);
  return 0;
}

static napi_value bad_input(napi_env env, const char *text) {
  napi_throw_error(env, "BAD_INPUT", text);
  return 0;
}

/* Arguments of a call; missing ones are undefined. */
static void arguments(napi_env env, napi_callback_info info, napi_value v[MAX_ARGUMENTS]) {
  size_t count = MAX_ARGUMENTS;
  napi_get_cb_info(env, info, &count, v, 0, 0);
}

typedef struct {
  void *data;
  int64_t bytes;
} View;

static int64_t element_bytes(napi_typedarray_type type) {
  switch (type) {
  case napi_int16_array:
  case napi_uint16_array: return 2;
  case napi_int32_array:
  case napi_uint32_array:
  case napi_float32_array: return 4;
  case napi_float64_array:
  case napi_bigint64_array:
  case napi_biguint64_array: return 8;
  default: return 1;
  }
}

/* Bytes of a typed array, on an ArrayBuffer or a SharedArrayBuffer. */
static bool view(napi_env env, napi_value value, napi_typedarray_type *type, View *out) {
  bool is = false;
  size_t length = 0;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
  if (napi_get_typedarray_info(env, value, type, &length, &out->data, 0, 0) != napi_ok) return false;
  out->bytes = (int64_t)length * element_bytes(*type);
  return true;
}

static bool view_of(napi_env env, napi_value value, napi_typedarray_type wanted, View *out) {
  napi_typedarray_type type;
  return view(env, value, &type, out) && type == wanted;
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  program_destroy(data);
}

/* The program of a handle; 0 and an exception if it is none or is disposed. */
static Program *unwrap(napi_env env, napi_value value) {
  bool ours = false;
  void *program = 0;
  if (napi_check_object_type_tag(env, value, &program_tag, &ours) != napi_ok || !ours) {
    bad_input(env, "native program: expected a program of createProgram, got another value; pass the program");
    return 0;
  }
  if (napi_unwrap(env, value, &program) != napi_ok || !program) {
    napi_throw_error(env, "DISPOSED", "native program: expected an active program, got a disposed one; create it again");
    return 0;
  }
  return program;
}

static napi_value wrap(napi_env env, Program *program) {
  napi_value handle;
  bool done = napi_create_object(env, &handle) == napi_ok && napi_wrap(env, handle, program, finalize, 0, 0) == napi_ok;
  if (!done) {
    program_destroy(program);
    return bad_input(env, "create program: expected a handle from Node.js, got none; the process is ending");
  }
  napi_type_tag_object(env, handle, &program_tag);
  return handle;
}

/* Name of an instruction set; empty for undefined. */
static bool isa_name(napi_env env, napi_value value, char *name, size_t size) {
  size_t length;
  napi_valuetype type;
  napi_typeof(env, value, &type);
  *name = 0;
  return type == napi_undefined || napi_get_value_string_utf8(env, value, name, size, &length) == napi_ok;
}

/* createProgram(plan: Float64Array, constants: Uint8Array, threads: number, isa?: string) */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value v[MAX_ARGUMENTS];
  View plan, constants;
  int64_t threads;
  char name[16];
  Fault fault = {0};
  arguments(env, info, v);
  if (!view_of(env, v[0], napi_float64_array, &plan)) return bad_input(env, "create program: expected a Float64Array as plan, got another value");
  if (!view_of(env, v[1], napi_uint8_array, &constants)) return bad_input(env, "create program: expected a Uint8Array as constants, got another value");
  if (napi_get_value_int64(env, v[2], &threads) != napi_ok) return bad_input(env, "create program: expected a number of threads, got another value");
  if (!isa_name(env, v[3], name, sizeof name)) return bad_input(env, "create program: expected the name of an instruction set or undefined, got another value");
  const Isa *isa = cpu_choose(name, &fault);
  Program *program = isa ? program_create(plan.data, plan.bytes / 8, constants.data, constants.bytes, threads, isa, &fault) : 0;
  return program ? wrap(env, program) : raise(env, &fault);
}

static const char *const buffer_name[BUFFERS] = {"params", "state", "images", "labels", "masks", "out A", "out B", "out C"};

static bool check_buffer(const Program *p, int i, const View *view, Fault *fault) {
  int64_t expected = program_bytes(p, PARAMS + i);
  if (view->bytes != expected) return fail(fault, "BAD_INPUT", "run program: expected %d bytes of %s, got %d", expected, buffer_name[i], view->bytes);
  bool aligned = PARAMS + i == IMAGES || (uintptr_t)view->data % 4 == 0;
  return aligned || fail(fault, "BAD_INPUT", "run program: expected %s at a multiple of 4 bytes, got an offset of %d; copy the array", buffer_name[i], (int64_t)((uintptr_t)view->data % 4));
}

static bool overlap(const View *a, const View *b) {
  return a->bytes && b->bytes && (char *)a->data < (char *)b->data + b->bytes && (char *)b->data < (char *)a->data + a->bytes;
}

/* An output that shares memory with another buffer would give results that depend on threads. */
static bool check_outputs(const View views[BUFFERS], Fault *fault) {
  for (int i = OUT_A - PARAMS; i < BUFFERS; i++)
    for (int j = 0; j < i; j++)
      if (overlap(&views[i], &views[j])) return fail(fault, "BAD_INPUT", "run program: expected separate memory for %s and %s, got an overlap; pass another array", buffer_name[i], buffer_name[j]);
  return true;
}

static bool read_buffers(napi_env env, const Program *p, napi_value list, View views[BUFFERS], Fault *fault) {
  uint32_t length = 0;
  bool is = false;
  if (napi_is_array(env, list, &is) != napi_ok || !is || napi_get_array_length(env, list, &length) != napi_ok || length != BUFFERS) {
    return fail(fault, "BAD_INPUT", "run program: expected an array of %d typed arrays, got another value", (int64_t)BUFFERS);
  }
  for (uint32_t i = 0; i < BUFFERS; i++) {
    napi_value item;
    napi_typedarray_type type;
    if (napi_get_element(env, list, i, &item) != napi_ok || !view(env, item, &type, &views[i])) {
      return fail(fault, "BAD_INPUT", "run program: expected a typed array as %s, got another value", buffer_name[i]);
    }
    if (!check_buffer(p, (int)i, &views[i], fault)) return false;
  }
  return check_outputs(views, fault);
}

/* run(program, [params, state, images, labels, masks, outA, outB, outC]): typed arrays of exact lengths, used in place. */
static napi_value run(napi_env env, napi_callback_info info) {
  napi_value v[MAX_ARGUMENTS];
  View views[BUFFERS];
  Fault fault = {0};
  char *base[SPACES] = {0};
  arguments(env, info, v);
  Program *program = unwrap(env, v[0]);
  if (!program) return 0;
  if (!read_buffers(env, program, v[1], views, &fault)) return raise(env, &fault);
  for (int i = 0; i < BUFFERS; i++) base[PARAMS + i] = views[i].data;
  program_run(program, base);
  return 0;
}

/* setThreads(program, threads) */
static napi_value set_threads(napi_env env, napi_callback_info info) {
  napi_value v[MAX_ARGUMENTS];
  int64_t threads;
  Fault fault = {0};
  arguments(env, info, v);
  Program *program = unwrap(env, v[0]);
  if (!program) return 0;
  if (napi_get_value_int64(env, v[1], &threads) != napi_ok) return bad_input(env, "set threads: expected a number, got another value");
  return program_set_threads(program, threads, &fault) ? 0 : raise(env, &fault);
}

/* dispose(program): stops its threads and frees its memory. */
static napi_value dispose(napi_env env, napi_callback_info info) {
  napi_value v[MAX_ARGUMENTS];
  void *removed = 0;
  arguments(env, info, v);
  if (unwrap(env, v[0]) && napi_remove_wrap(env, v[0], &removed) == napi_ok) program_destroy(removed);
  return 0;
}

static void set(napi_env env, napi_value object, const char *key, const char *text) {
  napi_value value;
  if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok) napi_set_named_property(env, object, key, value);
}

/* isas(): [{ name, missing }], the fastest first; missing is empty if the CPU has the instruction set. */
static napi_value isas(napi_env env, napi_callback_info info) {
  IsaState all[MAX_ISAS];
  napi_value list;
  int n = cpu_isas(all);
  (void)info;
  if (napi_create_array(env, &list) != napi_ok) return 0;
  for (int i = 0; i < n; i++) {
    napi_value entry;
    if (napi_create_object(env, &entry) != napi_ok) return 0;
    set(env, entry, "name", all[i].isa->name);
    set(env, entry, "missing", all[i].missing ? all[i].missing : "");
    napi_set_element(env, list, (uint32_t)i, entry);
  }
  return list;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor all[] = {
      {"isas", 0, isas, 0, 0, 0, napi_enumerable, 0},
      {"createProgram", 0, create, 0, 0, 0, napi_enumerable, 0},
      {"run", 0, run, 0, 0, 0, napi_enumerable, 0},
      {"setThreads", 0, set_threads, 0, 0, 0, napi_enumerable, 0},
      {"dispose", 0, dispose, 0, 0, 0, napi_enumerable, 0},
  };
  return napi_define_properties(env, exports, sizeof all / sizeof *all, all) == napi_ok && vectors_init(env, exports) ? exports : 0;
}
