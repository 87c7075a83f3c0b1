#pragma once

namespace addon {

/**
 * Runs `work` on a short-lived thread that has entered the network namespace: setns is per thread, and no other thread may stay
 * there. Returns 0, or the errno that kept it from entering (then `work` did not run).
 */
int inNamespace(int netns, void (*work)(void*), void* argument);

template <typename Work>
int inNamespace(int netns, Work work) {
  return inNamespace(
      netns, [](void* argument) { (*static_cast<Work*>(argument))(); }, &work);
}

}  // namespace addon
