/* SPDX-License-Identifier: MIT */
#include "fault.h"
#include <stdarg.h>
#include <stddef.h>

typedef struct {
  char *at, *end;
} Writer;

static void put(Writer *w, char c) {
  if (w->at < w->end) *w->at++ = c;
}

static void put_text(Writer *w, const char *text) {
  while (*text) put(w, *text++);
}

static void put_number(Writer *w, int64_t value) {
  char digits[20];
  int n = 0;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do digits[n++] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (value < 0) put(w, '-');
  while (n) put(w, digits[--n]);
}

static void put_format(Writer *w, const char *format, va_list values) {
  for (; *format; format++) {
    if (*format != '%') {
      put(w, *format);
      continue;
    }
    if (*++format == 's') put_text(w, va_arg(values, const char *));
    else put_number(w, va_arg(values, int64_t));
  }
}

bool fail(Fault *f, const char *code, const char *format, ...) {
  if (f->code[0]) return false;
  Writer name = {f->code, f->code + FAULT_CODE - 1}, text = {f->text, f->text + FAULT_TEXT - 1};
  va_list values;
  va_start(values, format);
  put_text(&name, code);
  put_format(&text, format, values);
  va_end(values);
  *name.at = *text.at = 0;
  return false;
}
