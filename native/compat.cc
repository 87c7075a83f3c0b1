#include <cstdlib>

/**
 * The containers of GCC 11 and later call this, and only their libstdc++ has it: a machine that runs Node 20 may have an older
 * one. It is reached when a size overflows, which none of ours can.
 */
namespace std {
void __throw_bad_array_new_length() { abort(); }
}  // namespace std
