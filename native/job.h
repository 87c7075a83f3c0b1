#pragma once

#include <node_api.h>

#include "js.h"
#include "transaction.h"

namespace addon {

class Handle;

/** One call of `exchange`, `page` or `dumpMany`: made and settled on the JavaScript thread, run on a worker's. */
struct Job {
  enum class Kind { exchange, page, dumpMany };

  explicit Job(Kind kind) : kind(kind) {}

  const Kind kind;
  Handle* handle = nullptr;
  Bytes request;
  /** Keeps the memory of `request`, which is never copied. Empty when there is nothing to send. */
  Reference buffer;
  uint32_t last = 0;
  size_t size = SIZE_MAX;
  uint32_t timeout = 0;

  napi_deferred deferred = nullptr;
  Reply reply;

  void run(const Socket& socket, Scratch& scratch, const Cancellation& cancellation) {
    Transaction transaction(socket, scratch, cancellation, timeout);
    if (kind == Kind::dumpMany)
      transaction.dumpMany(request);
    else if (!buffer || transaction.send(request))
      transaction.receive(last, size);
    reply = transaction.take();
  }
};

}  // namespace addon
