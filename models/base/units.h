// SPDX-License-Identifier: Apache-2.0
// Strong types for physical quantities. Time is an integer number of femtoseconds (the resolution of the
// simulation kernel), everything else a double in its SI unit, except area, which is in mm2 (the unit of
// every published table).
#pragma once

#include <compare>
#include <cstdint>

namespace bitline::base {

/// A double with a dimension. `Tag` only tells the dimensions apart.
template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}
  /// The number in the unit of the dimension (J, W, mm2, Hz, V, ohm).
  [[nodiscard]] constexpr double value() const { return value_; }

  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator*(Quantity a, double b) { return Quantity(a.value_ * b); }
  friend constexpr Quantity operator*(double a, Quantity b) { return Quantity(a * b.value_); }
  friend constexpr Quantity operator/(Quantity a, double b) { return Quantity(a.value_ / b); }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }
  friend constexpr auto operator<=>(Quantity a, Quantity b) = default;

 private:
  double value_ = 0.0;
};

using Energy = Quantity<struct EnergyTag>;          ///< joule
using Power = Quantity<struct PowerTag>;            ///< watt
using Area = Quantity<struct AreaTag>;              ///< mm2
using Frequency = Quantity<struct FrequencyTag>;    ///< hertz (also samples per second)
using Voltage = Quantity<struct VoltageTag>;        ///< volt
using Resistance = Quantity<struct ResistanceTag>;  ///< ohm

/// A point in time or a duration, in whole femtoseconds (up to about 2.5 hours).
class Time {
 public:
  constexpr Time() = default;
  [[nodiscard]] static constexpr Time from_fs(std::int64_t fs) {
    Time t;
    t.fs_ = fs;
    return t;
  }
  [[nodiscard]] static constexpr Time from_ns(std::int64_t ns) { return from_fs(ns * 1'000'000); }
  /// The nearest femtosecond.
  [[nodiscard]] static constexpr Time from_seconds(double s) {
    return from_fs(static_cast<std::int64_t>(s * 1e15 + (s < 0 ? -0.5 : 0.5)));
  }
  [[nodiscard]] constexpr std::int64_t fs() const { return fs_; }
  [[nodiscard]] constexpr double seconds() const { return static_cast<double>(fs_) * 1e-15; }

  constexpr Time& operator+=(Time other) {
    fs_ += other.fs_;
    return *this;
  }
  friend constexpr Time operator+(Time a, Time b) { return from_fs(a.fs_ + b.fs_); }
  friend constexpr Time operator-(Time a, Time b) { return from_fs(a.fs_ - b.fs_); }
  friend constexpr Time operator*(Time a, std::int64_t b) { return from_fs(a.fs_ * b); }
  friend constexpr Time operator*(std::int64_t a, Time b) { return from_fs(a * b.fs_); }
  friend constexpr auto operator<=>(Time a, Time b) = default;

 private:
  std::int64_t fs_ = 0;
};

[[nodiscard]] constexpr Energy operator*(Power p, Time t) {
  return Energy(p.value() * t.seconds());
}
[[nodiscard]] constexpr Power operator/(Energy e, Time t) {
  return Power(e.value() / t.seconds());
}
/// The energy of one action of a part that burns `p` while it does `rate` actions per second.
[[nodiscard]] constexpr Energy operator/(Power p, Frequency rate) {
  return Energy(p.value() / rate.value());
}

/// The clock period, rounded to a femtosecond.
[[nodiscard]] constexpr Time period(Frequency f) {
  return Time::from_seconds(1.0 / f.value());
}
/// The first edge at or after `t` of a clock of period `p` that has an edge at time zero. A zero period
/// means self-timed: `t` itself.
[[nodiscard]] constexpr Time align_up(Time t, Time p) {
  if (p.fs() <= 0) return t;
  return Time::from_fs((t.fs() + p.fs() - 1) / p.fs() * p.fs());
}

}  // namespace bitline::base
