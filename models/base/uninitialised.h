// SPDX-License-Identifier: Apache-2.0
// Vectors for what is written right after it was allocated: large ones would pass through memory twice.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitline::base {

/// As std::allocator, on `alignment` bytes; elements without a value given keep what the memory held.
template <class T, std::size_t alignment = alignof(T)>
struct UninitialisedAllocator {
  using value_type = T;
  template <class U>
  struct rebind {
    using other = UninitialisedAllocator<U, alignment>;
  };

  UninitialisedAllocator() = default;
  template <class U>
  explicit(false) UninitialisedAllocator(const UninitialisedAllocator<U, alignment>& /*other*/) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(alignment)));
  }
  void deallocate(T* memory, std::size_t /*count*/) noexcept {
    ::operator delete(memory, std::align_val_t(alignment));
  }
  template <class U, class... Arguments>
  void construct(U* at, Arguments&&... arguments) {
    static_assert(std::is_trivial_v<U>);
    if constexpr (sizeof...(Arguments) == 0)
      ::new (static_cast<void*>(at)) U;
    else
      ::new (static_cast<void*>(at)) U(std::forward<Arguments>(arguments)...);
  }
  friend bool operator==(const UninitialisedAllocator&, const UninitialisedAllocator&) { return true; }
};

/// resize() leaves new elements, which are numbers or the like, without a value.
template <class T, std::size_t alignment = alignof(T)>
using UninitialisedVector = std::vector<T, UninitialisedAllocator<T, alignment>>;

}  // namespace bitline::base
