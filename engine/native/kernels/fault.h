/* SPDX-License-Identifier: MIT */
/* Failure of a call: a code for programs and a sentence for people. Written without a C library. */
#ifndef LOCKSTEP_FAULT_H
#define LOCKSTEP_FAULT_H
#include <stdbool.h>
#include <stdint.h>

enum { FAULT_CODE = 24, FAULT_TEXT = 480 };

typedef struct {
  char code[FAULT_CODE]; /* BAD_PLAN, BAD_INPUT, NO_MEMORY, NO_THREAD, UNSUPPORTED_CPU, DISPOSED; empty: no failure */
  char text[FAULT_TEXT];
} Fault;

/* Writes a failure unless one is there already; always gives false. The format knows %s (const char *) and %d (int64_t).
 * A text that is too long is cut. */
bool fail(Fault *f, const char *code, const char *format, ...);

#endif
