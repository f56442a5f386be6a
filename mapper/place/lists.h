// SPDX-License-Identifier: Apache-2.0
// Lists of a placed program. It has thousands of them, most with one or two elements: what a list takes from
// the heap would cost more than all else that is done with it.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace bitline::place {

/// A vector that keeps up to `Usual` elements in itself.
template <class T, std::size_t Usual = 2>
using Few = boost::container::small_vector<T, Usual>;

/// A vector that copies share until one of them is changed.
template <class T>
class Shared {
 public:
  Shared() = default;
  Shared(std::initializer_list<T> elements) : Shared(std::vector<T>(elements)) {}
  explicit Shared(std::vector<T> elements)
      : elements_(std::make_shared<std::vector<T>>(std::move(elements))) {}

  [[nodiscard]] std::size_t size() const { return elements_ ? elements_->size() : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const T* data() const { return elements_ ? elements_->data() : nullptr; }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return begin() + size(); }
  [[nodiscard]] const T& front() const { return elements_->front(); }
  [[nodiscard]] const T& operator[](std::size_t i) const { return (*elements_)[i]; }

  /// To be changed: no other copy sees it.
  [[nodiscard]] std::vector<T>& own() {
    if (!elements_) {
      elements_ = std::make_shared<std::vector<T>>();
    } else if (elements_.use_count() > 1) {
      elements_ = std::make_shared<std::vector<T>>(*elements_);
    }
    return *elements_;
  }

 private:
  std::shared_ptr<std::vector<T>> elements_;
};

}  // namespace bitline::place
