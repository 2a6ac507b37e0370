/* SPDX-License-Identifier: MIT */
/* A program: a kernel plan that was decoded and validated, its memory and its threads. */
#ifndef LOCKSTEP_PROGRAM_H
#define LOCKSTEP_PROGRAM_H
#include "fault.h"
#include "plan.h"

typedef struct {
  int64_t code, count; /* arguments, items among them */
  const int64_t *args;
} Operation;

typedef struct {
  int64_t items, chunk, tasks;
  int64_t operations;
  Operation *first;
} Job;

typedef struct {
  int64_t jobs, tasks;
  Job *first;
} Phase;

typedef struct {
  int64_t bytes[SPACES];
  int64_t values, phases, jobs, operations;
  int64_t *value;
  Phase *phase;
  Job *job;
  Operation *operation;
} Plan;

/* Decodes `count` numbers. Free the plan with plan_free in any case. */
bool plan_decode(Plan *plan, const double *numbers, int64_t count, Fault *fault);
void plan_free(Plan *plan);

/* False, with the first operation's failure, if a run could read or write outside the plan's spaces. */
bool plan_validate(const Plan *plan, Fault *fault);

typedef struct Program Program;

/* 0 and a failure, or a program that was validated; constants are copied. One call at a time for each program. */
Program *program_create(const double *numbers, int64_t count, const void *constants, int64_t bytes, int64_t threads,
                        const Isa *isa, Fault *fault);
void program_destroy(Program *program);

/* Bytes of a space. */
int64_t program_bytes(const Program *program, int space);

/* Runs with the caller's buffers for spaces PARAMS to OUT_C, each of program_bytes, aligned to 4 bytes; those of
 * no bytes are ignored. */
void program_run(Program *program, char *const base[SPACES]);

/* Number of threads from the next run on, the caller's included. Results don't depend on it. */
bool program_set_threads(Program *program, int64_t threads, Fault *fault);

#endif
