// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/node_cli.h"

int main(int argc, char** argv) {
  return castgate::run_node(argc, argv);
}
