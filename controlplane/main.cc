// SPDX-License-Identifier: Apache-2.0
#include "controlplane/commands/cli.h"

int main(int argc, char** argv) {
  return castgate::run_cli(argc, argv);
}
