/* SPDX-License-Identifier: MIT */
/* Exports of the WebAssembly build, which imports nothing. An instance holds one program: its memory grows as the
 * program needs and goes with the instance. Call reserve, copy the plan and the constants, call create, copy inputs to
 * the spaces, call run. */
#include "cpu.h"
#include "memory.h"
#include "program.h"

#define EXPORT(name) __attribute__((export_name(name), visibility("default")))

static Program *program;
static Fault fault;
static char *base[SPACES];

/* Address of zeroed memory, aligned to 64; 0 if there is none. */
EXPORT("reserve") void *wasm_reserve(double bytes) { return memory_get((int64_t)bytes); }

static bool get_spaces(void) {
  for (int i = PARAMS; i < SPACES; i++) {
    int64_t bytes = program_bytes(program, i);
    base[i] = memory_get(bytes);
    if (!base[i]) return fail(&fault, "NO_MEMORY", "create program: expected %d bytes for inputs and results, got none; use a smaller batch", bytes);
  }
  return true;
}

/* 1, or 0 and a failure. */
EXPORT("create") int wasm_create(const double *plan, int count, const void *constants, int bytes) {
  const Isa *isa = cpu_choose(0, &fault);
  if (isa) program = program_create(plan, count, constants, bytes, 1, isa, &fault);
  return program && get_spaces();
}

/* Address and bytes of a space from PARAMS on. */
EXPORT("space") void *wasm_space(int space) { return base[space]; }
EXPORT("bytes") double wasm_bytes(int space) { return (double)program_bytes(program, space); }

EXPORT("run") void wasm_run(void) { program_run(program, base); }

/* The failure's code and text, each up to its first zero. */
EXPORT("code") const char *wasm_code(void) { return fault.code; }
EXPORT("text") const char *wasm_text(void) { return fault.text; }
