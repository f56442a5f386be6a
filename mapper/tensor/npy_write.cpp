// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <string_view>

#include "mapper/tensor/tensor.h"
#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::tensor {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

std::string header_for(const Shape& dimensions, std::size_t type) {
  static constexpr const char* kNames[] = {"<f4", "<i8", "<i4", "|i1", "|u1", "<f8"};  // in the order of Data
  std::string shape = "(";
  for (const std::int64_t dimension : dimensions) shape += std::to_string(dimension) + ",";
  if (dimensions.size() > 1) shape.pop_back();
  std::string text =
      std::string("{'descr': '") + kNames[type] + "', 'fortran_order': False, 'shape': " + shape + "), }";
  const std::size_t prefix = kMagic.size() + 4;
  text.append(63 - (prefix + text.size()) % 64, ' ');  // data starts at a multiple of 64
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  return std::string(kMagic) + '\x01' + '\x00' + static_cast<char>(length & 0xFF) +
         static_cast<char>(length >> 8) + text;
}

[[noreturn]] void unwritable(const std::string& path) {
  throw base::UsageError({path, "cannot be written", "a file that can be written to, and room for it", ""});
}

}  // namespace

void save_npy(const std::string& path, const Tensor& tensor) {
  std::string bytes = header_for(tensor.shape, tensor.data.index());
  std::visit(
      [&](const auto& values) {
        BITLINE_CHECK(static_cast<std::int64_t>(values.size()) == tensor.size());
        bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
      },
      tensor.data);
  base::write_file_atomically(path, bytes);
}

struct NpyWriter::Impl {
  std::string path;
  std::string temporary;
  std::ofstream file;
  std::int64_t part = 0;  ///< elements
  std::int64_t parts = 0;
  std::size_t type = 0;
  std::size_t start = 0;  ///< of the data, in bytes
};

NpyWriter::NpyWriter(const std::string& path, std::int64_t parts, const Tensor& like)
    : impl_(std::make_unique<Impl>()) {
  Shape shape = like.shape;
  if (shape.empty())
    shape = {parts};
  else
    shape.front() *= parts;
  const std::string header = header_for(shape, like.data.index());
  impl_->path = path;
  impl_->temporary = path + ".part";
  impl_->part = like.size();
  impl_->parts = parts;
  impl_->type = like.data.index();
  impl_->start = header.size();
  impl_->file.open(impl_->temporary, std::ios::binary | std::ios::trunc);
  impl_->file.write(header.data(), static_cast<std::streamsize>(header.size()));
  if (!impl_->file) unwritable(path);
}

NpyWriter::~NpyWriter() {
  if (!impl_ || impl_->temporary.empty()) return;
  impl_->file.close();
  std::error_code error;
  std::filesystem::remove(impl_->temporary, error);
}

void NpyWriter::write(std::int64_t index, const Tensor& tensor) {
  BITLINE_CHECK(index >= 0 && index < impl_->parts && tensor.size() == impl_->part &&
                tensor.data.index() == impl_->type);
  std::visit(
      [&](const auto& values) {
        const std::size_t bytes = values.size() * sizeof(values[0]);
        impl_->file.seekp(
            static_cast<std::streamoff>(impl_->start + static_cast<std::size_t>(index) * bytes));
        impl_->file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(bytes));
      },
      tensor.data);
  if (!impl_->file) unwritable(impl_->path);
}

void NpyWriter::finish() {
  impl_->file.close();
  std::error_code error;
  if (impl_->file) std::filesystem::rename(impl_->temporary, impl_->path, error);
  if (!impl_->file || error) unwritable(impl_->path);
  impl_->temporary.clear();
}

}  // namespace bitline::tensor
