// SPDX-License-Identifier: Apache-2.0
// Files that no operator wrote: one line of complaint with its place, bounded work and memory.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include "pipelines/yaml_text.h"
#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_in;

std::string times(std::string_view text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// The tree's size and its complaints, whatever the schema.
struct Parsed {
  Complaints complaints{"f"};
  YamlTree tree;
  explicit Parsed(std::string_view text) : tree(YamlTree::parse(text, complaints)) {}
  std::string errors() { return test::joined(complaints.take_errors()); }
};

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

class TemporaryFile {
 public:
  TemporaryFile() {
    const int file = mkstemp(name_.data());
    EXPECT_GE(file, 0);
    close(file);
  }
  ~TemporaryFile() { std::filesystem::remove(name_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& name() const { return name_; }

 private:
  std::string name_ = std::filesystem::temp_directory_path() / "castgate_text_XXXXXX";
};

TEST(YamlText, empty_file_is_named_as_such) {
  EXPECT_EQ(errors_in(""), "f:1:1: the file is empty");
  EXPECT_EQ(errors_in("# only a comment\n"), "f:1:1: the file is empty");
}

TEST(YamlText, root_that_is_no_map_is_refused) {
  EXPECT_EQ(errors_in("- 1\n"), "f:1:1: expected 'key: value' lines here");
  EXPECT_EQ(errors_in("hello\n"), "f:1:1: expected 'key: value' lines here");
  EXPECT_EQ(errors_in("~\n"), "f:1:1: expected 'key: value' lines here");
}

TEST(YamlText, syntax_error_is_one_line_with_its_place) {
  EXPECT_EQ(errors_in("schema: 1\nports: {red: {device: a}\n"), "f:3:1: end of map flow not found");
  EXPECT_EQ(errors_in("schema: 1\n  ports: 2\n"), "f:2:8: illegal map value");
  EXPECT_EQ(errors_in("a: *nobody\n"), "f:1:4: the referenced anchor is not defined");
}

TEST(YamlText, tab_in_the_indentation_is_refused_at_its_place) {
  EXPECT_EQ(errors_in("schema: 1\nports:\n \tred: 1\n"),
            "f:3:2: tab in the indentation: use spaces");
  EXPECT_EQ(errors_in("\tschema: 1\n"), "f:1:1: tab in the indentation: use spaces");
}

TEST(YamlText, tabs_elsewhere_do_no_harm) {
  EXPECT_EQ(errors_in(test::YamlFile{}.text() + "\t\n\t# a comment\nx-note:\t'a\tb'\n"), "");
}

TEST(YamlText, bytes_that_are_no_text_are_named) {
  EXPECT_EQ(errors_in(std::string("a\0b", 3)), "f:1:2: byte 0x00 is not UTF-8 text");
  EXPECT_EQ(errors_in("a: b\nc: \xff\n"), "f:2:4: byte 0xff is not UTF-8 text");
  EXPECT_EQ(errors_in("\x7f..."), "f:1:1: byte 0x7f is not UTF-8 text");
  EXPECT_EQ(errors_in("\xff\xfe."), "f:1:1: byte 0xff is not UTF-8 text");
  EXPECT_EQ(errors_in("\x1b[31m"), "f:1:1: byte 0x1b is not UTF-8 text");
}

TEST(YamlText, utf8_is_judged_by_rfc_3629) {
  for (const auto* good : {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x93\xa1", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf4\x8f\xbf\xbf", ""}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const auto* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xc3.", "\xe2\x82."}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(YamlText, columns_count_characters_not_bytes) {
  EXPECT_EQ(errors_in("x-\xc3\xa9: 1\n\xc3\xa9\xc3\xa9: \xff"),
            "f:2:5: byte 0xff is not UTF-8 text");
}

TEST(YamlText, second_document_is_refused_where_it_begins) {
  EXPECT_EQ(errors_in(test::YamlFile{}.text() + "---\na: 1\n"),
            "f:8:1: a second document: one per file");
}

TEST(YamlText, duplicate_key_is_an_error_with_its_path) {
  EXPECT_EQ(errors_in(test::YamlFile{}.text() + "schema: 1\n"),
            "f:8:1: schema: duplicate key, first given on line 1");
  const test::YamlFile file{.failover = "max_skew: 5ms, max_skew: 6ms"};
  EXPECT_EQ(test::errors_of(file),
            "f:6:27: streams.s.failover.max_skew: duplicate key, first given on line 6");
}

TEST(YamlText, keys_that_are_no_text_are_refused) {
  EXPECT_EQ(errors_in("? [a]\n: 1\n"), "f:1:3: a key must be text");
  EXPECT_EQ(errors_in("{{a: 1}: 2}\n"), "f:1:2: a key must be text");
}

TEST(YamlText, alias_bomb_of_a_million_nodes_is_not_spelled_out) {
  std::string bomb = "x-0: &a0 [z, z, z, z, z, z, z, z, z, z]\n";
  for (int level = 1; level < 7; ++level) {
    const std::string below = "*a" + std::to_string(level - 1) + ", ";
    bomb += "x-" + std::to_string(level) + ": &a" + std::to_string(level) + " [" +
            times(below, 10) + "]\n";
  }
  Parsed parsed(bomb);
  EXPECT_EQ(parsed.errors(), "f:6:6: aliases spell out more than 300000 values");
  EXPECT_LT(parsed.tree.size(), 100u);
}

TEST(YamlText, alias_of_what_it_is_part_of_is_refused) {
  EXPECT_EQ(errors_in("x-a: &a [1, *a]\n"), "f:1:13: alias of the value that it is part of");
}

TEST(YamlText, aliases_work_and_share_their_node) {
  test::YamlFile file{.failover = "max_skew: &m 7ms, epoch_hold: *m"};
  const Reading reading = read_spec_text(file.text(), "f");
  ASSERT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(reading.spec.streams[0].failover.epoch_hold, std::chrono::milliseconds(7));
}

TEST(YamlText, number_of_values_is_bounded) {
  Parsed parsed(times("- a\n", 290'000) + "- [" + times("a, ", 100'000) + "]");
  EXPECT_EQ(parsed.errors(), "f:290001:29998: more than 300000 values");
  EXPECT_EQ(parsed.tree.size(), kMaxYamlNodes);
  EXPECT_EQ(parsed.tree.root(), nullptr);
}

TEST(YamlText, brackets_lines_and_depth_are_bounded) {
  EXPECT_EQ(errors_in(times("[", 4'000'000)), "f:1:300001: more than 300000 brackets and commas");
  EXPECT_EQ(errors_in(times("{a: ", 300'001)), "f:1:1200001: more than 300000 brackets and commas");
  EXPECT_EQ(errors_in(times("a\n", 2'000'000)), "f:300001:1: more than 300000 lines");
  EXPECT_EQ(errors_in(times("- ", 2'000'000)), "f:1:65: nested deeper than 32");
  EXPECT_EQ(errors_in("x-deep: " + times("[", 1000) + times("]", 1000)),
            "f:1:40: nested deeper than 32");
}

TEST(YamlText, file_of_a_gigabyte_is_refused_after_its_first_megabytes) {
  const TemporaryFile file;
  std::filesystem::resize_file(file.name(), 1ull << 30);
  const long before = peak_kilobytes();
  const Reading reading = read_spec(file.name());
  EXPECT_EQ(test::joined(reading.errors), file.name() + ":1:1: larger than 4 MiB");
  EXPECT_LT(peak_kilobytes() - before, 64 * 1024);
}

TEST(YamlText, file_of_exactly_the_limit_is_read) {
  const TemporaryFile file;
  std::string text = test::YamlFile{}.text() + "# ";
  text += std::string(kMaxFileBytes - text.size(), '.');
  std::ofstream(file.name()) << text;
  EXPECT_EQ(test::joined(read_spec(file.name()).errors), "");
  std::ofstream(file.name(), std::ios::app) << '.';
  EXPECT_EQ(test::joined(read_spec(file.name()).errors), file.name() + ":1:1: larger than 4 MiB");
}

TEST(YamlText, file_that_cannot_be_read_says_why) {
  EXPECT_EQ(test::joined(read_spec("/nowhere/a.yaml").errors),
            "/nowhere/a.yaml:1:1: cannot be opened: No such file or directory");
  EXPECT_EQ(test::joined(read_spec("/").errors), "/:1:1: cannot be read: Is a directory");
}

TEST(YamlText, complaints_never_carry_what_a_terminal_obeys) {
  const std::string errors = errors_in("schema: 1\n\"bad\\e[2Jkey\": 1\nports: {}\n");
  EXPECT_EQ(errors.find('\x1b'), std::string::npos);
  EXPECT_NE(errors.find("f:2:1: 'bad?[2Jkey': unknown key"), std::string::npos) << errors;
}

// The library puts the character that it stopped at into its message: at the end a control.
TEST(YamlText, file_that_ends_within_an_escape_is_told_in_printable_text) {
  EXPECT_EQ(errors_in("\"i \\"), "f:1:6: unknown escape character: ?");
}

TEST(YamlText, complaints_are_sorted_and_bounded) {
  std::string text = "schema: 1\nports: {p: {device: d}}\n";
  for (int i = 0; i < 2000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  const Reading reading = read_spec_text(text, "f");
  ASSERT_EQ(reading.errors.size(), Complaints::kLimit + 1);
  EXPECT_TRUE(std::ranges::is_sorted(reading.errors, {}, &Complaint::place));
  EXPECT_EQ(reading.errors.back().to_string(), "f:1002:1: and 1000 more");
}

}  // namespace
}  // namespace castgate
