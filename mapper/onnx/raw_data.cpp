// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/raw_data.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace bitline::onnx {

void RawData::read(std::size_t first, void* to, std::size_t count) const {
  if (count == 0) return;
  if (descriptor_ < 0) {
    std::memcpy(to, memory_.data() + first, count);
    return;
  }
  auto* at = static_cast<char*>(to);
  for (std::size_t done = 0; done < count;) {
    const ssize_t got =
        ::pread(descriptor_, at + done, count - done, static_cast<off_t>(offset_ + first + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw std::invalid_argument("its values cannot be read; the file has become shorter");
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace bitline::onnx
