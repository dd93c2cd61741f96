// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/client_metric.h>

#include "dataplane/base/failover/skew_histogram.h"

namespace castgate {

// As Prometheus has it, in seconds: a bucket for each power of two nanoseconds from 1.024 us to
// 1.07 s, of what is below its bound. The sum is that of the buckets' middles: 12 % off at most.
prometheus::ClientMetric::Histogram skew_metric(const SkewHistogram& skew);

}  // namespace castgate
