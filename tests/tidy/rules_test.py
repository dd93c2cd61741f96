# SPDX-License-Identifier: Apache-2.0
"""Every rule fires on a small tree that breaks it, and is silent on one that keeps it."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import clang_tidy
import completeness
import format as clang_format
import headers
import layering
import licence
import one_definition
import orphans
import readme
import scripts
import sizes
import test_names
import words

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
REASONS = 'constexpr T kTable{{{"runt", "classify", "too short"}}};\n'
STAGE = {
    "dataplane/contract/drop_reason.h": REASONS,
    "dataplane/classify/classify.cc": "drop(DropReason::Runt);\n",
    "dataplane/classify/classify.h": "",
    "tests/unit/classify_test.cc": '#include "dataplane/classify/classify.h"\n// Runt\n',
    "tests/replay/classify.yaml": "a classify case, replays hitless.yaml\n",
    "tests/replay/cases.py": "'classify', 'hitless'\n",
    "pipelines/hitless.yaml": "",
    "pipelines/reference.md": "classify runt\n",
}


class Tree(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.place.name).resolve()
        self.addCleanup(self.place.cleanup)

    def plant(self, tree):
        for file, text in tree.items():
            path = self.root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def fires(self, rule, tree, *expected, build=None):
        """Each expected text is in a complaint of its own, and there are no others."""
        self.plant(tree)
        found = rule.complaints(self.root, build)
        self.assertEqual(len(found), len(expected), found)
        for text in expected:
            self.assertTrue(any(text in line for line in found), f"{text} not in {found}")


class Layering(Tree):
    def test_room_may_not_look_up(self):
        self.fires(layering, {
            "dataplane/base/a.h": '#include "dataplane/contract/spec.h"\n',
            "pipelines/a.cc": '#include "dataplane/stage.h"\n#include "dataplane/base/a.h"\n',
            "dataplane/x/a.cc": '#include "controlplane/main.h"\n#include "drivers/port.h"\n',
        }, "base/a.h:1", "pipelines/a.cc:1", "dataplane/x/a.cc:1")

    def test_dpdk_stays_in_its_rooms(self):
        self.fires(layering, {
            "controlplane/a.cc": "#include <rte_mbuf.h>\n",
            "drivers/a.cc": "#include <rte_mbuf.h>\n",
            "pipelines/meson.build": "# no dpdk here\nx = library('x', dependencies: dpdk)\n",
        }, "controlplane/a.cc:1", "pipelines/meson.build:2")

    def test_header_without_room_is_named(self):
        self.fires(layering, {"drivers/a.cc": '#include "port.h"\n'}, "port.h is no path")


class Completeness(Tree):
    def test_finished_stage_is_left_in_peace(self):
        self.fires(completeness, STAGE)

    def test_each_missing_piece_is_named(self):
        for gone, expected in {
            "tests/unit/classify_test.cc": ["no unit test", "no test names drop reason runt"],
            "pipelines/reference.md": ["does not name this stage", "runt is not in"],
        }.items():
            tree = {file: text for file, text in STAGE.items() if file != gone}
            with self.subTest(gone=gone):
                self.setUp()
                self.fires(completeness, tree, *expected)

    def test_stage_without_replay_is_named(self):
        tree = STAGE | {"tests/replay/classify.yaml": "", "tests/replay/cases.py": "'hitless'\n"}
        self.fires(completeness, tree, "no replay case")

    def test_reason_nobody_gives_is_named(self):
        tree = STAGE | {"dataplane/classify/classify.cc": "\n"}
        self.fires(completeness, tree, "runt is never given")

    def test_reason_without_its_stage_is_named(self):
        tree = STAGE | {"dataplane/contract/drop_reason.h": REASONS + '{"mtu", "replicate", ""}\n'}
        self.fires(completeness, tree, "there is no stage replicate")

    def test_example_nobody_replays_is_named(self):
        self.fires(completeness, STAGE | {"pipelines/restamp.yaml": ""}, "pipelines/restamp.yaml")


class Orphans(Tree):
    def test_source_that_nothing_builds_is_named(self):
        self.fires(orphans, {
            "drivers/meson.build": "library('drivers', files('a.cc', 'deep/b.cc'))\n",
            "drivers/a.cc": "", "drivers/deep/b.cc": "", "drivers/c.cc": "",
            "tests/unit/meson.build": "tests = {\n  'a': [],\n}\n",
            "tests/unit/a_test.cc": "", "tests/unit/ab_test.cc": "",
        }, "drivers/c.cc", "tests/unit/ab_test.cc")


class Sizes(Tree):
    def test_long_file_and_long_line_are_named(self):
        self.fires(sizes, {"drivers/a.cc": "x\n" * 301, "drivers/b.cc": "x\n" * 300,
                           "tests/a.py": "x" * 101 + "\n"}, "301 lines", "101 columns")

    def test_blanks_at_the_end_are_named(self):
        self.fires(sizes, {"tests/a.sh": "true \n", "tests/b.sh": "\ttrue\n"}, "a.sh:1", "b.sh:1")


class Words(Tree):
    def test_unfinished_work_is_named(self):
        self.fires(words, {"tests/a.cc": "// TODO\n// not implemented\n// HACKSAW\n"},
                   "a.cc:1", "a.cc:2")

    def test_paths_of_one_machine_are_named(self):
        self.fires(words, {"tests/a.sh": "cd /work/x\ncd ${TMPDIR:-/tmp}/x\ncd build/work/x\n"},
                   "a.sh:1")

    def test_worker_neither_prints_nor_locks_nor_throws(self):
        self.fires(words, {
            "dataplane/x/a.cc": "std::cout\nstd::mutex m;\nthrow 1;\nrte_pktmbuf_clone(p);\n",
            "controlplane/a.cc": "std::cout\nstd::mutex m;\nthrow 1;\n",
            "drivers/a.cc": "std::cerr\nthrow 1;\n",
        }, "a.cc:1", "a.cc:2", "a.cc:3", "a.cc:4", "drivers/a.cc:1")

    def test_page_that_is_not_here_is_named(self):
        self.fires(words, {"tests/a.cc": "// failover.md 3\n// pipelines/reference.md\n",
                           "pipelines/reference.md": "see reference.md\n"}, "a.cc:1")


class Licence(Tree):
    def test_missing_first_lines_are_named(self):
        good = SPDX.replace("//", "#")
        self.fires(licence, {"tests/a.h": SPDX, "tests/b.h": SPDX + "#pragma once\n",
                             "tests/a.py": "#!/usr/bin/env python3\n" + good, "tests/b.py": "\n"},
                   "a.h:1: no #pragma once", "b.py:1: does not begin")


class TestNames(Tree):
    def test_name_that_is_no_sentence_is_named(self):
        self.fires(test_names, {"tests/unit/a_test.cc": "TEST(MergeTest, works) {}\n"
                                "TEST_F(MergeTest, a_gap_closes) {}\n"
                                "TEST_P(merge_test, ItClosesAGap) {}\n",
                                "tests/a.py": "    def test_" + "x(self):\n"},
                   "works is no sentence", "ItClosesAGap is no", "suite merge_test", "x is no")

    def test_name_in_a_table_that_no_test_has_is_named(self):
        self.fires(test_names, {"tests/unit/a_test.cc": "TEST(MergeTest, a_gap_closes_early) {}\n",
                                "pipelines/a.md": "`a_gap_closes_early` `a_gap_closes_too_late`\n"
                                "`tests/unit/a_test.cc` `tests/live/none.sh`\n"},
                   "no test is called a_gap_closes_too_late", "a.md:2: there is no tests/live/none")


class Judges(Tree):
    def plant_build(self, file):
        self.build = self.root / "build"
        self.plant({"build/compile_commands.json": json.dumps([
            {"directory": str(self.root), "file": file,
             "command": f"c++ -std=c++20 -I. -o x.o -c {file}"}])})

    def test_untidy_format_is_named(self):
        self.fires(clang_format, {"drivers/a.cc": "int  a;\n", "drivers/b.cc": "int b;\n"},
                   "drivers/a.cc:1")

    def test_header_that_needs_another_is_named(self):
        self.plant_build("drivers/a.cc")
        self.fires(headers, {"drivers/a.h": "inline std::string a;\n",
                             "drivers/b.h": "#include <string>\ninline std::string b;\n",
                             "drivers/a.cc": '#include "drivers/b.h"\n'},
                   "drivers/a.h:1", build=self.build)

    def test_header_of_its_source_is_left_to_the_build(self):
        self.plant_build("drivers/a.cc")
        bad = "inline std::string a;\n"
        self.fires(headers, {"drivers/a.h": bad, "drivers/a.cc": '#include "drivers/a.h"\n'},
                   build=self.build)
        self.fires(headers, {"drivers/a.cc": '#include <string>\n#include "drivers/a.h"\n'},
                   "drivers/a.h:1", build=self.build)

    def test_type_of_two_headers_is_named(self):
        self.fires(one_definition, {
            "drivers/a.h": "namespace castgate {\nstruct Found {\n  struct In {};\n};\n"
                           "}  // namespace castgate\n",
            "drivers/b.h": "namespace castgate {\nclass Found final : public A {\n};\n"
                           "enum class Found;\n}  // namespace castgate\n",
            "tests/c.h": "namespace castgate::test {\nstruct Found {\n  struct In {};\n};\n"
                         "}  // namespace castgate::test\n"}, "drivers/b.h:2")

    def test_clang_tidy_judges_again_what_changed(self):
        self.plant_build("drivers/a.cc")
        self.plant({".clang-tidy": "Checks: '-*,modernize-use-nullptr'\nWarningsAsErrors: '*'\n"})
        bad = {"drivers/a.cc": '#include "drivers/b.h"\n', "drivers/b.h": "inline int* p = 0;\n"}
        self.plant({".clang-tidy": (self.root / ".clang-tidy").read_text()
                    + "HeaderFilterRegex: 'drivers/'\n"})
        self.fires(clang_tidy, bad, "drivers/b.h:1", build=self.build)
        self.fires(clang_tidy, {"drivers/b.h": "inline int* p = nullptr;\n"}, build=self.build)
        self.fires(clang_tidy, bad, "drivers/b.h:1", build=self.build)

    def test_broken_scripts_are_named(self):
        self.fires(scripts, {"tests/a.sh": "if true\n", "tests/a.py": "def\n",
                             "deploy/b": "plain text\n"}, "tests/a.py:1", "a.sh: line 2")


class Readme(Tree):
    def test_blocks_of_commands_are_found(self):
        self.plant({"README.md": "```sh\ndeploy/test.sh\n```\n```text\nrm x\n```\n"
                    "```sh\n# says\nbuild/castgate check a.yaml\ntrue\n```\n"
                    "```sh root\nfalse\n```\n"})
        found = readme.blocks(self.root / "README.md")
        self.assertEqual([root for root, _ in found], [False, True])
        self.assertEqual(readme.name(found[0][1]), "build/castgate_check_a.yaml")

    def test_failing_command_fails_its_block(self):
        self.plant({"README.md": "```sh\nfalse\ntrue\n```\n```sh\ntrue\n```\n"})
        self.assertEqual([readme.main(self.root / "README.md", "run", n) for n in (0, 1)], [1, 0])


if __name__ == "__main__":
    unittest.main()
