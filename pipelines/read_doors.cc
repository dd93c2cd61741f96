// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {
namespace {

TlsSpec read_tls(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  TlsSpec tls;
  Section section(node, path, context);
  section.read("cert", tls.cert);
  section.read("key", tls.key);
  section.finish();
  return tls;
}

RestDoorSpec read_rest(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  RestDoorSpec rest;
  Section section(node, path, context);
  section.read("listen", rest.listen);
  if (const YamlNode* tls = section.child("tls")) {
    rest.tls = read_tls(*tls, section.path().key("tls"), context);
  }
  section.read_list("allow", rest.allow);
  section.read("tokens", rest.tokens);
  section.read("lease", rest.lease);
  section.read("clients_per_address", rest.clients_per_address);
  section.read("joins_per_second", rest.joins_per_second);
  section.finish();
  return rest;
}

MetricsDoorSpec read_metrics(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  MetricsDoorSpec metrics;
  Section section(node, path, context);
  section.read("listen", metrics.listen);
  section.read_list("allow", metrics.allow);
  section.finish();
  return metrics;
}

}  // namespace

DoorsSpec read_doors(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  DoorsSpec doors;
  Section section(node, path, context);
  if (const YamlNode* rest = section.child("rest")) {
    doors.rest = read_rest(*rest, section.path().key("rest"), context);
  }
  if (const YamlNode* metrics = section.child("metrics")) {
    doors.metrics = read_metrics(*metrics, section.path().key("metrics"), context);
  }
  section.finish();
  return doors;
}

}  // namespace castgate
