/** The functions of addon.d.cts, which says what each does. */

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "environment.h"
#include "js.h"
#include "monitor.h"
#include "netns.h"

namespace addon {

namespace {

OpenOptions openOptions(Arguments& arguments) {
  const napi_value object = arguments[0];
  OpenOptions options;
  options.protocol = static_cast<int>(arguments.integer(object, "protocol", -1));
  options.netns = static_cast<int>(arguments.integer(object, "netns", -1));
  options.groups = arguments.integers(object, "groups");
  options.receiveBuffer = static_cast<int>(arguments.integer(object, "receiveBuffer", 0));
  options.sendBuffer = static_cast<int>(arguments.integer(object, "sendBuffer", 0));
  options.destination = static_cast<uint32_t>(arguments.integer(object, "destination", 0));
  if (options.protocol < 0) arguments.refuse("ERR_INVALID_ARG_TYPE", "protocol must be a number from 0", napi_throw_type_error);
  return options;
}

napi_value open(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const OpenOptions options = openOptions(arguments);
  if (!arguments.ok()) return nullptr;

  Socket socket;
  const Failure failure = Socket::open(options, socket);
  Object opened(env);
  opened.set(failure).set("portId", double(socket.portId()));
  opened.set("receiveBuffer", double(socket.bufferSize(SO_RCVBUF))).set("sendBuffer", double(socket.bufferSize(SO_SNDBUF)));
  if (!failure) opened.set("socket", Handle::wrap(*arguments.environment, std::move(socket)));
  return opened.get();
}

/** `buffer` is what the request lies in, or null. */
napi_value submit(Arguments& arguments, Handle* handle, std::unique_ptr<Job> job, napi_value buffer) {
  if (!arguments.ok()) return nullptr;
  if (handle->monitor != nullptr)
    return arguments.refuse("ERR_SOCKET_IN_USE", "The socket is subscribed: open another one for requests");
  napi_value promise;
  if (buffer != nullptr && !(job->buffer = Reference(arguments.env, buffer))) return nullptr;
  if (napi_create_promise(arguments.env, &job->deferred, &promise) != napi_ok) return nullptr;
  job->handle = handle;
  arguments.environment->submit(std::move(job));
  return promise;
}

napi_value exchange(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  auto job = std::make_unique<Job>(Job::Kind::exchange);
  Handle* handle = arguments.socket(0);
  job->request = arguments.bytes(1, "request");
  job->last = static_cast<uint32_t>(arguments.integer(2, "last"));
  job->timeout = arguments.milliseconds(3, "timeout");
  return submit(arguments, handle, std::move(job), arguments[1]);
}

napi_value page(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  auto job = std::make_unique<Job>(Job::Kind::page);
  Handle* handle = arguments.socket(0);
  const bool goOn = arguments.isNull(1);
  if (!goOn) job->request = arguments.bytes(1, "request");
  job->last = static_cast<uint32_t>(arguments.integer(2, "last"));
  job->size = static_cast<size_t>(std::max<int64_t>(arguments.integer(3, "size"), 1));
  job->timeout = arguments.milliseconds(4, "timeout");
  return submit(arguments, handle, std::move(job), goOn ? nullptr : arguments[1]);
}

napi_value dumpMany(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  auto job = std::make_unique<Job>(Job::Kind::dumpMany);
  Handle* handle = arguments.socket(0);
  job->request = arguments.bytes(1, "requests");
  job->timeout = arguments.milliseconds(2, "timeout");
  if (!Transaction::wellFormed(job->request))
    arguments.refuse("ERR_OUT_OF_RANGE", "requests must be whole netlink messages: an nlmsg_len is wrong",
                     napi_throw_range_error);
  return submit(arguments, handle, std::move(job), arguments[1]);
}

napi_value subscribe(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Handle* handle = arguments.socket(0);
  const napi_value callback = arguments.function(1, "onDatagrams");
  if (!arguments.ok()) return nullptr;
  if (handle->busy()) return arguments.refuse("ERR_SOCKET_IN_USE", "The socket is subscribed or has requests in flight");
  Monitor::start(*handle, callback);
  return nullptr;
}

Monitor* monitorOf(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const Handle* handle = arguments.socket(0);
  return arguments.ok() ? handle->monitor : nullptr;
}

napi_value ref(napi_env env, napi_callback_info info) {
  if (Monitor* monitor = monitorOf(env, info)) monitor->ref();
  return nullptr;
}

napi_value unref(napi_env env, napi_callback_info info) {
  if (Monitor* monitor = monitorOf(env, info)) monitor->unref();
  return nullptr;
}

napi_value membership(Arguments& arguments, int option) {
  const Handle* handle = arguments.socket(0);
  const int group = static_cast<int>(arguments.integer(1, "group"));
  return arguments.ok() ? number(arguments.env, handle->socket.membership(option, group)) : nullptr;
}

napi_value join(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  return membership(arguments, NETLINK_ADD_MEMBERSHIP);
}

napi_value leave(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  return membership(arguments, NETLINK_DROP_MEMBERSHIP);
}

napi_value close(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Handle* handle = arguments.anySocket(0);
  napi_deferred deferred;
  napi_value promise;
  if (!arguments.ok() || napi_create_promise(env, &deferred, &promise) != napi_ok) return nullptr;
  handle->close(deferred);
  return promise;
}

napi_value namespaceOf(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const Handle* handle = arguments.socket(0);
  return arguments.ok() ? number(env, handle->socket.namespaceOf()) : nullptr;
}

napi_value openIn(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int netns = static_cast<int>(arguments.integer(0, "netns"));
  const std::string path = arguments.string(1, "path");
  const int flags = static_cast<int>(arguments.integer(2, "flags"));
  if (!arguments.ok()) return nullptr;

  int fd = -1;
  const int refused = inNamespace(netns, [&] {
    fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0) fd = -errno;
  });
  return Object(env).set("fd", double(refused != 0 ? -refused : fd)).set("entered", refused == 0).get();
}

napi_value init(napi_env env, napi_value exports) {
  Environment* environment = Environment::create(env);
  if (environment == nullptr) return nullptr;
  const std::pair<const char*, napi_callback> functions[] = {
      {"open", open},   {"exchange", exchange}, {"page", page},     {"dumpMany", dumpMany},
      {"ref", ref},     {"unref", unref},       {"join", join},     {"subscribe", subscribe},
      {"leave", leave}, {"close", close},       {"openIn", openIn}, {"namespaceOf", namespaceOf},
  };
  for (const auto& [name, function] : functions) {
    napi_value value;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, environment, &value) != napi_ok ||
        napi_set_named_property(env, exports, name, value) != napi_ok)
      return nullptr;
  }
  return exports;
}

}  // namespace

}  // namespace addon

NAPI_MODULE_INIT() { return addon::init(env, exports); }
