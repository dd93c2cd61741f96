// SPDX-License-Identifier: Apache-2.0
// What is wrong with a file, and where. All complaints are gathered, so a user mends a file in one
// go.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace castgate {

// Counted from 1, as editors do; a column is a character.
struct Place {
  unsigned line = 1;
  unsigned column = 1;
  auto operator<=>(const Place&) const = default;
};

enum class Severity : std::uint8_t { Error, Warning };

struct Complaint {
  Severity severity = Severity::Error;
  std::string file;
  Place place;
  std::string key;  // dotted path from the root; empty where the file as a whole is meant
  std::string what;

  // file:line:column: key: what is wrong
  std::string to_string() const;
};

// Gathers complaints up to a limit; those beyond it are only counted.
class Complaints {
 public:
  static constexpr std::size_t kLimit = 1000;  // of either severity: nobody reads more

  explicit Complaints(std::string file) : file_(std::move(file)) {}

  void error(Place place, std::string key, std::string what);
  void warn(Place place, std::string key, std::string what);

  bool any_error() const noexcept { return !errors_.empty(); }
  std::vector<Complaint> take_errors() { return sorted(std::move(errors_), more_errors_); }
  std::vector<Complaint> take_warnings() { return sorted(std::move(warnings_), more_warnings_); }

 private:
  static std::vector<Complaint> sorted(std::vector<Complaint> all, std::size_t more);

  std::string file_;
  std::vector<Complaint> errors_;
  std::vector<Complaint> warnings_;
  std::size_t more_errors_ = 0;
  std::size_t more_warnings_ = 0;
};

// Where each value stands, by dotted path. Rules find their places here.
class Places {
 public:
  void note(const std::string& path, Place place, bool good) { all_[path] = {place, good}; }

  // The value was given and could be read.
  bool good(const std::string& path) const;
  // The value was given and could not be read: no rule may judge what stands in its stead.
  bool bad(const std::string& path) const;
  // The value's place; where it was not given, that of the map it belongs to.
  Place find(std::string path) const;

 private:
  struct Noted {
    Place place;
    bool good = false;
  };
  std::map<std::string, Noted> all_;
};

// A name as it stands in a dotted path: quoted where it holds a dot itself.
std::string path_step(std::string_view name);

// `text` with a question mark for all that is not printable ASCII.
std::string printable(std::string_view text);

// `text` as a complaint may show it: quoted, cut at 60 characters, nothing a terminal would obey.
std::string shown(std::string_view text);

}  // namespace castgate
